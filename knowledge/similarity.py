"""Whether two short accounts of experience say the same.

Embeddings alone cannot tell: 「うまくいった」 and 「うまくいかなかった」 lie closer together than two ways of saying either.
So the cosine is one of several features of a logistic regression; the others hold words, figures, outcome and additions
against each other. Each may only speak one way: a different figure never makes two accounts more alike. The numbers are in
`similarity.json`, the words in `similarity.yaml`. Where the model shows its states, a word that only one of two texts has
counts the less, the closer it comes in its place to such a word of the other: 草むしり in the one text to 除草 in the other.
What counts in two texts of nearly the same sound, one changed word, is nothing where each is told in words of its own.
"""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from knowledge.embedding import Embedder, ReadingEmbedder, Vectors
from knowledge.languages import ja
from knowledge.languages.vocabulary import Vocabulary
from knowledge.statement import Figure, Statement, is_kana, placed, read, renamed, spelled, vocabulary

if TYPE_CHECKING:
    from knowledge.e5 import Reading

# What speaks for the same experience, and what speaks against it.
FOR = ("closeness", "words", "contained", "apart", "matched", "matched_apart")
AGAINST = (
    "other_figure",
    "extra_figures",
    "denied",
    "turned",
    "ending",
    "contrary",
    "swapped",
    "replaced",
    "added",
    "excess",
    "swapped_alike",
    "figures_alike",
)
FEATURES = (*FOR, *AGAINST)
# What is known of a pair: its words, what they mean where they stand, what the model makes of both texts together.
BY_WORDS, BY_MEANING, BY_READING = "by_words", "by_meaning", "by_reading_together"

# e5 puts accounts about one thing between about .87 and .99; above .95 a cosine says no more, one changed word decides.
_COSINE_FLOOR, _COSINE_SPAN = 0.87, 0.08
# Of what a middle layer makes of two words: they mean different things up to the one cosine, the same from the other.
_STRANGE, _ALIKE = 0.60, 0.75
# A noun says what a tip is about; verbs and adjectives are exchanged more freely.
_OTHER_WORD = 0.3
_FEW_WORDS = 3  # a sentence of so few is no addition
_LEAST = 3  # pieces of a text that the other matches least
_READ_TOGETHER = 3  # of many candidates the likeliest: the others are judged by their features alone
_READ_OF_A_TEXT = 480  # characters that the model reads; of the longest tip it would take a second and a half to read all
_KEPT_PAIRS = 1_000  # judgements of the model: the same cards are looked at again and again
_KEPT = 64  # texts whose reading is kept: a round holds the same few against each other


@dataclass(frozen=True, slots=True)
class Meanings:
    """What a model makes of a text. `words`: of each word its states where it stands, shape (times, d); `pieces`: those of all
    pieces, shape (n, d). L2-normalised."""

    words: Mapping[str, Vectors]
    pieces: Vectors


class Relation(StrEnum):
    """SAME: nothing would be lost without one of the two. RELATED: of one thing, also with opposite outcome or an added fact."""

    SAME = "same"
    RELATED = "related"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Resemblance:
    """`score`, 0..1: the share of pairs with this value that say the same, where every second pair does."""

    relation: Relation
    score: float


Read = tuple[Vectors, Meanings | None]  # a text's vector as a passage, and what is made of its words


@dataclass(frozen=True, slots=True)
class _Weights:
    features: tuple[float, ...]
    judged: float  # of the model's log-odds
    intercept: float
    related: float


