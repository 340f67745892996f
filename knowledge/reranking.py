"""A linear rerank of the first candidates on thirteen cheap features, and the calibration that says when to abstain.

The numbers live in `weights.json`, with where they come from; `make fit` makes them anew.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

FEATURES = (
    "words",
    "bigrams",
    "readings",
    "dense",
    "coverage",
    "sentence",
    "wording",
    "answer_type",
    "four_grams",
    "other_year",
    "length",
    "missing",
    "unasked",
)
# What tells an answer from the best of the rest: most features of the first candidate, and how it stands to the others.
EVIDENCE = (*(name for name in FEATURES if name not in ("bigrams", "length")), "score", "margin", "share")

Floats = npt.NDArray[np.float32]

_YEAR = re.compile(r"(?:19|20)\d\d(?=年|年度|$|\D)")
_NOT_TEXT = re.compile(r"[\W_]+")
# What kind of thing is asked for, and how it looks in a passage (both normalised).
_ANSWER_TYPES = tuple(
    (re.compile(asked), re.compile(given))
    for asked, given in (
        (r"いつ|何年|何月|何日|何曜|期限|何世紀|when\b|how long", r"\d+(年|月|日|週間|世紀)|\d+ (week|day|month|year)|すぐ|末"),
        (r"何時|営業時間", r"\d+(時|:\d\d)"),
        (
            r"何人|何名|人数|how many (people|members|founders|directors)",
            r"\d+(万|億)?(人|名|世帯)|過半数|全員|半数|\d (or more|people|members|directors)|(three|two|one|five)",
        ),
        (r"いくら|何円|何ドル|金額|値段|料金|売上|売り上げ", r"\d+(万|億|千)?(円|ドル)|分の\d|無料"),
        (r"何(パーセント|%|割)|割合|(?<!くらい)率は|男女比", r"\d(%|割|パーセント)|分の\d|半数|過半数|percent|\d/\d"),
        (r"何(メートル|キロ|m\b|km)|高さ|長さ|面積|標高", r"\d(m|km|メートル|キロ|平方)"),
        (r"何(団体|法人|組合|社|か所)", r"\d+(団体|法人|組合|社|か所|つ|県)|[一二三四五六七八九]つ"),
        (r"何(県|市|町|都道府県)|どこの(県|市)", r"[都道府県市町村]"),
        (r"何(個|つ|本|回|番|校|台|歳|冊|種|口|か国|席|位|層|階|時間|分|頭|匹|件)|いくつ|how many", r"\d|[一二三四五六七八九]つ"),
    )
)


@dataclass(frozen=True, slots=True)
class Weights:
    """`fusion`: of words, bigrams, readings and dense. `rerank` over FEATURES. `abstain` over EVIDENCE, then the intercept."""

    fusion: tuple[float, ...]
    rerank: Floats
    abstain: Floats
    threshold: float
    origin: str


@cache
def weights() -> Weights:
    raw = json.loads((resources.files("knowledge") / "weights.json").read_text("utf-8"))
    return Weights(
        fusion=tuple(raw["fusion"]),
        rerank=np.array([raw["rerank"][name] for name in FEATURES], dtype=np.float32),
        abstain=np.array([*(raw["abstain"][name] for name in EVIDENCE), raw["abstain"]["intercept"]], dtype=np.float32),
        threshold=float(raw["threshold"]),
        origin=raw["origin"],
    )


def plain(text: str) -> str:
    """Only letters and digits."""
    return _NOT_TEXT.sub("", text)


def grams(text: str, n: int) -> list[str]:
    return [text[i : i + n] for i in range(len(text) - n + 1)]


class QuestionText:
    """What the text features need to know of a question, worked out once."""

    def __init__(self, normalised: str, bigram_weights: dict[str, float]) -> None:
        self._weights = bigram_weights
        self._total = sum(bigram_weights.values()) or 1.0
        self._four = grams(plain(normalised), 4)
        self._years = set(_YEAR.findall(normalised))
        self._types = [given for asked, given in _ANSWER_TYPES if asked.search(normalised)]

    def features(self, search_text: str, answer: str) -> tuple[float, ...]:
        """sentence to length of one passage: its normalised text, a sentence or thought a line, and its short answer.

        `sentence`: the most of the question that one sentence holds. `wording`: how alike the question and a sentence are.
        """
        best = alike = 0.0
        held = [(b, w) for b, w in self._weights.items() if b in search_text]  # few of them: spares looking in each sentence
        for sentence in re.split(r"[。!?\n]", search_text):
            common = [w for b, w in held if b in sentence]
            recall = sum(common) / self._total
            precision = len(common) / max(len(sentence) - 1, 1)
            best = max(best, recall)
            alike = max(alike, 2 * recall * precision / (recall + precision) if recall else 0.0)
        answer_type = 0.5 if not self._types else float(any(t.search(answer) for t in self._types))
        four = sum(g in search_text for g in self._four) / max(len(self._four), 1)
        other_year = float(bool(self._years) and self._years.isdisjoint(_YEAR.findall(search_text)))
        return best, alike, answer_type, four, other_year, math.log(max(len(search_text), 1) / 5)


def unasked(about: str, question: str, qualifiers: Sequence[Sequence[str]]) -> float:
    """1 for a passage about a special case (its title, normalised) that the question does not name."""
    return float(any(group[0] in about and not any(spelling in question for spelling in group) for group in qualifiers))


def confidence(features: Floats, scores: Floats) -> float:
    """How likely the best candidate answers the question, 0..1. `features` (n, 13) and `scores` (n,), best first."""
    vector = np.append(evidence(features, scores), 1.0)
    return float(1 / (1 + np.exp(-np.clip(vector @ weights().abstain, -30, 30))))


def evidence(features: Floats, scores: Floats) -> Floats:
    """The numbers that tell a found answer from the best of the rest, in the order of EVIDENCE."""
    best = dict(zip(FEATURES, features[0].tolist(), strict=True))
    rest = scores[2:6].mean() if len(scores) > 2 else scores[0] - 3.0
    shares = np.exp(scores - scores[0])
    values = {**best, "score": float(scores[0]), "margin": float(scores[0] - rest), "share": float(1 / shares.sum())}
    return np.array([values[name] for name in EVIDENCE], dtype=np.float32)


def order(features: Floats, bonus: Sequence[float]) -> tuple[npt.NDArray[np.intp], Floats]:
    """The candidates best first, and their scores in that order. `bonus` (n,) is added to the scores."""
    scores = features @ weights().rerank + np.array(bonus, dtype=np.float32)
    ranking = np.argsort(-scores, kind="stable")
    return ranking, scores[ranking]


def stack(rows: Sequence[Sequence[float]]) -> Floats:
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(FEATURES))
