"""Forms (modals): shown in answer to a command or a button, and read again when they are sent, also after a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.splitting import shorten
from bot.wording import known, say

TIP = "yui:tip"
WRITTEN = "yui:written"  # an answer in words, where a message would be seen by all


@dataclass(frozen=True, slots=True)
class Entry:
    """A field: its name, what stands above it, how many characters it takes, what is in it already."""

    name: str
    label: str
    longest: int
    text: str = ""
    required: bool = False
    several_lines: bool = False


def spoken(interaction: discord.Interaction) -> str:
    """The language somebody has Discord in."""
    return known(str(interaction.locale))


async def show(interaction: discord.Interaction, form: str, title: str, entries: Sequence[Entry]) -> None:
    modal = discord.ui.Modal(title=title, timeout=None, custom_id=form)
    for entry in entries:
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=entry.name,
            style=discord.TextStyle.paragraph if entry.several_lines else discord.TextStyle.short,
            required=entry.required,
            max_length=entry.longest,
            default=shorten(entry.text, entry.longest) or None,
        )
        modal.add_item(discord.ui.Label(text=entry.label, component=field))
    await interaction.response.send_modal(modal)


async def ask_for_words(interaction: discord.Interaction, mark: str) -> None:
    """A form for an answer in words; `mark` comes back behind its name."""
    title = say("tip_form_write", spoken(interaction))
    entry = Entry("text", title, 2_000, required=True, several_lines=True)
    await show(interaction, WRITTEN + mark, title, [entry])


def filled_in(interaction: discord.Interaction) -> tuple[str, Mapping[str, str]] | None:
    """Which form was sent, and what stands in it; None for what is no form of this bot."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    data: Any = interaction.data or {}
    form = str(data.get("custom_id", ""))
    if not form.startswith((TIP, WRITTEN)):
        return None
    told: dict[str, str] = {}
    for outer in data.get("components", ()):
        for entry in outer.get("components") or [outer.get("component") or {}]:
            told[str(entry.get("custom_id", ""))] = str(entry.get("value") or "").strip()
    return form, told
