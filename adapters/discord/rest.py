"""Single calls of Discord's API. discord.py repeats a call whose answer got lost, which would open a forum's thread twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from discord.http import Route

from bot.metrics import Metrics

log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_UNTOLD_PAUSE = 60.0  # seconds after a 429 without words: the proxy in front of Discord has had enough
_OPENED_WITHIN = 5.0  # seconds
_AGENT = "DiscordBot (https://discord.com/developers, 1)"


class Refused(Exception):
    """Discord did not do it. `status` 0: it did not answer. `code`: Discord's own. `retry_after`: seconds, 0 for none."""

    def __init__(self, status: int, code: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(f"Discord refused with status {status}, code {code}")
        self.status = status
        self.code = code
        self.retry_after = retry_after


class Rest:
    """One connection pool; open it inside the running loop. Limits of a single route are told by 429, never waited for here."""

    def __init__(self, token: str, metrics: Metrics) -> None:
        self._token = token
        self._metrics = metrics
        self._session: aiohttp.ClientSession | None = None
        self._opened = asyncio.Event()
        self._silent_until = 0.0  # by the monotonic clock: every call has to wait

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        headers = {"Authorization": f"Bot {self._token}", "User-Agent": _AGENT}
        async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as self._session:
            self._opened.set()
            try:
                yield
            finally:
                self._opened.clear()
                self._session = None

    @property
    def is_open(self) -> bool:
        return self._session is not None

    async def connected(self) -> bool:
        """Whether it is open; at the start that may take a moment."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), _OPENED_WITHIN)
        return self.is_open

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call; what Discord answers, None for nothing. Raises Refused."""
        if self._session is None:
            raise RuntimeError("Discord is not connected")
        if (wait := self._silent_until - time.monotonic()) > 0:
            raise Refused(429, retry_after=wait)
        try:
            async with self._session.request(method, Route.BASE + path, json=body) as response:
                told = _read(await response.read())
                if response.status < 300:
                    return told
                refused = self._refused(response.status, told, response.headers)
        except (TimeoutError, aiohttp.ClientError, OSError):
            refused = Refused(0)
        self._metrics.refused("discord", refused.status)
        log.warning("Discord refused a call", extra={"status": refused.status, "code": refused.code})
        raise refused

    def _refused(self, status: int, told: Any, headers: Mapping[str, str]) -> Refused:
        body = told if isinstance(told, dict) else {}
        code = body.get("code")
        refused = Refused(status, code if isinstance(code, int) else 0)
        if status == 429:
            # The body is right where the header is not: for a crossposted message that is told in another's name.
            after = body.get("retry_after", headers.get("Retry-After"))
            refused.retry_after = _seconds(after)
            if body.get("global") or not body:
                self._silent_until = time.monotonic() + refused.retry_after
        return refused


def _seconds(told: Any) -> float:
    try:
        return max(float(told), 0.0)
    except (TypeError, ValueError):
        return _UNTOLD_PAUSE


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
