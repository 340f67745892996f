"""How often was asked, by week, field and prefecture; counted by the database, small counts held back."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from bot.clock import JAPAN
from bot.desk.asked_rows import WEEK, asked, beginning, monday
from bot.desk.small_counts import held_back

_MARKS = {"unanswered": asked.c.answered.is_(False), "helpful": asked.c.helpful.is_(True), "unhelpful": asked.c.helpful.is_(False)}


class By(StrEnum):
    """What trends are counted by."""

    WEEK = "week"  # from Monday on, in Japan
    FIELD = "field"  # what the co-op does first of all
    PREFECTURE = "prefecture"  # where it is


@dataclass(frozen=True, slots=True)
class Trend:
    """How often something was asked; None where the count is too small to be told, or would give one away that is.

    `key`: a Monday as an ISO date, a field or a prefecture; empty where it isn't known.
    """

    key: str
    asked: int | None
    unanswered: int | None
    helpful: int | None
    unhelpful: int | None


Counts = dict[str, Counter[str]]  # of each key: how many in all, and how many with each mark


def by_week(c: sa.Connection, visible: sa.ColumnElement[bool], since: dt.datetime, until: dt.datetime) -> Counts:
    """The weeks in their order, from the first one in which something was asked."""
    # A look into the index for each week: grouping a hundred thousand rows by their week takes longer. There may be no other
    # bound of the time in `visible`: SQLite would begin at that one.
    start, end = sa.bindparam("start", type_=asked.c.at.type), sa.bindparam("end", type_=asked.c.at.type)
    query = sa.select(*_columns()).where(visible, asked.c.at >= start, asked.c.at < end)
    found: Counts = {}
    day = monday(since.astimezone(JAPAN).date())
    while beginning(day) <= until:
        row = c.execute(query, {"start": max(beginning(day), since), "end": beginning(day + WEEK)}).mappings().one()
        if row["asked"] or found:
            found[day.isoformat()] = _counter(row)
        day += WEEK
    return found


def by_co_op(c: sa.Connection, visible: sa.ColumnElement[bool], keys: Mapping[str, str]) -> Counts:
    """Counts by what each co-op stands for; "" for the rest."""
    query = sa.select(asked.c.co_op, *_columns()).where(visible).group_by(asked.c.co_op)
    found: Counts = {}
    for row in c.execute(query).mappings():
        found.setdefault(keys.get(row["co_op"], ""), Counter()).update(_counter(row))
    return found


def told(found: Counts) -> list[Trend]:
    """The counts without those that may not be told."""
    every = list(found.values())
    hidden = held_back([(c["asked"],) for c in every])
    held = {name: held_back([(c[name], c["asked"] - c[name]) for c in every], hidden) for name in _MARKS}
    return [
        Trend(key, None if n in hidden else c["asked"], **{name: None if n in held[name] else c[name] for name in _MARKS})
        for n, (key, c) in enumerate(found.items())
    ]


def _columns() -> list[sa.ColumnElement[int]]:
    marked = (sa.func.count(sa.case((is_so, 1))).label(name) for name, is_so in _MARKS.items())
    return [sa.func.count().label("asked"), *marked]


def _counter(row: sa.RowMapping) -> Counter[str]:
    return Counter({name: row[name] for name in ("asked", *_MARKS)})
