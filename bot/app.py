"""The web application: health, metrics, the adapters' routes, and what guards them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from importlib import import_module

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import metrics
from bot.bootstrap import Yui, build, enabled_adapters
from bot.config import Settings, incomplete, unknown_names
from bot.errors import BotError, UserMistake
from knowledge import KnowledgeError

log = logging.getLogger(__name__)

_LARGEST_BODY = 256 * 1024  # bytes: the longest question, each character escaped, fits twice
_LARGER_BODY = 2 * 2**20  # bytes: hundreds of events in one call; a long entry, each character escaped
_LARGEST_UPLOAD = 64 * 2**20  # bytes of a file that is sent; read piece by piece, never held whole
_UPLOADS = ("/console/", "/api/announcement-pictures")
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0  # seconds before a platform's connection is started again
_UPKEEP = 60.0  # seconds
_CONCURRENT = 500  # requests; more are turned away with 503
_HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"img-src 'self' data:; frame-ancestors 'none'; "
    b"base-uri 'none'; form-action 'self'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
_SENTENCES = {
    400: "読み取れませんでした。UTF-8のJSONで送ってください。",
    404: "このページはありません。",
    405: "この呼び方はできません。/api/docs を見てください。",
    413: "大きすぎます。短くして送ってください。",
    422: "送られた内容が決まりに合いません。/api/docs を見てください。",
    500: "うまくいきませんでした。少し待って、もう一度お試しください。",
    503: "いまはお答えできません。少し待って、もう一度お試しください。",
}


def create_app(yui: Yui) -> FastAPI:
    """The application over a running bot. It closes the bot when it ends."""

    adapters = enabled_adapters(yui)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        senders = [a.sender for a in adapters if a.sender]
        engine = asyncio.create_task(_keep_running("announcing", lambda: yui.engine.run(senders)), name="announcing")
        running = [asyncio.create_task(_keep_running(a.name, a.run), name=a.name) for a in adapters if a.run]
        running.append(asyncio.create_task(_keep_running("upkeep", lambda: _keep_up(yui)), name="upkeep"))
        try:
            yield
        finally:
            for tasks in ([engine], running):  # what is being sent may end before its platform goes
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(yui.close)

    app = FastAPI(title="Yui", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.add_middleware(_Guard)
    app.add_exception_handler(HTTPException, _refused)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    app.add_exception_handler(UserMistake, _mistaken)
    app.add_exception_handler(KnowledgeError, _unavailable)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> dict[str, object]:
        status = await asyncio.to_thread(yui.knowledge.status)
        return {
            "ready": True,
            "documents": sum(status.documents.values()),
            "vector_index": "ready" if status.index_ready else "building",
        }

    @app.get("/metrics", include_in_schema=False)
    async def exposition() -> Response:
        status = await asyncio.to_thread(yui.knowledge.status)
        return Response(yui.metrics.exposition(index_ready=status.index_ready), media_type=metrics.CONTENT_TYPE)

    app.include_router(import_module("adapters.web").create(yui, app))
    for adapter in adapters:
        if adapter.router is not None:
            app.include_router(adapter.router)
    return app


async def _keep_up(yui: Yui) -> None:
    while True:  # at once, too: the first question shall not wait for what can be read ahead
        await asyncio.to_thread(yui.keep_up)
        await asyncio.sleep(_UPKEEP)


async def _keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """One platform's trouble is not the others': a wrong key is said once, anything else is tried again."""
    pause = _FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            await run()
            return
        except BotError as error:
            log.error("%s is switched off until the next start. %s", name, error)
            return
        except Exception as error:
            pause = _FIRST_PAUSE if time.monotonic() - began > _LONGEST_PAUSE else min(2 * pause, _LONGEST_PAUSE)
            log.error("%s stopped with %s and starts again in %d seconds", name, type(error).__name__, pause)
            await asyncio.sleep(pause)


def serve(settings: Settings, clock: Callable[[], datetime]) -> int:
    """Run until stopped. Raises UserMistake where the address cannot be listened on."""
    _try_address(settings.host, settings.port)
    for name in unknown_names():
        log.warning("%s is not a setting of Yui", name)
    for told in incomplete(settings):
        log.warning("%s", told)
    yui = build(settings, clock=clock)
    server = _Server(
        uvicorn.Config(
            create_app(yui),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            limit_concurrency=_CONCURRENT,
            timeout_keep_alive=30,
            server_header=False,
        ),
        yui,
    )
    server.run()
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Tells on standard output, never in the log, where the first admin signs in, once it listens and while there is none."""

    def __init__(self, config: uvicorn.Config, yui: Yui) -> None:
        super().__init__(config)
        self._yui = yui

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        token = await asyncio.to_thread(self._yui.sign_in.first_link) if self.started else None
        if token:
            sys.stdout.write(f"Console sign-in: {self._address()}/console/link?token={token}\n")
            sys.stdout.flush()

    def _address(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.config.host, self.config.host)  # noqa: S104
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        port = self.servers[0].sockets[0].getsockname()[1]
        return self._yui.settings.public_url or f"http://{host}:{port}"


