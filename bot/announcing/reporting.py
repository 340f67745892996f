"""What came of announcements: delivered free, paid, waiting, failed and why; what a month cost and saved."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.announcing.announcement import Announcement, local, read
from bot.announcing.ledger import CHARGED, Balance, Ledger
from bot.announcing.schedule import Run, Schedule
from bot.announcing.tables import Status, deliveries, ledger, utc
from knowledge import Database

_PAID = deliveries.c.id.in_(sa.select(ledger.c.delivery).where(ledger.c.state == "charged")).label("paid")


@dataclass(frozen=True, slots=True)
class Outlook:
    """Deliveries of one run, counted by how they stand."""

    run: Run
    standing: dict[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """`free`, `paid`: chats reached without and with a charge. `saved`: people the free ones would have cost.

    `why`: codes (`words.WHY`) with counts, of what failed and of what still waits.
    """

    announcement: Announcement
    free: int
    paid: int
    waiting: int
    failed: int
    unsure: int
    people_paid: int
    saved: int
    why: dict[str, int]
    runs: tuple[Outlook, ...]
    unsure_chats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MonthReport:
    """A month: what was spent and what was saved."""

    balance: Balance
    free: int
    paid: int
    saved: int


def report_of(database: Database, schedule: Schedule, told: Announcement) -> Report:
    columns = (deliveries.c.run, deliveries.c.state, deliveries.c.conversation, deliveries.c.why, deliveries.c.people)
    query = sa.select(*columns, deliveries.c.platform, deliveries.c.way, _PAID).where(deliveries.c.announcement == told.id)
    with database.read() as c:
        rows = c.execute(query).all()
    runs = tuple(Outlook(run, Counter(row.state for row in rows if row.run == run.id)) for run in schedule.of(told.id))
    return Report(told, runs=runs, **_counted(rows))


def report_of_month(database: Database, quota: Ledger, month: str) -> MonthReport:
    """`month`: 2027-03."""
    begin = local(read(dt.datetime, f"{month}-01T00:00:00"))
    end = (begin + dt.timedelta(days=32)).replace(day=1)
    within = (deliveries.c.sent_at >= utc(begin)) & (deliveries.c.sent_at < utc(end)) & (deliveries.c.state == Status.SENT)
    with database.read() as c:
        rows = c.execute(sa.select(_PAID, deliveries.c.platform, deliveries.c.people).where(within)).all()
    free = [row for row in rows if not row.paid]
    saved = sum(row.people for row in free if row.platform in CHARGED)
    return MonthReport(quota.balance(month), len(free), len(rows) - len(free), saved)


def _counted(rows: Sequence[Any]) -> dict[str, Any]:
    """The figures of a report."""
    sent = [row for row in rows if row.state in (Status.SENT, Status.EDITING)]
    free = [row for row in sent if not row.paid]
    failed = [row for row in rows if row.state in (Status.FAILED, Status.EXPIRED)]
    why: dict[str, int] = {}
    for row in [*failed, *(r for r in rows if r.state == Status.WAITING and r.why)]:
        why[row.why] = why.get(row.why, 0) + 1
    return {
        "free": len(free),
        "paid": len(sent) - len(free),
        "waiting": sum(row.state in (Status.WAITING, Status.SENDING, Status.RIDING) for row in rows),
        "failed": len(failed),
        "unsure": sum(row.state == Status.UNSURE for row in rows),
        "people_paid": sum(row.people for row in sent if row.paid),
        "saved": sum(row.people for row in free if row.platform in CHARGED),
        "why": why,
        "unsure_chats": tuple(row.conversation for row in rows if row.state == Status.UNSURE),
    }
