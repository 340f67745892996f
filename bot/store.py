"""Conversations, given answers, ratings and choices as rows. These hold no text of messages, and people only as pseudonyms.

What is kept of what people write stands elsewhere: a question without the personal data in it, for a year, read by the reviewers of
its co-op (`bot.desk.asked`, and `bot.questions` for those without an answer); an event until it is answered (`bot.inbox`); what
members give (`bot.tips.store`, drafts in `bot.dialogues`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    sa.Column("asker", sa.String(80), nullable=False, index=True),
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
    sa.Column("rater", sa.String(80), primary_key=True),
    sa.Column("helpful", sa.Boolean, nullable=False),
    sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
)
# What someone chose to last: a person, or a conversation where the platform does not say who it was.
preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("owner", sa.String(80), primary_key=True),
    sa.Column("language", sa.String(20), nullable=False),
    sa.Column("large", sa.Boolean, nullable=False),
)
# Which answer a message of the bot carried, so that quoting it asks about that answer.
sent_messages = sa.Table(
    "sent_messages",
    metadata,
    sa.Column("platform", sa.String(20), primary_key=True),
    sa.Column("message_id", sa.String(80), primary_key=True),
    sa.Column("conversation", sa.String(80), nullable=False, index=True),
    sa.Column("answer_id", sa.String(40), nullable=False),
    sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False, index=True),
)
# Groups and servers the bot is in, with the platform's own id: that is what an announcement needs.
groups = sa.Table(
    "groups",
    metadata,
    sa.Column("conversation", sa.String(80), primary_key=True),
    sa.Column("platform", sa.String(20), nullable=False),
    sa.Column("address", sa.String(80), nullable=False),
    sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
)
# Small facts a process leaves to the next one, such as which commands a platform has been told.
marks = sa.Table("marks", metadata, sa.Column("name", sa.String(80), primary_key=True), sa.Column("value", sa.Text, nullable=False))

_QUOTABLE = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Preference:
    """What lasts of what someone chose. `language` is empty where nothing was chosen."""

    language: str = ""
    large: bool = False


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

    def remember(self, conversation: str, state: Mapping[str, Any], now: dt.datetime, asker: str = "") -> None:
        """`asker`: the person whose message was answered last, as a pseudonym."""
        with self._db.write() as c:
            c.execute(sa.delete(conversations).where(conversations.c.updated_at < _utc(now) - REMEMBERED))
            values = {"state": dict(state), "asker": asker, "updated_at": _utc(now)}
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

    def told_by(self, answer_id: str) -> tuple[str, ...]:
        """The passages an answer told, first one first."""
        with self._db.read() as c:
            found = c.scalar(sa.select(answers.c.passages).where(answers.c.id == answer_id))
        return tuple(found or ())

    def preference(self, owner: str) -> Preference:
        query = sa.select(preferences.c.language, preferences.c.large).where(preferences.c.owner == owner)
        with self._db.read() as c:
            found = c.execute(query).first()
        return Preference(*found) if found else Preference()

    def prefer(self, owner: str, preference: Preference) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(preferences).where(preferences.c.owner == owner))
            c.execute(sa.insert(preferences).values(owner=owner, language=preference.language, large=preference.large))

    def sent(self, platform: str, conversation: str, message_ids: Sequence[str], answer_id: str, now: dt.datetime) -> None:
        """Which answer the bot's own messages carried."""
        rows = [
            {"platform": platform, "message_id": i, "conversation": conversation, "answer_id": answer_id, "sent_at": _utc(now)}
            for i in message_ids
        ]
        with self._db.write() as c:
            c.execute(sa.delete(sent_messages).where(sent_messages.c.sent_at < _utc(now) - _QUOTABLE))
            if rows:
                c.execute(sa.insert(sent_messages), rows)

    def answer_of(self, platform: str, message_id: str) -> str | None:
        """The answer a message of the bot carried, "" for one without an answer; None for somebody else's message."""
        query = sa.select(sent_messages.c.answer_id).where(
            sent_messages.c.platform == platform, sent_messages.c.message_id == message_id
        )
        with self._db.read() as c:
            found: str | None = c.scalar(query)
        return found

    def joined(self, platform: str, conversation: str, address: str, now: dt.datetime) -> bool:
        """The bot is in a group. `address`: the platform's own id of it. Returns whether this is news."""
        here = groups.c.conversation == conversation
        with self._db.write() as c:
            if c.scalar(sa.select(sa.func.count()).where(here)):
                return False
            c.execute(sa.insert(groups).values(conversation=conversation, platform=platform, address=address, joined_at=_utc(now)))
        return True

    def knows_group(self, conversation: str) -> bool:
        with self._db.read() as c:
            return bool(c.scalar(sa.select(sa.func.count()).where(groups.c.conversation == conversation)))

    def left(self, conversation: str) -> None:
        """The bot is no longer in a group: nothing of it is kept."""
        with self._db.write() as c:
            c.execute(sa.delete(groups).where(groups.c.conversation == conversation))
            c.execute(sa.delete(conversations).where(conversations.c.id == conversation))
            c.execute(sa.delete(preferences).where(preferences.c.owner == conversation))
            c.execute(sa.delete(sent_messages).where(sent_messages.c.conversation == conversation))

    def group_count(self, platform: str) -> int:
        """Groups the bot is in now."""
        query = sa.select(sa.func.count()).where(groups.c.platform == platform)
        with self._db.read() as c:
            return int(c.scalar(query) or 0)

    def mark(self, name: str) -> str | None:
        with self._db.read() as c:
            found: str | None = c.scalar(sa.select(marks.c.value).where(marks.c.name == name))
        return found

    def set_mark(self, name: str, value: str) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(marks).where(marks.c.name == name))
            c.execute(sa.insert(marks).values(name=name, value=value))

    def forget(self, person: str) -> int:
        """Remove everything of a person, who is also the name of the conversation with the bot alone. Returns rows removed."""
        gone = (
            sa.delete(ratings).where(ratings.c.rater == person),
            sa.delete(preferences).where(preferences.c.owner == person),
            sa.delete(conversations).where((conversations.c.id == person) | (conversations.c.asker == person)),
            sa.delete(sent_messages).where(sent_messages.c.conversation == person),
        )
        with self._db.write() as c:
            return sum(c.execute(statement).rowcount for statement in gone)

    def rating_counts(self) -> dict[bool, int]:
        with self._db.read() as c:
            return dict(c.execute(sa.select(ratings.c.helpful, sa.func.count()).group_by(ratings.c.helpful)).all())


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)
