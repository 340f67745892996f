"""What counts as backed by the passages an answer cites, and what does not."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import corpus
from knowledge.backing import is_backed

FOUNDERS = (
    "act-22",
    "労協をつくるには、3人以上の発起人が必要です。\n発起人は組合員になろうとする人です。\n"
    "It takes at least 3 founders to set up a worker co-op.",
)
MEETING = ("act-61", "総会の招集は、会日の10日前までに書面で通知します。\n3分の2以上の賛成で決めます。\n欠席しても罰せられません。")
PASSAGES = [FOUNDERS, MEETING]
TEXT = (
    "発起人は3人以上です。総会の招集は10日前までに通知します。3分の2以上の賛成で決めます。第94条の3に書いてあります。2026年5月1日に始まりました。"
    "過料は20万円以下です。回答の25%が賛成です。補助は上限100万円です。議事録を作らなければなりません。理事は監事を兼ねられません。"
    "総会はオンラインでも開くことができます。許可は不要です。電話は03-1234-5678です。案内は https://example.jp/a にあります。"
)


class Cases:
    backed: ClassVar = [
        "三人以上の発起人です[1]。",
        "発起人は少なくとも３人です[1]。",
        "総会は10日前までに招集を通知します[1]。",
        "賛成が三分の二以上で決めます[1]。",
        "九十四条の三に書いてあります[1]。",
        "始まりました、2026年5月に[1]。",
        "過料は200,000円以下です[1]。",
        "回答の25パーセントが賛成です[1]。",
        "議事録を作る必要があります[1]。",
        "理事が監事を兼ねることはできません[1]。",
        "電話は03-1234-5678です[1]。案内は https://example.jp/a にあります[1]。",
    ]
    not_backed: ClassVar = [
        "発起人は3人以下です[1]。",
        "発起人は3人です[1]。",
        "発起人は四人以上です[1]。",
        "発起人は10人以上です[1]。",
        "総会の招集は10日後までに通知します[1]。",
        "総会の招集は3日前までに通知します[1]。",
        "総会の招集は10か月前までに通知します[1]。",
        "3分の1以上の賛成で決めます[1]。",
        "過半数の賛成で決めます[1]。",
        "第94条に書いてあります[1]。",
        "令和8年5月1日に始まりました[1]。",
        "2026年5月2日に始まりました[1]。",
        "2025年5月1日に始まりました[1]。",
        "過料は20万円以上です[1]。",
        "過料は2万円以下です[1]。",
        "回答の52%が賛成です[1]。",
        "回答の25人が賛成です[1]。",
        "議事録を作らなくてもかまいません[1]。",
        "理事は監事を兼ねられます[1]。",
        "総会はオンラインで開くことができません[1]。",
        "許可は必要です[1]。",
        "電話は03-1234-5679です[1]。",
        "案内は https://example.com/a にあります[1]。",
        "発起人の山田は3人以上です[1]。",
        "発起人は3人以上です、ワーカーズ[1]。",
        "発起人はNPOから3人以上です[1]。",
        "はい、許可は不要です[1]。",
    ]


@pytest.mark.parametrize("answer", Cases.backed)
def test_said_otherwise_is_backed(answer: str) -> None:
    assert is_backed(answer, [("x", TEXT)], "ja")


@pytest.mark.parametrize("answer", Cases.not_backed)
def test_changed_is_not_backed(answer: str) -> None:
    assert not is_backed(answer, [("x", TEXT)], "ja")


@pytest.mark.parametrize(
    ("passage", "answer"),
    [
        ("組合員は7人で、そのうち5人が発起人です。", "組合員は5人です[1]。"),
        ("4月1日時点で34法人、4月26日時点では38法人です。", "4月1日時点で38法人です[1]。"),
        ("2014〜2017年度の補助です。2017年の決まりです。", "2017〜2017年度の補助です[1]。"),
        ("理事は2年以内、監事は4年以内です。", "理事は4年以内です[1]。"),
    ],
)
def test_a_number_of_the_same_kind_from_elsewhere_is_not_backed(passage: str, answer: str) -> None:
    assert not is_backed(answer, [("x", passage)], "ja")


def test_a_name_from_the_question_may_stand() -> None:
    answer = "ワーカーズの発起人は3人以上です[1]。"
    assert not is_backed(answer, [("x", TEXT)], "ja", "発起人は?")
    assert is_backed(answer, [("x", TEXT)], "ja", "ワーカーズの発起人は?")


@pytest.mark.parametrize(
    ("answer", "backed"),
    [
        ("At least 3 founders are needed to set up a worker co-op [1].", True),
        ("It takes three or more founders to set up a worker co-op. [1]", True),
        ("It takes at least 4 founders to set up a worker co-op [1].", False),
        ("It takes at most 3 founders to set up a worker co-op [1].", False),
        ("It does not take at least 3 founders to set up a worker co-op [1].", False),
        ("It takes at least 3 founders to set up a Sony worker co-op [1].", False),
    ],
)
def test_english(answer: str, backed: bool) -> None:
    assert is_backed(answer, PASSAGES, "en") is backed


SHORT = [p for d in corpus.load() for p in d.passages]
WITH_DIGITS = [p for p in SHORT if any(c.isdecimal() for c in p.short)]


def marked(text: str, stop: str = "。") -> str:
    """With a mark in every sentence; none inside brackets."""
    if stop == "。":
        return re.sub(r"([。!?！？])(?![^「]*」|[^(（]*[)）])", r"[1]\1", text if text.endswith(stop) else text + stop)
    return re.sub(r"\.(?=\s+[A-Z]|$)", " [1].", text)


@pytest.mark.long
def test_what_the_passages_say_themselves_is_backed() -> None:
    ja = [is_backed(marked(p.short), [(p.id, f"{p.short}\n{p.detail}\n{p.easy}\n{p.en}")], "ja") for p in SHORT]
    assert sum(ja) >= 0.95 * len(ja)
    en = [is_backed(marked(p.en, "."), [(p.id, p.en)], "en") for p in SHORT if p.en]
    assert sum(en) >= 0.95 * len(en)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_digit_changed_is_never_backed(data: st.DataObject) -> None:
    passage = data.draw(st.sampled_from(WITH_DIGITS))
    at = data.draw(st.sampled_from([i for i, c in enumerate(passage.short) if c.isdecimal()]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if int(d) != int(passage.short[at])]))
    changed = passage.short[:at] + digit + passage.short[at + 1 :]
    for text in (passage.short, f"{passage.short}\n{passage.detail}\n{passage.easy}\n{passage.en}"):
        assert not is_backed(marked(changed), [(passage.id, text)], "ja")


@settings(max_examples=300, deadline=None)
@given(st.text(st.one_of(st.sampled_from("人は3三以上です。[1]一十千〇年月日条の分第.%/()「」 \n"), st.characters()), max_size=60))
def test_nothing_written_breaks_the_check(text: str) -> None:
    for language in ("ja", "en"):
        assert is_backed(text, [("x", text)], language) in (True, False)
