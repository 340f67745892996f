"""A stand-in of the LINE platform on this machine: real HTTP, LINE's rules, no network.

It refuses what LINE refuses: reply tokens work once and for a minute, pushes are paid by people, a retry key works once, a message
is measured against the documented limits, and every body is checked against LINE's own description where that file is at hand.
Where LINE does not tell a unit, the stricter reading is taken: a bot that passes here must not fail there.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import threading
import time
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from aiohttp import web

from tests.openapi import Violation, load

Json = dict[str, Any]
T = TypeVar("T")

PAID = ("push", "multicast", "narrowcast", "broadcast")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
MOST_BYTES = 2 * 1024 * 1024
MONTHLY = "You have reached your monthly limit."


@dataclass
class Call:
    """One request. `status` is 0 until it is answered, and 499 where the caller was gone by then."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]  # names in lower case
    at: float
    status: int = 0
    answer: Any = None


@dataclass(frozen=True)
class Sent:
    """Messages that reached people. `people` is what the month's quota was charged."""

    kind: str  # reply, push, multicast, narrowcast, broadcast
    to: tuple[str, ...]
    messages: list[Json]
    at: float
    ids: tuple[str, ...]
    quote_tokens: tuple[str, ...]
    people: int = 0
    reply_token: str = ""
    retry_key: str = ""
    silent: bool = False

    @property
    def conversation_id(self) -> str:
        return self.to[0] if len(self.to) == 1 else ""

    @property
    def texts(self) -> list[str]:
        """What somebody would read in a notification: a text, or a card's alternative text."""
        return [str(m.get("text", m.get("altText", ""))) for m in self.messages]


@dataclass
class Group:
    name: str = "組合のグループ"
    members: dict[str, str] = field(default_factory=dict)  # user id -> display name
    count: int = 3  # without the bot, as LINE counts
    picture: str = ""


@dataclass
class _Token:
    conversation_id: str
    first: float
    issued: float
    used: bool = False


@dataclass
class _Fault:
    part: str
    times: int
    after: bool
    seconds: float = 0
    status: int = 0
    drop: bool = False
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class _Answer:
    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class _Refused(Exception):
    def __init__(self, status: int, message: str, details: list[Violation] | None = None) -> None:
        told = [{"message": v.what, "property": v.where} for v in details or []]
        self.answer = _Answer({"message": message, **({"details": told} if told else {})}, status)


