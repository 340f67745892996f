"""Documents, passages and vectors as rows: the truth every index is filled from."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from knowledge import lexical
from knowledge.database import Database
from knowledge.embedding import Vectors
from knowledge.errors import InvalidDocument
from knowledge.languages import ja
from knowledge.languages.colloquial import unify
from knowledge.types import Audience, Document, Kind, Passage, text_hash, wordings

_AT_ONCE = 500  # rows a statement; SQLite allows 32,766 values

metadata = sa.MetaData()
documents = sa.Table(
    "documents",
    metadata,
    sa.Column("id", sa.String(200), primary_key=True),
    sa.Column("origin", sa.String(400), nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("article", sa.String(40), nullable=False, index=True),
    sa.Column("as_of", sa.String(10), nullable=False),
    sa.Column("language", sa.String(20), nullable=False),
    sa.Column("audience", sa.JSON, nullable=False),
    sa.Column("co_op", sa.Text, nullable=False),
    sa.Column("starts", sa.Date),
    sa.Column("ends", sa.Date),
    sa.Column("facets", sa.JSON, nullable=False),
    sa.Column("hash", sa.String(32), nullable=False),
)
passages = sa.Table(
    "passages",
    metadata,
    sa.Column("id", sa.String(300), primary_key=True),
    sa.Column("document_id", sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("short", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("asks", sa.JSON, nullable=False),
    sa.Column("easy", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("known", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("as_of", sa.String(10), nullable=False),
    sa.Column("search_text", sa.Text, nullable=False),
    sa.Column("analyser", sa.String(40), nullable=False),
    sa.Column("terms", sa.LargeBinary, nullable=False),
    sa.Column("embed_hash", sa.String(32), nullable=False),
)
vectors = sa.Table(
    "vectors",
    metadata,
    sa.Column("passage_id", sa.ForeignKey("passages.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("embedder", sa.String(100), primary_key=True),
    sa.Column("embed_hash", sa.String(32), nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),  # float16, L2-normalised
)
knowledge_revision = sa.Table(
    "knowledge_revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
)


class KnowledgeStore:
    """Every method is one short transaction. Raises StoreUnavailable where the database refuses."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def upsert(
        self,
        items: Sequence[Document],
        origin: str,
        *,
        complete: bool = False,
        taking_over: bool = False,
        also: Callable[[sa.Connection], None] = lambda _: None,
    ) -> int:
        """Write what changed and, when `complete`, delete what this origin no longer holds. Returns the number of changes.

        Raises InvalidDocument, and writes nothing, where another origin holds a document of the same id; `taking_over`, the
        document is this origin's from then on. `also` is written in the same transaction, if anything is.
        """
        hashes = {d.id: document_hash(d) for d in items}
        with self._db.read() as c:
            held = dict(c.execute(sa.select(documents.c.id, documents.c.hash).where(documents.c.origin == origin)).all())
            stale = set(
                c.scalars(sa.select(passages.c.document_id).distinct().where(passages.c.analyser != lexical.ANALYSER)).all()
            )
        changed = [d for d in items if held.get(d.id) != hashes[d.id] or d.id in stale]
        gone = [i for i in held if i not in hashes] if complete else []
        if not changed and not gone:
            return 0
        rows = [row for d in changed for row in _passage_rows(d)]  # analysing is slow: outside the transaction
        with self._db.write() as c:
            if not taking_over and (foreign := _owned_elsewhere(c, [d.id for d in changed], origin)):
                raise InvalidDocument(f"the id {min(foreign)} is taken by a document from elsewhere; give it another one.")
            _delete(c, gone)
            for document in changed:
                _write_document(c, document, origin, hashes[document.id])
            _replace_passages(c, [d.id for d in changed], rows)
            _bump(c)
            also(c)
        return len(changed) + len(gone)

    def owned_elsewhere(self, ids: Sequence[str], origin: str) -> set[str]:
        """Those of some document ids that another origin holds already."""
        with self._db.read() as c:
            return _owned_elsewhere(c, ids, origin)

    def delete(self, ids: Sequence[str], also: Callable[[sa.Connection], None] = lambda _: None) -> None:
        """`also` is written in the same transaction."""
        with self._db.write() as c:
            _delete(c, ids)
            _bump(c)
            also(c)

    def revision(self) -> int:
        """Grows with every change; tells an index in any process that it is behind."""
        with self._db.read() as c:
            return int(c.scalar(sa.select(knowledge_revision.c.revision)) or 0)

    def terms(self) -> Iterator[tuple[str, bytes, Audience]]:
        """What the lexical index is built from, ordered by passage."""
        query = (
            sa.select(passages.c.id, passages.c.terms, documents.c.audience)
            .join(documents, documents.c.id == passages.c.document_id)
            .order_by(passages.c.id)
        )
        with self._db.read() as c, c.execution_options(yield_per=_AT_ONCE).execute(query) as rows:
            for row in rows:
                yield row.id, row.terms, Audience.of(*row.audience)

    def matches(self, ids: Sequence[str]) -> dict[str, tuple[Document, Passage, str]]:
        """For each passage id that still exists: its document (without its other passages), itself, its searchable text."""
        query = sa.select(documents, passages).join(passages, passages.c.document_id == documents.c.id)
        query = query.where(passages.c.id.in_(ids)).set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
        with self._db.read() as c:
            rows = c.execute(query).mappings().all()
        return {r["passages_id"]: (_document(r), _passage(r), r["passages_search_text"]) for r in rows}

    def document(self, document_id: str) -> Document | None:
        """A whole document with all its passages in order."""
        query = sa.select(documents, passages).join(passages, passages.c.document_id == documents.c.id)
        query = query.where(documents.c.id == document_id).order_by(passages.c.position)
        with self._db.read() as c:
            rows = c.execute(query.set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)).mappings().all()
        return _document(rows[0], tuple(_passage(r) for r in rows)) if rows else None

    def documents(self, ids: Sequence[str]) -> dict[str, Document]:
        """Whole documents with all their passages in order."""
        query = sa.select(documents, passages).join(passages, passages.c.document_id == documents.c.id)
        query = query.where(documents.c.id.in_(ids)).order_by(documents.c.id, passages.c.position)
        with self._db.read() as c:
            rows = c.execute(query.set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)).mappings().all()
        groups = [list(group) for _, group in groupby(rows, key=lambda r: r["documents_id"])]
        return {g[0]["documents_id"]: _document(g[0], tuple(_passage(r) for r in g)) for g in groups}

    def of_kind(self, kind: Kind, audience: Audience) -> list[tuple[Document, Passage, str]]:
        """Every document of a kind that an audience may see: itself, its first passage, the searchable text of all of it."""
        query = sa.select(documents, passages).join(passages, passages.c.document_id == documents.c.id)
        query = query.where(documents.c.kind == kind.value).order_by(documents.c.id, passages.c.position)
        with self._db.read() as c:
            rows = c.execute(query.set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)).mappings().all()
        groups = [list(group) for _, group in groupby(rows, key=lambda r: r["documents_id"])]
        found = [(_document(g[0]), _passage(g[0]), "\n".join(r["passages_search_text"] for r in g)) for g in groups]
        return [(d, p, text) for d, p, text in found if d.audience.meets(audience)]

    def document_ids(self) -> list[str]:
        with self._db.read() as c:
            return list(c.scalars(sa.select(documents.c.id).order_by(documents.c.id)))

    def wordings(self) -> list[str]:
        """Titles, headings, facets and the ways of asking of passages that have such: the field's words in short texts."""
        query = sa.select(documents.c.title, passages.c.heading, passages.c.asks, documents.c.facets)
        with self._db.read() as c:
            rows = c.execute(query.join(passages, passages.c.document_id == documents.c.id)).all()
        return list(dict.fromkeys(text for row in rows for text in wordings(*row)))

    def articles(self, names: Sequence[str]) -> list[tuple[Document, Passage]]:
        """The law documents of these articles that everybody may see, with their first passage, in the order of the names.

        Where several carry an article (a checklist does, and so may what was brought in), it is the one whose source is just
        that article, and of several such the first by id.
        """
        if not names:
            return []
        query = sa.select(documents, passages).join(passages, passages.c.document_id == documents.c.id)
        query = query.where(documents.c.article.in_(names), documents.c.kind == Kind.LAW.value, passages.c.position == 0)
        with self._db.read() as c:
            rows = c.execute(query.set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)).mappings().all()
        found: dict[str, tuple[Document, Passage]] = {}
        for document, passage in sorted(((_document(r), _passage(r)) for r in rows), key=lambda pair: _distance(pair[0])):
            if document.audience.meets(Audience()):
                found.setdefault(document.article, (document, passage))
        return [found[n] for n in names if n in found]

    def has_article(self, article: str) -> bool:
        with self._db.read() as c:
            return bool(c.scalar(sa.select(sa.func.count()).where(documents.c.article == article)))

    def mentions(self, phrase: str) -> bool:
        """Whether any passage holds a phrase (normalised) word for word."""
        with self._db.read() as c:
            return (
                c.scalar(sa.select(passages.c.id).where(passages.c.search_text.contains(phrase, autoescape=True)).limit(1))
                is not None
            )

    def counts(self) -> dict[str, int]:
        """Documents by kind."""
        with self._db.read() as c:
            rows = c.execute(sa.select(documents.c.kind, sa.func.count()).group_by(documents.c.kind)).all()
        return dict(rows)

    # vectors

    def without_vector(self, embedder: str, limit: int, of: Sequence[str] = ()) -> list[tuple[str, str, str]]:
        """Passages that this embedder has yet to embed: id, text to embed, its hash. `of`: of these documents alone."""
        current = (vectors.c.passage_id == passages.c.id) & (vectors.c.embedder == embedder)
        current &= vectors.c.embed_hash == passages.c.embed_hash
        query = (
            sa.select(documents, passages)
            .join(passages, passages.c.document_id == documents.c.id)
            .where(~sa.exists().where(current), documents.c.id.in_(of) if of else sa.true())
            .order_by(passages.c.id)
            .limit(limit)
            .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
        )
        with self._db.read() as c:
            rows = c.execute(query).mappings().all()
        return [(r["passages_id"], _passage(r).embeddable(r["documents_title"]), r["passages_embed_hash"]) for r in rows]

    def write_vectors(self, embedder: str, rows: Sequence[tuple[str, str]], embedded: Vectors) -> None:
        """`rows`: passage id and the hash of the text that was embedded. A passage that is gone or changed is left out."""
        with self._db.write() as c:
            ids = [i for i, _ in rows]
            now = dict(c.execute(sa.select(passages.c.id, passages.c.embed_hash).where(passages.c.id.in_(ids))).all())
            fresh = [(i, h, v) for (i, h), v in zip(rows, embedded, strict=True) if now.get(i) == h]
            c.execute(sa.delete(vectors).where(vectors.c.embedder == embedder, vectors.c.passage_id.in_([i for i, _, _ in fresh])))
            if fresh:
                values = [
                    {"passage_id": i, "embedder": embedder, "embed_hash": h, "vector": v.astype(np.float16).tobytes()}
                    for i, h, v in fresh
                ]
                c.execute(sa.insert(vectors), values)
                _bump(c)

    def vectors_of(self, embedder: str, ids: Sequence[str]) -> dict[str, Vectors]:
        query = sa.select(vectors.c.passage_id, vectors.c.vector).where(vectors.c.embedder == embedder)
        with self._db.read() as c:
            rows = c.execute(query.where(vectors.c.passage_id.in_(ids))).all()
        return {i: np.frombuffer(v, dtype=np.float16).astype(np.float32) for i, v in rows}

    def vector_state(self, embedder: str) -> dict[str, tuple[str, Audience]]:
        """What a vector index of this embedder has to hold: passage id → (hash of the embedded text, who may see it)."""
        query = (
            sa.select(vectors.c.passage_id, vectors.c.embed_hash, documents.c.audience)
            .join(passages, passages.c.id == vectors.c.passage_id)
            .join(documents, documents.c.id == passages.c.document_id)
            .where(vectors.c.embedder == embedder, vectors.c.embed_hash == passages.c.embed_hash)
        )
        with self._db.read() as c:
            return {r.passage_id: (r.embed_hash, Audience.of(*r.audience)) for r in c.execute(query)}


