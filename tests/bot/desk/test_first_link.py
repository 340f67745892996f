"""The first admin's way in, and who is looked after when a person is forgotten: with the whole bot."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import uvicorn

from bot import app, doctor
from bot.bootstrap import Yui, build
from bot.config import Settings
from bot.members import Grant, Purpose, Role
from tests.fakes import FakeEmbedder, FixedClock

PASSWORD = "さくら 駅前 ラジオ"


@pytest.fixture
def settings(tmp_path: Path, filled: Callable[[Path], Path]) -> Settings:
    return Settings(data_dir=filled(tmp_path / "data"), _env_file=None)


@pytest.fixture
def yui(settings: Settings) -> Yui:
    return build(settings, clock=FixedClock(), embedder=FakeEmbedder())


def served(settings: Settings, capsys: pytest.CaptureFixture[str], host: str = "127.0.0.1") -> tuple[str, int]:
    """What is said on standard output when the bot begins to serve, and what the link on this machine answers."""
    yui = build(settings, embedder=FakeEmbedder())
    config = uvicorn.Config(app.create_app(yui), host=host, port=0, log_config=None)
    server = app._Server(config, yui)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.02)
    said = ""
    deadline = time.monotonic() + 2  # where nothing is said there is nothing to wait for
    while not said and time.monotonic() < deadline:
        time.sleep(0.05)
        said = capsys.readouterr().out
    found = re.search(r"http://127\.0\.0\.1:\d+/console/link\?token=[\w-]+", said)
    status = httpx.get(found[0], timeout=20).status_code if found else 0
    server.should_exit = True
    thread.join(20)
    return said, status


@pytest.mark.long
def test_the_link_is_said_while_there_is_no_admin(
    settings: Settings, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said, status = served(settings, capsys, "0.0.0.0")  # noqa: S104
    assert re.fullmatch(r"Console sign-in: http://127\.0\.0\.1:\d+/console/link\?token=[\w-]{32}\n", said)
    assert status == 200
    own = [r.getMessage() for r in caplog.records if r.name.startswith(("bot", "adapters", "knowledge"))]  # not the client's
    assert own
    assert not [told for told in own if "token" in told or "Console" in told]
    said, _ = served(settings.model_copy(update={"public_url": "https://yui.example.org"}), capsys)
    assert said.startswith("Console sign-in: https://yui.example.org/console/link?token=")
    yui = build(settings, embedder=FakeEmbedder())
    token = yui.sign_in.first_link()
    assert token
    yui.sign_in.redeem(token, "山田 花子", PASSWORD)
    yui.close()
    assert served(settings, capsys) == ("", 0)


def test_who_is_forgotten_in_the_chat_is_forgotten_at_the_desk(yui: Yui) -> None:
    token = yui.sign_in.first_link()
    assert token
    account = yui.sign_in.redeem(token, "山田 花子", PASSWORD)
    yui.members.redeem(yui.members.code(Purpose.MERGE, account=account), "line:a", "line:a", group=False)
    yui.members.give("line:b", Grant(Role.ADMIN))
    session, _ = yui.sign_in.sign_in("山田 花子", PASSWORD, "browser", "::1")
    yui.audit.note(account, "role.give", account, detail="山田 花子")
    asyncio.run(yui.conversations.forget("line:a"))
    assert yui.sign_in.users() == []
    assert yui.sign_in.session(session, "browser") is None
    assert yui.members.grants(account) == frozenset()
    assert [(d.by, d.about, d.detail) for d in yui.audit.entries("line:b")] == [("", "", "")]
    yui.close()


def test_a_running_bot_is_examined_without_a_second_one(yui: Yui) -> None:
    found = [f.name for f in doctor.examine_running(yui)]
    assert found[:3] == ["vector index", "knowledge", "a question"]
    assert {f.name: f.well for f in doctor.surroundings(yui.settings)} == {"data folder": True}
    assert yui.sign_in.first_link(), "it still runs"
    yui.close()
