"""What `yui doctor` looks at for Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import discord

from bot.channels import Finding

# View channels, send messages, embed links, read message history, send messages in threads: what the set-up guide asks for.
PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, embed_links=True, read_message_history=True, send_messages_in_threads=True
)
_MOST_CHANNELS = 5  # named in one finding


async def examine(token: str) -> AsyncIterator[Finding]:
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            await client.login(token)
            application = await client.application_info()
        except discord.LoginFailure:
            remedy = "Reset the token in the Developer Portal (Bot) and set YUI_DISCORD_TOKEN."
            yield Finding("Discord token", False, "Discord does not accept the token", remedy)
            return
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError):
            yield Finding("Discord token", False, "Discord does not answer", "Check the internet connection, and try again later.")
            return
        yield Finding("Discord token", True, f"accepted, for the application {application.name} ({application.id})")
        yield _intents(application)
        invite = discord.utils.oauth_url(application.id, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))
        try:
            guilds = [guild async for guild in client.fetch_guilds(with_counts=False)]
            if not guilds:
                yield Finding("Discord servers", False, "in no server yet", f"Open this address and choose a server: {invite}")
            for guild in guilds:
                yield await _permissions(client, guild.id, invite)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError):
            yield Finding("Discord servers", False, "Discord does not tell the servers", "Try again later.")


def _intents(application: discord.AppInfo) -> Finding:
    flags = application.flags
    wide = flags.gateway_message_content or flags.gateway_message_content_limited
    told = "the message content intent is on, and not needed" if wide else "no privileged intent is on, and none is needed"
    return Finding("Discord intents", True, told, "Switch Message Content Intent off in the Developer Portal." if wide else "")


async def _permissions(client: discord.Client, guild_id: int, invite: str) -> Finding:
    guild = await client.fetch_guild(guild_id)
    assert client.user  # noqa: S101 - set by login
    me = await guild.fetch_member(client.user.id)
    missing = [name for name, value in PERMISSIONS if value and not getattr(me.guild_permissions, name)]
    name = f"Discord server {guild.name}"
    if missing:
        return Finding(name, False, f"these permissions are missing: {', '.join(missing)}", f"Invite it again: {invite}")
    channels = [c for c in await guild.fetch_channels() if isinstance(c, discord.TextChannel | discord.ForumChannel)]
    wanted = {n for n, value in PERMISSIONS if value}
    closed = {c.name: sorted(n for n in wanted if not getattr(c.permissions_for(me), n)) for c in channels}
    if told := [f"#{channel} ({', '.join(lacks)})" for channel, lacks in closed.items() if lacks]:
        listed = "; ".join(told[:_MOST_CHANNELS]) + ("…" if len(told) > _MOST_CHANNELS else "")
        remedy = "Where answers or announcements are wanted, allow it in the channel."
        return Finding(name, True, f"allowed in the server, but in some channels something is missing: {listed}", remedy)
    if tagless := [f"#{c.name}" for c in channels if isinstance(c, discord.ForumChannel) and _lacks_a_tag(c)]:
        listed = ", ".join(tagless[:_MOST_CHANNELS])
        remedy = "These forums want a tag: add one that everybody may use, such as お知らせ."
        return Finding(name, True, f"everything is allowed, but no announcement can be posted in {listed}", remedy)
    return Finding(name, True, "everything it needs is allowed")


def _lacks_a_tag(forum: discord.ForumChannel) -> bool:
    """Whether it wants a tag and has none for the bot."""
    return forum.flags.require_tag and all(tag.moderated for tag in forum.available_tags)
