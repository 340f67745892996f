"""What all pages of the desk share: who visits, posted forms, the layout, and the sentence that says what was done."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from adapters.web.callers import Service
from bot.bootstrap import Yui
from bot.clock import JAPAN
from bot.desk.refusals import Refused
from bot.desk.sign_in import Session
from bot.errors import UserMistake
from bot.members import Grant, Role

COOKIE = "yui_desk"
LANGUAGE_COOKIE = "yui_desk_language"
LANGUAGES = ("ja", "en")
LOOPBACK = ("localhost", "127.0.0.1", "::1", "testserver")
_CSRF, _UNDO = "desk-csrf", "desk-undo"
_MOST_FIELDS = 300
_MOST_TYPED = 2**20  # bytes of a form with room for a file, from somebody who is not signed in
_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has signed in and has something to look after."""

    session: Session
    grants: frozenset[Grant]
    csrf: str  # bound to the account, so that a form outlives a session that has ended

    @property
    def account(self) -> str:
        return self.session.account

    @property
    def language(self) -> str:
        return self.session.language if self.session.language in LANGUAGES else "ja"

    @property
    def may_admin(self) -> bool:
        return Grant(Role.ADMIN) in self.grants

    @property
    def everywhere(self) -> bool:
        """Whether this person looks after the whole federation."""
        return any(g.role in (Role.ADMIN, Role.COORDINATOR) and not g.co_op for g in self.grants)

    @property
    def co_ops(self) -> tuple[str, ...]:
        """The co-ops this person coordinates; none for who looks after all."""
        return tuple(sorted(g.co_op for g in self.grants if g.role is Role.COORDINATOR and g.co_op))


class SignInNeeded(Exception):
    """Nobody is signed in. `typed`: what was in the form that was sent."""

    def __init__(self, back: str, typed: Sequence[tuple[str, str]] = (), *, posted: bool = False) -> None:
        super().__init__(back)
        self.back, self.typed, self.posted = back, typed, posted


def known_host(request: Request, yui: Service) -> None:
    """Refuse a name under which this desk is not reached: a page elsewhere could be made to look like it (DNS rebinding)."""
    host = (request.url.hostname or "").lower()
    own = {urlsplit(yui.settings.public_url).hostname, yui.settings.host.lower(), *LOOPBACK}
    if host in own:
        return
    try:
        ipaddress.ip_address(host)  # an address in numbers cannot be pointed elsewhere
    except ValueError:
        raise HTTPException(421, "このアドレスでは開けません。YUI_PUBLIC_URL のアドレスを使ってください。") from None


def language_of(request: Request) -> str:
    """The language before anybody has signed in: what was chosen here, else the browser's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    wanted = request.headers.get("accept-language", "ja").split(",")[0].strip().lower()
    return "en" if wanted and not wanted.startswith("ja") else "ja"


async def signed(request: Request, yui: Service) -> Visitor:
    """Who has signed in. Raises SignInNeeded, or 403 for somebody who has nothing to look after."""
    token = request.cookies.get(COOKIE, "")
    session = await run_in_threadpool(yui.sign_in.session, token, browser_of(request)) if token else None
    if session is None:
        raise SignInNeeded(_address_of(request), await _typed(request), posted=request.method == "POST")
    grants = await run_in_threadpool(yui.members.grants, session.account)
    if not any(g.role in (Role.ADMIN, Role.COORDINATOR) for g in grants):
        raise HTTPException(403, "係の役割がまだありません。招待した人に聞いてください。")
    visitor = Visitor(session, grants, yui.signer.sign(_CSRF, session.account))
    request.state.visitor = visitor  # a refusal keeps the way to the other pages
    return visitor


Signed = Annotated[Visitor, Depends(signed)]


def admin(visitor: Signed) -> Visitor:
    """An admin; for others the page is not there."""
    if not visitor.may_admin:
        raise HTTPException(404)
    return visitor


Admin = Annotated[Visitor, Depends(admin)]


class Form:
    """What was posted. Text comes without characters that no person types; what is missing is empty."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    def __getitem__(self, name: str) -> str:
        value = self._data.get(name, "")
        return value.replace("\r\n", "\n").replace("\0", "") if isinstance(value, str) else ""

    def all(self, name: str) -> list[str]:
        return [v for v in self._data.getlist(name) if isinstance(v, str)]

    def file(self, name: str) -> UploadFile | None:
        value = self._data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def typed(self) -> dict[str, str]:
        """Everything that was typed, to fill the form again."""
        return {k: self[k] for k in self._data if k != "csrf"}


async def filled(request: Request, visitor: Signed, yui: Service) -> AsyncIterator[Form]:
    """A posted form of this desk's own pages; 403 for one from elsewhere. A file in it is open until it is answered."""
    data = await request.form(max_files=1, max_fields=_MOST_FIELDS)
    try:
        form = Form(data)
        came_from = request.headers.get("origin", "")
        if came_from and came_from != "null" and urlsplit(came_from).netloc != request.headers.get("host"):
            raise HTTPException(403, "ほかのページから送られた形です。この画面をもう一度開いて、送ってください。")
        if yui.signer.verify(_CSRF, form["csrf"]) != visitor.account:
            raise HTTPException(403, "この画面は古くなっています。もう一度開いて、送ってください。")
        yield form
    finally:
        await data.close()


