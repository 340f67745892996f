"""Replies as LINE messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.messages import Reply
from bot.splitting import shorten, split, utf16
from bot.wording import say

LONGEST_TEXT = 5_000  # UTF-16 code units
_LONGEST_ALT = 1_500
_LABEL = 20  # graphemes
_DATA = 300
MOST_MESSAGES = 5
_MOST_CHOICES = 13
_MOST_LINKS = 3
_LARGE_BUBBLE = 3_500  # characters of a bubble in large type: 30 KB of JSON with room

SAY, UP, DOWN = "say:", "up:", "down:"


def messages(reply: Reply, quote_token: str = "", most: int = MOST_MESSAGES) -> list[dict[str, Any]]:
    """At most `most` message objects. The first quotes the question; the last carries the choices."""
    if reply.large and len(reply.text) <= _LARGE_BUBBLE:
        rendered: list[dict[str, Any]] = [_large(reply)]
    else:
        parts = split(reply.text, LONGEST_TEXT, utf16)
        if len(parts) > most:
            parts = [*parts[: most - 1], shorten(parts[most - 1], LONGEST_TEXT - 1, utf16) + "…"]
        rendered = [{"type": "text", "text": part} for part in parts if part.strip()] or [{"type": "text", "text": "…"}]
    if quote_token and rendered[0]["type"] == "text":
        rendered[0]["quoteToken"] = quote_token
    if items := _choices(reply):
        rendered[-1]["quickReply"] = {"items": items}
    return rendered


def together(late: Sequence[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Late answers before the present one, all in one call."""
    return [*late[: MOST_MESSAGES - len(now)], *now]


def kept(rendered: Sequence[dict[str, Any]], language: str, *, note: bool) -> list[dict[str, Any]]:
    """What is kept of an answer that came too late: its first message, with a word on that where `note` asks for it."""
    first = {k: v for k, v in rendered[0].items() if k != "quickReply"}
    if first["type"] != "text" or not note:
        return [first]
    told = say("late", language) + "\n"
    return [{**first, "text": told + shorten(first["text"], LONGEST_TEXT - utf16(told), utf16)}]


def _choices(reply: Reply) -> list[dict[str, Any]]:
    """Quick replies: shown on phones, gone with the next message; each can be typed as well."""
    language = str(reply.answer.get("language", "ja"))
    # A button goes on from the very answer it stands under, however old.
    items = [_postback(c.text, f"{SAY}{reply.answer_id}:{c.text}", c.text) for c in reply.choices]
    if reply.rating and reply.answer.get("answered"):
        for key, what in (("helpful", UP), ("unhelpful", DOWN)):
            items.append(_postback(say(key, language), what + reply.rating, say(key, language)))
    return items[:_MOST_CHOICES]


def _postback(label: str, data: str, shown: str) -> dict[str, Any]:
    action = {"type": "postback", "label": shorten(label, _LABEL), "data": data[:_DATA], "displayText": shorten(shown, _DATA)}
    return {"type": "action", "action": action}


def _large(reply: Reply) -> dict[str, Any]:
    """One bubble in large letters, which also grow with the phone's own setting; its sources open at a touch."""
    text = reply.text
    contents = [
        {"type": "text", "text": line, "wrap": True, "size": "xl", "scaling": True, "color": "#111111"}
        for line in text.split("\n")
        if line.strip()
    ]
    bubble: dict[str, Any] = {
        "type": "bubble",
        "size": "giga",
        "body": {"type": "box", "layout": "vertical", "spacing": "md", "contents": contents},
    }
    if links := _links(reply):
        bubble["footer"] = {"type": "box", "layout": "vertical", "spacing": "sm", "contents": links}
    if len(json.dumps(bubble)) > 30_000:
        return {"type": "text", "text": text}
    return {"type": "flex", "altText": shorten(text, _LONGEST_ALT, utf16), "contents": bubble}


def _links(reply: Reply) -> list[dict[str, Any]]:
    """A button for each page the answer rests on: LINE makes no links of addresses inside a bubble."""
    pages = {c["url"]: c["source"] for c in reply.answer.get("citations", ()) if str(c.get("url", "")).startswith("https://")}
    return [
        {"type": "button", "height": "sm", "action": {"type": "uri", "label": shorten(str(source), _LABEL), "uri": url}}
        for url, source in list(pages.items())[:_MOST_LINKS]
        if len(url) <= 1_000
    ]
