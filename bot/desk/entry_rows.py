"""Versions of entries and who looks after them, as rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.desk.contents import Content, packed, unpacked
from bot.store import metadata
from knowledge import Database

_AT_ONCE = 500
_MOST = 20_000  # ids that a filter gives back

entry_versions = sa.Table(
    "entry_versions",
    metadata,
    sa.Column("document", sa.String(200), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),  # {"entry", "origin"}, or {"same"}, or {"removed"}
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
entry_care = sa.Table(
    "entry_care",
    metadata,
    sa.Column("document", sa.String(200), primary_key=True),
    sa.Column("verifier", sa.String(80), nullable=False),
    sa.Column("check_at", sa.Date, index=True),
    sa.Column("expires_at", sa.Date, index=True),
    sa.Column("wait_until", sa.DateTime(timezone=True)),
)

CHECKED, SHOWN_AGAIN, EXPIRED, REMOVED = "checked", "shown", "expired", "removed"


class Taken(Exception):
    """Somebody else has written a newer version meanwhile."""


@dataclass(frozen=True, slots=True)
class Care:
    """Who looks after an entry, when it is to be checked again, from when on it is no longer told, and until when it may wait."""

    verifier: str = ""
    check_at: dt.date | None = None
    expires_at: dt.date | None = None
    wait_until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """An entry as it was from a moment on. `content` None: taken out. `origin`: whose it was before the first edit."""

    version: int
    content: Content | None
    by: str
    at: dt.datetime
    note: str = ""
    origin: str = ""
    former: Mapping[str, Any] | None = None  # the care before a check, so that the check can be taken back


class EntryRows:
    """Every method is one short transaction; what is written together with a document comes with that one's connection."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def versions(self, document: str) -> list[Version]:
        """All versions, the oldest first; one that left the text as it was has the text of the one before."""
        query = sa.select(entry_versions).where(entry_versions.c.document == document).order_by(entry_versions.c.version)
        with self._db.read() as c:
            rows = c.execute(query).mappings().all()
        found: list[Version] = []
        for row in rows:
            raw = row["content"]
            same = found[-1].content if found and "same" in raw else None
            content = unpacked(raw["entry"]) if "entry" in raw else same
            at = row["at"] if row["at"].tzinfo else row["at"].replace(tzinfo=dt.UTC)
            found.append(Version(row["version"], content, row["by"], at, row["note"], raw.get("origin", ""), raw.get("care")))
        return found

    def latest(self, document: str) -> int:
        """The newest version's number; 0 where nobody has edited it."""
        query = sa.select(sa.func.max(entry_versions.c.version)).where(entry_versions.c.document == document)
        with self._db.read() as c:
            return int(c.scalar(query) or 0)

    def add(self, document: str, version: Version, before: tuple[Content, str] | None = None) -> Callable[[sa.Connection], None]:
        """Writes a version, and what was there `before` the first (content and origin). Raises Taken where there is one already."""

        def write(c: sa.Connection) -> None:
            try:
                if before is not None:
                    c.execute(_row(document, Version(0, before[0], "", version.at, "", before[1])))
                c.execute(_row(document, version))
            except sa.exc.IntegrityError as error:
                raise Taken(document) from error

        return write

    def write(self, doing: Callable[[sa.Connection], None]) -> None:
        """Something that belongs to no change of the document."""
        with self._db.write() as c:
            doing(c)

    def drop_last(self, document: str, version: int) -> None:
        mine = (entry_versions.c.document == document) & (entry_versions.c.version == version)
        with self._db.write() as c:
            c.execute(sa.delete(entry_versions).where(mine))

    def touched(self, documents: Sequence[str]) -> dict[str, dt.datetime]:
        """When each was last written or checked by a person."""
        by_hand = (entry_versions.c.version > 0) & (entry_versions.c.by != "")
        found: dict[str, dt.datetime] = {}
        with self._db.read() as c:
            for start in range(0, len(documents), _AT_ONCE):
                some = entry_versions.c.document.in_(documents[start : start + _AT_ONCE])
                query = sa.select(entry_versions.c.document, sa.func.max(entry_versions.c.at)).where(some, by_hand)
                found |= dict(c.execute(query.group_by(entry_versions.c.document)).all())
        return {d: at if at.tzinfo else at.replace(tzinfo=dt.UTC) for d, at in found.items()}

    # care

    def cares(self, documents: Sequence[str]) -> dict[str, Care]:
        found: dict[str, Care] = {}
        with self._db.read() as c:
            for start in range(0, len(documents), _AT_ONCE):
                some = entry_care.c.document.in_(documents[start : start + _AT_ONCE])
                found |= {r["document"]: _care(r) for r in c.execute(sa.select(entry_care).where(some)).mappings()}
        return found

    def care(self, document: str) -> Care:
        return self.cares([document]).get(document, Care())

    def put_care(self, document: str, care: Care) -> None:
        values = {
            "verifier": care.verifier,
            "check_at": care.check_at,
            "expires_at": care.expires_at,
            "wait_until": care.wait_until,
        }
        with self._db.write() as c:
            mine = entry_care.c.document == document
            if not c.execute(sa.update(entry_care).where(mine).values(values)).rowcount:
                c.execute(sa.insert(entry_care).values(document=document, **values))

    def cared(self, *, due: dt.date | None = None, verifiers: Collection[str] = (), lapsing: tuple[dt.date, dt.date] | None = None,
              expired: dt.date | None = None) -> dict[str, Care]:  # fmt: skip
        """Entries to check by a day, of some verifiers, that lapse within a span, or have lapsed before a day."""
        conditions = []
        if due is not None:
            conditions.append(entry_care.c.check_at <= due)
        if verifiers:
            conditions.append(entry_care.c.verifier.in_(sorted(verifiers)))
        if lapsing is not None:
            conditions.append(entry_care.c.expires_at.between(*lapsing))
        if expired is not None:
            conditions.append(entry_care.c.expires_at < expired)
        query = sa.select(entry_care).where(*conditions).order_by(entry_care.c.check_at, entry_care.c.document).limit(_MOST)
        with self._db.read() as c:
            return {r["document"]: _care(r) for r in c.execute(query).mappings()}

    def forget(self, accounts: Sequence[str]) -> None:
        """What a person wrote stays, without telling who wrote it."""
        with self._db.write() as c:
            c.execute(sa.update(entry_versions).where(entry_versions.c.by.in_(accounts)).values(by="?"))
            c.execute(sa.update(entry_care).where(entry_care.c.verifier.in_(accounts)).values(verifier=""))


def _row(document: str, v: Version) -> sa.Insert:
    if v.note == REMOVED:
        content: dict[str, Any] = {"removed": True}
    elif v.content is None:
        content = {"same": True}
    else:
        content = {"entry": packed(v.content)}
    content |= ({"origin": v.origin} if v.origin else {}) | ({"care": dict(v.former)} if v.former is not None else {})
    values = {"document": document, "version": v.version, "content": content, "by": v.by, "at": v.at, "note": v.note}
    return sa.insert(entry_versions).values(values)


def _care(row: sa.RowMapping) -> Care:
    wait = row["wait_until"]
    wait = wait.replace(tzinfo=dt.UTC) if wait is not None and wait.tzinfo is None else wait
    return Care(row["verifier"], row["check_at"], row["expires_at"], wait)
