"""What people meet with SQLite files: locked, read-only, damaged, full."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from knowledge import database as module
from knowledge.database import Database, explained
from knowledge.errors import StoreUnavailable
from knowledge.store import KnowledgeStore
from tests.knowledge.documents import document


def prepared(file: Path) -> KnowledgeStore:
    database = Database(f"sqlite:///{file}")
    database.migrate("knowledge")
    return KnowledgeStore(database)


def test_write_ahead_logging_is_on(tmp_path: Path) -> None:
    prepared(tmp_path / "yui.db")
    with sqlite3.connect(tmp_path / "yui.db") as c:
        assert c.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    c.close()


def test_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_FOR_LOCK", 0.1)
    store = prepared(tmp_path / "yui.db")
    other = sqlite3.connect(tmp_path / "yui.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked by another program"):
        store.upsert([document("a", "一")], "test")
    assert store.document_ids() == []  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert store.upsert([document("a", "一")], "test") == 1


def test_damaged(tmp_path: Path) -> None:
    (tmp_path / "yui.db").write_bytes(b"this is no database" * 500)
    with pytest.raises(StoreUnavailable, match="damaged"):
        prepared(tmp_path / "yui.db")


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        prepared(tmp_path / "data" / "yui.db")


def test_read_only(tmp_path: Path) -> None:
    prepared(tmp_path / "yui.db").upsert([document("a", "一")], "test")
    store = KnowledgeStore(Database(f"sqlite:///file:{tmp_path / 'yui.db'}?mode=ro&uri=true"))
    assert store.document_ids() == ["a"]
    with pytest.raises(StoreUnavailable, match="read-only"):
        store.upsert([document("b", "二")], "test")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("attempt to write a readonly database", "read-only"),
        ("database or disk is full", "disk is full"),
        ("database is locked", "locked"),
        ("database disk image is malformed", "restore"),
    ],
)
def test_every_refusal_has_its_sentence(told: str, sentence: str) -> None:
    import sqlalchemy as sa

    with pytest.raises(StoreUnavailable, match=sentence), explained():
        raise sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError(told))


def test_full(tmp_path: Path) -> None:
    store = prepared(tmp_path / "yui.db")
    store.upsert([document("a", "一")], "test")
    with store._db.engine.connect() as c:
        pages = c.exec_driver_sql("PRAGMA page_count").scalar()
        c.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        raw = c.connection.driver_connection
        assert raw is not None
    with pytest.raises(StoreUnavailable, match="disk is full"):
        store.upsert([document("b", "長い文です。" * 5_000)], "test")
    assert store.document_ids() == ["a"]
