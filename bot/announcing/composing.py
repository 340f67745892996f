"""Announcements as people handle them: compose, propose, approve, schedule, withdraw, correct; what it costs, what became of it.

Whoever acts names the version that was seen; somebody else's change in between raises Changed and does nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from bot.announcing.announcement import (
    Announcement,
    Changed,
    Content,
    NotAllowed,
    NotThere,
    Plan,
    Selection,
    State,
    flaws,
    flaws_of_plan,
    flaws_of_years,
    local,
    plain,
    read,
)
from bot.announcing.chats import Chat, Chats
from bot.announcing.deliveries import EDITABLE, FanOut, fan_out
from bot.announcing.ledger import CHARGED, Balance, Ledger, month_of
from bot.announcing.pictures import Pictures
from bot.announcing.reporting import MonthReport, Report, report_of, report_of_month
from bot.announcing.schedule import Run, RunState, Schedule, announcement_of, run_row
from bot.announcing.senders import Shape
from bot.announcing.tables import Status, announcements, deliveries, runs, selections, utc
from bot.announcing.times import Occasion, begins, flaw_of_rule, push_from
from bot.errors import UserMistake
from bot.members import Members, Role
from knowledge import Database, KnowledgeError

log = logging.getLogger(__name__)

_OPEN_TO_CHANGE = (State.DRAFT, State.PROPOSED, State.SCHEDULED)
_OUT = (State.SENDING, State.DONE)
_REACHED = (Status.SENT, Status.UNSURE, Status.SENDING, Status.RIDING, Status.EDITING)
_KEPT_FOR_CORRECTION = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Cost:
    """What sending would cost. `people`: charged if every chat that costs had to be paid; `unknown`: chats nobody has counted."""

    chats: tuple[Chat, ...]
    people: int
    unknown: int
    pays: bool  # whether this plan may spend anything
    balance: Balance
    first: dt.datetime
    pays_from: dt.datetime | None

    @property
    def fits(self) -> bool:
        return not self.pays or self.balance.left is None or self.people <= self.balance.left


@dataclass(frozen=True, slots=True)
class SavedSelection:
    id: str
    name: str
    co_op: str
    selection: Selection


class Announcements:
    """Synchronous; every method is a few short transactions. `by` is the account of whoever acts.

    Admins and the federation's coordinators may do everything; a co-op's coordinator announces to that co-op's chats.
    """

    def __init__(
        self,
        database: Database,
        members: Members,
        chats: Chats,
        schedule: Schedule,
        quota: Ledger,
        clock: Callable[[], dt.datetime],
        pictures: Pictures,
        follow: Callable[[], object] = lambda: None,
    ) -> None:
        """`follow`: lets what can be found follow what is told."""
        self._follow = follow
        self._db = database
        self._members = members
        self._chats = chats
        self._schedule = schedule
        self._ledger = quota
        self._clock = clock
        self._pictures = pictures

    # writing

    def compose(
        self, by: str, content: Content, selection: Selection, plan: Plan | None = None, co_op: str = "", *, leaving: bool = False
    ) -> Announcement:
        """A draft. Raises UserMistake for words that cannot be, NotAllowed for who may not announce there.

        `leaving`: it shall be scheduled next: what could not leave is refused, and no draft is kept of it.
        """
        plan = plan or Plan()
        co_op = self._may_compose(by, co_op)
        _refuse(flaws_of_years(plan) or flaws(content) + self._pictures.flaws(content.picture) + self._flaws_of(selection))
        now = self._now()
        made = Announcement(uuid.uuid4().hex[:12], 1, State.DRAFT, content, selection, plan, by, co_op, "", now, now)
        _refuse(self.hindrances(made) if leaving else [])
        with self._db.write() as c:
            c.execute(sa.insert(announcements).values(_row(made)))
        return made

    def change(
        self,
        announcement_id: str,
        version: int,
        by: str,
        content: Content | None = None,
        selection: Selection | None = None,
        plan: Plan | None = None,
    ) -> Announcement:
        """Other words, readers or times; what is not given stays. It is a draft again."""
        held = self._mine(announcement_id, by)
        new = replace(held, content=content or held.content, selection=selection or held.selection, plan=plan or held.plan)
        _refuse(
            flaws_of_years(new.plan)
            or flaws(new.content) + self._pictures.flaws(new.content.picture) + self._flaws_of(new.selection)
        )
        with self._db.write() as c:
            done = self._step(c, new, version, _OPEN_TO_CHANGE, State.DRAFT)
            self._schedule.cancel(c, held.id, "changed")
        return done

    def duplicate(self, announcement_id: str, by: str) -> Announcement:
        """A new draft with the same words, for the same readers, without its days."""
        held = self._mine(announcement_id, by)
        return self.compose(by, held.content, held.selection, replace(held.plan, send_at=None, pay_on=None), held.co_op)

    def propose(self, announcement_id: str, version: int, by: str) -> Announcement:
        """Let somebody else look at it before it leaves."""
        held = self._mine(announcement_id, by)
        _refuse(self._flaws_now(held))
        with self._db.write() as c:
            return self._step(c, replace(held, by=by), version, (State.DRAFT,), State.PROPOSED)

    def approve(self, announcement_id: str, version: int, by: str) -> Announcement:
        """The second pair of eyes: schedules what somebody else proposed."""
        held = self._mine(announcement_id, by)
        if held.state is State.PROPOSED and held.by in self._members.accounts_of(by):
            raise NotAllowed("確認は、書いた人とは別の人にお願いします。")
        return self._plan(replace(held, approved_by=by), version, (State.PROPOSED,))

    def schedule(self, announcement_id: str, version: int, by: str) -> Announcement:
        """Let it leave as planned; without a day at once. A proposed one waits for `approve`."""
        held = self._mine(announcement_id, by)
        if held.state is State.PROPOSED:
            raise NotAllowed("ほかの人の確認を待っています。")
        return self._plan(held, version, (State.DRAFT,))

    def withdraw(self, announcement_id: str, version: int, by: str) -> Announcement:
        """Nothing more leaves. Where it was shown, so is its end: edited on Discord, told with the next reply on LINE."""
        held = self._mine(announcement_id, by)
        states = (*_OPEN_TO_CHANGE, *_OUT)
        with self._db.write() as c:
            done = self._step(c, held, version, states, State.WITHDRAWN)
            self._schedule.cancel(c, held.id, "withdrawn")
            waiting = (deliveries.c.announcement == held.id) & (deliveries.c.state == Status.WAITING)
            c.execute(sa.update(deliveries).where(waiting).values(state=Status.WITHDRAWN, why="withdrawn"))
            self._tell_again(c, done, Occasion.WITHDRAWAL)
        self._let_follow()
        return done

    def correct(self, announcement_id: str, version: int, by: str, content: Content) -> Announcement:
        """Other words for what has left: edited on Discord, told with the next reply on LINE. What waits leaves corrected."""
        held = self._mine(announcement_id, by)
        # The picture it left with needs no second look: it may have been lost since, and words can be corrected all the same.
        new = content.picture if content.picture != held.content.picture else ""
        _refuse(flaws(content) + self._pictures.flaws(new))
        with self._db.write() as c:
            done = self._step(c, replace(held, content=content), version, _OUT, State.SENDING)
            self._tell_again(c, done, Occasion.CORRECTION)
        self._let_follow()
        return done

    def try_out(self, announcement_id: str, by: str, conversation: str) -> None:
        """Send it to one chat only, oneself for instance. Where that costs, it waits for the next free reply there."""
        held = self._mine(announcement_id, by)
        if held.state is State.WITHDRAWN:
            raise UserMistake("取り消したお知らせは、試し送りできません。")
        to = [chat for chat in self._chats.all() if chat.conversation == conversation]
        if not to or (conversation not in self._members.accounts_of(by) and not self._rules(by, to[0].co_op)):
            raise UserMistake("試し送りの送り先が見つかりません。ボットと話したことのある相手を選んでください。")
        self._run_now(held, Occasion.TEST, to)

    # looking

    def hindrances(self, held: Announcement) -> list[str]:
        """Why it could not leave now as it is, a sentence each."""
        nobody = "送り先がひとつもありません。送り先を選びなおしてください。"
        return self._flaws_now(held) or ([] if self._chats.selected(held.selection, held.co_op) else [nobody])

    def get(self, announcement_id: str, by: str) -> Announcement:
        """Raises NotThere, also where it is not for this person."""
        return self._mine(announcement_id, by)

    def all(self, by: str, *states: State, most: int = 200) -> list[Announcement]:
        """What this person looks after, the latest first."""
        query = sa.select(announcements).order_by(announcements.c.changed_at.desc(), announcements.c.id).limit(most)
        if states:
            query = query.where(announcements.c.state.in_(states))
        everywhere, own = self._reach(by)
        if not everywhere:
            query = query.where(announcements.c.co_op.in_(own))
        with self._db.read() as c:
            return [announcement_of(row) for row in c.execute(query)]

    def cost(self, announcement_id: str, by: str) -> Cost:
        """What sending it would cost, to be shown before."""
        held = self._mine(announcement_id, by)
        return self.cost_of(held.selection, held.plan, held.co_op)

    def cost_of(self, selection: Selection, plan: Plan, co_op: str = "") -> Cost:
        now = self._clock()
        first = begins(plan, now)
        pays_from = push_from(plan, first)
        to = tuple(self._chats.selected(selection, co_op))
        costly = [chat for chat in to if chat.platform in CHARGED]
        return Cost(
            to,
            sum(chat.people or 0 for chat in costly),
            sum(chat.people is None for chat in costly),
            pays_from is not None,
            self._ledger.balance(month_of(pays_from or first)),
            first,
            pays_from,
        )

    def report(self, announcement_id: str, by: str) -> Report:
        return report_of(self._db, self._schedule, self._mine(announcement_id, by))

    def month(self, month: str) -> MonthReport:
        """`month`: 2027-03."""
        return report_of_month(self._db, self._ledger, month)

    def missed(self, by: str) -> list[tuple[Announcement, Run]]:
        """Runs that were missed and not caught up, the latest first."""
        mine = {told.id: told for told in self.all(by)}
        query = sa.select(runs.c.announcement, runs.c.id).where(runs.c.state == RunState.MISSED, runs.c.announcement.in_(mine))
        with self._db.read() as c:
            found = c.execute(query.order_by(runs.c.due_at.desc())).all()
        every = {run.id: run for told in {row.announcement for row in found} for run in self._schedule.of(told)}
        return [(mine[row.announcement], every[row.id]) for row in found]

    # saved selections

    def save_selection(self, by: str, name: str, selection: Selection, co_op: str = "") -> SavedSelection:
        """Under a name; the same name again replaces it."""
        co_op = self._may_compose(by, co_op)
        name = " ".join(name.split())
        _refuse([] if 0 < len(name) <= 80 else ["送り先の名前は1〜80字にしてください。"])
        _refuse(self._flaws_of(selection))
        saved = SavedSelection(uuid.uuid4().hex[:12], name, co_op, selection)
        with self._db.write() as c:
            c.execute(sa.delete(selections).where(selections.c.name == name, selections.c.co_op == co_op))
            c.execute(sa.insert(selections).values(id=saved.id, name=name, co_op=co_op, selection=plain(selection), by=by))
        return saved

    def selections(self, by: str) -> list[SavedSelection]:
        everywhere, own = self._reach(by)
        query = sa.select(selections).order_by(selections.c.name)
        with self._db.read() as c:
            rows = c.execute(query if everywhere else query.where(selections.c.co_op.in_(own))).all()
        return [SavedSelection(r.id, r.name, r.co_op, read(Selection, r.selection)) for r in rows]

    def drop_selection(self, by: str, selection_id: str) -> bool:
        """False for one that is not this person's, or not there."""
        mine = [s.id for s in self.selections(by) if s.id == selection_id]
        with self._db.write() as c:
            c.execute(sa.delete(selections).where(selections.c.id.in_(mine)))
        return bool(mine)

    # inside

    def _plan(self, held: Announcement, version: int, states: Sequence[State]) -> Announcement:
        """From now on it leaves by itself."""
        _refuse(self.hindrances(held))
        now = self._clock()
        with self._db.write() as c:
            done = self._step(c, held, version, states, State.SCHEDULED)
            self._schedule.plan(c, done, begins(held.plan, now), now)
        return done

    def _step(self, c: sa.Connection, new: Announcement, version: int, states: Sequence[State], state: State) -> Announcement:
        """One UPDATE with its condition: of two who act on the same version the second changes nothing and hears so."""
        done = replace(new, version=version + 1, state=state, changed_at=self._now())
        seen = (announcements.c.id == new.id) & (announcements.c.version == version) & announcements.c.state.in_(states)
        if not c.execute(sa.update(announcements).where(seen).values(_row(done))).rowcount:
            now = c.execute(sa.select(announcements).where(announcements.c.id == new.id)).first()
            raise Changed(announcement_of(now), version) if now else NotThere
        return done

    def _tell_again(self, c: sa.Connection, told: Announcement, occasion: Occasion) -> None:
        """Other words to those who have seen it, or may have: edited where that can be, else a free delivery of its own."""
        seen = (deliveries.c.announcement == told.id) & deliveries.c.state.in_(_REACHED)
        edit = seen & deliveries.c.platform.in_(EDITABLE) & deliveries.c.state.in_((Status.SENT, Status.EDITING))
        values = {"state": Status.EDITING.value, "held_until": 0.0, "attempts": 0, "tried_at": None, "why": ""}
        c.execute(sa.update(deliveries).where(edit).values(values))
        unsent = deliveries.c.platform.not_in(EDITABLE) & seen
        columns = (deliveries.c.conversation, deliveries.c.platform, deliveries.c.address, deliveries.c.shape, deliveries.c.people)
        to = [
            Chat(*row[:3], Shape(row.shape), people=row.people) for row in c.execute(sa.select(*columns).where(unsent).distinct())
        ]
        told_of = seen & deliveries.c.run.in_(sa.select(runs.c.id).where(runs.c.occasion != Occasion.TEST))
        # Also where it is only edited there is a run: answers tell when it was corrected.
        if to or c.scalar(sa.select(deliveries.c.id).where(told_of).limit(1)):
            self._run_within(c, told, occasion, list({chat.conversation: chat for chat in to}.values()))

    def _let_follow(self) -> None:
        """The words of before leave the search at once. It is done already: what cannot follow now does with the next question."""
        try:
            self._follow()
        except KnowledgeError as error:
            log.error("A changed announcement is found as it was for a while. %s", error)

    def _run_now(self, told: Announcement, occasion: Occasion, to: Sequence[Chat]) -> None:
        with self._db.write() as c:
            self._run_within(c, told, occasion, to)

    def _run_within(self, c: sa.Connection, told: Announcement, occasion: Occasion, to: Sequence[Chat]) -> None:
        now = self._now()
        run = run_row(told.id, occasion, now, plain(told.content)) | {"state": RunState.OUT.value, "fanned_at": now}
        c.execute(sa.insert(runs).values(run))
        ends = max(told.expires_at(now), now + _KEPT_FOR_CORRECTION)
        fan_out(c, to, FanOut(told.id, run["id"], replace(told.plan, urgent=False), told.plan.means, None, ends, now))

    def _flaws_now(self, held: Announcement) -> list[str]:
        now = self._clock()
        rule = flaw_of_rule(held.plan.rrule, begins(held.plan, now))
        return (
            flaws(held.content)
            + flaws_of_plan(held.content, held.plan, now)
            + ([rule] if rule else [])
            + self._flaws_of(held.selection)
        )

    def _flaws_of(self, selection: Selection) -> list[str]:
        if selection.is_empty:
            return ["送り先を選んでください。"]
        known = {co_op.id for co_op in self._members.co_ops()}
        unknown = [c for c in selection.co_ops if c not in known]
        return [f"この労協は登録されていません: {'、'.join(unknown)}。"] if unknown else []

    # rights

    def may_announce(self, by: str) -> bool:
        everywhere, own = self._reach(by)
        return everywhere or bool(own)

    def _reach(self, by: str) -> tuple[bool, list[str]]:
        """Whether somebody announces for all, and the co-ops somebody announces for."""
        grants = self._members.grants(by)
        coordinates = [g.co_op for g in grants if g.role is Role.COORDINATOR]
        return "" in coordinates or any(g.role is Role.ADMIN for g in grants), [c for c in coordinates if c]

    def _rules(self, by: str, co_op: str) -> bool:
        everywhere, own = self._reach(by)
        return everywhere or co_op in own

    def _may_compose(self, by: str, co_op: str) -> str:
        """The co-op it is for: the given one, or the only one this person may announce for."""
        everywhere, own = self._reach(by)
        if not everywhere and not co_op and len(own) == 1:
            co_op = own[0]
        if not everywhere and co_op not in own:
            raise NotAllowed("お知らせを出せるのは、担当の労協だけです。" if own else "お知らせを出せるのは、世話役の人だけです。")
        if co_op and self._members.co_op(co_op) is None:
            raise UserMistake(f"この労協は登録されていません: {co_op}。")
        return co_op

    def _mine(self, announcement_id: str, by: str) -> Announcement:
        with self._db.read() as c:
            row = c.execute(sa.select(announcements).where(announcements.c.id == announcement_id)).first()
        if row is None or not self._rules(by, row.co_op):
            raise NotThere
        return announcement_of(row)

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def _row(told: Announcement) -> dict[str, Any]:
    ends = told.content.over_at() if told.plan.rrule else told.expires_at(local(told.plan.send_at or told.changed_at))
    return {
        "id": told.id,
        "version": told.version,
        "state": told.state.value,
        "kind": told.content.kind.value,
        "content": plain(told.content),
        "selection": plain(told.selection),
        "plan": plain(told.plan),
        "by": told.by,
        "co_op": told.co_op,
        "approved_by": told.approved_by,
        "valid_until": local(ends).date() if ends else None,
        "made_at": utc(told.made_at),
        "changed_at": utc(told.changed_at),
    }


def _refuse(found: Sequence[str]) -> None:
    if found:
        raise UserMistake("\n".join(found))
