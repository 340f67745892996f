"""One row for each chat an announcement goes to: taken with a lease, tried, settled once.

A delivery is pushed under one retry key for all its attempts, or it rides on a reply token: never both, for a row whose outcome is
not known keeps to the way it was tried. Leases, pauses and the ages of keys run by the real clock, everything else by Yui's.
"""

from __future__ import annotations

import datetime as dt
import random
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from bot.announcing import words
from bot.announcing.announcement import Content, Means, Plan, Priority, State, read
from bot.announcing.chats import Chat, gone_within
from bot.announcing.ledger import CHARGED, Entry, Ledger, month_of
from bot.announcing.senders import Outcome, Sending, Shape, Verdict
from bot.announcing.tables import Status, announcements, chat_members, deliveries, insert, runs, utc
from bot.announcing.times import Occasion, is_quiet, next_month
from knowledge import Database

URGENT = 3
_PRIORITIES = {Priority.LOW: 0, Priority.NORMAL: 1, Priority.HIGH: 2}
_LEASE = 60.0  # seconds; longer than any push may take
_LEASE_OF_RIDE = 15.0  # after it another process repeats the call with the token
TOKEN_LIVES = 50.0  # seconds from the first try; LINE gives a minute from the webhook
_KEY_LIVES = 23 * 3600.0  # seconds; LINE keeps a retry key for 24 hours
_PAUSE, _LONGEST_PAUSE, _LONGEST_TOLD = 2.0, 900.0, 3600.0  # seconds between attempts: first, longest, longest that is obeyed
_LONGEST_HOLD = _LONGEST_TOLD + _LEASE  # what is held for longer was held before the clock was set back
_CLOSED = 60.0  # seconds until a platform that refused the key is tried again
COUNTED = dt.timedelta(hours=1)  # how old a chat's number of people may be where it decides about money
_A_STATEMENT = 500
_Taken = list[tuple[Any, float | None]]  # rows, and when each had been tried before


EDITABLE = frozenset({"discord"})  # platforms on which what was sent can get other words
_ENTRIES = {
    Entry.CHARGED: frozenset({Verdict.SENT, Verdict.UNCERTAIN}),
    Entry.RELEASED: frozenset({Verdict.QUOTA, Verdict.GONE, Verdict.REFUSED, Verdict.UNSUPPORTED}),
}
# Asked for every message in every group, so it is put together once.
_OPEN_HERE = sa.select(deliveries.c.id, deliveries.c.reply_token).where(
    deliveries.c.conversation == sa.bindparam("conversation"), deliveries.c.state.in_((Status.WAITING, Status.RIDING))
)
OPEN = (Status.WAITING, Status.SENDING, Status.RIDING, Status.EDITING)


@dataclass(frozen=True, slots=True)
class Delivery:
    """As it was taken. `tried_at`: the first attempt before this one whose outcome is not known."""

    id: str
    run: str
    announcement: str
    conversation: str
    platform: str
    address: str
    shape: Shape
    status: Status
    means: Means
    attempts: int
    tried_at: float | None
    retry_key: str
    reply_token: str
    people: int
    message_ids: tuple[str, ...] = ()
    why: str = ""
    taken_at: dt.datetime | None = None

    @property
    def tried(self) -> bool:
        """Whether it may have been shown by an earlier attempt."""
        return self.tried_at is not None


