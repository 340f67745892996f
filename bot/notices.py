"""What a person shall hear with the next reply they get anyway: no message is ever pushed for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from bot.store import metadata
from knowledge import Database

_MOST = 20  # that wait for one person; the oldest go first
_KEPT = dt.timedelta(days=60)
_PLACE, _ABOUT = "_place", "_about"  # kept with the values of the sentence, which never have such names

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("person", sa.String(80), nullable=False, index=True),
    sa.Column("key", sa.String(40), nullable=False),
    sa.Column("values", sa.JSON, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, index=True),
)


class Notices:
    """Waiting notices as rows. A notice is a sentence of the catalogues with its values."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._clock = clock

    def add(self, person: str, key: str, *, place: str = "", about: str = "", **values: str) -> None:
        """Let the person behind an account hear a sentence. `place`: the only group where others may hear it too.

        `about`: the tip whose words it quotes; it goes when they do.
        """
        if not person:
            return
        values |= {_PLACE: place, _ABOUT: about}
        now = self._clock().astimezone(dt.UTC)
        mine = notices.c.person == person
        with self._db.write() as c:
            c.execute(sa.delete(notices).where(notices.c.made_at < now - _KEPT))
            held = c.execute(sa.select(notices.c.key, notices.c["values"]).where(mine)).all()
            if (key, values) in [(row[0], dict(row[1])) for row in held]:
                return  # it waits already
            c.execute(sa.insert(notices).values(person=person, key=key, values=values, made_at=now))
            newest = sa.select(notices.c.id).where(mine).order_by(notices.c.id.desc()).limit(_MOST)
            c.execute(sa.delete(notices).where(mine, notices.c.id.not_in(c.scalars(newest).all())))

    def take(
        self, people: Sequence[str], most: int = _MOST, *, without: frozenset[str] = frozenset(), group: str = ""
    ) -> list[tuple[str, Mapping[str, str]]]:
        """What waits for some accounts, oldest first, `without` some sentences; it is given once.

        In a group only what everybody in it may hear: what was told or asked there.
        """
        mine = notices.c.person.in_(list(people)) & notices.c.key.not_in(without)
        if group:
            mine &= notices.c["values"][_PLACE].as_string() == group
        first = sa.select(notices.c.id).where(mine).order_by(notices.c.id).limit(most)
        with self._db.read() as c:  # nearly always there is nothing, and a read does not wait for anybody
            ids = c.scalars(first).all()
        if not ids:
            return []
        columns = (notices.c.id, notices.c.key, notices.c["values"])
        with self._db.write() as c:
            gone = c.execute(sa.delete(notices).where(notices.c.id.in_(ids)).returning(*columns)).all()
        in_order = sorted(map(tuple, gone), key=lambda row: row[0])
        return [(key, {k: v for k, v in values.items() if k not in (_PLACE, _ABOUT)}) for _, key, values in in_order]

    def withdraw(self, tip: str, key: str = "") -> None:
        """Nobody hears the words of a tip any more; with a key, not by that sentence."""
        about = notices.c["values"][_ABOUT].as_string() == tip
        with self._db.write() as c:
            c.execute(sa.delete(notices).where(about, notices.c.key == key if key else sa.true()))

    def forget(self, person: str) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(notices).where(notices.c.person == person))
