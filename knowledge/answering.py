"""Matches to an answer: layers that are never blended, each with its citations, or an honest "not found"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from knowledge import premise, reranking
from knowledge.languages import ja
from knowledge.languages.colloquial import unify
from knowledge.languages.glossing import gloss
from knowledge.retrieval import Retrieved, Retriever
from knowledge.store import KnowledgeStore
from knowledge.types import Answer, Citation, Document, Kind, Layer, Match, Missing, Passage, Question

_NEAREST = 3
# A second passage is told with the first when it is about as good (log-odds): the question may mean either.
_ABOUT_AS_GOOD = 1.6
# So much less sure may the answer about the conversation's topic be when the question points back at it and says nothing else;
# half as much surer must it be when the question is only short.
_LOYALTY = 0.35
_ROOM = 190  # characters for what is said, so that the sources still fit on one screen
# Below this share of the question's words known at all, nothing in the knowledge is even near.
_IN_SUBJECT = 0.34
_NAMED_ARTICLE = re.compile(r"(附則)?(?:第)?(\d{1,3})条(?:の(\d{1,2}))?")
_NAMED_LAW = re.compile(r"[一-龥]{2,20}?法(?=の|に|は|って|第|\d|で|を|が|$|という)")
_OTHER_LAW = re.compile(r"施行令|規則|会社法|民法|刑法|憲法|労働基準法|労基法|職業安定法|npo法|定款")
# Words that end in 法 and are no law, and laws the knowledge speaks of.
_NO_LAW = re.compile(
    r".*(方法|文法|手法|寸法|作法|療法|司法|立法|違法|合法|適法|税法|用法|製法|工法)|(.*の)?(同|本|この|その|憲|民|刑|商|会社|準備|特措)法"
)


def answer(question: Question, retriever: Retriever, store: KnowledgeStore) -> Answer:
    question = replace(question, text=gloss(question.text, question.language))
    if missing := _missing(question.text, store):
        return Answer(answered=False, confidence=1.0, missing=missing)
    found = _retrieved(replace(question, text=premise.as_open_question(question.text)), retriever, store)
    if not found.matches:
        return Answer(answered=False, confidence=0.0, in_subject=False)
    confidence = found.confidence
    if confidence < reranking.weights().threshold or found.matches[0].lacks:
        in_subject = found.known_words >= _IN_SUBJECT
        return Answer(answered=False, confidence=confidence, nearest=_nearest(found.matches), in_subject=in_subject)
    voices = _voices(found, question.language)
    rest = tuple(m for m in found.matches if m not in voices)
    found_answer = told([(m.document, m.passage) for m in voices], question.language, confidence, store, _nearest(rest))
    said = "\n".join(m.passage.short for m in voices)
    return replace(found_answer, premise=premise.judge(question.text, said) if found_answer.answered else None)


def told(
    voices: Sequence[tuple[Document, Passage]],
    language: str,
    confidence: float,
    store: KnowledgeStore,
    nearest: tuple[Match, ...] = (),
) -> Answer:
    """The answer that these passages give, the first one first; one layer for each kind of source."""
    cited: dict[str, Citation] = {}
    layers: dict[Kind, Layer] = {}
    for document, passage in voices:
        own = citation(document, passage)
        ids = [own.id]
        cited.setdefault(own.id, own)
        for law in _articles_behind(own, store):
            cited.setdefault(law.id, law)
            ids.append(law.id)
        text = text_in(passage, language)
        held = layers.get(document.kind)
        layers[document.kind] = (
            Layer(document.kind, f"{held.text}\n{text}", (*held.citations, *ids))
            if held
            else Layer(document.kind, text, tuple(ids))
        )
    known = bool(voices) and voices[0][1].known
    spoken = tuple(p.id for _, p in voices)
    return Answer(known, confidence, tuple(layers.values()), tuple(cited.values()), nearest, in_subject=bool(voices), told=spoken)


def _articles_behind(own: Citation, store: KnowledgeStore) -> list[Citation]:
    """The articles of the Act that a text about something else rests on, as its source names them."""
    if own.article or "労働者協同組合法" not in own.source:
        return []
    articles = [
        f"{kind}第{number}条" + (f"の{branch}" if branch else "") for kind, number, branch in _NAMED_ARTICLE.findall(own.source)
    ]
    return [citation(d, p) for d, p in store.articles(articles)]


def text_in(passage: Passage, language: str) -> str:
    """The short answer as this reader wants it; Japanese where nothing else has been written."""
    own = passage.short or next(iter(ja.sentences(passage.detail)), "")[:120]
    if language == "ja-easy":
        return passage.easy or own
    return own if language == "ja" else passage.en or own


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


def _retrieved(question: Question, retriever: Retriever, store: KnowledgeStore) -> Retrieved:
    """What is found for the question itself, or, where that says more, for the question about the conversation's topic."""
    alone = retriever.retrieve(question.text, question.audience)
    topic = store.matches(question.topic[:1]) if question.topic else {}
    if not topic:
        return alone
    document, _, _ = next(iter(topic.values()))
    # A question with a subject of its own (「その資金は?」) is about the topic, but not bound to its document.
    own_subject = bool(ja.nouns(ja.normalise(question.text)))
    together = retriever.retrieve(f"{document.title} {question.text}", question.audience, topic="" if own_subject else document.id)
    ahead = _LOYALTY if question.points_back and not own_subject else 0.0 if question.points_back else -_LOYALTY / 2
    return together if together.confidence + ahead >= alone.confidence else alone


def _voices(found: Retrieved, language: str) -> list[Match]:
    """The best match, and the next where it is about as good and there is room: law beside experience, or two readings."""
    best = found.matches[0]
    if not best.passage.known:
        return [best]
    for match in found.matches[1:3]:
        if match.score < best.score - _ABOUT_AS_GOOD or match.lacks:
            break
        if match.features["unasked"] > best.features["unasked"] or _same_source_in_another_voice(best, match):
            continue
        if match.passage.known and len(text_in(best.passage, language) + text_in(match.passage, language)) <= _ROOM:
            return [best, match]
    return [best]


def _same_source_in_another_voice(one: Match, other: Match) -> bool:
    sources = [m.passage.source or m.document.source for m in (one, other)]
    return one.document.kind is not other.document.kind and (sources[0] in sources[1] or sources[1] in sources[0])


def _nearest(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The first topics that differ from each other."""
    kept: dict[str, Match] = {}
    for match in matches:
        kept.setdefault(match.document.id, match)
    return tuple(list(kept.values())[:_NEAREST])


def _missing(text: str, store: KnowledgeStore) -> Missing | None:
    """An article or a law that the question names and the knowledge does not have."""
    normalised = unify(ja.normalise(text))
    for law in _NAMED_LAW.findall(normalised):
        if not _NO_LAW.fullmatch(law) and not store.mentions(law):
            return Missing("law", law)
    for kind, number, branch in _NAMED_ARTICLE.findall(normalised):
        article = f"{kind}第{number}条" + (f"の{branch}" if branch else "")
        if kind in ("", "附則") and not _OTHER_LAW.search(normalised) and not store.has_article(article):
            return Missing("article", article)
    return None
