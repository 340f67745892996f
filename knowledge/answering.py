"""Matches to an answer: layers that are never blended, each with its citations, or an honest "not found"."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge import reranking
from knowledge.retrieval import Retrieved, Retriever
from knowledge.types import Answer, Citation, Document, Kind, Layer, Match, Passage, Question

_NEAREST = 3
# Another voice joins the answer when its passage is nearly as good as the best one (log-odds).
_SECOND_VOICE = 1.0
# Below this share of the question's words known at all, nothing in the knowledge is even near.
_IN_SUBJECT = 0.2


def answer(question: Question, retriever: Retriever) -> Answer:
    found = retriever.retrieve(question.text, question.audience)
    confidence = found.confidence
    if not found.matches:
        return Answer(answered=False, confidence=0.0, in_subject=False)
    if confidence < reranking.weights().threshold:
        in_subject = found.known_words >= _IN_SUBJECT
        return Answer(answered=False, confidence=confidence, nearest=_nearest(found.matches), in_subject=in_subject)
    voices = _voices(found)
    cited = tuple(citation(m.document, m.passage) for m in voices)
    layers = tuple(
        Layer(m.document.kind, text_in(m.passage, question.language), (c.id,)) for m, c in zip(voices, cited, strict=True)
    )
    rest = tuple(m for m in found.matches if m not in voices)
    return Answer(
        answered=voices[0].passage.known,
        confidence=confidence,
        layers=layers,
        citations=cited,
        nearest=_nearest(rest),
    )


def text_in(passage: Passage, language: str) -> str:
    """The short answer as this reader wants it; Japanese where nothing else has been written."""
    if language == "ja-easy":
        return passage.easy or passage.short
    if language == "ja":
        return passage.short
    return passage.en or passage.short


def citation(document: Document, passage: Passage) -> Citation:
    return Citation(
        id=passage.id,
        kind=document.kind,
        title=document.title if passage.heading == document.title else f"{document.title}: {passage.heading}",
        source=passage.source or document.source,
        text="\n".join(part for part in (passage.short, passage.detail, passage.easy, passage.en) if part),
        article=document.article,
        url=passage.url or document.url,
        as_of=passage.as_of or document.as_of,
        co_op=document.co_op,
    )


def _voices(found: Retrieved) -> list[Match]:
    """The best match, and the best of another kind if it is about as good: law beside experience, never mixed."""
    best = found.matches[0]
    for match in found.matches[1:4]:
        if match.score < best.score - _SECOND_VOICE:
            break
        if (match.document.kind is Kind.LAW) != (best.document.kind is Kind.LAW) and match.passage.known and best.passage.known:
            return [best, match]
    return [best]


def _nearest(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The first topics that differ from each other."""
    kept: dict[str, Match] = {}
    for match in matches:
        kept.setdefault(match.document.id, match)
    return tuple(list(kept.values())[:_NEAREST])
