"""A question to ranked passages: lexical and dense scores, added up, then a linear rerank of the first thirty."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from knowledge import reranking
from knowledge.allocator import give_memory_back
from knowledge.embedding import Embedder, Vectors
from knowledge.errors import EmbedderUnavailable, IndexUnavailable
from knowledge.index import VectorIndex
from knowledge.languages import colloquial, ja
from knowledge.languages.own_words import OwnWords
from knowledge.languages.vocabulary import Vocabulary
from knowledge.lexical import LexicalIndex, LexicalScores
from knowledge.store import KnowledgeStore
from knowledge.types import Audience, Kind, Match

log = logging.getLogger(__name__)

RERANKED = 30
_LACKS = -3.0  # log-odds for a passage that does not hold what is asked for
_REPEATED = -2.5  # for one of 連合会 and the like that the question does not name: the Act says the same of all co-ops
_FIGURE = 10.0  # for one that tells the figure of which it is asked what it means
_SPOKEN_OF = 2.0  # for one whose title or heading names what the question opens with: 「議長は…」
_UNKNOWN = -1.3  # for one that only says that something is not known
_NAMED = 3.0  # for one of the article that is named; twice for its main passage where nothing else is asked
# Share of the question's nouns below which a passage is foreign to it, where none, one, or more of them are unheard of.
_HARDLY_HELD = (-1.0, 0.15, 0.35)
# A tip has no list of how people ask for it, only its giver's own words: what those lack counts for less. Of 30 paraphrased
# questions 16 are then told their tip and 9 see it close by (13 and 3 before), 4 of 300 others are told one (1 before; 2026-11-21).
_TIP, _TIP_LACKS, _TIP_MISSING = 2.0, 0.5, 0.5
_OF_TOPIC = 1.2  # log-odds for a passage of the document the conversation is about
_AT_ONCE = 4  # questions embedded and searched at the same time
_CANDIDATES = 60  # of each of the two ways of finding
# e5 puts all cosines between about .75 and .90. The weights were fitted on this scale; another model wants `make fit` anew.
_COSINE_FLOOR, _COSINE_SPAN = 0.75, 0.15

_HIRAGANA = re.compile(r"[ぁ-ゖー]+")
_FIGURE_ASKED = re.compile(
    r"(\d+(?:\.\d+)?[^\d\s、。?]{1,3}?)(?:って|というのは|とは)(?:何(?!人|年|日|か|団)|なん(?!に|ね)|なに|どういう|どの|どこ)"
)
_OPENING = re.compile(
    r"(?!労働者協同組合|労協|組合(?!員)|法人|団体|仲間|居場所)([一-龥々ァ-ヺー]{2,12})(?:の|は|って|も)(?=[^?。]{2})"
)
ARTICLE = re.compile(r"(?<!\d)(?:附則|施行令)?\d{1,3}条(?:の\d{1,2}(?!\d|分の))?")


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Passages best first, with what is needed to decide whether the first one answers the question."""

    matches: tuple[Match, ...]
    features: reranking.Floats  # (n, features), in the order of the matches
    bonus: reranking.Floats  # (n,), what was added to the scores for what is lacking, not known, of the topic
    scores: reranking.Floats
    known_words: float  # share of the question's words that occur anywhere in the knowledge
    degraded: bool = False  # the vectors could not be used
    preferred: reranking.Floats | None = None  # (n,), what of the scores is for the order alone: it makes nothing surer

    @property
    def confidence(self) -> float:
        if not self.matches:
            return 0.0
        scores = self.scores if self.preferred is None else self.scores - self.preferred
        return reranking.confidence(self.features, scores)


def _is_unheard_of(noun: str, weight: float) -> bool:
    """Whether a noun stands nowhere in the knowledge, and is not just a word written in hiragana."""
    return weight >= 1.0 and len(noun) > 1 and not _HIRAGANA.fullmatch(noun)


def _figure_asked(question: str) -> re.Pattern[str] | None:
    """The figure of which a question asks what it means (「200人って何?」), as it looks in a text."""
    asked = _FIGURE_ASKED.search(question)
    return re.compile(rf"(?<![\d.]){re.escape(asked[1])}") if asked else None


def _spoken_of(question: str) -> str:
    """The compound that a question opens with as what it is about (「理事会の議事録は」: 理事会); empty where there is none."""
    opening = _OPENING.match((ja.sentences(question) or [""])[-1])
    return opening[1] if opening else ""


@lru_cache(maxsize=8_192)  # titles and short answers: the same ones come up again and again
def _normalised(text: str) -> str:
    return colloquial.unify(ja.normalise(text))


