"""Buttons whose meaning stands in their ids, so that they work after a restart too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import discord

from adapters.discord import forms, rendering

if TYPE_CHECKING:
    from adapters.discord.client import Client

_STYLES = {rendering.SAY: discord.ButtonStyle.primary, rendering.DO: discord.ButtonStyle.primary}


class Press(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=rf"yui:(?P<what>say|do|write|up|down)(?P<alone>{rendering.ALONE})?:(?P<data>.{{1,93}})",
):
    """A button under a reply: it says something, does something, asks for words, or rates."""

    def __init__(self, button: rendering.Button) -> None:
        style = _STYLES.get(button.what, discord.ButtonStyle.secondary)
        super().__init__(discord.ui.Button(label=button.label, style=style, custom_id=button.custom_id))
        self.button = button

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction, item: Any, match: re.Match[str], /) -> Press:
        return cls(rendering.Button(item.label or "", match["what"], match["data"], bool(match["alone"])))

    async def callback(self, interaction: discord.Interaction) -> None:
        client: Client = interaction.client  # type: ignore[assignment]  # only this client registers it
        button, bot = self.button, client.interactions
        if button.what == rendering.WRITE:
            async with client.refusals():
                await forms.ask_for_words(interaction, rendering.ALONE if button.alone else "")
        elif button.what in (rendering.UP, rendering.DOWN):
            await bot.rated(interaction, button.data, helpful=button.what == rendering.UP)
        elif button.what == rendering.DO:
            await bot.answer(interaction, button.label, press=button.data, alone=button.alone)
        else:
            await bot.answer(interaction, button.data, alone=button.alone)


def arguments(page: rendering.Page) -> dict[str, Any]:
    """A page as the arguments of `send`."""
    found: dict[str, Any] = {"content": page.text or None, "embed": page.embed}
    if page.buttons:
        found["view"] = view(*(Press(button) for button in page.buttons))
    return {key: value for key, value in found.items() if value is not None}


def view(*items: discord.ui.Item[Any]) -> discord.ui.View:
    shown = discord.ui.View(timeout=None)
    for item in items:
        shown.add_item(item)
    shown.stop()  # presses are found by their ids; nothing has to be remembered
    return shown


def nonce(of: int, n: int) -> str:
    """The name of the n-th message that answers something: under one name Discord takes a message once."""
    return f"{of}-{n}" if n else str(of)
