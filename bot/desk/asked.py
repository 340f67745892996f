"""What was asked: without personal data, for a year, for those who look after the co-op it was asked in."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bot.clock import JAPAN
from bot.desk import trends
from bot.desk.asked_rows import AskedQuestion, Filters, asked, conditions, utc
from bot.desk.trends import By, Trend
from bot.exporting import cell
from bot.members import Members
from bot.store import ratings
from knowledge import Database, prefecture_in, scrub

__all__ = ["COLUMNS", "KEPT", "Asked", "AskedQuestion", "By", "Filters", "Trend"]

KEPT = dt.timedelta(days=365)
COLUMNS = ("day", "question", "co_op", "language", "answered", "helpful")
_LONGEST = 300  # characters that are kept of a question
_POSTPONED = dt.timedelta(days=7)
_SWEPT_EVERY = dt.timedelta(hours=1)
_ROWS_AT_ONCE = 1_000  # of a file that is given out
_OPEN: dict[str, Any] = {"settled_at": None, "settled_by": "", "wait_until": None}


class Asked:
    """Synchronous. Everybody reads what was asked in the co-ops they review, and counts nothing else."""

    def __init__(self, database: Database, members: Members, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._members = members
        self._clock = clock
        self._swept: dt.datetime | None = None

    # what is kept

    def record(
        self, answer_id: str, text: str, *,
        language: str, asker: str, conversation: str, co_op: str, answered: bool, passages: Sequence[str],
    ) -> None:  # fmt: skip
        """Keep a question without the personal data in it. `asker`: the pseudonym by which it can be forgotten."""
        self.expire()
        values = {
            "answer_id": answer_id,
            "at": self._now(),
            "text": scrub(" ".join(text.split()))[:_LONGEST],
            "language": language,
            "co_op": co_op,
            "asker": asker,
            "conversation": conversation,
            "answered": answered,
            "passages": list(passages),
            "settled_by": "",
        }
        with self._db.write() as c:
            c.execute(sa.insert(asked).values(values))

    def rated(self, answer_id: str, *, helpful: bool) -> None:
        """Somebody has rated an answer, which is kept in `ratings`. A new 👎 is to be looked at, whatever was said of it before."""
        with self._db.write() as c:
            c.execute(sa.update(asked).where(asked.c.answer_id == answer_id).values(helpful=_verdict()))
            if not helpful:
                c.execute(sa.update(asked).where(asked.c.answer_id == answer_id).values(_OPEN))

    def expire(self) -> None:
        """Remove what is older than it may be; looks at most once an hour."""
        now = self._now()
        if self._swept is not None and now - self._swept < _SWEPT_EVERY:
            return
        self._swept = now
        with self._db.write() as c:
            c.execute(sa.delete(asked).where(asked.c.at <= now - KEPT))

    def forget(self, person: str) -> None:
        """Remove what somebody asked, with whatever account, and what they thought of answers."""
        mine = self._members.accounts_of(person)
        with self._db.write() as c:
            c.execute(sa.delete(asked).where(asked.c.asker.in_(mine)))
            c.execute(sa.delete(asked).where(asked.c.conversation.in_(mine)))
            c.execute(sa.update(asked).where(asked.c.settled_by.in_(mine)).values(settled_by=""))
            rated = sa.select(ratings.c.answer_id).where(ratings.c.rater.in_(mine))
            c.execute(sa.update(asked).where(asked.c.answer_id.in_(rated)).values(helpful=_verdict(without=mine)))
        self._db.empty_log()

    def left(self, conversation: str) -> None:
        """The bot is no longer in a group: nothing of it is kept."""
        with self._db.write() as c:
            c.execute(sa.delete(asked).where(asked.c.conversation == conversation))

    # what reviewers read

    def search(self, reader: str, filters: Filters, offset: int, limit: int) -> list[AskedQuestion]:
        """What was asked, newest first."""
        chosen = sa.select(asked.c.answer_id).where(self._visible(reader), *conditions(filters))
        chosen = chosen.order_by(asked.c.at.desc(), asked.c.answer_id.desc()).offset(offset).limit(limit)
        return self._read(asked.c.answer_id.in_(chosen.subquery().select()), newest_first=True)

    def count(self, reader: str, filters: Filters) -> int:
        query = sa.select(sa.func.count()).where(self._visible(reader), *conditions(filters)).select_from(asked)
        with self._db.read() as c:
            return int(c.scalar(query) or 0)

    def csv(
        self, reader: str, filters: Filters, columns: Sequence[str] = COLUMNS, yes_no: tuple[str, str] = ("yes", "no")
    ) -> Iterator[str]:
        """The lines of a CSV file, newest first; what may be read is looked at again every thousand rows."""
        names = {co_op.id: co_op.name for co_op in self._members.co_ops()}
        yield _line(columns)
        below: sa.ColumnElement[bool] = sa.true()
        while True:
            chosen = sa.select(asked.c.answer_id).where(self._visible(reader), below, *conditions(filters))
            chosen = chosen.order_by(asked.c.at.desc(), asked.c.answer_id.desc()).limit(_ROWS_AT_ONCE)
            rows = self._read(asked.c.answer_id.in_(chosen.subquery().select()), newest_first=True)
            yield "".join(_line(_cells(row, names, yes_no)) for row in rows)
            if len(rows) < _ROWS_AT_ONCE:
                return
            last = rows[-1]
            below = sa.tuple_(asked.c.at, asked.c.answer_id) < sa.tuple_(sa.literal(last.at, asked.c.at.type), last.answer_id)

    def unhelpful(self, reader: str, limit: int = 200) -> list[AskedQuestion]:
        """Answers that somebody found no help, as long as nobody has settled that; oldest first."""
        now = self._now()
        open_still = asked.c.helpful.is_(False) & asked.c.settled_at.is_(None)
        open_still &= asked.c.wait_until.is_(None) | (asked.c.wait_until <= now)
        return self._read(self._visible(reader) & open_still, limit)

    def settle(self, answer_id: str, reader: str) -> bool:
        """It has been dealt with. False where there is nothing open that this reader may settle."""
        return self._write(answer_id, reader, asked.c.settled_at.is_(None), settled_at=self._now(), settled_by=reader)

    def postpone(self, answer_id: str, reader: str) -> bool:
        """Let it come again in a week."""
        return self._write(answer_id, reader, asked.c.settled_at.is_(None), wait_until=self._now() + _POSTPONED)

    def reopen(self, answer_id: str, reader: str) -> bool:
        """Take a settling or postponing back."""
        put_away = asked.c.settled_at.is_not(None) | asked.c.wait_until.is_not(None)
        return self._write(answer_id, reader, put_away, **_OPEN)

    def trends(self, reader: str, by: By) -> list[Trend]:
        """Weeks in their order up to this one; fields and prefectures by how often they asked, those held back last."""
        now = self._now()
        if by is By.WEEK:
            mine = self._reviewed(reader)
            with self._db.read() as c:
                return trends.told(trends.by_week(c, mine, now - KEPT, now))
        keys, visible = self._fields() if by is By.FIELD else self._prefectures(), self._visible(reader)
        with self._db.read() as c:
            found = trends.told(trends.by_co_op(c, visible, keys))
        return sorted(found, key=lambda t: (t.asked is None, -(t.asked or 0), t.key))

    def _fields(self) -> dict[str, str]:
        return {c.id: next(iter(c.fields), "") for c in self._members.co_ops()}

    def _prefectures(self) -> dict[str, str]:
        return {c.id: prefecture_in(c.place) for c in self._members.co_ops()}

    def _visible(self, reader: str) -> sa.ColumnElement[bool]:
        return self._reviewed(reader) & (asked.c.at > self._now() - KEPT)

    def _reviewed(self, reader: str) -> sa.ColumnElement[bool]:
        """Of the co-ops a person reviews; what no co-op asked is for those who look after all."""
        if self._members.may_review(reader, ""):
            return sa.true()
        held = {g.co_op for g in self._members.grants(reader)} - {""}
        return asked.c.co_op.in_(sorted(c for c in held if self._members.may_review(reader, c)))

    def _read(
        self, condition: sa.ColumnElement[bool], limit: int | None = None, *, newest_first: bool = False
    ) -> list[AskedQuestion]:
        order = (asked.c.at.desc(), asked.c.answer_id.desc()) if newest_first else (asked.c.at, asked.c.answer_id)
        columns = [asked.c[name] for name in AskedQuestion.__dataclass_fields__]
        with self._db.read() as c:
            rows = c.execute(sa.select(*columns).where(condition).order_by(*order).limit(limit)).mappings().all()
        return [AskedQuestion(**{**row, "at": utc(row["at"]), "passages": tuple(row["passages"])}) for row in rows]

    def _write(self, answer_id: str, reader: str, condition: sa.ColumnElement[bool], **values: object) -> bool:
        mine = (asked.c.answer_id == answer_id) & asked.c.helpful.is_(False)
        visible = self._visible(reader)
        with self._db.write() as c:
            return c.execute(sa.update(asked).where(mine, visible, condition).values(values)).rowcount > 0

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def _verdict(without: Sequence[str] = ()) -> sa.ColumnElement[bool | None]:
    """What an answer's raters say together: one 👎 outweighs."""
    mine = (ratings.c.answer_id == asked.c.answer_id) & ratings.c.rater.not_in(without)
    unhelpful = sa.exists().where(mine, ratings.c.helpful.is_(False))
    return sa.case((unhelpful, sa.false()), (sa.exists().where(mine), sa.true()), else_=sa.null())


def _cells(row: AskedQuestion, co_ops: Mapping[str, str], yes_no: tuple[str, str]) -> tuple[str, ...]:
    yes, no = yes_no
    helpful = "" if row.helpful is None else yes if row.helpful else no
    day = row.at.astimezone(JAPAN).date().isoformat()  # never the hour: in a small co-op it would tell who it was
    return day, row.text, co_ops.get(row.co_op, row.co_op), row.language, yes if row.answered else no, helpful


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(map(cell, cells))
    return out.getvalue()