class LinePlatform:
    """`with LinePlatform(secret=..., access_token=...) as line:` serves within the block. A test may set any plain attribute."""

    def __init__(self, *, secret: str = "channel-secret", access_token: str = "channel-token") -> None:  # noqa: S107
        self.secret = secret
        self.access_token = access_token
        self.base = ""
        self.calls: list[Call] = []
        self.replies: list[Sent] = []
        self.pushes: list[Sent] = []
        self.violations: list[str] = []  # of LINE's description and of the documented limits: a bot has none
        self.groups: dict[str, Group] = {}
        self.rooms: dict[str, Group] = {}
        self.profiles: dict[str, Json] = {}  # friends of the account, by user id
        self.blocked: set[str] = set()  # friends who blocked it
        self.contents: dict[str, tuple[str, bytes] | int] = {}  # message id -> type and bytes, or a status such as 202 and 410
        self.quota: int | None = 200  # None: an account without a limit
        self.used_before = 0  # charged this month before the test began
        self.token_life = 60.0
        self.token_age: dict[str, float] = {}  # reply token -> seconds it is to be older than it is
        self.absent_status = 400  # a push to a group the bot is not in; LINE answers 400 or 404
        self.verified = False  # only verified accounts may list members and followers
        self.webhook_endpoint: Json | None = {"endpoint": "https://bot.example.com/line/webhook", "active": True}
        self.webhook_test: Json = {
            "success": True,
            "timestamp": "2026-11-21T01:00:00.000Z",
            "statusCode": 200,
            "reason": "OK",
            "detail": "200",
        }
        self.info: Json = {
            "userId": "U" + "b" * 32,
            "basicId": "@216ruyui",
            "displayName": "結",
            "chatMode": "bot",
            "markAsReadMode": "auto",
        }
        self._api = load("messaging-api.yml")
        self._tokens: dict[str, _Token] = {}
        self._quotes: dict[str, str] = {}
        self._accepted: dict[str, tuple[str, list[Json]]] = {}  # retry key -> request id and what was sent
        self._faults: list[_Fault] = []

    # Its life

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line-platform", daemon=True)
        self._thread.start()
        self.base = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> str:
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)  # a hung request does not hold up the end
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    # What a test asks and prepares

    @property
    def schema_checked(self) -> bool:
        return self._api is not None

    @property
    def charged(self) -> int:
        """People charged this month."""
        return self.used_before + sum(p.people for p in self.pushes)

    def new_user(self, name: str = "田中") -> str:
        user_id = "U" + secrets.token_hex(16)
        self.profiles[user_id] = {"displayName": name, "userId": user_id, "language": "ja"}
        return user_id

    def new_group(self, name: str = "組合のグループ", *, count: int = 3, members: dict[str, str] | None = None) -> str:
        group_id = "C" + secrets.token_hex(16)
        self.groups[group_id] = Group(name, members or {}, count)
        return group_id

    def new_reply_token(self, conversation_id: str) -> str:
        token, now = secrets.token_hex(16), time.monotonic()
        self._tokens[token] = _Token(conversation_id, now, now)
        return token

    def redeliver(self, token: str) -> str:
        """The webhook goes out again: its token works for another minute, unless it was used or is twenty minutes old."""
        known, now, older = self._tokens[token], time.monotonic(), self.token_age.pop(token, 0)
        known.first -= older
        known.issued = now if now - known.first < 20 * 60 else known.issued - older
        return token

    def new_quote_token(self, conversation_id: str) -> str:
        token = secrets.token_urlsafe(60)
        self._quotes[token] = conversation_id
        return token

    def fail(
        self,
        path_part: str,
        status: int = 500,
        times: int = 1,
        *,
        after_accepting: bool = False,
        body: Json | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """The next `times` requests to such a path end in an error; `after_accepting`: the message was sent all the same."""
        shown = {"message": "Internal Server Error" if status >= 500 else "The request was refused"} if body is None else body
        self._faults.append(_Fault(path_part, times, after_accepting, status=status, body=shown, headers=headers or {}))

    def hang(self, path_part: str, seconds: float, times: int = 1, *, after_accepting: bool = False) -> None:
        """The answer takes `seconds`. Nothing is accepted from a caller who gave up before, unless `after_accepting`."""
        self._faults.append(_Fault(path_part, times, after_accepting, seconds=seconds))

    def drop(self, path_part: str, times: int = 1, *, after_accepting: bool = False) -> None:
        """The connection breaks without an answer."""
        self._faults.append(_Fault(path_part, times, after_accepting, drop=True))

    def wait_for(self, condition: Callable[[], T], timeout: float = 30) -> T:
        """What the condition returns as soon as it holds."""
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"not within {timeout} s; {self._last_calls()}"
            time.sleep(0.01)
        return found

    async def wait_for_async(self, condition: Callable[[], T], timeout: float = 30) -> T:  # noqa: ASYNC109 (the same as wait_for)
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"not within {timeout} s; {self._last_calls()}"
            await asyncio.sleep(0.01)
        return found

    def _last_calls(self) -> str:
        return "; ".join(f"{c.method} {c.path} {c.status}" for c in self.calls[-5:]) or "no calls"

    # HTTP

    async def _serve(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.path, None, headers, time.time())
        request_id = str(uuid.uuid4())
        try:
            raw = await request.read()
            call.body = json.loads(raw) if raw else None
            unread = None
        except web.HTTPRequestEntityTooLarge:
            unread = _Refused(413, "Request entity too large")
        except ValueError:
            unread = _Refused(400, "The request body could not be parsed as JSON")
        self.calls.append(call)
        fault = next((f for f in self._faults if f.times > 0 and f.part in request.path), None)
        if fault:
            fault.times -= 1
        answer = None
        if fault and not fault.after:
            answer = await self._suffer(fault, request)
        if answer is None:
            try:
                if unread:
                    raise unread
                answer = self._answer(call, request_id)
            except _Refused as refused:
                answer = refused.answer
        if fault and fault.after:
            answer = await self._suffer(fault, request) or answer
        call.status, call.answer = answer.status, answer.body
        given = (
            answer.body
            if isinstance(answer.body, bytes)
            else str.encode(answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False))
        )
        more = {"x-line-request-id": request_id, **answer.headers}
        return web.Response(body=given, status=answer.status, headers=more, content_type=answer.content_type)

    async def _suffer(self, fault: _Fault, request: web.Request) -> _Answer | None:
        """What the fault puts in the place of the right answer, if anything."""
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.drop and request.transport:
            request.transport.abort()
        if request.transport is None or request.transport.is_closing():
            return _Answer(status=499)
        return _Answer(fault.body, fault.status, fault.headers) if fault.status else None

    def _answer(self, call: Call, request_id: str) -> _Answer:
        if call.headers.get("authorization") != f"Bearer {self.access_token}":
            raise _Refused(401, "Authentication failed. Confirm that the access token in the authorization header is valid.")
        if call.body is not None and not call.headers.get("content-type", "").startswith("application/json"):
            raise _Refused(415, "Unsupported Media Type")
        if not call.path.startswith("/v2/bot/"):
            raise _Refused(404, "Not found")
        match call.method, *call.path.removeprefix("/v2/bot/").split("/"):
            case "POST", "message", "reply":
                return self._reply(call)
            case "POST", "message", ("push" | "multicast" | "narrowcast" | "broadcast") as kind:
                return self._send(call, kind, request_id)
            case "POST", "message", "validate", ("reply" | "push" | "multicast" | "narrowcast" | "broadcast"):
                self._check(call, None, noted=False)
            case "POST", "chat", "loading", "start":
                self._check(call, None)
                if not str(call.body.get("chatId")).startswith("U"):
                    self._bad(call, [Violation("chatId", "The value is invalid: one-on-one chats only")])
                if call.body.get("loadingSeconds", 20) not in range(5, 61, 5):
                    self._bad(call, [Violation("loadingSeconds", "The value must be a multiple of 5 from 5 to 60")])
                return _Answer(status=202)
            case "GET", "message", "quota":
                return _Answer({"type": "none"} if self.quota is None else {"type": "limited", "value": self.quota})
            case "GET", "message", "quota", "consumption":
                return _Answer({"totalUsage": self.charged})
            case "GET", "message", message_id, "content":
                return self._content(message_id)
            case "GET", "info":
                return _Answer(self.info)
            case "GET", "channel", "webhook", "endpoint":
                return _Answer(self.webhook_endpoint or self._missing("Webhook endpoint not found"))
            case "PUT", "channel", "webhook", "endpoint":
                self._check(call, None)
                self.webhook_endpoint = {
                    "endpoint": call.body["endpoint"],
                    "active": (self.webhook_endpoint or {}).get("active", True),
                }
            case "POST", "channel", "webhook", "test":
                if call.body is not None:  # without an address the registered one is tested
                    self._check(call, None)
                return _Answer(self.webhook_test)
            case "GET", "profile", user_id:
                return _Answer(
                    self.profiles.get(user_id) if user_id not in self.blocked and user_id in self.profiles else self._missing()
                )
            case ("GET", "followers", "ids") | ("GET", "group" | "room", _, "members", "ids"):
                if not self.verified:
                    raise _Refused(403, "Access to this API is not available for your account")
                self._missing()
            case method, ("group" | "room") as kind, conversation_id, *rest:
                return self._group(method, self.groups if kind == "group" else self.rooms, conversation_id, rest)
            case _:
                self._missing()
        return _Answer()

    def _missing(self, message: str = "Not found") -> NoReturn:
        raise _Refused(404, message)

    def _content(self, message_id: str) -> _Answer:
        match self.contents.get(message_id, 404):
            case int() as status:
                return _Answer({} if status < 400 else {"message": "Not found" if status == 404 else "Gone"}, status)
            case kind, data:
                return _Answer(data, content_type=kind)

    def _group(self, method: str, known: dict[str, Group], conversation_id: str, rest: list[str]) -> _Answer:
        group = known.get(conversation_id) or self._missing()
        match method, *rest:
            case "GET", "summary" if known is self.groups:
                picture = {"pictureUrl": group.picture} if group.picture else {}
                return _Answer({"groupId": conversation_id, "groupName": group.name, **picture})
            case "GET", "members", "count":
                return _Answer({"count": group.count})
            case "GET", "member", user_id if user_id in group.members:
                return _Answer({"displayName": group.members[user_id], "userId": user_id})
            case "POST", "leave":
                del known[conversation_id]
                return _Answer()
            case _:
                raise _Refused(404, "Not found")

    # Sending

    def _reply(self, call: Call) -> _Answer:
        if "x-line-retry-key" in call.headers:
            self._bad(call, [Violation("", "The X-Line-Retry-Key header is not accepted here")])
        token = str(call.body.get("replyToken", "")) if isinstance(call.body, dict) else ""
        known = self._tokens.get(token)
        self._check(call, known.conversation_id if known else None, quotes=known is not None)
        age = time.monotonic() - known.issued + self.token_age.get(token, 0) if known else 0
        if not known or known.used or age > self.token_life:
            raise _Refused(400, "Invalid reply token")
        known.used = True
        sent, told = self._sent(call, "reply", (known.conversation_id,), reply_token=token)
        self.replies.append(sent)
        return _Answer({"sentMessages": told})

    def _send(self, call: Call, kind: str, request_id: str) -> _Answer:
        key = call.headers.get("x-line-retry-key", "").lower()
        if key and not UUID.fullmatch(key):
            self._bad(call, [Violation("", "X-Line-Retry-Key must be a UUID")])
        if key in self._accepted:
            first, told = self._accepted[key]
            refused = _Refused(409, "The retry key is already accepted")
            refused.answer.headers["x-line-accepted-request-id"] = first
            if kind == "push":
                refused.answer.body["sentMessages"] = told
            raise refused
        to = call.body.get("to") if isinstance(call.body, dict) else None
        self._check(call, to if isinstance(to, str) else None)
        reached, people = self._reached(call, kind, to)
        if self.quota is not None and people and self.charged + people > self.quota:
            raise _Refused(429, MONTHLY)
        sent, told = self._sent(call, kind, reached, people=people, retry_key=key)
        self.pushes.append(sent)
        if key:
            self._accepted[key] = (request_id, told)
        if kind == "push":
            return _Answer({"sentMessages": told})
        return _Answer(status=202 if kind == "narrowcast" else 200)

    def _reached(self, call: Call, kind: str, to: Any) -> tuple[tuple[str, ...], int]:
        """The targets, and how many people that charges: those who blocked the account are not counted."""
        friends = [u for u in self.profiles if u not in self.blocked]
        if kind == "broadcast":
            return tuple(friends), len(friends)
        if kind == "narrowcast":  # accepted all the same, and then nobody is sent anything
            return (tuple(friends), len(friends)) if len(friends) >= 50 else ((), 0)
        if kind == "multicast":
            if not isinstance(to, list) or not 1 <= len(to) <= 500 or not all(re.fullmatch("U[0-9a-f]{32}", str(u)) for u in to):
                self._bad(call, [Violation("to", "1 to 500 user ids")])
            return tuple(to), len(set(to) & set(friends))
        if not re.fullmatch("[UCR][0-9a-f]{32}", str(to)):
            self._bad(call, [Violation("to", "The value is invalid")])
        if to in self.profiles or to in self.blocked:
            return (to,), int(to in friends)
        group = self.groups.get(to) or self.rooms.get(to)
        if not group:
            raise _Refused(self.absent_status, "Failed to send messages")
        return (to,), group.count

    def _sent(self, call: Call, kind: str, to: tuple[str, ...], **more: Any) -> tuple[Sent, list[Json]]:
        told: list[Json] = []
        for message in call.body["messages"]:
            said = {"id": "5" + f"{secrets.randbelow(10**17):017}"}
            if message["type"] not in ("audio", "location") and len(to) == 1:
                said["quoteToken"] = self.new_quote_token(to[0])
            told.append(said)
        ids, quotes = tuple(t["id"] for t in told), tuple(t.get("quoteToken", "") for t in told)
        silent = bool(call.body.get("notificationDisabled"))
        return Sent(kind, to, call.body["messages"], time.time(), ids, quotes, silent=silent, **more), told

    # What a body may be

    def _check(self, call: Call, conversation_id: str | None, *, quotes: bool = True, noted: bool = True) -> None:
        """`quotes`: the chat is known, so that a quote token can be told to be of another."""
        if not isinstance(call.body, dict):
            self._bad(call, [Violation("", "The request body must be an object")], noted=noted)
        operation = self._api.operation_id(call.method, call.path) if self._api else None
        found = self._api.request_violations(operation, call.body) if self._api and operation else []
        if "/message/" in call.path and not found:
            try:
                found = list(refusals(call.body))
            except (AttributeError, KeyError, TypeError) as error:  # only without LINE's description: a shape it would have refused
                found = [Violation("messages", f"malformed ({error!r})")]
            if quotes and noted and not found:
                found = [
                    Violation(f"messages[{i}].quoteToken", "The quote token is invalid")
                    for i, message in enumerate(call.body["messages"])
                    if "quoteToken" in message and self._quotes.get(message["quoteToken"], "") != conversation_id
                ]
        if found:
            self._bad(call, found, noted=noted)

    def _bad(self, call: Call, found: list[Violation], *, noted: bool = True) -> NoReturn:
        if noted:
            self.violations += [f"{call.method} {call.path} {v}" for v in found]
        raise _Refused(400, f"The request body has {len(found)} error(s)", found)


