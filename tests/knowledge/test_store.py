"""The store, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from knowledge import store as tables
from knowledge.database import Database
from knowledge.errors import InvalidDocument, StoreUnavailable
from knowledge.store import KnowledgeStore
from knowledge.types import Audience, Document, Kind
from tests.knowledge.documents import document


@pytest.fixture
def store(database: Database) -> KnowledgeStore:
    return KnowledgeStore(database)


def test_what_is_written_is_read(store: KnowledgeStore) -> None:
    written = document("a", "総会は年1回です。", "招集は10日前です。", kind=Kind.LAW, audience=Audience.of("coop:3"))
    assert store.upsert([written], "test") == 1
    assert store.document("a") == written
    assert list(store.matches(["a#p1", "gone"])) == ["a#p1"]
    assert store.counts() == {"law": 1}


def test_the_same_again_changes_nothing(store: KnowledgeStore) -> None:
    written = document("a", "総会は年1回です。")
    store.upsert([written], "test")
    before = store.revision()
    assert store.upsert([written], "test") == 0
    assert store.revision() == before


def test_a_complete_origin_loses_what_it_no_longer_holds(store: KnowledgeStore) -> None:
    store.upsert([document("a", "一"), document("b", "二")], "test")
    store.upsert([document("z", "他")], "other")
    assert store.upsert([document("a", "一")], "test", complete=True) == 1
    assert store.document_ids() == ["a", "z"]


def test_a_shorter_document_leaves_no_passage_behind(store: KnowledgeStore) -> None:
    store.upsert([document("a", "一", "二", "三")], "test")
    store.upsert([document("a", "一")], "test")
    assert [p for p, _, _ in store.terms()] == ["a"]


def test_an_id_belongs_to_the_origin_that_brought_it_first(store: KnowledgeStore) -> None:
    store.upsert([document("a", "一")], "ours")
    before = store.revision()
    for complete in (False, True):
        with pytest.raises(InvalidDocument, match="the id a is taken"):
            store.upsert([document("b", "二"), document("a", "三")], "theirs", complete=complete)
    assert store.document_ids() == ["a"]
    assert store.document("a") == document("a", "一")
    assert store.revision() == before
    assert store.owned_elsewhere(["a", "b"], "theirs") == {"a"}
    assert store.owned_elsewhere(["a", "b"], "ours") == set()


def test_an_article_is_shown_by_its_own_guide(store: KnowledgeStore) -> None:
    def law(name: str, source: str, audience: Audience | None = None) -> Document:
        return replace(document(name, "二", kind=Kind.LAW, audience=audience), article="第22条", source=source)

    guide, checklist = law("m-guide", "労働者協同組合法 第22条"), law("a-list", "労働者協同組合法 第22条・第27条")
    private = law("a-private", "労働者協同組合法 第22条", Audience.of("coop:3"))
    for n, order in enumerate(itertools.permutations([guide, checklist, private])):
        store.delete(store.document_ids())
        for d in order:
            store.upsert([d], f"origin {n}")
        assert [d.id for d, _ in store.articles(["第22条", "第23条"])] == ["m-guide"]
    store.delete(["m-guide"])
    assert [d.id for d, _ in store.articles(["第22条"])] == ["a-list"]


def test_vectors_go_with_their_passage_and_with_their_text(store: KnowledgeStore) -> None:
    store.upsert([document("a", "一"), document("b", "二")], "test")
    rows = store.without_vector("fake", 10)
    assert [i for i, _, _ in rows] == ["a", "b"]
    store.write_vectors("fake", [(i, h) for i, _, h in rows], np.eye(2, 4, dtype=np.float32))
    assert store.without_vector("fake", 10) == []
    assert len(store.without_vector("other", 10)) == 2
    np.testing.assert_array_equal(store.vectors_of("fake", ["b"])["b"], [0, 1, 0, 0])
    store.upsert([document("a", "別の文です")], "test")
    assert [i for i, _, _ in store.without_vector("fake", 10)] == ["a"]
    store.delete(["b"])
    assert store.vector_state("fake") == {}


def test_a_vector_of_a_text_that_has_changed_meanwhile_is_not_kept(store: KnowledgeStore) -> None:
    store.upsert([document("a", "一")], "test")
    ((_, _, digest),) = store.without_vector("fake", 10)
    store.upsert([document("a", "二")], "test")
    store.write_vectors("fake", [("a", digest)], np.ones((1, 4), dtype=np.float32))
    assert store.vector_state("fake") == {}


def test_texts_analysed_by_an_older_program_are_analysed_again(store: KnowledgeStore, database: Database) -> None:
    written = document("a", "総会は年1回です。")
    store.upsert([written], "test")
    with database.write() as c:
        c.execute(sa.update(tables.passages).values(analyser="old", terms=b""))
    assert store.upsert([written], "test") == 1
    assert next(store.terms())[1] != b""


def test_articles_and_phrases_that_exist(store: KnowledgeStore) -> None:
    store.upsert([replace(document("a", "労働基準法も守ります。100%です。"), article="第20条")], "test")
    assert store.has_article("第20条")
    assert not store.has_article("第150条")
    assert store.mentions("労働基準法")
    assert not store.mentions("宇宙開発法")
    assert not store.mentions("0%%")


def test_all_steps_make_the_tables_that_the_code_describes(empty_database: Database) -> None:
    empty_database.migrate("knowledge")
    empty_database.migrate("knowledge")
    found = sa.inspect(empty_database.engine)
    for table in tables.metadata.tables.values():
        columns = {c["name"]: c["nullable"] for c in found.get_columns(table.name)}
        assert columns == {c.name: bool(c.nullable) for c in table.columns}
        assert {k["referred_table"] for k in found.get_foreign_keys(table.name)} == {
            k.column.table.name for k in table.foreign_keys
        }


def test_a_failed_write_leaves_everything_as_it_was(store: KnowledgeStore) -> None:
    store.upsert([document("a", "一")], "test")
    before = store.revision()
    with pytest.raises(sa.exc.IntegrityError):
        store.upsert(
            [document("b", "二"), document("c", "三"), replace(document("d", "四"), passages=document("a", "x").passages)], "test"
        )
    assert store.document_ids() == ["a"]
    assert store.revision() == before


def test_a_database_that_is_not_there() -> None:
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(StoreUnavailable, match="does not answer"), gone.read():
        pass
