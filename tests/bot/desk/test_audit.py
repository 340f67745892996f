"""Who did what, and who may read it, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.desk.audit import KEPT, Audit
from bot.members import CoOp, Grant, Members, Role
from bot.store import Store
from knowledge import Database
from tests.fakes import FixedClock

ADMIN, FEDERATION, UEDA, MEMBER = "desk:admin", "desk:federation", "desk:ueda", "desk:member"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def members(database: Database, clock: FixedClock) -> Members:
    Store(database)
    found = Members(database, clock)
    for name in ("ueda", "nagano"):
        found.put_co_op(CoOp(name, name))
    found.give(ADMIN, Grant(Role.ADMIN))
    found.give(FEDERATION, Grant(Role.COORDINATOR))
    found.give(UEDA, Grant(Role.COORDINATOR, "ueda"))
    found.give(MEMBER, Grant(Role.MEMBER, "ueda"))
    return found


@pytest.fixture
def audit(database: Database, members: Members, clock: FixedClock) -> Audit:
    found = Audit(database, members, clock)
    for by, action, co_op in ((ADMIN, "key.make", ""), (ADMIN, "role.give", "nagano"), (UEDA, "tip.publish", "ueda")):
        found.note(by, action, "about", co_op, "detail")
        clock.now += dt.timedelta(seconds=1)
    found.note(MEMBER, "account.password")
    return found


def test_each_reads_what_concerns_them(audit: Audit) -> None:
    def actions(reader: str) -> list[str]:
        return [d.action for d in audit.entries(reader)]

    assert actions(ADMIN) == ["account.password", "tip.publish", "role.give", "key.make"]
    assert actions(FEDERATION) == ["tip.publish", "role.give"]
    assert actions(UEDA) == ["tip.publish"]
    assert actions(MEMBER) == ["account.password"]
    assert actions("desk:nobody") == []
    assert audit.known(UEDA) == ([UEDA], ["tip.publish"])


def test_filters_and_pages(audit: Audit) -> None:
    assert [d.action for d in audit.entries(ADMIN, by=ADMIN)] == ["role.give", "key.make"]
    assert [d.by for d in audit.entries(ADMIN, action="tip.publish")] == [UEDA]
    assert audit.entries(UEDA, by=ADMIN) == []
    assert [d.action for d in audit.entries(ADMIN, offset=1, limit=2)] == ["tip.publish", "role.give"]


def test_two_years_are_kept(audit: Audit, clock: FixedClock) -> None:
    clock.now += KEPT + dt.timedelta(days=1)
    audit.note(ADMIN, "later")
    assert [d.action for d in audit.entries(ADMIN)] == ["later"]


def test_a_forgotten_persons_deeds_stay_without_a_name(audit: Audit) -> None:
    audit.note(ADMIN, "role.take", UEDA, "ueda", "上田の係")
    audit.forget(UEDA)
    found = audit.entries(ADMIN)
    assert [(d.by, d.action, d.about, d.detail) for d in found][:1] == [(ADMIN, "role.take", "", "")]
    assert ("", "tip.publish") in [(d.by, d.action) for d in found]
