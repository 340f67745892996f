"""Long text to passages: all of it, in order, in chat size."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunking import LONGEST, Headed, along_headings, gather, pieces

WORDS = st.sampled_from(
    [
        "組合",
        "出資",
        "。",
        "、",
        "\n",
        "\n\n",
        " ",
        "　",
        "総会は年1回です。",
        "Yes. ",
        "か\u3099",
        "👩\u200d🌾",
        "（注）",
        "!",
        "x" * 50,
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=300).map("".join))


def solid(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(4, 90))
def test_the_pieces_hold_all_of_the_text_in_order_and_fit(text: str, longest: int) -> None:
    found = pieces(text, longest)
    assert solid("".join(found)) == solid(text)
    assert all(0 < len(p) <= longest for p in found)
    assert all(p == p.strip() for p in found)


@given(st.lists(st.sampled_from(["か\u3099", "👩\u200d🌾", "は\u309a", "👍🏽"]), min_size=20, max_size=60).map("".join))
def test_what_is_read_as_one_character_stays_whole(text: str) -> None:
    for piece in pieces(text, 12):
        assert unicodedata.category(piece[0]) != "Mn"
        assert piece[0] not in "\u200d🏽"
        assert piece[-1] != "\u200d"


def test_a_short_text_is_one_piece_and_an_empty_one_none() -> None:
    assert pieces("  総会は年1回です。\n") == ["総会は年1回です。"]
    assert pieces(" \n\u3000") == []


def test_a_long_text_is_cut_between_sentences_into_pieces_of_about_one_size() -> None:
    sentence = "組合員は出資し、意見を出し合い、ともに働きます。"
    found = pieces(sentence * 28)
    assert len(found) == 2
    assert all(p.endswith("。") for p in found)
    assert abs(len(found[0]) - len(found[1])) <= len(sentence)
    assert max(map(len, found)) <= LONGEST


def test_line_ends_inside_a_piece_stay() -> None:
    assert pieces("一、出資\n二、労働", 600) == ["一、出資\n二、労働"]


def test_a_sentence_that_is_too_long_is_cut_at_a_pause_and_not_inside_a_number() -> None:
    first, second = pieces("あ" * 35 + "、" + "い" * 30, 40)
    assert (first[-1], second[0]) == ("、", "い")
    assert pieces("あ" * 38 + "1234567" + "い" * 20, 40)[0] == "あ" * 38


def test_an_endless_sentence_takes_no_endless_time() -> None:
    assert len("".join(pieces("あ" * 2_000_000))) == 2_000_000


def test_markdown_is_cut_at_its_headings() -> None:
    text = "はじめ\n\n# 規則\n\n前文\n\n## 休暇\n### 有給\n10日です。\n\n## 附則\n\n# 別表\n表"
    assert along_headings(text, markdown=True) == [
        Headed((), "はじめ"),
        Headed(("規則",), "前文"),
        Headed(("規則", "休暇", "有給"), "10日です。"),
        Headed(("規則", "附則"), "附則"),
        Headed(("別表",), "表"),
    ]


def test_underlined_headings_and_fenced_lines() -> None:
    text = "規則\n====\n前文\n\n休暇\n---\n10日\n\n```\n# no heading\n```"
    assert along_headings(text, markdown=True) == [
        Headed(("規則",), "前文"),
        Headed(("規則", "休暇"), "10日\n\n```\n# no heading\n```"),
    ]


@pytest.mark.parametrize("line", ["■日時", "◆ 日時", "【日時】", "●日時"])
def test_the_headings_of_plain_text(line: str) -> None:
    assert along_headings(f"案内\n{line}\n5月1日", markdown=False) == [Headed((), "案内"), Headed(("日時",), "5月1日")]


def test_a_number_sign_is_no_heading_of_plain_text() -> None:
    assert along_headings("# 日時\n5月1日", markdown=False) == [Headed((), "# 日時\n5月1日")]


@given(st.lists(st.tuples(st.integers(-1, 6), st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)), max_size=30))
def test_gathering_loses_no_line(lines: list[tuple[int, str]]) -> None:
    found = gather(lines)
    held = {h for part in found for h in part.trail} | {line for part in found for line in part.text.split("\n")}
    assert held == {text for _, text in lines}
