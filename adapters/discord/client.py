"""The bot on Discord: what comes in over the gateway, what goes out as replies."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord import app_commands

from adapters.discord import rendering
from bot.bootstrap import Yui
from bot.errors import BotError
from bot.messages import IncomingMessage, Reply

log = logging.getLogger(__name__)

PLATFORM = "discord"
_MENTION = re.compile(r"<@[!&]?\d+>")
_REMEMBERED = 1_000  # ids of what has been answered, should the gateway send it again
_UNKNOWN_INTERACTION, _ANSWERED_ALREADY = 10062, 40060

# Default names are English; Japanese clients see the Japanese ones.
_JAPANESE = {
    "ask": "質問",
    "question": "内容",
    "Ask about worker co-operatives": "労働者協同組合のことを聞く",
    "What do you want to know?": "聞きたいことを、ふつうの言葉で",
}


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

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Press)
        self.tree.add_command(_ask_command(self))
        await self.tree.set_translator(_Translator())
        self.tree.error(_said_elsewhere)
        try:
            await self._sync()
        except discord.HTTPException as error:
            log.error("Discord refused the commands (status %d); mentions and direct messages are answered", error.status)

    async def _sync(self) -> None:
        """Tell Discord the commands, only when they differ from what it was told last: it allows 200 creations a day."""
        payload = [await c.get_translated_payload(self.tree, _Translator()) for c in self.tree.get_commands()]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()
        name = f"discord-commands:{self.application_id}"
        if await self._stored(self.yui.store.mark, name) != digest:
            await self.tree.sync()
            await self._stored(self.yui.store.set_mark, name, digest)

    async def _stored(self, call: Any, *args: Any) -> Any:
        return await self.yui.inbox.run(call, *args)

    def person(self, user_id: int) -> str:
        return self.yui.conversations.pseudonym(PLATFORM, str(user_id))

    def conversation(self, channel_id: int | None, user_id: int, guild_id: int | None) -> str:
        """Everybody who sees the replies: a channel or thread; alone with someone, that person."""
        return self.person(user_id) if guild_id is None else self.yui.conversations.pseudonym(PLATFORM, str(channel_id))

    # in

    async def on_ready(self) -> None:
        # It may have been invited while it was away. This can come again, which does no harm.
        for guild in self.guilds:
            await self.on_guild_join(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Introduces itself, once for each server."""
        conversation = self.yui.conversations.pseudonym(PLATFORM, str(guild.id))
        if await self._stored(self.yui.store.knows_group, conversation):
            return
        hello = self.yui.conversations.greeting(group=True, mention=guild.me.mention).text
        first = [guild.system_channel] if guild.system_channel else []
        for channel in [*first, *guild.text_channels]:
            if channel.permissions_for(guild.me).send_messages:
                async with self._refusals():
                    await channel.send(hello)
                    break
        else:
            return  # nowhere to write yet: at the next start
        await self._stored(self.yui.store.joined, PLATFORM, conversation, str(guild.id), self.yui.clock())

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        conversation = self.yui.conversations.pseudonym(PLATFORM, str(guild.id))
        await self._stored(self.yui.store.left, conversation)

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot or self.user is None:
            return
        if message.type not in (discord.MessageType.default, discord.MessageType.reply):
            return
        mentioned = self.user.id in message.raw_mentions or self.user in message.mentions
        quotes = await self._quoted(message)
        addressed = message.guild is None or mentioned or quotes is not None
        self.yui.metrics.received(PLATFORM, addressed=addressed)
        if not addressed or message.id in self._answered:
            return
        self._remember(message.id)
        text = _MENTION.sub("", message.content).strip()
        conversation = self.conversation(message.channel.id, message.author.id, message.guild.id if message.guild else None)
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
            unreadable=not text and bool(message.attachments or message.stickers),
        )
        reply = await self._replied(self.yui.conversations.reply_to(incoming))
        log.info("event", extra={"platform": PLATFORM, "kind": "message", "act": reply.act.value if reply else "silent"})
        if reply is not None:
            await self._reply_to(message, conversation, reply)

    async def _quoted(self, message: discord.Message) -> str | None:
        """The answer this message replies to; None where it replies to nothing of the bot."""
        reference = message.reference
        if reference is None or reference.message_id is None or reference.type is not discord.MessageReferenceType.reply:
            return None
        found: str | None = await self._stored(self.yui.store.answer_of, PLATFORM, str(reference.message_id))
        return found

    def _remember(self, message_id: int) -> None:
        self._answered[message_id] = None
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)

    async def answer(self, interaction: discord.Interaction, text: str) -> None:
        """A command or a button that asks something: "thinking" at once, then the answer, seen by all."""
        self.yui.metrics.received(PLATFORM, addressed=True)
        in_time = await self._deferred(interaction, ephemeral=False)
        pressed = interaction.message  # a button goes on from the very answer it stands under, however old
        quotes = await self._stored(self.yui.store.answer_of, PLATFORM, str(pressed.id)) if pressed else None
        conversation = self.conversation(interaction.channel_id, interaction.user.id, interaction.guild_id)
        incoming = IncomingMessage(
            conversation=conversation,
            text=text,
            sender=self.person(interaction.user.id),
            group=interaction.guild_id is not None,
            platform=PLATFORM,
            quotes=quotes or "",
        )
        reply = await self._replied(self.yui.conversations.reply_to(incoming))
        log.info("event", extra={"platform": PLATFORM, "kind": "interaction", "act": reply.act.value if reply else "silent"})
        if reply is None:
            return
        rendered = _message(reply, embeds=interaction.app_permissions.embed_links)
        async with self._refusals():
            if in_time:
                # An edit can be repeated after a lost answer without a second message; a follow-up could not.
                sent: discord.Message = await interaction.edit_original_response(**rendered)
            elif isinstance(interaction.channel, discord.abc.Messageable) and interaction.app_permissions.send_messages:
                sent = await interaction.channel.send(nonce=str(interaction.id), **rendered)
            else:
                return
            await self._note(sent.id, conversation, reply)

    async def rated(self, interaction: discord.Interaction, signed: str, *, helpful: bool) -> None:
        """A rating is between the person and the bot: only they see the thanks."""
        self.yui.metrics.received(PLATFORM, addressed=True)
        if await self._deferred(interaction, ephemeral=True):
            rating = self.yui.conversations.thank_for_rating(signed, self.person(interaction.user.id), helpful=helpful)
            reply = await self._replied(rating)
            if reply is not None:
                async with self._refusals():
                    await interaction.edit_original_response(content=rendering.plain(reply))

    # out

    async def _replied(self, asked: Awaitable[Reply | None]) -> Reply | None:
        try:
            return await asked
        except Exception as error:
            log.error("a Discord message could not be answered: %s", type(error).__name__)
            return self.yui.conversations.trouble()

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
            self.yui.metrics.refused(PLATFORM, status)
            if code == _UNKNOWN_INTERACTION:
                self.yui.metrics.late(PLATFORM)
            log.warning("Discord no longer waits for an answer (%d)", code)
            return False
        return True

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
        async with self._refusals():
            # The nonce lets Discord recognise a repetition: the same reply is never there twice.
            rendered = _message(reply, embeds=embeds)
            if quoting:
                rendered |= {"reference": message.to_reference(fail_if_not_exists=False), "mention_author": False}
            sent = await message.channel.send(nonce=str(message.id), **rendered)
            await self._note(sent.id, conversation, reply)

    async def _note(self, message_id: int, conversation: str, reply: Reply) -> None:
        await self._stored(self.yui.store.sent, PLATFORM, conversation, [str(message_id)], reply.answer_id, self.yui.clock())

    @asynccontextmanager
    async def _refusals(self) -> AsyncIterator[None]:
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


