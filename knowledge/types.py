"""The words of this package: documents, passages, matches, questions, answers."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

PUBLIC = "public"
FEDERATION = "federation"


class Kind(StrEnum):
    """What a document is; also the layer of an answer it may stand in."""

    LAW = "law"
    SURVEY = "survey"
    CASE = "case"
    TIP = "tip"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may see something, or who someone is: a set of the keys `public`, `federation`, `coop:ID`.

    One definition for both sides: a document is visible to an asker when the two sets meet.
    """

    keys: frozenset[str] = frozenset({PUBLIC})

    def meets(self, other: Audience) -> bool:
        return not self.keys.isdisjoint(other.keys)

    @classmethod
    def of(cls, *keys: str) -> Audience:
        return cls(frozenset(keys) or frozenset({PUBLIC}))

    @classmethod
    def of_member(cls, co_op: str | None) -> Audience:
        """What a person sees: everybody's, and with a co-op the federation's and that co-op's own."""
        return cls(frozenset({PUBLIC} if co_op is None else {PUBLIC, FEDERATION, f"coop:{co_op}"}))


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing that can be asked, with its answer in chat size."""

    id: str  # the document's id, or `document#anchor`
    heading: str
    short: str  # at most 120 characters, the answer as members read it
    detail: str = ""
    asks: tuple[str, ...] = ()  # how members ask for it
    easy: str = ""  # the answer in やさしい日本語
    en: str = ""
    known: bool = True  # False: the passage says that the fact is not known
    source: str = ""  # where it differs from the document's
    url: str = ""
    as_of: str = ""

    def searchable(self, title: str) -> str:
        """The text that is indexed: one line a thought, so that sentences stay apart."""
        heading = [] if self.heading == title else [self.heading]
        return "\n".join(part for part in [title, *heading, *self.asks, self.short, self.detail, self.en] if part)

    def embeddable(self, title: str) -> str:
        """The text that is embedded. Title, two ways of asking and the short answer find better than all of the text does."""
        heading = [] if self.heading == title else [self.heading]
        parts = [" ".join([title, *heading]), " ".join(self.asks[:2]), self.short or self.detail]
        return "\n".join(part for part in parts if part)[:1200]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole source item: an article of the Act, a finding, a case, a page that was brought in."""

    id: str
    kind: Kind
    title: str
    source: str
    passages: tuple[Passage, ...]
    url: str = ""
    article: str = ""
    as_of: str = ""
    language: str = "ja"
    audience: Audience = Audience()
    co_op: str = ""
    starts: dt.date | None = None
    ends: dt.date | None = None
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # place, field, partners, funding, tags …

    def context(self) -> str:
        """What every passage of this document is found by besides its own text."""
        words = [self.article, self.co_op]
        return " ".join(dict.fromkeys(w for w in [*words, *(v for vs in self.facets.values() for v in vs)] if w))


@dataclass(frozen=True, slots=True)
class Match:
    """A passage found for a question, best first by `score` (a log-odds, comparable within one question)."""

    passage: Passage
    document: Document
    score: float
    features: Mapping[str, float] = field(default_factory=dict)
    lacks: bool = False  # it does not hold what the question asks for


@dataclass(frozen=True, slots=True)
class Context:
    """What a question goes on from, and how. Passages by id, latest first."""

    topic: tuple[str, ...] = ()  # what the last answer told
    earlier: tuple[str, ...] = ()  # what was told before, for a question that may go back to it
    points_back: bool = False  # the question cannot be understood without them: 「それは」
    refers_to: str = ""  # the words by which it names them: 「その資金」「さっきの臨時総会」
    another: bool = False  # it asks for something else than was told: 「ほかには?」
    asks_the_same: bool = False  # it only names another subject, for the same question: 「監事は?」


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and by whom: the asker's audience limits what may be found."""

    text: str
    audience: Audience = Audience()
    language: str = "ja"
    context: Context = Context()


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a member can read what the answer says."""

    id: str
    kind: Kind
    title: str
    source: str
    text: str
    article: str = ""
    url: str = ""
    as_of: str = ""
    co_op: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """One voice in an answer: what the law says is never blended with what co-ops tell."""

    kind: Kind
    text: str
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Something the question names that does not exist: an article, a law."""

    kind: str  # `article` or `law`
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about a question. Without layers it is by construction "not found"."""

    answered: bool
    confidence: float  # 0..1, calibrated: about this share of answers with this value are right
    layers: tuple[Layer, ...] = ()
    citations: tuple[Citation, ...] = ()
    nearest: tuple[Match, ...] = ()  # topics close by, for "not found" and for going on
    in_subject: bool = True  # False: nothing in the knowledge is even near
    missing: Missing | None = None
    told: tuple[str, ...] = ()  # the passages whose words the layers are, in order
    premise: bool | None = None  # what the question takes for granted: confirmed, corrected, or not judged
    more: tuple[Match, ...] = ()  # of cases that were listed, those for which there was no room: to be offered by number


def wordings(title: str, heading: str, asks: Sequence[str], facets: Mapping[str, Iterable[str]]) -> list[str]:
    """The field's words in short texts, of a passage for which ways of asking are known: those, and what it is called."""
    return [title, heading, *asks, *(v for values in facets.values() for v in values)] if asks else []


def text_hash(text: str) -> str:
    """Tells whether a text has to be embedded again. 32 hex digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
