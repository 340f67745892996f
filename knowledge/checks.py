"""What is wrong with an entry that somebody wrote: the limits of docs/corpus.md, each as a fact that a page can word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from knowledge import backing, facets
from knowledge.errors import InvalidDocument
from knowledge.sources.markdown import AS_OF, LONGEST_SHORT, is_article
from knowledge.types import Document, Kind, Passage

# Characters; of lists, each of their words.
LONGEST = {
    "title": 120, "source": 300, "url": 1_000, "co_op": 100, "facets": 80, "heading": 100, "short": LONGEST_SHORT,
    "detail": 8_000, "asks": 200, "easy": 400, "en": 600,
}  # fmt: skip
MOST_ASKS, MOST_WORDS = 60, 40
_SMALL = 12  # up to here a number may only explain: 「3つの箱」
_NUMERAL = re.compile(r"(\d+(?:\.\d+)?)(千|百)?(万|億|割| thousand| million| billion)?")
_TIMES = {
    "": 1,
    "割": 10,
    "百": 100,
    "千": 1_000,
    "万": 10**4,
    "億": 10**8,
    " thousand": 1_000,
    " million": 10**6,
    " billion": 10**9,
}
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
# An article is of the law that was named last: 労働者協同組合法 第124条、施行規則 第67条
_NAMED = re.compile(r"(?P<law>[一-龥]*(?:法(?!人)|令(?!和)|規則))|(?P<article>(?:附則)?第\d{1,3}条(?:の\d{1,2}(?!\d|分の))?)")
_ACT = "労働者協同組合法"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong. `what`: empty, too_long, too_many, no_date, no_address, no_article, no_word, no_prefecture,
    number, twice, ends_before. `value`: what it is about, or the limit. `passage` is empty where it is the whole entry's."""

    what: str
    field: str
    passage: str = ""
    value: str = ""


def flaws(document: Document) -> list[Flaw]:
    """Everything that keeps an entry from being taken as it is, in the order of its fields."""
    found = [*_of_document(document), *_of_facets(document)]
    seen: dict[str, str] = {}
    told_again = any(p.easy or p.en for p in document.passages)
    held = numbers(_whole(document)) if told_again else set()
    for passage in document.passages:
        found += _of_passage(passage)
        found += [Flaw("number", field, passage.id, n) for field in ("easy", "en") for n in strange(getattr(passage, field), held)]
        for ask in passage.asks:
            if seen.setdefault(ask, passage.id) != passage.id:
                found.append(Flaw("twice", "asks", passage.id, ask))
    return found


def numbers(text: str) -> set[Fraction]:
    """The values of the numbers in a text, in Japanese or English: 20万円 and 200,000 yen are one."""
    found: set[Fraction] = set()
    for m in _NUMERAL.finditer(backing.spelled(text)):
        found |= {Fraction(m[1]), Fraction(m[1]) * _TIMES[m[2] or ""] * _TIMES[m[3] or ""]}
    return found


def strange(text: str, held: set[Fraction]) -> list[str]:
    """The numbers of a text that are not among those held; small counts that only explain are let pass."""
    spelled = backing.spelled(text)
    found = [m for m in _NUMERAL.finditer(spelled) if Fraction(m[1]) > _SMALL or m[3]]
    return list(dict.fromkeys(m[0] for m in found if Fraction(m[1]) * _TIMES[m[2] or ""] * _TIMES[m[3] or ""] not in held))


def _whole(d: Document) -> str:
    parts = (f"{p.heading} {p.short} {p.detail} {p.as_of} {p.source}" for p in d.passages)
    facts = " ".join(v for values in d.facets.values() for v in values)
    return f"{d.title} {d.article} {d.as_of} {d.source} {d.co_op} {d.starts or ''} {d.ends or ''} {facts} {' '.join(parts)}"


def _of_document(d: Document) -> Iterator[Flaw]:
    for field in ("title", "source"):
        if not getattr(d, field).strip():
            yield Flaw("empty", field)
    for field in ("title", "source", "url", "co_op"):
        if len(getattr(d, field)) > LONGEST[field]:
            yield Flaw("too_long", field, "", str(LONGEST[field]))
    if d.url and not _ADDRESS.fullmatch(d.url):
        yield Flaw("no_address", "url", "", d.url)
    if d.article and not is_article(d.article):
        yield Flaw("no_article", "article", "", d.article)
    if d.as_of and not AS_OF.fullmatch(d.as_of):
        yield Flaw("no_date", "as_of", "", d.as_of)
    if d.starts and d.ends and d.ends < d.starts:
        yield Flaw("ends_before", "ends")
    yield from (Flaw("no_article", "source", "", a) for a in _unknown_articles(d.source))
    if not d.passages:
        yield Flaw("empty", "short")


def _of_facets(d: Document) -> Iterator[Flaw]:
    for facet, values in d.facets.items():
        if len(values) > MOST_WORDS:
            yield Flaw("too_many", facet, "", str(MOST_WORDS))
        if any(len(v) > LONGEST["facets"] for v in values):
            yield Flaw("too_long", facet, "", str(LONGEST["facets"]))
    if d.kind is Kind.CASE:
        try:
            facets.check(d)
        except InvalidDocument:
            yield from _unknown_words(d)


def _unknown_words(d: Document) -> Iterator[Flaw]:
    """The words of a case that are not in the table, each by itself."""
    for facet in (*facets.NARROWING, "place"):
        for value in d.facets.get(facet, ()):
            try:
                facets.check(Document(d.id, d.kind, d.title, d.source, (), facets={facet: (value,)}))
            except InvalidDocument:
                yield Flaw("no_prefecture" if facet == "place" else "no_word", facet, "", value)
            if facet == "place":
                break  # only the first is a prefecture


def _of_passage(p: Passage) -> Iterator[Flaw]:
    if not (p.short.strip() or p.detail.strip()):
        yield Flaw("empty", "short", p.id)
    if not p.heading.strip():
        yield Flaw("empty", "heading", p.id)
    for field in ("heading", "short", "detail", "easy", "en", "source", "url"):
        if len(getattr(p, field)) > LONGEST[field]:
            yield Flaw("too_long", field, p.id, str(LONGEST[field]))
    if len(p.asks) > MOST_ASKS:
        yield Flaw("too_many", "asks", p.id, str(MOST_ASKS))
    yield from (Flaw("too_long", "asks", p.id, str(LONGEST["asks"])) for a in p.asks if len(a) > LONGEST["asks"])
    if p.as_of and not AS_OF.fullmatch(p.as_of):
        yield Flaw("no_date", "as_of", p.id, p.as_of)
    if p.url and not _ADDRESS.fullmatch(p.url):
        yield Flaw("no_address", "url", p.id, p.url)
    yield from (Flaw("no_article", "source", p.id, a) for a in _unknown_articles(p.source))


def _unknown_articles(source: str) -> Iterator[str]:
    """Articles of the Act that a source names and that the Act does not have."""
    law = ""
    for m in _NAMED.finditer(source):
        law = m["law"] or law
        if m["article"] and law == _ACT and not is_article(m["article"]):
            yield m["article"]