Filled = Annotated[Form, Depends(filled)]


def browser_of(request: Request) -> str:
    """By what a session knows its browser again."""
    return request.headers.get("user-agent", "")


# pages


def render(request: Request, visitor: Visitor | None, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in the visitor's language. Templates have `values`, and `t`, `visitor`, `path`, `said`, `undo`, `day`, `moment`."""
    language = visitor.language if visitor else language_of(request)
    yui: Yui = request.app.state.yui
    said = request.query_params.get("said", "")
    value = yui.signer.verify(_UNDO, request.query_params.get("undo", ""))
    page = _pages().get_template(template)
    html = page.render(
        t=lambda key, **named: say(key, language, **named),
        language=language,
        visitor=visitor,
        path=request.url.path,
        here=_address_of(request),
        said=said if said in _words(language) else "",
        undo=json.loads(value) if value else None,
        day=lambda d: day(d, language),
        moment=lambda m: moment(m, language),
        **values,
    )
    return HTMLResponse(html, status, {"cache-control": "no-store"})


def done(request: Request, to: str, said: str, undo: tuple[str, str] | None = None) -> Response:
    """Back to a page, with the sentence `said` on it. `undo`: the address that takes it back, and what to send there as `value`."""
    yui: Yui = request.app.state.yui
    told = {"said": said} | ({"undo": yui.signer.sign(_UNDO, json.dumps(undo))} if undo else {})
    joint = "&" if "?" in to else "?"
    return RedirectResponse(f"{to}{joint}{urlencode(told)}#said", 303)


def say(key: str, language: str, **named: object) -> str:
    """A sentence of the catalogues by `page.key`."""
    return _words(language)[key].format(**named)


def told(mistake: UserMistake, language: str) -> str:
    """What a service refuses, in the visitor's language where it has it."""
    return mistake.said(language) if isinstance(mistake, Refused) else str(mistake)


def day(when: Any, language: str) -> str:
    """A day with its weekday, as people write it."""
    if when is None:
        return ""
    local = when.astimezone(JAPAN).date() if hasattr(when, "astimezone") else when
    name = _WEEKDAYS[language][local.weekday()]
    return f"{local.year}年{local.month}月{local.day}日({name})" if language == "ja" else f"{name} {local.isoformat()}"


def moment(when: Any, language: str) -> str:
    """A day with the time of day in Japan."""
    return f"{day(when, language)} {when.astimezone(JAPAN):%H:%M}" if when else ""


def asked_to_sign_in(request: Request, needed: SignInNeeded) -> Response:
    """To the sign-in page and back; what was typed into a form is not lost on the way."""
    if needed.posted:
        typed = [(k, v) for k, v in needed.typed if k not in ("password", "new_password")]
        return render(request, None, "signed_out.html", 401, typed=typed, to=needed.back)
    return RedirectResponse(f"/console/sign-in?{urlencode({'to': needed.back})}", 303)


def refused(request: Request, status: int, told: str) -> Response:
    """An error as a page of the desk."""
    key = f"desk.error_{status}"
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    language = visitor.language if visitor else language_of(request)
    sentence = say(key, language) if key in _words(language) and (not told or told.isascii() or language != "ja") else told
    return render(request, visitor, "refused.html", status, sentence=sentence or say("desk.error", language))


def inside(to: str) -> str:
    """An address of this desk to go on to; the first page for any other."""
    return to if to.startswith("/console/") and not urlsplit(to).netloc and "\\" not in to else "/console/"


async def _typed(request: Request) -> list[tuple[str, str]]:
    """What was in a form that somebody sent who is not signed in (any more); no files, which are large."""
    kind = request.headers.get("content-type", "")
    is_small = int(request.headers.get("content-length") or _MOST_TYPED + 1) <= _MOST_TYPED
    if not (kind.startswith("application/x-www-form-urlencoded") or (kind.startswith("multipart/form-data") and is_small)):
        return []
    async with request.form(max_files=1, max_fields=_MOST_FIELDS) as typed:
        return [(k, v) for k, v in typed.multi_items() if isinstance(v, str)]


def _address_of(request: Request) -> str:
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("said", "undo")]
    return quote(request.url.path) + (f"?{urlencode(kept)}" if kept else "")


@cache
def _pages() -> Environment:
    loader = PackageLoader("adapters.web.console", "templates")
    return Environment(
        loader=loader, autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _words(language: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for file in resources.files("adapters.web.console").joinpath("words").iterdir():
        page, _, rest = file.name.partition(".")
        if rest == f"{language}.toml":
            found |= {f"{page}.{key}": text for key, text in tomllib.loads(file.read_text("utf-8")).items()}
    return found
