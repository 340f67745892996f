"""Random changes: rows, keyword index, vector index and a plain dict agree, and nobody finds what is not for them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from knowledge.database import Database
from knowledge.knowledge_base import KnowledgeBase
from knowledge.types import Audience
from tests.fakes import FakeEmbedder
from tests.knowledge.documents import document

IDS = st.sampled_from(["a", "b", "c", "d"])
SHORTS = st.lists(
    st.sampled_from(["総会の招集は10日前まで", "監事の任期は4年以内", "弁当の配達", "出資は1口以上"]), min_size=1, max_size=3
)
AUDIENCES = st.sampled_from([Audience(), Audience.of("federation"), Audience.of("coop:1"), Audience.of("coop:2", "coop:1")])
ASKERS = [Audience(), Audience.of_member("1"), Audience.of_member("2")]


class Knowledge(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.database = Database(f"sqlite:///{self.folder / 'yui.db'}")
        self.kb = KnowledgeBase(self.database, FakeEmbedder(), self.folder / "chroma")
        self.wanted: dict[str, tuple[list[str], Audience]] = {}

    @rule(document_id=IDS, shorts=SHORTS, audience=AUDIENCES)
    def upsert(self, document_id: str, shorts: list[str], audience: Audience) -> None:
        self.kb.upsert([document(document_id, *shorts, audience=audience)], "test")
        self.wanted[document_id] = (shorts, audience)

    @rule(document_id=IDS)
    def delete(self, document_id: str) -> None:
        self.kb.delete([document_id])
        self.wanted.pop(document_id, None)

    @rule(keep=st.sets(IDS))
    def bring_a_whole_origin(self, keep: set[str]) -> None:
        self.wanted = {i: w for i, w in self.wanted.items() if i in keep}
        self.kb.upsert([document(i, *s, audience=a) for i, (s, a) in self.wanted.items()], "test", complete=True)

    @rule()
    def align(self) -> None:
        self.kb.align()
        assert self.kb.align() == 0

    @invariant()
    def everyone_finds_all_that_is_theirs_and_nothing_else(self) -> None:
        for asker in ASKERS:
            visible = {i for i, (_, audience) in self.wanted.items() if audience.meets(asker)}
            passages = sum(len(self.wanted[i][0]) for i in visible)
            found = self.kb.retrieve("総会 監事 弁当 出資", asker).matches
            assert {m.document.id for m in found} <= visible
            assert len(found) == passages

    def teardown(self) -> None:
        if hasattr(self, "kb"):
            self.kb.close()
            self.database.close()
            shutil.rmtree(self.folder, ignore_errors=True)


Knowledge.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
TestKnowledge = Knowledge.TestCase
