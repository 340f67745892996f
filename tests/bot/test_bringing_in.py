"""`yui ingest`, `yui law` and the optional language model, as an operator and a member meet them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.bootstrap import Yui, build
from bot.cli import main
from bot.config import Settings
from bot.messages import IncomingMessage
from tests.fakes import FixedClock
from tests.knowledge.test_statutes import NEW, OLD, law


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YUI_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def test_a_document_is_found_after_ingest_and_gone_with_its_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = here / "papers"
    folder.mkdir()
    (folder / "key.md").write_text("# 鍵当番の決まり\n\n鍵当番は毎週月曜に交代します。\n", "utf-8")
    (folder / "broken.docx").write_bytes(b"PK\x03\x04 not a document")
    assert main(["ingest", str(folder)]) == 1
    told = capsys.readouterr()
    assert "broken.docx" in told.err
    assert "1 not read" in told.out
    assert main(["ask", "鍵当番はいつ交代する?"]) == 0
    assert "月曜" in capsys.readouterr().out
    for file in folder.iterdir():
        file.unlink()
    (folder / "other.md").write_text("# ごみの日\n\nごみの日は火曜です。\n", "utf-8")
    assert main(["ingest", str(folder)]) == 0
    capsys.readouterr()
    main(["ask", "鍵当番はいつ交代する?"])
    assert "月曜" not in capsys.readouterr().out


def test_the_official_text_is_shown_on_a_tap_and_a_change_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = here / f"{OLD}.xml", here / f"{NEW}.xml"
    old.write_bytes(law("三人"))
    new.write_bytes(law("五人"))
    assert main(["law", "import"]) == 1
    assert main(["law", "import", str(here / "nothing.xml")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert main(["law", "import", str(old)]) == 0
    assert main(["law", "import", str(new)]) == 0
    assert "changed: 第22条" in capsys.readouterr().out
    yui = build(Settings(_env_file=None), clock=FixedClock())
    yui.knowledge.align()
    try:
        say = lambda text: asyncio.run(yui.conversations.reply_to(IncomingMessage("c", text)))  # noqa: E731
        first = say("発起人は何人?")
        assert first
        assert "要確認" in first.text
        statute = say("条文")
        assert statute
        assert "世話人は五人とする。" in statute.text
        assert "2027年10月1日" in statute.text
    finally:
        yui.close()


class Fluent:
    def __init__(self, told: str | None) -> None:
        self.told = told

    def rewrite(self, *_: object) -> str | None:
        return self.told


@pytest.fixture
def fluent(shipped: Yui, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(shipped.conversations, "_rewriter", Fluent("理事は、3人以上を置きます。"))
    return monkeypatch


def test_what_a_language_model_worded_is_shown_with_the_sources(shipped: Yui, fluent: pytest.MonkeyPatch) -> None:
    message = IncomingMessage("", "理事は何人必要?")
    told = asyncio.run(shipped.conversations.reply_once(message))
    assert told.text.startswith("理事は、3人以上を置きます。\n出典:")
    fluent.setattr(shipped.conversations, "_rewriter", Fluent(None))
    assert asyncio.run(shipped.conversations.reply_once(message)).text.startswith("役員は、理事3人以上")
