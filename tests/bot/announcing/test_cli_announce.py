"""`yui announce` as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bot import bootstrap, cli
from knowledge import KnowledgeBase
from tests.fakes import FakeEmbedder

Yui = Callable[..., tuple[int, str, str]]


@pytest.fixture
def yui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Yui:
    monkeypatch.setattr(KnowledgeBase, "load_shipped", lambda _: 0)
    monkeypatch.setenv("YUI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(bootstrap, "create_embedder", lambda _: FakeEmbedder())

    def typed(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    typed("members", "co-op", "ueda", "--name", "労協うえだ")
    with bootstrap.running() as bot:
        bot.store.joined("line", "line:g", "Cg", bot.clock())
        bot.members.link("line:g", "ueda")
    return typed


def new(yui: Yui, *more: str) -> dict[str, str]:
    code, out, err = yui("announce", "new", "--title", "総会", "--text", "総会です。", "--co-op", "ueda", "--json", *more)
    assert code == 0, err
    told: dict[str, str] = json.loads(out)
    return told


def test_from_draft_to_withdrawal(yui: Yui) -> None:
    made = new(yui)
    code, out, _ = yui("announce", "preview", made["id"])
    assert code == 0
    assert "【お知らせ】総会" in out
    assert "1 chats" in out
    assert "cost: nothing" in out
    assert "scheduled" in yui("announce", "send", made["id"])[1]
    assert made["id"] in yui("announce", "list")[1]
    assert "first" in yui("announce", "report", made["id"])[1]
    assert yui("announce", "send", made["id"])[0] == 1
    assert "withdrawn" in yui("announce", "withdraw", made["id"])[1]
    assert "LINE has not told the quota yet" in yui("announce", "month")[1]


def test_a_file_and_a_kept_selection(yui: Yui, tmp_path: Path) -> None:
    assert yui("announce", "save", "うえだ", "--co-op", "ueda")[0] == 0
    assert "うえだ: co_ops: ueda" in yui("announce", "selections")[1]
    file = tmp_path / "a.toml"
    file.write_text('[content]\ntitle = "助成"\ntext = "家賃に"\n[content.grant]\ndeadline = "2099-03-31"\n', "utf-8")
    code, out, err = yui("announce", "new", "--file", str(file), "--saved", "うえだ", "--who", "長野の労協", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["content"]["grant"] | {"who": "長野の労協"} == told["content"]["grant"]
    assert told["selection"]["co_ops"] == ["ueda"]


def test_pictures_are_made_small_and_lose_what_a_camera_adds(yui: Yui, tmp_path: Path) -> None:
    file = tmp_path / "p.png"
    Image.effect_noise((2_000, 1_500), 80).save(file)
    told = new(yui, "--picture", str(file))
    (kept,) = (tmp_path / "data" / "pictures").iterdir()
    assert told["content"]["picture"] == kept.name  # type: ignore[index]
    assert kept.stat().st_size < 1_000_000
    assert kept.read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--starts", "2027-02-31T10:00"), "2027-02-31"),
        (("--deadline", "2027-02-31"), "2027-02-31"),
        (("--link", "http://10.0.0.1/"), "公開されている"),
        (("--repeat", "FREQ=HOURLY", "--means", "free"), ""),
        (("--saved", "none"), "There is no selection none"),
        (("--file", "none.toml"), "cannot be read"),
        (("--as", "none"), "登録されていません"),
        (("--picture", "none.png"), "cannot be read"),
        (("--place", "上田市民会館"), "give its --starts too"),
        (("--who", "居場所"), "give its --deadline too"),
    ],
)
def test_what_cannot_be_is_one_sentence(yui: Yui, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = yui("announce", "new", "--title", "総会", "--text", "x", "--everyone", *arguments)
    if not said:  # a draft may be incomplete; it cannot be sent
        code, _, err = yui("announce", "send", out.split()[0])
        said = "くり返し"
    assert code == 1
    assert said in err
    assert "Traceback" not in err


def test_a_draft_that_could_not_leave_says_so_and_a_wrong_version_does_nothing(yui: Yui) -> None:
    code, out, _ = yui("announce", "new", "--title", "x", "--text", "x", "--co-op", "ueda", "--at", "2020-01-01T10:00")
    assert (code, "it cannot be sent like this: 送る日時" in out) == (0, True)
    made = new(yui)
    assert "cannot be sent" not in yui("announce", "preview", made["id"])[1]
    code, _, err = yui("announce", "send", made["id"], "--version", "0")
    assert (code, "ほかの人が先に" in err) == (1, True)
    code, _, err = yui("announce", "month", "2027-13")
    assert (code, err.strip()) == (1, "There is no month 2027-13: write it like 2027-03.")


@pytest.mark.parametrize(("data", "said"), [(b"x" * (40 * 2**20), "10MBまで"), (b"GIF89a", "JPEGかPNG"), (b"%PDF", "JPEGかPNG")])
def test_a_picture_that_cannot_be_is_refused(yui: Yui, tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "p"
    file.write_bytes(data)
    code, _, err = yui("announce", "new", "--title", "総会", "--text", "x", "--everyone", "--picture", str(file))
    assert code == 1
    assert said in err
