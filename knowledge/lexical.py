"""Keyword search in memory: BM25 over Sudachi words, character bigrams and trigrams of the readings.

The index is derived: each passage's row carries its terms as a small blob, and the index is built from the blobs in one go.
Terms are kept as 32-bit checksums, so that 10,000 passages need about 30 MB and no vocabulary of strings.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.languages import ja
from knowledge.types import Audience

FIELDS = ("words", "bigrams", "readings")
# Changes whenever the terms of a text do; rows with another value are analysed again.
ANALYSER = "sudachi-small-2"
_K1, _B = 1.2, 0.75
# A term that stands nowhere counts half: a passage could have held it, but so could a typing slip.
_UNSEEN = 0.5

Floats = npt.NDArray[np.float32]


def encode(terms: ja.Terms) -> bytes:
    """The terms of one text as a blob: for each field the number of different terms, their checksums and their counts."""
    parts: list[bytes] = []
    for terms_of_field in (terms.words, terms.bigrams, terms.readings):
        hashes, counts = np.unique(_hashes(terms_of_field), return_counts=True)
        parts += [np.uint32(len(hashes)).tobytes(), hashes.tobytes(), np.minimum(counts, 255).astype(np.uint8).tobytes()]
    return b"".join(parts)


def _hashes(terms: Iterable[str]) -> npt.NDArray[np.uint32]:
    return np.array([zlib.crc32(t.encode("utf-8", "surrogatepass")) for t in terms], dtype=np.uint32)


def _decode(blob: bytes) -> list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]]:
    fields, at = [], 0
    for _ in FIELDS:
        n = int(np.frombuffer(blob, np.uint32, 1, at)[0])
        hashes = np.frombuffer(blob, np.uint32, n, at + 4)
        fields.append((hashes, np.frombuffer(blob, np.uint8, n, at + 4 + 4 * n)))
        at += 4 + 5 * n
    return fields


class _Field:
    """The postings of one field, ordered by term, and what BM25 needs to know of each passage."""

    def __init__(self, hashes: list[npt.NDArray[np.uint32]], counts: list[npt.NDArray[np.uint8]]) -> None:
        self.size = len(hashes)
        lengths = np.array([int(c.sum()) for c in counts], dtype=np.float32)
        self._norm = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()) if self.size else 0.0, 1.0))
        flat = np.concatenate(hashes) if hashes else np.zeros(0, np.uint32)
        order = np.argsort(flat, kind="stable")
        passages = np.repeat(np.arange(self.size, dtype=np.uint32), [len(h) for h in hashes])
        self._passages = passages[order]
        self._counts = (np.concatenate(counts) if counts else np.zeros(0, np.uint8))[order]
        self._terms, starts = np.unique(flat[order], return_index=True)
        self._starts = np.append(starts, len(flat)).astype(np.int64)

    def _slices(self, hashes: npt.NDArray[np.uint32]) -> list[slice]:
        if not len(self._terms):
            return [slice(0, 0)] * len(hashes)
        at = np.minimum(np.searchsorted(self._terms, hashes), len(self._terms) - 1)
        found = self._terms[at] == hashes
        return [
            slice(int(self._starts[i]), int(self._starts[i + 1])) if ok else slice(0, 0) for i, ok in zip(at, found, strict=True)
        ]

    def idf(self, frequency: int) -> float:
        return float(np.log1p((self.size - frequency + 0.5) / (frequency + 0.5)))

    def weights(self, terms: list[str]) -> dict[str, float]:
        """The inverse document frequency of each term; 0 for one that stands nowhere."""
        slices = self._slices(_hashes(terms))
        return {t: self.idf(s.stop - s.start) if s.stop > s.start else 0.0 for t, s in zip(terms, slices, strict=True)}

    def passages_with(self, term: str) -> npt.NDArray[np.uint32]:
        """The passages that hold a term."""
        return self._passages[self._slices(_hashes([term]))[0]]

    def holding(self, term: str, passages: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of some passages hold a term; the postings of a term are in the order of the passages."""
        held = self._passages[self._slices(_hashes([term]))[0]]
        if not len(held):
            return np.zeros(len(passages), dtype=bool)
        at = np.minimum(np.searchsorted(held, passages), len(held) - 1)
        found: npt.NDArray[np.bool_] = held[at] == passages
        return found

    def scores(self, terms: tuple[str, ...]) -> tuple[Floats, Floats]:
        """For each passage: BM25 over the best that a passage could reach, and the weighted share of the terms it holds."""
        bm25 = np.zeros(self.size, dtype=np.float32)
        held = np.zeros(self.size, dtype=np.float32)
        ideal = total = 0.0
        for part in self._slices(np.unique(_hashes(terms))):
            idf = self.idf(part.stop - part.start)
            total += idf
            if part.stop == part.start:
                ideal += idf * (_K1 + 1) * _UNSEEN
                continue
            ideal += idf * (_K1 + 1)
            passages = self._passages[part]
            counts = self._counts[part].astype(np.float32)
            bm25[passages] += np.float32(idf * (_K1 + 1)) * counts / (counts + self._norm[passages])
            held[passages] += np.float32(idf)
        return bm25 / max(ideal, 1e-6), held / max(total, 1e-6)


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """Scores of every passage of the index, in its order; 0 for those the asker may not see."""

    words: Floats
    bigrams: Floats
    readings: Floats
    coverage: Floats  # idf-weighted share of the question's words that the passage holds