# The documented limits, most of which LINE's description leaves out


def utf16(text: str) -> int:
    """Length as LINE counts a text: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def graphemes(text: str) -> int:
    """Length as LINE counts a label: what a reader takes for one character."""
    count, flags, joined = 0, 0, False
    for c in text:
        extends = unicodedata.category(c) in ("Mn", "Me", "Mc") or c in "\u200d\uff9e\uff9f" or "\U0001f3fb" <= c <= "\U0001f3ff"
        flags = flags + 1 if "\U0001f1e6" <= c <= "\U0001f1ff" else 0
        count += not (count and (extends or joined or (flags and flags % 2 == 0)))
        joined = c == "\u200d"
    return count


def refusals(body: Json) -> Iterator[Violation]:
    """What LINE would refuse in the messages of a request, by the documented limits."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= 5:
        yield Violation("messages", "Size must be between 1 and 5")
        return
    units = body.get("customAggregationUnits", [])
    if len(units) > 1 or not all(re.fullmatch("[A-Za-z0-9_]{1,30}", u) for u in units):
        yield Violation("customAggregationUnits", "One name of 1 to 30 letters, digits and underscores")
    for i, message in enumerate(messages):
        yield from _message(f"messages[{i}]", message)


def _length(at: str, value: Any, most: int, count: Callable[[str], int] = utf16, least: int = 1) -> Iterator[Violation]:
    if not isinstance(value, str) or not least <= count(value) <= most:
        yield Violation(at, f"Length must be between {least} and {most}")


