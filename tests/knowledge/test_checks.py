"""What is wrong with an entry, and that nothing is wrong with the shipped ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge import corpus
from knowledge.checks import Flaw, flaws
from knowledge.types import Document, Kind, Passage

GOOD = Document(
    "a", Kind.SURVEY, "市の補助", "市の資料 2026年", (Passage("a", "市の補助", "補助は20万円までです。", en="Up to 200,000 yen."),)
)


def test_the_shipped_entries_have_none() -> None:
    assert [f for d in corpus.load() for f in flaws(d)] == []


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("en", "Up to 300,000 yen.", ["300000"]),
        ("en", "Up to 200 thousand yen.", []),
        ("easy", "20万円 もらえます。", []),
        ("easy", "25万円 もらえます。", ["25万"]),
        ("easy", "3つの 紙を 出します。", []),
        ("easy", "2026年の お金です。", []),
    ],
)
def test_a_number_stands_in_the_passage_too(field: str, text: str, told: list[str]) -> None:
    found = flaws(replace(GOOD, passages=(replace(GOOD.passages[0], **{field: text}),)))
    assert [(f.what, f.field) for f in found] == [("number", field)] * len(told)
    assert [f.value.rstrip("円") for f in found] == told


def test_a_case_uses_the_words_of_the_table() -> None:
    case = replace(GOOD, kind=Kind.CASE, facets={"place": ("火星",), "funding": ("宝くじのあたり",), "field": ("草刈り",)})
    assert flaws(case) == [Flaw("no_word", "funding", "", "宝くじのあたり"), Flaw("no_prefecture", "place", "", "火星")]
    assert flaws(replace(case, kind=Kind.SURVEY)) == []


def test_a_source_names_articles_that_there_are() -> None:
    wrong = replace(GOOD, source="労働者協同組合法 第22条、第150条、会社法 第900条、労働者協同組合法 附則第99条")
    assert [f.value for f in flaws(wrong)] == ["第150条", "附則第99条"]
