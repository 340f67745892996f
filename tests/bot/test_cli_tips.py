"""`yui tips`, `yui export`, `yui backup`, `yui restore`, `yui doctor` as an operator types them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import bootstrap, cli, doctor
from bot.config import Settings, load
from bot.members import CoOp, Grant, Role
from knowledge import KnowledgeBase
from tests.fakes import FakeEmbedder, FixedClock

LUNCH = "夏のお弁当は、ふたの上に保冷剤を2枚置くといたみませんでした。"


class Typed:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, str]:
        told: dict[str, str] = json.loads(self.out)
        return told


Yui = Callable[..., Typed]


@pytest.fixture
def yui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Yui:
    """Types a command. The embedder is a small one and there is no corpus: what is tested is the command."""
    monkeypatch.setattr(KnowledgeBase, "load_shipped", lambda _: 0)
    monkeypatch.setenv("YUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(bootstrap, "create_embedder", lambda _: FakeEmbedder())

    def typed(*arguments: str) -> Typed:
        capsys.readouterr()
        try:
            code = cli.main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return Typed(code, told.out, told.err)

    typed("members", "co-op", "ueda", "--name", "労協うえだ")
    return typed


def offered(yui: Yui, *more: str, text: str = LUNCH) -> str:
    return yui("tips", "offer", text, "--co-op", "ueda", "--for", "public", "--json", *more).json["id"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("publish", "tip-0"), 1, "There is no such tip"),
        (("withdraw", "tip-0"), 1, "There is no such tip"),
        (("undo", "TIP"), 1, "There is no decision"),
        (("publish", "TIP", "--version", "0"), 1, "The tip has changed"),
        (("publish", "TIP", "--expires", "2020-01-01"), 1, "is past"),
        (("publish", "TIP", "--expires", "soon"), 2, "is not a date"),
        (("decline", "TIP", "--reason", " "), 1, "--reason"),
        (("merge", "TIP", "--into", "TIP"), 1, "There is no such tip to merge it into"),
        (("offer", "あ"), 1, "too short"),
        (("offer", LUNCH, "--consent", "name"), 1, "--name"),
        (("offer", LUNCH, "--consent", "co_op"), 1, "--co-op"),
    ],
)
def test_what_cannot_be_is_one_english_sentence_and_changes_nothing(
    yui: Yui, arguments: tuple[str, ...], code: int, told: str
) -> None:
    tip = offered(yui)
    before = yui("tips", "history", tip).out
    ended = yui("tips", *(tip if a == "TIP" else a for a in arguments))
    assert (ended.code, ended.out) == (code, "")
    last = ended.err.strip().split("\n")[-1]
    assert told in last
    assert last.isascii()
    assert yui("tips", "history", tip).out == before
    assert len(json.loads(yui("tips", "list", "--json").out)) == 1


def test_a_tip_from_offer_to_export_to_withdrawal(yui: Yui, tmp_path: Path) -> None:
    tip = offered(yui, "--consent", "co_op")
    assert tip in yui("tips", "list").out
    shown = yui("tips", "show", tip)
    assert LUNCH in shown.out
    assert "waiting, version 1" in shown.out
    assert yui("tips", "publish", tip).code == 0
    assert yui("tips", "list").out == "Nothing waits.\n"
    assert [t["id"] for t in json.loads(yui("tips", "list", "--all", "--json").out)] == [tip]
    assert "publish version 1 by cli:operator" in yui("tips", "history", tip).out
    file = tmp_path / "out.jsonl"
    assert yui("export", str(file)).out == f"{file}: 1 tips\n"
    assert json.loads(file.read_text("utf-8"))["who"] == "労協うえだ"
    assert file.stat().st_mode & 0o777 == 0o600
    assert yui("export", str(file)).code == 1
    assert yui("tips", "withdraw", tip, "--reason", "まちがい").code == 0
    assert yui("export", "--force", str(file)).out == f"{file}: 0 tips\n"
    assert yui("tips", "show", tip).code == 1
    assert LUNCH not in yui("tips", "list", "--all", "--json").out


def test_undo_and_every_other_decision(yui: Yui) -> None:
    tip, other = offered(yui), offered(yui, text="チラシは公民館の印刷機が安いです。")
    for arguments, state in (
        (("decline", tip, "--reason", "古い話です"), "declined"),
        (("undo", tip), "waiting"),
        (("ask-back", tip, "--reason", "いつのことですか"), "asked_back"),
        (("undo", tip), "waiting"),
        (("merge", tip, "--into", other), "merged"),
        (("undo", tip), "waiting"),
        (("postpone", tip), "waiting"),
    ):
        done = yui("tips", *arguments, "--json")
        assert (done.code, done.json["state"]) == (0, state), arguments
    assert [t["id"] for t in json.loads(yui("tips", "list", "--json").out)] == [other]
    decisions = json.loads(yui("tips", "history", tip, "--json").out)["decisions"]
    assert [d["action"] for d in decisions] == ["decline", "ask_back", "merge", "postpone"]
    assert [bool(d["undone_at"]) for d in decisions] == [True, True, True, False]


def test_what_cannot_be_is_one_sentence_on_stderr(yui: Yui, tmp_path: Path) -> None:
    tip = offered(yui)
    yui("tips", "publish", tip)
    for arguments, code, told in (
        (("tips", "show", "tip-0"), 1, "no such tip"),
        (("tips", "publish", "tip-0"), 1, "no such tip"),
        (("tips", "publish", tip), 1, "decided so before"),
        (("tips", "publish", tip, "--version", "2"), 1, "has changed"),
        (("tips", "withdraw", "tip-0"), 1, "no such tip"),
        (("tips", "merge", tip, "--into", tip), 1, "no such tip"),
        (("tips", "decline", tip), 2, "--reason"),
        (("tips", "publish", tip, "--for", "coop:nowhere"), 1, "no audience"),
        (("tips", "publish", tip, "--expires", "tomorrow"), 2, "expires"),
        (("tips", "offer", "短い"), 1, "too short"),
        (("tips", "offer", "あ" * 20_000), 1, "too long"),
        (("tips", "offer", LUNCH, "--co-op", "nowhere"), 1, "no co-op nowhere"),
        (("tips", "offer", "利用者の田中花子さんは、090-1234-5678に電話すると来てくれます。"), 1, "090-1234-5678"),
        (("export", "--as", "nowhere", str(tmp_path / "x")), 1, "no co-op nowhere"),
        (("export", "--questions", str(tmp_path / "x")), 1, "--as COOP"),
        (("export", "--format", "pdf", str(tmp_path / "x")), 2, "format"),
        (("restore", str(tmp_path / "nowhere")), 1, "cannot be read"),
        (("backup", str(tmp_path)), 1, "folder"),
    ):
        done = yui(*arguments)
        assert (done.code, done.out) == (code, ""), arguments
        assert told in done.err, arguments
        if code == 1:
            assert done.err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_confirmed_names_may_stand_and_illnesses_may_not(yui: Yui) -> None:
    named = "田中花子さんに教わって、ふたに保冷剤を置きました。"
    assert yui("tips", "offer", named).code == 1
    assert yui("tips", "offer", named, "--confirmed").code == 0


def test_questions(yui: Yui) -> None:
    assert yui("tips", "questions").out == "Nothing is open.\n"
    tip = offered(yui)
    yui("tips", "publish", tip)
    with bootstrap.running() as running:
        running.questions.record("夏のお弁当は?", asker="line:a", conversation="line:g", co_op="ueda", nearest=[tip])
    told = yui("tips", "questions")
    assert "夏のお弁当は?" in told.out
    assert "near: 夏のお弁当は、ふたの上" in told.out
    (topic,) = json.loads(yui("tips", "questions", "--json").out)
    assert (topic["asked"], topic["co_op"]) == (1, "ueda")


@pytest.mark.long
def test_backup_and_restore(yui: Yui, tmp_path: Path) -> None:
    kept, withdrawn = offered(yui), offered(yui, text="チラシは公民館の印刷機が安いです。")
    file = tmp_path / "yui.backup"
    done = yui("backup", str(file))
    assert done.code == 0
    assert "private" in done.out
    yui("tips", "withdraw", withdrawn)
    yui("tips", "withdraw", offered(yui, text="会議は月1回、夜にしています。"))
    with bootstrap.running():
        refused = yui("restore", str(file))
    assert refused.code == 1
    assert "stop it" in refused.err
    done = yui("restore", str(file))
    assert done.code == 0, done.err
    assert "2 tips that were withdrawn" in done.out
    assert [t["id"] for t in json.loads(yui("tips", "list", "--json").out)] == [kept]


def findings(settings: Settings, days: int = 0) -> dict[str, bool]:
    clock = FixedClock()
    with bootstrap.running(settings) as running:
        clock.now = running.clock()
    clock.now += dt.timedelta(days=days)
    built = bootstrap.build(settings, clock=clock, embedder=FakeEmbedder())
    try:
        return {f.name: f.well for f in doctor.sharing(built)}
    finally:
        built.close()


def test_doctor_notices_what_is_not_looked_after(yui: Yui, tmp_path: Path) -> None:
    settings = load()
    tip = offered(yui)
    assert findings(settings) == {"review": True, "coordinators": False, "backup": False}
    with bootstrap.running() as running:
        running.members.give("line:u", Grant(Role.COORDINATOR, "ueda"))
    yui("backup", str(tmp_path / "file"))
    assert findings(settings, 13) == {"review": True, "coordinators": True, "backup": True}
    assert findings(settings, 15) == {"review": False, "coordinators": True, "backup": True}
    yui("tips", "publish", tip)
    assert findings(settings, 31) == {"review": True, "coordinators": True, "backup": False}


def test_doctor_finds_nothing_where_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KnowledgeBase, "load_shipped", lambda _: 0)
    settings = Settings(data_dir=tmp_path / "fresh", _env_file=None)
    built = bootstrap.build(settings, clock=FixedClock(), embedder=FakeEmbedder())
    assert list(doctor.sharing(built)) == []
    built.members.put_co_op(CoOp("ueda", "労協うえだ"))
    assert [f.name for f in doctor.sharing(built)] == ["review", "coordinators", "backup"]
    built.close()
