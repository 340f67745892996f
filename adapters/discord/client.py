"""The bot on Discord: what comes in over the gateway, what goes out as replies."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands

from adapters.discord import commands, forms, rendering, tips
from adapters.discord.buttons import Press, arguments, nonce
from adapters.discord.interactions import PLATFORM, Interactions, remember
from bot.announcing.senders import Shape
from bot.bootstrap import Yui
from bot.errors import BotError
from bot.messages import IncomingMessage, Place, Reply

log = logging.getLogger(__name__)


async def run(yui: Yui, token: str) -> None:
    """Stay connected until cancelled. Raises BotError where Discord will never let this bot in."""
    client = Client(yui)
    try:
        async with client:
            await client.start(token)
    except discord.LoginFailure as error:
        raise BotError("Discord does not accept the token: reset it in the Developer Portal and set YUI_DISCORD_TOKEN.") from error
    except discord.ConnectionClosed as error:
        if error.code != 4004:
            raise
        raise BotError("Discord does not accept the token: reset it in the Developer Portal and set YUI_DISCORD_TOKEN.") from error


class Client(discord.Client):
    """One connection. It asks for no privileged intent, so Discord sends it the text of what is addressed to it, and no other."""

    def __init__(self, yui: Yui) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=30,
        )
        self.yui = yui
        self.tree = app_commands.CommandTree(self)
        self._answered: OrderedDict[int, None] = OrderedDict()
        self.interactions = Interactions(self)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Press, tips.Consent)
        commands.add_to(self.tree, self)
        await self.tree.set_translator(commands.Translator())
        self.tree.error(_said_elsewhere)
        try:
            await self._sync()
        except discord.HTTPException as error:
            log.error("Discord refused the commands (status %d); mentions and direct messages are answered", error.status)

    async def _sync(self) -> None:
        """Tell Discord the commands, only when they differ from what it was told last: it allows 200 creations a day."""
        payload = [await c.get_translated_payload(self.tree, commands.Translator()) for c in self.tree.get_commands()]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()
        name = f"discord-commands:{self.application_id}"
        if await self.stored(self.yui.store.mark, name) != digest:
            await self.tree.sync()
            await self.stored(self.yui.store.set_mark, name, digest)

    async def stored(self, call: Any, *args: Any) -> Any:
        return await self.yui.inbox.run(call, *args)

    def person(self, user_id: int) -> str:
        return self.yui.conversations.pseudonym(PLATFORM, str(user_id))

    def conversation(self, channel_id: int | None, user_id: int, guild_id: int | None) -> str:
        """Everybody who sees the replies: a channel or thread; alone with someone, that person."""
        return self.person(user_id) if guild_id is None else self.yui.conversations.pseudonym(PLATFORM, str(channel_id))

    def within(self, channel: object) -> tuple[str, ...]:
        """The channel that a thread belongs to."""
        if not isinstance(channel, discord.Thread):
            return ()
        return (self.yui.conversations.pseudonym(PLATFORM, str(channel.parent_id)),)

    def place(self, channel: object) -> Place | None:
        """What announcements go to once this channel is linked; a forum's post stands for the forum. None in a direct message."""
        if isinstance(channel, discord.Thread) and isinstance(channel.parent, discord.ForumChannel):
            channel = channel.parent
        if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return None
        kinds = {discord.ChannelType.forum: Shape.FORUM, discord.ChannelType.news: Shape.ANNOUNCEMENT}
        conversation = self.yui.conversations.pseudonym(PLATFORM, str(channel.id))
        return Place(conversation, str(channel.id), kinds.get(channel.type, Shape.TEXT).value, channel.name)

    # in

    async def on_ready(self) -> None:
        # It may have been invited while it was away. This can come again, which does no harm.
        for guild in self.guilds:
            await self.on_guild_join(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Introduces itself, once for each server."""
        conversation = self.yui.conversations.pseudonym(PLATFORM, str(guild.id))
        if await self.stored(self.yui.store.knows_group, conversation):
            return
        hello = self.yui.conversations.greeting(group=True, mention=guild.me.mention).text
        first = [guild.system_channel] if guild.system_channel else []
        for channel in [*first, *guild.text_channels]:
            if channel.permissions_for(guild.me).send_messages:
                async with self.refusals():
                    await channel.send(hello)
                    break
        else:
            return  # nowhere to write yet: at the next start
        await self.stored(self.yui.store.joined, PLATFORM, conversation, str(guild.id), self.yui.clock())

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Nothing is kept of a server, nor of any place in it."""
        for place in (guild, *guild.channels, *guild.threads):
            await self.yui.conversations.left(self.yui.conversations.pseudonym(PLATFORM, str(place.id)))

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self.yui.conversations.left(self.yui.conversations.pseudonym(PLATFORM, str(channel.id)))

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot or self.user is None:
            return
        if message.type not in (discord.MessageType.default, discord.MessageType.reply):
            return
        mentioned = self.user.id in message.raw_mentions or self.user in message.mentions
        conversation = self.conversation(message.channel.id, message.author.id, message.guild.id if message.guild else None)
        quotes = await self._quoted(message, conversation)
        addressed = message.guild is None or mentioned or quotes is not None
        self.yui.metrics.received(PLATFORM, addressed=addressed)
        if not addressed or message.id in self._answered:
            return
        remember(self._answered, message.id)
        # What somebody forwards to the bot is what they ask; such a message has no words of its own.
        said: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
        text = rendering.unmentioned("\n".join(part.content for part in said))
        if not text and not mentioned and message.guild is not None:
            # A reply that does not mention the bot: Discord keeps its text back.
            await self._reply_to(message, conversation, self.yui.conversations.unheard())
            return
        incoming = IncomingMessage(
            conversation=conversation,
            text=text,
            sender=self.person(message.author.id),
            group=message.guild is not None,
            platform=PLATFORM,
            quotes=quotes or "",
            unreadable=not text and any(part.attachments or part.stickers for part in said),
            within=self.within(message.channel),
            place=self.place(message.channel),
            id=str(message.id),
        )
        reply = await self.replied(self.yui.conversations.reply_to(incoming))
        log.info("event", extra={"platform": PLATFORM, "kind": "message", "act": reply.act.value if reply else "silent"})
        if reply is not None:
            await self._reply_to(message, conversation, reply)

    async def _quoted(self, message: discord.Message, conversation: str) -> str | None:
        """The answer or announcement this message replies to; None where it replies to nothing of the bot."""
        reference = message.reference
        if reference is None or reference.message_id is None or reference.type is not discord.MessageReferenceType.reply:
            return None
        chats = [conversation, *self.within(message.channel)]  # to a forum's thread an announcement came as to the forum
        found: str | None = await self.stored(self.yui.quoted, PLATFORM, str(reference.message_id), chats)
        return found

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Commands and buttons have found their own way; a form has not, so that one from before a restart is taken too."""
        if (sent := forms.filled_in(interaction)) is None:
            return
        form, told = sent
        if form == forms.TIP:
            await self.interactions.offer(interaction, tips.pieces(told))
        else:
            await self.interactions.answer(interaction, told.get("text", ""), alone=form.endswith(rendering.ALONE))

    # out

    async def replied(self, asked: Awaitable[Reply | None]) -> Reply | None:
        try:
            return await asked
        except Exception as error:
            log.error("a Discord message could not be answered: %s", type(error).__name__)
            return self.yui.conversations.trouble()

    async def _reply_to(self, message: discord.Message, conversation: str, reply: Reply) -> None:
        embeds = quoting = True
        if isinstance(message.channel, discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel):
            allowed = message.channel.permissions_for(message.channel.guild.me)
            thread = isinstance(message.channel, discord.Thread)
            if not (allowed.send_messages_in_threads if thread else allowed.send_messages):
                log.warning("a question came from a Discord channel in which the bot may not write; see `yui doctor`")
                self.yui.metrics.refused(PLATFORM, 403)
                return
            embeds, quoting = allowed.embed_links, allowed.read_message_history
        async with self.refusals():
            for n, page in enumerate(rendering.pages(reply, embeds=embeds)):
                rendered = arguments(page)
                if quoting and not n:
                    rendered |= {"reference": message.to_reference(fail_if_not_exists=False), "mention_author": False}
                # The nonce lets Discord recognise a repetition: the same reply is never there twice.
                sent = await message.channel.send(nonce=nonce(message.id, n), **rendered)
                await self.note(sent.id, conversation, reply)

    async def note(self, message_id: int, conversation: str, reply: Reply) -> None:
        await self.stored(self.yui.store.sent, PLATFORM, conversation, [str(message_id)], reply.answer_id, self.yui.clock())

    @asynccontextmanager
    async def refusals(self) -> AsyncIterator[None]:
        """What Discord refuses is counted and said without its text, and stops nothing else."""
        try:
            yield
        except discord.HTTPException as error:
            self.yui.metrics.refused(PLATFORM, error.status)
            log.warning("Discord refused a message: status %d, code %d", error.status, error.code)
        except (discord.DiscordException, TimeoutError, OSError) as error:
            self.yui.metrics.refused(PLATFORM, 0)
            log.warning("Discord could not be reached: %s", type(error).__name__)

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        log.error("a Discord event (%s) failed", event_method)


async def _said_elsewhere(_: discord.Interaction, error: app_commands.AppCommandError) -> None:
    log.error("a Discord command failed with %s", type(error).__name__)