def _size(at: str, value: list[Any], least: int, most: int) -> Iterator[Violation]:
    if not least <= len(value) <= most:
        yield Violation(at, f"Size must be between {least} and {most}")


def _https(at: str, value: Any) -> Iterator[Violation]:
    if not isinstance(value, str) or not value.startswith("https://") or len(value) > 2000:
        yield Violation(at, "An HTTPS address of at most 2000 characters")


def _message(at: str, m: Json) -> Iterator[Violation]:
    kind = m["type"]
    if kind in ("text", "textV2"):
        yield from _length(f"{at}.text", m.get("text"), 5000)
        yield from _placeholders(at, m)
    elif kind in ("flex", "template", "imagemap"):
        yield from _length(f"{at}.altText", m.get("altText"), 1500)
        if kind == "flex":
            yield from _flex(f"{at}.contents", m["contents"])
        elif kind == "template":
            yield from _template(f"{at}.template", m["template"])
    elif kind in ("image", "video", "audio"):
        for key in ("originalContentUrl", "previewImageUrl"):
            if kind != "audio" or key in m:
                yield from _https(f"{at}.{key}", m.get(key))
    elif kind == "location":
        yield from _length(f"{at}.title", m.get("title"), 100)
        yield from _length(f"{at}.address", m.get("address"), 100)
    elif kind not in ("sticker", "coupon"):
        yield Violation(f"{at}.type", "unknown")
    if "sender" in m:
        yield from _length(f"{at}.sender.name", m["sender"].get("name", ""), 20, graphemes, 0)
        if "iconUrl" in m["sender"]:
            yield from _https(f"{at}.sender.iconUrl", m["sender"]["iconUrl"])
    if "quickReply" in m:
        items = m["quickReply"].get("items", [])
        yield from _size(f"{at}.quickReply.items", items, 1, 13)
        for i, item in enumerate(items):
            here = f"{at}.quickReply.items[{i}]"
            if item.get("type", "action") != "action":
                yield Violation(f"{here}.type", "must be action")
            if "imageUrl" in item:
                yield from _https(f"{here}.imageUrl", item["imageUrl"])
            yield from _action(f"{here}.action", item["action"], 20, quick=True)


