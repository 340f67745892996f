"""Talks that go over several messages, as rows: one for each conversation and person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.store import metadata
from knowledge import Database

KEPT = dt.timedelta(days=7)  # so long can a talk be gone on with

dialogues = sa.Table(
    "dialogues",
    metadata,
    sa.Column("conversation", sa.String(80), primary_key=True),
    sa.Column("person", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("step", sa.String(40), nullable=False),
    sa.Column("draft", sa.JSON, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Where a person stands in a talk in one conversation. `draft`: what the talk has gathered, as JSON; `changed_at`: aware."""

    conversation: str
    person: str
    kind: str
    step: str
    draft: Mapping[str, Any]
    changed_at: dt.datetime


class Dialogues:
    """Every method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(self, conversation: str, person: str, kind: str, now: dt.datetime) -> Dialogue | None:
        """A person's talk of one kind, however long it has been silent, until it is too old to be kept."""
        query = sa.select(dialogues).where(
            *_of(conversation, person), dialogues.c.kind == kind, dialogues.c.changed_at > _utc(now) - KEPT
        )
        with self._db.read() as c:
            row = c.execute(query).mappings().first()
        return _dialogue(row) if row else None

    def keep(self, dialogue: Dialogue) -> None:
        """Put a talk in the place of what this person had in this conversation. Talks that are too old go."""
        with self._db.write() as c:
            c.execute(sa.delete(dialogues).where(dialogues.c.changed_at <= _utc(dialogue.changed_at) - KEPT))
            c.execute(sa.delete(dialogues).where(*_of(dialogue.conversation, dialogue.person)))
            c.execute(sa.insert(dialogues).values(_row(dialogue)))

    def advance(self, old: Dialogue, new: Dialogue) -> bool:
        """Put a talk on its next step, once: False where it is no longer at the step it was."""
        as_it_was = (*_of(old.conversation, old.person), dialogues.c.kind == old.kind, dialogues.c.step == old.step)
        with self._db.write() as c:
            same = dialogues.c.changed_at == _utc(old.changed_at)
            return bool(c.execute(sa.update(dialogues).where(*as_it_was, same).values(_row(new))).rowcount)

    def end(self, conversation: str, person: str) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(dialogues).where(*_of(conversation, person)))

    def forget(self, person: str) -> None:
        """Remove every talk of a person, who is also the name of the conversation with the bot alone."""
        self._remove((dialogues.c.person == person) | (dialogues.c.conversation == person))

    def left(self, conversation: str) -> None:
        """The bot is no longer in a group: no talk in it can be gone on with."""
        self._remove(dialogues.c.conversation == conversation)

    def _remove(self, condition: sa.ColumnElement[bool]) -> None:
        with self._db.write() as c:
            gone = c.execute(sa.delete(dialogues).where(condition)).rowcount
        if gone:
            self._db.empty_log()


def _of(conversation: str, person: str) -> tuple[sa.ColumnElement[bool], ...]:
    return dialogues.c.conversation == conversation, dialogues.c.person == person


def _row(dialogue: Dialogue) -> dict[str, Any]:
    plain = {k: getattr(dialogue, k) for k in ("conversation", "person", "kind", "step")}
    return {**plain, "draft": dict(dialogue.draft), "changed_at": _utc(dialogue.changed_at)}


def _dialogue(row: sa.RowMapping) -> Dialogue:
    at: dt.datetime = row["changed_at"]
    # SQLite gives times back without their zone; they are UTC.
    return Dialogue(**{**row, "draft": dict(row["draft"]), "changed_at": at if at.tzinfo else at.replace(tzinfo=dt.UTC)})


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)
