"""A person: the roles, and for admins the account of the desk."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from adapters.web.callers import Service
from adapters.web.console.appointing import (
    HOME,
    Id,
    Once,
    grant_of,
    link_address,
    of,
    person_at,
    roles_to_give,
    said,
    there,
    told,
    untold,
)
from adapters.web.console.desk import Filled, Signed, Visitor, done, render
from bot.bootstrap import Yui
from bot.desk.refusals import Refused

router = APIRouter()


@router.get("/people/person")
def person_page(request: Request, visitor: Signed, yui: Service, account: Id) -> HTMLResponse:
    return _person_page(request, visitor, yui, account)


# roles


@router.post("/people/give")
def give(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    account = form["account"]
    try:
        grant = grant_of(form)
        yui.people.give(visitor.account, account, grant)
    except Refused as mistake:
        return _person_page(request, visitor, yui, account, wrong=mistake, typed=form.typed())
    yui.audit.note(visitor.account, "role.give", account, grant.co_op, grant.role.value)
    return done(request, person_at(account), "people.given", ("/console/people/take", told(account, grant)))


@router.post("/people/take")
def take(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    account, grant = untold(form["value"])
    try:
        yui.people.take(visitor.account, account, grant)
    except Refused as mistake:
        return _person_page(request, visitor, yui, account, wrong=mistake)
    yui.audit.note(visitor.account, "role.take", account, grant.co_op, grant.role.value)
    back = of(grant.co_op) if grant.co_op else HOME
    return done(request, back, "people.taken", ("/console/people/give-back", told(account, grant)))


@router.post("/people/give-back")
def give_back(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Take a taking back."""
    account, grant = untold(form["value"])
    there(lambda: yui.people.give_back(visitor.account, account, grant))
    yui.audit.note(visitor.account, "role.give", account, grant.co_op, grant.role.value)
    return done(request, person_at(account), "people.given")


# the account of the desk, by admins


@router.post("/people/reset")
def reset(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    account = form["account"]
    token = there(lambda: yui.sign_in.reset(visitor.account, account))
    yui.audit.note(visitor.account, "account.reset_link", account)
    return _person_page(request, visitor, yui, account, once=Once(link_address(request, yui, token), "reset"))


@router.post("/people/end-sessions")
def end_sessions(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    account = form["account"]
    there(lambda: yui.people.person(visitor.account, account))
    there(lambda: yui.people.end_sessions(visitor.account, account))
    yui.audit.note(visitor.account, "account.end_sessions", account)
    return done(request, person_at(account), "people.sessions_ended")


@router.post("/people/remove-account")
def remove_account(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    account = form["account"]
    try:
        yui.people.remove_account(visitor.account, account)
    except Refused as mistake:
        return _person_page(request, visitor, yui, account, wrong=mistake)
    yui.audit.note(visitor.account, "account.remove", account)
    return done(request, HOME, "people.account_removed")


# the page


def _person_page(
    request: Request,
    visitor: Visitor,
    yui: Yui,
    account: str,
    wrong: Refused | None = None,
    once: Once | None = None,
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    somebody = there(lambda: yui.people.person(visitor.account, account))
    names = {c.id: c.name for c in yui.people.co_ops(visitor.account)}
    return render(
        request,
        visitor,
        "person.html",
        422 if wrong else 200,
        somebody=somebody,
        names=names,
        platforms=sorted({a.partition(":")[0] for a in somebody.accounts}),
        sessions=yui.sign_in.sessions_of(somebody.account) if visitor.may_admin and somebody.signs_in else [],
        roles=roles_to_give(visitor, "" if visitor.everywhere else next(iter(names), "")),
        wrong=said(wrong, visitor),
        once=once,
        typed=typed or {},
        told=told,
    )
