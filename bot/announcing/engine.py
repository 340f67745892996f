"""The worker: carries out what is due and pushes it, one loop for each platform, until it is cancelled. It may die at any moment.

Everything waits by Yui's clock, so that `--speed` makes a month short; only what the platforms' own time decides (leases, pauses,
tokens) runs by the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from bot.announcing.chats import Chat, Chats
from bot.announcing.deliveries import Deliveries, Delivery
from bot.announcing.ledger import CHARGED, Ledger, month_of
from bot.announcing.schedule import Schedule
from bot.announcing.senders import Outcome, Sender, SenderUnavailable, Sending, Verdict
from bot.announcing.tables import Status
from knowledge import StoreUnavailable

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_AT_ONCE = 16  # calls to one platform at the same time
_LOOKED = 0.5  # seconds between looks for what is due
_GATHERED = 0.01  # seconds in which more calls come back: one transaction for all
_AFTER_TROUBLE = 5.0  # seconds
_LONGEST_CALL = 40.0  # seconds; a lease is longer
_STOPPED_WITHIN = 5.0  # seconds what has been begun may take when everything stops
_QUOTA_ASKED = 600.0  # seconds between questions about the quota while something is to be paid
_PEOPLE_ASKED = 60.0  # seconds until a chat that could not be counted is tried again
_RECOUNTED = dt.timedelta(days=7)  # how old a number may be that only tells what was saved
_COUNTS = 32  # chats counted at a time
_COUNTED_AGAIN = 0.02  # seconds, while there are more of them
_CLOSED = 60.0  # seconds a platform rests that refused the key


class Engine:
    """`senders` are usable while their platforms run."""

    def __init__(
        self, schedule: Schedule, deliveries: Deliveries, ledger: Ledger, chats: Chats, clock: Callable[[], dt.datetime]
    ) -> None:
        self._schedule = schedule
        self._deliveries = deliveries
        self._ledger = ledger
        self._chats = chats
        self._clock = clock

    async def run(self, senders: Sequence[Sender]) -> None:
        """Work until cancelled; then what has been begun may end, and its outcome is kept."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._advance(), name="announcements")
            for sender in senders:
                platform = Platform(sender, self._deliveries, self._ledger, self._chats, self._clock)
                tasks.create_task(platform.work(), name=f"announcements-{sender.platform}")

    async def _advance(self) -> None:
        while True:
            well = await _tried("announcements", self.step)
            await _pause(_LOOKED if well else _AFTER_TROUBLE)

    async def step(self) -> None:
        """Carry out what is due, and close what is over."""
        now = self._clock()
        await asyncio.to_thread(self._deliveries.expire, now)  # first: what it closes may be an announcement's last
        await asyncio.to_thread(self._schedule.advance, now)


