"""Replies as LINE messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.messages import Card, Choice, Reply, Shown
from bot.splitting import shorten, split, utf16
from bot.wording import say

LONGEST_TEXT = 5_000  # UTF-16 code units
LONGEST_ALT = 1_500
_LABEL = 20  # graphemes
_DATA = 300
MOST_MESSAGES = 5
_MOST_CHOICES = 13
_MOST_LINKS = 3
_LARGE_BUBBLE = 3_500  # characters of a bubble in large type: 30 KB of JSON with room
_MOST_CARDS = 10
_BUBBLE_JSON, _CAROUSEL_JSON = 30_000, 50_000
_CARD_TEXTS = (1_000, 400, 150, 60)  # characters of a card's text, tried in turn until the carousel is small enough
_FLEX_LABEL = 40  # graphemes

SAY, DO, UP, DOWN = "say:", "do:", "up:", "down:"


def messages(reply: Reply, quote_token: str = "", most: int = MOST_MESSAGES) -> list[dict[str, Any]]:
    """At most `most` message objects. The first quotes the question; the last carries the choices."""
    cards = [_carousel(reply)] if reply.cards else []
    rendered = [*_said(reply, (reply.body if cards else "") or reply.text, most - len(cards)), *cards]
    if quote_token and rendered[0]["type"] == "text":
        rendered[0]["quoteToken"] = quote_token
    if items := _choices(reply):
        rendered[-1]["quickReply"] = {"items": items}
    return rendered


def shown(reply: Reply) -> list[Shown]:
    """The messages of a reply as somebody sees them in the chat."""
    found = []
    for message in messages(reply):
        items = message.get("quickReply", {}).get("items", ())
        text = message.get("text") or message.get("altText", "")
        found.append(Shown(text, buttons=tuple(item["action"]["label"] for item in items)))
    return found


def _said(reply: Reply, text: str, most: int) -> list[dict[str, Any]]:
    if reply.large and len(text) <= _LARGE_BUBBLE:
        return [_large(reply, text)]
    parts = split(text, LONGEST_TEXT, utf16)
    if len(parts) > most:
        parts = [*parts[: most - 1], shorten(parts[most - 1], LONGEST_TEXT - 1, utf16) + "…"]
    return [{"type": "text", "text": part} for part in parts if part.strip()] or [{"type": "text", "text": "…"}]


def together(late: Sequence[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Late answers before the present one, all in one call."""
    return [*late[: MOST_MESSAGES - len(now)], *now]


def behind(answers: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Other messages after the answers, whose choices move to the end: LINE shows those of a call's last message only."""
    if not others:
        return list(answers)
    *first, last = answers
    choices = {key: value for key, value in last.items() if key == "quickReply"}
    said = {key: value for key, value in last.items() if key not in choices}
    return [*first, said, *others[:-1], {**others[-1], **choices}]


def kept(reply: Reply, quote_token: str = "", *, note: bool) -> list[dict[str, Any]]:
    """What is kept of an answer that came too late: its first message, with a word on that where `note` asks for it.

    Cards stand in it as text: their buttons would be old by then.
    """
    first = {k: v for k, v in messages(replace(reply, cards=()), quote_token)[0].items() if k != "quickReply"}
    if first["type"] != "text" or not note:
        return [first]
    told = say("late", str(reply.answer.get("language", "ja"))) + "\n"
    return [{**first, "text": told + shorten(first["text"], LONGEST_TEXT - utf16(told), utf16)}]


def _choices(reply: Reply) -> list[dict[str, Any]]:
    """Quick replies: shown on phones, gone with the next message; each can be typed as well."""
    language = str(reply.answer.get("language", "ja"))
    # A button goes on from the very answer it stands under, however old.
    actions = [postback(c, reply.answer_id) for c in reply.choices]
    if reply.rating and reply.answer.get("answered"):
        actions += [_action(say(key, language), what + reply.rating) for key, what in (("helpful", UP), ("unhelpful", DOWN))]
    return [{"type": "action", "action": action} for action in actions[:_MOST_CHOICES]]


def postback(choice: Choice, answer_id: str, *, before: str = "", label: int = _LABEL) -> dict[str, Any]:
    """What a choice does when it is pressed. `before`: what else the chat is shown, so that everybody sees what was meant."""
    data = DO + choice.data
    if not choice.data or len(data) > _DATA:  # a signature that is cut is none: the words do as well
        data = f"{SAY}{answer_id}:{choice.text}"
    return _action(choice.text, data, before=before, label=label)


def _action(text: str, data: str, *, before: str = "", label: int = _LABEL) -> dict[str, Any]:
    shown = shorten(f"{before} {text}".strip(), _DATA)
    return {"type": "postback", "label": shorten(text, label), "data": data[:_DATA], "displayText": shown}


def _large(reply: Reply, text: str) -> dict[str, Any]:
    """One bubble in large letters; its sources open at a touch."""
    bubble = _bubble([_line(line, "xl") for line in text.split("\n") if line.strip()], _links(reply), "giga")
    if len(json.dumps(bubble)) > _BUBBLE_JSON:
        return {"type": "text", "text": text}
    return {"type": "flex", "altText": shorten(text, LONGEST_ALT, utf16), "contents": bubble}


def _carousel(reply: Reply) -> dict[str, Any]:
    """The cards side by side, each with its buttons; where no cards are shown, the listed text."""
    contents: dict[str, Any] = {}
    for most in _CARD_TEXTS:
        bubbles = [_card(card, reply, most) for card in reply.cards[:_MOST_CARDS]]
        contents = {"type": "carousel", "contents": bubbles}
        if len(json.dumps(contents)) <= _CAROUSEL_JSON:
            break
    return {"type": "flex", "altText": shorten(reply.text, LONGEST_ALT, utf16) or "…", "contents": contents}


def _card(card: Card, reply: Reply, most: int) -> dict[str, Any]:
    title, text = ("xxl", "xl") if reply.large else ("lg", "md")
    lines = [_line(shorten(card.title, most), title) | {"weight": "bold"}] if card.title.strip() else []
    lines += [_line(line, text) for line in shorten(card.text, most).split("\n") if line.strip()]
    buttons: list[dict[str, Any]] = [
        {"type": "button", "height": "sm", "action": postback(c, reply.answer_id, before=card.title, label=_FLEX_LABEL)}
        for c in card.choices
    ]
    return _bubble(lines or [_line("…", text)], buttons, "giga" if reply.large else "mega")


def _line(text: str, size: str) -> dict[str, Any]:
    """Letters that also grow with the phone's own setting."""
    return {"type": "text", "text": text, "wrap": True, "size": size, "scaling": True, "color": "#111111"}


def _bubble(lines: Sequence[dict[str, Any]], buttons: Sequence[dict[str, Any]], size: str) -> dict[str, Any]:
    body = {"type": "box", "layout": "vertical", "spacing": "md", "contents": list(lines)}
    bubble: dict[str, Any] = {"type": "bubble", "size": size, "body": body}
    if buttons:
        bubble["footer"] = {"type": "box", "layout": "vertical", "spacing": "sm", "contents": list(buttons)}
    return bubble


def _links(reply: Reply) -> list[dict[str, Any]]:
    """A button for each page the answer rests on: LINE makes no links of addresses inside a bubble."""
    pages = {c["url"]: c["source"] for c in reply.answer.get("citations", ()) if str(c.get("url", "")).startswith("https://")}
    return [
        {"type": "button", "height": "sm", "action": {"type": "uri", "label": shorten(str(source), _LABEL), "uri": url}}
        for url, source in list(pages.items())[:_MOST_LINKS]
        if len(url) <= 1_000
    ]
