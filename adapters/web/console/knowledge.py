"""知識: what is known, searched as the bot does it and with why; and all of it as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from adapters.web.callers import Service
from adapters.web.console.desk import Signed, Visitor, render, say
from bot import wording
from bot.bootstrap import Yui
from bot.clock import JAPAN
from bot.desk import entry_export
from bot.desk.entries import CARES, KINDS
from bot.desk.rights import may_look_after
from bot.exporting import Exporting, Format
from bot.exporting import render as tips_file
from bot.search import audience_of_member

AT_ONCE = 50
_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "md": "text/markdown; charset=utf-8"}

router = APIRouter()
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Sought:
    """The filters as they stand in the address, each empty where it filters nothing."""

    text: Annotated[str, Query(max_length=500)] = ""
    kind: Annotated[str, Query(max_length=20)] = ""
    co_op: Annotated[str, Query(max_length=60)] = ""
    care: Annotated[str, Query(max_length=20)] = ""

    def query(self) -> str:
        """The same as a part of an address, to be gone on with."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return "".join(f"{urlencode({name: value})}&" for name, value in kept.items() if value)


Seeking = Annotated[Sought, Depends()]


@router.get("/knowledge")
def knowledge(request: Request, visitor: Signed, yui: Service, sought: Seeking, offset: Offset = 0) -> HTMLResponse:
    text = sought.text.replace("\0", "").strip()
    page = yui.entries.browse(visitor.account, text, sought.kind, sought.co_op, sought.care, offset, AT_ONCE)
    answer = yui.entries.told(visitor.account, text, sought.co_op) if text else None
    said = wording.answer_text(answer, "ja")[0] if answer and answer.layers else ""
    return render(
        request,
        visitor,
        "knowledge.html",
        page=page,
        sought=sought,
        offset=offset,
        at_once=AT_ONCE,
        more=page.total > offset + AT_ONCE,
        kinds=kinds(visitor),
        cares=[(c, say(f"knowledge.care_{c}", visitor.language)) for c in CARES],
        co_ops=co_ops(yui, visitor),
        names=audience_names(yui, visitor),
        told=said,
        answered=bool(answer and answer.answered),
    )


@router.get("/knowledge/export")
def export(request: Request, visitor: Signed, yui: Service) -> HTMLResponse:
    return render(request, visitor, "knowledge_export.html", co_ops=co_ops(yui, visitor))


@router.get("/knowledge/export/entries.{ending}")
def entries_file(visitor: Signed, yui: Service, ending: str, co_op: Annotated[str, Query(max_length=60)] = "") -> Response:
    writers: dict[str, Any] = {"jsonl": entry_export.jsonl, "csv": entry_export.table}
    if ending not in writers:
        raise HTTPException(404)
    _known_co_op(yui, visitor, co_op)
    yui.audit.note(visitor.account, "entries.export", co_op=co_op, detail=ending)
    return _file(yui, writers[ending](yui.entries.all_of(visitor.account, co_op)), "entries", ending)


@router.get("/knowledge/export/tips.{ending}")
def exported_tips(visitor: Signed, yui: Service, ending: Format, co_op: Annotated[str, Query(max_length=60)] = "") -> Response:
    """What `yui export` gives: published tips, attributed as their givers allowed; with a co-op what that one may find."""
    _known_co_op(yui, visitor, co_op)
    exporting = Exporting(yui.search, yui.curation, yui.questions)
    content = tips_file(ending, exporting.tips(audience_of_member(co_op)))
    yui.audit.note(visitor.account, "tips.export", co_op=co_op, detail=ending.value)
    return _file(yui, iter([content.decode()]), "tips", ending.value)


def kinds(visitor: Visitor) -> list[tuple[str, str]]:
    return [(k, say(f"knowledge.kind_{k}", visitor.language)) for k in KINDS]


def co_ops(yui: Yui, visitor: Visitor) -> list[tuple[str, str]]:
    """The co-ops whose own entries a visitor looks after."""
    return [(c.id, c.name) for c in yui.members.co_ops() if visitor.everywhere or c.id in visitor.co_ops]


def audience_names(yui: Yui, visitor: Visitor) -> dict[str, str]:
    """How the keys of an audience are called."""
    names = {key: say(f"knowledge.audience_{key}", visitor.language) for key in ("public", "federation")}
    own = say("knowledge.audience_co_op", visitor.language, name="{}")
    return names | {f"coop:{c.id}": own.replace("{}", c.name) for c in yui.members.co_ops()}


def _known_co_op(yui: Yui, visitor: Visitor, co_op: str) -> None:
    """Raises 404 for a co-op that isn't there as for one that somebody else looks after."""
    if co_op and (yui.members.co_op(co_op) is None or not may_look_after(yui.members, visitor.account, co_op)):
        raise HTTPException(404)


def _file(yui: Yui, lines: Iterator[str], name: str, ending: str) -> Response:
    day = yui.clock().astimezone(JAPAN).date().isoformat()
    headers = {"content-disposition": f'attachment; filename="{name}-{day}.{ending}"', "cache-control": "no-store"}
    return StreamingResponse((line.encode("utf-8", "replace") for line in lines), media_type=_TYPES[ending], headers=headers)
