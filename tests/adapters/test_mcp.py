"""`yui mcp` as an assistant sees it: the library's own client, over real standard input and output."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from bot.bootstrap import build
from bot.config import Settings
from bot.members import CoOp, Members
from bot.tips.store import TipStore
from bot.tips.tip import Draft, TipState
from knowledge import Audience, Database

UEDA = "ueda"
LUNCH = "夏のお弁当は、ふたの上に保冷剤を2枚置くといたみませんでした。"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Path:
    """A data folder with a co-op that has given a tip of its own."""
    folder = filled(tmp_path_factory.mktemp("mcp"))
    yui = build(Settings(data_dir=folder, _env_file=None))
    yui.knowledge.align()
    yui.members.put_co_op(CoOp(UEDA, "労協うえだ"))
    yui.curation.offer(Draft(LUNCH, audience=Audience.of("coop:ueda")), author="line:giver", conversation="line:g", co_op=UEDA)
    yui.close()
    return folder


@asynccontextmanager
async def assistant(data: Path, *options: str) -> AsyncIterator[Client]:
    program = StdioServerParameters(command=sys.executable, args=["-m", "bot", "mcp", *options], env={"YUI_DATA_DIR": str(data)})
    async with Client(program) as client:
        yield client


def given(data: Path) -> dict[str, tuple[str, TipState]]:
    """Tips with their authors and states."""
    database = Database(f"sqlite:///{data / 'yui.db'}")
    try:
        return {t.id: (t.author, t.state) for t in TipStore(database).find()}
    finally:
        database.close()


def test_anybody_finds_what_is_public_and_proposes_a_tip(data: Path) -> None:
    async def talk() -> str:
        async with assistant(data) as client:
            tools = {t.name: t for t in (await client.list_tools()).tools}
            assert set(tools) == {"search", "get", "propose_tip"}
            assert set(tools["propose_tip"].input_schema["properties"]) == {"text", "place", "happened", "outcome"}

            found = (await client.call_tool("search", {"question": "労協は何人から作れますか"})).structured_content
            assert "act-22" in [r["id"] for r in found["results"][:3]]
            whole = (await client.call_tool("get", {"id": "act-22"})).structured_content
            assert whole["article"] == "第22条"
            assert len(whole["text"]) > len(found["results"][0]["text"])

            lunch = (await client.call_tool("search", {"question": LUNCH})).structured_content
            tips = [r["id"] for r in lunch["results"] if r["kind"] == "tip"]
            assert tips == []

            told = {"text": "雪かきは、朝の5時に当番が電話で決めると早く終わりました。", "place": "長野"}
            proposed = (await client.call_tool("propose_tip", told)).structured_content
            assert proposed["state"] == "waiting"
            unreviewed = (await client.call_tool("search", {"question": told["text"]})).structured_content
            assert proposed["id"] not in [r["id"] for r in unreviewed["results"]]
            return str(proposed["id"])

    tip_id = asyncio.run(talk())
    assert given(data)[tip_id] == ("mcp:public", TipState.WAITING)


def test_a_co_op_finds_its_own(data: Path) -> None:
    async def talk() -> str:
        async with assistant(data, "--as", UEDA) as client:
            found = (await client.call_tool("search", {"question": "夏のお弁当がいたまないようにするには?"})).structured_content
            tip = next(r for r in found["results"] if r["kind"] == "tip")
            assert tip["verified"] is False
            assert LUNCH in (await client.call_tool("get", {"id": tip["id"]})).structured_content["text"]
            told = {"text": "畑の水やりは、日がしずんでからにすると半分ですみました。"}
            return str((await client.call_tool("propose_tip", told)).structured_content["id"])

    tip_id = asyncio.run(talk())
    assert given(data)[tip_id] == ("mcp:ueda", TipState.WAITING)


def test_what_goes_wrong_is_one_sentence(data: Path) -> None:
    async def talk() -> list[Any]:
        calls = (
            ("get", {"id": "nothing"}),
            ("search", {"question": ""}),
            ("propose_tip", {"text": "あ"}),
            ("propose_tip", {"text": "困ったら山田花子さん、090-1234-5678に電話するとよいです。"}),
            ("no_such_tool", {}),
        )
        async with assistant(data) as client:
            return [await client.call_tool(name, told) for name, told in calls]

    before = given(data)
    results = asyncio.run(talk())
    assert [r.is_error for r in results] == [True] * len(results)
    assert "090-1234-5678" in results[3].content[0].text
    assert given(data) == before


def test_what_does_not_fit_is_named_in_one_sentence_without_the_words(data: Path) -> None:
    calls = (
        ("search", {"question": "保冷剤" * 101}),
        ("search", {"question": "　 \u200b"}),
        ("get", {"id": "\n"}),
        ("propose_tip", {"text": LUNCH, "place": "保冷剤" * 100}),
        ("propose_tip", {"text": "保冷剤" * 7_000}),
        ("propose_tip", {"text": "     "}),
        ("propose_tip", {"text": f"困ったら{'090-12' + chr(1) + '34-5678'}に電話します。"}),
        ("propose_tip", {"text": LUNCH, "place": f"090-12{chr(1)}34-5678"}),
    )

    async def talk() -> list[Any]:
        async with assistant(data, "--as", UEDA) as client:
            return [await client.call_tool(name, told) for name, told in calls]

    before = given(data)
    results = asyncio.run(talk())
    said = [r.content[0].text for r in results]
    assert [r.is_error for r in results] == [True] * len(results), said
    assert not any(mark in text for text in said for mark in ("\n", "http", "保冷剤")), said
    assert "2000" in said[4]
    assert all("090-1234-5678" in text for text in said[-2:])
    assert given(data) == before


def test_a_co_op_that_was_removed_meanwhile_finds_nothing_more(data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))

    async def talk() -> list[Any]:
        async with assistant(folder, "--as", UEDA) as client:
            before = await client.call_tool("search", {"question": LUNCH})
            database = Database(f"sqlite:///{folder / 'yui.db'}")
            Members(database, lambda: dt.datetime.now(dt.UTC)).remove_co_op(UEDA)
            database.close()
            calls = (("search", {"question": LUNCH}), ("get", {"id": "act-22"}), ("propose_tip", {"text": LUNCH}))
            return [before, *[await client.call_tool(name, told) for name, told in calls]]

    kept = given(folder)
    found, *after = asyncio.run(talk())
    assert not found.is_error
    assert all(r.is_error and "ueda" in r.content[0].text for r in after)
    assert given(folder) == kept


@pytest.mark.long
def test_the_program_ends_with_its_input_and_wants_a_known_co_op(data: Path) -> None:
    env = {**os.environ, "YUI_DATA_DIR": str(data)}
    program = [sys.executable, "-m", "bot", "mcp"]
    ended = subprocess.run(program, input=b"", capture_output=True, timeout=60, env=env, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    unknown = subprocess.run([*program, "--as", "nobody"], input=b"", capture_output=True, timeout=60, env=env, check=False)
    assert unknown.returncode == 1
    assert unknown.stderr.decode().startswith("There is no co-op nobody")


@pytest.mark.long
def test_nobody_else_pays_for_the_library() -> None:
    look = "import sys, bot.cli, bot.app, adapters.web; print([m for m in sys.modules if m.split('.')[0] in ('mcp', 'mcp_types')])"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
