"""The coordinators' desk at `/console`: server-rendered pages over the services that the chat and the interface use too.

An application of its own below the main one, since its errors are pages. Its routers are written without `/console`.
"""

from __future__ import annotations

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from adapters.web.console import (
    access,
    announcing,
    co_op,
    entry,
    importing,
    knowledge,
    log,
    people,
    person,
    record,
    safety,
    synonyms,
    week,
)
from adapters.web.console.desk import SignInNeeded, asked_to_sign_in, known_host, language_of, refused, told
from bot.bootstrap import Yui
from bot.errors import KnowledgeError, UserMistake

_PAGES = (week, announcing, access, people, co_op, person, record, safety, log, knowledge, entry, importing, synonyms)


def create(yui: Yui) -> FastAPI:
    """The desk, to be mounted at `/console`."""
    desk = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(known_host)])
    desk.state.yui = yui
    for page in _PAGES:
        desk.include_router(page.router)
    desk.add_exception_handler(SignInNeeded, asked_to_sign_in)  # type: ignore[arg-type]
    desk.add_exception_handler(HTTPException, _refused)  # type: ignore[arg-type]
    desk.add_exception_handler(RequestValidationError, lambda request, _: refused(request, 422, ""))
    desk.add_exception_handler(UserMistake, _mistaken)  # type: ignore[arg-type]
    desk.add_exception_handler(KnowledgeError, lambda request, _: refused(request, 503, ""))
    return desk


def _mistaken(request: Request, mistake: UserMistake) -> Response:
    return refused(request, 422, told(mistake, language_of(request)))


def _refused(request: Request, error: HTTPException) -> Response:
    return refused(request, error.status_code, str(error.detail))