class LexicalIndex:
    """Immutable; a change of the rows makes a new one."""

    def __init__(self, rows: Iterable[tuple[str, bytes, Audience]]) -> None:
        """`rows`: passage id, its encoded terms, who may see it."""
        self.ids: list[str] = []
        self._audiences: list[Audience] = []
        audience_of: list[int] = []
        known: dict[Audience, int] = {}
        hashes: list[list[npt.NDArray[np.uint32]]] = [[] for _ in FIELDS]
        counts: list[list[npt.NDArray[np.uint8]]] = [[] for _ in FIELDS]
        for passage_id, blob, audience in rows:
            self.ids.append(passage_id)
            if audience not in known:
                known[audience] = len(self._audiences)
                self._audiences.append(audience)
            audience_of.append(known[audience])
            for i, (h, c) in enumerate(_decode(blob)):
                hashes[i].append(h)
                counts[i].append(c)
        self.positions = {passage_id: i for i, passage_id in enumerate(self.ids)}
        self._audience_of = np.array(audience_of, dtype=np.int32)
        self._fields = [_Field(h, c) for h, c in zip(hashes, counts, strict=True)]

    def __len__(self) -> int:
        return len(self.ids)

    def visible(self, audience: Audience) -> npt.NDArray[np.bool_]:
        """Which passages an asker may see."""
        allowed = np.array([a.meets(audience) for a in self._audiences], dtype=bool)
        return allowed[self._audience_of] if len(self.ids) else np.zeros(0, dtype=bool)

    def known_share(self, words: Sequence[str], audience: Audience) -> float:
        """The share of some words that stand in anything an asker may see: what others have must not even be guessed."""
        mask, field = self.visible(audience), self._fields[0]
        different = list(dict.fromkeys(words))
        held = [bool(mask[field.passages_with(word)].any()) for word in different]
        return sum(held) / max(len(held), 1)

    def scores(self, terms: ja.Terms, audience: Audience) -> LexicalScores:
        mask = self.visible(audience)
        words, coverage = self._fields[0].scores(terms.words)
        bigrams, _ = self._fields[1].scores(terms.bigrams)
        readings, _ = self._fields[2].scores(terms.readings)
        return LexicalScores(words * mask, bigrams * mask, readings * mask, coverage * mask)

    def has_all(self, bigrams: Sequence[str]) -> bool:
        """Whether one passage holds all of some bigrams: nearly whether it holds the phrase they are of."""
        held: npt.NDArray[np.uint32] | None = None
        for bigram in dict.fromkeys(bigrams):
            with_it = self._fields[1].passages_with(bigram)
            held = with_it if held is None else np.intersect1d(held, with_it)
            if not len(held):
                return False
        return held is not None

    def holding(self, words: Sequence[str], passage_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Which of some words (normalised forms) each of some passages holds; none for one that is not in this index."""
        positions = np.array([self.positions.get(i, -1) for i in passage_ids], dtype=np.int64)
        held = {w: self._fields[0].holding(w, np.maximum(positions, 0)) & (positions >= 0) for w in words}
        return {i: frozenset(w for w in words if held[w][n]) for n, i in enumerate(passage_ids)}

    def missing(self, nouns: Mapping[str, float], passage_ids: Sequence[str]) -> list[float]:
        """For each passage how telling the most telling of these nouns is that it lacks, 0..1. `nouns`: with their weights."""
        positions = np.array([self.positions.get(i, -1) for i in passage_ids], dtype=np.int64)
        worst = np.zeros(len(positions))
        for noun, weight in nouns.items():
            held = self._fields[0].holding(noun, np.maximum(positions, 0))
            worst = np.where(held | (positions < 0), worst, np.maximum(worst, weight))
        return [float(w) for w in worst]

    def shares_held(self, nouns: Mapping[str, float], passage_ids: Sequence[str]) -> list[float]:
        """For each passage the weighted share of these nouns that it holds, 0..1. `nouns`: with their weights."""
        positions = np.array([self.positions.get(i, -1) for i in passage_ids], dtype=np.int64)
        held = np.zeros(len(positions))
        for noun, weight in nouns.items():
            held += weight * self._fields[0].holding(noun, np.maximum(positions, 0))
        return [float(h) for h in np.where(positions < 0, 1.0, held / (sum(nouns.values()) or 1.0))]

    def noun_weights(self, nouns: Iterable[str]) -> dict[str, float]:
        """Inverse document frequencies over that of a word which stands nowhere: 0..1."""
        unseen = self._fields[0].idf(0) or 1.0
        return {n: (w / unseen if w else 1.0) for n, w in self.word_weights(nouns).items()}

    def bigram_weights(self, bigrams: Iterable[str]) -> dict[str, float]:
        return self._fields[1].weights(list(dict.fromkeys(bigrams)))

    def word_weights(self, words: Iterable[str]) -> dict[str, float]:
        """How telling each word is; 0 for a word no passage holds."""
        return self._fields[0].weights(list(dict.fromkeys(words)))
