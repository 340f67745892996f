"""Received events as rows, so that a crash after the platform has been told "received" loses nothing.

Only what is addressed to the bot gets a row, and its text goes as soon as it has been dealt with. An event is worked on under a
lease; a process that dies leaves it to the next one, one that is stopped gives it back at once. The events of one conversation are
worked on in their order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.store import metadata
from knowledge import Database, StoreUnavailable

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_LEASE = 15.0  # seconds; renewed while the work goes on
_RENEWED = 5.0
_AT_ONCE = 16  # events worked on at the same time; answers are bounded elsewhere, these mostly wait for the platform
_TIDIED = 300.0  # seconds
_LOOKED_FOR = 1.0  # seconds between looks for what another process left
_KEPT = 3 * 24 * 3600.0  # seconds an id is remembered, so that a redelivery is recognised
_LATE_KEPT = 24 * 3600.0  # seconds a late answer waits for the next reply
_ATTEMPTS = 5

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("platform", sa.String(20), primary_key=True),
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("conversation", sa.String(80), nullable=False, index=True),
    sa.Column("sender", sa.String(80), nullable=False, index=True),
    sa.Column("message_id", sa.String(80), nullable=False, index=True),
    sa.Column("happened_at", sa.Float, nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("state", sa.String(10), nullable=False, index=True),
    sa.Column("leased_until", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("tried", sa.Boolean, nullable=False),
    sa.Column("reply_token", sa.String(200), nullable=False),
    sa.Column("payload", sa.JSON),
    sa.Column("late", sa.JSON),
)
WAITING, DONE, LATE, SHOWING = "waiting", "done", "late", "showing"
_A_STATEMENT = 300  # events; each brings two values
# Of what has been dealt with the id stays, and nothing of who and where.
_GONE = {"payload": None, "late": None, "reply_token": "", "sender": "", "conversation": ""}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a platform and wants work. Times are seconds since 1970 by the real clock."""

    platform: str
    id: str
    conversation: str
    happened_at: float
    payload: Mapping[str, Any]
    sender: str = ""
    message_id: str = ""  # what an edit or an unsending names; empty for none
    reply_token: str = ""  # what lets the bot reply, once, for a short while; empty for none
    received_at: float = 0.0
    attempts: int = 0
    tried: bool = False  # a reply has been begun, perhaps by a process that died
    late: Sequence[Any] = field(default_factory=tuple)  # the finished answer that has not been shown yet