def _try_address(host: str, port: int) -> None:
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UserMistake(
            f"The address {host}:{port} cannot be listened on ({why}): stop the other program, or set YUI_HOST and YUI_PORT."
        ) from error


def _sentence(status: int, told: str | None = None) -> JSONResponse:
    return JSONResponse({"error": told or _SENTENCES.get(status, _SENTENCES[500])}, status)


async def _refused(request: Request, error: HTTPException) -> Response:
    detail: object = error.detail
    if isinstance(detail, dict):  # more than the sentence
        answer = JSONResponse(detail, error.status_code)
    else:
        answer = _sentence(error.status_code, str(detail) if detail and not str(detail).isascii() else None)
    answer.headers.update(error.headers or {})  # WWW-Authenticate, Retry-After, Allow
    if error.status_code == 405:
        answer.headers["Allow"] = _allowed(request, answer.headers.get("Allow", ""))
    return answer


def _allowed(request: Request, first: str) -> str:
    """Every method an address takes; the framework names those of the first route only."""
    for path, methods in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.url.path):
            return ", ".join(m.upper() for m in methods)
    return first


async def _invalid(_: Request, error: RequestValidationError) -> Response:
    errors = error.errors()
    if any(e["type"] == "json_invalid" for e in errors):
        return _sentence(400)
    return _sentence(404 if all(e["loc"][0] == "path" for e in errors) else 422)  # an id that cannot be is not there


async def _mistaken(_: Request, error: Exception) -> Response:
    return _sentence(422, None if str(error).isascii() else str(error))


async def _unavailable(_: Request, error: Exception) -> Response:
    log.error("%s", error)
    return _sentence(503)


class _Guard:
    """Bounds the body, however it is sent, and adds the security headers to everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS.items()]
            await send(message)

        if _is_upload(scope):
            if int(dict(scope["headers"]).get(b"content-length", b"0")) > _LARGEST_UPLOAD:
                await _bounded_body(receive, _LARGEST_BODY)
                await _sentence(413)(scope, receive, headed)
                return
            await self._answered(scope, _counted(receive, _LARGEST_UPLOAD), headed)
            return
        is_large = scope["path"].startswith(("/webhook/", "/console/"))
        body = await _bounded_body(receive, _LARGER_BODY if is_large else _LARGEST_BODY)
        if body is None:
            await _sentence(413)(scope, receive, headed)
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._answered(scope, again, headed)

    async def _answered(self, scope: Scope, receive: Receive, headed: Send) -> None:
        try:
            await self._app(scope, receive, headed)
        except Exception as error:
            # The class alone: an exception's text may carry what a member wrote.
            log.error("a request failed with %s", type(error).__name__)
            with contextlib.suppress(RuntimeError):  # it had begun to answer
                await _sentence(500)(scope, receive, headed)


def _is_upload(scope: Scope) -> bool:
    kind = dict(scope["headers"]).get(b"content-type", b"")
    return bool(scope["path"].startswith(_UPLOADS) and kind.startswith(b"multipart/form-data"))


def _counted(receive: Receive, largest: int) -> Receive:
    """The body as it comes, refused with 413 where it grows too large."""
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > largest:
            raise HTTPException(413)
        return message

    return counting


async def _bounded_body(receive: Receive, largest: int) -> bytes | None:
    """The whole body, or None where it is larger than it may be."""
    parts: list[bytes] = []
    taken = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        taken += len(parts[-1])
        if taken > largest:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)