def _distance(document: Document) -> tuple[bool, str]:
    """Orders documents that carry the same article: its own guide comes first."""
    return not document.source.endswith(f" {document.article}"), document.id


def _owned_elsewhere(c: sa.Connection, ids: Sequence[str], origin: str) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        query = sa.select(documents.c.id).where(documents.c.id.in_(ids[start : start + _AT_ONCE]), documents.c.origin != origin)
        found.update(c.scalars(query))
    return found


def _write_document(c: sa.Connection, d: Document, origin: str, digest: str) -> None:
    values = {
        **{k: getattr(d, k) for k in ("title", "source", "url", "article", "as_of", "language", "co_op", "starts", "ends")},
        "origin": origin,
        "kind": d.kind.value,
        "audience": sorted(d.audience.keys),
        "facets": {k: list(v) for k, v in d.facets.items()},
        "hash": digest,
    }
    if not c.execute(sa.update(documents).where(documents.c.id == d.id).values(values)).rowcount:
        c.execute(sa.insert(documents).values(id=d.id, **values))


def _passage_rows(d: Document) -> Iterator[dict[str, Any]]:
    context = d.context()
    for position, p in enumerate(d.passages):
        search_text = unify(ja.normalise_lines(p.searchable(d.title)))
        terms = ja.terms(unify(ja.normalise(context)) + "\n" + search_text)
        yield {
            "id": p.id,
            "document_id": d.id,
            "position": position,
            **{k: getattr(p, k) for k in ("heading", "short", "detail", "easy", "en", "known", "source", "url", "as_of")},
            "asks": list(p.asks),
            "search_text": search_text,
            "analyser": lexical.ANALYSER,
            "terms": lexical.encode(terms),
            "embed_hash": text_hash(p.embeddable(d.title)),
        }


