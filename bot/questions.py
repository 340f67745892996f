"""Questions nobody has answered yet: kept without personal data, put together where they ask the same, answered by a tip."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot import wording
from bot.members import Members, chat_key, co_op_key
from bot.notices import Notices
from bot.store import metadata
from knowledge import Database, KnowledgeBase, Match, Relation, normalise, scrub

OPEN, ANSWERED, CLOSED = "open", "answered", "closed"
_LONGEST, _SHORTEST = 300, 4  # characters that are kept of a question; less asks nothing
_KEPT = dt.timedelta(days=365)
_COMPARED_LEXICALLY, _COMPARED = 300, 3  # topics that a new question is held against
_ALIKE = 0.25  # share of character pairs; below it two questions are not compared any further
# Two that only look alike are worse than one kept twice: whoever asked hears the answer to something else.
_SURE = 0.7
_ASKS_FOR = {
    "person": r"だれ|誰|どなた",
    "place": r"どこ|どちら",
    "time": r"いつ|何[時日月年曜]",
    "amount": r"いくら|どのくらい|どれくらい|何[人円枚回個件口台]",
    "reason": r"なぜ|なんで|どうして|理由",
}
_POSTPONED = dt.timedelta(days=7)
_MOMENT = sa.DateTime(timezone=True)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

open_questions = sa.Table(
    "open_questions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("co_op", sa.String(60), nullable=False),
    sa.Column("topic", sa.String(40), nullable=False, index=True),
    sa.Column("asker", sa.String(80), nullable=False, index=True),
    sa.Column("conversation", sa.String(80), nullable=False, index=True),
    sa.Column("asked_at", _MOMENT, nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("nearest", sa.JSON, nullable=False),
    sa.Column("tip", sa.String(40), nullable=False),
    sa.Column("wait_until", _MOMENT),  # not shown before; of a closed one: when it was closed
)


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions that ask the same, as far as one reviewer may see them."""

    id: str
    text: str  # as it was asked last
    asked: int
    first: dt.datetime
    last: dt.datetime
    nearest: tuple[str, ...]  # names of what the knowledge has close by, of what this reviewer may find
    co_op: str  # whose it is where all came from one; empty otherwise
    asked_in: frozenset[str] = frozenset()  # audience keys of where it was asked
    weight: float = 0.0  # times asked × age


