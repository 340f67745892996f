"""One entry: read and edited with a look at its chat answer, its versions, who looks after it until when."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from adapters.web.callers import Service
from adapters.web.console.desk import Filled, Form, Signed, Visitor, done, render, say
from adapters.web.console.knowledge import audience_names, kinds
from bot.bootstrap import Yui, previews
from bot.desk.contents import FACETS, Content, Part
from bot.desk.entries import Conflict, Entry
from bot.desk.entry_rows import Care
from bot.desk.entry_words import Flawed, field_name, told
from bot.desk.previews import LANGUAGES
from bot.desk.refusals import Refused

router = APIRouter()
Id = Annotated[str, Query(max_length=300)]
_NEW_PART = "new"
_TIP = "tip"
_OWN = ("source", "url", "as_of")  # of a part, where they differ from the entry's
_WHOLE = ("title", "source", "url", "article", "as_of", "co_op", "starts", "ends")
_PART = ("heading", "short", "detail", "easy", "en")


@router.get("/knowledge/entry")
def entry(request: Request, visitor: Signed, yui: Service, id: Id, part: Id = "") -> HTMLResponse:  # noqa: A002
    held = _entry(yui, visitor, id)
    return _page(request, visitor, yui, held.content, part, held)


@router.get("/knowledge/new")
def new(request: Request, visitor: Signed, yui: Service, text: Annotated[str, Query(max_length=300)] = "") -> HTMLResponse:
    audience = yui.entries.audiences(visitor.account)[:1]
    asks = (text,) if text.strip() else ()
    return _page(request, visitor, yui, Content(audience=audience, parts=(Part("", asks=asks),)), "")


@router.post("/knowledge/entry")
def save(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    if not form["id"]:
        return _make(request, visitor, yui, form)
    held = _entry(yui, visitor, form["id"])
    version = _version(form)
    base = yui.entries.based_on(visitor.account, held.id, version)
    content, part = _typed(form, base, held.id)
    if form["action"] == "preview":
        return _page(request, visitor, yui, content, part, held, version=version, language=form["language"])
    if form["action"] == "remove_part" and part != held.id:
        content = content.without_part(part)
    try:
        saved = yui.entries.save(visitor.account, held.id, version, content)
    except Flawed as flawed:
        return _page(request, visitor, yui, content, part, held, version=version, flawed=flawed)
    if isinstance(saved, Conflict):
        return _page(request, visitor, yui, saved.mine, part, held, version=saved.version, conflict=saved)
    if not saved.changed:
        return done(request, _address(held.id, part), "knowledge.unchanged")
    yui.audit.note(visitor.account, "entry.save", held.id, _co_op(content))
    kept = part if content.part(part) else ""
    undo = ("/console/knowledge/restore", f"{saved.version - 1}.{held.id}")
    return done(request, _address(held.id, kept), "knowledge.saved", undo)


@router.post("/knowledge/preview")
def look(request: Request, visitor: Signed, form: Filled, yui: Service) -> HTMLResponse:
    """The part of the page that shows the chat answer of what is being typed."""
    base = Content(parts=())
    if form["id"]:
        base = yui.entries.based_on(visitor.account, form["id"], _version(form))
    content, part = _typed(form, base, form["id"])
    shown = _previews(yui, form["id"], content, part, form["language"])
    return render(request, visitor, "knowledge_preview.html", shown=shown, preview_language=form["language"])


@router.get("/knowledge/history")
def history(request: Request, visitor: Signed, yui: Service, id: Id, new: int = 0) -> HTMLResponse:  # noqa: A002
    versions = yui.entries.versions(visitor.account, id)
    if not versions:
        _entry(yui, visitor, id)  # 404 for what may not be seen
    found, shown = [], next((v for v in versions if v.version == new and v.content), None)
    before = next((v for v in versions if shown and v.version < shown.version and v.content), None)
    if shown and before:
        found = yui.entries.diff(visitor.account, id, before.version, shown.version)
    title = next((v.content.title for v in versions if v.content), id)
    now = yui.entries.entry(visitor.account, id)
    return render(
        request,
        visitor,
        "knowledge_history.html",
        id=id,
        entry_title=now.content.title if now else title,
        there=now is not None,
        versions=versions,
        shown=shown,
        before=before,
        differences=[(d, field_name(d.field, visitor.language)) for d in found],
        people=_people(yui),
        notes={n: say(f"knowledge.note_{n}", visitor.language) for n in ("checked", "expired", "shown", "removed", "shipped")},
        shipped=bool(now and now.shipped and now.edited and visitor.everywhere),
    )


@router.post("/knowledge/restore")
def restore(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """An earlier version again. `value`: version and id, or `shipped` and id."""
    which, _, document = form["value"].partition(".")
    if which == "shipped":
        saved = yui.entries.restore_shipped(visitor.account, document)
    elif which.isdigit():
        saved = yui.entries.restore(visitor.account, document, int(which))
    else:
        raise HTTPException(422)
    if not saved.changed:
        return done(request, _address(document), "knowledge.unchanged")
    yui.audit.note(visitor.account, "entry.restore", document, detail=which)
    undo = ("/console/knowledge/restore", f"{saved.version - 1}.{document}")
    return done(request, _address(document), "knowledge.restored", undo)


@router.post("/knowledge/remove")
def remove(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    held = _entry(yui, visitor, form["id"])
    saved = yui.entries.remove(visitor.account, held.id)
    yui.audit.note(visitor.account, "entry.remove", held.id, _co_op(held.content))
    last = max((v.version for v in yui.entries.versions(visitor.account, held.id) if v.content), default=saved.version - 1)
    return done(request, "/console/knowledge", "knowledge.removed", ("/console/knowledge/restore", f"{last}.{held.id}"))


@router.post("/knowledge/care")
def care(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Who, and until when; `value`: the same as it was before, in lines, to take a change back."""
    names = ("id", "verifier", "check_at", "expires_at")
    sent = {k: form[k] for k in names} | dict(zip(names, form["value"].split("\n"), strict=False) if form["value"] else ())
    held = _entry(yui, visitor, sent["id"])
    days: dict[str, dt.date | None] = {}
    for name in ("check_at", "expires_at"):
        try:
            days[name] = dt.date.fromisoformat(sent[name]) if sent[name] else None
        except ValueError:
            wrong = say("knowledge.no_day", visitor.language, value=sent[name])
            return _page(request, visitor, yui, held.content, "", held, care_wrong=wrong, typed=form.typed())
    try:
        yui.entries.take_care(
            visitor.account, held.id, Care(sent["verifier"], days["check_at"], days["expires_at"], held.care.wait_until)
        )
    except Refused as refused:
        return _page(request, visitor, yui, held.content, "", held, care_wrong=refused.said(visitor.language), typed=form.typed())
    yui.audit.note(visitor.account, "entry.care", held.id, _co_op(held.content))
    former = held.care
    before = [former.verifier, *(d.isoformat() if d else "" for d in (former.check_at, former.expires_at))]
    undo = ("/console/knowledge/care", "\n".join([held.id, *before]))
    return done(request, _address(held.id), "knowledge.care_saved", undo)