class Similarity:
    """Finds what already says what a new text says, with one call of the embedder."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[str, Read] = OrderedDict()
        self._pairs: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = Lock()

    def among(
        self, text: str, candidates: Sequence[tuple[str, str]], *, read_together: bool = False
    ) -> list[tuple[str, Resemblance]]:
        """The candidates (key, text) by their key, best first: same, related, other. Raises EmbedderUnavailable.

        `read_together`: the likeliest are also read together with the text by the model, if it can: what that was trained for,
        tips, it tells better; each takes about as long as another embedding or two.
        """
        if not candidates:
            return []
        (vector, meant), *others = self._read([text, *(t for _, t in candidates)])

        def compared(place: int, judged: float | None = None) -> Resemblance:
            there, meant_there = others[place]
            both = (meant, meant_there) if meant and meant_there else None
            return compare(text, candidates[place][1], float(there @ vector), both, judged)

        found = {place: compared(place) for place in range(len(candidates))}
        if read_together and isinstance(self._embedder, ReadingEmbedder):
            near = [p for p, r in found.items() if r.relation is not Relation.OTHER and candidates[p][1] != text]
            likely = sorted(near, key=lambda p: -found[p].score)
            for place in likely[:_READ_TOGETHER]:
                found[place] = compared(place, self._judged(self._embedder, written(text), written(candidates[place][1])))
        ordered = sorted(found.items(), key=lambda pr: (list(Relation).index(pr[1].relation), -pr[1].score))
        return [(candidates[place][0], resemblance) for place, resemblance in ordered]

    def _judged(self, embedder: ReadingEmbedder, one: str, other: str) -> float:
        pair = min(one, other), max(one, other)
        with self._lock:
            known = self._pairs.get(pair)
        if known is None:
            known = embedder.judge(*pair)
            with self._lock:
                self._pairs[pair] = known
                while len(self._pairs) > _KEPT_PAIRS:
                    self._pairs.popitem(last=False)
        return known

    def _read(self, texts: Sequence[str]) -> list[Read]:
        with self._lock:
            known = {t: self._kept[t] for t in texts if t in self._kept}
        new = [t for t in dict.fromkeys(texts) if t not in known]
        if new:
            known |= zip(new, read_all(self._embedder, new), strict=True)
        with self._lock:
            for text in texts:
                self._kept[text] = known[text]
                self._kept.move_to_end(text)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return [known[t] for t in texts]


def read_all(embedder: Embedder, texts: Sequence[str]) -> list[Read]:
    """The vectors of texts as passages, and what their words mean there if the embedder shows it. Raises EmbedderUnavailable."""
    if not isinstance(embedder, ReadingEmbedder):
        return [(vector, None) for vector in embedder.embed_passages(texts)]
    spelled_out = [written(t) for t in texts]
    readings = embedder.read_passages([w[:_READ_OF_A_TEXT] for w in spelled_out])
    return [(r.vector, meanings(w, r)) for w, r in zip(spelled_out, readings, strict=True)]


def written(text: str) -> str:
    """A text as the model is to read it."""
    return renamed(spelled(text))


def meanings(text: str, reading: Reading) -> Meanings:
    """What the pieces of a text mean in it, and its words: the mean of the states of the pieces that each is made of."""
    found: dict[str, list[Vectors]] = {}
    starts, ends = reading.places.T
    for word, start, end in placed(text):
        states = reading.states[(starts < end) & (ends > start)]
        if len(states):  # else it stands beyond what the model reads
            mean = states.mean(axis=0)
            found.setdefault(word, []).append(mean / np.linalg.norm(mean))
    pieces = reading.states[starts >= 0]
    pieces = pieces / np.linalg.norm(pieces, axis=1, keepdims=True)
    return Meanings({word: np.array(states) for word, states in found.items()}, pieces)


def compare(
    one: str, other: str, cosine: float, meant: tuple[Meanings, Meanings] | None = None, judged: float | None = None
) -> Resemblance:
    """How two texts relate. `cosine`: of their vectors as passages; `judged`: the model's log-odds, where it read both together.
    Symmetric; an empty text resembles nothing."""
    normalised = ja.normalise(one), ja.normalise(other)
    if not all(normalised):
        return Resemblance(Relation.OTHER, 0.0)
    if normalised[0] == normalised[1] or _bare(normalised[0]) == _bare(normalised[1]) != "":
        return Resemblance(Relation.SAME, 1.0)
    if in_two_scripts(one, other):
        meant = None
    values = features(one, other, cosine, meant)
    fitted = weights(BY_READING if judged is not None else BY_MEANING if meant else BY_WORDS)
    evidence = fitted.intercept + math.fsum(w * v for w, v in zip(fitted.features, values, strict=True))
    evidence += fitted.judged * (judged or 0.0)
    score = 1 / (1 + math.exp(-max(-30.0, min(30.0, evidence))))
    if score >= 0.5:
        return Resemblance(Relation.SAME, score)
    return Resemblance(Relation.RELATED if relatedness(values) >= fitted.related else Relation.OTHER, score)


def _bare(text: str) -> str:
    """Without punctuation, spaces and pictures; a point between digits stays."""
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[^\w.]|_", "", text)


def relatedness(values: Sequence[float]) -> float:
    """How far two texts are about one thing, 0..2, from their features."""
    return values[FEATURES.index("closeness")] + values[FEATURES.index("words")]


@cache
def weights(kind: str) -> _Weights:
    """BY_WORDS, BY_MEANING or BY_READING."""
    raw = json.loads((resources.files("knowledge") / "similarity.json").read_text("utf-8"))[kind]
    return _Weights(tuple(raw[n] for n in FEATURES), raw.get("judged", 0.0), raw["intercept"], raw["related"])


def in_two_scripts(one: str, other: str) -> bool:
    """Whether one text is written in kana alone: a model makes too little of it for its words to be held against others."""
    return is_kana(spelled(one)) != is_kana(spelled(other))


def features(one: str, other: str, cosine: float, meant: tuple[Meanings, Meanings] | None = None) -> tuple[float, ...]:
    """FEATURES of two texts, each 0..1."""
    a, b, in_kana = _read(one, other)
    sounds = _dice(a.sounds, b.sounds)
    left, right = _softened(_unmatched(a.words, b.words), _unmatched(b.words, a.words), meant)
    nouns = a.nouns | b.nouns
    lost_left, lost_right = _weight(left, nouns), _weight(right, nouns)
    whole_left, whole_right = _weight(dict.fromkeys(a.words, 1.0), nouns), _weight(dict.fromkeys(b.words, 1.0), nouns)
    contained = 1 - min(lost_left / (whole_left or 1), lost_right / (whole_right or 1))
    other_figure, extra_figures = _figures(a.figures, b.figures)
    denied = any(sign * b.predicates.get(word, 0) < 0 for word, sign in a.predicates.items())
    closeness = (cosine - _COSINE_FLOOR) / _COSINE_SPAN if math.isfinite(cosine) else 0.0
    closeness = min(max(closeness, 0.0), 1.0)
    matched = _matched(*meant) if meant else 0.0
    swapped, extra = min(lost_left, lost_right) / 3, extra_figures / 3
    values = {
        # Kana alone lose a text its place among the vectors; what it sounds like is left.
        "closeness": max(closeness, sounds if in_kana else 0.0),
        "apart": closeness * (1 - sounds),
        "matched": matched,
        "matched_apart": matched * (1 - sounds),
        "words": 1 - (lost_left + lost_right) / ((whole_left + whole_right) or 1),
        "contained": contained,
        "other_figure": other_figure,
        "extra_figures": extra,
        # In another wording, another sign may be the wording; in the same one it is the point.
        "denied": denied * sounds,
        "turned": _is_turned(a, b),
        "ending": float((a.ending < 0) != (b.ending < 0)),
        "contrary": float(a.is_contrary != b.is_contrary),
        "swapped": swapped,
        "swapped_alike": min(swapped, 1.0) * sounds,
        "figures_alike": min(extra, 1.0) * sounds,
        "replaced": 0.0 if in_kana else min(max(left.values(), default=0.0), max(right.values(), default=0.0)) * sounds,
        "added": abs(_newest(a, left) - _newest(b, right)) * contained,
        "excess": abs(_excess(a, left) - _excess(b, right)) / 10,
    }
    return tuple(min(max(values[name], 0.0), 1.0) for name in FEATURES)


def _read(one: str, other: str) -> tuple[Statement, Statement, bool]:
    """Both texts read; what one writes in kana is given the kanji of the other."""
    one, other = spelled(one), spelled(other)
    if is_kana(one) != is_kana(other):
        written = other if is_kana(one) else one
        # Twice, so that its own spellings win.
        words = Vocabulary([written, written, vocabulary()])
        one, other = (spelled(words.restore(t)) if is_kana(t) else t for t in (one, other))
        return read(one), read(other), True
    return read(one), read(other), False


def _dice(a: frozenset[str], b: frozenset[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 0.0


def _unmatched(words: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """The words that the others neither hold nor share a character of meaning with: 草刈り and 除草 are near enough."""
    characters = {c for w in others - words for c in w if "一" <= c <= "龥"}
    return frozenset(w for w in words - others if characters.isdisjoint(w))


def _softened(
    left: frozenset[str], right: frozenset[str], meant: tuple[Meanings, Meanings] | None
) -> tuple[dict[str, float], dict[str, float]]:
    """How far each unmatched word of either side means something else than any of the other side's, 0..1."""
    if meant is None:
        return dict.fromkeys(left, 1.0), dict.fromkeys(right, 1.0)
    here, there = meant[0].words, meant[1].words
    return _strangeness(left, here, right, there), _strangeness(right, there, left, here)


