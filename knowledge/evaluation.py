"""How well passages are found: nDCG, recall, MRR, and how well answerable questions are told from unanswerable ones."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.database import Database
from knowledge.embedding import Embedder, Vectors
from knowledge.errors import InvalidDocument
from knowledge.knowledge_base import KnowledgeBase
from knowledge.retrieval import Retrieved
from knowledge.types import Document, Kind, Passage, text_hash

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class LabelledQuery:
    text: str
    gold: frozenset[str]


class CachedEmbedder:
    """Another embedder's vectors, kept in a folder by its name and the hash of the text."""

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._file = folder / f"{embedder.name}.npz" if folder else None
        self._held: dict[str, Vectors] = {}
        if self._file and self._file.exists():
            with np.load(self._file, allow_pickle=False) as stored:
                self._held = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def embed_query(self, text: str) -> Vectors:
        vectors: Vectors = self._get([text], "q", lambda texts: np.array([self._embedder.embed_query(t) for t in texts]))
        first: Vectors = vectors[0]
        return first

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._get(texts, "p", self._embedder.embed_passages)

    def _get(self, texts: Sequence[str], role: str, embed: Callable[[Sequence[str]], Vectors]) -> Vectors:
        keys = [f"{role}{text_hash(t)}" for t in texts]
        missing = [i for i, k in enumerate(keys) if k not in self._held]
        if missing:
            for i, vector in zip(missing, embed([texts[i] for i in missing]), strict=True):
                self._held[keys[i]] = vector.astype(np.float16)
        return np.array([self._held[k] for k in keys], dtype=np.float32)

    def save(self) -> None:
        if self._file and self._held:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part = self._file.with_suffix(".part.npz")
            np.savez(part, keys=np.array(list(self._held)), vectors=np.array(list(self._held.values())))
            part.replace(self._file)


def benchmark(
    passages: Sequence[Path],
    queries: Path,
    embedder: Embedder,
    *,
    without_gold: str | None = None,
    vectors: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """The figures of `yui bench retrieval`. `without_gold`: `passage` or `article` adds the AUC of telling the unanswerable."""
    cached = CachedEmbedder(embedder, vectors)
    labelled = list(_queries(queries))
    with tempfile.TemporaryDirectory() as folder:
        kb = filled(passages, cached, Path(folder), progress)
        progress(f"{len(labelled)} questions")
        for query in labelled:  # so that the times below are of the search alone
            cached.embed_query(query.text)
        cached.save()
        results, times = [], []
        for query in labelled:
            start = time.perf_counter()
            results.append(kb.retrieve(query.text))
            times.append(1000 * (time.perf_counter() - start))
        figures = {**ranking_figures(results, labelled), "query_ms": _percentiles(times)}
        figures["passages"] = len(kb.retrieve_ids())
        if without_gold:
            progress("the same questions without their answers")
            figures["auc"] = round(auc(*_with_and_without(kb, results, labelled, without_gold)), 4)
        kb.close()
    return figures


def filled(passages: Sequence[Path], embedder: CachedEmbedder, folder: Path, progress: Callable[[str], None]) -> Benchmarked:
    """A knowledge base in `folder` that holds the benchmark's passages."""
    database = Database(f"sqlite:///{folder / 'bench.db'}")
    kb = Benchmarked(database, embedder, folder / "chroma")
    documents = [d for f in passages for d in _documents(f)]
    progress(f"{len(documents)} passages")
    kb.upsert(documents, "benchmark", complete=True)
    kb.align(lambda done: progress(f"{done} embedded") if done % (_AT_ONCE * 4) == 0 else None)
    embedder.save()
    return kb


class Benchmarked(KnowledgeBase):
    """A knowledge base from which whole articles can be hidden."""

    def retrieve_ids(self) -> list[str]:
        return self._store.document_ids()

    def articles(self) -> Mapping[str, frozenset[str]]:
        """For each document, all that belong to the same article: same title, same file."""
        groups: dict[tuple[str, str], set[str]] = {}
        found = [self._store.document(i) for i in self._store.document_ids()]
        for d in found:
            if d is not None:
                groups.setdefault((d.source, d.title), set()).add(d.id)
        return {i: frozenset(g) for g in groups.values() for i in g}


def _with_and_without(
    kb: Benchmarked, results: Sequence[Retrieved], labelled: Sequence[LabelledQuery], hide: str
) -> tuple[list[float], list[float]]:
    articles = kb.articles() if hide == "article" else {}
    without = []
    for query in labelled:
        hidden = frozenset(i for g in query.gold for i in articles.get(g, {g}))
        without.append(kb.retrieve(query.text, hidden=hidden).confidence)
    return [r.confidence for r in results], without


def ranking_figures(results: Sequence[Retrieved], labelled: Sequence[LabelledQuery]) -> dict[str, float]:
    """nDCG@10 with binary gains, recall at 1, 5 and 10, MRR@10."""
    gains: dict[str, list[float]] = {k: [] for k in ("ndcg@10", "recall@1", "recall@5", "recall@10", "mrr@10")}
    for result, query in zip(results, labelled, strict=True):
        ranks = [r for r, m in enumerate(result.matches[:10]) if m.document.id in query.gold]
        ideal = sum(1 / math.log2(r + 2) for r in range(min(len(query.gold), 10)))
        gains["ndcg@10"].append(sum(1 / math.log2(r + 2) for r in ranks) / ideal)
        gains["mrr@10"].append(1 / (ranks[0] + 1) if ranks else 0.0)
        for k in (1, 5, 10):
            gains[f"recall@{k}"].append(sum(r < k for r in ranks) / len(query.gold))
    return {k: round(sum(v) / max(len(v), 1), 4) for k, v in gains.items()}


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive outranks a negative; ties count half."""
    scores = np.concatenate([positive, negative])
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    return {"p50": round(float(np.percentile(times, 50)), 2), "p95": round(float(np.percentile(times, 95)), 2)}


def _documents(file: Path) -> Iterator[Document]:
    for row in _rows(file):
        passage = Passage(id=row["id"], heading=row["title"], short="", detail=row["text"])
        yield Document(id=row["id"], kind=Kind.SURVEY, title=row["title"], source=file.stem, passages=(passage,))


def _queries(file: Path) -> Iterator[LabelledQuery]:
    for row in _rows(file):
        yield LabelledQuery(row["question"], frozenset(row["gold"]))


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise InvalidDocument(f"{file.name}, line {number} is not JSON.") from error
