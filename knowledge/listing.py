"""Documents by the page, for those who look after them: chosen and cut by the database, never read as a whole."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from knowledge.database import Database
from knowledge.store import KnowledgeStore, documents, passages
from knowledge.types import Audience, Document

NOBODY = "removed"  # the audience of what has been taken out by hand and would else come back by itself
_AT_ONCE = 500
_MOST_NAMED = 20_000  # ids that can be given; beyond, what is looked for is too much to look at anyway


@dataclass(frozen=True, slots=True)
class Listed:
    """A document in one line."""

    id: str
    kind: str
    title: str
    short: str  # of its first passage, where it was asked for
    source: str
    article: str
    as_of: str
    audience: frozenset[str]
    origin: str
    starts: dt.date | None
    ends: dt.date | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents. `audience` None: whoever may see them. `only`: among these ids. `for_key`: whose audience holds this key."""

    audience: Audience | None = None
    kind: str = ""
    for_key: str = ""
    only: Collection[str] | None = None
    origin: str = ""
    kinds_left_out: tuple[str, ...] = ()


class Listing:
    """Every method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._store = KnowledgeStore(database)

    def page(self, wanted: Wanted, offset: int, limit: int) -> tuple[list[Listed], int]:
        """A page of documents by kind and title, and how many there are in all."""
        chosen = _chosen(wanted)
        # Only what orders them is sorted; whole rows are read for the page alone.
        page = sa.select(documents.c.id).where(chosen).order_by(documents.c.kind, documents.c.title, documents.c.id)
        with self._db.read() as c:
            total = int(c.scalar(sa.select(sa.func.count()).select_from(documents).where(chosen)) or 0)
            ids = c.scalars(page.offset(offset).limit(limit)).all()
            rows = {r["id"]: r for r in c.execute(sa.select(documents).where(documents.c.id.in_(ids))).mappings()}
            found = _listed([rows[i] for i in ids if i in rows], _shorts(c, ids))
        return [d for d in found if wanted.audience is None or not d.audience.isdisjoint(wanted.audience.keys)], total

    def whole(self, wanted: Wanted) -> Iterator[Document]:
        """Whole documents by kind and title, read some at a time."""
        offset, total = 0, 1
        while offset < total:
            listed, total = self.page(wanted, offset, _AT_ONCE)
            found = self._store.documents([d.id for d in listed])
            yield from (found[d.id] for d in listed if d.id in found)
            offset += _AT_ONCE

    def ending(self, first: dt.date, last: dt.date) -> list[Listed]:
        """Documents whose last day lies in a span, by that day."""
        return self._where(documents.c.ends.between(first, last), documents.c.ends)

    def citing(self, articles: Sequence[str]) -> list[Listed]:
        """Documents of these articles of the Act, or whose source names one."""
        if not articles:
            return []
        named = [documents.c.source.contains(f" {a}", autoescape=True) for a in articles]
        return self._where(documents.c.article.in_(articles) | sa.or_(*named), documents.c.id)

    def named(self, ids: Sequence[str], *, shorts: bool = False) -> dict[str, Listed]:
        """Documents by their ids; what is gone is left out. `shorts`: with their short answers."""
        found: dict[str, Listed] = {}
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            found |= {d.id: d for d in self._where(documents.c.id.in_(some), documents.c.id, some if shorts else ())}
        return found

    def hashes(self, origin: str) -> dict[str, str]:
        """What an origin holds: document id → hash of its content."""
        with self._db.read() as c:
            rows = c.execute(sa.select(documents.c.id, documents.c.hash).where(documents.c.origin == origin)).all()
        return {r.id: r.hash for r in rows}

    def _where(
        self, condition: sa.ColumnElement[bool], order: sa.ColumnElement[Any], with_shorts: Sequence[str] = ()
    ) -> list[Listed]:
        with self._db.read() as c:
            rows = c.execute(sa.select(documents).where(condition).order_by(order)).mappings().all()
            return _listed(rows, _shorts(c, with_shorts))


def _chosen(wanted: Wanted) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if wanted.audience is not None:
        conditions.append(sa.or_(*(_holds(key) for key in sorted(wanted.audience.keys))))
    if wanted.for_key:
        conditions.append(_holds(wanted.for_key))
    if wanted.kind:
        conditions.append(documents.c.kind == wanted.kind)
    if wanted.kinds_left_out:
        conditions.append(documents.c.kind.not_in(wanted.kinds_left_out))
    if wanted.origin:
        conditions.append(documents.c.origin == wanted.origin)
    if wanted.only is not None:
        conditions.append(documents.c.id.in_(sorted(wanted.only)[:_MOST_NAMED]))
    if wanted.audience is None:  # what has been taken out by hand keeps its id, for nobody
        conditions.append(~_holds(NOBODY))
    return sa.and_(*conditions)


def _holds(key: str) -> sa.ColumnElement[bool]:
    """Whether a document's audience has a key. It is kept as a list in JSON; the rows that come are compared again."""
    return sa.cast(documents.c.audience, sa.Text).contains(json.dumps(key), autoescape=True)


def _shorts(c: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """The short answer of each document's first passage, else how its text begins."""
    if not ids:
        return {}
    first = passages.c.document_id.in_(ids) & (passages.c.position == 0)
    query = sa.select(passages.c.document_id, passages.c.short, sa.func.substr(passages.c.detail, 1, 120)).where(first)
    return {document: short or detail for document, short, detail in c.execute(query)}


def _listed(rows: Sequence[sa.RowMapping], shorts: Mapping[str, str]) -> list[Listed]:
    plain = ("id", "kind", "title", "source", "article", "as_of", "origin", "starts", "ends")
    return [Listed(**{k: r[k] for k in plain}, short=shorts.get(r["id"], ""), audience=frozenset(r["audience"])) for r in rows]
