"""A co-op: its profile, the groups and channels linked to it, and the people with a role in it."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from adapters.web.callers import Service
from adapters.web.console.appointing import (
    AT_ONCE,
    HOME,
    Id,
    Offset,
    Once,
    of,
    roles_to_give,
    said,
    there,
    told,
)
from adapters.web.console.desk import Filled, Form, Signed, Visitor, done, render
from bot.bootstrap import Yui
from bot.desk.refusals import Refused
from bot.members import CoOp

router = APIRouter()


# the profile


@router.get("/people/co-op")
def co_op_page(request: Request, visitor: Signed, yui: Service, id: Id, offset: Offset = 0) -> HTMLResponse:  # noqa: A002
    return page(request, visitor, yui, id, offset=offset)


@router.get("/people/new")
def new(request: Request, visitor: Signed) -> HTMLResponse:
    if not visitor.everywhere:
        raise HTTPException(404)
    return _co_op_form(request, visitor, {}, is_new=True)


@router.post("/people/new")
def add(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    try:
        co_op = _co_op(form)
        yui.people.add(visitor.account, co_op)
    except Refused as mistake:
        return _co_op_form(request, visitor, form.typed(), is_new=True, wrong=mistake)
    yui.audit.note(visitor.account, "co_op.add", co_op.id, co_op.id, co_op.name)
    return done(request, of(co_op.id), "people.added")


@router.get("/people/co-op/change")
def change_page(request: Request, visitor: Signed, yui: Service, id: Id) -> HTMLResponse:  # noqa: A002
    return _co_op_form(request, visitor, _typed(there(lambda: yui.people.co_op(visitor.account, id))), is_new=False)


@router.post("/people/co-op/change")
def change(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    there(lambda: yui.people.co_op(visitor.account, form["id"]))
    try:
        co_op = _co_op(form)
        yui.people.change(visitor.account, co_op)
    except Refused as mistake:
        return _co_op_form(request, visitor, form.typed(), is_new=False, wrong=mistake)
    yui.audit.note(visitor.account, "co_op.change", co_op.id, co_op.id, co_op.name)
    return done(request, of(co_op.id), "people.changed")


@router.get("/people/co-op/remove")
def remove_page(request: Request, visitor: Signed, yui: Service, id: Id) -> HTMLResponse:  # noqa: A002
    """What goes with a co-op, before it goes."""
    co_op = there(lambda: yui.people.co_op(visitor.account, id))
    if not visitor.everywhere:
        raise HTTPException(404)
    chats, persons = yui.people.chats(visitor.account, id), yui.people.persons(visitor.account, id)
    return render(request, visitor, "co_op_remove.html", co_op=co_op, chats=len(chats), persons=len(persons))


@router.post("/people/co-op/remove")
def remove(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    co_op = there(lambda: yui.people.remove(visitor.account, form["id"]))
    yui.audit.note(visitor.account, "co_op.remove", co_op.id, co_op.id, co_op.name)
    return done(request, HOME, "people.removed")


# groups and channels


@router.post("/people/link-code")
def link_code(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    co_op_id = form["co_op"]
    code = there(lambda: yui.people.link_code(visitor.account, co_op_id))
    yui.audit.note(visitor.account, "chat.code", co_op_id, co_op_id)
    return page(request, visitor, yui, co_op_id, once=Once(f"@{yui.settings.names[0]} 連携 {code}", "group"))


@router.post("/people/unlink")
def unlink(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    co_op_id, chat = form["co_op"], form["chat"]
    there(lambda: yui.people.unlink(visitor.account, co_op_id, chat))
    yui.audit.note(visitor.account, "chat.unlink", chat, co_op_id)
    return done(request, of(co_op_id), "people.unlinked", ("/console/people/link", f"{co_op_id} {chat}"))


@router.post("/people/link")
def link_again(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Take an unlinking back."""
    co_op_id, _, chat = form["value"].partition(" ")
    there(lambda: yui.people.link_again(visitor.account, co_op_id, chat))
    yui.audit.note(visitor.account, "chat.link", chat, co_op_id)
    return done(request, of(co_op_id), "people.linked_again")


# pages


def page(
    request: Request,
    visitor: Visitor,
    yui: Yui,
    co_op_id: str,
    offset: int = 0,
    wrong: Refused | None = None,
    once: Once | None = None,
    typed: str = "",
) -> HTMLResponse:
    co_op = there(lambda: yui.people.co_op(visitor.account, co_op_id))
    persons = yui.people.persons(visitor.account, co_op_id)
    return render(
        request,
        visitor,
        "co_op.html",
        422 if wrong else 200,
        profile=co_op,
        chats=yui.people.chats(visitor.account, co_op_id),
        persons=persons[offset : offset + AT_ONCE],
        offset=offset,
        at_once=AT_ONCE,
        more=len(persons) > offset + AT_ONCE,
        invitations=yui.people.invitations(visitor.account, co_op_id),
        roles=roles_to_give(visitor, co_op_id),
        co_op=co_op_id,
        wrong=said(wrong, visitor),
        once=once,
        typed=typed,
        told=told,
    )


def _co_op_form(
    request: Request, visitor: Visitor, typed: dict[str, str], *, is_new: bool, wrong: Refused | None = None
) -> HTMLResponse:
    known = {"id": "", "name": "", "place": "", "fields": "", "size": "", "legal_form": "", "partners": "", "findable": ""}
    if is_new and not typed:
        known["findable"] = "yes"
    values = {**known, **typed}
    status = 422 if wrong else 200
    return render(
        request,
        visitor,
        "co_op_form.html",
        status,
        it=values,
        is_new=is_new,
        wrong=said(wrong, visitor),
        at=wrong.key if wrong else "",
    )


# inside


def _co_op(form: Form) -> CoOp:
    """What was typed of a co-op. Raises Refused for a size that is no number."""
    size = form["size"].strip()
    if size and not (size.isdecimal() and len(size) < 10):
        raise Refused("co_op_size")
    return CoOp(
        id=form["id"].strip(),
        name=form["name"].strip(),
        place=form["place"].strip(),
        fields=_lines(form["fields"]),
        size=int(size) if size else None,
        legal_form=form["legal_form"].strip(),
        partners=_lines(form["partners"]),
        findable=form["findable"] == "yes",
    )


def _typed(co_op: CoOp) -> dict[str, str]:
    return {
        **{k: getattr(co_op, k) for k in ("id", "name", "place", "legal_form")},
        "fields": "\n".join(co_op.fields),
        "partners": "\n".join(co_op.partners),
        "size": "" if co_op.size is None else str(co_op.size),
        "findable": "yes" if co_op.findable else "",
    }


def _lines(text: str) -> tuple[str, ...]:
    """One a line, or with 、 between."""
    return tuple(dict.fromkeys(part.strip() for line in text.splitlines() for part in line.split("、") if part.strip()))
