"""Tips on Discord: a form to write one in, and a message made into one, somebody else's only if they agree.

Nobody's words are kept here before they agree. Discord keeps the text of a message back from a bot that was not addressed, also
when it is fetched, so the question to the author shows the words in the channel where they were said, and is gone after a day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord

from adapters.discord import forms
from adapters.discord.buttons import view
from adapters.discord.rendering import unmentioned
from bot.tips.state import PIECES, Step
from bot.tips.steps import MOST
from bot.wording import known, say

if TYPE_CHECKING:
    from adapters.discord.client import Client

_ASKED_FOR = 24 * 3600.0  # seconds the question to an author stands
_FIELDS = tuple((PIECES[step], MOST[step]) for step in (Step.TEXT, Step.PLACE, Step.HAPPENED, Step.OUTCOME))
_SEVERAL_LINES = ("text", "outcome")
_YES, _NO = "yes", "no"


async def open_form(interaction: discord.Interaction, text: str = "") -> None:
    """The form for a tip, with what is known already in it."""
    language = forms.spoken(interaction)
    entries = [
        forms.Entry(name, say(f"tip_form_{name}", language), longest, required=name == "text", several_lines=name in _SEVERAL_LINES)
        for name, longest in _FIELDS
    ]
    await forms.show(interaction, forms.TIP, say("tip_form", language), [replace(entries[0], text=text), *entries[1:]])


def pieces(told: Mapping[str, str]) -> dict[str, str]:
    """What was told of a tip, by the names of its pieces."""
    return {name: told.get(name, "") for name, _ in _FIELDS}


async def take_message(client: Client, interaction: discord.Interaction, message: discord.Message) -> None:
    """Make a message into a tip: one's own at once, somebody else's when they agree."""
    author, text = message.author, unmentioned(message.content)
    if author.bot or message.webhook_id is not None or not text:
        await hint(interaction, "tip_no_message")
    elif author.id == interaction.user.id:
        await open_form(interaction, text)
    else:
        await _ask_author(client, interaction, message, text)


async def _ask_author(client: Client, interaction: discord.Interaction, message: discord.Message, text: str) -> None:
    language, allowed = forms.spoken(interaction), interaction.app_permissions
    here = known(str(interaction.guild_locale or interaction.locale))
    writes = allowed.send_messages_in_threads if isinstance(message.channel, discord.Thread) else allowed.send_messages
    if not (allowed.view_channel and writes and allowed.embed_links):
        await hint(interaction, "tip_consent_nowhere")
        return
    if not client.interactions.asks_first(message.id):
        await hint(interaction, "tip_consent_asked_before")
        return
    await interaction.response.defer(ephemeral=True, thinking=True)
    buttons = (Consent(what, message.id, message.author.id, here) for what in (_YES, _NO))
    asked = False
    async with client.refusals():
        await message.channel.send(
            say("tip_consent_ask", here, author=message.author.mention),
            embed=discord.Embed(description=text),
            view=view(*buttons),
            reference=message.to_reference(fail_if_not_exists=False) if allowed.read_message_history else None,  # type: ignore[arg-type]
            mention_author=False,
            allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=[message.author], replied_user=False),
            nonce=str(interaction.id),
            delete_after=_ASKED_FOR,
        )
        asked = True
    if not asked:
        client.interactions.ask_again(message.id)
    async with client.refusals():
        await interaction.edit_original_response(content=say("tip_consent_asked" if asked else "tip_consent_nowhere", language))


class Consent(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"yui:(?P<what>yes|no):(?P<message>\d+):(?P<author>\d+)"):
    """What the author of a message says to its becoming a tip. Nobody else's press counts."""

    def __init__(self, what: str, message: int, author: int, language: str = "ja") -> None:
        style = discord.ButtonStyle.success if what == _YES else discord.ButtonStyle.secondary
        custom_id = f"yui:{what}:{message}:{author}"
        super().__init__(discord.ui.Button(label=say(f"tip_consent_{what}", language), style=style, custom_id=custom_id))
        self.what, self.message, self.author = what, message, author

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction, __: Any, match: re.Match[str], /) -> Consent:
        return cls(match["what"], int(match["message"]), int(match["author"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        client: Client = interaction.client  # type: ignore[assignment]  # only this client registers it
        language = forms.spoken(interaction)
        async with client.refusals():
            if interaction.user.id != self.author:
                await hint(interaction, "tip_consent_not_yours")
                return
            told = say("tip_consent_given" if self.what == _YES else "tip_consent_declined", language)
            # Without its buttons at once, so that it is answered a single time.
            await interaction.response.edit_message(content=told, embed=None, view=None)
            if self.what == _NO:
                return
            if text := await self._words(interaction):
                await client.interactions.offer(interaction, pieces({"text": text}), answered=True)
            else:
                await interaction.edit_original_response(content=say("tip_consent_gone", language))

    async def _words(self, interaction: discord.Interaction) -> str:
        """What the author agreed to: as it is now where Discord tells it, else as it stood in the question; "" if it is gone."""
        channel, asked = interaction.channel, interaction.message
        shown = (asked.embeds[0].description or "") if asked and asked.embeds else ""
        if not isinstance(channel, discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel):
            return shown
        try:
            return unmentioned((await channel.fetch_message(self.message)).content) or shown
        except discord.NotFound:
            return ""
        except discord.HTTPException:
            return shown


async def hint(interaction: discord.Interaction, key: str) -> None:
    """One sentence of the catalogue, for whoever asked."""
    await interaction.response.send_message(say(key, forms.spoken(interaction)), ephemeral=interaction.guild_id is not None)