def _matched(one: Meanings, other: Meanings) -> float:
    """How well the other text matches those pieces of either that it matches least, 0..1."""
    if not len(one.pieces) or not len(other.pieces):
        return 0.0
    cosines = one.pieces @ other.pieces.T
    least = min(float(np.sort(cosines.max(axis))[:_LEAST].mean()) for axis in (0, 1))
    return round(max(least, 0.0), 5)  # to a few places: the same from both sides


def _strangeness(
    words: frozenset[str], meant: Mapping[str, Vectors], others: frozenset[str], meant_there: Mapping[str, Vectors]
) -> dict[str, float]:
    there = [meant_there[w] for w in sorted(others) if w in meant_there]
    strange = dict.fromkeys(words, 1.0)
    for word in words & meant.keys() if there else ():
        # To a few places: the same from both sides.
        nearest = round(max(float((meant[word] @ states.T).max()) for states in there), 5)
        strange[word] = min(max((_ALIKE - nearest) / (_ALIKE - _STRANGE), 0.0), 1.0)
    return strange


def _weight(words: Mapping[str, float], nouns: frozenset[str]) -> float:
    return math.fsum(strange if word in nouns else strange * _OTHER_WORD for word, strange in words.items())


def _figures(a: frozenset[Figure], b: frozenset[Figure]) -> tuple[bool, int]:
    """Whether both give an amount of one kind and not the same, and how many amounts one gives and the other doesn't."""
    left, right = _unequalled(a, b), _unequalled(b, a)
    differs = not {unit for unit, _ in left}.isdisjoint(unit for unit, _ in right)
    return differs, max(sum(amount != 1 and unit != "毎" for unit, amount in side) for side in (left, right))


def _unequalled(figures: frozenset[Figure], others: frozenset[Figure]) -> set[Figure]:
    """Amounts without an equal; one that is given without its unit equals that amount of anything."""
    rest = others - figures
    return {(u, n) for u, n in figures - others if not any(n == m and "" in (u, v) for v, m in rest)}


def _is_turned(a: Statement, b: Statement) -> float:
    """1 if each prefers what the other likes less: 「AよりB」, 「BよりA」."""
    return float(bool(a.lesser & (b.words - b.lesser)) and bool(b.lesser & (a.words - a.lesser)))


def _newest(a: Statement, new: Mapping[str, float]) -> float:
    """The share of new words in the sentence of `a` that holds most of them, 0..1."""
    return max((_new(p, new) / len(p) for p in a.parts if len(p) > _FEW_WORDS), default=0.0)


def _excess(a: Statement, new: Mapping[str, float]) -> float:
    """The most new words in one sentence of `a`."""
    return min(max((_new(p, new) for p in a.parts), default=0.0), 10.0)


def _new(part: frozenset[str], new: Mapping[str, float]) -> float:
    return math.fsum(new.get(word, 0.0) for word in part)
