"""`/api/announcements`: announcing over HTTP, with a key that has the scope `announcements:write`.

What one may not see is answered like what is not there. What the description cannot say (31 February, a day that is past, an
audience without chats, a file that is no picture) is 409 with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException as Refused

from adapters.web.announcement_bodies import (
    Announced,
    AnnouncementAnswer,
    Correction,
    CostAnswer,
    NewAnnouncement,
    Picture,
    ReportAnswer,
    Seen,
    Trial,
)
from adapters.web.callers import Service, holding, json_only
from adapters.web.schemas import Error
from bot.announcing.announcement import Announcement, Changed, Content, NotAllowed, NotThere, Plan, Selection, read
from bot.announcing.pictures import LARGEST
from bot.api_keys import Holder, Scope
from bot.errors import UserMistake

_T = TypeVar("_T")
_PICTURES = ("image/jpeg", "image/png")
_UNNAMED = ("", "application/octet-stream")  # the bytes tell
_A_PICTURE = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                    "additionalProperties": False,
                },
                "encoding": {"file": {"contentType": ", ".join(_PICTURES)}},
            }
        },
    }
}
AnnouncementId = Annotated[str, StringConstraints(max_length=12, pattern=r"^[0-9a-f]{12}$")]
Announcer = Annotated[Holder, Depends(holding(Scope.ANNOUNCEMENTS_WRITE))]
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
_OF_ONE = {**_WITH_BODY, **_MISSING}
_WITH_PICTURE: dict[int | str, dict[str, Any]] = {
    400: {"model": Error, "description": "No form that can be read"},
    413: {"model": Error, "description": "Larger than 10 MB"},
    415: {"model": Error, "description": "Not multipart/form-data, or a file of another type than JPEG and PNG"},
    409: {"model": Error, "description": "The file is no picture, or one that cannot be made small"},
}
_NO_FORM = "写真は、multipart/form-dataの「file」という項目で送ってください。"

router = APIRouter(prefix="/api/announcements", responses=_EVERYWHERE)
pictures = APIRouter()
JSON = [Depends(json_only)]


@pictures.get("/pictures/{name}", include_in_schema=False)
def picture(name: str, yui: Service) -> FileResponse:
    """What a platform fetches when it shows an announcement; the name is known to whom it was shown."""
    file = yui.pictures.path(name)
    if file is None:
        raise HTTPException(404)
    return FileResponse(file, media_type="image/jpeg", headers={"cache-control": "public, max-age=86400"})


@pictures.post("/api/announcement-pictures", status_code=201, responses={**_EVERYWHERE, **_WITH_PICTURE}, openapi_extra=_A_PICTURE)
async def upload(request: Request, holder: Announcer, yui: Service) -> Picture:  # noqa: ARG001 - the key is asked for first
    """Keep a picture for an announcement: JPEG or PNG, up to 10 MB, in the field `file`.

    It is turned upright, made small, and what the camera noted (place, time) is dropped.
    """
    data = await _uploaded(request)
    return Picture(picture=await run_in_threadpool(_answered, lambda: yui.pictures.keep(data)))


@router.post("", status_code=201, dependencies=JSON, responses=_WITH_BODY)
def compose(new: NewAnnouncement, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Compose an announcement, and let it leave if that is wanted."""

    def composed() -> Announcement:
        given = new.model_dump(mode="json")
        parts = read(Content, given["content"]), read(Selection, given["selection"]), read(Plan, given["plan"])
        made = yui.announcements.compose(holder.account, *parts, new.co_op or "", leaving=new.schedule)
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


@router.post("/{announcement_id}/schedule", dependencies=JSON, responses=_OF_ONE)
def schedule(announcement_id: AnnouncementId, seen: Seen, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Let a draft leave as planned."""
    return _stepped(yui.announcements.schedule, announcement_id, seen, holder)


@router.post("/{announcement_id}/propose", dependencies=JSON, responses=_OF_ONE)
def propose(announcement_id: AnnouncementId, seen: Seen, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Ask somebody else to look at a draft; until they approve it, it does not leave."""
    return _stepped(yui.announcements.propose, announcement_id, seen, holder)


@router.post("/{announcement_id}/approve", dependencies=JSON, responses=_OF_ONE)
def approve(announcement_id: AnnouncementId, seen: Seen, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """The second pair of eyes: what another account proposed leaves as planned. One's own is refused with 403."""
    return _stepped(yui.announcements.approve, announcement_id, seen, holder)


@router.post("/{announcement_id}/withdraw", dependencies=JSON, responses=_OF_ONE)
def withdraw(announcement_id: AnnouncementId, seen: Seen, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Nothing more leaves; where it was shown, so is its end."""
    return _stepped(yui.announcements.withdraw, announcement_id, seen, holder)


@router.post("/{announcement_id}/correct", dependencies=JSON, responses=_OF_ONE)
def correct(announcement_id: AnnouncementId, new: Correction, holder: Announcer, yui: Service) -> AnnouncementAnswer:
    """Other words for what has left: edited on Discord, told with the next reply on LINE. What waits leaves corrected."""

    def corrected() -> Announcement:
        content = read(Content, new.content.model_dump(mode="json"))
        return yui.announcements.correct(announcement_id, new.version, holder.account, content)

    return AnnouncementAnswer.of(_answered(corrected))


@router.post("/{announcement_id}/try", status_code=204, dependencies=JSON, responses=_OF_ONE)
def try_out(announcement_id: AnnouncementId, to: Trial, holder: Announcer, yui: Service) -> None:
    """Send it to one chat only, to see how it arrives. Where that costs, it waits for the next free reply there."""
    _answered(lambda: yui.announcements.try_out(announcement_id, holder.account, to.chat))


def _stepped(step: Callable[[str, int, str], Announcement], announcement_id: str, seen: Seen, holder: Holder) -> AnnouncementAnswer:
    return AnnouncementAnswer.of(_answered(lambda: step(announcement_id, seen.version, holder.account)))


async def _uploaded(request: Request) -> bytes:
    """The picture in the field `file`, read only after the key and the kind have been looked at."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise HTTPException(415, _NO_FORM)
    try:
        async with request.form(max_files=1, max_fields=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or set(form) != {"file"}:
                raise HTTPException(422, _NO_FORM)
            if (file.content_type or "").partition(";")[0].strip().lower() not in (*_PICTURES, *_UNNAMED):
                raise HTTPException(415, "写真はJPEGかPNGにしてください。")
            if (file.size or 0) > LARGEST:
                raise HTTPException(413, f"写真は{LARGEST // 2**20}MBまでです。小さくして、もう一度お願いします。")
            return await file.read()
    except Refused as error:
        if error.status_code == 400:  # what the parser says is in English, and no sentence
            raise HTTPException(400, _NO_FORM) from error
        raise


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
