"""The words of tips: what a member offers, what becomes of it, and what a reviewer can do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from knowledge import Audience, PersonalDataKind

LONGEST_TIP = 2_000  # characters
SHORTEST_TIP = 5
# May be one's own, or an office's: the giver may let it stand. Nobody's illness, birthday, account or number may.
MAY_STAND = frozenset({PersonalDataKind.NAME, PersonalDataKind.ADDRESS, PersonalDataKind.PHONE, PersonalDataKind.EMAIL})


class TipState(StrEnum):
    """`waiting` and `asked_back` tips are found by the giver's own co-op or chat only, marked 未確認."""

    WAITING = "waiting"
    PUBLISHED = "published"
    ASKED_BACK = "asked_back"
    DECLINED = "declined"
    MERGED = "merged"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # the row stays without any text


class Consent(StrEnum):
    """How the giver wants to be named."""

    NAME = "name"
    CO_OP = "co_op"
    ANONYMOUS = "anonymous"


class Action(StrEnum):
    """What a reviewer decides."""

    PUBLISH = "publish"
    ASK_BACK = "ask_back"
    DECLINE = "decline"
    MERGE = "merge"
    POSTPONE = "postpone"
    HAND_OVER = "hand_over"
    EXPIRE = "expire"  # by its day, not by a person


@dataclass(frozen=True, slots=True)
class Draft:
    """What a member has told so far. Only `text` must be there."""

    text: str = ""  # what was done, in the member's own words
    place: str = ""  # where: co-op, place, kind of work
    happened: str = ""  # when, as the member says it: 「去年の夏」
    outcome: str = ""  # how it went
    question: str = ""  # the question it answers, where it was offered for one
    consent: Consent = Consent.ANONYMOUS
    author_name: str = ""  # kept only with consent to be named
    audience: Audience = field(default_factory=Audience)  # who shall find it once it is published


@dataclass(frozen=True, slots=True)
class Tip:
    """A tip as it is kept. Times are aware; `author` and `verifier` are accounts (pseudonyms)."""

    id: str
    state: TipState
    version: int
    draft: Draft
    author: str
    conversation: str
    co_op: str  # id of the giver's co-op; empty where the chat is linked to none
    offered_at: dt.datetime
    changed_at: dt.datetime
    articles: tuple[str, ...] = ()  # 第22条: articles of the Act it rests on
    published_at: dt.datetime | None = None
    verifier: str = ""
    check_at: dt.date | None = None
    expires_at: dt.date | None = None
    reason: str = ""
    merged_into: str = ""
    wait_until: dt.datetime | None = None  # postponed in the review


@dataclass(frozen=True, slots=True)
class Version:
    """What a tip said at one time."""

    version: int
    content: Mapping[str, str]
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what and why. `before`: what an undo brings back."""

    id: int
    tip: str
    action: Action
    by: str
    reason: str
    version: int
    before: Mapping[str, Any]
    at: dt.datetime
    undone_at: dt.datetime | None = None


class Verdict(StrEnum):
    """What came of a wish to decide."""

    DONE = "done"
    ALREADY = "already"  # it had been decided so before: a second tap, or somebody else
    CHANGED = "changed"  # there is a newer version, or somebody decided otherwise
    GONE = "gone"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class Decided:
    """The verdict, and the tip as it is now where the reviewer may see it."""

    verdict: Verdict
    tip: Tip | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """What stands with a tip in an answer."""

    who: str  # a name, a co-op's name; empty for anonymous
    where: str
    when: str
    helped: int  # people who found an answer with it helpful
    verified: bool
    changed: tuple[str, ...] = ()  # articles it rests on whose official words have changed since