def _replace_passages(c: sa.Connection, document_ids: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that stay are updated, so that their vectors stay too; `without_vector` tells which of those are out of date."""
    mine = passages.c.document_id.in_(document_ids)
    held = set(c.scalars(sa.select(passages.c.id).where(mine)))
    c.execute(sa.delete(passages).where(mine, passages.c.id.in_(held - {r["id"] for r in rows})))
    for row in rows:
        if row["id"] in held:
            c.execute(sa.update(passages).where(passages.c.id == row["id"]).values(row))
    new = [r for r in rows if r["id"] not in held]
    for start in range(0, len(new), _AT_ONCE):
        c.execute(sa.insert(passages), new[start : start + _AT_ONCE])


def _delete(c: sa.Connection, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        c.execute(sa.delete(documents).where(documents.c.id.in_(ids[start : start + _AT_ONCE])))


def _bump(c: sa.Connection) -> None:
    c.execute(sa.update(knowledge_revision).values(revision=knowledge_revision.c.revision + 1))


def _document(r: sa.RowMapping, whole: tuple[Passage, ...] = ()) -> Document:
    plain = {
        k: r[f"documents_{k}"] for k in ("id", "title", "source", "url", "article", "as_of", "language", "co_op", "starts", "ends")
    }
    return Document(
        **plain,
        kind=Kind(r["documents_kind"]),
        passages=whole,
        audience=Audience.of(*r["documents_audience"]),
        facets={k: tuple(v) for k, v in r["documents_facets"].items()},
    )


def _passage(r: sa.RowMapping) -> Passage:
    plain = ("id", "heading", "short", "detail", "easy", "en", "known", "source", "url", "as_of")
    return Passage(**{k: r[f"passages_{k}"] for k in plain}, asks=tuple(r["passages_asks"]))


def document_hash(d: Document) -> str:
    """Tells whether a document has changed."""

    def plain(value: object) -> object:
        return sorted(value) if isinstance(value, frozenset) else str(value) if isinstance(value, dt.date) else dict(value)  # type: ignore[call-overload]

    return text_hash(json.dumps(asdict(d), sort_keys=True, ensure_ascii=False, default=plain))
