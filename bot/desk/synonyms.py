"""The coordinators' own words: what members say, and what the texts call it. They count at once, on top of the shipped table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.desk.refusals import Refused
from bot.desk.rights import looks_after
from bot.members import Members
from bot.store import metadata
from knowledge import Database, KnowledgeBase, normalise

SHORTEST, LONGEST, MOST = 2, 40, 1_000
_HIRAGANA = re.compile(r"[ぁ-ゖー]+")
_SHORTEST_KANA = 3  # letters of hiragana alone: shorter ones stand inside other words
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

synonyms = sa.Table(
    "synonyms",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("said", sa.String(80), nullable=False, unique=True),
    sa.Column("meant", sa.String(80), nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Synonym:
    id: int
    said: str
    meant: str
    by: str
    at: dt.datetime


class Synonyms:
    """Synchronous. Everybody at the desk sees them; who looks after the whole federation changes them, since they count for all."""

    def __init__(self, database: Database, knowledge: KnowledgeBase, members: Members, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._knowledge = knowledge
        self._members = members
        self._clock = clock
        self._used: tuple[tuple[str, str], ...] | None = None
        self.refresh()

    def own(self) -> list[Synonym]:
        """Those that were added here, by what is said."""
        with self._db.read() as c:
            rows = c.execute(sa.select(synonyms).order_by(synonyms.c.said)).mappings().all()
        return [Synonym(r["id"], r["said"], r["meant"], r["by"], _aware(r["at"])) for r in rows]

    def shipped(self) -> list[tuple[str, str]]:
        """Those of the shipped table, (said, meant), by what is said. They cannot be changed here."""
        return self._knowledge.shipped_words()

    def may_change(self, account: str) -> bool:
        return looks_after(self._members, account) is None

    def add(self, editor: str, said: str, meant: str) -> Synonym:
        """From now on `said` finds what `meant` finds. Raises Refused where that cannot be."""
        if not self.may_change(editor):
            raise Refused("not_allowed")
        said, meant = (" ".join(_CONTROL.sub("", w).split()) for w in (said, meant))
        self._check(said, meant)
        now = self._clock().astimezone(dt.UTC)
        values = {"said": normalise(said), "meant": meant, "by": editor, "at": now}
        try:
            with self._db.write() as c:
                c.execute(sa.insert(synonyms).values(values))
        except sa.exc.IntegrityError:
            raise Refused("word_taken") from None
        self.refresh()
        return next(s for s in self.own() if s.said == values["said"])

    def remove(self, editor: str, synonym_id: int) -> Synonym:
        """Take one away again. Returns it, so that it can be brought back."""
        if not self.may_change(editor):
            raise Refused("not_allowed")
        found = next((s for s in self.own() if s.id == synonym_id), None)
        if found is None:
            raise Refused("not_there")
        with self._db.write() as c:
            c.execute(sa.delete(synonyms).where(synonyms.c.id == synonym_id))
        self.refresh()
        return found

    def refresh(self) -> None:
        """Use what the rows say; another process may have changed them."""
        rows = tuple((s.said, s.meant) for s in self.own())
        if rows != self._used:
            self._knowledge.use_words(rows)
            self._used = rows

    def forget(self, person: str) -> None:
        """The words stay, without telling who added them."""
        with self._db.write() as c:
            c.execute(sa.update(synonyms).where(synonyms.c.by.in_(self._members.accounts_of(person))).values(by=""))

    def _check(self, said: str, meant: str) -> None:
        key, goal = normalise(said), normalise(meant)
        if not (
            len(key) >= SHORTEST
            and len(said) <= LONGEST
            and len(key) <= LONGEST
            and len(goal) >= SHORTEST
            and len(meant) <= LONGEST
        ):
            raise Refused("word_length")
        if _HIRAGANA.fullmatch(key) and len(key) < _SHORTEST_KANA:
            raise Refused("word_short_kana")
        if not re.search(r"\w", key) or not re.search(r"\w", goal):
            raise Refused("word_length")
        held = {s.said: normalise(s.meant) for s in self.own()}
        if len(held) >= MOST:
            raise Refused("word_most")
        if key in held:
            raise Refused("word_taken")
        if any(key == normalise(shipped) for shipped, _ in self.shipped()):
            raise Refused("word_shipped")
        seen = goal
        while seen != key and seen in held:
            seen = held[seen]
        if seen == key:
            raise Refused("word_circle")


def _aware(at: dt.datetime) -> dt.datetime:
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
