"""The one door to what is known: bring documents in, ask, look things up."""

from __future__ import annotations

import datetime as dt
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from knowledge import answering, corpus
from knowledge.allocator import give_memory_back
from knowledge.database import Database
from knowledge.embedding import Embedder, Vectors
from knowledge.errors import EmbedderUnavailable, IndexUnavailable, StoreUnavailable
from knowledge.explaining import Reasons, reasons
from knowledge.index import VectorIndex
from knowledge.languages import colloquial
from knowledge.languages.own_words import OwnWords
from knowledge.listing import Listing
from knowledge.retrieval import RERANKED, Retrieved, Retriever
from knowledge.similarity import Resemblance, Similarity
from knowledge.sources.egov import read_law
from knowledge.sources.law import Change, changes
from knowledge.statutes import ACT, Statute, Statutes
from knowledge.store import KnowledgeStore
from knowledge.types import Answer, Audience, Document, Match, Question

log = logging.getLogger(__name__)

DESK = "desk"  # the origin of what people wrote or edited by hand
_EMBEDDED_AT_ONCE = 64
_PARAGRAPH = re.compile(r"^第(\d+)項の")
_LONGEST_QUESTION = 1_000  # characters; what is longer keeps its end, where the question stands


@dataclass(frozen=True, slots=True)
class Status:
    """What is there and whether it can be used."""

    documents: Mapping[str, int]  # by kind
    without_vector: bool
    index_ready: bool
    embedder: str


