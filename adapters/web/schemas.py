"""The bodies of the JSON interface. Every field has its limit, and what is not named here is refused."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints

from bot.members import CoOp
from bot.questions import Topic
from bot.search import Entry
from bot.tips.tip import LONGEST_TIP, SHORTEST_TIP, Attribution, Consent, Tip, TipState, Verdict

# What the services would strip does not count towards a tip's length.
_VISIBLE = r"[^\s\x00-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069]"
_LINE = r"^[^\x00-\x1f\x7f]*$"
_CO_OP = r"[a-z0-9][a-z0-9-]{0,59}"

TipText = Annotated[str, StringConstraints(max_length=LONGEST_TIP, pattern=rf"(?:{_VISIBLE}[\s\S]*){{{SHORTEST_TIP}}}")]
Line = Annotated[str, StringConstraints(max_length=200, pattern=_LINE)]
Name = Annotated[str, StringConstraints(max_length=200, pattern=rf"^[^\x00-\x1f\x7f]*{_VISIBLE}[^\x00-\x1f\x7f]*$")]
AudienceKey = Annotated[str, StringConstraints(max_length=65, pattern=rf"^(public|federation|coop:{_CO_OP})$")]
TipId = Annotated[str, StringConstraints(max_length=40, pattern=r"^tip-[0-9a-f]{16}$")]
CoOpId = Annotated[str, StringConstraints(max_length=60, pattern=rf"^{_CO_OP}$")]


def _number(value: object) -> object:
    """JSON has numbers: "1" and true are none, 1.0 is one."""
    if isinstance(value, bool | str):
        raise ValueError("not a number")
    return value


TipVersion = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_number)]
Size = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(_number)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Error(BaseModel):
    """One sentence: what is wrong and what to do."""

    error: str


class Offer(Body):
    """A tip. Its giver's own find it at once, others after review. `audience`: who shall find it then."""

    text: TipText
    place: Line = ""
    happened: Annotated[str, StringConstraints(max_length=100, pattern=_LINE)] = ""
    outcome: str = Field("", max_length=500)
    question: str = Field("", max_length=300)
    consent: Consent = Consent.ANONYMOUS
    author_name: Annotated[str, StringConstraints(max_length=40, pattern=_LINE)] = ""
    audience: list[AudienceKey] = Field(["federation"], min_length=1, max_length=20)
    personal_data_confirmed: StrictBool = False


class Change(Offer):
    """What shall be different about one's own tip, of which `version` was read. It waits for review again."""

    version: TipVersion
    text: TipText = Field(default_factory=str)


class OwnTip(BaseModel):
    """A tip as its giver and its reviewers see it."""

    id: str
    state: TipState
    version: int
    text: str
    place: str
    happened: str
    outcome: str
    question: str
    consent: Consent
    author_name: str
    audience: list[str]
    articles: list[str]
    co_op: str
    reason: str
    offered_at: dt.datetime
    changed_at: dt.datetime

    @classmethod
    def of(cls, tip: Tip) -> OwnTip:
        plain = ("id", "state", "version", "co_op", "reason", "offered_at", "changed_at")
        told = ("text", "place", "happened", "outcome", "question", "consent", "author_name")
        return cls(
            **{k: getattr(tip, k) for k in plain},
            **{k: getattr(tip.draft, k) for k in told},
            audience=sorted(tip.draft.audience.keys),
            articles=list(tip.articles),
        )


class PublishedTip(BaseModel):
    """A published tip as others see it. `who`: by the giver's consent. `changed`: articles it rests on that read otherwise now."""

    id: str
    text: str
    place: str
    happened: str
    outcome: str
    who: str
    helped: int
    articles: list[str]
    changed: list[str]
    published_at: dt.datetime | None

    @classmethod
    def of(cls, tip: Tip, told: Attribution) -> PublishedTip:
        return cls(
            **{k: getattr(tip.draft, k) for k in ("text", "place", "happened", "outcome")},
            id=tip.id,
            who=told.who,
            helped=told.helped,
            articles=list(tip.articles),
            changed=list(told.changed),
            published_at=tip.published_at,
        )