class Inbox:
    """The rows and the worker. Methods without `async` are short transactions."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._db = database
        self._now = now
        self._arrived = asyncio.Event()
        # Of its own, so that taking an event in never waits behind answers that are being worked out.
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="inbox")

    async def run(self, call: Callable[..., _T], *args: Any) -> _T:
        """A short transaction without blocking the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *args)

    async def put(self, events: Sequence[Event]) -> int:
        """Keep events before they are acknowledged; those already known are not taken again. Returns how many are new."""
        new = await self.run(self.receive, events)
        self._arrived.set()
        return new

    def close(self) -> None:
        self._pool.shutdown()

    # rows

    def receive(self, events: Sequence[Event]) -> int:
        """Returns how many are new. Raises StoreUnavailable: then nothing of them has been kept."""
        with self._db.write() as c:
            # Hundreds may come in one call. Those of which nothing is known yet need one statement together.
            known = self._known(c, events)
            fresh = [e for e in events if not known & {e.id, e.message_id} - {""}]
            repeated = len({e.id for e in fresh}) < len(fresh) or _share_a_message(fresh)
            if repeated or len(fresh) < len(events):
                return sum(self._receive(c, event) for event in events)
            taken = _insert(c)(inbox).on_conflict_do_nothing().returning(inbox.c.id)
            return len(c.execute(taken, [_row(e, self._now()) for e in fresh]).all()) if fresh else 0

    @staticmethod
    def _known(c: sa.Connection, events: Sequence[Event]) -> set[str]:
        """The ids of events and messages among these that have been seen."""
        found: set[str] = set()
        for start in range(0, len(events), _A_STATEMENT):
            part = events[start : start + _A_STATEMENT]
            ids, messages = [e.id for e in part], [e.message_id for e in part if e.message_id]
            query = sa.select(inbox.c.id, inbox.c.message_id).where(inbox.c.id.in_(ids) | inbox.c.message_id.in_(messages))
            found |= {value for row in c.execute(query) for value in row}
        return found

    def _receive(self, c: sa.Connection, event: Event) -> int:
        now = self._now()
        same = (inbox.c.platform == event.platform) & (inbox.c.id == event.id)
        # The very event again, and nobody has been answered yet: what it brought (a reply token) is fresh again.
        waits = inbox.c.state.in_((WAITING, LATE))
        again = sa.update(inbox).where(same, waits).values(_answerable(event.reply_token, now))
        if c.execute(again).rowcount:
            return 0
        state = WAITING
        if event.message_id:
            of_message = (inbox.c.platform == event.platform) & (inbox.c.message_id == event.message_id) & ~same
            newer = c.scalar(sa.select(sa.func.max(inbox.c.happened_at)).where(of_message))
            if newer is not None and newer > event.happened_at:
                state = DONE  # edited or unsent before it arrived
                lacking = of_message & (inbox.c.state != DONE) & (inbox.c.reply_token == "")
                c.execute(sa.update(inbox).where(lacking).values(_answerable(event.reply_token, now)))
            else:
                c.execute(sa.update(inbox).where(of_message, inbox.c.state != DONE).values(state=DONE, **_GONE))
        row = _row(event, now)
        if state == DONE:
            row |= {"state": DONE, "payload": None, "reply_token": "", "sender": "", "conversation": ""}
        taken = _insert(c)(inbox).values(row).on_conflict_do_nothing().returning(inbox.c.id)
        return int(c.execute(taken).first() is not None)

    def withdraw(self, platform: str, message_id: str, event_id: str, conversation: str, happened_at: float) -> None:
        """A message was taken back: its stored text goes, it is not answered, and it is not taken in if it comes only now."""
        gone = Event(platform, event_id, conversation, happened_at, {}, message_id=message_id)
        with self._db.write() as c:
            self._receive(c, gone)
            mine = (inbox.c.platform == platform) & (inbox.c.message_id == message_id)
            c.execute(sa.update(inbox).where(mine).values(state=DONE, **_GONE))

    def of_message(self, platform: str, message_id: str) -> Event | None:
        """The latest event of a message; its payload is empty once it has been dealt with."""
        query = sa.select(inbox).where(inbox.c.platform == platform, inbox.c.message_id == message_id)
        with self._db.read() as c:
            row = c.execute(query.order_by(inbox.c.happened_at.desc())).first()
        return _event(row) if row else None

    def claim(self, platform: str, most: int) -> list[Event]:
        """Take events under a lease, of each conversation only the earliest that waits."""
        now = self._now()
        earlier = inbox.alias()
        first = ~sa.exists().where(
            earlier.c.conversation == inbox.c.conversation,
            earlier.c.state == WAITING,
            earlier.c.attempts < _ATTEMPTS,
            sa.tuple_(earlier.c.happened_at, earlier.c.id) < sa.tuple_(inbox.c.happened_at, inbox.c.id),
        )
        free = (
            sa.select(inbox.c.platform, inbox.c.id)
            .where(inbox.c.platform == platform, inbox.c.state == WAITING, inbox.c.leased_until < now, first)
            .where(inbox.c.attempts < _ATTEMPTS)
            .order_by(inbox.c.received_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("free")  # PostgreSQL may ask a plain subquery again for each row, and take more than the limit
        )
        # One statement, so that SQLite takes its lock for writing at once.
        take = (
            sa.update(inbox)
            .where(sa.tuple_(inbox.c.platform, inbox.c.id).in_(sa.select(free.c.platform, free.c.id)))
            .values(leased_until=now + _LEASE, attempts=inbox.c.attempts + 1)
            .returning(inbox)
        )
        with self._db.write() as c:
            rows = c.execute(take).all()
        return sorted((_event(row) for row in rows), key=lambda e: e.received_at)

    def extend(self, events: Sequence[Event], lease: float = _LEASE) -> None:
        """`lease`: seconds from now; none gives them back."""
        with self._db.write() as c:
            c.execute(sa.update(inbox).where(_among(events), inbox.c.state == WAITING).values(leased_until=self._now() + lease))

    def trying(self, event: Event, late: Sequence[Event] = ()) -> bool:
        """Noted before a reply is begun: a process that takes the event over then knows of it. `late` travels with it.

        False where the event is no longer to be answered: unsent, edited or dealt with meanwhile.
        """
        mine = (inbox.c.platform == event.platform) & (inbox.c.id == event.id) & (inbox.c.state == WAITING)
        with self._db.write() as c:
            if not c.execute(sa.update(inbox).where(mine).values(tried=True)).rowcount:
                return False
            c.execute(sa.update(inbox).where(_among(late), inbox.c.state == LATE).values(state=SHOWING))
        return True

    def is_waiting(self, event: Event) -> bool:
        """Whether an event is still to be answered."""
        mine = (inbox.c.platform == event.platform) & (inbox.c.id == event.id) & (inbox.c.state == WAITING)
        with self._db.read() as c:
            return c.scalar(sa.select(sa.func.count()).where(mine)) == 1

    def finish(
        self, event: Event, late: Sequence[Any] | None = None, *, shown: Sequence[Event] = (), unshown: Sequence[Event] = ()
    ) -> None:
        """Dealt with: the text goes, the id stays. `late`: an answer that could not be shown any more, for the next reply.

        `shown`: late answers that went out with this one; `unshown`: those that were to, and did not.
        """
        # The text of a late one stays: a redelivered event may still be answered.
        values = {"state": LATE, "late": list(late), "tried": False, "leased_until": 0.0} if late else {"state": DONE, **_GONE}
        mine = (inbox.c.platform == event.platform) & (inbox.c.id == event.id) & (inbox.c.state == WAITING)
        with self._db.write() as c:
            c.execute(sa.update(inbox).where(mine).values(values))
            if shown:
                c.execute(sa.update(inbox).where(_among(shown)).values(state=DONE, **_GONE))
            if unshown:
                c.execute(sa.update(inbox).where(_among(unshown), inbox.c.state == SHOWING).values(state=LATE))

    def late_answers(self, platform: str, conversation: str, most: int) -> list[Event]:
        """Answers that came too late, oldest first."""
        query = (
            sa.select(inbox)
            .where(inbox.c.platform == platform, inbox.c.conversation == conversation, inbox.c.state == LATE)
            .where(inbox.c.received_at > self._now() - _LATE_KEPT)
            .order_by(inbox.c.happened_at)
            .limit(most)
        )
        with self._db.read() as c:
            return [_event(row) for row in c.execute(query).all()]

    def forget(self, person: str) -> None:
        """Late answers to a person go; what still waits for its answer is answered first."""
        mine = (inbox.c.sender == person) | (inbox.c.conversation == person)
        with self._db.write() as c:
            c.execute(sa.update(inbox).where(mine, inbox.c.state.in_((LATE, SHOWING))).values(state=DONE, **_GONE))
        self._db.empty_log()

    def leave(self, conversation: str) -> None:
        """The bot was removed from a chat: nobody there can be answered any more."""
        with self._db.write() as c:
            c.execute(sa.update(inbox).where(inbox.c.conversation == conversation).values(state=DONE, **_GONE))

    def tidy(self) -> None:
        """Forget ids that nobody will send again, and late answers that nobody waits for."""
        now = self._now()
        with self._db.write() as c:
            c.execute(sa.delete(inbox).where(inbox.c.state == DONE, inbox.c.received_at < now - _KEPT))
            c.execute(sa.delete(inbox).where(inbox.c.state.in_((LATE, SHOWING)), inbox.c.received_at < now - _LATE_KEPT))
            # Given up: each time somebody began with it, the process ended.
            stuck = sa.update(inbox).where(inbox.c.state == WAITING, inbox.c.attempts >= _ATTEMPTS, inbox.c.leased_until < now)
            c.execute(stuck.values(state=DONE, **_GONE))
        self._db.empty_log()

    # the worker

    async def work(self, platform: str, deal: Callable[[Event], Awaitable[None]]) -> None:
        """Work events off until cancelled. `deal` finishes its event itself; what it raises is logged by its class alone."""
        running: dict[asyncio.Task[None], Event] = {}
        tidied = renewed = 0.0
        try:
            while True:
                self._arrived.clear()
                now = time.monotonic()
                with contextlib.suppress(StoreUnavailable):
                    if now - tidied > _TIDIED:
                        await self.run(self.tidy)
                        tidied = now
                    if running and now - renewed > _RENEWED:
                        await self.run(self.extend, list(running.values()))
                        renewed = now
                for event in await self._claimed(platform, _AT_ONCE - len(running)):
                    running[asyncio.create_task(self._deal(event, deal), name=f"{platform}-event")] = event
                await self._wait(set(running))
                running = {task: event for task, event in running.items() if not task.done()}
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            with contextlib.suppress(StoreUnavailable):
                await self.run(self.extend, list(running.values()), 0.0)  # the next process need not wait

    async def _claimed(self, platform: str, most: int) -> list[Event]:
        if most <= 0:
            return []
        try:
            return await self.run(self.claim, platform, most)
        except StoreUnavailable as error:
            log.error("Received events wait. %s", error)
            return []

    async def _wait(self, running: set[asyncio.Task[None]]) -> None:
        """Until something arrived or was finished, or it is time to look again."""
        arrival = asyncio.create_task(self._arrived.wait())
        try:
            await asyncio.wait({arrival, *running}, timeout=_LOOKED_FOR, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrival.cancel()

    async def _deal(self, event: Event, deal: Callable[[Event], Awaitable[None]]) -> None:
        try:
            await deal(event)
        except Exception as error:  # one bad event must not stop the others
            log.error("a %s event failed with %s", event.platform, type(error).__name__)
            if event.attempts >= _ATTEMPTS:
                with contextlib.suppress(StoreUnavailable):
                    await self.run(self.finish, event)


def _insert(c: sa.Connection) -> Any:
    return postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert


def _among(events: Sequence[Event]) -> sa.ColumnElement[bool]:
    return sa.tuple_(inbox.c.platform, inbox.c.id).in_([(e.platform, e.id) for e in events])


def _share_a_message(events: Sequence[Event]) -> bool:
    messages = [e.message_id for e in events if e.message_id]
    return len(set(messages)) < len(messages)


def _row(event: Event, now: float) -> dict[str, Any]:
    return {
        "platform": event.platform,
        "id": event.id,
        "conversation": event.conversation,
        "sender": event.sender,
        "message_id": event.message_id,
        "happened_at": event.happened_at,
        "received_at": now,
        "state": WAITING,
        "leased_until": 0.0,
        "attempts": 0,
        "tried": False,
        "reply_token": event.reply_token,
        "payload": dict(event.payload),
    }


def _answerable(reply_token: str, now: float) -> dict[str, Any]:
    """An event gets a fresh way back."""
    return {"reply_token": reply_token, "received_at": now, "state": WAITING, "late": None}


def _event(row: Any) -> Event:
    return Event(
        platform=row.platform,
        id=row.id,
        conversation=row.conversation,
        sender=row.sender,
        message_id=row.message_id,
        happened_at=row.happened_at,
        received_at=row.received_at,
        reply_token=row.reply_token,
        attempts=row.attempts,
        tried=row.tried,
        payload=row.payload or {},
        late=tuple(row.late or ()),
    )
