"""Announcements as LINE messages: words as text, which a phone reads aloud and dials from; a card for picture and buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.line.rendering import LONGEST_ALT, LONGEST_TEXT, MOST_MESSAGES, postback
from bot.announcing.senders import LinkButton, OutgoingMessage, Sending
from bot.messages import Choice
from bot.splitting import shorten, split, utf16

OBJECTS = 2  # what one announcement takes as a rule: its text and its card
_MOST_BUTTONS = 6
_LABEL = 20  # characters that stay readable in one line in large letters
_LONGEST_ADDRESS = 1_000


def messages(outgoing: Sequence[OutgoingMessage], most: int = MOST_MESSAGES) -> list[dict[str, Any]]:
    """At least one and at most `most` message objects. Where room is short all share one card, or the links stand in the text."""
    rendered = [shown for message in outgoing for shown in (*_texts(message.text), *_card(message))]
    if len(rendered) <= most:
        return rendered or _texts("…")
    together = _together(outgoing)
    card = _card(together) if most > 1 else []
    if not card:
        together = replace(together, text="\n".join([together.text, *(f"{link.label} {link.address}" for link in together.links)]))
    texts, room = _texts(together.text), most - len(card)
    if len(texts) > room:
        last = shorten(texts[room - 1]["text"], LONGEST_TEXT - 1, utf16).rstrip("…") + "…"
        texts = [*texts[: room - 1], {"type": "text", "text": last}]
    return [*texts, *card]


def of(sendings: Sequence[Sending], most: int = MOST_MESSAGES) -> list[dict[str, Any]]:
    """Several announcements in one call, each behind the other."""
    return messages([message for sending in sendings for message in sending.messages], most)


def _together(outgoing: Sequence[OutgoingMessage]) -> OutgoingMessage:
    text = "\n\n".join(message.text for message in outgoing)
    picture = next((message.picture for message in outgoing if message.picture), "")
    links = tuple(dict.fromkeys(link for message in outgoing for link in message.links))
    choices = tuple(dict.fromkeys(choice for message in outgoing for choice in message.choices))
    return OutgoingMessage(text, picture, links, choices)


def _texts(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": part} for part in split(text, LONGEST_TEXT, utf16) if part.strip()]


def _card(message: OutgoingMessage) -> list[dict[str, Any]]:
    """The picture with the buttons under it; nothing where there is neither."""
    buttons = [_opens(link) for link in message.links if len(link.address) <= _LONGEST_ADDRESS]
    buttons = [*buttons, *(_says(choice) for choice in message.choices)][:_MOST_BUTTONS]
    bubble: dict[str, Any] = {"type": "bubble", "size": "mega"}
    if message.picture.startswith("https://"):
        bubble["hero"] = {"type": "image", "url": message.picture, "size": "full", "aspectMode": "fit", "aspectRatio": "4:3"}
    if buttons:
        bubble["footer"] = {"type": "box", "layout": "vertical", "spacing": "sm", "contents": buttons}
    if len(bubble) == 2:
        return []
    told = message.text.strip().split("\n")[0]
    return [{"type": "flex", "altText": shorten(told, LONGEST_ALT, utf16) or "…", "contents": bubble}]


def _opens(link: LinkButton) -> dict[str, Any]:
    return _button({"type": "uri", "label": shorten(link.label, _LABEL), "uri": link.address}, "primary")


def _says(choice: Choice) -> dict[str, Any]:
    return _button(postback(choice, ""), "secondary")


def _button(action: dict[str, Any], style: str) -> dict[str, Any]:
    return {"type": "button", "style": style, "height": "sm", "scaling": True, "action": action}
