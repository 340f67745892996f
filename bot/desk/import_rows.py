"""Imports as rows: what was uploaded, how far it is, what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.store import metadata
from knowledge import Database

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("by", sa.String(80), nullable=False, index=True),
    sa.Column("co_op", sa.String(60), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """`about`: the choices that were made and the report, kept in the column `report`. `seen_at`: the last sign of life."""

    id: str
    name: str
    by: str
    co_op: str
    state: str
    done: int
    total: int
    about: Mapping[str, Any]
    made_at: dt.datetime
    seen_at: dt.datetime


class ImportRows:
    """Every method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, row: ImportRow) -> None:
        plain = ("id", "name", "by", "co_op", "state", "done", "total", "made_at", "seen_at")
        with self._db.write() as c:
            c.execute(sa.insert(imports).values(**{k: getattr(row, k) for k in plain}, report=dict(row.about)))

    def get(self, job_id: str) -> ImportRow | None:
        with self._db.read() as c:
            row = c.execute(sa.select(imports).where(imports.c.id == job_id)).mappings().first()
        return _read(row) if row else None

    def newest(self, co_ops: Collection[str] | None, limit: int) -> list[ImportRow]:
        """The newest first; of some co-ops, None: of all."""
        query = sa.select(imports).order_by(imports.c.made_at.desc(), imports.c.id).limit(limit)
        with self._db.read() as c:
            rows = c.execute(query if co_ops is None else query.where(imports.c.co_op.in_(sorted(co_ops)))).mappings().all()
        return [_read(r) for r in rows]

    def under_way(self) -> Sequence[ImportRow]:
        with self._db.read() as c:
            rows = c.execute(sa.select(imports).where(imports.c.state.in_(("checking", "running")))).mappings().all()
        return [_read(r) for r in rows]

    def change(self, job_id: str, seen_at: dt.datetime, about: Mapping[str, Any] | None = None, **values: Any) -> None:
        """`about` is added to what is kept there."""
        mine = imports.c.id == job_id
        with self._db.write() as c:
            if about is not None:
                held = c.scalar(sa.select(imports.c.report).where(mine).with_for_update()) or {}
                values["report"] = {**held, **about}
            c.execute(sa.update(imports).where(mine).values(seen_at=seen_at, **values))

    def drop(self, before: dt.datetime) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(imports).where(imports.c.made_at < before))

    def forget(self, accounts: Sequence[str]) -> None:
        with self._db.write() as c:
            c.execute(sa.update(imports).where(imports.c.by.in_(accounts)).values(by=""))


def _read(row: sa.RowMapping) -> ImportRow:
    plain = {k: row[k] for k in ("id", "name", "by", "co_op", "state", "done", "total")}
    made, seen = (at if at.tzinfo else at.replace(tzinfo=dt.UTC) for at in (row["made_at"], row["seen_at"]))
    return ImportRow(**plain, about=row["report"], made_at=made, seen_at=seen)
