"""Written conversations through the command, as the public contract says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.addressing import Names
from bot.bootstrap import Yui
from bot.errors import UserMistake
from bot.replay import Replay

ROWS: list[dict[str, Any]] = [
    {"conversation": "g", "n": 1, "speaker": "A", "text": "今日は寒いね", "addressed": False, "group": True},
    {"conversation": "g", "n": 2, "speaker": "A", "text": "@ボット 発起人って何?", "addressed": True, "group": True},
    {"conversation": "g", "n": 3, "speaker": "B", "text": "それって何人から?", "addressed": False, "group": True, "reply_to": 2},
    {"conversation": "g", "n": 4, "speaker": "C", "text": "ありがとう", "addressed": False, "group": True},
    {"conversation": "g", "n": 5, "speaker": "C", "text": "＠結さん、監事の任期は?", "addressed": True, "group": True},
    {"conversation": "h", "n": 1, "speaker": "A", "text": "それって何人から?", "addressed": True, "group": True},
    {
        "conversation": "i",
        "n": 1,
        "speaker": "bot",
        "text": "創立総会の公告は2週間前までに行います。",
        "addressed": False,
        "group": True,
    },
    {
        "conversation": "i",
        "n": 2,
        "speaker": "A",
        "text": "それは何人の出席が要る?",
        "addressed": False,
        "group": True,
        "reply_to": 1,
    },
    {"conversation": "j", "n": 1, "speaker": "A", "text": "天気は?", "addressed": True, "group": False},
]


def play(yui: Yui, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    async def run() -> list[dict[str, Any]]:
        return [row async for row in Replay(yui.conversations, ("ボット", "結")).play(rows)]

    return asyncio.run(run())


def test_what_it_says_and_where_it_keeps_quiet(shipped: Yui) -> None:
    out = play(shipped, ROWS)
    assert [(r["conversation"], r["n"]) for r in out] == [(r["conversation"], r["n"]) for r in ROWS]
    assert [r["act"] for r in out] == ["silent", "answer", "answer", "silent", "answer", "ask_back", "silent", "answer", "refuse"]
    assert [r["reply"] is None for r in out] == [r["act"] == "silent" for r in out]
    assert "3人" in out[2]["reply"]["text"]
    assert "4年" in out[4]["reply"]["text"]
    assert "半数以上" in out[7]["reply"]["text"]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("@ボット 総会は?", "総会は?"),
        ("＠ボットさん、総会は?", "総会は?"),
        ("ねえ @結 総会は?", "ねえ 総会は?"),
        ("a@ボット.jp", "a@ボット.jp"),
    ],
)
def test_a_typed_mention_is_not_part_of_the_question(text: str, question: str) -> None:
    assert Names(("ボット", "結")).without_call(text) == question


def test_a_row_that_lacks_something(shipped: Yui) -> None:
    with pytest.raises(UserMistake, match="no text"):
        play(shipped, [{"conversation": "x", "n": 1, "speaker": "A"}])
