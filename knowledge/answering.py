"""Matches to an answer: layers that are never blended, each with its citations, or an honest "not found"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from knowledge import cases, follow_up, premise, reranking, statement
from knowledge.languages import ja
from knowledge.languages.colloquial import unify
from knowledge.languages.glossing import gloss
from knowledge.languages.readings import with_readings
from knowledge.retrieval import Retrieved, Retriever
from knowledge.store import KnowledgeStore
from knowledge.types import Answer, Citation, Document, Kind, Layer, Match, Missing, Passage, Question

_NEAREST = 3
# A second passage is told with the first when it is about as good (log-odds): the question may mean either.
_ABOUT_AS_GOOD = 1.6
_HEARD = 6  # so many matches are looked through for an experience that came out differently
_AS_NEAR = 3.0  # log-odds: what turns out the other way holds fewer of the question's words
_EXPERIENCE = frozenset({Kind.CASE, Kind.TIP})
_DIVIDED = "経験が分かれています。"
_ROOM = 190  # characters for what is said, so that the sources still fit on one screen
_SCREEN = 250  # characters of a whole answer: beside a source stands its date, over a text its heading, and words introduce both
_DATE, _HEADING, _INTRODUCTION = 17, 12, 22
# Below this share of the question's words known at all, nothing in the knowledge is even near.
_IN_SUBJECT = 0.34
# So sure must a passage be that hardly holds the question's nouns, one of which nobody here has ever used (「テレビ」).
_OF_ANOTHER_WORLD = 0.2
_NOTHING_HELD = 0.99  # so much of a glossed question's nouns lacks a passage that holds none of them
# There is no line in these languages: the Japanese one stands under the English, for those who read it or can show it to somebody.
_IN_JAPANESE_TOO = frozenset({"ko", "zh", "pt", "vi"})
_SURE = 0.95  # of answers that name the cases by their facets about this share are right
_NAMED_ARTICLE = re.compile(r"(附則)?(?:第)?(\d{1,3})条(?:の(\d{1,2})(?!\d|分の))?")  # 第8条の5分の4 is a share
_LAW_OR_ARTICLE = re.compile(
    r"(?P<supplement>附則)?第?(?P<number>\d{1,3})条(?:の(?P<branch>\d{1,2})(?!\d|分の))?|(?P<law>[一-龥]*(?:法(?!人)|令(?!和)|規則))"
)
_IN_BRACKETS = re.compile(r"[(（](?:法)?((?:附則)?第\d{1,3}条[^()（）]*)[)）]")
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
    best = _best(question, retriever, store)
    listing = cases.listing(question, store)
    return _examples(listing, best, question, store) if listing else best


def _best(question: Question, retriever: Retriever, store: KnowledgeStore) -> Answer:
    """What the best passages say, if they are good enough."""
    written = retriever.in_kanji(question.text)
    opened = premise.as_open_question(written)
    asked = question if opened == written else replace(question, text=opened)
    found = follow_up.retrieved(asked, retriever, store)
    if not found.matches:
        return Answer(answered=False, confidence=0.0, in_subject=False)
    confidence = _confidence(found, question, retriever)
    # Of a question in another language only some words are known in Japanese: what is unheard of says little.
    is_foreign = bool(found.matches[0].features["foreign"])
    in_japanese, glossed = question.language.startswith("ja"), question.language in _IN_JAPANESE_TOO
    nothing_held = glossed and found.matches[0].features["missing"] >= _NOTHING_HELD
    foreign = is_foreign and (nothing_held or (in_japanese and confidence < _OF_ANOTHER_WORLD))
    if confidence < reranking.weights().threshold or found.matches[0].lacks or foreign:
        in_subject = found.known_words >= _IN_SUBJECT
        return Answer(answered=False, confidence=confidence, nearest=_nearest(found.matches), in_subject=in_subject)
    voices = _voices(found, question.language)
    rest = tuple(m for m in found.matches if m not in voices)
    found_answer = told([(m.document, m.passage) for m in voices], question.language, confidence, store, _nearest(rest))
    if question.language.startswith("ja") and len(voices) == 2 and _disagree(*voices):
        first, *others = found_answer.layers
        found_answer = replace(found_answer, layers=(replace(first, text=f"{_DIVIDED}\n{first.text}"), *others))
    said = "\n".join([*(m.passage.short for m in voices), voices[0].document.article])
    return replace(found_answer, premise=premise.judge(written, said) if found_answer.answered else None)


def _examples(listing: cases.Listing, best: Answer, question: Question, store: KnowledgeStore) -> Answer:
    """The cases that fit what is named. The best passage where it is of the only one, or tells what no case does."""
    if listing.fit and len(listing.told) == 1 and not listing.rest:
        case = listing.told[0]
        if best.answered and best.told[0].partition("#")[0] == case.document.id:
            return best
        return told([cases.telling(case, question, store)], question.language, _SURE, store, best.nearest)
    if not listing.fit and best.answered and best.layers[0].kind is not Kind.CASE and listing.is_told_in(best.citations[0].text):
        return best
    cited = [citation(c.document, c.passage) for c in listing.told]
    ids = tuple(c.id for c in cited)
    rest = tuple(Match(c.passage, c.document, 0.0) for c in listing.rest)
    layer = Layer(Kind.CASE, listing.text, ids)
    return Answer(listing.fit, _SURE, (layer,), tuple(cited), rest, told=ids, more=rest)


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
        for law in _articles_behind(own, passage, store):
            cited.setdefault(law.id, law)
            ids.append(law.id)
        text = text_in(passage, "en" if layers and language in _IN_JAPANESE_TOO else language)
        held = layers.get(document.kind)
        layers[document.kind] = (
            Layer(document.kind, f"{held.text}\n{text}", (*held.citations, *ids))
            if held
            else Layer(document.kind, text, tuple(ids))
        )
    known = bool(voices) and voices[0][1].known
    spoken = tuple(p.id for _, p in voices)
    texts = list(layers.values())
    if texts and language == "ja-easy":
        texts = _read_easily(texts, cited.values())
    return Answer(known, confidence, tuple(texts), tuple(cited.values()), nearest, in_subject=bool(voices), told=spoken)


def _articles_behind(own: Citation, passage: Passage, store: KnowledgeStore) -> list[Citation]:
    """The articles of the Act that a text rests on besides its own: as its source names them, or what it says in brackets."""
    if own.article:
        named, law = " ".join(_IN_BRACKETS.findall(passage.short)), ""
    else:
        named, law = own.source if "労働者協同組合法" in own.source else "", "?"
    articles = []
    for m in _LAW_OR_ARTICLE.finditer(named):
        law = m["law"] or law  # an article is of the law that was named last: 労働者協同組合法 第124条、施行規則 第67条
        if m["number"]:
            order = law.removeprefix("労働者協同組合法")
            articles.append(f"{order}{m['supplement'] or ''}第{m['number']}条" + (f"の{m['branch']}" if m["branch"] else ""))
    return [citation(d, p) for d, p in store.articles(articles)]


def _read_easily(layers: Sequence[Layer], citations: Iterable[Citation]) -> list[Layer]:
    """The layers with readings, once for a word in all of them, and as many as fit on a screen beside the sources."""
    named = {c.source: len(c.source) + (_DATE if c.as_of and c.as_of[:4] not in c.source else 1) for c in citations}
    room = _SCREEN - sum(named.values()) - _INTRODUCTION - (_HEADING * len(layers) if len(layers) > 1 else 0)
    texts = with_readings("\f".join(layer.text.replace("\f", " ") for layer in layers), room).split("\f")
    return [replace(layer, text=text) for layer, text in zip(layers, texts, strict=True)]


def text_in(passage: Passage, language: str) -> str:
    """The short answer as this reader wants it; Japanese where nothing else has been written."""
    own = passage.short or next(iter(ja.sentences(passage.detail)), "")[:120]
    if language == "ja-easy":
        return passage.easy or own
    if language in _IN_JAPANESE_TOO and passage.en:
        return f"{passage.en}\n{own}"
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


def _voices(found: Retrieved, language: str) -> list[Match]:
    """The best match, and the next where it is about as good and there is room: law beside experience, or two readings."""
    best = found.matches[0]
    if not best.passage.known:
        return [best]
    for match in found.matches[1:_HEARD]:
        if _disagree(best, match) and _takes([best, match], language) <= _SCREEN:
            return [best, match]
    for match in found.matches[1:3]:
        if match.score < best.score - _ABOUT_AS_GOOD or match.lacks:
            break
        if match.features["unasked"] > best.features["unasked"] or _same_source_in_another_voice(best, match):
            continue
        told_in = "en" if language in _IN_JAPANESE_TOO else language
        if match.passage.known and len(text_in(best.passage, told_in) + text_in(match.passage, told_in)) <= _ROOM:
            return [best, match]
    return [best]


def _confidence(found: Retrieved, question: Question, retriever: Retriever) -> float:
    """How sure the best match is. Experiences that came out differently do not make each other doubtful."""
    others = frozenset(m.document.id for m in found.matches[1:_HEARD] if _disagree(found.matches[0], m))
    if not others:
        return found.confidence
    return max(found.confidence, retriever.retrieve(question.text, question.audience, hidden=others).confidence)


def _disagree(one: Match, other: Match) -> bool:
    """Whether two experiences with the same thing, about equally near to the question, came out differently."""
    apart = one.document.id != other.document.id and {one.document.kind, other.document.kind} <= _EXPERIENCE
    if not apart or other.lacks or not other.passage.known or other.score < one.score - _AS_NEAR:
        return False
    a, b = (statement.read(statement.spelled(m.passage.short)) for m in (one, other))
    turned = any(sign * b.predicates.get(word, 0) < 0 for word, sign in a.predicates.items())
    return (turned or a.ending * b.ending < 0) and 0 < min(len(a.nouns), len(b.nouns)) <= 2 * len(a.nouns & b.nouns)


def _takes(matches: Sequence[Match], language: str) -> int:
    """Characters that these experiences take at most as an answer with its sources."""
    sources = {m.passage.source or m.document.source: bool(m.passage.as_of or m.document.as_of) for m in matches}
    texts = sum(len(text_in(m.passage, language)) for m in matches) + len(_DIVIDED) + len("\n\n\n出典:")
    headings = _HEADING * len({m.document.kind for m in matches} - {matches[0].document.kind}) * 2
    return texts + headings + sum(len(source) + 1 + _DATE * dated for source, dated in sources.items())


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
