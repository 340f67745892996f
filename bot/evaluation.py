"""The project's own questions: what was right, wrong, abstained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import UserMistake
from bot.rows import read_rows
from knowledge import normalise


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """`facts`: of each group of spellings one must stand in the answer. `articles`: one of them must be cited."""

    id: str
    text: str
    answered: bool
    facts: tuple[tuple[str, ...], ...] = ()
    articles: tuple[str, ...] = ()
    language: str = "ja"
    style: str = "plain"

    def holds_facts(self, text: str) -> bool:
        told = _comparable(text)
        return all(any(_comparable(spelling) in told for spelling in group) for group in self.facts)

    def accepts(self, cited: Iterable[str]) -> bool:
        return not self.articles or not set(self.articles).isdisjoint(cited)


def _comparable(text: str) -> str:
    return normalise(text).replace(" ", "").replace("・", "")


def read_questions(file: Path) -> Iterator[OwnQuestion]:
    """Rows `{id, question, answered, facts?, article?, lang?, style?}`. Raises UserMistake with the line's number."""
    for number, row in enumerate(read_rows(file), 1):
        try:
            article = row.get("article") or ()
            yield OwnQuestion(
                id=str(row["id"]),
                text=row["question"],
                answered=bool(row["answered"]),
                facts=tuple(tuple(group) for group in row.get("facts", ())),
                articles=(article,) if isinstance(article, str) else tuple(article),
                language=row.get("lang", "ja"),
                style=row.get("style", "plain"),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UserMistake(f"{file.name}, line {number} is not a question: it needs id, question and answered.") from error


@dataclass(frozen=True, slots=True)
class Outcome:
    question: OwnQuestion
    verdict: str  # right, wrong, abstained (should have answered), answered (should have declined)
    answer: dict[str, Any]


def judge(question: OwnQuestion, answer: dict[str, Any]) -> Outcome:
    """`answer` is an ANSWER of the public contract."""
    if not question.answered:
        return Outcome(question, "answered" if answer["answered"] else "right", answer)
    if not answer["answered"]:
        return Outcome(question, "abstained", answer)
    cited = [c.get("article", "") for c in answer["citations"]]
    right = question.holds_facts(answer["text"]) and question.accepts(cited)
    return Outcome(question, "right" if right else "wrong", answer)


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Shares of what should be answered and of what should be declined, and the counts of each verdict."""
    asked = [o for o in outcomes if o.question.answered]
    declined = [o for o in outcomes if not o.question.answered]
    by_style: dict[str, Counter[str]] = {}
    for o in outcomes:
        by_style.setdefault(o.question.style, Counter())[o.verdict] += 1
    return {
        "questions": len(outcomes),
        "answerable": len(asked),
        "right": _share(asked, "right"),
        "wrong": _share(asked, "wrong"),
        "abstained": _share(asked, "abstained"),
        "unanswerable": len(declined),
        "declined": _share(declined, "right"),
        "by_style": {style: dict(counts) for style, counts in sorted(by_style.items())},
    }


def _share(outcomes: Sequence[Outcome], verdict: str) -> float:
    return round(sum(o.verdict == verdict for o in outcomes) / max(len(outcomes), 1), 4)
