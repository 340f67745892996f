"""`yui ingest`, `yui law` and the optional language model, as an operator and a member meet them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bot.bootstrap import Yui, build
from bot.cli import main
from bot.config import Settings
from bot.messages import IncomingMessage
from knowledge.sources import egov_api
from knowledge.statutes import ACT
from tests.fakes import FixedClock
from tests.knowledge.egov_server import Answer, Server, running
from tests.knowledge.test_statutes import NEW, OLD, law


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled: Callable[[Path], Path]) -> Path:
    monkeypatch.setenv("YUI_DATA_DIR", str(filled(tmp_path / "data")))
    return tmp_path


@pytest.mark.long
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
    monkeypatch.setattr(shipped.conversations._answers, "_rewriter", Fluent("理事は、3人以上を置きます。"))
    return monkeypatch


def test_what_a_language_model_worded_is_shown_with_the_sources(shipped: Yui, fluent: pytest.MonkeyPatch) -> None:
    message = IncomingMessage("", "理事は何人必要?")
    told = asyncio.run(shipped.conversations.reply_once(message))
    assert told.text.startswith("理事は、3人以上を置きます。\n出典:")
    fluent.setattr(shipped.conversations._answers, "_rewriter", Fluent(None))
    assert asyncio.run(shipped.conversations.reply_once(message)).text.startswith("役員は、理事3人以上")


def revisions(current: str, *others: tuple[str, str]) -> Answer:
    rows = [(current, "CurrentEnforced"), *others]
    listed = [{"law_revision_id": name, "current_revision_status": status, "law_title": "試しの法律"} for name, status in rows]
    return Answer(body=json.dumps({"revisions": listed}, ensure_ascii=False).encode())


def law_data(number: str, revision: str) -> Answer:
    """A law's text as the API hands it out: its facts around it."""
    facts = (
        f"<law_info><law_id>{ACT}</law_id></law_info><revision_info><law_revision_id>{revision}</law_revision_id></revision_info>"
    )
    text = law(number).decode().partition("?>")[2]
    return Answer(body=f"<law_data_response>{facts}<law_full_text>{text}</law_full_text></law_data_response>".encode())


Start = Callable[..., AbstractContextManager[Server]]


@pytest.fixture
def egov(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts e-Gov's stand-in with its answers in turn, and points Yui at it."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(egov_api, "_INTERVAL", 0.0)

    @contextmanager
    def start(*answers: Answer) -> Iterator[Server]:
        with running(*answers) as server:
            monkeypatch.setenv("YUI_EGOV_API_BASE", server.url)
            yield server

    return start


@pytest.mark.usefixtures("here")
def test_law_check_tells_a_newer_version_and_takes_nothing_in(egov: Start, capsys: pytest.CaptureFixture[str]) -> None:
    with egov(law_data("三人", OLD)):
        assert main(["law", "import", "--law-id", ACT]) == 0
    capsys.readouterr()
    planned = (f"{ACT}_20301001_000000000000000", "UnEnforced")
    for _ in range(2):  # the second time it is still news
        with egov(revisions(NEW, (OLD, "PreviousEnforced"), planned), law_data("五人", NEW)) as server:
            assert main(["law", "check"]) == 0
        told = capsys.readouterr().out
        assert f"current version is {NEW}; imported is {OLD}" in told
        assert "changed: 第22条 第1項" in told
        assert "yui law import --law-id" in told
        assert [path for path, _ in server.asked] == [f"/api/2/law_revisions/{ACT}", f"/api/2/law_data/{ACT}"]


@pytest.mark.usefixtures("here")
def test_law_check_says_that_nothing_is_new_without_fetching_the_text(egov: Start, capsys: pytest.CaptureFixture[str]) -> None:
    with egov(law_data("三人", OLD)):
        main(["law", "import", "--law-id", ACT])
    capsys.readouterr()
    with egov(revisions(OLD, (NEW, "UnEnforced"))) as server:
        assert main(["law", "check"]) == 0
    assert capsys.readouterr().out == f"The imported version {OLD} is the current one.\n"
    assert len(server.asked) == 1


@pytest.mark.usefixtures("here")
def test_law_check_wants_an_imported_law(egov: Start, capsys: pytest.CaptureFixture[str]) -> None:
    with egov(revisions(OLD)) as server:
        assert main(["law", "check"]) == 1
    assert "has not been imported: run `yui law import" in capsys.readouterr().err
    assert server.asked == []


AWAY = [
    (Answer(404, b'{"code": "404001", "message": "no such law"}'), "knows no such law"),
    (Answer(403, b"<html>"), "maintenance"),
    (Answer(body=b"<html>"), "not written as its description says"),
    (Answer(body=b'{"revisions": []}'), "0 current"),
]


@pytest.mark.usefixtures("here")
def test_law_check_says_in_one_sentence_that_e_gov_is_away(egov: Start, capsys: pytest.CaptureFixture[str]) -> None:
    def check() -> str:
        capsys.readouterr()
        assert main(["law", "check"]) == 1
        said = capsys.readouterr()
        assert (said.err.count("\n"), said.out) == (1, "")
        return said.err

    with egov(law_data("三人", OLD)):
        main(["law", "import", "--law-id", ACT])
    assert "cannot be reached" in check()  # the server from before is gone
    for answer, told in AWAY:
        with egov(answer):
            assert told in check()
