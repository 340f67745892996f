"""Conversations from a file, row by row: what the bot would say, or that it would keep quiet."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

from bot.conversations import Conversations
from bot.errors import UserMistake
from bot.messages import Act, IncomingMessage


class Replay:
    """Plays rows of the public contract. State lasts within a `conversation` of one replay."""

    def __init__(self, conversations: Conversations, names: tuple[str, ...]) -> None:
        self._conversations = conversations
        self._mention = mention_pattern(names)
        self._replied: dict[str, set[Any]] = {}

    async def play(self, rows: Iterable[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        for row in rows:
            yield await self._row(row)

    async def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        if missing := {"conversation", "n", "speaker", "text"} - row.keys():
            raise UserMistake(f"A row has no {min(missing)}: rows are {{conversation, n, speaker, text, addressed, group}}.")
        out = {"conversation": row["conversation"], "n": row["n"]}
        key = f"replay:{row['conversation']}"
        replied = self._replied.setdefault(key, set())
        if row["speaker"] == "bot":
            replied.add(row["n"])
            await self._conversations.overhear(key, str(row["text"]))
            return {**out, "reply": None, "act": Act.SILENT.value}
        text = str(row["text"])
        group = bool(row.get("group", False))
        addressed = not group or bool(row.get("addressed")) or row.get("reply_to") in replied or bool(self._mention.search(text))
        message = IncomingMessage(key, self._mention.sub("", text).strip(), str(row["speaker"]), addressed=addressed, group=group)
        reply = await self._conversations.reply_to(message)
        if reply is None:
            return {**out, "reply": None, "act": Act.SILENT.value}
        replied.add(row["n"])
        return {**out, "reply": dict(reply.answer), "act": reply.act.value}


def mention_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """@name with a half- or full-width sign, at the start or after a space; 「さん」 and a comma belong to it."""
    told = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?:^|(?<=\s))[@＠](?:{told})(?:さん)?[、,:\s]*", re.IGNORECASE)
