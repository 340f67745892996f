"""Conversations from a file, row by row: what the bot would say, or that it would keep quiet."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import AsyncIterator, Iterable
from typing import Any

from bot.addressing import Names
from bot.clock import JAPAN
from bot.conversations import Conversations
from bot.errors import UserMistake
from bot.messages import Act, IncomingMessage


class Replay:
    """Plays rows of the public contract. State lasts within a `conversation` of one replay."""

    def __init__(self, conversations: Conversations, names: tuple[str, ...]) -> None:
        self._conversations = conversations
        self._names = Names(names)
        self._run = f"replay-{secrets.token_hex(4)}"  # nothing of an earlier run is remembered
        self._people: set[str] = set()
        self._replied: dict[str, dict[Any, str]] = {}  # the answers given, by the row they reply to

    async def play(self, rows: Iterable[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        try:
            for row in rows:
                yield await self._row(row)
        finally:
            for person in self._people:
                await self._conversations.forget(person)

    async def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        if missing := {"conversation", "n", "speaker", "text"} - row.keys():
            raise UserMistake(f"A row has no {min(missing)}: rows are {{conversation, n, speaker, text, addressed, group}}.")
        out = {"conversation": row["conversation"], "n": row["n"]}
        key = f"{self._run}:{row['conversation']}"[:80]
        replied = self._replied.setdefault(key, {})
        text, at = str(row["text"]), moment(row.get("now"))
        if row["speaker"] == "bot":
            replied[row["n"]] = await self._conversations.overhear(key, text, at)
            return {**out, "reply": None, "act": Act.SILENT.value}
        group = bool(row.get("group", False))
        sender = f"{key}:{row['speaker']}"[:80] if group else key  # alone with the bot, the person is the conversation
        self._people |= {key, sender}
        quotes = replied.get(row.get("reply_to"))
        message = IncomingMessage(
            key,
            self._names.without_call(text),
            sender,
            addressed=not group or bool(row.get("addressed")) or quotes is not None or self._names.call(text),
            group=group,
            at=at,
            quotes=quotes or "",
            rehearsed=True,
        )
        reply = await self._conversations.reply_to(message)
        if reply is None:
            return {**out, "reply": None, "act": Act.SILENT.value}
        replied[row["n"]] = reply.answer_id
        return {**out, "reply": dict(reply.answer), "act": reply.act.value}


def moment(told: object) -> dt.datetime | None:
    """The time a row gives, in Japan where it names no zone. Raises UserMistake for what is no ISO date."""
    if told is None:
        return None
    try:
        found = dt.datetime.fromisoformat(str(told))
    except ValueError:
        raise UserMistake(f"A row's now is {told!r}: write an ISO date such as 2026-06-01.") from None
    return found if found.tzinfo else found.replace(tzinfo=JAPAN)
