"""Replies as Discord messages: an embed with its sources as links, and buttons that say what can be typed as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import discord

from bot.messages import Reply
from bot.splitting import shorten
from bot.wording import say

_LONGEST = 2_000
_DESCRIPTION = 4_096
_FIELD = 1_024
_LABEL = 80
_DATA = 80  # of the 100 characters of a custom id
_COLOUR = 0x2E7D5B

SAY, UP, DOWN = "say", "up", "down"


@dataclass(frozen=True, slots=True)
class Button:
    """`data`: what is said, or the signed id of the answer that is rated."""

    label: str
    what: str
    data: str


def embed(reply: Reply) -> discord.Embed | None:
    """An answer with its sources; None for what is only said."""
    citations = reply.answer.get("citations") or ()
    if not citations:
        return None
    body = discord.utils.escape_markdown(shorten(reply.body or reply.text, _DESCRIPTION // 2))
    if reply.large:
        body = "\n".join(f"## {line}" for line in body.split("\n") if line.strip())
    shown = discord.Embed(description=shorten(body, _DESCRIPTION), colour=_COLOUR)
    language = str(reply.answer.get("language", "ja"))
    name = say("source", language, sources="").strip(" :：")
    shown.add_field(name=name, value=_links(citations), inline=False)
    return shown


def plain(reply: Reply) -> str:
    """The reply as text alone: for what is only said, and where embeds are not allowed."""
    text = discord.utils.escape_markdown(shorten(reply.text, _LONGEST // 2))
    if reply.large:
        text = "\n".join(f"## {line}" for line in text.split("\n") if line.strip())
    return shorten(text, _LONGEST)


def buttons(reply: Reply) -> list[Button]:
    language = str(reply.answer.get("language", "ja"))
    found = [Button(shorten(c.text, _LABEL), SAY, c.text[:_DATA]) for c in reply.choices]
    if reply.rating and reply.answer.get("answered"):
        found += [Button(say("helpful", language), UP, reply.rating), Button(say("unhelpful", language), DOWN, reply.rating)]
    return found


def _links(citations: tuple[Mapping[str, Any], ...]) -> str:
    lines: list[str] = []
    for citation in citations:
        source, url = discord.utils.escape_markdown(str(citation["source"])), citation.get("url")
        # Brackets inside would end the link's text early.
        told = source.replace("[", "(").replace("]", ")")
        line = f"[{told}]({url})" if url else told
        if line not in lines and sum(len(kept) + 1 for kept in lines) + len(line) <= _FIELD:
            lines.append(line)
    return "\n".join(lines) or "-"
