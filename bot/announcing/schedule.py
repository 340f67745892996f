"""Runs: each time an announcement leaves, as a row; carried out once, however late, and from however many processes."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.announcing.announcement import Announcement, Content, Means, Plan, Selection, State, read
from bot.announcing.chats import Chats
from bot.announcing.deliveries import OPEN, FanOut, fan_out
from bot.announcing.tables import Status, announcements, deliveries, insert, runs, utc
from bot.announcing.times import Due, Occasion, occurrences, push_from, runs_of
from bot.notices import Notices
from knowledge import Database

log = logging.getLogger(__name__)

_AHEAD = dt.timedelta(days=40)  # so far repetitions have rows
_AT_ONCE = 50
_LATE = dt.timedelta(minutes=15)  # less is no delay worth a word
# For how long a run that was missed is still of use.
_OF_USE = {
    Occasion.FIRST: dt.timedelta(days=3),
    Occasion.REPEAT: dt.timedelta(days=1),
    Occasion.IN_TWO_WEEKS: dt.timedelta(days=2),
    Occasion.IN_THREE_DAYS: dt.timedelta(days=1),
    Occasion.TODAY: dt.timedelta(hours=12),
}


class RunState(StrEnum):
    WAITING = "waiting"
    OUT = "out"  # its rows are made
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    announcement: str
    occasion: Occasion
    due_at: dt.datetime
    state: RunState
    why: str = ""
    fanned_at: dt.datetime | None = None


class Schedule:
    """Synchronous; methods that take a connection are a part of somebody else's transaction."""

    def __init__(self, database: Database, chats: Chats, clock: Callable[[], dt.datetime], notices: Notices | None = None) -> None:
        self._db = database
        self._chats = chats
        self._clock = clock
        self._notices = notices
        self._extended: dt.datetime | None = None

    def plan(self, c: sa.Connection, announcement: Announcement, first: dt.datetime, now: dt.datetime) -> None:
        """Rows for everything that leaves in the next weeks; what has a row keeps it."""
        self._add(c, announcement, [d for d in runs_of(announcement, first, now + _AHEAD) if d.at >= first])

    def cancel(self, c: sa.Connection, announcement_id: str, why: str) -> None:
        """What has not left yet will not."""
        mine = (runs.c.announcement == announcement_id) & (runs.c.state == RunState.WAITING)
        c.execute(sa.update(runs).where(mine).values(state=RunState.CANCELLED, why=why))

    def of(self, announcement_id: str) -> list[Run]:
        query = sa.select(runs).where(runs.c.announcement == announcement_id).order_by(runs.c.due_at, runs.c.id)
        with self._db.read() as c:
            return [_run(row) for row in c.execute(query)]

    def advance(self, now: dt.datetime) -> int:
        """Carry out what is due. Returns how many deliveries that made."""
        self._extend(now)
        query = sa.select(runs.c.id).where(runs.c.state == RunState.WAITING, runs.c.due_at <= utc(now))
        with self._db.read() as c:
            due = c.scalars(query.order_by(runs.c.due_at, runs.c.id).limit(_AT_ONCE)).all()
        made = sum(self._carry_out(run, now) for run in due)
        if due and self._notices:
            self._tell_missed(due, self._notices)
        self._finish(now)
        return made

    def _carry_out(self, run_id: str, now: dt.datetime) -> int:
        """All rows of one run in one transaction: a process that dies in it has done nothing."""
        mine = (runs.c.id == run_id) & (runs.c.state == RunState.WAITING)
        with self._db.write() as c:
            take = sa.update(runs).where(mine).values(state=RunState.OUT, fanned_at=utc(now)).returning(runs)
            row = c.execute(take).first()
            if row is None:
                return 0  # another process was faster
            run, told = _run(row), self._announcement(c, row.announcement)
            if told is None or told.state not in (State.SCHEDULED, State.SENDING):
                c.execute(sa.update(runs).where(runs.c.id == run_id).values(state=RunState.CANCELLED))
                return 0
            why = self._missed(c, run, told, now)
            if why:
                log.warning("run %s (%s) of announcement %s was missed: %s", run.id, run.occasion, told.id, why)
                c.execute(sa.update(runs).where(runs.c.id == run_id).values(state=RunState.MISSED, why=why))
                return 0
            if now - run.due_at > _LATE:
                log.warning("run %s of announcement %s leaves %s late", run.id, told.id, now - run.due_at)
                c.execute(sa.update(runs).where(runs.c.id == run_id).values(why="late"))
            return self._fan_out(c, run, told, now)

    def _tell_missed(self, due: Sequence[str], notices: Notices) -> None:
        """Who composed it hears, with the next reply to them, what did not leave and will not by itself."""
        query = sa.select(announcements.c.by, announcements.c.content).join(runs, runs.c.announcement == announcements.c.id)
        missed = runs.c.id.in_(due) & (runs.c.state == RunState.MISSED) & (runs.c.why != "overtaken")
        with self._db.read() as c:
            found = [(row.by, read(Content, row.content).title) for row in c.execute(query.where(missed))]
        for by, title in found:
            notices.add(by, "announce_missed", title=title)

    def _fan_out(self, c: sa.Connection, run: Run, told: Announcement, now: dt.datetime) -> int:
        to = self._chats.selected(told.selection, told.co_op, c)
        # What still waits from an earlier run would say the same, older.
        older = (deliveries.c.announcement == told.id) & (deliveries.c.state == Status.WAITING) & (deliveries.c.run != run.id)
        if run.occasion is not Occasion.FIRST:
            reached = [chat.conversation for chat in to]
            for start in range(0, len(reached), 500):
                part = older & deliveries.c.conversation.in_(reached[start : start + 500])
                c.execute(sa.update(deliveries).where(part).values(state=Status.REPLACED, why=run.id))
        means = Means.FREE if run.occasion.is_reminder else told.plan.means
        pushed = None if means is Means.FREE else push_from(told.plan, run.due_at)
        made = fan_out(c, to, FanOut(told.id, run.id, told.plan, means, pushed, told.expires_at(run.due_at), now))
        if not to:
            c.execute(sa.update(runs).where(runs.c.id == run.id).values(why="empty"))
            log.warning("announcement %s reached nobody: its selection has no chats any more", told.id)
        scheduled = (announcements.c.id == told.id) & (announcements.c.state == State.SCHEDULED)
        c.execute(sa.update(announcements).where(scheduled).values(state=State.SENDING))
        return made

    def _missed(self, c: sa.Connection, run: Run, told: Announcement, now: dt.datetime) -> str:
        """Why a run is of no use any more; empty where it is."""
        over = told.content.over_at()
        if over and now >= over:
            return "over"
        if now - run.due_at > _OF_USE.get(run.occasion, dt.timedelta(days=3)):
            return "late"
        later = (runs.c.announcement == told.id) & (runs.c.state == RunState.WAITING) & (runs.c.due_at > utc(run.due_at))
        if run.occasion is not Occasion.FIRST and c.scalar(sa.select(runs.c.id).where(later, runs.c.due_at <= utc(now)).limit(1)):
            return "overtaken"
        return ""

    def _extend(self, now: dt.datetime) -> None:
        """Repetitions go on for ever, their rows for some weeks; also those are made whose time passed while nobody was there."""
        if self._extended is not None and abs(now - self._extended) < dt.timedelta(hours=6):
            return
        active = announcements.c.state.in_((State.SCHEDULED, State.SENDING))
        firsts = sa.select(runs.c.announcement, sa.func.min(runs.c.due_at).label("at"))
        firsts = firsts.where(runs.c.occasion == Occasion.FIRST, runs.c.state != RunState.CANCELLED).group_by(runs.c.announcement)
        first = firsts.subquery()
        query = sa.select(announcements, first.c.at).join(first, first.c.announcement == announcements.c.id).where(active)
        with self._db.read() as c:
            found = [(announcement_of(row), utc(row.at)) for row in c.execute(query)]
        for told, at in found:
            with self._db.write() as c:
                self._add(c, told, list(runs_of(told, at, now + _AHEAD)))
        self._extended = now

    def _add(self, c: sa.Connection, announcement: Announcement, due: list[Due]) -> None:
        put = insert(c)(runs).on_conflict_do_update(
            index_elements=[runs.c.announcement, runs.c.occasion, runs.c.due_at],
            set_={"state": RunState.WAITING.value, "why": ""},
            where=runs.c.state == RunState.CANCELLED,  # an earlier plan had it, was taken back, and came again
        )
        if due:
            c.execute(put, [run_row(announcement.id, d.occasion, d.at) for d in due])

    def _finish(self, now: dt.datetime) -> None:
        """An announcement is done when no run and no delivery of it is open, and no repetition is to come."""
        waiting = sa.exists().where(runs.c.announcement == announcements.c.id, runs.c.state == RunState.WAITING)
        still = sa.exists().where(deliveries.c.announcement == announcements.c.id, deliveries.c.state.in_(OPEN))
        ran = sa.exists().where(runs.c.announcement == announcements.c.id, runs.c.state != RunState.CANCELLED)
        active = announcements.c.state.in_((State.SENDING, State.SCHEDULED))
        done = active & ~waiting & ~still & ran
        with self._db.read() as c:
            found = [announcement_of(row) for row in c.execute(sa.select(announcements).where(done))]
        ids = [told.id for told in found if not _goes_on(told, now)]
        if ids:
            with self._db.write() as c:
                c.execute(
                    sa.update(announcements).where(announcements.c.id.in_(ids), done).values(state=State.DONE, changed_at=utc(now))
                )

    @staticmethod
    def _announcement(c: sa.Connection, announcement_id: str) -> Announcement | None:
        row = c.execute(sa.select(announcements).where(announcements.c.id == announcement_id)).first()
        return announcement_of(row) if row else None


def _goes_on(told: Announcement, now: dt.datetime) -> bool:
    """Whether a repetition is to come that has no row yet."""
    if not told.plan.rrule:
        return False
    first = told.plan.send_at or told.changed_at
    ends = told.content.over_at()
    return any(at > now and (ends is None or at < ends) for at in occurrences(told.plan.rrule, first, told.plan.holidays))


def run_row(announcement_id: str, occasion: Occasion, at: dt.datetime, content: Any = None) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "announcement": announcement_id,
        "occasion": occasion.value,
        "due_at": utc(at),
        "state": RunState.WAITING.value,
        "why": "",
        "content": content,
        "fanned_at": None,
    }


def announcement_of(row: Any) -> Announcement:
    """A row as it is meant."""
    return Announcement(
        row.id,
        row.version,
        State(row.state),
        read(Content, row.content),
        read(Selection, row.selection),
        read(Plan, row.plan),
        row.by,
        row.co_op,
        row.approved_by,
        utc(row.made_at),
        utc(row.changed_at),
    )


def _run(row: Any) -> Run:
    fanned = utc(row.fanned_at) if row.fanned_at else None
    return Run(row.id, row.announcement, Occasion(row.occasion), utc(row.due_at), RunState(row.state), row.why, fanned)
