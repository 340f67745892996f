"""Why a passage stands where it stands for a question, as facts that a person can be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.languages import colloquial, ja
from knowledge.retrieval import ARTICLE
from knowledge.types import Kind, Match

Holding = Callable[[Sequence[str], Sequence[str]], Mapping[str, frozenset[str]]]

_NEAR, _ALIKE = 0.55, 0.35  # of the scaled cosine; of the best wording's likeness


@dataclass(frozen=True, slots=True)
class Reasons:
    """`score`: log-odds, comparable within one question. `found`, `lacking`: the question's words that it holds or doesn't."""

    score: float
    found: tuple[str, ...]
    lacking: tuple[str, ...]
    meaning: float  # nearness of meaning, 0..1
    is_near: bool
    same_wording: bool  # one of its ways of asking is nearly the question
    article_named: bool
    other_article: bool  # the question names an article, and it is of another one
    lacks_what_is_asked: bool
    says_unknown: bool
    is_tip: bool
    other_year: bool
    special_case: bool  # it is about a special case that the question does not name


def reasons(question: str, matches: Sequence[Match], holding: Holding) -> list[Reasons]:
    """For each match, in their order. `holding`: which of some words (normalised forms) each of some passages holds."""
    asked = colloquial.understood(question)
    wanted = _words(asked.text)
    named = set(ARTICLE.findall(asked.text))
    held = holding(list(wanted), [m.passage.id for m in matches])
    return [_reasons(m, held[m.passage.id], wanted, named) for m in matches]


def _reasons(match: Match, held: frozenset[str], wanted: dict[str, str], named: set[str]) -> Reasons:
    f = match.features
    article = ja.normalise(match.document.article)
    return Reasons(
        score=round(match.score, 2),
        found=tuple(w for form, w in wanted.items() if form in held),
        lacking=tuple(w for form, w in wanted.items() if form not in held),
        meaning=round(min(max(f.get("dense", 0.0), 0.0), 1.0), 2),
        is_near=f.get("dense", 0.0) >= _NEAR,
        same_wording=f.get("wording", 0.0) >= _ALIKE,
        article_named=bool(article) and article in named,
        other_article=bool(named) and bool(article) and article not in named,
        lacks_what_is_asked=match.lacks,
        says_unknown=not match.passage.known,
        is_tip=match.document.kind is Kind.TIP,
        other_year=bool(f.get("other_year")),
        special_case=bool(f.get("unasked")),
    )


def _words(text: str) -> dict[str, str]:
    """The words that say what a text is about: normalised form → as it is written."""
    found: dict[str, str] = {}
    for m in ja.morphemes(text):
        if ja.is_content(m) and not re.fullmatch(r"[\W_]+", m.surface()):
            found.setdefault(m.normalized_form(), m.surface())
    return found
