"""Announcements that leave with the reply token of a message, and so cost nothing.

Of the message itself nothing is looked at: that one came is all that matters.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.line import announcements
from adapters.line.channel import FRESH, Channel, Sent
from adapters.line.rendering import MOST_MESSAGES
from adapters.line.sending import replied
from bot.announcing.deliveries import Deliveries, Delivery
from bot.errors import StoreUnavailable

log = logging.getLogger(__name__)

_AT_ONCE = 64  # chats; in another one the next message will do


@dataclass(frozen=True, slots=True)
class Riders:
    """What goes with one reply. `tried`: an earlier call with this token may have been taken."""

    deliveries: Sequence[Delivery] = ()
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tried(self) -> bool:
        return any(delivery.tried for delivery in self.deliveries)


class Rides:
    def __init__(
        self,
        deliveries: Deliveries,
        channel: Channel,
        run: Callable[..., Awaitable[Any]],
        clock: Callable[[], datetime],
    ) -> None:
        """`run` does a short transaction beside the event loop."""
        self._deliveries = deliveries
        self._channel = channel
        self._run = run
        self._clock = clock
        self._riding: dict[str, asyncio.Task[None]] = {}  # by conversation

    def offer(self, conversation: str, reply_token: str) -> None:
        """Nobody answers this message: its token carries what waits for the chat. Returns at once."""
        if not reply_token or not self._channel.is_open or conversation in self._riding or len(self._riding) >= _AT_ONCE:
            return
        task = asyncio.create_task(self._alone(conversation, reply_token), name="line-ride")
        self._riding[conversation] = task
        task.add_done_callback(lambda _: self._riding.pop(conversation))

    async def behind(self, conversation: str, reply_token: str, room: int, *, tried: bool) -> Riders:
        """What goes behind an answer with so many messages left in its call. `tried`: the call may have been taken before."""
        try:
            return await self._taken(conversation, reply_token, room, behind_answer=True, begun_only=tried)
        except StoreUnavailable as error:
            log.error("An announcement waits. %s", error)
            return Riders()

    async def settle(self, riders: Riders, sent: Sent) -> None:
        """Keep what came of the reply they went with. Each has the ids of its own messages."""
        if not riders.deliveries:
            return
        own = Sent(sent.outcome, sent.message_ids[-len(riders.messages) :], sent.request_id)
        ids = [delivery.id for delivery in riders.deliveries]
        await self._run(self._deliveries.rode, ids, replied(own), self._clock())
        log.info("ride", extra={"platform": "line", "outcome": sent.outcome.value, "request": sent.request_id})

    async def stop(self) -> None:
        riding = list(self._riding.values())
        for task in riding:
            task.cancel()
        await asyncio.gather(*riding, return_exceptions=True)

    async def _alone(self, conversation: str, reply_token: str) -> None:
        fresh_until = time.time() + FRESH
        try:
            riders = await self._taken(conversation, reply_token, MOST_MESSAGES)
            if riders.deliveries:
                sent = await self._channel.reply(reply_token, riders.messages, fresh_until, perhaps_sent=riders.tried)
                await self.settle(riders, sent)
        except StoreUnavailable as error:
            log.error("An announcement waits. %s", error)
        except Exception as error:  # the class alone: nothing of a message may reach the log
            log.error("an announcement could not ride: %s", type(error).__name__)

    async def _taken(self, conversation: str, reply_token: str, room: int, **how: bool) -> Riders:
        most = min(room, max(room // announcements.OBJECTS, 1))

        def take() -> Riders:
            now = self._clock()
            found = self._deliveries.ride(conversation, reply_token, now, most, **how)
            return Riders(found, announcements.of(self._deliveries.sendings(found, now), room)) if found else Riders()

        riders: Riders = await self._run(take)
        return riders
