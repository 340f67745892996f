"""The whole of the knowledge on a few documents: found, hidden, mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge import corpus
from knowledge.database import Database
from knowledge.errors import IndexUnavailable
from knowledge.knowledge_base import KnowledgeBase
from knowledge.types import Audience, Document, Kind, Question
from tests.fakes import BrokenEmbedder, FakeEmbedder
from tests.knowledge.documents import document

DOCUMENTS = [
    document("founders", "発起人は3人以上必要です。", kind=Kind.LAW, title="発起人の人数"),
    document("notice", "創立総会の公告は2週間前までに行います。", kind=Kind.LAW, title="創立総会の公告"),
    document("survey", "居場所の調査には71団体が答えました。", title="居場所の調査の回答数"),
    document("tip", "夏の弁当は保冷箱で運びます。", audience=Audience.of("coop:3"), kind=Kind.TIP, title="夏の弁当の運び方"),
]


def knowledge(database: Database, folder: Path, documents: list[Document] = DOCUMENTS) -> KnowledgeBase:
    kb = KnowledgeBase(database, FakeEmbedder(), folder / "chroma")
    kb.upsert(documents, "test")
    kb.align()
    return kb


@pytest.fixture
def kb(database: Database, tmp_path: Path) -> Iterator[KnowledgeBase]:
    found = knowledge(database, tmp_path)
    yield found
    found.close()


def first(kb: KnowledgeBase, question: str, audience: Audience | None = None) -> str:
    return kb.retrieve(question, audience).matches[0].passage.id


def test_the_passage_that_answers_comes_first(kb: KnowledgeBase) -> None:
    assert first(kb, "発起人は何人") == "founders"
    assert first(kb, "創立総会の公告はいつまで") == "notice"
    assert first(kb, "何団体が答えた 居場所の調査") == "survey"


def test_a_co_ops_own_tip_is_found_by_that_co_op_alone(kb: KnowledgeBase) -> None:
    question = "夏の弁当の運び方"
    assert first(kb, question, Audience.of_member("3")) == "tip"
    for other in (None, Audience(), Audience.of_member("4")):
        assert all(m.document.id != "tip" for m in kb.retrieve(question, other).matches)
    assert kb.document("tip") is None
    assert kb.tell(["tip"], Audience(), "ja").layers == ()
    assert kb.details(["tip"], Audience()) == []


def test_a_change_is_found_at_once(kb: KnowledgeBase) -> None:
    kb.upsert([document("new", "休眠預金は資金分配団体を通して受けます。", title="休眠預金")], "test")
    assert first(kb, "休眠預金はどう受ける") == "new"
    kb.delete(["new"])
    assert all(m.document.id != "new" for m in kb.retrieve("休眠預金はどう受ける").matches)


def test_only_what_changed_is_embedded_again(database: Database, tmp_path: Path) -> None:
    embedder = FakeEmbedder()
    kb = KnowledgeBase(database, embedder, tmp_path / "chroma")
    kb.upsert(DOCUMENTS, "test")
    kb.align()
    kb.upsert([replace(DOCUMENTS[0], as_of="2026-05-01")], "test")
    kb.align()
    assert embedder.embedded == len(DOCUMENTS)
    kb.close()


def test_without_a_model_the_words_still_answer(database: Database, tmp_path: Path) -> None:
    kb = KnowledgeBase(database, BrokenEmbedder(), tmp_path / "chroma")
    kb.upsert(DOCUMENTS, "test")
    found = kb.retrieve("発起人は何人")
    assert found.degraded
    assert found.matches[0].passage.id == "founders"
    kb.close()


def test_a_failing_index_is_mended_while_the_words_answer(kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> dict[str, float]:
        raise IndexUnavailable("broken")

    with monkeypatch.context() as broken:
        broken.setattr(kb._index, "query", fail)
        found = kb.retrieve("発起人は何人")
        assert found.degraded
        assert found.matches[0].passage.id == "founders"
    assert kb._mender is not None
    kb._mender.join(30)
    assert kb.status().index_ready
    assert not kb.retrieve("発起人は何人").degraded


def test_another_process_sees_the_change(kb: KnowledgeBase, database: Database, tmp_path: Path) -> None:
    other = KnowledgeBase(database, FakeEmbedder(), tmp_path / "chroma-of-the-other")
    other.upsert([document("new", "総代会は200人を超えたら置けます。", title="総代会")], "test")
    assert first(kb, "総代会") == "new"
    other.close()


def test_an_empty_knowledge_answers_honestly(database: Database, tmp_path: Path) -> None:
    kb = KnowledgeBase(database, FakeEmbedder(), tmp_path / "chroma")
    answer = kb.answer(Question("発起人は何人"))
    assert not answer.answered
    assert answer.layers == ()
    kb.close()


@pytest.mark.parametrize(
    ("source", "articles"),
    [
        ("労働者協同組合法 第51条・第124条", ["第51条", "第124条"]),
        ("労働者協同組合法施行規則 第51条", []),
        ("労働者協同組合法 第124条、同施行規則 第51条", ["第124条"]),
        ("会社法 第51条、労働者協同組合法 第124条", ["第124条"]),
        ("労働者協同組合法 第124条、令和5年の法人の資料(第51条)", ["第124条", "第51条"]),
        ("労働者協同組合法施行令 第2条、労働者協同組合法附則第2条", ["施行令第2条", "附則第2条"]),
        ("第51条の会の記事「知りたい!労働者協同組合法」", []),
    ],
)
def test_the_articles_a_source_names_are_cited_each_of_its_own_law(
    database: Database, tmp_path: Path, source: str, articles: list[str]
) -> None:
    names = ["第51条", "第124条", "第2条", "施行令第2条", "附則第2条"]
    laws = [replace(document(f"law-{n}", "決まりです。", kind=Kind.LAW), article=a) for n, a in enumerate(names)]
    kb = knowledge(database, tmp_path, [replace(document("survey", "書類の話です。"), source=source), *laws])
    told = kb.tell(["survey"], Audience(), "ja")
    assert [c.article for c in told.citations[1:]] == articles
    kb.close()


def test_an_update_leaves_alone_what_people_brought_in(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kb = knowledge(database, tmp_path)
    monkeypatch.setattr(corpus, "load", lambda: [document("tip", "新しい版の話です。"), document("new", "新しい話です。")])
    kb.load_shipped()
    assert kb.document("new") is not None
    own = kb.document("tip", Audience.of("coop:3"))
    assert own is not None
    assert own.passages[0].short == "夏の弁当は保冷箱で運びます。"
    assert "tip" in caplog.text
    kb.close()
