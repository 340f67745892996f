"""`yui paper` as an operator types it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from bot import bootstrap, cli
from bot.announcing.announcement import Selection
from bot.announcing.senders import Shape
from bot.config import load
from bot.members import CoOp, Grant, Role
from knowledge import Audience, Document, Kind, KnowledgeBase, Passage
from tests.bot.announcing.announcements import FESTIVAL, NOW
from tests.fakes import FakeEmbedder

Typed = tuple[int, str, str]
AUDITORS = Document(
    "auditors",
    Kind.LAW,
    "監事の人数",
    "労働者協同組合法 第32条",
    (Passage("auditors", "監事の人数", "監事は1人以上です。", asks=("監事は何人いる",)),),
    audience=Audience.of("coop:ueda"),
)


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Typed]:
    """Types a command: exit code, what was printed, what was complained of."""
    monkeypatch.setattr(KnowledgeBase, "load_shipped", lambda _: 0)
    monkeypatch.setenv("YUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(bootstrap, "create_embedder", lambda _: FakeEmbedder())
    monkeypatch.setattr("bot.announcing.paper._SURE", 0.0)  # the small embedder is sure of nothing

    def run(*arguments: str) -> Typed:
        capsys.readouterr()
        code = cli.main(arguments)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_an_announcement_becomes_a_file_that_only_its_owner_reads(
    typed: Callable[..., Typed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bootstrap.running(load(), NOW) as yui:
        yui.members.put_co_op(CoOp("ueda", "労協うえだ"))
        yui.members.give("cli:tests", Grant(Role.ADMIN))
        yui.chats.known("discord:1", "discord", "1", Shape.TEXT)
        made = yui.announcements.compose("cli:tests", FESTIVAL, Selection(everyone=True))
    file = tmp_path / "notice.pdf"
    code, out, err = typed("paper", "announcement", made.id, str(file))
    assert (code, "KB" in out, "YUI_PUBLIC_URL" in err) == (0, True, True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pypdfium2.PdfDocument(file) as pdf:
        assert "夏祭り" in pdf[0].get_textpage().get_text_bounded()
    assert typed("paper", "announcement", made.id, str(file))[0] == 1  # it is there already
    monkeypatch.setenv("YUI_PUBLIC_URL", "https://yui.example.jp")
    code, _, err = typed("paper", "announcement", made.id, str(file), "--force")
    assert (code, err) == (0, "")
    code, _, err = typed("paper", "announcement", "nothing", str(file), "--force")
    assert (code, err) == (1, "There is no announcement nothing: see `yui announce list`.\n")


def test_a_topic_is_printed_for_those_who_may_know_it(typed: Callable[..., Typed], tmp_path: Path) -> None:
    with bootstrap.running(load()) as yui:
        yui.members.put_co_op(CoOp("ueda", "労協うえだ"))
        yui.knowledge.upsert([AUDITORS], "tests")
    file = tmp_path / "handout.pdf"
    code, _, err = typed("paper", "topic", "監事", str(file))
    assert code == 1
    assert err.startswith("Nothing is known about '監事'")
    assert not file.exists()
    assert typed("paper", "topic", "監事", str(file), "--as", "ueda")[0] == 0
    with pypdfium2.PdfDocument(file) as pdf:
        text = pdf[0].get_textpage().get_text_bounded()
    assert "監事は1人以上です。" in text
    assert "労働者協同組合法 第32条" in text
    assert typed("paper", "topic", "監事", str(file), "--as", "nobody")[0] == 1
    assert typed("paper", "topic", "　", str(file), "--force")[0] == 1
