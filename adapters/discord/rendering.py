"""Replies as Discord messages: an embed with its sources as links, and buttons that say what can be typed as well."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from bot.messages import Card, Choice, Reply, Shown
from bot.splitting import shorten, split
from bot.wording import say

_LONGEST = 2_000
_DESCRIPTION = 4_096
_TITLE = 256
_FIELD = 1_024
_LABEL = 80
_CUSTOM_ID = 100
_SAID = 80  # characters of a button's words in its id
COLOUR = 0x2E7D5B
_MOST_BUTTONS = 25
_MOST_CARDS = 10
_ESCAPE = re.compile(r"\\([^\w\s])")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)\)|([^\n]+)")
_MENTION = re.compile(r"<@[!&]?\d+>")

SAY, DO, WRITE, UP, DOWN = "say", "do", "write", "up", "down"
ALONE = "1"  # in a button's id: in a server, what is said and shown stays between one person and the bot


@dataclass(frozen=True, slots=True)
class Button:
    """`data`: what is said, what is done (signed), or the signed id of the answer that is rated."""

    label: str
    what: str
    data: str
    alone: bool = False

    @property
    def custom_id(self) -> str:
        return f"yui:{self.what}{ALONE if self.alone else ''}:{self.data}"


@dataclass(frozen=True, slots=True)
class Page:
    """One message. Without text it has an embed."""

    text: str = ""
    embed: discord.Embed | None = None
    buttons: list[Button] = field(default_factory=list)


def unmentioned(text: str) -> str:
    """A text without the places that name people, roles or the bot."""
    return _MENTION.sub("", text).strip()


def pages(reply: Reply, *, embeds: bool, alone: bool = False, written: bool = False) -> list[Page]:
    """The messages of a reply: the answer, then each card with its own buttons under it.

    `written`: with a button to answer in words, for whom a message of their own would show to all.
    """
    pressed = buttons(reply, alone=alone)
    if written:
        language = str(reply.answer.get("language", "ja"))
        pressed = [*pressed[: _MOST_BUTTONS - 1], Button(say("tip_form_write", language), WRITE, "-", alone)]
    if not reply.cards:
        shown = embed(reply) if embeds else None
        return [Page("" if shown else plain(reply), shown, pressed)]
    if not embeds:
        listed = split(discord.utils.escape_markdown(reply.text), _LONGEST)
        return [*(Page(part) for part in listed[:-1]), Page(listed[-1], None, pressed)]
    first, *others = (_card(card, large=reply.large, alone=alone) for card in reply.cards[:_MOST_CARDS])
    body = plain(replace(reply, text=reply.body or reply.text))
    # Buttons belong to what stands right above them.
    return [Page(body, None, pressed), first, *others] if pressed else [replace(first, text=body), *others]


def shown(reply: Reply) -> list[Shown]:
    """The messages of a reply as somebody sees them in a channel that allows embeds."""
    found = []
    for page in pages(reply, embeds=True):
        text = (page.embed.description or "" if page.embed else "") or page.text
        fields = [field.value or "" for field in page.embed.fields] if page.embed else []
        links = tuple((_unescaped(m[1] or m[3]), m[2] or "") for value in fields for m in _LINK.finditer(value))
        found.append(Shown(_unescaped(text), links, tuple(button.label for button in page.buttons)))
    return found


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def embed(reply: Reply) -> discord.Embed | None:
    """An answer with its sources; None for what is only said."""
    citations = reply.answer.get("citations") or ()
    if not citations:
        return None
    body = _text(shorten(reply.body or reply.text, _DESCRIPTION // 2), large=reply.large)
    shown = discord.Embed(description=shorten(body, _DESCRIPTION), colour=COLOUR)
    language = str(reply.answer.get("language", "ja"))
    name = say("source", language, sources="").strip(" :：")
    shown.add_field(name=name, value=_links(citations), inline=False)
    return shown


def plain(reply: Reply) -> str:
    """The reply as text alone: for what is only said, and where embeds are not allowed."""
    return shorten(_text(shorten(reply.text, _LONGEST // 2), large=reply.large), _LONGEST)


def buttons(reply: Reply, *, alone: bool = False) -> list[Button]:
    language = str(reply.answer.get("language", "ja"))
    found = [button_of(choice, alone=alone) for choice in reply.choices]
    if reply.rating and reply.answer.get("answered"):
        found += [Button(say("helpful", language), UP, reply.rating), Button(say("unhelpful", language), DOWN, reply.rating)]
    return _together(found)


def _card(card: Card, *, large: bool, alone: bool) -> Page:
    text = shorten(_text(shorten(card.text, _DESCRIPTION // 2), large=large), _DESCRIPTION)
    title = shorten(discord.utils.escape_markdown(card.title), _TITLE)
    shown = discord.Embed(title=title or None, description=text or "…", colour=COLOUR)
    return Page("", shown, _together(button_of(choice, alone=alone) for choice in card.choices))


def button_of(choice: Choice, *, alone: bool) -> Button:
    found = Button(shorten(choice.text, _LABEL), DO, choice.data, alone)
    if choice.data and len(found.custom_id) <= _CUSTOM_ID:
        return found
    return Button(found.label, SAY, choice.text[:_SAID], alone)  # a signature that is cut is none: the words do as well


def _together(found: Iterable[Button]) -> list[Button]:
    """No two with one id, which Discord refuses, and no more than a message takes."""
    return list({button.custom_id: button for button in found}.values())[:_MOST_BUTTONS]


def _text(text: str, *, large: bool) -> str:
    """Marks are shown and not obeyed; in large type every line is a heading."""
    shown = discord.utils.escape_markdown(text)
    return "\n".join(f"## {line}" for line in shown.split("\n") if line.strip()) if large else shown


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
