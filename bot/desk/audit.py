"""Who did what at the desk, for two years. It holds no text of tips or questions, no token and no password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.desk.rights import is_admin, looks_after
from bot.members import Members
from bot.store import metadata
from knowledge import Database

KEPT = dt.timedelta(days=2 * 365)
_LONGEST = 300  # characters of a detail

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("by", sa.String(80), nullable=False, index=True),
    sa.Column("action", sa.String(40), nullable=False, index=True),
    sa.Column("about", sa.String(200), nullable=False),
    sa.Column("co_op", sa.String(60), nullable=False, index=True),
    sa.Column("detail", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing somebody did. `by` is empty for a person who has been forgotten; `about`: the id of what it was done to."""

    id: int
    at: dt.datetime
    by: str
    action: str
    about: str
    co_op: str
    detail: str


class Audit:
    """Every method is one short transaction."""

    def __init__(self, database: Database, members: Members, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._members = members
        self._clock = clock

    def note(self, by: str, action: str, about: str = "", co_op: str = "", detail: str = "") -> None:
        """Write down what somebody did. `action`: a word such as `role.give`, 40 characters at most."""
        now = self._clock().astimezone(dt.UTC)
        values = {
            "at": now,
            "by": by,
            "action": action[:40],
            "about": about[:200],
            "co_op": co_op[:60],
            "detail": detail[:_LONGEST],
        }
        with self._db.write() as c:
            c.execute(sa.delete(audit_log).where(audit_log.c.at < now - KEPT))
            c.execute(sa.insert(audit_log).values(values))

    def entries(self, reader: str, offset: int = 0, limit: int = 50, by: str = "", action: str = "") -> list[Deed]:
        """The newest first. An admin sees all; a coordinator what concerns the co-ops they look after, or what they did."""
        query = sa.select(audit_log).where(self._visible(reader))
        if by:
            query = query.where(audit_log.c.by == by)
        if action:
            query = query.where(audit_log.c.action == action)
        query = query.order_by(audit_log.c.at.desc(), audit_log.c.id.desc()).offset(offset).limit(limit)
        with self._db.read() as c:
            return [_deed(r) for r in c.execute(query).mappings()]

    def known(self, reader: str) -> tuple[list[str], list[str]]:
        """The accounts and the actions that appear in what a reader may see: what one can filter by."""
        seen = self._visible(reader)
        with self._db.read() as c:
            people = c.scalars(sa.select(audit_log.c.by).where(seen, audit_log.c.by != "").distinct()).all()
            actions = c.scalars(sa.select(audit_log.c.action).where(seen).distinct()).all()
        return sorted(people), sorted(actions)

    def forget(self, person: str) -> None:
        """What a person did stays, without telling who did it."""
        mine = self._members.accounts_of(person)
        with self._db.write() as c:
            c.execute(sa.update(audit_log).where(audit_log.c.by.in_(mine)).values(by=""))
            c.execute(sa.update(audit_log).where(audit_log.c.about.in_(mine)).values(about="", detail=""))

    def _visible(self, reader: str) -> sa.ColumnElement[bool]:
        if is_admin(self._members, reader):
            return sa.true()
        own = audit_log.c.by.in_(self._members.accounts_of(reader))
        co_ops = looks_after(self._members, reader)
        return own | (audit_log.c.co_op != "" if co_ops is None else audit_log.c.co_op.in_(co_ops))


def _deed(row: sa.RowMapping) -> Deed:
    at = row["at"]
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)  # SQLite gives times back without their zone
    return Deed(row["id"], at, row["by"], row["action"], row["about"], row["co_op"], row["detail"])