class Platform:
    """One platform's deliveries. Calls run side by side; what came of them is kept together, in one transaction."""

    def __init__(
        self,
        sender: Sender,
        deliveries: Deliveries,
        ledger: Ledger,
        chats: Chats,
        clock: Callable[[], dt.datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender
        self._name = sender.platform
        self._monotonic = monotonic
        self._deliveries = deliveries
        self._ledger = ledger
        self._chats = chats
        self._clock = clock
        self._running: dict[asyncio.Task[Outcome], Delivery] = {}
        self._unsettled: list[tuple[Delivery, Outcome]] = []
        self._rests_until = -_CLOSED
        self._quota_asked: tuple[str, float] = ("", -_QUOTA_ASKED)
        self._not_counted: dict[str, float] = {}
        self._more_to_count = False

    async def work(self) -> None:
        preparing = asyncio.create_task(self._keep_prepared())
        try:
            while True:
                well = await _tried(f"announcements on {self._name}", self.step)
                await (self._wait() if well else _pause(_AFTER_TROUBLE))
        finally:
            preparing.cancel()
            await self._stop()

    async def step(self) -> None:
        """Keep what has come back, repeat what was left adrift, and fill the free places."""
        await self._settle()
        if self._monotonic() < self._rests_until:
            return
        await self._recover()
        most = _AT_ONCE - len(self._running)
        but = [d.id for d in self._running.values()]
        found = await self._call(self._deliveries.take_due, self._name, self._clock(), most, but)
        sendings = await self._call(self._deliveries.sendings, found, self._clock()) if found else []
        for delivery, sending in zip(found, sendings, strict=True):
            self._running[asyncio.create_task(self._send(delivery, sending))] = delivery

    async def _send(self, delivery: Delivery, sending: Sending) -> Outcome:
        if delivery.status is Status.EDITING:
            return await self._bounded(self._sender.edit(sending, delivery.message_ids))
        return await self._bounded(self._sender.push(sending))

    async def _bounded(self, call: Any) -> Outcome:
        """A call that may not hang, and never raises: one bad delivery must not stop the others."""
        try:
            async with asyncio.timeout(_LONGEST_CALL):
                outcome: Outcome = await call
                return outcome
        except TimeoutError:
            return Outcome(Verdict.AGAIN, why="time-out")
        except Exception as error:
            log.error("a delivery to %s failed with %s", self._name, type(error).__name__)
            return Outcome(Verdict.AGAIN, why=type(error).__name__)

    async def _settle(self) -> None:
        for task in [t for t in self._running if t.done()]:
            delivery = self._running.pop(task)
            if not task.cancelled():
                self._unsettled.append((delivery, task.result()))
        if not self._unsettled:
            return
        await self._call(self._deliveries.settle, list(self._unsettled), self._clock())
        if any(outcome.verdict is Verdict.CLOSED for _, outcome in self._unsettled):
            log.error("%s does not take the key or is not connected; its announcements wait", self._name)
            self._rests_until = self._monotonic() + _CLOSED
        if any(outcome.verdict is Verdict.QUOTA for _, outcome in self._unsettled):
            self._quota_asked = ("", -_QUOTA_ASKED)
        self._unsettled.clear()

    async def _recover(self) -> None:
        """Replies that a dead process had begun: the token tells whether they were taken."""
        for token, found in await self._call(self._deliveries.adrift, self._name):
            sendings = await self._call(self._deliveries.sendings, found, self._clock())
            outcome = await self._bounded(self._sender.reply(sendings, token))
            if outcome.verdict is Verdict.UNSUPPORTED:
                outcome = Outcome(Verdict.UNCERTAIN, why="token")
            await self._call(self._deliveries.rode, [d.id for d in found], outcome, self._clock())

    # what paying wants to know before

    async def _keep_prepared(self) -> None:
        """Beside the calls that push: nothing is paid for before it has been counted, and what has been need not wait."""
        while self._name in CHARGED:
            well = await _tried(f"counting people on {self._name}", self.prepare)
            await _pause(_AFTER_TROUBLE if not well else _COUNTED_AGAIN if self._more_to_count else _LOOKED)

    async def prepare(self) -> None:
        """Ask the platform for its quota and for the people of chats that a push is due in."""
        if self._name not in CHARGED or self._monotonic() < self._rests_until:
            return
        now, at = self._clock(), self._monotonic()
        if await self._call(self._deliveries.next_due, self._name, now):
            month, asked = self._quota_asked
            if month != month_of(now) or at - asked > _QUOTA_ASKED:
                await self._ask_quota(month_of(now))
            await self._count(await self._call(self._deliveries.to_count, self._name, now, _COUNTS))
        else:
            stale = await self._call(self._chats.uncounted, self._name, now - _RECOUNTED, _COUNTS)
            await self._count(stale)

    async def _ask_quota(self, month: str) -> None:
        """Before it is asked what has been charged is read, so that whatever the platform counts beyond that is others'."""
        before = await self._call(self._ledger.charged, month)
        self._quota_asked = (month, self._monotonic() - _QUOTA_ASKED + _PEOPLE_ASKED)  # after a failure sooner
        try:
            async with asyncio.timeout(_LONGEST_CALL):
                told = await self._sender.quota()
        except (SenderUnavailable, TimeoutError):
            log.warning("%s does not tell its quota; nothing is paid until it has told this month's once", self._name)
            return
        if month_of(self._clock()) != month:
            return  # it may have told the old month's
        allowed, used = told or (None, 0)
        await self._call(self._ledger.told, month, allowed, used, before)
        self._quota_asked = (month, self._monotonic())

    async def _count(self, found: Sequence[Chat]) -> None:
        """Ask how many people are in some chats."""
        now = self._monotonic()
        self._not_counted = {k: v for k, v in self._not_counted.items() if v > now}
        wanted = [chat for chat in found if chat.conversation not in self._not_counted][:_COUNTS]
        self._more_to_count = len(wanted) == _COUNTS
        told = dict(zip((chat.conversation for chat in wanted), await asyncio.gather(*map(self._people, wanted)), strict=True))
        self._not_counted |= {conversation: now + _PEOPLE_ASKED for conversation, people in told.items() if people is None}
        if told:
            await self._call(self._chats.counted, {c: people for c, people in told.items() if people is not None})

    async def _people(self, chat: Chat) -> int | None:
        try:
            async with asyncio.timeout(_LONGEST_CALL):
                return await self._sender.people(chat.address)
        except Exception as error:
            log.warning("%s does not tell how many people a chat has: %s", self._name, type(error).__name__)
            return None

    # waiting and stopping

    async def _wait(self) -> None:
        """Until a call has come back, or it is time to look again."""
        if self._running:
            await asyncio.wait(self._running, timeout=_LOOKED, return_when=asyncio.FIRST_COMPLETED)
            await _pause(_GATHERED)
        else:
            await _pause(_LOOKED)

    async def _stop(self) -> None:
        """What was begun may end; what does not is repeated under the same key by the next process."""
        if self._running:
            await asyncio.wait(self._running, timeout=_STOPPED_WITHIN)
        for task in self._running:
            task.cancel()
        with contextlib.suppress(StoreUnavailable):
            await self._settle()

    async def _call(self, call: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.to_thread(call, *args)


async def _pause(seconds: float) -> None:
    """What is due is found in rows, which another process may have written: there is no event to wait for."""
    await asyncio.sleep(seconds)


async def _tried(what: str, step: Callable[[], Awaitable[None]]) -> bool:
    """Whether a step went well. What did not is tried again: the database's trouble is told, anything else by its class alone."""
    try:
        await step()
        return True
    except StoreUnavailable as error:
        log.error("%s wait. %s", what, error)
    except Exception as error:
        log.error("%s wait: %s", what, type(error).__name__)
    return False
