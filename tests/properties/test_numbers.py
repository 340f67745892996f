"""No number is told that the cited passage does not hold: over the whole corpus and over all questions.

A number is compared by its value (三分の二, 2/3 and two thirds are one), and a share, a percentage and an article's number by what
they are as well: 10% is not backed by 10人, and 第3条 not by 3人.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import Yui
from bot.evaluation import read_questions
from bot.messages import IncomingMessage
from knowledge import corpus
from knowledge.languages import ja
from knowledge.types import Document, Passage

pytestmark = pytest.mark.long

QUESTIONS = sorted((Path(__file__).parents[1] / "questions").glob("*.jsonl"))
DOCUMENTS = corpus.load()

_WORDS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()  # noqa: SIM905
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_CARDINALS = {word: n for n, word in enumerate(_WORDS, 2)} | _TENS
_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "tenth": 10}
_TIMES = {"千": 10**3, "万": 10**4, "億": 10**8, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018, "reiwa": 2018}
_SPELLINGS: tuple[tuple[str, Any], ...] = (
    (rf"\b({'|'.join(_CARDINALS)})\b", lambda m: str(_CARDINALS[m[1]])),
    (r"(?<![a-z])one(?=-)|\ba(?= (?:tenth|third|quarter|fifth) of\b)", "1"),
    (rf"\b(\d+)[- ]({'|'.join(_PARTS)})s?\b", lambda m: f"{m[1]}/{_PARTS[m[2]]}"),
    (r"(\d+)分の(\d+)", r"\2/\1"),
    (rf"(?<=\d )({'|'.join(_MONTHS)})\b|\b({'|'.join(_MONTHS)})(?= \d)", lambda m: f"{_MONTHS.index(m[1] or m[2]) + 1}月"),
    (
        rf"({'|'.join(_ERAS)}) ?(\d+)(?:(?:[〜-]| to )(\d+))?",
        lambda m: " ".join(str(_ERAS[m[1]] + int(n)) for n in m.groups()[1:] if n),
    ),
    (r"(\d+)割", r"\g<1>0%"),
    (r"\barticles? ?|\barts?\. ?", "条#"),
    (r"ひとつ|一つ", "1つ"),
    (r"ふたつ|二つ|二弾", "2つ"),
    (r"(?<=\d) ?(?:percent|パーセント|%)", "%"),
)
_LIST_NUMBER = re.compile(r"(?:^|(?<=[\s。:]))(?:[1-9]|1\d)[.、](?=\s*\D)|\d+(?:つ目|つめ|番は)|[①-⑳]|\d+件見つか", re.MULTILINE)
# 1か月に 2回 is 月2回; 一人ひとり counts nothing, nor does what an easy word is explained with: フリーランス(1人で 働く 人).
_NO_NUMBER = re.compile(
    r"(?<!\d)(?:1か月に|1年に|[1一]人(?:ぼっち|ひとり|の人)|[1一](?:つ|人|年)(?=[^()（）]*[)）]))|の ?[1一]つ|四日市|一覧"
)
_ARTICLES = re.compile(r"条#(\d+(?:(?:-|–|, | and |, and | or | to )\d+)*)|(?:附則)?(\d+)条(?:の(\d+))?")
_NUMBER = re.compile(rf"(\d+/\d+|\d+(?:\.\d+)?)((?: ?(?:{'|'.join(_TIMES)}))*)(%?)")


def numbers(text: str) -> set[str]:
    """The numbers of a text without those that only count a list's lines: `3`, `2/3`, `10%`, `22条`."""
    plain = ja.normalise_lines(_NO_NUMBER.sub(" ", _LIST_NUMBER.sub(" ", text)))
    for pattern, spelling in _SPELLINGS:
        plain = re.sub(pattern, spelling, plain)
    articles = {f"{n}条" for m in _ARTICLES.finditer(plain) for group in m.groups() if group for n in re.findall(r"\d+", group)}
    return articles | {_value(*m.groups()) for m in _NUMBER.finditer(_ARTICLES.sub(" ", plain))}


def _value(digits: str, times: str, percent: str) -> str:
    if "/" in digits:
        return digits
    value = float(digits)
    for scale in re.findall("|".join(_TIMES), times):
        value *= _TIMES[scale]
    return f"{value:.10g}{percent}"


def unbacked(told: str, given: Sequence[str]) -> set[str]:
    return numbers(told) - numbers("\n".join(given))