def _placeholders(at: str, m: Json) -> Iterator[Violation]:
    if m["type"] == "text":
        yield from _size(f"{at}.emojis", m.get("emojis", []), 0, 20)
        units = m["text"].encode("utf-16-le", "surrogatepass")
        for i, emoji in enumerate(m.get("emojis", [])):
            if units[2 * emoji["index"] : 2 * emoji["index"] + 2] != b"$\0":
                yield Violation(f"{at}.emojis[{i}].index", "There is no $ at this place")
        return
    given = m.get("substitution", {})
    for name in re.findall(r"{([^{}]*)}", m["text"].replace("{{", "").replace("}}", "")):
        if name not in given:
            yield Violation(f"{at}.text", f"{{{name}}} has no substitution")
    if sum(s.get("type") == "mention" for s in given.values()) > 20:
        yield Violation(f"{at}.substitution", "At most 20 mentions")


def _action(at: str, a: Json, label: int, *, quick: bool = False, labelled: bool = True) -> Iterator[Violation]:
    """`labelled`: a button, whose label people read, and not a tap on an area."""
    kind = a["type"]
    if labelled or "label" in a:
        yield from _length(f"{at}.label", a.get("label"), label, graphemes)
    if kind == "richmenuswitch" or (kind in ("camera", "cameraRoll", "location") and not quick):
        yield Violation(f"{at}.type", f"{kind} is not accepted here")
    if kind == "message":
        yield from _length(f"{at}.text", a.get("text"), 300, graphemes)
    elif kind == "uri":
        yield from _length(f"{at}.uri", a.get("uri"), 1000)
        if not re.match("(https?|line|tel):", str(a.get("uri"))):
            yield Violation(f"{at}.uri", "Invalid action URI scheme")
    elif kind in ("postback", "datetimepicker"):
        yield from _length(f"{at}.data", a.get("data"), 300)
        for key in ("displayText", "fillInText", "text"):
            if key in a:
                yield from _length(f"{at}.{key}", a[key], 300, graphemes)
        if kind == "datetimepicker" and a.get("mode") not in ("date", "time", "datetime"):
            yield Violation(f"{at}.mode", "date, time or datetime")


