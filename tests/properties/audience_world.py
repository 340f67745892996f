"""A small federation on one database, to be used for one history after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import sqlalchemy as sa

from bot.curation import ORIGIN, Curation
from bot.desk.agenda import Agenda
from bot.desk.asked import Asked
from bot.desk.entries import Entries
from bot.members import CoOp, Grant, Members, Role
from bot.notices import Notices
from bot.questions import OpenQuestions
from bot.round import Round
from bot.signing import Signer
from bot.store import Store, metadata
from bot.tips.store import TipStore
from knowledge import Audience, Database, KnowledgeBase, Relation, Resemblance
from knowledge.embedding import Vectors
from knowledge.index import Load, State
from tests.fakes import FakeEmbedder, FixedClock

CO_OPS = ("ueda", "suzaka", "kofu")
LINKS = {"line:ueda-1": "ueda", "line:ueda-2": "ueda", "line:suzaka-1": "suzaka", "discord:kofu-1": "kofu"}
GROUPS = (*LINKS, "line:free-1", "discord:free-2")
ROLES = {
    "line:mika": {("member", "ueda")},
    "discord:mika": {("member", "kofu")},
    "line:taro": {("coordinator", "ueda")},
    "line:hana": {("coordinator", "suzaka"), ("member", "suzaka")},
    "line:ken": set[tuple[str, str]](),
    "line:shakyo": {("partner", "suzaka")},
    "discord:all": {("coordinator", "")},
    "line:admin": {("admin", "")},
}


@dataclass
class World:
    """Everything on one database, used for one history after the other."""

    database: Database
    knowledge: KnowledgeBase
    members: Members
    notices: Notices
    questions: OpenQuestions
    curation: Curation
    round: Round
    asked: Asked
    clock: FixedClock
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def begin_again(self) -> None:
        """Everybody is where they were at first, and nothing has been told."""
        with self.database.write() as c:
            for table in reversed(metadata.sorted_tables):
                c.execute(sa.delete(table))
            for name, rows in self.rows.items():
                if rows:
                    c.execute(sa.insert(metadata.tables[name]), rows)
        self.knowledge.upsert([], ORIGIN, complete=True)
        self.clock.now = FixedClock().now


class EverythingIndex:
    """A vector index, quick and exact, that keeps nothing from anybody: whatever is held back, the rows' own rule holds back."""

    def __init__(self, *_: object) -> None:
        self._state: Mapping[str, object] = {}
        self._vectors: dict[str, Vectors] = {}

    def query(self, vector: Vectors, _audience: Audience, top_k: int) -> dict[str, float]:
        found = {i: float(self._vectors[i] @ vector) for i in self._state}
        return dict(sorted(found.items(), key=lambda pair: -pair[1])[:top_k])

    def align(self, state: State, load: Load) -> int:
        missing = [i for i, entry in state.items() if self._state.get(i) != entry]
        self._vectors.update(load(missing))
        self._state = dict(state)
        return len(missing)

    def close(self) -> None:
        """There is nothing to close."""


class EverythingIsAlike:
    """Takes any two texts for the same: so every similar tip, merge and topic there can be is offered."""

    def __init__(self, _: object) -> None:
        """There is nothing to compare with."""

    def among(self, _: str, candidates: Sequence[tuple[str, str]], **__: bool) -> list[tuple[str, Resemblance]]:
        return [(key, Resemblance(Relation.SAME, 1.0)) for key, _ in candidates]


@contextmanager
def world(folder: Path, index: Callable[..., object] = EverythingIndex) -> Iterator[World]:
    database, clock = Database(f"sqlite:///{folder / 'yui.db'}"), FixedClock()
    store = Store(database)
    with patch("knowledge.knowledge_base.VectorIndex", index), patch("knowledge.knowledge_base.Similarity", EverythingIsAlike):
        knowledge = KnowledgeBase(database, FakeEmbedder(), folder / "index")
    members, notices = Members(database, clock), Notices(database, clock)
    questions = OpenQuestions(database, knowledge, members, notices, clock)
    curation = Curation(TipStore(database), knowledge, members, notices, clock, folder / "withdrawn.txt")
    for co_op in CO_OPS:
        members.put_co_op(CoOp(co_op, f"労協{co_op}"))
    for group, co_op in LINKS.items():
        members.link(group, co_op)
    for account, roles in ROLES.items():
        for role, co_op in roles:
            members.give(account, Grant(Role(role), co_op))
    asked, entries = Asked(database, members, clock), Entries(database, knowledge, members, clock)
    agenda = Agenda(curation, questions, asked, entries, members, clock)
    the_round = Round(agenda, curation, questions, members, store, Signer(b"key"), clock)
    made = World(database, knowledge, members, notices, questions, curation, the_round, asked, clock)
    with database.read() as c:
        tables = ("co_ops", "linked_chats", "accounts", "roles")
        made.rows = {t: [dict(r) for r in c.execute(sa.select(metadata.tables[t])).mappings()] for t in tables}
    yield made
    knowledge.close()
    database.close()