class Offered(BaseModel):
    id: str
    state: TipState
    version: int


class Tips(BaseModel):
    """`next`: the offset of what follows, if anything does."""

    tips: list[OwnTip | PublishedTip]
    next: int | None


class PersonalDataFound(Error):
    """What in the tip names or describes a person. Names and addresses may stand with `personal_data_confirmed`."""

    found: list[str]


class Conflict(Error):
    """The tip as it is now, where it isn't what was decided about or changed."""

    tip: OwnTip | None = None


class Queue(BaseModel):
    """What waits for a decision, by times told × age."""

    tips: list[OwnTip]


class Decision(Body):
    """A decision about exactly the `version` that was seen. `into`: the tip to merge into, or the account to hand over to."""

    version: TipVersion
    action: Literal["publish", "ask_back", "decline", "merge", "postpone", "hand_over"]
    reason: str = Field("", max_length=500)
    into: Annotated[str, StringConstraints(max_length=80, pattern=r"^[A-Za-z0-9:_.-]*$")] = ""
    audience: list[AudienceKey] | None = Field(None, min_length=1, max_length=20)


class Decided(BaseModel):
    """`done`, or `already` where it had been decided so before."""

    verdict: Verdict
    tip: OwnTip | None


class OpenQuestion(BaseModel):
    """What was asked and not found, without personal data. `nearest`: what the knowledge has close by."""

    id: str
    text: str
    asked: int
    first: dt.datetime
    last: dt.datetime
    nearest: list[str]
    co_op: str

    @classmethod
    def of(cls, topic: Topic) -> OpenQuestion:
        plain = ("id", "text", "asked", "first", "last", "co_op")
        return cls(**{k: getattr(topic, k) for k in plain}, nearest=list(topic.nearest))


class OpenQuestions(BaseModel):
    questions: list[OpenQuestion]


class Found(BaseModel):
    """One entry. `score`: log-odds, comparable within one search. `verified`: false for a tip that waits for review."""

    id: str
    kind: str
    title: str
    text: str
    source: str
    url: str
    article: str
    as_of: str
    co_op: str
    score: float
    verified: bool
    helped: int
    changed: list[str]

    @classmethod
    def of(cls, entry: Entry) -> Found:
        told = entry.attribution
        return cls(
            **{k: getattr(entry, k) for k in ("id", "kind", "title", "source", "url", "article", "as_of", "co_op", "score")},
            text="\n\n".join(entry.texts),
            verified=told is None or told.verified,
            helped=told.helped if told else 0,
            changed=list(told.changed) if told else [],
        )


class SearchResults(BaseModel):
    results: list[Found]


class Profile(Body):
    """A co-op's profile. `findable`: others may find it."""

    name: Name
    place: Line = ""
    fields_of_work: list[Line] = Field([], max_length=20)
    size: Size | None = None
    legal_form: Annotated[str, StringConstraints(max_length=80, pattern=_LINE)] = ""
    partners: list[Line] = Field([], max_length=20)
    findable: StrictBool = True

    def co_op(self, co_op_id: str) -> CoOp:
        told = self.model_dump(include={"name", "place", "size", "legal_form", "findable"})
        return CoOp(co_op_id, **told, fields=tuple(self.fields_of_work), partners=tuple(self.partners))


class CoOpAnswer(BaseModel):
    """A co-op's profile."""

    id: str
    name: str
    place: str
    fields_of_work: list[str]
    size: int | None
    legal_form: str
    partners: list[str]
    findable: bool

    @classmethod
    def of(cls, co_op: CoOp) -> CoOpAnswer:
        told = {k: getattr(co_op, k) for k in ("id", "name", "place", "size", "legal_form", "findable")}
        return cls(**told, fields_of_work=list(co_op.fields), partners=list(co_op.partners))


class CoOps(BaseModel):
    co_ops: list[CoOpAnswer]
