"""Commands, buttons and forms: what Discord wants answered within three seconds."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import aiohttp
import discord

from adapters.discord import rendering
from adapters.discord.buttons import arguments, nonce
from bot.messages import Act, IncomingMessage, Reply

if TYPE_CHECKING:
    from adapters.discord.client import Client

log = logging.getLogger(__name__)

PLATFORM = "discord"
_REMEMBERED = 1_000  # ids
_UNKNOWN_INTERACTION, _ANSWERED_ALREADY = 10062, 40060


class Interactions:
    """Takes what people choose on Discord to the bot, and shows them what it says."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._yui = client.yui
        self._asked: OrderedDict[int, None] = OrderedDict()

    async def answer(
        self, interaction: discord.Interaction, text: str, *, press: str = "", alone: bool = False, hidden: bool = False
    ) -> None:
        """A command or a button that asks something: "thinking" at once, then the answer, seen by all.

        `hidden`: in a server only who asked sees it, as with what stands under such an answer. `alone`: what is said is also
        between that person and the bot, as in a direct message.
        """
        self._yui.metrics.received(PLATFORM, addressed=True)
        pressed = interaction.message  # a button goes on from the very answer it stands under, however old
        hidden = interaction.guild_id is not None and (hidden or alone or bool(pressed and pressed.flags.ephemeral))
        in_time = await self._deferred(interaction, ephemeral=hidden)
        quotes = await self._client.stored(self._yui.store.answer_of, PLATFORM, str(pressed.id)) if pressed else None
        message = self._incoming(interaction, text, press=press, quotes=quotes or "", alone=alone)
        reply = await self._client.replied(self._yui.conversations.reply_to(message))
        log.info("event", extra={"platform": PLATFORM, "kind": "interaction", "act": reply.act.value if reply else "silent"})
        if reply is None:
            return
        if in_time:
            await self._answered_with(interaction, message.conversation, reply, hidden=hidden, alone=alone)
        elif not hidden and isinstance(interaction.channel, discord.abc.Messageable) and interaction.app_permissions.send_messages:
            async with self._client.refusals():
                for n, page in enumerate(rendering.pages(reply, embeds=interaction.app_permissions.embed_links)):
                    sent = await interaction.channel.send(nonce=nonce(interaction.id, n), **arguments(page))
                    await self._client.note(sent.id, message.conversation, reply)

    async def offer(self, interaction: discord.Interaction, pieces: Mapping[str, str], *, answered: bool = False) -> None:
        """A tip from a form or a message; until it is sent off, only who gives it sees it. `answered`: Discord has been told."""
        self._yui.metrics.received(PLATFORM, addressed=True)
        hidden = interaction.guild_id is not None
        if not answered and not await self._deferred(interaction, ephemeral=hidden):
            return  # Discord says so, and keeps the form open
        message = self._incoming(interaction, pieces["text"])
        reply = await self._client.replied(self._yui.conversations.offer_tip(message, dict(pieces)))
        log.info("event", extra={"platform": PLATFORM, "kind": "tip", "act": reply.act.value if reply else "silent"})
        if reply is not None:
            await self._answered_with(interaction, message.conversation, reply, hidden=hidden, original=not answered)

    async def rated(self, interaction: discord.Interaction, signed: str, *, helpful: bool) -> None:
        """A rating is between the person and the bot: only they see the thanks."""
        self._yui.metrics.received(PLATFORM, addressed=True)
        if await self._deferred(interaction, ephemeral=True):
            rating = self._yui.conversations.thank_for_rating(signed, self._client.person(interaction.user.id), helpful=helpful)
            reply = await self._client.replied(rating)
            if reply is not None:
                async with self._client.refusals():
                    await interaction.edit_original_response(content=rendering.plain(reply))

    def asks_first(self, message_id: int) -> bool:
        """Whether nobody has asked yet that a message become a tip: its author is asked once."""
        new = message_id not in self._asked
        remember(self._asked, message_id)
        return new

    def ask_again(self, message_id: int) -> None:
        """The author was not reached after all: whoever wants it next may ask."""
        self._asked.pop(message_id, None)

    def _incoming(
        self, interaction: discord.Interaction, text: str, *, press: str = "", quotes: str = "", alone: bool = False
    ) -> IncomingMessage:
        guild_id = None if alone else interaction.guild_id
        return IncomingMessage(
            conversation=self._client.conversation(interaction.channel_id, interaction.user.id, guild_id),
            text=text,
            sender=self._client.person(interaction.user.id),
            group=guild_id is not None,
            platform=PLATFORM,
            quotes=quotes,
            press=press,
            within=self._client.within(interaction.channel) if guild_id is not None else (),
            place=self._client.place(interaction.channel) if guild_id is not None else None,
            id=str(interaction.id),
        )

    async def _deferred(self, interaction: discord.Interaction, *, ephemeral: bool) -> bool:
        """Whether Discord still waits for an answer: it does for 3 seconds."""
        try:
            await interaction.response.defer(thinking=True, ephemeral=ephemeral)
        except (discord.DiscordException, aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error, discord.HTTPException) and error.code == _ANSWERED_ALREADY:
                return True  # the answer to the first attempt was lost
            if isinstance(error, discord.InteractionResponded):
                return True
            status, code = (error.status, error.code) if isinstance(error, discord.HTTPException) else (0, 0)
            self._yui.metrics.refused(PLATFORM, status)
            if code == _UNKNOWN_INTERACTION:
                self._yui.metrics.late(PLATFORM)
            log.warning("Discord no longer waits for an answer (%d)", code)
            return False
        return True

    async def _answered_with(
        self,
        interaction: discord.Interaction,
        conversation: str,
        reply: Reply,
        *,
        hidden: bool,
        alone: bool = False,
        original: bool = True,
    ) -> None:
        """Fill the answer that was promised (`original`), and send what follows after it."""
        # A talk goes on in words; in a server a message would show them to all.
        written = hidden and (alone or reply.act is Act.TAKE_TIP)
        pages = rendering.pages(reply, embeds=interaction.app_permissions.embed_links, alone=alone, written=written)
        async with self._client.refusals():
            if original:
                # An edit can be repeated after a lost answer without a second message; a follow-up could not.
                first = await interaction.edit_original_response(**arguments(pages[0]))
                await self._client.note(first.id, conversation, reply)
            for page in pages[1:] if original else pages:
                sent = await interaction.followup.send(ephemeral=hidden, wait=True, **arguments(page))
                await self._client.note(sent.id, conversation, reply)


def remember(ids: OrderedDict[int, None], new: int) -> None:
    """The newest ids: of what has been answered, should the gateway send it again, or been asked about."""
    ids[new] = None
    if len(ids) > _REMEMBERED:
        ids.popitem(last=False)
