"""Announcements as Discord messages, each with a mark of its delivery, by which it is found again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import discord

from adapters.discord.rendering import COLOUR, Button, button_of
from bot.announcing.senders import LinkButton, OutgoingMessage
from bot.splitting import shorten

_LONGEST, _LONGEST_DESCRIPTION = 2_000, 4_096
_LABEL = 80
_A_ROW, _ROWS = 5, 5
_LONGEST_ADDRESS = 512
_NONCE = 25


def body(message: OutgoingMessage, mark: int = 0, *, embeds: bool = True) -> dict[str, Any]:
    """A message as the API takes it. It rings nobody, whatever stands in it. `embeds`: they are allowed there."""
    shown: dict[str, Any] = {"allowed_mentions": {"parse": []}, "content": "", "embeds": []}
    text = discord.utils.escape_markdown(message.text)
    if len(text) <= _LONGEST or not embeds:
        address = f"\n{message.picture}" if message.picture and not embeds else ""
        shown["content"] = shorten(text, _LONGEST - len(address)) + address
    elif len(text) <= _LONGEST_DESCRIPTION:
        shown["embeds"] = [{"description": text, "color": COLOUR}]
    else:  # marks that are obeyed are better than words that are missing
        shown["embeds"] = [{"description": shorten(message.text, _LONGEST_DESCRIPTION), "color": COLOUR}]
    if message.picture and embeds:
        embed = shown["embeds"][0] if shown["embeds"] else {"color": COLOUR}
        shown["embeds"] = [{**embed, "image": {"url": message.picture}}]
    return {**shown, "components": _rows(message, mark)}


def mark(nonce: str) -> int:
    """A number of a delivery's message, for the id of its first row of buttons: Discord keeps it as long as the message."""
    return int.from_bytes(hashlib.sha256(nonce.encode()).digest()[:4]) >> 1 | 1 << 30


def marked(message: Mapping[str, Any]) -> int:
    """The mark that a message carries; 0 for none."""
    rows = message.get("components") or [{}]
    found = rows[0].get("id", 0)
    return found if isinstance(found, int) else 0


def nonce(of: str, n: int) -> str:
    """The name of a delivery's n-th message; under one name Discord takes a message once within some minutes."""
    return hashlib.sha256(f"{of}-{n}".encode()).hexdigest()[:_NONCE]


def _rows(message: OutgoingMessage, mark: int) -> list[dict[str, Any]]:
    buttons = [_opens(link) for link in message.links if len(link.address) <= _LONGEST_ADDRESS]
    presses = {press.custom_id: press for press in (button_of(choice, alone=False) for choice in message.choices)}
    buttons = [*buttons, *map(_says, presses.values())][: _A_ROW * _ROWS]
    rows = [{"type": 1, "components": buttons[i : i + _A_ROW]} for i in range(0, len(buttons), _A_ROW)]
    return [{**rows[0], "id": mark}, *rows[1:]] if rows and mark else rows


def _opens(link: LinkButton) -> dict[str, Any]:
    return {"type": 2, "style": 5, "label": shorten(link.label, _LABEL), "url": link.address}


def _says(button: Button) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": shorten(button.label, _LABEL), "custom_id": button.custom_id}
