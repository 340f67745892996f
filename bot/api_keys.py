"""Keys to the JSON interface: who holds one, and what it opens. Only a digest of a key is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from bot.errors import UserMistake
from bot.members import Grant, Members, Role
from bot.store import metadata
from bot.tips.store import tips
from bot.tips.tip import TipState
from knowledge import Database

PREFIX = "yui_"
_BYTES = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("co_op", sa.String(60), nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True)),
)


class Scope(StrEnum):
    """What a key opens."""

    READ = "read"
    TIPS_WRITE = "tips:write"
    TIPS_REVIEW = "tips:review"
    QUESTIONS_READ = "questions:read"
    MEMBERS_ADMIN = "members:admin"
    EXPORT = "export"
    ANNOUNCEMENTS_WRITE = "announcements:write"


_COORDINATES = {Scope.TIPS_REVIEW, Scope.QUESTIONS_READ, Scope.ANNOUNCEMENTS_WRITE}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a key. Without a co-op a key that reviews or announces does so for all, and one that reads finds what is public."""

    name: str
    scopes: frozenset[Scope]
    co_op: str = ""
    expires: dt.datetime | None = None

    @property
    def account(self) -> str:
        """The account under which the holder acts; its roles are the key's."""
        return f"api:{self.name}"

    def grants(self) -> list[Grant]:
        """The roles that fit the scopes: the services ask for roles, not for scopes."""
        found = [Grant(Role.MEMBER, self.co_op)] if self.co_op else []
        return [*found, Grant(Role.COORDINATOR, self.co_op)] if self.scopes & _COORDINATES else found


class ApiKeys:
    """Synchronous; every method is one or two short transactions."""

    def __init__(self, database: Database, members: Members, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._members = members
        self._clock = clock

    def make(self, name: str, scopes: Iterable[Scope], co_op: str = "", expires: dt.datetime | None = None) -> str:
        """A new key, which is shown this once. Raises UserMistake for a name or a co-op that cannot be."""
        holder = Holder(name, frozenset(scopes), co_op, expires)
        if not _NAME.fullmatch(name):
            raise UserMistake(f"{name!r} cannot be a key's name: use lower-case letters, digits and hyphens.")
        if not holder.scopes:
            raise UserMistake("Say what the key opens: " + ", ".join(Scope) + ".")
        if co_op and self._members.co_op(co_op) is None:
            raise UserMistake(f"There is no co-op {co_op}: add it first.")
        key = PREFIX + secrets.token_urlsafe(_BYTES)
        values = {
            "digest": _digest(key),
            "name": name,
            "scopes": sorted(holder.scopes),
            "co_op": co_op,
            "made_at": self._now(),
            "expires_at": expires.astimezone(dt.UTC) if expires else None,
        }
        with self._db.write() as c:
            if c.scalar(sa.select(sa.func.count()).where(api_keys.c.name == name)):
                raise UserMistake(f"There is a key {name} already: remove it first, or give this one another name.")
            theirs = (tips.c.author == holder.account) & (tips.c.co_op != co_op) & (tips.c.state != TipState.WITHDRAWN.value)
            if c.scalar(sa.select(sa.func.count()).where(theirs)):  # who holds the key could read and change them
                raise UserMistake(f"A key {name} of another co-op has given tips: give this one another name.")
            c.execute(sa.insert(api_keys).values(values))
        self._members.forget(holder.account)  # nothing is left over from an earlier key of that name
        for grant in holder.grants():
            self._members.give(holder.account, grant)
        return key

    def check(self, key: str) -> Holder | None:
        """Who holds a key; None for one that is unknown or past its day.

        All digests are compared, each in constant time: how long it takes says nothing about how near a guess was.
        """
        wanted = _digest(key)
        with self._db.read() as c:
            rows = c.execute(sa.select(api_keys)).mappings().all()
        found = [r for r in rows if hmac.compare_digest(r["digest"], wanted)]
        holder = _holder(found[0]) if found else None
        return None if holder is None or (holder.expires and holder.expires <= self._now()) else holder

    def holders(self) -> list[Holder]:
        """Every key that was made and not taken back, by name; also those past their day."""
        with self._db.read() as c:
            return [_holder(r) for r in c.execute(sa.select(api_keys).order_by(api_keys.c.name)).mappings()]

    def remove(self, name: str) -> bool:
        """Take a key back, with the roles it had. False where there is none of that name."""
        with self._db.write() as c:
            if not c.execute(sa.delete(api_keys).where(api_keys.c.name == name)).rowcount:
                return False
        self._members.forget(Holder(name, frozenset()).account)
        return True

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _holder(row: sa.RowMapping) -> Holder:
    expires = row["expires_at"]
    if expires is not None and expires.tzinfo is None:
        expires = expires.replace(tzinfo=dt.UTC)  # SQLite gives times back without their zone
    return Holder(row["name"], frozenset(Scope(s) for s in row["scopes"]), row["co_op"], expires)