def _template(at: str, t: Json) -> Iterator[Violation]:
    kind = t["type"]
    if kind == "confirm":
        yield from _length(f"{at}.text", t.get("text"), 240, graphemes)
        yield from _buttons(at, t, 2, 2)
    elif kind == "buttons":
        yield from _column(at, t, 160, 4)
    elif kind in ("carousel", "image_carousel"):
        yield from _size(f"{at}.columns", t["columns"], 1, 10)
        for i, column in enumerate(t["columns"]):
            here = f"{at}.columns[{i}]"
            yield from (
                _column(here, column, 120, 3)
                if kind == "carousel"
                else _action(f"{here}.action", column["action"], 20, labelled=False)
            )
        if kind == "carousel" and len({len(c["actions"]) for c in t["columns"]}) > 1:
            yield Violation(f"{at}.columns", "The number of actions must be the same in all columns")


def _column(at: str, t: Json, text: int, actions: int) -> Iterator[Violation]:
    crowded = "title" in t or "thumbnailImageUrl" in t
    yield from _length(f"{at}.text", t.get("text"), 60 if crowded else text, graphemes)
    if "title" in t:
        yield from _length(f"{at}.title", t["title"], 40, graphemes)
    if "thumbnailImageUrl" in t:
        yield from _https(f"{at}.thumbnailImageUrl", t["thumbnailImageUrl"])
    yield from _buttons(at, t, 1, actions)


