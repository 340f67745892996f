"""The month's quota: people reserved before a paid call, charged or released after it; never more than what is left.

Our own count is what was charged and what is reserved. What the platform counts beyond what we had charged when it was asked is
somebody else's (messages written by hand in LINE's own console) and counts too. Before the platform has told a month's quota
nothing is paid in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from bot.announcing.tables import insert, ledger, months, utc
from bot.clock import JAPAN
from knowledge import Database

CHARGED = frozenset({"line"})  # platforms that count the people reached


class Entry(StrEnum):
    RESERVED = "reserved"
    CHARGED = "charged"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Balance:
    """People of one month. `allowed` None: no limit; `told` None: the platform has not been asked yet."""

    month: str
    allowed: int | None
    charged: int
    reserved: int
    told: int | None
    others: int  # counted by the platform, not by us

    @property
    def left(self) -> int | None:
        """What may still be spent; None without a limit. 0 before the platform has told the quota."""
        if self.told is None:
            return 0
        return None if self.allowed is None else max(0, self.allowed - self.charged - self.reserved - self.others)

    @property
    def differs(self) -> bool:
        """Whether the platform and we count differently."""
        return self.told is not None and self.others > 0


class Ledger:
    """Methods that take a connection are a part of somebody else's transaction."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._clock = clock

    def lock(self, c: sa.Connection, month: str) -> bool:
        """Nobody else reserves in this month until the transaction ends. False where the quota has not been told yet.

        It writes, so that SQLite gives this transaction its lock before anything is read.
        """
        return bool(c.execute(sa.update(months).where(months.c.month == month).values(month=month)).rowcount)

    def reserve(self, c: sa.Connection, month: str, wanted: Mapping[str, int]) -> set[str]:
        """Set the people of some deliveries aside, under `lock`, in their order. Returns those that are, now or from before."""
        mine = (ledger.c.month == month) & ledger.c.delivery.in_(list(wanted))
        held = dict(c.execute(sa.select(ledger.c.delivery, ledger.c.state).where(mine)).all())
        done = {delivery for delivery, state in held.items() if state != Entry.RELEASED}
        left, new = self._balance(c, month).left, []
        for delivery, people in wanted.items():
            if delivery in done or (left is not None and people > left):
                continue
            left = None if left is None else left - people
            values = {"people": people, "state": Entry.RESERVED.value, "at": self.now()}
            new.append({"delivery": delivery, "month": month, **values})
        if new:
            put = insert(c)(ledger)  # what was released before is set aside again
            values = {name: put.excluded[name] for name in ("people", "state", "at")}
            c.execute(put.on_conflict_do_update(index_elements=[ledger.c.delivery, ledger.c.month], set_=values), new)
        return done | {str(row["delivery"]) for row in new}

    def settle(self, c: sa.Connection, ids: Sequence[str], entry: Entry) -> None:
        """What was reserved for these deliveries has been spent, or has not."""
        if ids:
            mine = ledger.c.delivery.in_(ids) & (ledger.c.state == Entry.RESERVED.value)
            c.execute(sa.update(ledger).where(mine).values(state=entry.value, at=self.now()))

    def charged(self, month: str) -> int:
        """To be read before the platform is asked, and given to `told`."""
        with self._db.read() as c:
            return self._balance(c, month).charged

    def told(self, month: str, allowed: int | None, used: int, charged_before: int) -> None:
        """What the platform says of a month."""
        values = {"allowed": allowed, "told_used": used, "own_at_telling": charged_before, "asked_at": self.now()}
        with self._db.write() as c:
            put = insert(c)(months).values(month=month, **values)
            c.execute(put.on_conflict_do_update(index_elements=[months.c.month], set_=values))

    def asked_at(self, month: str) -> dt.datetime | None:
        with self._db.read() as c:
            found = c.scalar(sa.select(months.c.asked_at).where(months.c.month == month))
        return utc(found) if found else None

    def balance(self, month: str) -> Balance:
        with self._db.read() as c:
            return self._balance(c, month)

    def _balance(self, c: sa.Connection, month: str) -> Balance:
        query = sa.select(ledger.c.state, sa.func.sum(ledger.c.people)).where(ledger.c.month == month).group_by(ledger.c.state)
        sums = {state: int(people or 0) for state, people in c.execute(query)}
        told = c.execute(sa.select(months).where(months.c.month == month)).first()
        return Balance(
            month,
            told.allowed if told else None,
            sums.get(Entry.CHARGED, 0),
            sums.get(Entry.RESERVED, 0),
            told.told_used if told else None,
            max(0, told.told_used - told.own_at_telling) if told else 0,
        )

    def now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def month_of(moment: dt.datetime) -> str:
    """The month a push counts in, by Japan's calendar: 2027-03."""
    return moment.astimezone(JAPAN).strftime("%Y-%m")