class KnowledgeBase:
    """Synchronous and safe to use from several threads. Every public method raises only KnowledgeErrors."""

    def __init__(self, database: Database, embedder: Embedder, index_location: Path | str) -> None:
        self._store = KnowledgeStore(database)
        self._embedder = embedder
        self._index = VectorIndex(index_location, embedder.name)
        self._statutes = Statutes(database)
        self.listing = Listing(database)
        self._similarity = Similarity(embedder)
        self._retriever = Retriever(self._store, embedder, self._index, self._mend)
        self._aligning = threading.Lock()
        self._mender: threading.Thread | None = None
        self._index_ready = False
        self._closed = False
        database.migrate("knowledge")

    def load_shipped(self) -> int:
        """Bring the shipped corpus up to date. Returns the number of documents that changed."""
        shipped = corpus.load()
        foreign = self._store.owned_elsewhere([d.id for d in shipped], corpus.ORIGIN)
        by_hand = foreign - self._store.owned_elsewhere(sorted(foreign), DESK)
        if by_hand:
            log.info("%d shipped documents are left as people have edited them", len(by_hand))
        if foreign - by_hand:
            # What people brought in is not lost to an update; the shipped entry waits until it has another id.
            named = ", ".join(sorted(foreign - by_hand))
            log.error("shipped documents are left out, since documents brought in have their ids: %s", named)
        changed = self._store.upsert([d for d in shipped if d.id not in foreign], corpus.ORIGIN, complete=True)
        if changed or self._store.without_vector(self._embedder.name, 1):
            self._take_shipped_vectors()
        return changed

    def upsert(self, documents: Sequence[Document], origin: str, *, complete: bool = False) -> int:
        """Write documents of one origin; they can be found by their words at once, by their meaning after `align`.

        With `complete`, documents of this origin that are not among them vanish. Returns the number of changes. Raises
        InvalidDocument, and writes nothing, where another origin holds one of their ids.
        """
        return self._store.upsert(documents, origin, complete=complete)

    def owned_elsewhere(self, ids: Sequence[str], origin: str) -> set[str]:
        """Those of some document ids that another origin holds already."""
        return self._store.owned_elsewhere(ids, origin)

    def take_over(self, document: Document, origin: str, also: Callable[[sa.Connection], None]) -> int:
        """Write a document whoever held it; it is this origin's from then on. `also` is written in the same transaction.

        A document without passages keeps its id from being filled by others and shows nothing. Returns 0, and writes nothing,
        where it is this origin's and the same already.
        """
        return self._store.upsert([document], origin, taking_over=True, also=also)

    def is_shipped(self, document_id: str) -> bool:
        """Whether this version ships a document of this id."""
        return document_id in corpus.ids()

    def shipped(self, document_id: str) -> Document | None:
        """A document as this version ships it. Reads all of them, which takes half a second."""
        return next((d for d in corpus.load() if d.id == document_id), None) if self.is_shipped(document_id) else None

    def give_back(self, document_id: str, also: Callable[[sa.Connection], None]) -> None:
        """Let a shipped document be what is shipped again, whoever held it. `also` is written in the same transaction."""
        document = self.shipped(document_id)
        if document is not None:
            self._store.upsert([document], corpus.ORIGIN, taking_over=True, also=also)
            self._take_shipped_vectors()

    def delete(self, ids: Sequence[str], also: Callable[[sa.Connection], None] = lambda _: None) -> None:
        """`also` is written in the same transaction."""
        self._store.delete(ids, also)

    def align(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Embed what has no vector yet and make the vector index hold what the rows say. Returns the index's changes.

        `progress` hears how many passages have been embedded. Raises EmbedderUnavailable or IndexUnavailable.
        """
        done = 0
        while embedded := self._embed_some(()):  # others may write between two of these
            done += embedded
            progress(done)
        return self._bring_in_step()

    def align_only(self, document_ids: Sequence[str]) -> None:
        """The same for a few documents that somebody waits for, whatever else has yet to be embedded."""
        while self._embed_some(document_ids):
            pass
        self._bring_in_step()

    def _embed_some(self, of: Sequence[str]) -> int:
        with self._aligning:
            rows = self._store.without_vector(self._embedder.name, _EMBEDDED_AT_ONCE, of)
            if rows:
                embedded = self._embedder.embed_passages([text for _, text, _ in rows])
                self._store.write_vectors(self._embedder.name, [(i, digest) for i, _, digest in rows], embedded)
            return len(rows)

    def _bring_in_step(self) -> int:
        with self._aligning:
            changes = self._index.align(self._store.vector_state(self._embedder.name), self._vectors_of)
            self._index_ready = True
            give_memory_back()
            return changes

    def refresh(self) -> None:
        """Read what changed in the rows into the keyword index."""
        self._retriever.refresh()

    def read_ahead(self) -> None:
        """Read what changed before a question needs it: the words of all texts take seconds the first time."""
        self._retriever.refresh()
        self._retriever.read_vocabulary()

    def retrieve(
        self, text: str, audience: Audience | None = None, top_k: int = RERANKED, hidden: frozenset[str] = frozenset()
    ) -> Retrieved:
        text = self._retriever.own_words.read(text[-_LONGEST_QUESTION:], self._retriever.uses)
        return self._retriever.retrieve(text, audience or Audience(), top_k, hidden)

    def explained(self, text: str, audience: Audience) -> list[tuple[Match, Reasons]]:
        """What a question finds, best first, and why it stands there."""
        text = self._retriever.own_words.read(text[-_LONGEST_QUESTION:], self._retriever.uses)
        matches = self._retriever.retrieve(text, audience).matches
        return list(zip(matches, reasons(text, matches, self._retriever.holding), strict=True))

    def shipped_words(self) -> list[tuple[str, str]]:
        """The shipped table of what is said and what is meant by it, by what is said."""
        table = colloquial.words()
        return sorted({*table.spellings, *table.meanings})

    def use_words(self, rows: Iterable[tuple[str, str]]) -> None:
        """What members say and what the texts call it, (said, meant), on top of the shipped table and instead of former rows."""
        self._retriever.own_words = OwnWords(rows)

    def answer(self, question: Question) -> Answer:
        """The best that is known, in layers with citations, or an honest "not found" with the nearest topics."""
        text = self._retriever.own_words.read(question.text, self._retriever.uses)
        return answering.answer(replace(question, text=text), self._retriever, self._store)

    def tell_unsaved(self, document: Document, passage_id: str, language: str) -> Answer:
        """The answer that a passage would give, of a document that need not be kept anywhere."""
        voices = [(document, p) for p in document.passages if p.id == passage_id]
        return answering.told(voices, language, 1.0, self._store)

    def tell(self, ids: Sequence[str], audience: Audience, language: str) -> Answer:
        """The answer that some passages give, in a language; what this audience may not see is left out."""
        found = self._store.matches(ids)
        visible = [(d, p) for d, p, _ in (found[i] for i in ids if i in found) if d.audience.meets(audience)]
        return answering.told(visible, language, 1.0, self._store)

    def details(self, ids: Sequence[str], audience: Audience) -> list[str]:
        """The long texts of some passages, without those this audience may not see."""
        found = self._store.matches(ids)
        return [p.detail for d, p, _ in (found[i] for i in ids if i in found) if d.audience.meets(audience)]

    def resembling(
        self, text: str, others: Sequence[tuple[str, str]], *, read_together: bool = False
    ) -> list[tuple[str, Resemblance]]:
        """How far some texts (id, text) say what this one says, best first; see Similarity. Raises EmbedderUnavailable."""
        return self._similarity.among(text, others, read_together=read_together)

    def import_law(self, raw: bytes, today: dt.date, revision_id: str = "") -> tuple[str, str, tuple[Change, ...]]:
        """Take in the official text of a law, as e-Gov hands it out. Returns its title, its version, and what changed.

        Raises InvalidDocument for what is no law.
        """
        law, changed = self._statutes.put(raw, today, revision_id)
        return law.title, law.revision_id, changed

    def law_differences(self, raw: bytes) -> tuple[Change, ...]:
        """What a law's text, as e-Gov hands it out, changes against the imported one; nothing is kept of it."""
        new = read_law(raw)
        held = self._statutes.law(new.law_id)
        return changes(held, new) if held else ()

    def law_imported(self) -> bool:
        """Whether the exact words of the Act can be shown."""
        return self._statutes.text("第1条") is not None

    def law_revision(self) -> str | None:
        """The version of the Act that has been imported."""
        law = self._statutes.law(ACT)
        return law.revision_id if law else None

    def statutes(self, ids: Sequence[str], audience: Audience) -> list[Statute]:
        """The exact words that some passages rest on: of the paragraph they name, else of the article."""
        found = self._store.matches(ids)
        texts: dict[str, Statute] = {}
        for document, passage, _ in (found[i] for i in ids if i in found):
            if document.article and document.audience.meets(audience):
                paragraph = _PARAGRAPH.search(passage.detail)
                statute = self._statutes.text(document.article, int(paragraph[1]) if paragraph else None)
                if statute is not None:
                    texts.setdefault(statute.name, statute)
        return list(texts.values())

    def changed_articles(self, articles: Sequence[str]) -> set[str]:
        """Those of some articles whose official words changed after our guide to them was written."""
        return self._statutes.changed(list(articles)) if articles else set()

    def all_changed_articles(self) -> dict[str, dt.date]:
        """Every article whose official words changed after our guide to it was written, and when that was noticed."""
        return self._statutes.all_changed()

    def whole(self, document_id: str) -> Document | None:
        """A whole document, whoever may see it: for those who look after it."""
        return self._store.document(document_id)

    def document(self, document_id: str, audience: Audience | None = None) -> Document | None:
        """A whole document, if this audience may see it."""
        found = self._store.document(document_id)
        return found if found and found.audience.meets(audience or Audience()) else None

    def status(self) -> Status:
        return Status(
            documents=self._store.counts(),
            without_vector=bool(self._store.without_vector(self._embedder.name, 1)),
            index_ready=self._index_ready,
            embedder=self._embedder.name,
        )

    def close(self) -> None:
        self._closed = True
        if self._mender is not None:
            self._mender.join(timeout=30)
        self._retriever.close()
        self._index.close()

    def align_in_background(self) -> None:
        """Start `align` unless it is under way; keyword search answers meanwhile."""
        if self._closed or (self._mender is not None and self._mender.is_alive()):
            return
        self._mender = threading.Thread(target=self._align_quietly, name="align", daemon=True)
        self._mender.start()

    def _mend(self) -> None:
        self._index_ready = False
        self.align_in_background()

    def _align_quietly(self) -> None:
        try:
            changes = self.align()
        except (EmbedderUnavailable, IndexUnavailable, StoreUnavailable) as error:
            log.error("%s Answering from the keyword indexes.", error)
        else:
            log.info("the vector index is in step with the rows, %d entries changed", changes)

    def _vectors_of(self, ids: Sequence[str]) -> Mapping[str, Vectors]:
        return self._store.vectors_of(self._embedder.name, ids)

    def _take_shipped_vectors(self) -> None:
        shipped = corpus.vectors(self._embedder.name)
        rows = [(i, h, shipped[h]) for i, _, h in self._store.without_vector(self._embedder.name, 1_000_000) if h in shipped]
        if rows:
            self._store.write_vectors(self._embedder.name, [(i, h) for i, h, _ in rows], np.array([v for _, _, v in rows]))
