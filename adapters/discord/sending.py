"""Announcements on Discord: text, announcement and forum channels.

Before anything is written a second time, what stands there is looked for: a nonce is remembered for minutes only, and a crosspost
may have to wait for an hour.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.discord import announcements
from adapters.discord.rest import Refused, Rest
from bot.announcing.senders import Outcome, OutgoingMessage, Sending, Shape, Verdict
from bot.splitting import shorten

log = logging.getLogger(__name__)

_TAG = "お知らせ"  # is taken where a forum has it
_REQUIRES_TAG = 1 << 4
_LONGEST_TITLE = 100
_LOOKED_BACK = 100  # messages
_REMEMBERED = 10_000  # deliveries
_A_WEEK = 10_080  # minutes until a thread is archived
_PAUSE = 2.0  # seconds
_DONE_ALREADY, _ARCHIVED, _NO_PERMISSION = 40033, 50083, 50013
_GONE = {
    10003: "the channel was deleted",
    10004: "the bot is not in the server any more",
    10008: "the message was deleted",
    50001: "the bot does not see the channel",
    _NO_PERMISSION: "the bot may not write in the channel",
}
_NO_SUCH_TAG, _WANTS_TAG = 10087, 40067
_NO_TOKEN = "Discord does not accept the token"  # noqa: S105 - a sentence


class Sender:
    """Discord as announcing sees it. Nothing is charged there."""

    platform = "discord"

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._begun: OrderedDict[str, None] = OrderedDict()  # nonces

    async def push(self, sending: Sending) -> Outcome:
        if not await self._rest.connected():
            return Outcome(Verdict.CLOSED, why="Discord is not connected")
        try:
            if sending.shape is Shape.FORUM:
                return _sent(await self._posted(sending))
            ids = await self._written(sending.address, sending, await self._standing(sending))
            return await self._crossposted(sending.address, ids) if sending.shape is Shape.ANNOUNCEMENT else _sent(ids)
        except Refused as refused:
            return _outcome(refused)
        finally:
            self._begun[sending.nonce] = None
            if len(self._begun) > _REMEMBERED:
                self._begun.popitem(last=False)

    async def reply(self, sendings: Sequence[Sending], reply_token: str) -> Outcome:  # noqa: ARG002
        return Outcome(Verdict.UNSUPPORTED, why="Discord has no reply tokens")

    async def edit(self, sending: Sending, message_ids: Sequence[str]) -> Outcome:
        """The same messages with other words; those there are too many of go."""
        if not await self._rest.connected():
            return Outcome(Verdict.CLOSED, why="Discord is not connected")
        channel = message_ids[0] if sending.shape is Shape.FORUM and message_ids else sending.address
        try:
            for n, (message_id, message) in enumerate(zip(message_ids, sending.messages, strict=False)):
                await self._changed(channel, message_id, message, announcements.mark(announcements.nonce(sending.nonce, n)))
            for message_id in message_ids[len(sending.messages) :]:
                await self._rest.call("DELETE", f"/channels/{channel}/messages/{message_id}")
        except Refused as refused:
            return _outcome(refused)
        return Outcome(Verdict.SENT, tuple(message_ids[: len(sending.messages)]))

    async def people(self, address: str) -> int | None:  # noqa: ARG002 - nothing is charged
        return None

    async def quota(self) -> tuple[int | None, int] | None:
        return None

    def _tried(self, sending: Sending) -> bool:
        return sending.tried_at is not None or sending.nonce in self._begun

    # messages

    async def _written(self, channel: str, sending: Sending, standing: Mapping[int, str]) -> tuple[str, ...]:
        """Write what does not stand in the channel yet. Returns the ids of all of it."""
        ids = []
        for n, message in enumerate(sending.messages):
            name = announcements.nonce(sending.nonce, n)
            mark = announcements.mark(name)
            ids.append(standing.get(mark) or await self._wrote(channel, name, message, mark))
        return tuple(ids)

    async def _wrote(self, channel: str, name: str, message: OutgoingMessage, mark: int) -> str:
        once = {"nonce": name, "enforce_nonce": True}
        path = f"/channels/{channel}/messages"
        try:
            made = await self._rest.call("POST", path, announcements.body(message, mark) | once)
        except Refused as refused:
            if refused.code != _NO_PERMISSION:
                raise
            # Perhaps it may write, and not embed.
            made = await self._rest.call("POST", path, announcements.body(message, mark, embeds=False) | once)
        return str(made["id"])

    async def _standing(self, sending: Sending, channel: str = "") -> dict[int, str]:
        """The messages of this delivery that an earlier call has left in the channel (else the address), by their marks."""
        if not self._tried(sending):
            return {}
        wanted = {announcements.mark(announcements.nonce(sending.nonce, n)) for n in range(len(sending.messages))}
        try:
            found = await self._rest.call("GET", f"/channels/{channel or sending.address}/messages?limit={_LOOKED_BACK}")
        except Refused as refused:
            if refused.code not in (_NO_PERMISSION, 50001):
                raise
            return {}  # it may write there and not read: then the nonce alone
        return {mark: str(m["id"]) for m in found or () if (mark := announcements.marked(m)) in wanted}

    async def _changed(self, channel: str, message_id: str, message: OutgoingMessage, mark: int) -> None:
        path, body = f"/channels/{channel}/messages/{message_id}", announcements.body(message, mark)
        try:
            await self._rest.call("PATCH", path, body)
        except Refused as refused:
            if refused.code != _ARCHIVED:
                raise
            await self._rest.call("PATCH", f"/channels/{channel}", {"archived": False})
            await self._rest.call("PATCH", path, body)

    async def _crossposted(self, channel: str, ids: tuple[str, ...]) -> Outcome:
        """Published to the channels that follow this one. What cannot be published stands there all the same."""
        for message_id in ids:
            try:
                await self._rest.call("POST", f"/channels/{channel}/messages/{message_id}/crosspost")
            except Refused as refused:
                if refused.code == _DONE_ALREADY:
                    continue
                outcome = _outcome(refused)
                if outcome.verdict in (Verdict.AGAIN, Verdict.CLOSED):
                    return Outcome(outcome.verdict, ids, outcome.retry_after, "it stands there and is still to be published")
                return Outcome(Verdict.SENT, ids, why="it stands there; Discord does not publish it to the followers")
        return _sent(ids)

    # forums

    async def _posted(self, sending: Sending) -> tuple[str, ...]:
        """A thread under the title. Its first message has the thread's id."""
        forum = await self._rest.call("GET", f"/channels/{sending.address}")
        name = shorten(sending.title.strip() or sending.messages[0].text.split("\n")[0], _LONGEST_TITLE)
        mark = announcements.mark(announcements.nonce(sending.nonce, 0))
        thread = await self._thread(forum, name, mark) if self._tried(sending) else ""
        thread = thread or await self._opened(forum, name, sending.messages[0], mark)
        if len(sending.messages) == 1:
            return (thread,)
        standing = await self._standing(sending, thread) | {mark: thread}
        return await self._written(thread, sending, standing)

    async def _thread(self, forum: Mapping[str, Any], name: str, mark: int) -> str:
        """The thread an earlier call has opened; "" for none."""
        active = await self._rest.call("GET", f"/guilds/{forum['guild_id']}/threads/active")
        same = [t["id"] for t in active["threads"] if t.get("parent_id") == forum["id"] and t.get("name") == name]
        for thread in same:
            try:
                opening = await self._rest.call("GET", f"/channels/{thread}/messages/{thread}")
            except Refused as refused:
                if refused.code not in _GONE:
                    raise
                continue
            if announcements.marked(opening) == mark:
                return str(thread)
        return ""

    async def _opened(self, forum: Mapping[str, Any], name: str, message: OutgoingMessage, mark: int) -> str:
        body = {"name": name, "auto_archive_duration": _A_WEEK, "message": announcements.body(message, mark)}
        tags = [t for t in forum.get("available_tags") or () if not t.get("moderated")]
        chosen = [t["id"] for t in tags if t.get("name") == _TAG]
        if not chosen and forum.get("flags", 0) & _REQUIRES_TAG:
            chosen = [t["id"] for t in tags[:1]]
        return str((await self._rest.call("POST", f"/channels/{forum['id']}/threads", body | {"applied_tags": chosen}))["id"])


def _sent(ids: tuple[str, ...]) -> Outcome:
    return Outcome(Verdict.SENT, ids)


def _outcome(refused: Refused) -> Outcome:
    if refused.status == 429 or refused.status == 0 or refused.status >= 500:
        return Outcome(Verdict.AGAIN, retry_after=refused.retry_after, why=f"Discord takes nothing just now ({refused.status})")
    if refused.status == 401:
        log.error("%s: reset it in the Developer Portal and set YUI_DISCORD_TOKEN.", _NO_TOKEN)
        return Outcome(Verdict.CLOSED, why=_NO_TOKEN)
    if refused.code in _GONE:
        return Outcome(Verdict.GONE, why=_GONE[refused.code])
    if refused.code == _NO_SUCH_TAG:  # removed since the forum was looked at
        return Outcome(Verdict.AGAIN, retry_after=_PAUSE, why="the forum's tags have changed")
    if refused.code == _WANTS_TAG:
        return Outcome(Verdict.REFUSED, why="the forum wants a tag and has none the bot may use")
    return Outcome(Verdict.REFUSED, why=f"Discord refused it ({refused.status}, {refused.code})")
