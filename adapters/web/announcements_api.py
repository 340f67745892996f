"""`/api/announcements`: announcing over HTTP, with a key that has the scope `announcements:write`.

What one may not see is answered like what is not there. What the description cannot say (31 February, a day that is past, an
audience without chats) is 409 with a sentence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import FileResponse
from pydantic import Field, StrictBool, StringConstraints

from adapters.web.callers import Service, holding, json_only
from adapters.web.schemas import Body, CoOpId, Error, TipVersion
from bot.announcing.announcement import (
    LONGEST_LINK,
    LONGEST_PLACE,
    LONGEST_TEXT,
    LONGEST_TITLE,
    Announcement,
    Changed,
    Content,
    Holidays,
    Kind,
    Means,
    NotAllowed,
    NotThere,
    Plan,
    Priority,
    Selection,
    State,
    plain,
    read,
)
from bot.api_keys import Holder, Scope
from bot.errors import UserMistake

_T = TypeVar("_T")
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(\+09:00|Z)?$"
Day = Annotated[str, StringConstraints(pattern=_DAY, max_length=10)]
Moment = Annotated[str, StringConstraints(pattern=_MOMENT, max_length=25)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
Words = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Told = Annotated[str, StringConstraints(max_length=LONGEST_PLACE)]
Names = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=80)]], Field(max_length=200)]
AnnouncementId = Annotated[str, StringConstraints(max_length=12, pattern=r"^[0-9a-f]{12}$")]
Announcer = Annotated[Holder, Depends(holding(Scope.ANNOUNCEMENTS_WRITE))]


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
    title: Title
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    easy: Words = ""
    texts: dict[Literal["en", "zh", "ko", "pt", "vi"], Words] = Field(default_factory=dict)
    link: Annotated[str, StringConstraints(max_length=LONGEST_LINK)] = ""
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


_EVERYWHERE: dict[int | str, dict[str, Any]] = {
    401: {"model": Error, "description": "No key, or one that is unknown or past its day"},
    403: {"model": Error, "description": "The key does not open this"},
    422: {"model": Error, "description": "A field is missing, too long, or not known"},
    429: {"model": Error, "description": "Too many calls; see Retry-After"},
    500: {"model": Error, "description": "Something unforeseen"},
    503: {"model": Error, "description": "The database cannot be used just now"},
}
_WITH_BODY: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "Not JSON"},
    413: {"model": Error, "description": "Too large"},
    415: {"model": Error, "description": "Not application/json"},
    409: {"model": Error, "description": "It cannot be as it is, or is not what was seen any more"},
}
_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Error, "description": "Not there, or not for this caller"}}

router = APIRouter(prefix="/api/announcements", responses=_EVERYWHERE)
pictures = APIRouter(include_in_schema=False)
JSON = [Depends(json_only)]


@pictures.get("/pictures/{name}")
def picture(name: str, yui: Service) -> FileResponse:
    """What a platform fetches when it shows an announcement; the name is known to whom it was shown."""
    file = yui.pictures.path(name)
    if file is None:
        raise HTTPException(404)
    return FileResponse(file, media_type="image/jpeg", headers={"cache-control": "public, max-age=86400"})


@router.post("", status_code=201, dependencies=JSON, responses=_WITH_BODY)
def compose(new: NewAnnouncement, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Compose an announcement, and let it leave if that is wanted."""

    def composed() -> Announcement:
        given = new.model_dump(mode="json")
        parts = read(Content, given["content"]), read(Selection, given["selection"]), read(Plan, given["plan"])
        made = yui.announcements.compose(holder.account, *parts, new.co_op or "")
        return yui.announcements.schedule(made.id, made.version, holder.account) if new.schedule else made

    return AnnouncementAnswer.of(_answered(composed))


@router.get("")
def listed(holder: Announcer, yui: Service, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Announced:
    """What this key's co-op announces, or with a key of the federation everything; the latest first."""
    return Announced(announcements=[AnnouncementAnswer.of(told) for told in yui.announcements.all(holder.account, most=limit)])


@router.get("/{announcement_id}", responses=_MISSING)
def report(announcement_id: AnnouncementId, holder: Announcer, yui: Service) -> ReportAnswer:
    """One announcement: what it would cost, and what became of it."""
    found = _answered(lambda: yui.announcements.report(announcement_id, holder.account))
    cost = _answered(lambda: yui.announcements.cost(announcement_id, holder.account))
    counted = ("free", "paid", "waiting", "failed", "unsure", "people_paid", "saved", "why")
    told = {"people": cost.people, "unknown": cost.unknown, "pays": cost.pays, "left": cost.balance.left, "fits": cost.fits}
    return ReportAnswer(
        announcement=AnnouncementAnswer.of(found.announcement),
        cost=CostAnswer(chats=len(cost.chats), **told),
        **{name: getattr(found, name) for name in counted},
    )


@router.post("/{announcement_id}/schedule", dependencies=JSON, responses={**_WITH_BODY, **_MISSING})
def schedule(announcement_id: AnnouncementId, seen: Seen, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Let a draft leave as planned."""
    return AnnouncementAnswer.of(_answered(lambda: yui.announcements.schedule(announcement_id, seen.version, holder.account)))


@router.post("/{announcement_id}/withdraw", dependencies=JSON, responses={**_WITH_BODY, **_MISSING})
def withdraw(announcement_id: AnnouncementId, seen: Seen, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Nothing more leaves; where it was shown, so is its end."""
    return AnnouncementAnswer.of(_answered(lambda: yui.announcements.withdraw(announcement_id, seen.version, holder.account)))


def _answered(call: Callable[[], _T]) -> _T:
    """What the service says, or its mistake with the right status."""
    try:
        return call()
    except NotThere as mistake:
        raise HTTPException(404, str(mistake)) from mistake
    except NotAllowed as mistake:
        raise HTTPException(403, str(mistake)) from mistake
    except (Changed, UserMistake) as mistake:
        raise HTTPException(409, str(mistake)) from mistake
