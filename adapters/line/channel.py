"""Calls to LINE's Messaging API. The SDK has no retries, waits 300 s and raises four kinds of errors; here it has one face."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    PushMessageRequest,
    ReplyMessageRequest,
)
from linebot.v3.messaging.models import ShowLoadingAnimationRequest, TestWebhookEndpointRequest

from bot.metrics import Metrics

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_TIMEOUT = 5.0  # seconds for one call
FRESH = 50.0  # seconds a reply token is used; LINE gives it a minute from the webhook
_OPENED_WITHIN = 5.0  # seconds
_PAUSE = 0.5  # seconds before the first repetition; doubled each time
_LONGEST_PAUSE = 8.0


class Refused(Exception):
    """LINE did not do it. `status` 0: it did not answer. `retry_after`: seconds, 0 where LINE names none."""

    def __init__(
        self, status: int, told: str = "", request_id: str = "", retry_after: float = 0.0, message_ids: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"LINE refused with status {status}")
        self.request_id = request_id
        self.status = status
        self.told = told
        self.retry_after = retry_after
        self.message_ids = message_ids  # what the first call under the same key sent

    @property
    def uncertain(self) -> bool:
        """Whether it may have been done all the same."""
        return self.status == 0 or self.status >= 500


class Unreadable(Exception):
    """LINE did it, and what it says about it cannot be read."""


class Outcome(Enum):
    SENT = "sent"
    STALE = "stale"  # not shown, and the token is too old: keep the answer
    UNCERTAIN = "uncertain"  # perhaps shown, and the token can no longer tell: rather not twice
    WITHDRAWN = "withdrawn"  # the question was taken back meanwhile
    REFUSED = "refused"  # LINE will never take it


@dataclass(frozen=True, slots=True)
class Sent:
    outcome: Outcome
    message_ids: tuple[str, ...] = ()
    request_id: str = ""  # by which LINE's support finds the call


class Channel:
    """One connection pool for the life of the app; open it inside the running loop."""

    def __init__(self, base: str, token: str, metrics: Metrics, now: Callable[[], float] = time.time) -> None:
        self._base = base
        self._token = token
        self._metrics = metrics
        self._now = now
        self._api: AsyncMessagingApi | None = None
        self._opened = asyncio.Event()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with AsyncApiClient(Configuration(host=self._base, access_token=self._token)) as client:
            if _is_loopback(self._base):
                # The SDK's session believes proxy variables, which would lead even loopback calls astray.
                await client.rest_client.pool_manager.close()
                client.rest_client.pool_manager = aiohttp.ClientSession(trust_env=False)
            self._api = AsyncMessagingApi(client)
            self._opened.set()
            try:
                yield
            finally:
                self._opened.clear()
                self._api = None

    @property
    def is_open(self) -> bool:
        return self._api is not None

    async def connected(self) -> bool:
        """Whether it is open; at the start that may take a moment."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), _OPENED_WITHIN)
        return self.is_open

    async def call(self, ask: Callable[[AsyncMessagingApi], Awaitable[_T]]) -> _T:
        """One call. Raises Refused."""
        if self._api is None:
            raise RuntimeError("the channel is not open")
        try:
            return await ask(self._api)
        except ApiException as error:
            refused = _refused(error)
        except (TimeoutError, aiohttp.ClientError, OSError):
            refused = Refused(0)
        except ValueError as error:
            # The SDK's models raise on a body they do not like, though LINE has said that all is well.
            raise Unreadable from error
        self._metrics.refused("line", refused.status)
        log.warning("LINE refused a call", extra={"status": refused.status, "request": refused.request_id})
        raise refused

    async def reply(
        self,
        token: str,
        messages: Sequence[dict[str, Any]],
        fresh_until: float,
        *,
        perhaps_sent: bool = False,
        still_wanted: Callable[[], Awaitable[bool]] | None = None,
    ) -> Sent:
        """Use a reply token once, repeating while that is safe: LINE takes a token a single time, so no message is sent twice.

        `perhaps_sent`: an earlier process may have used the token. `still_wanted` is asked before each repetition.
        """
        reduced = False
        pause = _PAUSE
        while True:
            try:
                ids, request_id = await self._reply_once(token, messages)
                return Sent(Outcome.SENT, ids, request_id)
            except Refused as refused:
                if refused.status == 400 and "reply token" in refused.told.lower():
                    # Refused after a call whose answer got lost: that one was taken.
                    return Sent(Outcome.SENT if perhaps_sent else Outcome.STALE)
                if refused.status == 400 and not reduced:
                    messages, reduced = [_reduced(m) for m in messages], True
                    continue
                if refused.status in (401, 403):
                    log.error(
                        "LINE does not accept the channel access token: issue a new one and set YUI_LINE_CHANNEL_ACCESS_TOKEN."
                    )
                    return Sent(Outcome.UNCERTAIN if perhaps_sent else Outcome.STALE)
                if not refused.uncertain and refused.status != 429:
                    log.error("LINE refused a reply with status %d", refused.status)
                    return Sent(Outcome.REFUSED)
                perhaps_sent |= refused.uncertain
            if self._now() + pause >= fresh_until:
                return Sent(Outcome.UNCERTAIN if perhaps_sent else Outcome.STALE)
            await asyncio.sleep(pause)
            if still_wanted is not None and not await still_wanted():
                return Sent(Outcome.WITHDRAWN)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _reply_once(self, token: str, messages: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], str]:
        """The ids of the sent messages, where LINE tells them, and the id of the request."""
        request = ReplyMessageRequest.from_dict({"replyToken": token, "messages": list(messages)})
        try:
            done = await self.call(lambda api: api.reply_message_with_http_info(request, _request_timeout=_TIMEOUT))
            return tuple(str(m.id) for m in done.data.sent_messages or ()), _request_id(done.headers)
        except Unreadable:
            return (), ""

    async def push(self, to: str, messages: Sequence[dict[str, Any]], retry_key: str) -> tuple[str, ...]:
        """Send to a group, room or person, who are counted to the month's quota. Returns the messages' ids where LINE tells them.

        Under one key (a UUID) LINE takes it once, for a day: so a call whose answer got lost can be made again. Raises Refused.
        """
        request = PushMessageRequest.from_dict({"to": to, "messages": list(messages)})
        try:
            done = await self.call(
                lambda api: api.push_message_with_http_info(request, x_line_retry_key=retry_key, _request_timeout=_TIMEOUT)
            )
            return tuple(str(m.id) for m in done.data.sent_messages or ())
        except Unreadable:
            return ()
        except Refused as refused:
            if refused.status != 409:
                raise
            return refused.message_ids

    async def people(self, chat: str) -> int:
        """How many people a message to this chat reaches, the bot not counted. Raises Refused or Unreadable."""
        if chat.startswith("U"):
            return 1
        if chat.startswith("R"):
            return int((await self.call(lambda api: api.get_room_member_count(chat, _request_timeout=_TIMEOUT))).count)
        return int((await self.call(lambda api: api.get_group_member_count(chat, _request_timeout=_TIMEOUT))).count)

    async def show_loading(self, user_id: str) -> None:
        """Three dots while an answer is being worked out; in a chat with one person only. Never a reason to fail."""
        request = ShowLoadingAnimationRequest(chatId=user_id, loadingSeconds=5)
        with contextlib.suppress(Refused, Unreadable):
            await self.call(lambda api: api.show_loading_animation(request, _request_timeout=_TIMEOUT))

    # what `yui doctor` asks, and the ledger of announcements

    async def bot(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.call(lambda api: api.get_bot_info(_request_timeout=_TIMEOUT))).to_dict()
        return found

    async def webhook_endpoint(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.call(lambda api: api.get_webhook_endpoint(_request_timeout=_TIMEOUT))).to_dict()
        return found

    async def try_webhook(self, address: str) -> dict[str, Any]:
        """Lets LINE call the address itself."""
        request = TestWebhookEndpointRequest(endpoint=address)
        call = self.call(lambda api: api.test_webhook_endpoint(request, _request_timeout=3 * _TIMEOUT))
        found: dict[str, Any] = (await call).to_dict()
        return found

    async def quota(self) -> tuple[int | None, int]:
        """Messages a month (None: no limit) and how many have been used."""
        limit = await self.call(lambda api: api.get_message_quota(_request_timeout=_TIMEOUT))
        used = await self.call(lambda api: api.get_message_quota_consumption(_request_timeout=_TIMEOUT))
        return (None if limit.value is None else int(limit.value)), int(used.total_usage)


def _reduced(message: dict[str, Any]) -> dict[str, Any]:
    """The same words without anything LINE could stumble over, such as a quoted message that is gone."""
    text = str(message.get("text") or message.get("altText") or "")
    return {"type": "text", "text": text}


def _request_id(headers: Any) -> str:
    return str((headers or {}).get("x-line-request-id", ""))


def _refused(error: ApiException) -> Refused:
    body, headers = _read(error.body), error.headers or {}
    try:
        retry_after = max(float(headers.get("Retry-After", 0)), 0.0)
    except ValueError:  # a date, which LINE does not send
        retry_after = 0.0
    sent = body.get("sentMessages")
    ids = tuple(str(m["id"]) for m in sent if isinstance(m, dict) and "id" in m) if isinstance(sent, list) else ()
    return Refused(int(error.status or 0), str(body.get("message", "")), _request_id(headers), retry_after, ids)


def _read(body: object) -> Mapping[str, Any]:
    try:
        found = json.loads(body or "{}")  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_loopback(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