class Retriever:
    """Finds passages. Keeps the lexical index in step with the rows; goes on without vectors when they fail."""

    def __init__(self, store: KnowledgeStore, embedder: Embedder, index: VectorIndex, on_damage: Callable[[], None]) -> None:
        self._store = store
        self._embedder = embedder
        self._index = index
        self._on_damage = on_damage
        self._lexical = LexicalIndex(())
        self._words = (-1, Vocabulary(()))  # and of which revision
        self._reading = threading.Lock()
        self.own_words = OwnWords()
        self._revision = -1
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dense")

    def close(self) -> None:
        self._pool.shutdown()

    def refresh(self, *, wait: bool = True) -> None:
        """Build the lexical index anew if the rows have changed. One thread builds; others go on with what there is."""
        if self._store.revision() == self._revision or not self._lock.acquire(blocking=wait):
            return
        try:
            revision = self._store.revision()
            if revision != self._revision:
                self._lexical = LexicalIndex(self._store.terms())
                self._revision = revision
                give_memory_back()
        finally:
            self._lock.release()

    def in_kanji(self, text: str) -> str:
        """A question in kana alone as it would be written; any other as it is."""
        return colloquial.in_kanji(text, self._vocabulary)

    def uses(self, phrase: str) -> bool:
        """Whether a passage holds a phrase (normalised, unified), as far as its letter pairs tell."""
        self.refresh(wait=self._revision < 0)
        return self._lexical.has_all(ja.terms(phrase).bigrams)

    def holding(self, words: Sequence[str], passage_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Which of some words (normalised forms) each of some passages holds."""
        return self._lexical.holding(words, passage_ids)

    def retrieve(
        self,
        text: str,
        audience: Audience,
        top_k: int = RERANKED,
        hidden: frozenset[str] = frozenset(),
        topic: str = "",
    ) -> Retrieved:
        """`hidden`: documents or passages to leave out, whoever asks. `topic`: the document the conversation is about."""
        self.refresh(wait=self._revision < 0)
        lexical_index = self._lexical
        query = self.own_words.added_to(colloquial.understood(text, self._vocabulary))
        searching = self._pool.submit(self._dense, query.text, audience)  # the model lets other threads work meanwhile
        asked = ja.terms(query.text)
        terms = asked.plus(ja.terms(query.added)) if query.added else asked
        known_words = lexical_index.known_share(asked.words, audience)
        lexical = lexical_index.scores(terms, audience)
        dense, degraded = searching.result()
        ids = self._candidates(lexical_index, lexical, dense, hidden)
        if not ids:
            nothing = np.zeros(0, np.float32)
            return Retrieved((), reranking.stack([]), nothing, nothing, known_words, degraded)
        ids, rows = self._fused(lexical_index, lexical, dense, ids)
        found = self._store.matches(ids)
        figure = _figure_asked(query.text)
        spoken_of = _spoken_of(query.text)
        question = reranking.QuestionText(query.text, lexical_index.bigram_weights(asked.bigrams))
        # What English words mean is said by the gloss beside them.
        nouns = [n for n in ja.nouns(query.text) if not (n.isascii() or any(n in e or e in n for e in query.explained))]
        weights = lexical_index.noun_weights(nouns)
        asked_for = colloquial.AskedFor(query.text)
        named = set(ARTICLE.findall(query.text))
        kept, features, bonus, preferred, lacking, foreign = [], [], [], [], [], []
        lacked = lexical_index.missing(weights, ids)
        unheard = sum(_is_unheard_of(n, w) for n, w in weights.items())
        held = lexical_index.shares_held(weights, ids) if unheard else [1.0] * len(ids)
        for passage_id, row, missing, share_held in zip(ids, rows, lacked, held, strict=True):
            document, passage, search_text = found.get(passage_id, (None, None, ""))
            if document is None or passage is None or not document.audience.meets(audience):
                continue  # deleted meanwhile, or never to be seen: the rows decide, not the index
            kept.append((document, passage))
            lacks = asked_for.lacking(document, passage) if passage.known or named else 0.0
            is_tip = document.kind is Kind.TIP
            if is_tip:
                lacks, missing = min(lacks, _TIP_LACKS), missing * _TIP_MISSING
            lacking.append(lacks == 1.0)
            foreign.append(share_held <= _HARDLY_HELD[min(unheard, 2)])
            is_named = document.article != "" and ja.normalise(document.article) in named
            answer = _normalised(passage.short) or search_text
            about = _normalised(f"{document.title} {passage.heading}")
            said = f"{query.text} {query.added}"
            unasked = reranking.unasked(about, said, colloquial.words().qualifiers)
            preferred.append(_SPOKEN_OF * (spoken_of != "" and spoken_of in about))
            bonus.append(
                _LACKS * lacks
                + _REPEATED * (unasked and reranking.unasked(about, said, colloquial.words().repeated))
                + _FIGURE * bool(figure and figure.search(answer))
                + preferred[-1]
                + _UNKNOWN * (not passage.known)
                + _OF_TOPIC * (document.id == topic)
                + _TIP * is_tip
                + _NAMED * is_named * (1.0 if nouns or passage.id != document.id else 2.0)
            )
            features.append((*row, *question.features(search_text, answer), missing, unasked))
        stacked = reranking.stack(features)
        ranking, scores = reranking.order(stacked, bonus)
        matches = [
            Match(
                kept[i][1],
                kept[i][0],
                float(s),
                {**dict(zip(reranking.FEATURES, stacked[i].tolist(), strict=True)), "foreign": float(foreign[i])},
                lacks=lacking[i],
            )
            for i, s in zip(ranking[:top_k], scores, strict=False)
        ]
        added = np.array(bonus, dtype=np.float32)[ranking]
        for_order = np.array(preferred, dtype=np.float32)[ranking]
        return Retrieved(tuple(matches), stacked[ranking], added, scores, known_words, degraded, for_order)

    def read_vocabulary(self) -> None:
        """Read the words of all texts now, which takes seconds the first time, rather than when a question needs them."""
        self._vocabulary()

    def _vocabulary(self) -> Vocabulary:
        with self._reading:
            revision, words = self._words
            if revision != self._revision:
                revision = self._revision
                words = Vocabulary(self._store.wordings(), words)
                self._words = (revision, words)
            return words

    def _dense(self, text: str, audience: Audience) -> tuple[tuple[Vectors, dict[str, float]] | None, bool]:
        try:
            vector = self._embedder.embed_query(text)
            return (vector, self._index.query(vector, audience, _CANDIDATES)), False
        except EmbedderUnavailable:
            log.warning("the embedding model cannot be used; answering from the keyword indexes")
        except IndexUnavailable:
            log.warning("the vector index cannot be used; answering from the keyword indexes")
            self._on_damage()
        return None, True

    def _candidates(
        self,
        lexical_index: LexicalIndex,
        lexical: LexicalScores,
        dense: tuple[Vectors, dict[str, float]] | None,
        hidden: frozenset[str],
    ) -> list[str]:
        weights = reranking.weights().fusion
        total = weights[0] * lexical.words + weights[1] * lexical.bigrams + weights[2] * lexical.readings
        best = np.argsort(-total, kind="stable")[:_CANDIDATES]
        by_words = [lexical_index.ids[i] for i in best if total[i] > 0]
        ids = dict.fromkeys([*by_words, *(dense[1] if dense else ())])
        return [i for i in ids if i not in hidden and i.partition("#")[0] not in hidden]

    def _fused(
        self,
        lexical_index: LexicalIndex,
        lexical: LexicalScores,
        dense: tuple[Vectors, dict[str, float]] | None,
        ids: list[str],
    ) -> tuple[list[str], list[tuple[float, ...]]]:
        """The thirty best by the sum of the normalised scores: ids and their words, bigrams, readings, cosine, coverage."""
        cosines = self._cosines(dense, ids)
        at = np.array([lexical_index.positions.get(i, -1) for i in ids])
        # Found by its vector alone, and not in this index yet: -1, which is the 0 appended.
        columns = [np.append(s, 0.0)[at] for s in (lexical.words, lexical.bigrams, lexical.readings, lexical.coverage)]
        columns.insert(3, np.array([cosines.get(i, 0.0) for i in ids]))
        rows = np.stack(columns, axis=1)
        weights = np.array(reranking.weights().fusion)
        best = np.argsort(-(rows[:, : len(weights)] @ weights), kind="stable")[:RERANKED]
        return [ids[i] for i in best], [tuple(rows[i].tolist()) for i in best]

    def _cosines(self, dense: tuple[Vectors, dict[str, float]] | None, ids: list[str]) -> dict[str, float]:
        if dense is None:
            return {}
        vector, found = dense
        rest = self._store.vectors_of(self._embedder.name, [i for i in ids if i not in found])
        similar = found | {i: float(v @ vector) for i, v in rest.items() if v.shape == vector.shape}
        return {i: (s - _COSINE_FLOOR) / _COSINE_SPAN for i, s in similar.items()}
