"""組合と人: all co-ops and people that somebody looks after, and invitations."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from adapters.web.callers import Service
from adapters.web.console import co_op
from adapters.web.console.appointing import (
    AT_ONCE,
    HOME,
    Offset,
    Once,
    grant_of,
    link_address,
    of,
    roles_to_give,
    said,
    there,
)
from adapters.web.console.desk import Filled, Form, Signed, Visitor, done, render
from bot.bootstrap import Yui
from bot.desk.refusals import Refused
from bot.members import Grant, Role

router = APIRouter()


@router.get("/people")
def overview(request: Request, visitor: Signed, yui: Service, offset: Offset = 0) -> HTMLResponse:
    return _overview(request, visitor, yui, offset=offset)


# invitations


@router.post("/people/invite")
def invite(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """A link to the desk, or a code for the chat; shown this once."""
    by_code = form["way"] == "code"
    try:
        grant = grant_of(form)
        once = _code(visitor, yui, grant) if by_code else _link(request, visitor, yui, grant)
    except Refused as mistake:
        return _after_inviting(request, visitor, yui, form, wrong=mistake)
    yui.audit.note(visitor.account, "invite.code" if by_code else "invite.link", "", grant.co_op, grant.role.value)
    return _after_inviting(request, visitor, yui, form, once=once)


@router.post("/people/cancel")
def cancel(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    link = there(lambda: yui.sign_in.cancel(visitor.account, form["id"]))
    co_op_id = link.grant.co_op if link.grant else ""
    yui.audit.note(visitor.account, "invite.cancel", link.id, co_op_id)
    return done(request, of(co_op_id) if co_op_id else HOME, "people.cancelled")


# pages


def _overview(
    request: Request,
    visitor: Visitor,
    yui: Yui,
    offset: int = 0,
    wrong: Refused | None = None,
    once: Once | None = None,
    typed: str = "",
) -> HTMLResponse:
    co_ops = yui.people.co_ops(visitor.account)
    chats = list(yui.members.linked().values())
    counts = yui.people.counts()
    rows = [(c, chats.count(c.id), counts.get(c.id, 0)) for c in co_ops[offset : offset + AT_ONCE]]
    return render(
        request,
        visitor,
        "people.html",
        422 if wrong else 200,
        rows=rows,
        offset=offset,
        at_once=AT_ONCE,
        more=len(co_ops) > offset + AT_ONCE,
        persons=yui.people.persons(visitor.account, ""),
        invitations=yui.people.invitations(visitor.account, ""),
        roles=roles_to_give(visitor, ""),
        co_op="",
        wrong=said(wrong, visitor),
        once=once,
        typed=typed,
    )


def _after_inviting(
    request: Request, visitor: Visitor, yui: Yui, form: Form, wrong: Refused | None = None, once: Once | None = None
) -> HTMLResponse:
    typed = form["role"]
    if form["co_op"]:
        return co_op.page(request, visitor, yui, form["co_op"], wrong=wrong, once=once, typed=typed)
    if not visitor.everywhere:
        raise HTTPException(404)
    return _overview(request, visitor, yui, wrong=wrong, once=once, typed=typed)


# inside


def _code(visitor: Visitor, yui: Yui, grant: Grant) -> Once:
    return Once(f"連携 {yui.people.chat_code(visitor.account, grant)}", "code")


def _link(request: Request, visitor: Visitor, yui: Yui, grant: Grant) -> Once:
    if grant.role not in (Role.ADMIN, Role.COORDINATOR):
        raise Refused("link_role")
    return Once(link_address(request, yui, yui.sign_in.invite(visitor.account, grant.role, grant.co_op)), "link")