class Deliveries:
    """Synchronous; every method is one short transaction."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        real: Callable[[], float] = time.time,
        language_of: Callable[[str], str] = lambda _: "",
        picture: Callable[[str], str] = lambda _: "",
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._db = database
        self._ledger = ledger
        self._real = real
        self._language_of = language_of
        self._picture = picture
        self._chance = chance

    # pushing

    def take_due(self, platform: str, now: dt.datetime, most: int, but: Iterable[str] = ()) -> list[Delivery]:
        """Take what may be pushed now, under a lease; what costs, only with its people set aside in this month's quota.

        `but`: ids this process has in hand. What the quota does not suffice for waits for a free reply, or for the next month.
        """
        charged, month = platform in CHARGED, month_of(now)
        if most <= 0 or not self.next_due(platform, now):  # reading first: nothing is written where nothing is due
            return []
        real = self._real()
        with self._db.write() as c:
            if charged and not self._ledger.lock(c, month):
                return []
            rows = c.execute(self._take(platform, now, real, most, tuple(but), charged)).all()
            rows = sorted(rows, key=lambda r: (-r.priority, r.push_from or r.made_at, r.id))
            # A row that has just been marked as tried was not before.
            found = [(row, row.tried_at if row.tried_at != real else None) for row in rows]
            kept = self._paid_for(c, found, month, now) if charged else found
        return [replace(_delivery(row), tried_at=tried, taken_at=now) for row, tried in kept]

    def _take(self, platform: str, now: dt.datetime, real: float, most: int, but: tuple[str, ...], charged: bool) -> Any:
        """One statement, so that SQLite takes its lock for writing at once. Noted as tried before any call is begun."""
        at = utc(now)
        fresh = sa.and_(deliveries.c.state == Status.WAITING, deliveries.c.push_from <= at, deliveries.c.expires_at > at)
        if charged:
            counted = sa.select(chat_members.c.conversation).where(chat_members.c.asked_at > at - COUNTED)
            fresh = fresh & deliveries.c.conversation.in_(counted)
        again = deliveries.c.state.in_((Status.SENDING, Status.EDITING))
        first = (
            sa.select(deliveries.c.id)
            .where(deliveries.c.platform == platform, fresh | again, self._is_free(real), deliveries.c.id.not_in(but))
            .where(deliveries.c.tried_at.is_(None) | (deliveries.c.tried_at > real - _KEY_LIVES))
            .where(deliveries.c.priority >= URGENT if is_quiet(now) else sa.true())
            .order_by(deliveries.c.priority.desc(), deliveries.c.push_from, deliveries.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("first")  # PostgreSQL may ask a plain subquery again for each row, and take more than the limit
        )
        editing = deliveries.c.state == Status.EDITING
        return (
            sa.update(deliveries)
            .where(deliveries.c.id.in_(sa.select(first.c.id)))
            .values(
                state=sa.case((editing, Status.EDITING.value), else_=Status.SENDING.value),
                held_until=real + _LEASE,
                attempts=deliveries.c.attempts + 1,
                tried_at=sa.func.coalesce(deliveries.c.tried_at, real),
                why="",
                people=sa.func.coalesce(
                    sa.select(chat_members.c.people)
                    .where(chat_members.c.conversation == deliveries.c.conversation)
                    .scalar_subquery(),
                    deliveries.c.people,
                )
                if charged
                else deliveries.c.people,
            )
            .returning(deliveries)
        )

    def _paid_for(self, c: sa.Connection, found: _Taken, month: str, now: dt.datetime) -> _Taken:
        """Those whose people could be set aside; the others are put back."""
        kept = {row.id for row, _ in found if row.state == Status.EDITING}
        kept |= self._ledger.reserve(c, month, {row.id: row.people for row, _ in found if row.id not in kept})
        for row, tried in found:
            if row.id not in kept:
                # One that was tried in another month keeps its key and waits; it cannot ride any more.
                later = {"held_until": self._real() + _LONGEST_PAUSE}
                back = later if tried else _back("quota", push_from=utc(next_month(now)))
                c.execute(sa.update(deliveries).where(deliveries.c.id == row.id).values(back))
        return [(row, tried) for row, tried in found if row.id in kept]

    def settle(self, settled: Sequence[tuple[Delivery, Outcome]], now: dt.datetime) -> None:
        """Keep what came of pushes and edits, all in one transaction."""
        with self._db.write() as c:
            for delivery, outcome in settled:
                self._settle(c, delivery, outcome, now)
            self._edit_what_changed_meanwhile(c, [d for d, o in settled if o.verdict is Verdict.SENT])
            for entry, those in _ENTRIES.items():
                self._ledger.settle(c, [d.id for d, o in settled if o.verdict in those and d.status is Status.SENDING], entry)
            closed = [d.id for d, o in settled if o.verdict in (Verdict.CLOSED, Verdict.STALE) and not d.tried]
            self._ledger.settle(c, closed, Entry.RELEASED)
            gone_within(c, [d.conversation for d, o in settled if o.verdict is Verdict.GONE])

    def _settle(self, c: sa.Connection, delivery: Delivery, outcome: Outcome, now: dt.datetime) -> None:
        values = (
            self._after_edit(delivery, outcome) if delivery.status is Status.EDITING else self._after_push(delivery, outcome, now)
        )
        mine = (deliveries.c.id == delivery.id) & (deliveries.c.state == delivery.status)
        c.execute(sa.update(deliveries).where(mine).values(values))

    @staticmethod
    def _edit_what_changed_meanwhile(c: sa.Connection, sent: Sequence[Delivery]) -> None:
        """Corrected or withdrawn between taking and sending: it left with the words of before."""
        taken = {d.id: d for d in sent if d.platform in EDITABLE and d.taken_at}
        if not taken:
            return
        ids = {d.announcement for d in taken.values()}
        query = sa.select(announcements.c.id, announcements.c.changed_at).where(announcements.c.id.in_(ids))
        changed = {row.id: utc(row.changed_at) for row in c.execute(query)}
        old = [d.id for d in taken.values() if d.taken_at and d.announcement in changed and d.taken_at < changed[d.announcement]]
        if old:
            values = {"state": Status.EDITING.value, "tried_at": None, "attempts": 0}
            c.execute(sa.update(deliveries).where(deliveries.c.id.in_(old), deliveries.c.state == Status.SENT).values(values))

    def _after_push(self, delivery: Delivery, outcome: Outcome, now: dt.datetime) -> dict[str, Any]:
        why, real = outcome.why[:300], self._real()
        match outcome.verdict:
            case Verdict.SENT:
                sent = {"sent_at": utc(now), "message_ids": list(outcome.message_ids), "way": "push"}
                return {"state": Status.SENT, "held_until": 0.0, "why": "", **sent}
            case Verdict.AGAIN:
                return {"held_until": real + self._pause(delivery.attempts, outcome.retry_after), "why": why}
            case Verdict.QUOTA:
                return _back("quota", push_from=utc(next_month(now)))
            case Verdict.CLOSED | Verdict.STALE:
                closed = {"held_until": real + _CLOSED, "why": why or "closed"}
                return closed if delivery.tried else {**_back(why), **closed}
            case Verdict.UNCERTAIN:
                return {"state": Status.UNSURE, "held_until": 0.0, "way": "push", "why": why}
            case _:
                return {"state": Status.FAILED, "held_until": 0.0, "why": why or outcome.verdict.value}

    def _after_edit(self, delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
        """It stays sent, whatever comes of the edit."""
        if outcome.verdict in (Verdict.AGAIN, Verdict.CLOSED):
            return {"held_until": self._real() + self._pause(delivery.attempts, outcome.retry_after), "why": outcome.why[:300]}
        told = "" if outcome.verdict is Verdict.SENT else f"edit: {outcome.why or outcome.verdict.value}"[:300]
        return {"state": Status.SENT, "held_until": 0.0, "why": told}

    def _pause(self, attempts: int, told: float) -> float:
        """Seconds until the next attempt: what the platform says, else doubled each time, and never all at the same moment."""
        own = min(_PAUSE * 2.0 ** min(attempts - 1, 20), _LONGEST_PAUSE)
        return max(min(told, _LONGEST_TOLD), own * (0.5 + self._chance() / 2))

    # riding on replies

    def ride(
        self,
        conversation: str,
        reply_token: str,
        now: dt.datetime,
        most: int,
        *,
        behind_answer: bool = False,
        begun_only: bool = False,
    ) -> list[Delivery]:
        """Take what may leave with this reply, free of charge; nearly always nothing, and then it costs one read.

        Asked again with the same token it gives the same again, as `tried`. `behind_answer`: whoever answers the message repeats
        the call after a crash; else another process does so with the announcements alone. `begun_only`: the token may have been
        used for the answer alone, so that nothing new may go with it.
        """
        if is_quiet(now) or not reply_token or most <= 0:
            return []
        with self._db.read() as c:
            held = dict(c.execute(_OPEN_HERE, {"conversation": conversation}).all())
        if not held:
            return []
        mine = deliveries.c.conversation == conversation
        waits = (deliveries.c.state == Status.WAITING) & (deliveries.c.expires_at > utc(now)) & deliveries.c.platform.in_(CHARGED)
        waits &= sa.literal(not begun_only)
        begun = (deliveries.c.state == Status.RIDING) & (deliveries.c.reply_token == reply_token)
        # With a token that has been tried go those that went with it before, and nothing new.
        again = reply_token in held.values()
        some = sa.select(deliveries.c.id).where(mine, begun if again else waits)
        some = some.order_by(deliveries.c.priority.desc(), deliveries.c.made_at, deliveries.c.id)
        lease = TOKEN_LIVES + 10 if behind_answer else _LEASE_OF_RIDE
        values = {"state": Status.RIDING, "reply_token": reply_token, "held_until": self._real() + lease}
        values["attempts"] = deliveries.c.attempts + 1 if again else 1
        if not again:
            values["tried_at"] = self._real()
        taken = (some if again else some.limit(most)).with_for_update(skip_locked=True).cte("taken")
        take = sa.update(deliveries).where(deliveries.c.id.in_(sa.select(taken.c.id))).values(values)
        with self._db.write() as c:
            rows = c.execute(take.returning(deliveries)).all()
        found = [_delivery(row) for row in rows]
        return sorted(found if again else [replace(d, tried_at=None) for d in found], key=lambda d: d.id)

    def rode(self, ids: Sequence[str], outcome: Outcome, now: dt.datetime | None = None) -> None:
        """Keep what came of a reply that carried these."""
        mine = deliveries.c.id.in_(ids) & (deliveries.c.state == Status.RIDING)
        once = deliveries.c.attempts == 1
        unsure = {"state": Status.UNSURE, "held_until": 0.0, "way": "ride", "why": outcome.why[:300]}
        with self._db.write() as c:
            if outcome.verdict is Verdict.SENT:
                sent = {"sent_at": utc(now or self._ledger.now()), "message_ids": list(outcome.message_ids), "way": "ride"}
                c.execute(sa.update(deliveries).where(mine).values(state=Status.SENT, held_until=0.0, why="", **sent))
            elif outcome.verdict in (Verdict.STALE, Verdict.CLOSED, Verdict.QUOTA):
                c.execute(sa.update(deliveries).where(mine, once).values(_back(outcome.why[:300])))
                c.execute(sa.update(deliveries).where(mine).values(unsure))  # an earlier call with this token may have been taken
            elif outcome.verdict is Verdict.AGAIN:
                c.execute(sa.update(deliveries).where(mine).values(held_until=self._real() + _PAUSE))
            elif outcome.verdict is Verdict.UNCERTAIN:
                c.execute(sa.update(deliveries).where(mine).values(unsure))
            else:
                why = outcome.why[:300] or outcome.verdict.value
                c.execute(sa.update(deliveries).where(mine).values(state=Status.FAILED, held_until=0.0, way="ride", why=why))

    def adrift(self, platform: str) -> list[tuple[str, list[Delivery]]]:
        """Replies that a dead process had begun, by their tokens. Those whose token can no longer tell are unsure from now on."""
        real = self._real()
        mine = (deliveries.c.platform == platform) & (deliveries.c.state == Status.RIDING) & self._is_free(real)
        with self._db.read() as c:
            if not c.scalar(sa.select(deliveries.c.id).where(mine).limit(1)):
                return []
        old = deliveries.c.tried_at < real - TOKEN_LIVES
        with self._db.write() as c:
            c.execute(sa.update(deliveries).where(mine, old).values(state=Status.UNSURE, held_until=0.0, way="ride", why="token"))
            again = {"held_until": real + _LEASE_OF_RIDE, "attempts": deliveries.c.attempts + 1}
            rows = c.execute(sa.update(deliveries).where(mine).values(again).returning(deliveries)).all()
        found: dict[str, list[Delivery]] = {}
        for row in sorted(rows, key=lambda r: r.id):
            found.setdefault(row.reply_token, []).append(_delivery(row))
        return list(found.items())

    # both

    def sendings(self, found: Sequence[Delivery], now: dt.datetime | None = None) -> list[Sending]:
        """What the platform gets, in the same order."""
        ids = {d.run for d in found}
        query = sa.select(runs.c.id, runs.c.occasion, runs.c.content, announcements.c.content.label("own"), announcements.c.state)
        query = query.join(announcements, announcements.c.id == runs.c.announcement)
        told: dict[str, Any] = {}
        with self._db.read() as c:
            for part in _parts(sorted(ids)):
                for row in c.execute(query.where(runs.c.id.in_(part))):
                    told[row.id] = row
        edited = {run: (_edited(row), read(Content, row.own)) for run, row in told.items()}
        fresh = {run: (Occasion(row.occasion), read(Content, row.content or row.own)) for run, row in told.items()}
        at = now or self._ledger.now()
        return [self._sending(d, *(edited if d.status is Status.EDITING else fresh)[d.run], at) for d in found]

    def _sending(self, delivery: Delivery, occasion: Occasion, content: Content, now: dt.datetime) -> Sending:
        message = words.message(content, occasion, now, self._language_of(delivery.conversation), self._picture)
        return Sending(
            delivery.id,
            delivery.address,
            delivery.shape,
            (message,),
            delivery.retry_key,
            delivery.id[:25],
            words.title(content),
            delivery.tried_at,
        )

    def expire(self, now: dt.datetime) -> None:
        """What was not sent before its end is of no use; what was tried and can no longer be asked about is unsure."""
        at, real = utc(now), self._real()
        late = (deliveries.c.state == Status.WAITING) & (deliveries.c.expires_at <= at)
        old = deliveries.c.tried_at < real - _KEY_LIVES
        lost = (deliveries.c.state == Status.SENDING) & self._is_free(real) & (old | (deliveries.c.expires_at <= at))
        unedited = (deliveries.c.state == Status.EDITING) & self._is_free(real) & old
        with self._db.read() as c:
            if not c.scalar(sa.select(deliveries.c.id).where(late | lost | unedited).limit(1)):
                return
        with self._db.write() as c:
            c.execute(sa.update(deliveries).where(late).values(state=Status.EXPIRED, why="expired"))
            values = {"state": Status.UNSURE, "held_until": 0.0, "way": "push"}
            unsure = sa.update(deliveries).where(lost).values(values).returning(deliveries.c.id)
            self._ledger.settle(c, c.scalars(unsure).all(), Entry.CHARGED)
            c.execute(sa.update(deliveries).where(unedited).values(state=Status.SENT, held_until=0.0, why="edit: again"))

    def to_count(self, platform: str, now: dt.datetime, most: int) -> list[Chat]:
        """Chats that a push is due in and whose people have not been counted lately."""
        at = utc(now)
        counted = sa.select(chat_members.c.conversation).where(chat_members.c.asked_at > at - COUNTED / 2)
        due = (deliveries.c.state == Status.WAITING) & (deliveries.c.push_from <= at) & (deliveries.c.expires_at > at)
        query = (
            sa.select(deliveries.c.conversation, deliveries.c.address)
            .where(deliveries.c.platform == platform, due, deliveries.c.conversation.not_in(counted))
            .where(deliveries.c.priority >= URGENT if is_quiet(now) else sa.true())
            .distinct()
            .limit(most)
        )
        with self._db.read() as c:
            return [Chat(row.conversation, platform, row.address, Shape.CHAT) for row in c.execute(query)]

    def next_due(self, platform: str, now: dt.datetime) -> bool:
        """Whether anything of a platform is to be pushed or edited now: what decides whether the quota is asked for."""
        due = (deliveries.c.state == Status.WAITING) & (deliveries.c.push_from <= utc(now))
        due |= deliveries.c.state.in_((Status.SENDING, Status.EDITING))
        with self._db.read() as c:
            return c.scalar(sa.select(deliveries.c.id).where(deliveries.c.platform == platform, due).limit(1)) is not None

    def _is_free(self, real: float) -> sa.ColumnElement[bool]:
        return (deliveries.c.held_until < real) | (deliveries.c.held_until > real + _LONGEST_HOLD)


@dataclass(frozen=True, slots=True)
class FanOut:
    """What all rows of one run share."""

    announcement: str
    run: str
    plan: Plan
    means: Means
    push_from: dt.datetime | None
    expires_at: dt.datetime
    now: dt.datetime


def fan_out(c: sa.Connection, to: Sequence[Chat], told: FanOut) -> int:
    """One row for each chat, in the caller's transaction; those that are there stay as they are. Returns how many are new."""
    new = 0
    for part in _parts(to):
        put = insert(c)(deliveries).on_conflict_do_nothing(index_elements=[deliveries.c.run, deliveries.c.conversation])
        new += len(c.execute(put.returning(deliveries.c.id), [_row(chat, told) for chat in part]).all())
    return new


