"""Conversations, given answers and ratings as rows. No message text is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from knowledge import Database

# A conversation's memory ends after this long.
REMEMBERED = dt.timedelta(hours=12)

metadata = sa.MetaData()
conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, index=True),
)
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("given_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("answered", sa.Boolean, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("passages", sa.JSON, nullable=False),
)
ratings = sa.Table(
    "ratings",
    metadata,
    sa.Column("answer_id", sa.ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("rater", sa.String(64), primary_key=True),
    sa.Column("helpful", sa.Boolean, nullable=False),
    sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
)


class Store:
    """Every method is one short transaction. Times are aware and kept in UTC."""

    def __init__(self, database: Database) -> None:
        self._db = database
        database.migrate("bot")

    def state(self, conversation: str, now: dt.datetime) -> Mapping[str, Any]:
        """What a conversation remembers; nothing once it has ended."""
        query = sa.select(conversations.c.state).where(
            conversations.c.id == conversation, conversations.c.updated_at > _utc(now) - REMEMBERED
        )
        with self._db.read() as c:
            found = c.scalar(query)
        return dict(found) if found else {}

    def remember(self, conversation: str, state: Mapping[str, Any], now: dt.datetime) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(conversations).where(conversations.c.updated_at < _utc(now) - REMEMBERED))
            values = {"state": dict(state), "updated_at": _utc(now)}
            done = c.execute(sa.update(conversations).where(conversations.c.id == conversation).values(values))
            if not done.rowcount:
                c.execute(sa.insert(conversations).values(id=conversation, **values))

    def add_answer(self, answer_id: str, *, answered: bool, confidence: float, passages: Sequence[str], now: dt.datetime) -> None:
        values = {
            "id": answer_id,
            "given_at": _utc(now),
            "answered": answered,
            "confidence": confidence,
            "passages": list(passages),
        }
        with self._db.write() as c:
            c.execute(sa.insert(answers).values(values))

    def rate(self, answer_id: str, rater: str, *, helpful: bool, now: dt.datetime) -> bool:
        """Keep one person's latest rating of an answer. False where there is no such answer."""
        with self._db.write() as c:
            if not c.scalar(sa.select(sa.func.count()).where(answers.c.id == answer_id)):
                return False
            c.execute(sa.delete(ratings).where(ratings.c.answer_id == answer_id, ratings.c.rater == rater))
            c.execute(sa.insert(ratings).values(answer_id=answer_id, rater=rater, helpful=helpful, rated_at=_utc(now)))
        return True

    def rating_counts(self) -> dict[bool, int]:
        with self._db.read() as c:
            return dict(c.execute(sa.select(ratings.c.helpful, sa.func.count()).group_by(ratings.c.helpful)).all())


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)
