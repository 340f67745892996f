"""One-time links to the desk: the first admin, an invitation, a new password. Only a digest of one is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.members import Grant, Role
from bot.store import metadata
from knowledge import Database

_BYTES = 24
_REMEMBERED = dt.timedelta(days=90)  # so that who comes too late is told whom to ask
_SHOWN = 16  # letters of the digest that name a link

links = sa.Table(
    "desk_links",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("purpose", sa.String(20), nullable=False),
    sa.Column("subject", sa.JSON, nullable=False),
    sa.Column("made_by", sa.String(80), nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("used_at", sa.DateTime(timezone=True)),
)


class LinkPurpose(StrEnum):
    """What a link is for, which is also how long it lives."""

    FIRST = "first"  # the first admin
    INVITE = "invite"  # a role
    RESET = "reset"  # a new password


VALID = {LinkPurpose.FIRST: dt.timedelta(days=7), LinkPurpose.INVITE: dt.timedelta(days=7), LinkPurpose.RESET: dt.timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Link:
    """`id` names it on a page and opens nothing. `account`: whose password a RESET sets."""

    id: str
    purpose: LinkPurpose
    grant: Grant | None
    account: str
    made_by: str
    expires_at: dt.datetime
    used: bool

    def alive(self, now: dt.datetime) -> bool:
        return not self.used and self.expires_at > now


class Links:
    """Every method is one short transaction."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._clock = clock

    def make(self, purpose: LinkPurpose, by: str = "", grant: Grant | None = None, account: str = "") -> str:
        """A new link's token. The older FIRST ones, or RESET ones of the same account, die."""
        token, now = secrets.token_urlsafe(_BYTES), self.now()
        values = {
            "digest": _digest(token),
            "purpose": purpose.value,
            "subject": {"role": grant.role.value if grant else "", "co_op": grant.co_op if grant else "", "account": account},
            "made_by": by,
            "made_at": now,
            "expires_at": now + VALID[purpose],
        }
        with self._db.write() as c:
            c.execute(sa.delete(links).where(links.c.expires_at < now - _REMEMBERED))
            if purpose is not LinkPurpose.INVITE:
                older = links.c.subject["account"].as_string() == account
                c.execute(sa.delete(links).where(links.c.purpose == purpose.value, older))
            c.execute(sa.insert(links).values(values))
        return token

    def find(self, token: str) -> Link | None:
        """The link of a token, alive or not."""
        with self._db.read() as c:
            row = c.execute(sa.select(links).where(links.c.digest == _digest(token))).mappings().first()
        return _link(row) if row else None

    def use(self, c: sa.Connection, token: str) -> bool:
        """Within a transaction: take a link that is alive, once."""
        alive = (links.c.digest == _digest(token)) & links.c.used_at.is_(None) & (links.c.expires_at > self.now())
        return bool(c.execute(sa.update(links).where(alive).values(used_at=self.now())).rowcount)

    def waiting(self) -> list[Link]:
        """Invitations nobody has followed yet, the one that lives longest first."""
        alive = links.c.used_at.is_(None) & (links.c.expires_at > self.now()) & (links.c.purpose == LinkPurpose.INVITE.value)
        with self._db.read() as c:
            return [_link(r) for r in c.execute(sa.select(links).where(alive).order_by(links.c.expires_at.desc())).mappings()]

    def cancel(self, link_id: str) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(links).where(sa.func.substr(links.c.digest, 1, _SHOWN) == link_id))

    def cancel_all(self, purpose: LinkPurpose) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(links).where(links.c.purpose == purpose.value))

    def forget(self, account: str) -> None:
        """Nothing that this account made, or that is about it, opens anything any more."""
        with self._db.write() as c:
            about = links.c.subject["account"].as_string() == account
            c.execute(sa.delete(links).where((links.c.made_by == account) | about))

    def now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _link(row: sa.RowMapping) -> Link:
    subject: Mapping[str, Any] = row["subject"]
    expires = row["expires_at"]
    return Link(
        id=row["digest"][:_SHOWN],
        purpose=LinkPurpose(row["purpose"]),
        grant=Grant(Role(subject["role"]), subject["co_op"]) if subject["role"] else None,
        account=subject["account"],
        made_by=row["made_by"],
        expires_at=expires if expires.tzinfo else expires.replace(tzinfo=dt.UTC),  # SQLite gives times back without their zone
        used=row["used_at"] is not None,
    )
