"""Who is called by which words."""

from __future__ import annotations

import pytest

from bot.addressing import Names

NAMES = Names(("ボット", "結"))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@ボット 理事は?", "理事は?"),
        ("＠結さん、理事は?", "理事は?"),
        ("ねえ @結 理事は?", "ねえ 理事は?"),
        ("@ボット:理事は?", "理事は?"),
        ("/質問 理事は?", "理事は?"),
        ("／結　理事は?", "理事は?"),
        ("/ASK how many?", "how many?"),
        ("ボット、理事は?", "理事は?"),
        ("@ボット", ""),
        ("@ﾎﾞｯﾄ 理事は?", "理事は?"),
        ("ねえ@ボット 理事は?", "ねえ理事は?"),
        ("(@ボット)理事は?", "()理事は?"),
        ("ボットさん 理事は?", "理事は?"),
        ("@結さん 理事は?", "理事は?"),
        ("@結", ""),
    ],
)
def test_it_is_called(text: str, rest: str) -> None:
    assert NAMES.call(text)
    assert NAMES.without_call(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "@結衣 明日の当番は?",
        "@結城さん 来る?",
        "結、あした来る?",
        "ボットって何?",
        "mail@ボット.jp",
        "団結 する",
        "/結婚式の話",
        "質問 理事は?",
        "1/質問",
        "結さん、おめでとう",
        "@田中 理事は?",
        "",
    ],
)
def test_it_is_not_called(text: str) -> None:
    assert not NAMES.call(text)
    assert NAMES.without_call(text) == text
