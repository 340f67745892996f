"""Which engine for keyword search: ours over NumPy, SQLite FTS5, tantivy. `python -m bench.lexical_engines FOLDER`.

All three get the same terms, one field (Sudachi words), and the same questions. tantivy is measured only where it is installed.
"""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from knowledge.languages import ja
from knowledge.lexical import LexicalIndex, encode
from knowledge.types import Audience

QUERIES = 1_000


def main(folder: Path) -> None:
    passages = [json.loads(line) for f in sorted(folder.glob("*_passages*.jsonl")) for line in f.read_text("utf-8").splitlines()]
    queries = [json.loads(line) for line in (folder / "jaquad_dev_queries.jsonl").read_text("utf-8").splitlines()][:QUERIES]
    ids = [p["id"] for p in passages]
    texts = [ja.terms(ja.normalise(f"{p['title']}\n{p['text']}")) for p in passages]
    asked = [ja.terms(ja.normalise(q["question"])) for q in queries]
    gold = [ids.index(q["gold"][0]) for q in queries]
    for name, build in (("numpy", ours), ("fts5", fts5), ("tantivy", with_tantivy)):
        with tempfile.TemporaryDirectory() as scratch:
            start = time.perf_counter()
            try:
                search = build(texts, Path(scratch))
            except ImportError:
                print(f"{name}: not installed")
                continue
            built = time.perf_counter() - start
            times, gains = [], []
            for terms, right in zip(asked, gold, strict=True):
                start = time.perf_counter()
                found = search(terms)[:10]
                times.append(1000 * (time.perf_counter() - start))
                gains.append(1 / math.log2(found.index(right) + 2) if right in found else 0.0)
            p50, p95 = np.percentile(times, [50, 95])
            print(f"{name}: build {built:.1f} s, query p50 {p50:.2f} p95 {p95:.2f} ms, nDCG@10 {np.mean(gains):.4f}")


Search = Callable[[ja.Terms], Sequence[int]]


def ours(texts: Sequence[ja.Terms], _: Path) -> Search:
    everyone = Audience()
    index = LexicalIndex((str(i), encode(t), everyone) for i, t in enumerate(texts))
    field = index._fields[0]
    return lambda terms: np.argsort(-field.scores(terms.words)[0], kind="stable")[:10].tolist()


def _plain(term: str) -> str:
    return f"t{zlib.crc32(term.encode()):08x}"


def fts5(texts: Sequence[ja.Terms], scratch: Path) -> Search:
    db = sqlite3.connect(scratch / "fts.db")
    db.execute("CREATE VIRTUAL TABLE p USING fts5(words, tokenize='ascii', content='')")
    db.executemany("INSERT INTO p(rowid, words) VALUES (?, ?)", ((i, " ".join(map(_plain, t.words))) for i, t in enumerate(texts)))

    def search(terms: ja.Terms) -> Sequence[int]:
        query = " OR ".join(dict.fromkeys(map(_plain, terms.words)))
        if not query:
            return []
        return [r for (r,) in db.execute("SELECT rowid FROM p WHERE p MATCH ? ORDER BY bm25(p) LIMIT 10", (query,))]

    return search


def with_tantivy(texts: Sequence[ja.Terms], scratch: Path) -> Search:
    import tantivy

    schema = (
        tantivy.SchemaBuilder().add_unsigned_field("n", stored=True).add_text_field("words", tokenizer_name="whitespace").build()
    )
    index = tantivy.Index(schema, path=str(scratch))
    writer = index.writer()
    for i, t in enumerate(texts):
        writer.add_document(tantivy.Document(n=i, words=" ".join(map(_plain, t.words))))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def search(terms: ja.Terms) -> Sequence[int]:
        query = index.parse_query(" ".join(dict.fromkeys(map(_plain, terms.words))), ["words"])
        return [searcher.doc(address)["n"][0] for _, address in searcher.search(query, 10).hits]

    return search


if __name__ == "__main__":
    main(Path(sys.argv[1]))
