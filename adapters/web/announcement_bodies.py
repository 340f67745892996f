"""The bodies of `/api/announcements`. Every field has its limit, and what is not named here is refused."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StringConstraints

from adapters.web.schemas import Body, CoOpId, TipVersion
from bot.announcing.announcement import (
    LONGEST_LINK,
    LONGEST_PLACE,
    LONGEST_TEXT,
    LONGEST_TITLE,
    Announcement,
    Holidays,
    Kind,
    Means,
    Priority,
    State,
    plain,
)

_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(\+09:00|Z)?$"
Day = Annotated[str, StringConstraints(pattern=_DAY, max_length=10)]
Moment = Annotated[str, StringConstraints(pattern=_MOMENT, max_length=25)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
Words = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Told = Annotated[str, StringConstraints(max_length=LONGEST_PLACE)]
Names = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=80)]], Field(max_length=200)]


class EventBody(Body):
    """Times without a zone are Tokyo's. Without an end it lasts until the end of its day."""

    starts: Moment
    ends: Moment | None = None
    place: Told = ""


class GrantBody(Body):
    deadline: Day
    opens: Day | None = None
    who: Told = ""
    amount: Told = ""
    places: Names = Field(default_factory=list)
    fields: Names = Field(default_factory=list)


class ContentBody(Body):
    """`picture`: a name that `/api/announcement-pictures` gave."""

    title: Title
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    easy: Words = ""
    texts: dict[Literal["en", "zh", "ko", "pt", "vi"], Words] = Field(default_factory=dict)
    link: Annotated[str, StringConstraints(max_length=LONGEST_LINK)] = ""
    picture: Annotated[str, StringConstraints(max_length=26, pattern=r"^([A-Za-z0-9_-]{22}\.jpg)?$")] = ""
    event: EventBody | None = None
    grant: GrantBody | None = None


class SelectionBody(Body):
    """Everyone; or the co-ops that meet every given facet, the named co-ops, the named chats. `platforms` narrows all of it."""

    everyone: StrictBool = False
    co_ops: Names = Field(default_factory=list)
    prefectures: Names = Field(default_factory=list)
    fields: Names = Field(default_factory=list)
    partners: Names = Field(default_factory=list)
    chats: Names = Field(default_factory=list)
    platforms: list[Literal["line", "discord"]] = Field(default_factory=list, max_length=2)


class PlanBody(Body):
    """`send_at` null: as soon as it is scheduled. `pay_on`: with `free_then_pay`."""

    means: Means = Means.FREE
    send_at: Moment | None = None
    pay_on: Day | None = None
    rrule: Annotated[str, StringConstraints(max_length=200)] = ""
    holidays: Holidays = Holidays.AFTER
    urgent: StrictBool = False
    reminders: StrictBool = True
    priority: Priority = Priority.NORMAL


class NewAnnouncement(Body):
    """`schedule`: let it leave as planned; else it stays a draft. `co_op`: for its coordinators; empty: the federation's."""

    content: ContentBody
    selection: SelectionBody
    plan: PlanBody = Field(default_factory=PlanBody)
    co_op: CoOpId | None = None
    schedule: StrictBool = False


class Seen(Body):
    """The version that was read."""

    version: TipVersion


class Correction(Body):
    """The words as they shall be now, all of them: what is left out is gone."""

    version: TipVersion
    content: ContentBody


class Trial(Body):
    """`chat`: a chat by its name, as in `selection.chats`."""

    chat: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Picture(Body):
    """`picture`: its name, for `content.picture`."""

    picture: str


class AnnouncementAnswer(Body):
    id: str
    version: int
    state: State
    kind: Kind
    content: dict[str, Any]
    selection: dict[str, Any]
    plan: dict[str, Any]
    co_op: str
    made_at: dt.datetime
    changed_at: dt.datetime

    @classmethod
    def of(cls, told: Announcement) -> AnnouncementAnswer:
        same = ("id", "version", "state", "co_op", "made_at", "changed_at")
        parts = {name: plain(getattr(told, name)) for name in ("content", "selection", "plan")}
        return cls(**{name: getattr(told, name) for name in same}, **parts, kind=told.content.kind)


class Announced(Body):
    announcements: list[AnnouncementAnswer]


class CostAnswer(Body):
    """`people`: charged if all had to be paid; `unknown`: chats nobody has counted yet; `left` null: no limit."""

    chats: int
    people: int
    unknown: int
    pays: bool
    left: int | None
    fits: bool


class ReportAnswer(Body):
    """Chats by what became of them; `saved`: people that would have been charged; `why`: codes of what failed or waits."""

    announcement: AnnouncementAnswer
    cost: CostAnswer
    free: int
    paid: int
    waiting: int
    failed: int
    unsure: int
    people_paid: int
    saved: int
    why: dict[str, int]