class Press(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"yui:(?P<what>say|up|down):(?P<data>.{1,90})"):
    """A button whose meaning stands in its id, so that it works after a restart too."""

    def __init__(self, button: rendering.Button) -> None:
        styles = {rendering.SAY: discord.ButtonStyle.primary}
        style = styles.get(button.what, discord.ButtonStyle.secondary)
        super().__init__(
            discord.ui.Button(label=button.label, style=style, custom_id=f"yui:{button.what}:{button.data}"),
        )
        self.button = button

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction, item: Any, match: re.Match[str], /) -> Press:
        return cls(rendering.Button(item.label or "", match["what"], match["data"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        client = interaction.client
        assert isinstance(client, Client)  # noqa: S101 - only this client registers it
        if self.button.what == rendering.SAY:
            await client.answer(interaction, self.button.data)
        else:
            await client.rated(interaction, self.button.data, helpful=self.button.what == rendering.UP)


class _Translator(app_commands.Translator):
    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, _: app_commands.TranslationContextTypes
    ) -> str | None:
        return _JAPANESE.get(string.message) if locale is discord.Locale.japanese else None


def _ask_command(client: Client) -> app_commands.Command[Any, Any, Any]:
    @app_commands.command(name="ask", description="Ask about worker co-operatives")
    @app_commands.describe(question="What do you want to know?")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def ask(interaction: discord.Interaction, question: app_commands.Range[str, 1, 1_000]) -> None:
        await client.answer(interaction, question)

    return ask


async def _said_elsewhere(_: discord.Interaction, error: app_commands.AppCommandError) -> None:
    log.error("a Discord command failed with %s", type(error).__name__)


def _message(reply: Reply, *, embeds: bool) -> dict[str, Any]:
    """The arguments of `send`."""
    shown = rendering.embed(reply) if embeds else None
    found: dict[str, Any] = {"embed": shown} if shown else {"content": rendering.plain(reply)}
    if pressed := rendering.buttons(reply):
        view = discord.ui.View(timeout=None)
        for button in pressed:
            view.add_item(Press(button))
        view.stop()  # presses are found by their ids; nothing has to be remembered
        found["view"] = view
    return found
