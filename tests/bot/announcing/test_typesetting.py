"""Lines as Japanese books set them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.announcing.typesetting import NOT_FIRST, NOT_LAST, balanced, lines

LETTERS = "あいうかんじ漢字助成カタカナー、。「」（）！？っゃ…2026年8月1日12:30abcXYZ https://example.jp/a-b "


def width(text: str) -> float:
    return sum(0.5 if ord(c) < 0x300 else 1.0 for c in text)


@settings(max_examples=150, deadline=None)
@given(st.text(LETTERS, max_size=120), st.integers(8, 30))
def test_nothing_is_lost_and_no_line_is_too_wide_or_begins_with_a_sign(text: str, most: int) -> None:
    for set_in in (lines, balanced):
        told = set_in(text, float(most), width)
        assert "".join("".join(told).split()) == "".join(text.split())
        for line, following in itertools.pairwise(told):
            glued = sum(c in NOT_FIRST or c in NOT_LAST for c in line)
            assert width(line) <= most or glued >= most / 3  # signs alone can fill a line; they are not parted
            assert following[:1] not in NOT_FIRST or not line
            assert line[-1:] not in NOT_LAST or not following


def test_dates_short_brackets_and_words_stay_whole() -> None:
    told = lines("申しこみは2026年8月31日までに、様式（様式2）を使って、午後5時30分までにメールmail@example.jpへ。", 12.0, width)
    joined = "\n".join(told)
    for whole in ("2026年", "31日", "（様式2）", "午後5時30分", "mail@example.jp"):
        assert whole in joined


def test_what_is_wider_than_a_line_is_parted_all_the_same() -> None:
    told = lines("https://example.jp/" + "a" * 80, 20.0, width)
    assert len(told) > 2
    assert all(width(line) <= 20 for line in told)


def test_the_last_line_is_no_remnant() -> None:
    text = "屋台と盆おどりがあります。どなたでもどうぞ。"
    told = lines(text, 21.0, width)
    assert len(told) == 2
    assert len(told[-1]) > 3


@pytest.mark.parametrize(
    ("title", "most", "told"),
    [
        ("夏祭りのお知らせ", 10.0, ["夏祭りのお知らせ"]),
        ("子ども食堂をつづける組合を応援する助成金", 12.0, ["子ども食堂をつづける", "組合を応援する助成金"]),
    ],
)
def test_titles_break_between_phrases_in_about_equal_lines(title: str, most: float, told: list[str]) -> None:
    assert balanced(title, most, width) == told
