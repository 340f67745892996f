"""What LINE's payloads say, and what of it cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException


def events(raw: bytes) -> list[Mapping[str, Any]]:
    """The events of a request. Raises HTTPException for a body that is no webhook's."""
    try:
        found = json.loads(raw.decode("utf-8"))["events"]
        if not isinstance(found, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HTTPException(400, "読み取れませんでした。LINEのWebhookの形ではありません。") from None
    return [event for event in found if isinstance(event, dict)]


def without_mentions(message: Mapping[str, Any]) -> tuple[str, str, bool]:
    """The text without the mention of the bot itself, the text without anybody's, and whether the bot was mentioned.

    Places count UTF-16 units. A person's mention is no call, even if her name begins like the bot's.
    """
    mentionees = sorted((message.get("mention") or {}).get("mentionees") or [], key=lambda m: -int(m["index"]))
    said = alone = str(message["text"]).encode("utf-16-le", "surrogatepass")
    for m in mentionees:
        start, end = 2 * int(m["index"]), 2 * (int(m["index"]) + int(m["length"]))
        alone = alone[:start] + alone[end:]
        if m.get("isSelf") is True:
            said = said[:start] + said[end:]
    mentioned = any(m.get("isSelf") is True for m in mentionees)
    return said.decode("utf-16-le", "replace").strip(), alone.decode("utf-16-le", "replace").strip(), mentioned
