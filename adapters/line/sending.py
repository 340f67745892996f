"""Announcements on LINE: free of charge by a reply token; pushed, they cost as many messages of the month as a chat has people."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from adapters.line import announcements, channel
from adapters.line.channel import FRESH, Channel, Refused, Sent, Unreadable
from bot.announcing.senders import Outcome, SenderUnavailable, Sending, Verdict

log = logging.getLogger(__name__)

_MONTHLY_LIMIT = "monthly limit"
_RATE_LIMIT = "rate limit"
_PAUSE = 2.0  # seconds after a 429 of the rate that names no time
_ONE_PERSONS_PAUSE = 3_600.0  # seconds; LINE tells no limit for messages to one person
_NO_TOKEN = "LINE does not accept the channel access token"  # noqa: S105 - a sentence

_REPLIED = {
    channel.Outcome.SENT: (Verdict.SENT, ""),
    channel.Outcome.STALE: (Verdict.STALE, "the reply token was too old"),
    channel.Outcome.UNCERTAIN: (Verdict.UNCERTAIN, "LINE's answer was lost"),
    channel.Outcome.WITHDRAWN: (Verdict.STALE, "the message it was to follow was taken back"),
    channel.Outcome.REFUSED: (Verdict.REFUSED, "LINE refused it"),
}


class Sender:
    """LINE as announcing sees it. It may be called as soon as the channel is open, from the channel's event loop."""

    platform = "line"

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def push(self, sending: Sending) -> Outcome:
        if not await self._channel.connected():
            return Outcome(Verdict.CLOSED, why="LINE is not connected")
        try:
            ids = await self._channel.push(sending.address, announcements.messages(sending.messages), sending.retry_key)
        except Refused as refused:
            return _outcome(refused)
        return Outcome(Verdict.SENT, ids)

    async def reply(self, sendings: Sequence[Sending], reply_token: str) -> Outcome:
        if not await self._channel.connected():
            return Outcome(Verdict.CLOSED, why="LINE is not connected")
        fresh_until = min((s.tried_at or 0.0 for s in sendings), default=0.0) + FRESH
        if time.time() >= fresh_until:  # too old to tell: LINE has the same words for a token that was used
            return replied(Sent(channel.Outcome.UNCERTAIN))
        return replied(await self._channel.reply(reply_token, announcements.of(sendings), fresh_until, perhaps_sent=True))

    async def edit(self, sending: Sending, message_ids: Sequence[str]) -> Outcome:  # noqa: ARG002 - nothing can be edited
        return Outcome(Verdict.UNSUPPORTED, why="LINE edits no message")

    async def people(self, address: str) -> int | None:
        if not await self._channel.connected():
            return None
        try:
            return await self._channel.people(address)
        except (Refused, Unreadable):
            return None

    async def quota(self) -> tuple[int | None, int] | None:
        if not await self._channel.connected():
            raise SenderUnavailable("LINE is not connected")
        try:
            return await self._channel.quota()
        except (Refused, Unreadable) as error:
            raise SenderUnavailable("LINE does not tell the quota now") from error


def replied(sent: Sent) -> Outcome:
    """What became of announcements that went with a reply token."""
    verdict, why = _REPLIED[sent.outcome]
    return Outcome(verdict, sent.message_ids, why=why)


def _outcome(refused: Refused) -> Outcome:
    status, told = refused.status, refused.told.lower()
    if refused.uncertain:
        return Outcome(Verdict.AGAIN, retry_after=refused.retry_after, why=f"LINE did not answer ({status})")
    if status == 429:
        return _limited(refused)
    if status in (401, 403):
        log.error("%s: issue a new one and set YUI_LINE_CHANNEL_ACCESS_TOKEN.", _NO_TOKEN)
        return Outcome(Verdict.CLOSED, why=_NO_TOKEN)
    if status == 404 or (status == 400 and "failed to send" in told):
        return Outcome(Verdict.GONE, why="the account is not in this chat any more")
    return Outcome(Verdict.REFUSED, why=f"LINE refused it ({status})")


def _limited(refused: Refused) -> Outcome:
    """429 has three meanings, told apart by LINE's words."""
    told = refused.told.lower()
    if _MONTHLY_LIMIT in told:
        return Outcome(Verdict.QUOTA, why="the month's messages are used up")
    if _RATE_LIMIT in told or refused.retry_after or not told:
        return Outcome(Verdict.AGAIN, retry_after=refused.retry_after or _PAUSE, why="LINE takes no more calls for now")
    return Outcome(Verdict.AGAIN, retry_after=_ONE_PERSONS_PAUSE, why="LINE takes no more messages to this chat for now")
