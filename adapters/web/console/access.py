"""In and out: the sign-in page, one-time links, and one's own account."""

from __future__ import annotations

import secrets
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from adapters.web.callers import Service
from adapters.web.console.desk import (
    COOKIE,
    Filled,
    Form,
    Signed,
    SignInNeeded,
    Visitor,
    browser_of,
    done,
    inside,
    language_of,
    render,
    signed,
)
from bot.bootstrap import Yui
from bot.desk.links import LinkPurpose
from bot.desk.refusals import Refused
from bot.desk.sessions import LONGEST
from bot.desk.sign_in import LinkOffer
from bot.members import Outcome, Purpose

PATH = "/console"  # the cookie goes nowhere else
_FORM_COOKIE, _FORM = "yui_desk_form", "desk-form"
_LONGEST = 300  # characters of what is taken from an address

router = APIRouter()
Text = Annotated[str, Query(max_length=_LONGEST)]


async def _sent(request: Request) -> Form:
    """A form of somebody who has not signed in: whether it is this desk's own is for `_is_own` to say."""
    return Form(await request.form(max_files=1, max_fields=20))


async def _perhaps(request: Request, yui: Service) -> Visitor | None:
    try:
        return await signed(request, yui)
    except (SignInNeeded, HTTPException):
        return None


Sent = Annotated[Form, Depends(_sent)]
Perhaps = Annotated[Visitor | None, Depends(_perhaps)]


# in and out


@router.get("/sign-in")
def sign_in_page(request: Request, yui: Service, visitor: Perhaps, to: Text = "") -> Response:
    """The form; who is signed in goes on. Whose session has ended is told why."""
    if visitor:
        return RedirectResponse(inside(to), 303)
    token = request.cookies.get(COOKIE, "")
    page = _sign_in_page(request, yui, to=to, ended=yui.sign_in.ended(token) if token else "")
    if token:
        page.delete_cookie(COOKIE, path=PATH)
    return page


@router.post("/sign-in")
def sign_in(request: Request, form: Sent, yui: Service) -> Response:
    name, to = form["name"], form["to"]
    if not _is_own(request, yui, form):
        return _sign_in_page(request, yui, 403, to=to, name=name, forged=True)
    try:
        return _signed_in(request, yui, name, form["password"], inside(to))
    except Refused as mistake:
        status = 429 if mistake.key == "throttled" else 422
        return _sign_in_page(request, yui, status, to=to, name=name, wrong=mistake.said(language_of(request)))


