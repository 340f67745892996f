"""The shipped knowledge: Markdown entries and, beside them, their vectors, so that a first start embeds nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import numpy as np

from knowledge import facets
from knowledge.embedding import Embedder, Vectors
from knowledge.errors import InvalidDocument
from knowledge.sources import markdown
from knowledge.types import Document, text_hash

ORIGIN = "shipped corpus"
_VECTORS = "vectors.npz"


def load() -> list[Document]:
    """Every shipped document, ordered by id. Raises InvalidDocument for a file that breaks a rule of docs/corpus.md."""
    documents = [markdown.parse(f.read_text("utf-8"), f.name) for f in _files(resources.files(__name__))]
    ids = [d.id for d in documents]
    if len(set(ids)) < len(ids):
        raise InvalidDocument(f"the id {next(i for i in ids if ids.count(i) > 1)} stands in two files.")
    for document in documents:
        facets.check(document)
    return sorted(documents, key=lambda d: d.id)


@cache
def ids() -> frozenset[str]:
    """The ids of the shipped documents."""
    return frozenset(d.id for d in load())


def _files(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _files(entry)
        elif entry.name.endswith(".md"):
            yield entry


def vectors(embedder: str) -> dict[str, Vectors]:
    """The shipped vectors of one embedder by the hash of the embedded text; none for an embedder they were not made with."""
    file = resources.files(__name__) / _VECTORS
    if not file.is_file():
        return {}
    with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as shipped:
        if str(shipped["embedder"]) != embedder:
            return {}
        return dict(zip(shipped["hashes"].tolist(), shipped["vectors"].astype(np.float32), strict=True))


def embed(embedder: Embedder) -> bytes:
    """The file of vectors for the corpus as it is now; what is already there is not embedded again."""
    held = vectors(embedder.name)
    texts = {text_hash(t): t for d in load() for p in d.passages for t in [p.embeddable(d.title)]}
    missing = [h for h in texts if h not in held]
    held.update(zip(missing, embedder.embed_passages([texts[h] for h in missing]), strict=True))
    ordered = sorted(texts)
    out = io.BytesIO()
    stacked = np.array([held[h] for h in ordered], dtype=np.float16)
    np.savez_compressed(out, embedder=np.array(embedder.name), hashes=np.array(ordered), vectors=stacked)
    return out.getvalue()
