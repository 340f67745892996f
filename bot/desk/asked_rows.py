"""What was asked, as rows: the table, what may be looked for in it, and what a reviewer reads of it."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from bot.clock import JAPAN
from bot.store import metadata

WEEK = dt.timedelta(days=7)
_MOST_WORDS, _LONGEST_WORD = 5, 100  # of what is searched for
_WIDE = {n: n + 0xFEE0 for n in range(ord("!"), ord("~") + 1)}  # as Japanese keyboards write them
_MOMENT = sa.DateTime(timezone=True)

asked = sa.Table(
    "asked",
    metadata,
    sa.Column("answer_id", sa.String(40), primary_key=True),
    sa.Column("at", _MOMENT, nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # empty: what it was about is nobody's business
    sa.Column("language", sa.String(20), nullable=False),
    sa.Column("co_op", sa.String(60), nullable=False),
    sa.Column("asker", sa.String(80), nullable=False, index=True),
    sa.Column("conversation", sa.String(80), nullable=False, index=True),
    sa.Column("answered", sa.Boolean, nullable=False),
    sa.Column("helpful", sa.Boolean, index=True),  # false as soon as one person said so; null: not rated
    sa.Column("passages", sa.JSON, nullable=False),
    sa.Column("settled_at", _MOMENT),
    sa.Column("settled_by", sa.String(80), nullable=False),
    sa.Column("wait_until", _MOMENT),
    # Everything that is counted stands in an index: rows are only read for the page that is shown.
    sa.Index("ix_asked_everywhere", "at", "answer_id", "co_op", "answered", "helpful"),
    sa.Index("ix_asked_in_co_op", "co_op", "at", "answer_id", "answered", "helpful"),
)


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question as a reviewer sees it. `helpful`: None where nobody has rated the answer."""

    answer_id: str
    at: dt.datetime
    text: str
    language: str
    co_op: str
    answered: bool
    helpful: bool | None
    passages: tuple[str, ...]  # what was told


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; None and empty: anything. `week`: any day of it. `co_op`: "" is what no co-op asked."""

    answered: bool | None = None
    helpful: bool | None = None
    week: dt.date | None = None
    co_op: str | None = None
    text: str = ""


def monday(day: dt.date) -> dt.date:
    """The Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())


def conditions(filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    """What a row has to be."""
    if filters.answered is not None:
        yield asked.c.answered.is_(filters.answered)
    if filters.helpful is not None:
        yield asked.c.helpful.is_(filters.helpful)
    if filters.week is not None:
        start = monday(filters.week)
        yield asked.c.at >= beginning(start)
        yield asked.c.at < beginning(start + WEEK)
    if filters.co_op is not None:
        yield asked.c.co_op == filters.co_op
    for word in filters.text.split()[:_MOST_WORDS]:
        yield sa.or_(*(asked.c.text.contains(spelled, autoescape=True) for spelled in _spellings(word[:_LONGEST_WORD])))


def _spellings(word: str) -> set[str]:
    """NPO, npo and ＮＰＯ are the same word; folding every row would take three times as long."""
    plain = unicodedata.normalize("NFKC", word)
    return {word, plain, plain.lower(), plain.upper(), plain.upper().translate(_WIDE)}


def beginning(day: dt.date) -> dt.datetime:
    """When a day begins in Japan."""
    return dt.datetime.combine(day, dt.time(), JAPAN).astimezone(dt.UTC)


def utc(moment: dt.datetime) -> dt.datetime:
    """A moment out of a row: SQLite keeps no zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