def wrong_numbers(document: Document, passage: Passage) -> dict[str, set[str]]:
    """For each language, the numbers of the answer that nothing else in the citation bears out.

    A translation is held against the Japanese, since it is made from that. The Japanese answer is held against all that is not
    itself: a number that was mistyped in one place disagrees with the others.
    """
    where = [document.title, passage.heading, passage.source or document.source, document.article]
    around = [*where, passage.as_of or document.as_of, passage.detail]
    found = {
        "ja": unbacked(passage.short, [*around, passage.easy, passage.en]),
        "ja-easy": unbacked(passage.easy, [*around, passage.short]),
        "en": unbacked(passage.en, [*around, passage.short]),
    }
    return {language: wrong for language, wrong in found.items() if wrong}


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("三分の二以上、2/3, two thirds、3分の2", {"2/3"}),
        ("第22条と附則第4条の2、会社法368条", {"22条", "4条", "2条", "368条"}),
        ("arts. 72-74 and 81, Article 94-3(5) para. 2", {"72条", "74条", "81条", "94条", "3条", "5", "2"}),
        ("1,000人、千人、20万円、200,000 yen、約1.6万人、3億", {"1000", "200000", "16000", "300000000"}),
        ("8 July 2024、令和6年7月8日、members may ask in May 2024", {"8", "7", "2024", "5"}),
        ("令和6〜8年度, Reiwa 6 to 8", {"2024", "2026"}),
        ("27.4 %、6割、60パーセント、12歳", {"27.4%", "60%", "12"}),
        ("at least twenty members, a quarter of the shares", {"20", "1/4"}),
        ("1. 集まります。2. 書きます。1つ目は、1番は", set()),
        ("一人ひとり、四日市市、一覧、1年に 2回", {"2"}),
    ],
)
def test_how_numbers_are_read(text: str, held: set[str]) -> None:
    assert numbers(text) == held


def test_no_answer_of_the_corpus_tells_a_number_of_its_own() -> None:
    wrong = {p.id: found for d in DOCUMENTS for p in d.passages if (found := wrong_numbers(d, p))}
    assert wrong == {}


CHANGED = [(d, p) for d in DOCUMENTS[::3] for p in d.passages if re.search(r"\d", p.short + p.easy + p.en)]


@pytest.mark.parametrize("field", ["short", "easy", "en"])
def test_a_number_that_was_altered_is_seen(field: str) -> None:
    """Every number in a third of the corpus, in turn, becomes one that stands nowhere in its passage."""
    unseen = []
    for document, passage in CHANGED:
        for told, altered in _altered(getattr(passage, field)):
            if numbers(told) != numbers(altered) and not wrong_numbers(document, replace(passage, **{field: altered})):
                unseen.append((passage.id, altered))
    assert unseen == []


def test_a_number_that_is_off_by_one_is_mostly_seen() -> None:
    """Not always: the next number may stand in the same citation for something else. 87 % were seen in November 2026."""
    tried = seen = 0
    for document, passage in CHANGED:
        for m in re.finditer(r"(?<![\d,.])\d+(?![\d,.])", passage.short):
            altered = f"{passage.short[: m.start()]}{int(m[0]) + 1}{passage.short[m.end() :]}"
            tried += 1
            seen += bool(wrong_numbers(document, replace(passage, short=altered)))
    assert seen / tried > 0.8


def _altered(text: str) -> Iterator[tuple[str, str]]:
    for m in re.finditer(r"(?<![\d,.])\d+(?![\d,.])", text):
        yield text, f"{text[: m.start()]}{int(m[0]) + 7_531}{text[m.end() :]}"


def replies(yui: Yui, file: Path) -> list[tuple[str, dict[str, Any]]]:
    async def ask() -> list[tuple[str, dict[str, Any]]]:
        found = []
        for question in read_questions(file):
            reply = await yui.conversations.reply_once(IncomingMessage("", question.text, language=question.language))
            found.append((question.id, dict(reply.answer)))
        return found

    return asyncio.run(ask())


def given(answer: dict[str, Any]) -> list[str]:
    """All that the citations of an answer say; without one, the question, the topics it offers, the Act's name, whom to call."""
    parts = ("title", "text", "article", "source", "as_of")
    cited = [str(c.get(part, "")) for c in answer["citations"] for part in parts]
    return cited or [answer["question"], *answer["choices"], "労働者協同組合法(令和2年法律第78号)", "119 110"]


@pytest.mark.parametrize("file", QUESTIONS, ids=lambda f: f.stem)
def test_no_reply_tells_a_number_that_its_citations_do_not_hold(shipped: Yui, file: Path) -> None:
    asked = replies(shipped, file)
    wrong = {name: found for name, answer in asked if (found := unbacked(answer["text"], given(answer)))}
    assert wrong == {}
    told = [(a, altered) for _, a in asked if a["citations"] for _, altered in _altered(a["text"].split("\n")[0])]
    assert len(told) > len(asked) / 4
    assert all(unbacked(altered, given(a)) for a, altered in told if numbers(altered) != numbers(a["text"].split("\n")[0]))
