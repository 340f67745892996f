"""Targets become documents of the knowledge, each replaced as a whole and none lost by a failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.database import Database
from knowledge.ingestion import Report, ingest, origin_of
from knowledge.knowledge_base import KnowledgeBase
from knowledge.sources import addresses
from knowledge.types import Audience, Kind
from tests.fakes import FakeEmbedder
from tests.knowledge import office_files
from tests.knowledge.page_server import serving

COOP = Audience.of("coop:3")


@pytest.fixture
def kb(database: Database, tmp_path: Path) -> Iterator[KnowledgeBase]:
    found = KnowledgeBase(database, FakeEmbedder(), tmp_path / "chroma")
    yield found
    found.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "資料"
    (found / "規約").mkdir(parents=True)
    (found / "弁当.txt").write_text("夏の弁当は保冷箱で運びます。", "utf-8")
    (found / "規約" / "定款.txt").write_text("出資は一口千円とします。", "utf-8")
    return found


def bring(kb: KnowledgeBase, *targets: Path | str, audience: Audience = COOP) -> Report:
    return ingest(kb, [str(t) for t in targets], audience=audience, kind=Kind.TIP)


def found(kb: KnowledgeBase, question: str, audience: Audience = COOP) -> list[str]:
    return [m.document.source for m in kb.retrieve(question, audience).matches]


def test_a_folder_is_found_by_those_it_is_for(kb: KnowledgeBase, folder: Path) -> None:
    assert bring(kb, folder) == Report(documents=2, passages=2, changed=2)
    assert found(kb, "夏の弁当の運び方")[0] == "弁当.txt"
    assert found(kb, "出資は一口いくら")[0] == "規約/定款.txt"
    assert found(kb, "夏の弁当の運び方", Audience()) == []
    assert kb.align() == 2


def test_the_same_again_changes_nothing(kb: KnowledgeBase, folder: Path) -> None:
    bring(kb, folder)
    assert bring(kb, folder) == Report(documents=2, passages=2, changed=0)


def test_what_changed_is_replaced_and_what_is_gone_vanishes(kb: KnowledgeBase, folder: Path) -> None:
    bring(kb, folder)
    (folder / "弁当.txt").unlink()
    (folder / "規約" / "定款.txt").write_text("出資は一口五千円とします。", "utf-8")
    assert bring(kb, folder).changed == 2
    assert found(kb, "夏の弁当 出資は一口") == ["規約/定款.txt"]
    assert kb.status().documents == {"tip": 1}


def test_a_broken_document_is_reported_and_the_rest_loads(kb: KnowledgeBase, folder: Path) -> None:
    (folder / "絵.pdf").write_bytes(office_files.pdf([[]]))
    (folder / "空.md").write_text("")
    report = bring(kb, folder)
    assert (report.documents, report.changed) == (2, 2)
    assert [name for name, _ in report.errors] == ["空.md", "絵.pdf"]
    assert all(sentence.startswith("it ") and sentence.endswith(".") for _, sentence in report.errors)


def test_a_document_that_fails_keeps_its_former_state(kb: KnowledgeBase, folder: Path) -> None:
    bring(kb, folder)
    (folder / "弁当.txt").write_bytes(b"\0\1\2")
    report = bring(kb, folder)
    assert (report.documents, report.changed, [n for n, _ in report.errors]) == (1, 0, ["弁当.txt"])
    assert "弁当.txt" in found(kb, "夏の弁当の運び方")


@pytest.mark.parametrize("former", [Audience(), Audience.of("public", "coop:3")])
def test_a_document_that_fails_is_not_kept_for_people_it_is_no_longer_for(
    kb: KnowledgeBase, folder: Path, former: Audience
) -> None:
    bring(kb, folder, audience=former)
    (folder / "弁当.txt").write_bytes(b"\0\1\2")
    bring(kb, folder)
    assert kb.status().documents == {"tip": 1}
    assert found(kb, "出資は一口いくら") == ["規約/定款.txt"]


def test_nothing_vanishes_where_nothing_can_be_read(kb: KnowledgeBase, folder: Path) -> None:
    bring(kb, folder)
    for path in (folder / "弁当.txt", folder / "規約" / "定款.txt"):
        path.write_bytes(b"\0\1\2")
    assert (bring(kb, folder).changed, kb.status().documents) == (0, {"tip": 2})
    for path in (folder / "弁当.txt", folder / "規約" / "定款.txt"):
        path.unlink()
    report = bring(kb, folder)
    assert (report.changed, kb.status().documents) == (0, {"tip": 2})
    assert report.errors == [(str(folder), "the folder holds no documents, nothing was changed; check the path.")]


def test_a_target_that_is_not_there_keeps_no_other_from_loading(kb: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    report = bring(kb, tmp_path / "gone", folder)
    assert report.documents == 2
    assert report.errors == [(str(tmp_path / "gone"), "there is no such file or folder; check the path.")]


def test_two_folders_with_the_same_names_stay_apart(kb: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "弁当.txt").write_text("冬の弁当は保温箱で運びます。", "utf-8")
    bring(kb, folder)
    assert bring(kb, other).errors == []
    assert kb.status().documents == {"tip": 3}
    bring(kb, folder)
    assert kb.status().documents == {"tip": 3}


def test_a_target_that_is_named_twice_is_read_once(kb: KnowledgeBase, folder: Path) -> None:
    assert bring(kb, folder, f"{folder}/", folder / "規約" / "..") == Report(documents=2, passages=2, changed=2)


def test_progress_goes_from_one_to_all(kb: KnowledgeBase, folder: Path) -> None:
    (folder / "x.bin").write_bytes(b"\1")
    heard: list[tuple[int, int, str]] = []
    ingest(kb, [str(folder)], audience=COOP, kind=Kind.TIP, progress=lambda *said: heard.append(said))
    assert heard == [(1, 3, "x.bin"), (2, 3, "弁当.txt"), (3, 3, "規約/定款.txt")]


def test_an_entry_cannot_take_the_place_of_shipped_knowledge(kb: KnowledgeBase, folder: Path) -> None:
    entry = "---\nid: {}\nkind: law\ntitle: 題\nshort: 短い。\nsource: 出典\nurl: https://example.jp/\n---\n"
    (folder / "a.md").write_text(entry.format("act-23"), "utf-8")
    (folder / "b.md").write_text(entry.format("own"), "utf-8")
    (folder / "c.md").write_text(entry.format("own"), "utf-8")
    report = bring(kb, folder)
    assert dict(report.errors) == {
        "a.md": "its id act-23 is taken by the knowledge that Yui comes with; give it another one.",
        "c.md": "its id own is taken by b.md; give it another one.",
    }
    assert kb.document("own", COOP) is not None


def test_an_entry_cannot_take_the_place_of_what_came_from_elsewhere(kb: KnowledgeBase, folder: Path, tmp_path: Path) -> None:
    entry = "---\nid: own\nkind: tip\ntitle: 題\nshort: {}\nsource: 出典\nurl: https://example.jp/\n---\n"
    (folder / "a.md").write_text(entry.format("前からの話です。"), "utf-8")
    bring(kb, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.md").write_text(entry.format("ほかの話です。"), "utf-8")
    (other / "b.txt").write_text("雪かきの当番は週ごとです。", "utf-8")
    report = bring(kb, other)
    assert report.errors == [("a.md", "its id own is taken by what was brought in from elsewhere; give it another one.")]
    assert report.documents == 1
    own = kb.document("own", COOP)
    assert own is not None
    assert own.passages[0].short == "前からの話です。"
    (folder / "a.md").unlink()
    bring(kb, folder)
    assert bring(kb, other).errors == []


def test_pages_and_files_together(kb: KnowledgeBase, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "loopback_allowed", True)
    with serving() as server:
        url = server.page("/", "<!doctype html><title>雪かき</title><p>雪かきの当番は週ごとです。</p>")
        assert bring(kb, url, folder).documents == 3
        assert found(kb, "雪かきの当番")[0] == "127.0.0.1"
        server.page("/", "<p>", status=500)
        report = bring(kb, f"{url}#part")
    assert [name for name, _ in report.errors] == [f"{url}#part"]
    assert report.errors[0][1].startswith("its server answers 500")
    assert kb.status().documents == {"tip": 3}


def test_an_origin_is_the_place_and_fits_its_column(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert origin_of("規約") == origin_of(f"{folder}/規約/") == str(folder / "規約")
    assert origin_of("https://example.jp/a#b") == "https://example.jp/a"
    long = "https://example.jp/" + "x" * 500
    assert len(origin_of(long)) == 400
    assert origin_of(long) != origin_of(long + "y")


def test_another_origin_may_be_given(kb: KnowledgeBase, folder: Path) -> None:
    ingest(kb, [str(folder / "弁当.txt")], origin=lambda _: "web", audience=COOP, kind=Kind.TIP)
    ingest(kb, [str(folder / "規約")], origin=lambda _: "web", audience=COOP, kind=Kind.TIP)
    assert found(kb, "夏の弁当 出資は一口") == ["定款.txt"]
