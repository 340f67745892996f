"""schemathesis against the running interface: what its description says is so, whatever is sent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.web.callers import Throttle, Throttles
from bot.api_keys import Scope
from bot.bootstrap import build
from bot.config import Settings
from bot.members import CoOp
from bot.tips.store import TipStore, tips
from bot.tips.tip import Tip
from tests.fakes import FakeEmbedder
from tests.running import Running

pytestmark = pytest.mark.long

_PROGRAM = str(Path(sys.executable).with_name("st"))


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Running]:
    settings = Settings(data_dir=filled(tmp_path_factory.mktemp("schema")), _env_file=None)
    with Running(settings, build(settings, embedder=FakeEmbedder())) as bot:
        bot.app.state.throttles = Throttles(Throttle(1_000_000, 1), Throttle(1_000_000, 1))
        bot.yui.members.put_co_op(CoOp("ueda", "労協うえだ"))
        yield bot


def report(bot: Running, header: str, *options: str) -> subprocess.CompletedProcess[str]:
    """One run with every check that schemathesis has, the same each time."""
    description = f"{bot.address}/api/openapi.json"
    command = [_PROGRAM, "run", description, "--header", header, "--seed", "1", "--no-color", "--request-timeout", "20", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def given(bot: Running, author: str) -> list[Tip]:
    """What somebody has offered, also what was withdrawn since."""
    return TipStore(bot.yui.database).find(tips.c.author == author)


def test_with_a_key_that_opens_everything(bot: Running) -> None:
    key = bot.yui.api_keys.make("all", list(Scope))
    done = report(bot, f"Authorization: Bearer {key}", "--max-examples", "4")
    assert done.returncode == 0, done.stdout
    operations = sum(len(methods) for methods in bot.app.openapi()["paths"].values())
    assert f"Tested: {operations}" in done.stdout
    assert given(bot, "api:all"), "nothing that was sent became a tip"


def test_with_the_cookie_of_the_chat_page(bot: Running) -> None:
    done = report(
        bot,
        "Cookie: yui_conversation=somebody",
        "--max-examples",
        "10",
        "--phases",
        "fuzzing",
        "--include-path-regex",
        "tips|search",
    )
    assert done.returncode == 0, done.stdout
    assert given(bot, bot.yui.conversations.pseudonym("web", "somebody"))