class OpenQuestions:
    """Synchronous. Only reviewers of the co-op a question came from see it."""

    def __init__(
        self, database: Database, knowledge: KnowledgeBase, members: Members, notices: Notices, clock: Callable[[], dt.datetime]
    ) -> None:
        self._db = database
        self._knowledge = knowledge
        self._members = members
        self._notices = notices
        self._clock = clock

    def record(self, text: str, *, asker: str, conversation: str, co_op: str, nearest: Sequence[str]) -> bool:
        """Keep a question that found no answer, without the personal data in it. `nearest`: ids of the passages close by.

        Returns whether there was something to keep.
        """
        text = scrub(" ".join(text.split()))[:_LONGEST]
        if len(text) < _SHORTEST:
            return False
        now = self._now()
        question_id = secrets.token_urlsafe(9)
        values = {
            "id": question_id,
            "text": text,
            "co_op": co_op,
            "topic": self._topic(text) or question_id,
            "asker": asker,
            "conversation": conversation,
            "asked_at": now,
            "state": OPEN,
            "nearest": list(nearest),
            "tip": "",
        }
        with self._db.write() as c:
            c.execute(sa.delete(open_questions).where(open_questions.c.asked_at < now - _KEPT))
            c.execute(sa.insert(open_questions).values(values))
        return True

    def topics(self, reviewer: str, *, asked_by: str = "") -> list[Topic]:
        """What waits for an answer, by times asked × age, first things first.

        `asked_by`: as the members of this co-op have asked it, as if nobody else had.
        """
        now = self._now()
        open_still = open_questions.c.state == OPEN
        open_still &= open_questions.c.wait_until.is_(None) | (open_questions.c.wait_until <= now)
        if asked_by:
            open_still &= open_questions.c.co_op == asked_by
        rows = self._visible(reviewer, open_still)
        names = self._names({i for r in rows for i in r["nearest"]}, reviewer)
        found = []
        for topic_id in dict.fromkeys(r["topic"] for r in rows):
            asked = [r for r in rows if r["topic"] == topic_id]
            places = {r["co_op"] for r in asked}
            first, last = (_utc(asked[i]["asked_at"]) for i in (0, -1))
            whose = places.pop() if len(places) == 1 else ""
            weight = len(asked) * (1 + (now - first).total_seconds())
            near = tuple(names[i] for i in asked[-1]["nearest"] if i in names)
            found.append(Topic(topic_id, asked[-1]["text"], len(asked), first, last, near, whose, _asked_in(asked), weight))
        return sorted(found, key=lambda t: -t.weight)

    def topic(self, topic_id: str, reviewer: str) -> Topic | None:
        """One of them; None where it is answered, closed, postponed, or not for this reviewer."""
        return next((t for t in self.topics(reviewer) if t.id == topic_id), None)

    def answered(self, topic_id: str, reviewer: str, tip: str, title: str) -> int:
        """A tip answers what this reviewer sees of a topic; askers who may find it hear so. Returns how many questions that were.

        To reach everybody who asked it has to be for `Topic.asked_in`.
        """
        rows = self._settle(topic_id, reviewer, state=ANSWERED, tip=tip)
        for asker, place in {(r["asker"], r["conversation"]) for r in rows}:
            if self._may_find(tip, place, asker):
                self._notices.add(asker, "question_answered", place=place, about=tip, title=title)
            elif self._may_find(tip, asker, asker):
                self._notices.add(asker, "question_answered", about=tip, title=title)
        return len(rows)

    def close(self, topic_id: str, reviewer: str) -> str:
        """Nobody needs to answer this. Returns the mark by which exactly this can be taken back; "" where nothing was open."""
        now = self._now()
        return as_mark(now) if self._settle(topic_id, reviewer, state=CLOSED, wait_until=now) else ""

    def postpone(self, topic_id: str, reviewer: str) -> str:
        """Let it come again in a week. Returns a mark as `close` does."""
        until = self._now() + _POSTPONED
        return as_mark(until) if self._settle(topic_id, reviewer, wait_until=until) else ""

    def reopen(self, topic_id: str, mark: str, reviewer: str) -> int:
        """Take one closing or postponement back: no other, earlier or later, and nothing that was answered since."""
        if not mark.isdecimal():
            return 0
        settled = (open_questions.c.topic == topic_id) & (open_questions.c.wait_until == moment_of(mark))
        rows = self._visible(reviewer, settled & open_questions.c.state.in_((OPEN, CLOSED)))
        return self._write(rows, {"state": OPEN, "wait_until": None})

    def unanswered(self, tip: str, reviewer: str) -> int:
        """What a tip answered is open again: it was taken back."""
        return self._write(self._visible(reviewer, open_questions.c.tip == tip), {"state": OPEN, "tip": ""})

    def forget(self, person: str) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(open_questions).where(open_questions.c.asker == person))

    def _settle(self, topic_id: str, reviewer: str, **values: object) -> list[sa.RowMapping]:
        rows = self._visible(reviewer, (open_questions.c.topic == topic_id) & (open_questions.c.state == OPEN))
        self._write(rows, values)
        return rows

    def _write(self, rows: Sequence[sa.RowMapping], values: Mapping[str, object]) -> int:
        with self._db.write() as c:
            ids = [r["id"] for r in rows]
            return c.execute(sa.update(open_questions).where(open_questions.c.id.in_(ids)).values(values)).rowcount if ids else 0

    def _visible(self, reviewer: str, condition: sa.ColumnElement[bool]) -> list[sa.RowMapping]:
        query = sa.select(open_questions).where(condition).order_by(open_questions.c.asked_at, open_questions.c.id)
        with self._db.read() as c:
            rows = c.execute(query).mappings().all()
        may = {co_op: self._members.may_review(reviewer, co_op) for co_op in {r["co_op"] for r in rows}}
        return [r for r in rows if may[r["co_op"]]]

    def _may_find(self, tip: str, place: str, asker: str) -> bool:
        """Whether a tip is for those in a chat; who was there when it was asked may be elsewhere now."""
        audience = self._members.audience(place, asker, group=place != asker)
        return self._knowledge.document(tip, audience) is not None

    def _names(self, ids: Collection[str], reviewer: str) -> dict[str, str]:
        """The names of passages as far as this reviewer may find them now: what was near may have been withdrawn since."""
        audience = self._members.audience(reviewer, reviewer, group=False)
        documents = (self._knowledge.document(i, audience) for i in {i.partition("#")[0] for i in ids})
        return {p.id: wording.topic(Match(p, d, 0.0)) for d in documents if d for p in d.passages if p.id in ids}

    def _topic(self, text: str) -> str | None:
        """The topic of an earlier question that asks the same."""
        query = sa.select(open_questions.c.id, open_questions.c.text, open_questions.c.topic)
        query = query.where(open_questions.c.state == OPEN).order_by(open_questions.c.asked_at.desc()).limit(_COMPARED_LEXICALLY)
        with self._db.read() as c:
            rows = c.execute(query).all()
        mine = _pairs(text)
        likely = sorted(((_share(mine, _pairs(r.text)), r) for r in rows), key=lambda pair: -pair[0])[:_COMPARED]
        topics: dict[str, tuple[str, str]] = {r.id: (r.text, r.topic) for share, r in likely if share >= _ALIKE}
        if not topics:
            return None
        for other, resemblance in self._knowledge.resembling(text, [(i, t) for i, (t, _) in topics.items()]):
            same = resemblance.relation is Relation.SAME and resemblance.score >= _SURE
            if same and _asked_for(text) == _asked_for(topics[other][0]):
                return topics[other][1]
        return None

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def as_mark(moment: dt.datetime) -> str:
    """A moment as a button carries it: microseconds."""
    return str((moment - _EPOCH) // dt.timedelta(microseconds=1))


def moment_of(mark: str) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=int(mark))


def _asked_for(text: str) -> set[str]:
    """What a question wants to know of its subject: 「どこで配る?」 and 「だれが配る?」 differ by nothing else."""
    return {kind for kind, words in _ASKS_FOR.items() if re.search(words, text)}


def _pairs(text: str) -> frozenset[str]:
    plain = normalise(text).replace(" ", "")
    return frozenset(plain[i : i + 2] for i in range(len(plain) - 1))


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / max(len(one) + len(other), 1)


def _asked_in(rows: Sequence[sa.RowMapping]) -> frozenset[str]:
    return frozenset(co_op_key(r["co_op"]) if r["co_op"] else chat_key(r["conversation"]) for r in rows)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