def _make(request: Request, visitor: Visitor, yui: Yui, form: Form) -> Response:
    content, _ = _typed(form, Content(parts=(Part(""),)), "")
    if form["action"] == "preview":
        return _page(request, visitor, yui, content, "", language=form["language"])
    try:
        saved = yui.entries.new(visitor.account, content)
    except Flawed as flawed:
        return _page(request, visitor, yui, content, "", flawed=flawed)
    yui.audit.note(visitor.account, "entry.new", saved.document, _co_op(content))
    return done(request, _address(saved.document), "knowledge.made", ("/console/knowledge/unmake", saved.document))


@router.post("/knowledge/unmake")
def unmake(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Takes a new entry back."""
    held = _entry(yui, visitor, form["value"])
    yui.entries.remove(visitor.account, held.id)
    yui.audit.note(visitor.account, "entry.remove", held.id, _co_op(held.content))
    return done(request, "/console/knowledge", "knowledge.removed")


def _page(
    request: Request, visitor: Visitor, yui: Yui, content: Content, part: str, held: Entry | None = None, *,
    version: int | None = None, flawed: Flawed | None = None, conflict: Conflict | None = None, language: str = "ja",
    care_wrong: str = "", typed: Mapping[str, str] | None = None,
) -> HTMLResponse:  # fmt: skip
    """The entry with one of its parts in a form; what was typed stays in it, whatever is wrong."""
    document = held.id if held else ""
    shown = content.part(part) or (Part(_NEW_PART) if part == _NEW_PART else content.parts[0] if content.parts else Part(document))
    flaws = flawed.flaws if flawed else ()
    here = {("" if f.passage == "" else "p_") + f.field: told(f, visitor.language) for f in flaws if f.passage in ("", shown.id)}
    if not held:
        here |= {"p_" + f.field: told(f, visitor.language) for f in flaws if f.passage}
    people = _people(yui)
    status = 409 if conflict else 422 if flawed or care_wrong else 200
    return render(
        request,
        visitor,
        "knowledge_entry.html" if held is None or held.may_edit else "knowledge_read.html",
        status,
        held=held,
        id=document,
        content=content,
        part=shown,
        version=version if version is not None else held.version if held else 0,
        kinds=[k for k in kinds(visitor) if k[0] != _TIP],
        audiences=_audiences(yui, visitor, content),
        names=audience_names(yui, visitor),
        facets=[(f, field_name(f, visitor.language), "、".join(content.facets.get(f, ()))) for f in FACETS],
        label=lambda f: field_name(f, visitor.language),
        wrong=flawed.said(visitor.language) if flawed else "",
        errors=here,
        conflict=conflict,
        differences=[(d, field_name(d.field, visitor.language)) for d in conflict.differences] if conflict else [],
        people=people,
        verifiers=[(a, people[a]) for a in yui.entries.verifiers(document) if a in people] if held and held.may_edit else [],
        shown=_previews(yui, document, content, shown.id, language),
        preview_language=language if language in LANGUAGES else "ja",
        languages=[(code, say(f"knowledge.language_{code}", visitor.language)) for code in LANGUAGES],
        care_wrong=care_wrong,
        typed=typed or {},
        shipped=bool(held and held.shipped and held.edited and visitor.everywhere),
    )


def _audiences(yui: Yui, visitor: Visitor, content: Content) -> list[tuple[str, str]]:
    """For whom it can be; what it is for now stands first where it is for several."""
    names = audience_names(yui, visitor)
    allowed = [(k, names.get(k, k)) for k in yui.entries.audiences(visitor.account)]
    now = ",".join(content.audience)
    return allowed if now in dict(allowed) else [(now, "、".join(names.get(k, k) for k in content.audience)), *allowed]


def _typed(form: Form, base: Content, document: str) -> tuple[Content, str]:
    """The content with what the form says, and the id of the part that it is of."""
    part_id = form["part"]
    if part_id == _NEW_PART:
        part_id = f"{document}#p-{secrets.token_hex(4)}"
    if not document:
        part_id = ""
    part = base.part(part_id) or Part(part_id)
    own = {k: form[f"p_{k}"].strip() for k in _OWN}
    asks = tuple(line for line in form["p_asks"].split("\n") if line.strip())
    text = {k: form[f"p_{k}"].strip() for k in _PART}
    part = replace(part, **text, **own, asks=asks, known=form["p_known"] != "no")
    facets = {f: tuple(w for w in re.split(r"[、,，／\n]+", form[f"f_{f}"]) if w.strip()) for f in FACETS}
    whole: dict[str, Any] = {k: form[k].strip() for k in _WHOLE}
    content = replace(
        base, **whole, kind=form["kind"], audience=tuple(form["audience"].split(",")), facets={k: v for k, v in facets.items() if v}
    )
    return content.with_part(part), part_id


def _previews(yui: Yui, document: str, content: Content, part: str, language: str) -> dict[str, Any]:
    reply = yui.entries.preview(document, content, part, language)
    return dict(previews(reply)) if reply else {}


def _entry(yui: Yui, visitor: Visitor, document: str) -> Entry:
    found = yui.entries.entry(visitor.account, document.replace("\0", ""))
    if found is None:
        raise HTTPException(404)
    return found


def _version(form: Form) -> int:
    if not re.fullmatch(r"\d{1,9}", form["version"]):
        raise HTTPException(422)
    return int(form["version"])


def _address(document: str, part: str = "") -> str:
    named = {"id": document} | ({"part": part} if part and part != document else {})
    return f"/console/knowledge/entry?{urlencode(named)}"


def _co_op(content: Content) -> str:
    [first, *more] = content.audience or ("",)
    return first.removeprefix("coop:") if first.startswith("coop:") and not more else ""


def _people(yui: Yui) -> dict[str, str]:
    return {u.account: u.name for u in yui.sign_in.users()}
