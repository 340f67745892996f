"""SentencePiece's unigram model: cuts a text into the most probable sequence of known pieces.

The packages that do this keep the 250,000 pieces of a multilingual model as objects (64 to 262 MB). Here they are three arrays
of 4 MB together: their hashes, in order, with their ids and scores.
"""

from __future__ import annotations

import math
import unicodedata

import numpy as np
import numpy.typing as npt

_SPACE = "▁"  # stands for a space, and before the first word
_KEPT = "～"  # the one character that the models of the XLM-R family, trained before, do not read as NFKC does
# Control characters are dropped; what has no width, and what stands for an unreadable byte, separates.
_ODD: dict[int, str | None] = dict.fromkeys([*range(9), 11, *range(14, 32), 127, 0x8F, 0x9F])
_ODD |= dict.fromkeys([*range(0x200B, 0x2010), 0xFEFF, 0xFFFD, ord(_SPACE)], " ")

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_UNKNOWN_COSTS = 10.0  # below the least probable piece, as SentencePiece has it

Codes = npt.NDArray[np.uint64]


def normalise(text: str) -> str:
    """NFKC without control characters, with single spaces between words and none round them."""
    parts = text.translate(_ODD).split(_KEPT)
    return " ".join(_KEPT.join(unicodedata.normalize("NFKC", part) for part in parts).split())


class Unigram:
    """Pieces of text with the logarithm of their probability; the id of a piece is its place.

    `pieces` holds the UTF-8 of all pieces, one after the other, and piece i stands at `offsets[i]:offsets[i + 1]`. Pieces with a
    score of 0 are signs such as `</s>`: no text is ever read as one of them.
    """

    def __init__(self, pieces: bytes, offsets: npt.NDArray[np.uint32], scores: npt.NDArray[np.float32], unknown: int) -> None:
        hashes, self._longest = _hashed(pieces, offsets)
        order = np.argsort(hashes)
        order = order[scores[order] < 0]
        # Pieces are known by 64 bits alone. Of the thousand stretches of a question, one that is no piece has the hash of one of
        # the 250,000 once in 70 billion questions.
        self._hashes, self._ids, self._scores = hashes[order], order.astype(np.int32), scores[order]
        self._unknown, self._unknown_score = unknown, float(scores.min()) - _UNKNOWN_COSTS

    def encode(self, text: str) -> list[int]:
        """The ids of the most probable pieces of a normalised text, never more than its characters and one.

        What is unknown is one piece, however long.
        """
        return [piece for piece, _, _ in self.cut(text)]

    def cut(self, text: str) -> list[tuple[int, int, int]]:
        """The same pieces, each with its id and where it begins and ends in the text."""
        codes = _codes(_SPACE + text.replace(" ", _SPACE))
        starts, ends, ids, scores = self._found(codes)
        best = [0.0] + [-math.inf] * len(codes)  # by the place where a piece ends
        last = [(0, self._unknown)] * (len(codes) + 1)  # where it begins, and its id
        for start, end, piece, score in zip(starts, ends, ids, scores, strict=True):
            total = best[start] + score
            if total > best[end]:
                best[end], last[end] = total, (start, piece)
        return self._path(last)

    def _found(self, codes: Codes) -> tuple[list[int], list[int], list[int], list[float]]:
        """Every piece in the text, by where it begins; where no single character is one, the unknown."""
        padded = np.concatenate([codes, np.zeros(self._longest, np.uint64)])
        hashes = np.empty((len(codes), self._longest), np.uint64)
        hashes[:, 0] = codes
        for length in range(1, self._longest):
            hashes[:, length] = hashes[:, length - 1] * _MULTIPLIER + padded[length : length + len(codes)]
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        known = self._hashes[at] == hashes
        known[:, 0] |= (unknown := ~known[:, 0])
        starts, lengths = np.nonzero(known)
        at = at[known]
        other = unknown[starts] & (lengths == 0)
        ids = np.where(other, self._unknown, self._ids[at])
        scores = np.where(other, self._unknown_score, self._scores[at])
        return starts.tolist(), (starts + lengths + 1).tolist(), ids.tolist(), scores.tolist()

    def _path(self, last: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
        path: list[tuple[int, int, int]] = []
        end = len(last) - 1
        while end > 0:
            start, piece = last[end]
            joined = piece == self._unknown and path and path[-1][0] == piece
            before = path.pop()[2] if joined else end - 1  # the first character stands for the space before the text
            path.append((piece, max(start - 1, 0), before))
            end = start
        return path[::-1]


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)


def _hashed(pieces: bytes, offsets: npt.NDArray[np.uint32]) -> tuple[Codes, int]:
    """The hash of every piece, the same as in `_found`, and the characters of the longest."""
    codes = np.frombuffer(pieces.decode("utf-8").encode("utf-32-le"), "<u4")
    characters = np.zeros(len(pieces) + 1, np.uint32)  # that begin before a byte
    np.cumsum((np.frombuffer(pieces, np.uint8) & 0xC0) != 0x80, out=characters[1:])
    bounds = characters[offsets]
    starts, lengths = bounds[:-1], np.diff(bounds)
    hashes = np.zeros(len(starts), np.uint64)
    for place in range(longest := int(lengths.max(initial=1))):
        on = np.nonzero(lengths > place)[0]
        hashes[on] = hashes[on] * _MULTIPLIER + codes[starts[on] + np.uint32(place)]
    return hashes, longest