def _row(chat: Chat, told: FanOut) -> dict[str, Any]:
    free = chat.platform not in CHARGED
    key = uuid.uuid4()
    return {
        "id": key.hex,
        "run": told.run,
        "announcement": told.announcement,
        "conversation": chat.conversation,
        "platform": chat.platform,
        "address": chat.address,
        "shape": chat.shape.value,
        "state": Status.WAITING.value,
        "means": told.means.value,
        "way": "",
        "priority": URGENT if told.plan.urgent else _PRIORITIES[told.plan.priority],
        "push_from": utc(told.now) if free else utc(told.push_from) if told.push_from else None,
        "expires_at": utc(told.expires_at),
        "held_until": 0.0,
        "attempts": 0,
        "tried_at": None,
        "retry_key": str(key),
        "reply_token": "",
        "people": chat.people or 0,
        "message_ids": [],
        "why": "",
        "made_at": utc(told.now),
        "sent_at": None,
    }


def _edited(told: Any) -> Occasion:
    return Occasion.WITHDRAWAL if told.state == State.WITHDRAWN else Occasion.CORRECTION


def _back(why: str, **more: Any) -> dict[str, Any]:
    """Surely not shown: it waits again as if nothing had been."""
    return {"state": Status.WAITING.value, "held_until": 0.0, "tried_at": None, "reply_token": "", "why": why, **more}


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.id,
        row.run,
        row.announcement,
        row.conversation,
        row.platform,
        row.address,
        Shape(row.shape),
        Status(row.state),
        Means(row.means),
        row.attempts,
        row.tried_at,
        row.retry_key,
        row.reply_token,
        row.people,
        tuple(row.message_ids),
        row.why,
    )


def _parts(things: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (things[start : start + _A_STATEMENT] for start in range(0, len(things), _A_STATEMENT))
