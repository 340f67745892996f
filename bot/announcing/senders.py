"""What announcing asks of a platform: send once, edit, count people, tell the quota. Adapters implement it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.messages import Choice


class Verdict(StrEnum):
    """What became of one call."""

    SENT = "sent"  # taken, now or by an earlier call with the same key
    AGAIN = "again"  # 429 of the rate, 5xx, no connection, a time-out: repeat with the same key, not before `retry_after`
    QUOTA = "quota"  # the month's quota is used up: not taken, not repeated
    GONE = "gone"  # the chat was left, blocked or deleted
    REFUSED = "refused"  # will never be taken; `why` says what the platform dislikes
    UNCERTAIN = "uncertain"  # perhaps shown, and no call can tell any more (a reply token that is too old)
    STALE = "stale"  # surely not shown, and this way is closed: a reply token that was never taken is too old
    CLOSED = "closed"  # this key, token or connection does not work at all (401, not connected): nothing of this delivery's doing
    UNSUPPORTED = "unsupported"  # the platform has no such thing: LINE edits nothing


class Shape(StrEnum):
    """What kind of place a delivery goes to."""

    CHAT = "chat"  # a LINE group, room or friend
    TEXT = "text"  # a Discord text channel
    ANNOUNCEMENT = "announcement"  # a Discord announcement channel: sent, then crossposted
    FORUM = "forum"  # a Discord forum: a thread of its own, under `Sending.title`


@dataclass(frozen=True, slots=True)
class LinkButton:
    label: str  # at most 20 characters
    address: str  # http(s), no private host


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message, before any platform. `picture`: an https address; `links` open, `choices` talk to the bot (「くわしく」)."""

    text: str
    picture: str = ""
    links: tuple[LinkButton, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Sending:
    """One delivery as a platform gets it. Every repetition carries the same `retry_key` and `nonce`."""

    id: str  # of the delivery
    address: str  # the platform's own id of the chat
    shape: Shape
    messages: tuple[OutgoingMessage, ...]
    retry_key: str = ""  # a UUID, 8-4-4-4-12
    nonce: str = ""  # at most 25 characters
    title: str = ""  # at most 100 characters
    tried_at: float | None = None  # seconds since 1970: the first attempt whose outcome is not known; None: surely never sent


@dataclass(frozen=True, slots=True)
class Outcome:
    """`retry_after`: seconds, by the real clock. `why`: for the report, never what a member wrote."""

    verdict: Verdict
    message_ids: tuple[str, ...] = ()
    retry_after: float = 0.0
    why: str = ""


class Sender(Protocol):
    """One platform. No call raises for what the platform answers: that is the outcome's."""

    @property
    def platform(self) -> str: ...

    async def push(self, sending: Sending) -> Outcome:
        """Send it. Called again with the same retry key it is not shown a second time."""
        ...

    async def reply(self, sendings: Sequence[Sending], reply_token: str) -> Outcome:
        """Repeat what a dead process had begun with this token: all of it in one call. UNSUPPORTED where there are no tokens.

        That the token has been used means that the first call was taken: SENT.
        """
        ...

    async def edit(self, sending: Sending, message_ids: Sequence[str]) -> Outcome:
        """Put other words into what was sent; UNSUPPORTED where that cannot be."""
        ...

    async def people(self, address: str) -> int | None:
        """How many people a push to this chat is charged for; None where it is not known just now."""
        ...

    async def quota(self) -> tuple[int | None, int] | None:
        """Messages allowed this month (None: no limit) and used, as the platform counts; None where nothing is charged.

        Raises SenderUnavailable where the platform does not say just now.
        """
        ...


class SenderUnavailable(Exception):
    """The platform does not answer a question now."""