@router.post("/sign-out")
def sign_out(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:  # noqa: ARG001
    yui.sign_in.sign_out(request.cookies.get(COOKIE, ""))
    yui.audit.note(visitor.account, "account.sign_out")
    left = done(request, "/console/sign-in", "access.signed_out")
    left.delete_cookie(COOKIE, path=PATH)
    return left


def _sign_in_page(request: Request, yui: Yui, status: int = 200, **values: Any) -> Response:
    shown = {"to": "", "name": "", "wrong": "", "ended": "", "forged": False, **values}
    return _with_form_cookie(request, yui, "sign_in.html", status, **shown)


# one-time links


@router.get("/link")
def link_page(request: Request, yui: Service, visitor: Perhaps, token: Text = "") -> Response:
    offer = yui.sign_in.link(token)
    if offer is None:
        return _gone(request, yui, token)
    return _link_page(request, yui, token, offer, visitor=visitor)


@router.post("/link")
def follow_link(request: Request, form: Sent, yui: Service) -> Response:
    """Make the account of an invitation, or set the new password, and go in."""
    token, name = form["token"][:_LONGEST], form["name"]
    offer = yui.sign_in.link(token)
    if offer is None:
        return _gone(request, yui, token)
    if not _is_own(request, yui, form):
        return _link_page(request, yui, token, offer, 403, name=name, forged=True)
    if form["password"] != form["again"]:
        return _link_page(request, yui, token, offer, 422, name=name, differs=True)
    try:
        account = yui.sign_in.redeem(token, name, form["password"], language_of(request))
    except Refused as mistake:
        if mistake.key == "link_gone":
            return _gone(request, yui, token)
        return _link_page(request, yui, token, offer, 422, name=name, wrong=mistake)
    yui.audit.note(account, f"account.{offer.purpose.value}", account, offer.co_op, offer.role)
    return _signed_in(request, yui, offer.name or name, form["password"], "/console/")


@router.post("/link/accept")
def accept(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Take the role of an invitation with the account one has."""
    try:
        offer = yui.sign_in.accept(form["token"][:_LONGEST], visitor.account)
    except Refused:
        return _gone(request, yui, form["token"][:_LONGEST])
    yui.audit.note(visitor.account, "account.accept", visitor.account, offer.co_op, offer.role)
    return done(request, "/console/account", "access.accepted")


def _link_page(
    request: Request, yui: Yui, token: str, offer: LinkOffer, status: int = 200, wrong: Refused | None = None, **values: Any
) -> Response:
    co_op = yui.members.co_op(offer.co_op) if offer.co_op else None
    shown: dict[str, Any] = {"name": "", "differs": False, "forged": False, "visitor": None, **values}
    about: dict[str, Any] = {
        "token": token,
        "offer": offer,
        "co_op": co_op.name if co_op else "",
        "reset": offer.purpose is LinkPurpose.RESET,
    }
    at = "name" if wrong and wrong.key.startswith("name") else "password"
    sentence = wrong.said(language_of(request)) if wrong else ""
    return _with_form_cookie(request, yui, "link.html", status, **about, **shown, wrong_at=at if wrong else "", wrong=sentence)


def _gone(request: Request, yui: Yui, token: str) -> Response:
    past = yui.sign_in.past(token)
    whom = ("first" if past.purpose is LinkPurpose.FIRST else "other") if past else "unknown"
    return render(request, None, "link_gone.html", 410 if past else 404, by=past.by if past else "", whom=whom)


# one's own account


@router.get("/account")
def account_page(request: Request, visitor: Signed, yui: Service) -> Response:
    return _account_page(request, visitor, yui)


@router.post("/account/password")
def change_password(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    if form["new_password"] != form["again"]:
        return _account_page(request, visitor, yui, 422, differs=True)
    try:
        token = request.cookies.get(COOKIE, "")
        yui.sign_in.change_password(visitor.account, form["password"], form["new_password"], token)
    except Refused as mistake:
        at = "password" if mistake.key in ("password_wrong", "throttled") else "new_password"
        return _account_page(request, visitor, yui, 422, wrong_at=at, wrong=mistake.said(visitor.language))
    yui.audit.note(visitor.account, "account.password", visitor.account)
    return done(request, "/console/account", "access.password_changed")


@router.post("/account/others")
def end_others(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:  # noqa: ARG001
    yui.sign_in.end_all(visitor.account, but=request.cookies.get(COOKIE, ""))
    yui.audit.note(visitor.account, "account.end_others", visitor.account)
    return done(request, "/console/account", "access.others_ended")


@router.post("/account/code")
def merge_code(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:  # noqa: ARG001
    """A code by which one's LINE or Discord account becomes the same person; shown this once."""
    code = yui.members.code(Purpose.MERGE, account=visitor.account)
    yui.audit.note(visitor.account, "account.code", visitor.account)
    return _account_page(request, visitor, yui, code=code)


@router.post("/account/merge")
def merge(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Use a code that the bot gave on LINE or Discord."""
    outcome, co_op = yui.members.redeem(form["code"][:40], visitor.account, visitor.account, group=False)
    if outcome not in (Outcome.MERGED, Outcome.INVITED):
        return _account_page(request, visitor, yui, 422, typed=form["code"], merge_wrong=outcome.value)
    yui.audit.note(visitor.account, f"account.{outcome.value}", visitor.account, co_op)
    return done(request, "/console/account", "access.merged" if outcome is Outcome.MERGED else "access.invited_here")


def _account_page(request: Request, visitor: Visitor, yui: Yui, status: int = 200, **values: Any) -> Response:
    shown: dict[str, Any] = {"wrong": "", "wrong_at": "", "differs": False, "code": "", "typed": "", "merge_wrong": "", **values}
    names = {c.id: c.name for c in yui.members.co_ops()}
    roles = [(g.role.value, names.get(g.co_op, g.co_op)) for g in sorted(visitor.grants, key=lambda g: (g.role, g.co_op))]
    sessions = yui.sign_in.sessions_of(visitor.account, request.cookies.get(COOKIE, ""))
    others = [a.partition(":")[0] for a in yui.members.accounts_of(visitor.account) if a != visitor.account]
    return render(request, visitor, "account.html", status, roles=roles, sessions=sessions, others=others, **shown)


# inside


def _signed_in(request: Request, yui: Yui, name: str, password: str, to: str) -> Response:
    """Sign in and go on. Raises Refused."""
    address = request.client.host if request.client else "unknown"
    token, session = yui.sign_in.sign_in(name, password, browser_of(request), address)
    yui.audit.note(session.account, "account.sign_in", session.account)
    onward = RedirectResponse(to, 303)
    _set_cookie(request, yui, onward, COOKIE, token, int(LONGEST.total_seconds()))
    return onward


def _with_form_cookie(
    request: Request, yui: Yui, template: str, status: int, visitor: Visitor | None = None, **values: Any
) -> Response:
    """A page with a form for somebody who has not signed in: it carries what this browser's cookie signs, so that no other page can
    send it."""
    cookie = request.cookies.get(_FORM_COOKIE, "")[:_LONGEST] or secrets.token_urlsafe(18)
    page = render(request, visitor, template, status, own=yui.signer.sign(_FORM, cookie), **values)
    _set_cookie(request, yui, page, _FORM_COOKIE, cookie, None)
    return page


def _is_own(request: Request, yui: Yui, form: Form) -> bool:
    came_from = request.headers.get("origin", "")
    if came_from and came_from != "null" and urlsplit(came_from).netloc != request.headers.get("host"):
        return False
    cookie = request.cookies.get(_FORM_COOKIE, "")
    return bool(cookie) and yui.signer.verify(_FORM, form["own"]) == cookie


def _set_cookie(request: Request, yui: Yui, response: Response, name: str, value: str, age: int | None) -> None:
    public = urlsplit(yui.settings.public_url)
    secure = request.url.scheme == "https" or (public.scheme == "https" and public.hostname == request.url.hostname)
    response.set_cookie(name, value, max_age=age, path=PATH, secure=secure, httponly=True, samesite="lax")