def _buttons(at: str, t: Json, least: int, most: int) -> Iterator[Violation]:
    yield from _size(f"{at}.actions", t["actions"], least, most)
    for i, action in enumerate(t["actions"]):
        yield from _action(f"{at}.actions[{i}]", action, 20)


def _flex(at: str, c: Json) -> Iterator[Violation]:
    bubbles = c["contents"] if c["type"] == "carousel" else [c]
    yield from _size(f"{at}.contents", bubbles, 1, 12)
    if len({b.get("size", "mega") for b in bubbles}) > 1:
        yield Violation(f"{at}.contents", "The bubbles of a carousel must be of one size")
    for part, most in [(c, 50_000 if c["type"] == "carousel" else 30_000), *((b, 30_000) for b in bubbles)]:
        if len(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()) > most:
            yield Violation(at, f"A {part['type']} may have {most // 1000} KB")
    for i, bubble in enumerate(bubbles):
        here = f"{at}.contents[{i}]" if c["type"] == "carousel" else at
        if not {"header", "hero", "body", "footer"} & set(bubble):
            yield Violation(here, "A bubble needs a block")
        yield from _component(here, bubble, "")


def _component(at: str, c: Json, layout: str) -> Iterator[Violation]:
    """A bubble or what is in it. `layout` is that of the box around it."""
    kind = c.get("type", "")
    if layout and kind not in (
        ("icon", "text", "filler") if layout == "baseline" else ("box", "button", "image", "text", "separator", "filler")
    ):
        yield Violation(f"{at}.type", f"{kind} is not accepted in a {layout} box")
    if kind == "text" and not c.get("contents"):
        yield from _length(f"{at}.text", c.get("text"), 30_000)
    for key, value in c.items():
        here = f"{at}.{key}"
        if key == "action":
            yield from _action(here, value, 40, labelled=kind == "button")
        elif key in ("url", "previewUrl"):
            yield from _https(here, value)
        elif key.lower().endswith("color") and not re.fullmatch("#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})", str(value)):
            yield Violation(here, "A colour is written #RRGGBB or #RRGGBBAA")
        elif isinstance(value, dict):
            yield from _component(here, value, "")
        elif isinstance(value, list):
            for i, part in enumerate(value):
                yield from _component(f"{here}[{i}]", part, str(c.get("layout", "")))
