"""Who calls the JSON interface: a key's holder, or somebody on the chat page by its cookie; and how often one may."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Cookie, Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.api_keys import Holder, Scope
from bot.bootstrap import Yui

COOKIE = "yui_conversation"
_REMEMBERED = 10_000  # callers; the one not heard of for longest is forgotten first
_NO_KEY = "鍵が要ります。Authorization: Bearer yui_… を付けて送ってください。"
_WRONG_KEY = "この鍵は使えません。正しく写したか、期限が過ぎていないかを確かめてください。"
_NOT_WITH_THIS_KEY = "この鍵では、これはできません。管理する人に聞いてください。"
_TOO_MANY = "続けて送りすぎています。少し待って、もう一度送ってください。"
_NO_JSON = "JSONで送ってください(content-type: application/json)。"

# The page sets it, and callers have nothing to choose about it: so it is no parameter in the description.
Conversation = Annotated[str, Cookie(alias=COOKIE, max_length=100, include_in_schema=False)]


class Throttle:
    """A bucket of tokens for each caller: `burst` at once, `rate` a second in the long run."""

    def __init__(self, burst: int, rate: float, now: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._rate, self._now = burst, rate, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> float:
        """Take a token. Returns 0, or the seconds until there is one."""
        with self._lock:
            now = self._now()
            tokens, since = self._buckets.pop(caller, (float(self._burst), now))
            tokens = min(float(self._burst), tokens + (now - since) * self._rate)
            allowed = tokens >= 1
            self._buckets[caller] = (tokens - allowed, now)
            if len(self._buckets) > _REMEMBERED:
                self._buckets.popitem(last=False)
            return 0.0 if allowed else (1 - tokens) / self._rate


@dataclass(frozen=True, slots=True)
class Throttles:
    """`offers`: tips from people without a key, which each cost a reviewer's time."""

    calls: Throttle
    offers: Throttle

    @classmethod
    def usual(cls) -> Throttles:
        return cls(Throttle(120, 10), Throttle(10, 1 / 30))


@dataclass(frozen=True, slots=True)
class Caller:
    """`account` is empty for somebody of whom nothing is known."""

    account: str
    address: str
    holder: Holder | None = None

    def may(self, scope: Scope) -> bool:
        return self.holder is not None and scope in self.holder.scopes


def service(request: Request) -> Yui:
    yui: Yui = request.app.state.yui
    return yui


Service = Annotated[Yui, Depends(service)]
_Presented = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(scheme_name="key", description="Made by `yui members key add`.", auto_error=False)),
]


def identified(request: Request, yui: Service, presented: _Presented, conversation: Conversation = "") -> Caller:
    """Whoever calls. A key that is none is refused even where none is needed."""
    address = request.client.host if request.client else "unknown"
    holder = yui.api_keys.check(presented.credentials) if presented else None
    if holder is None and "authorization" in request.headers:
        raise _unauthorised(_WRONG_KEY)
    if holder is not None:
        return Caller(holder.account, address, holder)
    return Caller(yui.conversations.pseudonym("web", conversation) if conversation else "", address)


_Identified = Annotated[Caller, Depends(identified)]


def anybody(request: Request, caller: _Identified) -> Caller:
    """Whoever calls, as often as they may. Who is refused for the key hears so first: guessing 32 bytes needs no measure."""
    throttled(request.app.state.throttles.calls, f"key:{caller.holder.name}" if caller.holder else f"address:{caller.address}")
    return caller


def somebody(request: Request, caller: _Identified) -> Caller:
    """A key's holder, or somebody with the chat page's cookie."""
    if not caller.account:
        raise _unauthorised(_NO_KEY)
    return anybody(request, caller)


Anybody = Annotated[Caller, Depends(anybody)]
Somebody = Annotated[Caller, Depends(somebody)]


def holding(scope: Scope) -> Callable[[Request, Caller], Holder]:
    """The holder of a key that opens this."""

    def checked(request: Request, caller: _Identified) -> Holder:
        if caller.holder is None:
            raise _unauthorised(_NO_KEY)
        anybody(request, caller)
        if not caller.may(scope):
            raise forbidden()
        return caller.holder

    return checked


def json_only(request: Request) -> None:
    """Refuse a body of another kind before anything looks at it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, _NO_JSON)


def throttled(throttle: Throttle, caller: str) -> None:
    """Raises 429 where a caller has used up what it may."""
    if wait := throttle.take(caller):
        raise HTTPException(429, _TOO_MANY, {"Retry-After": str(int(wait) + 1)})


def forbidden() -> HTTPException:
    return HTTPException(403, _NOT_WITH_THIS_KEY)


def _unauthorised(told: str) -> HTTPException:
    return HTTPException(401, told, {"WWW-Authenticate": "Bearer"})
