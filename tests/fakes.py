"""Fakes by hand: small, deterministic, without surprises."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence

import numpy as np

from knowledge.embedding import Vectors
from knowledge.errors import EmbedderUnavailable
from knowledge.languages import ja


class FakeEmbedder:
    """Character bigrams, hashed into 64 numbers. Counts what it embeds."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.embedded = 0

    def embed_query(self, text: str) -> Vectors:
        return self._embed(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return np.array([self._embed(t) for t in texts], dtype=np.float32).reshape(len(texts), 64)

    def _embed(self, text: str) -> Vectors:
        vector = np.full(64, 0.01, dtype=np.float32)
        plain = ja.normalise(text)
        for i in range(len(plain) - 1):
            vector[zlib.crc32(plain[i : i + 2].encode()) % 64] += 1
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit


class BrokenEmbedder(FakeEmbedder):
    """A model that cannot be used."""

    def embed_query(self, _: str) -> Vectors:
        raise EmbedderUnavailable("The model cannot be used.")

    def embed_passages(self, _: Sequence[str]) -> Vectors:
        raise EmbedderUnavailable("The model cannot be used.")


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, now: str = "2026-11-21T10:00:00+09:00") -> None:
        self.now = dt.datetime.fromisoformat(now)

    def __call__(self) -> dt.datetime:
        return self.now
