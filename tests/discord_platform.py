"""A stand-in of Discord over the real wire: REST and gateway on one loopback port, with the rules that bite.

It runs on an event loop of its own in a thread, so that synchronous tests can drive a bot that runs elsewhere. State changes
only on that loop; tests read it and wait for it. It knows nothing of the client library.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import WSMsgType, web

from tests.discord_objects import (
    ADD_REACTIONS,
    ATTACH_FILES,
    CREATE_PUBLIC_THREADS,
    CROSSPOSTED,
    EMBED_LINKS,
    EPHEMERAL,
    EVERYTHING,
    LOADING,
    MANAGE_MESSAGES,
    ORDINARY,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    USE_APPLICATION_COMMANDS,
    VIEW_CHANNEL,
    Channel,
    Guild,
    Message,
    NotOffered,
    Role,
    User,
    check_values,
    command_options,
    filled,
    now,
    numbered,
    pings,
    resolved,
    snowflake,
)
from tests.discord_schema import ApiError, Json, check_commands, check_message, check_modal, discord_schema, invalid, walk

T = TypeVar("T")
GUILDS, GUILD_MEMBERS, PRESENCES, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = (1 << n for n in (0, 1, 8, 9, 12, 15))
PRIVILEGED = GUILD_MEMBERS | PRESENCES | MESSAGE_CONTENT


@dataclass(eq=False)
class Call:
    """A request that came in, and what it got."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    files: dict[str, bytes]
    at: float = field(default_factory=time.monotonic)
    status: int | None = None
    answer: Any = None


@dataclass(eq=False)
class Fault:
    method: str
    part: str
    times: int
    after: bool
    seconds: float = 0
    status: int | None = 200
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


@dataclass(eq=False)
class Socket:
    """One connection of the gateway. What goes out keeps its order."""

    ws: web.WebSocketResponse
    request: web.Request
    stream: Any
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def send(self, payload: Json) -> None:
        self.outbox.put_nowait(json.dumps(payload, ensure_ascii=False))

    async def write(self) -> None:
        while True:
            text = await self.outbox.get()
            if self.stream is None:
                await self.ws.send_str(text)
            else:
                await self.ws.send_bytes(self.stream.compress(text.encode()) + self.stream.flush(zlib.Z_SYNC_FLUSH))

    def abort(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(eq=False)
class Session:
    """What a client is owed: it outlives its socket, so that a resume gets what was missed."""

    intents: int
    socket: Socket | None
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    log: list[Json] = field(default_factory=list)
    ready: bool = False
    seen: int = 0  # the last event the client has told it got

    def event(self, name: str, data: Json) -> None:
        payload = {"op": 0, "t": name, "s": len(self.log) + 1, "d": data}
        self.log.append(payload)
        if self.socket is not None:
            self.socket.send(payload)


@dataclass(eq=False)
class Interaction:
    """Something a person did that the bot has to answer, and how it did."""

    platform: DiscordPlatform
    type: int
    channel: Channel
    user: User
    data: Json
    source: Message | None = None  # the message whose component was used
    id: int = field(default_factory=snowflake)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(96))
    at: float = field(default_factory=time.monotonic)
    callbacks: list[Json] = field(default_factory=list)
    answered_after: float | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    expired: bool = False
    updated: bool = False

    @property
    def kind(self) -> int | None:
        """The type of the first answer."""
        return self.callbacks[0]["type"] if self.callbacks else None

    @property
    def deferred_after(self) -> float | None:
        return self.answered_after if self.kind in (5, 6) else None

    @property
    def ephemeral(self) -> bool:
        return self.original is not None and self.original.ephemeral

    @property
    def modal(self) -> Json | None:
        return self.callbacks[0]["data"] if self.kind == 9 else None

    @property
    def choices(self) -> list[Json] | None:
        return (self.callbacks[0].get("data") or {}).get("choices") or [] if self.kind == 8 else None

    @property
    def message(self) -> Message | None:
        """What the person sees in the end; None as long as it is still coming."""
        first = self.original
        if self.kind in (6, 7) and self.updated:
            return first
        if self.kind in (4, 5) and first is not None and not first.loading and not first.deleted:
            return first
        return self.followups[0] if self.followups else None

    def wait_response(self, timeout: float = 30) -> Message:
        self.platform.wait(lambda: self.message is not None, timeout, f"An answer to {self.data}")
        assert self.message is not None
        return self.message

    def wait_modal(self, timeout: float = 30) -> Json:
        self.platform.wait(lambda: self.modal is not None, timeout, f"A modal for {self.data}")
        assert self.modal is not None
        return self.modal

    def wait_choices(self, timeout: float = 30) -> list[Json]:
        self.platform.wait(lambda: self.choices is not None, timeout, f"Choices for {self.data}")
        assert self.choices is not None
        return self.choices


Handler = Callable[..., Any]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        ROUTES.append((method, re.compile(f"{pattern}$"), handler))
        return handler

    return register


class DiscordPlatform:
    """Discord with one bot in it."""

    def __init__(
        self,
        token: str,
        *,
        privileged: int = 0,  # intents switched on in the portal
        answer_within: float = 3.0,
        heartbeat: float = 41.25,
    ) -> None:
        self.token, self.privileged, self.answer_within, self.heartbeat = token, privileged, answer_within, heartbeat
        self.bot = User("Yui", bot=True)
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.interactions: dict[str, Interaction] = {}
        self.sent: list[Message] = []
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.typing: list[Channel] = []
        self.syncs = 0
        self.identifies = self.resumes = self.beats = 0
        self.intents: list[int] = []
        self.closed: list[int] = []  # codes with which the gateway refused a client
        self._scopes: dict[int, list[Json]] = {}  # 0: global, else the guild's
        self._messages: dict[int, Message] = {}
        self._nonces: dict[tuple[int, str], Message] = {}
        self._dms: dict[User, Channel] = {}
        self._faults: list[Fault] = []
        self._sessions: dict[str, Session] = {}
        self._sockets: set[Socket] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._acks = True
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="discord", daemon=True)
        self._started = threading.Event()
        self.port = 0

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    @property
    def commands(self) -> list[Json]:
        return [c for commands in self._scopes.values() for c in commands]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10), "The stand-in did not start."
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self._stop, self._open, self._release = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._open.set()
        app = web.Application(client_max_size=32 << 20)
        app.router.add_get("/gateway{slash:/?}", self._gateway)
        app.router.add_route("*", "/api/v10/{path:.*}", self._rest)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._started.set()
        await self._stop.wait()
        self._open.set()
        self._release.set()
        for socket in self._sockets:
            socket.abort()
        await runner.cleanup()

    def _do(self, work: Callable[[], T]) -> T:
        async def run() -> T:
            return work()

        try:
            return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)
        finally:
            self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    # What tests wait for.

    def wait(self, predicate: Callable[[], object], timeout: float = 10, what: str = "It") -> None:
        """Until something is so; fails with what the bot did last."""
        end = time.monotonic() + timeout
        with self._changed:
            while not predicate():
                if time.monotonic() > end:
                    break
                self._changed.wait(0.05)  # not every predicate is about the stand-in
            else:
                return
        last = [f"{c.method} {c.path} {c.body} -> {c.status} {c.answer if (c.status or 0) >= 400 else ''}" for c in self.calls[-5:]]
        raise AssertionError(f"{what} did not come in {timeout} s. The last calls: {last or 'none'}. {self.violations or ''}")

    def wait_ready(self, timeout: float = 30) -> None:
        """Until a client has taken in its READY and its guilds."""
        self.wait(lambda: any(s.ready and s.socket for s in self._sessions.values()), timeout, "A client")
        self.settle(timeout)

    def settle(self, timeout: float = 30) -> None:
        """Until every client has taken in what was sent so far: each is asked for a heartbeat, which tells its last event."""

        def work() -> dict[Session, int]:
            for session in self._sessions.values():
                if session.socket is not None:
                    session.socket.send({"op": 1, "d": None})
            return {s: len(s.log) for s in self._sessions.values() if s.socket is not None}

        due = self._do(work)
        self.wait(lambda: all(s.seen >= n for s, n in due.items()), timeout, "A heartbeat")

    def wait_sent(self, count: int = 1, timeout: float = 30) -> Message:
        """The message that makes it so many."""
        self.wait(lambda: len(self.sent) >= count, timeout, f"Message {count}")
        return self.sent[count - 1]

    # The place and its people.

    def add_guild(self, name: str = "Workers' co-op", *, locale: str = "ja", permissions: int = ORDINARY) -> Guild:
        """The bot joins it, with a role of its own. May be done while it runs."""

        def work() -> Guild:
            guild = Guild(name, locale)
            guild.roles.append(Role(guild, self.bot.name, permissions, managed=True))
            guild.members[self.bot] = [guild.roles[-1]]
            self.guilds.append(guild)
            self.users[guild.owner.id] = guild.owner
            self._event("GUILD_CREATE", lambda s: guild.created(self.bot, bool(s.intents & GUILD_MEMBERS)), GUILDS)
            return guild

        return self._do(work)

    def add_role(self, name: str, permissions: int = 0, *, mentionable: bool = False, guild: Guild | None = None) -> Role:
        found = guild or self._guild()

        def work() -> Role:
            role = Role(found, name, permissions, mentionable)
            found.roles.append(role)
            self._event("GUILD_ROLE_CREATE", lambda _: {"guild_id": str(found.id), "role": role.payload()}, GUILDS)
            return role

        return self._do(work)

    def add_member(
        self, who: str | User, permissions: int = 0, *, roles: Iterable[Role] = (), guild: Guild | None = None, locale: str = "ja"
    ) -> User:
        """A person; `permissions` come on top of everyone's, by a role."""
        found = guild or self._guild()
        user = who if isinstance(who, User) else User(who, locale=locale)
        held = list(roles)
        if permissions:
            held.append(self.add_role(f"{user.name}'s", permissions, guild=found))

        def work() -> None:
            found.members[user] = held
            self.users[user.id] = user
            data = found.member(user) | {"user": user.payload(), "guild_id": str(found.id)}
            self._event("GUILD_MEMBER_ADD", lambda _: data, GUILD_MEMBERS)

        self._do(work)
        return user

    def add_channel(
        self,
        name: str = "general",
        kind: str = "text",
        *,
        permissions: int | None = None,  # the bot's, exactly
        guild: Guild | None = None,
        parent: Channel | None = None,
        recipient: User | None = None,
        tags: Iterable[str] = (),
        require_tag: bool = False,
    ) -> Channel:
        if kind == "dm":
            assert recipient is not None, "A DM needs its recipient."
            return self.dm(recipient)
        home = guild or (parent.guild if parent else None) or self._guild()

        def work() -> Channel:
            channel = Channel(kind, name, home, parent, tags={t: snowflake() for t in tags}, require_tag=require_tag)
            if permissions is not None:
                channel.overwrites[self.bot] = (permissions, EVERYTHING & ~permissions)
            return self._add(channel)

        if kind == "thread" and parent is None:
            raise ValueError("A thread needs its parent.")
        return self._do(work)

    def set_permissions(self, channel: Channel, permissions: int, who: User | Role | None = None) -> None:
        """What the bot (or another) may do in a channel, from now on."""

        def work() -> None:
            channel.overwrites[who or self.bot] = (permissions, EVERYTHING & ~permissions)
            self._event("CHANNEL_UPDATE", lambda _: channel.payload(), GUILDS)

        self._do(work)

    def dm(self, user: User) -> Channel:
        return self._do(lambda: self._dm(user))

    def remove_guild(self, guild: Guild) -> None:
        """The bot is thrown out."""

        def work() -> None:
            self.guilds.remove(guild)
            for channel in guild.channels:
                del self.channels[channel.id]
            self._event("GUILD_DELETE", lambda _: {"id": str(guild.id), "unavailable": False}, GUILDS)

        self._do(work)

    # What people do.

    def say(
        self,
        channel: Channel,
        user: User,
        content: str,
        *,
        mentions_bot: bool | None = None,
        replies_to: Message | None = None,
        content_visible: bool | None = None,
    ) -> Message:
        """A message. `<@BOT>` in it is the bot; a reply rings whom it answers, as the app does unless told."""
        content = content.replace("<@BOT>", self.bot.mention)
        named = {int(i) for i in re.findall(r"<@!?(\d+)>", content)} | ({replies_to.author.id} if replies_to else set())
        mentions = [u for u in self.users.values() if u.id in named]
        if mentions_bot and self.bot not in mentions:
            mentions.append(self.bot)
        if mentions_bot is False and self.bot in mentions:
            mentions.remove(self.bot)

        def work() -> Message:
            message = Message(channel, user, content, mentions=mentions, reference=replies_to, visible=content_visible)
            if replies_to is not None:
                message.message_reference = self._reference(replies_to)
            self._post(message)
            return message

        return self._do(work)

    def forward(self, message: Message, channel: Channel, user: User) -> Message:
        """A member passes a message on: it arrives as a picture of that message, without words of its own."""

        def work() -> Message:
            passed = Message(channel, user, forwarded=message, message_reference=self._reference(message) | {"type": 1})
            self._post(passed)
            return passed

        return self._do(work)

    def edit(self, message: Message, content: str) -> None:
        def work() -> None:
            message.content, message.edited = content, now()
            self._message_event("MESSAGE_UPDATE", message)

        self._do(work)

    def delete(self, message: Message) -> None:
        self._do(lambda: self._delete(message))

    def slash(
        self, channel: Channel, user: User, command: str, *, locale: str | None = None, force: bool = False, **options: Any
    ) -> Interaction:
        """A command as registered ("group sub" for one inside); `force` sends it to a user it is hidden from."""
        registered = self._command(command, 1, channel, user, force)
        data = self._named(registered) | {"options": command_options(command, registered, options)}
        things = resolved(options.values(), channel, self.bot)
        return self._interact(2, channel, user, data | ({"resolved": things} if things else {}), locale)

    def autocomplete(self, channel: Channel, user: User, command: str, focused: str, **options: Any) -> list[Json]:
        """The choices offered while an option is being typed."""
        registered = self._command(command, 1, channel, user, False)
        data = self._named(registered) | {"options": command_options(command, registered, options, focused)}
        return self._interact(4, channel, user, data, None).wait_choices()

    def message_command(self, message: Message, command: str, user: User, *, locale: str | None = None) -> Interaction:
        registered = self._command(command, 3, message.channel, user, False)
        target = {"messages": {str(message.id): message.payload(self.bot)}}
        data = self._named(registered) | {"target_id": str(message.id), "resolved": target}
        return self._interact(2, message.channel, user, data, locale)

    def user_command(self, target: User, command: str, user: User, channel: Channel) -> Interaction:
        registered = self._command(command, 2, channel, user, False)
        data = self._named(registered) | {"target_id": str(target.id), "resolved": resolved([target], channel, self.bot)}
        return self._interact(2, channel, user, data, None)

    def press(self, message: Message, custom_id: str, user: User, *, locale: str | None = None) -> Interaction:
        """A button of a message."""
        return self._use(message, custom_id, user, None, locale)

    def select(self, message: Message, custom_id: str, user: User, values: list[str]) -> Interaction:
        """A menu of a message."""
        return self._use(message, custom_id, user, values, None)

    def submit_modal(
        self, opened: Interaction, values: Mapping[str, Any] | None = None, *, locale: str | None = None
    ) -> Interaction:
        """The modal that `opened` was answered with; fields that are not given stay as they were shown."""
        modal = opened.wait_modal()
        given = dict(values or {})
        components = [filled(c, given) for c in modal["components"]]
        if given:
            raise NotOffered(f"The modal has no field {sorted(given)}.")
        data = {"custom_id": modal["custom_id"], "components": components}
        return self._interact(5, opened.channel, opened.user, data, locale, opened.source)

    def expire(self, interaction: Interaction) -> None:
        """Its token is too old from now on."""
        interaction.expired = True

    # What goes wrong.

    def fail(
        self,
        method: str,
        path_part: str,
        *,
        status: int | None = 500,  # None: the connection is cut
        code: int = 0,
        times: int = 1,
        after_accepting: bool = False,
        retry_after: float = 0.2,
        is_global: bool = False,
        via: bool = True,  # False on a 429: what a ban by the proxy in front looks like
        message: str = "Refused by the test",
    ) -> None:
        """The next calls that match get this answer; "*" matches every method."""
        fault = Fault(method, path_part, times, after_accepting, status=status, body={"message": message, "code": code})
        if status == 429:
            fault.body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": is_global}
            fault.headers = {"Retry-After": str(max(1, round(retry_after))), "X-RateLimit-Scope": "global" if is_global else "user"}
        if status == 429 and via:
            fault.headers |= {"Via": "1.1 google", "X-RateLimit-Reset-After": str(retry_after)}
        if status == 429 and is_global:
            fault.headers["X-RateLimit-Global"] = "true"
        self._faults.append(fault)

    def hang(self, method: str, path_part: str, *, seconds: float = 3600, times: int = 1, after_accepting: bool = False) -> None:
        """The next calls that match wait so long, or until `release`."""
        self._faults.append(Fault(method, path_part, times, after_accepting, seconds=seconds, hang=True))

    def forget_nonces(self) -> None:
        """Minutes pass: a repeated nonce is no longer recognised."""
        self._do(self._nonces.clear)

    def remove_channel(self, channel: Channel) -> None:
        """Somebody deletes it."""

        def work() -> None:
            gone = channel.payload()
            del self.channels[channel.id]
            if channel.guild is not None:
                channel.guild.channels.remove(channel)
            self._event("CHANNEL_DELETE", lambda _: gone, GUILDS)

        self._do(work)

    def release(self) -> None:
        self._do(self._release.set)

    def drop(self, code: int | None = None) -> None:
        """Closes every socket with a code; without one the connection just breaks."""

        def work() -> None:
            for socket in list(self._sockets):
                self._detach(socket)
                if code is None:
                    socket.abort()
                else:
                    self._spawn(socket.ws.close(code=code))

        self._do(work)

    @contextmanager
    def outage(self, code: int | None = None) -> Iterator[None]:
        """The sockets drop, and a client that comes back is not greeted before the end."""
        self._do(lambda: self._open.clear())
        self.drop(code)
        yield
        self._do(lambda: self._open.set())

    def ask_reconnect(self) -> None:
        def work() -> None:
            for socket in self._sockets:
                socket.send({"op": 7, "d": None})

        self._do(work)

    def invalidate(self, *, resumable: bool = False) -> None:
        def work() -> None:
            if not resumable:
                self._sessions.clear()
            for socket in self._sockets:
                socket.send({"op": 9, "d": resumable})

        self._do(work)

    def stop_heartbeat_acks(self) -> None:
        self._acks = False

    def resume_heartbeat_acks(self) -> None:
        self._acks = True

    # The gateway.

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(max_msg_size=0, autoping=True)
        await ws.prepare(request)
        socket = Socket(ws, request, zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None)
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            await self._refuse(socket, 4012)
            return ws
        await self._open.wait()
        writer = asyncio.create_task(socket.write())
        self._sockets.add(socket)
        socket.send({"op": 10, "d": {"heartbeat_interval": int(self.heartbeat * 1000), "_trace": []}})
        received = 0
        try:
            async for frame in ws:
                if frame.type is not WSMsgType.TEXT:
                    continue
                received += 1
                payload = json.loads(frame.data)
                code = 4002 if len(frame.data.encode()) > 4096 else 4008 if received > 120 else self._receive(socket, payload)
                if code:
                    await self._refuse(socket, code)
                self._tell()
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer
            self._detach(socket, over=ws.close_code in (1000, 1001))
            self._tell()
        return ws

    async def _refuse(self, socket: Socket, code: int) -> None:
        self.closed.append(code)
        self._detach(socket)
        await socket.ws.close(code=code)

    def _detach(self, socket: Socket, over: bool = False) -> None:
        """The session waits for a resume, unless the client said goodbye."""
        self._sockets.discard(socket)
        for session in list(self._sessions.values()):
            if session.socket is socket:
                session.socket = None
                if over:
                    del self._sessions[session.id]

    def _receive(self, socket: Socket, payload: Json) -> int | None:
        """Answers one message of a client; the code to close with, if it broke a rule."""
        op, data = payload.get("op"), payload.get("d")
        session = next((s for s in self._sessions.values() if s.socket is socket), None)
        if op == 1:
            self.beats += 1
            if session is not None and isinstance(data, int):
                session.seen = data
            if self._acks:
                socket.send({"op": 11, "d": None})
        elif op == 2 and isinstance(data, dict):
            return self._identify(socket, data) if session is None else 4005
        elif op == 6 and isinstance(data, dict):
            return self._resume(socket, data) if session is None else 4005
        elif session is None:
            return 4003
        elif op == 8 and isinstance(data, dict):
            self._chunk(session, data)
        elif op not in (3, 4):
            return 4001
        return None

    def _identify(self, socket: Socket, data: Json) -> int | None:
        if data.get("token") != self.token:
            return 4004
        intents = data.get("intents")
        self.identifies += 1
        self.intents.append(intents or 0)
        if not isinstance(intents, int) or intents < 0 or intents >= 1 << 26:
            return 4013
        if intents & PRIVILEGED & ~self.privileged:
            return 4014
        self._sessions = {k: s for k, s in self._sessions.items() if s.socket}
        session = Session(intents, socket)
        self._sessions[session.id] = session
        ready = {
            "v": 10, "user": self._me(), "guilds": [{"id": str(g.id), "unavailable": True} for g in self.guilds],
            "session_id": session.id, "session_type": "normal", "resume_gateway_url": self.gateway, "user_settings": {},
            "application": {"id": str(self.bot.id), "flags": 0}, "private_channels": [], "relationships": [], "presences": [],
            "geo_ordered_rtc_regions": ["japan"], "auth": {}, "_trace": [],
        }  # fmt: skip
        session.event("READY", ready | ({"shard": data["shard"]} if "shard" in data else {}))
        if intents & GUILDS:
            for guild in self.guilds:
                here = guild.created(self.bot, bool(intents & GUILD_MEMBERS)) | {"unavailable": False}
                session.event("GUILD_CREATE", here)
        session.ready = True
        return None

    def _resume(self, socket: Socket, data: Json) -> int | None:
        session = self._sessions.get(str(data.get("session_id")))
        if data.get("token") != self.token:
            return 4004
        if session is None:
            socket.send({"op": 9, "d": False})
            return None
        if not 0 <= (data.get("seq") or 0) <= len(session.log):
            return 4007
        session.socket = socket
        for missed in session.log[data.get("seq") or 0 :]:
            socket.send(missed)
        session.event("RESUMED", {"_trace": []})
        self.resumes += 1
        return None

    def _chunk(self, session: Session, data: Json) -> None:
        for guild in self.guilds:
            if str(guild.id) == str(data.get("guild_id")):
                members = [guild.member(u) | {"user": u.payload()} for u in guild.members]
                chunk = {"guild_id": str(guild.id), "members": members, "chunk_index": 0, "chunk_count": 1, "not_found": []}
                session.event("GUILD_MEMBERS_CHUNK", chunk | {"nonce": data.get("nonce")})

    def _event(self, name: str, build: Callable[[Session], Json], intent: int = 0) -> None:
        for session in self._sessions.values():
            if not intent or session.intents & intent:
                session.event(name, build(session))

    def _message_event(self, name: str, message: Message) -> None:
        if message.ephemeral or (message.channel.guild and not message.channel.permissions(self.bot) & VIEW_CHANNEL):
            return
        intent = GUILD_MESSAGES if message.channel.guild else DIRECT_MESSAGES
        self._event(name, lambda s: message.event(self.bot, bool(s.intents & MESSAGE_CONTENT)), intent)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # REST.

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        call = await self._read(request)
        self.calls.append(call)
        schema = discord_schema()
        if schema is not None:
            self.violations += schema.request(call.method, call.path, call.body)
        fault = self._fault(call)
        if fault is not None and not fault.after:
            await self._pause(fault)
        headers: dict[str, str] = {}
        if fault is None or fault.after or fault.hang:
            call.status, call.answer = self._answer(call, request.headers.get("Authorization"))
            if fault is not None and fault.after:
                self._tell()
                await self._pause(fault)
        if fault is not None and not fault.hang:
            call.status, call.answer, headers = fault.status, fault.body, fault.headers
        self._tell()
        if call.status is None and request.transport is not None:
            request.transport.abort()
        # No charset: a client may read the header literally.
        body = b"" if call.answer is None else json.dumps(call.answer, ensure_ascii=False).encode()
        kind = {"Content-Type": "application/json"} if body else {}
        return web.Response(status=call.status or 500, body=body or None, headers=headers | kind)

    async def _read(self, request: web.Request) -> Call:
        files: dict[str, bytes] = {}
        body: Any = None
        if request.content_type == "multipart/form-data":
            form = await request.post()
            for part in form.values():
                if isinstance(part, web.FileField):
                    files[part.filename] = part.file.read()
                    part.file.close()
            body = json.loads(str(form.get("payload_json", "{}")))
        elif request.can_read_body:
            raw = await request.read()
            body = json.loads(raw) if raw else None
        return Call(request.method, "/" + request.match_info["path"], dict(request.query), body, files)

    def _fault(self, call: Call) -> Fault | None:
        for fault in self._faults:
            if fault.times > 0 and fault.method in ("*", call.method) and fault.part in call.path:
                fault.times -= 1
                return fault
        return None

    async def _pause(self, fault: Fault) -> None:
        if fault.seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._release.wait(), fault.seconds)

    def _answer(self, call: Call, authorization: str | None) -> tuple[int, Any]:
        try:
            if not call.path.startswith(("/interactions/", "/webhooks/")) and authorization != f"Bot {self.token}":
                raise ApiError(401, 0, "401: Unauthorized")
            for method, pattern, handler in ROUTES:
                if method == call.method and (found := pattern.match(call.path)):
                    answer = handler(self, call, **found.groupdict())
                    return (204, None) if answer is None else (200, answer)
            self.violations.append(f"{call.method} {call.path}: the stand-in does not know this route")
            raise ApiError(404, 0, "404: Not Found")
        except ApiError as refused:
            return refused.status, refused.body

    @route("GET", "/users/@me")
    def _get_me(self, _: Call) -> Json:
        return self._me()

    @route("GET", "/oauth2/applications/@me")
    @route("GET", "/applications/@me")
    def _application(self, _: Call) -> Json:
        owner = self.guilds[0].owner if self.guilds else User("Developer")
        return {
            "id": str(self.bot.id), "name": self.bot.name, "icon": None, "description": "", "type": None, "summary": "",
            "bot": self.bot.payload(), "bot_public": True, "bot_require_code_grant": False, "owner": owner.payload(), "team": None,
            "verify_key": "0" * 64, "flags": 0, "flags_new": "0", "redirect_uris": [], "interactions_endpoint_url": None,
            "role_connections_verification_url": None, "approximate_guild_count": len(self.guilds), "tags": [],
            "approximate_user_install_count": 0, "approximate_user_authorization_count": 0, "event_webhooks_url": None,
            "event_webhooks_status": 1, "explicit_content_filter": 0, "integration_types_config": {"0": {}}, "hook": True,
            "rpc_origins": [], "max_participants": None, "eligible_oauth2_scopes": ["bot", "applications.commands"],
        }  # fmt: skip

    @route("GET", "/gateway")
    def _gateway_url(self, _: Call) -> Json:
        return {"url": self.gateway}

    @route("GET", "/gateway/bot")
    def _gateway_bot(self, _: Call) -> Json:
        limit = {"total": 1000, "remaining": 1000 - self.identifies, "reset_after": 86_400_000, "max_concurrency": 1}
        return {"url": self.gateway, "shards": 1, "session_start_limit": limit}

    @route("GET", "/users/{user}")
    def _get_user(self, _: Call, user: str) -> Json:
        return self._user(user).payload()

    @route("POST", "/users/@me/channels")
    def _open_dm(self, call: Call) -> Json:
        return self._dm(self._user(call.body.get("recipient_id"))).payload()

    @route("GET", "/guilds/{guild}")
    def _get_guild(self, _: Call, guild: str) -> Json:
        return self._known_guild(guild).payload()

    @route("GET", "/guilds/{guild}/channels")
    def _get_channels(self, _: Call, guild: str) -> list[Json]:
        return [c.payload() for c in self._known_guild(guild).channels if not c.thread]

    @route("GET", "/guilds/{guild}/roles")
    def _get_roles(self, _: Call, guild: str) -> list[Json]:
        return [r.payload() for r in self._known_guild(guild).roles]

    @route("GET", "/guilds/{guild}/members/{user}")
    def _get_member(self, _: Call, guild: str, user: str) -> Json:
        found, who = self._known_guild(guild), self._user(user)
        if who not in found.members:
            raise ApiError(404, 10007, "Unknown Member")
        return found.member(who) | {"user": who.payload()}

    @route("GET", "/users/@me/guilds")
    def _my_guilds(self, _: Call) -> list[Json]:
        return [
            {
                "id": str(g.id), "name": g.name, "icon": None, "banner": None, "owner": False, "features": [],
                "permissions": str(g.permissions(self.bot)),
            }
            for g in self.guilds
        ]  # fmt: skip

    @route("DELETE", "/users/@me/guilds/{guild}")
    def _leave(self, _: Call, guild: str) -> None:
        self.guilds.remove(self._known_guild(guild))

    # Commands.

    @route("GET", "/applications/{app}/commands")
    @route("GET", "/applications/{app}/guilds/{guild}/commands")
    def _get_commands(self, _: Call, app: str, guild: str = "0") -> list[Json]:
        self._application_is(app)
        return self._scopes.get(int(guild), [])

    @route("PUT", "/applications/{app}/commands")
    @route("PUT", "/applications/{app}/guilds/{guild}/commands")
    def _put_commands(self, call: Call, app: str, guild: str = "0") -> list[Json]:
        self._application_is(app)
        check_commands(call.body)
        self.syncs += 1
        self._scopes[int(guild)] = [self._registered(c, int(guild)) for c in call.body]
        return self._scopes[int(guild)]

    @route("POST", "/applications/{app}/commands")
    @route("POST", "/applications/{app}/guilds/{guild}/commands")
    def _post_command(self, call: Call, app: str, guild: str = "0") -> Json:
        self._application_is(app)
        new = self._registered(call.body, int(guild))
        kept = [c for c in self._scopes.get(int(guild), []) if c["id"] != new["id"]]
        check_commands([*kept, call.body])
        self._scopes[int(guild)] = [*kept, new]
        return new

    @route("DELETE", "/applications/{app}/commands/{command}")
    @route("DELETE", "/applications/{app}/guilds/{guild}/commands/{command}")
    def _delete_command(self, _: Call, app: str, command: str, guild: str = "0") -> None:
        self._application_is(app)
        kept = [c for c in self._scopes.get(int(guild), []) if c["id"] != command]
        if len(kept) == len(self._scopes.get(int(guild), [])):
            raise ApiError(404, 10063, "Unknown application command")
        self._scopes[int(guild)] = kept

    def _registered(self, command: Json, guild: int) -> Json:
        """As Discord stores it: a command keeps its id when it is sent again."""
        same = [c for c in self._scopes.get(guild, []) if (c["name"], c["type"]) == (command["name"], command.get("type") or 1)]
        defaults = {"type": 1, "description": "", "default_member_permissions": None, "nsfw": False, "contexts": None}
        fixed = {"id": same[0]["id"] if same else str(snowflake()), "application_id": str(self.bot.id), "version": str(snowflake())}
        scope = {"guild_id": str(guild)} if guild else {}
        found = defaults | {"dm_permission": True} | command | fixed | scope
        found["integration_types"] = command.get("integration_types") or [0]
        if found["default_member_permissions"] is not None:
            found["default_member_permissions"] = str(found["default_member_permissions"])
        return found

    # Messages.

    @route("GET", "/channels/{channel}")
    def _get_channel(self, _: Call, channel: str) -> Json:
        return self._channel(channel).payload()

    @route("PATCH", "/channels/{channel}")
    def _patch_channel(self, call: Call, channel: str) -> Json:
        """A thread is opened again by its owner; nothing else of a channel is changed here."""
        where = self._channel(channel, SEND_MESSAGES_IN_THREADS)
        if not where.thread or where.owner is not self.bot or set(call.body) - {"archived"}:
            raise ApiError(403, 50013, "Missing Permissions")
        where.archived = bool(call.body["archived"])
        return where.payload()

    @route("GET", "/guilds/{guild}/threads/active")
    def _active_threads(self, _: Call, guild: str) -> Json:
        found = [c for c in self._known_guild(guild).channels if c.thread and not c.archived]
        return {"threads": [c.payload() for c in found if c.permissions(self.bot) & VIEW_CHANNEL], "members": []}

    @route("POST", "/channels/{channel}/typing")
    def _typing(self, _: Call, channel: str) -> None:
        self.typing.append(self._channel(channel, SEND_MESSAGES))

    @route("POST", "/channels/{channel}/messages")
    def _create_message(self, call: Call, channel: str) -> Json:
        where = self._channel(channel)
        self._may_write(where, call.body, call.files)
        nonce = call.body.get("nonce")
        if call.body.get("enforce_nonce") and nonce is not None and (where.id, str(nonce)) in self._nonces:
            return self._nonces[where.id, str(nonce)].payload(self.bot)
        message = self._written(where, call.body, call.files)
        if nonce is not None:
            self._nonces[where.id, str(nonce)] = message
        self._post(message)
        return message.payload(self.bot)

    @route("GET", "/channels/{channel}/messages")
    def _history(self, call: Call, channel: str) -> list[Json]:
        where = self._channel(channel, READ_MESSAGE_HISTORY)
        before, after = int(call.query.get("before", EVERYTHING << 11)), int(call.query.get("after", 0))
        found = [m for m in where.messages if after < m.id < before and not m.deleted and not m.ephemeral]
        limit = int(call.query.get("limit", 50))
        chosen = found[:limit] if after else found[-limit:]
        return [m.payload(self.bot, self._reads()) for m in reversed(chosen)]

    @route("GET", "/channels/{channel}/messages/{message}")
    def _get_message(self, _: Call, channel: str, message: str) -> Json:
        self._channel(channel, READ_MESSAGE_HISTORY)
        return self._message(channel, message).payload(self.bot, self._reads())

    @route("PATCH", "/channels/{channel}/messages/{message}")
    def _patch_message(self, call: Call, channel: str, message: str) -> Json:
        self._channel(channel)
        found = self._message(channel, message)
        if found.author is not self.bot:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        if found.channel.archived:
            raise ApiError(400, 50083, "Thread is archived")
        return self._edit(found, call.body, call.files)

    @route("DELETE", "/channels/{channel}/messages/{message}")
    def _delete_message(self, _: Call, channel: str, message: str) -> None:
        found = self._message(channel, message)
        self._channel(channel, 0 if found.author is self.bot else MANAGE_MESSAGES)
        self._delete(found)

    @route("POST", "/channels/{channel}/messages/{message}/crosspost")
    def _crosspost(self, _: Call, channel: str, message: str) -> Json:
        found = self._message(channel, message)
        where = self._channel(channel, SEND_MESSAGES if found.author is self.bot else SEND_MESSAGES | MANAGE_MESSAGES)
        if where.kind != "announcement":
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        if found.flags & CROSSPOSTED:
            raise ApiError(400, 40033, "This message has already been crossposted")
        found.flags |= CROSSPOSTED
        self._message_event("MESSAGE_UPDATE", found)
        return found.payload(self.bot)

    @route("PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me")
    def _react(self, _: Call, channel: str, message: str, emoji: str) -> None:
        self._channel(channel, ADD_REACTIONS | READ_MESSAGE_HISTORY)
        self._message(channel, message).reactions.add(emoji)

    @route("DELETE", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me")
    def _unreact(self, _: Call, channel: str, message: str, emoji: str) -> None:
        self._channel(channel)
        self._message(channel, message).reactions.discard(emoji)

    @route("POST", "/channels/{channel}/threads")
    @route("POST", "/channels/{channel}/messages/{message}/threads")
    def _start_thread(self, call: Call, channel: str, message: str | None = None) -> Json:
        parent = self._channel(channel)
        forum = parent.kind == "forum"
        self._channel(channel, SEND_MESSAGES if forum else CREATE_PUBLIC_THREADS)
        if parent.thread or parent.guild is None:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        body, first = call.body, call.body.get("message") or {}
        if not 1 <= len(body.get("name") or "") <= 100:
            raise invalid({"name": ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")})
        tags = [int(t) for t in body.get("applied_tags") or []]
        if forum:
            check_message(first, len(call.files))
            if parent.require_tag and not tags:
                raise ApiError(400, 40067, "A tag is required to create a forum post in this channel")
            if set(tags) - set(parent.tags.values()):
                raise ApiError(404, 10087, "Unknown tag")
            if len(tags) > 5:
                raise invalid({"applied_tags": ("BASE_TYPE_BAD_LENGTH", "Must be 5 or fewer in length.")})
        thread = Channel("thread", body["name"], parent.guild, parent, owner=self.bot, applied_tags=tags)
        thread.kind = "announcement_thread" if parent.kind == "announcement" else "thread"
        thread.auto_archive = body.get("auto_archive_duration") or 4320
        if message is not None:
            thread.id = self._message(channel, message).id  # so it is with Discord
            if thread.id in self.channels:
                raise ApiError(400, 160004, "A thread has already been created for this message")
        self._add(thread)
        if not forum:
            return thread.payload()
        opening = self._written(thread, first, call.files)
        opening.id = thread.id
        self._post(opening)
        return thread.payload() | {"message": opening.payload(self.bot)}

    def _may_write(self, where: Channel, body: Json, files: Mapping[str, bytes]) -> None:
        """Raises unless the bot may send this there, and it holds the limits."""
        if where.kind == "forum":
            raise ApiError(400, 50008, "Cannot send messages in a non-text channel")
        if where.recipient is not None and not where.recipient.accepts_dms:
            raise ApiError(403, 50007, "Cannot send messages to this user")
        need = SEND_MESSAGES_IN_THREADS if where.thread else SEND_MESSAGES
        need |= (EMBED_LINKS if body.get("embeds") else 0) | (ATTACH_FILES if files else 0)
        self._channel(str(where.id), need)
        if where.thread and where.locked:
            raise ApiError(400, 50083 if where.archived else 160005, "Thread is archived or locked")
        where.archived = False
        reference = body.get("message_reference")
        if reference and where.guild and not where.permissions(self.bot) & READ_MESSAGE_HISTORY:
            raise ApiError(400, 160002, "Cannot reply without permission to read message history")
        if reference and self._referenced(body) is None and reference.get("fail_if_not_exists", True):
            raise invalid({"message_reference": ("REPLIES_UNKNOWN_MESSAGE", "Unknown message")})
        check_message(body, len(files))

    def _written(self, where: Channel, body: Json, files: Mapping[str, bytes], via: str = "channel") -> Message:
        message = Message(where, self.bot, nonce=body.get("nonce"), via=via)
        message.reference = self._referenced(body)
        if message.reference is not None:
            message.message_reference = self._reference(message.reference)
        self._fill(message, body, files)
        return message

    def _fill(self, message: Message, body: Json, files: Mapping[str, bytes]) -> None:
        """What is said, and whom it rings."""
        message.content, message.embeds = body.get("content") or "", body.get("embeds") or []
        message.components, message.allowed_mentions = numbered(body.get("components") or []), body.get("allowed_mentions")
        message.flags |= body.get("flags") or 0
        replied = message.reference.author if message.reference else None
        texts = "\n".join([message.content, *(c.get("content") or "" for c in walk(message.components))])
        message.pings = pings(texts, message.allowed_mentions, message.channel, self.bot, message.via, replied)
        message.mentions = [u for u in self.users.values() if u.id in message.pings.users]
        self._attach(message, files)
        message.versions.append(message.content)
        self.sent.append(message)

    def _attach(self, message: Message, files: Mapping[str, bytes]) -> None:
        message.files |= files
        for name, data in files.items():
            url = f"http://127.0.0.1:{self.port}/attachments/{name}"
            kind = {"id": str(snowflake()), "filename": name, "size": len(data), "url": url, "proxy_url": url}
            message.attachments.append(kind | {"content_type": "application/octet-stream", "ephemeral": message.ephemeral})

    def _edit(self, message: Message, body: Json, files: Mapping[str, bytes]) -> Json:
        """An edit replaces what it names, leaves the rest, and rings nobody."""
        whole: Json = {"content": message.content, "embeds": message.embeds, "components": message.components}
        whole["flags"] = message.flags
        whole |= {k: v for k, v in body.items() if k in whole and k != "flags"}
        check_message(whole | {"allowed_mentions": body.get("allowed_mentions")}, len(files) + len(message.attachments))
        message.content, message.embeds = whole["content"] or "", whole["embeds"] or []
        message.components, message.edited = numbered(whole["components"] or []), now()
        if "attachments" in body:
            kept = {str(a.get("id")) for a in body["attachments"]}
            message.attachments = [a for a in message.attachments if a["id"] in kept]
        self._attach(message, files)
        message.versions.append(message.content)
        self._message_event("MESSAGE_UPDATE", message)
        return message.payload(self.bot)

    def _post(self, message: Message) -> None:
        message.channel.messages.append(message)
        self._messages[message.id] = message
        self._message_event("MESSAGE_CREATE", message)

    def _delete(self, message: Message) -> None:
        message.deleted = True
        channel = message.channel
        gone = {"id": str(message.id), "channel_id": str(channel.id)} | (
            {"guild_id": str(channel.guild.id)} if channel.guild else {}
        )
        self._event("MESSAGE_DELETE", lambda _: gone, GUILD_MESSAGES if channel.guild else DIRECT_MESSAGES)

    # Interactions.

    @route("POST", "/interactions/{interaction}/{token}/callback")
    def _callback(self, call: Call, interaction: str, token: str) -> Json | None:
        found, body = self.interactions.get(token), call.body
        waited = call.at - found.at if found else 0
        if (
            found is None
            or str(found.id) != interaction
            or (not found.callbacks and (found.expired or waited > self.answer_within))
        ):
            raise ApiError(404, 10062, "Unknown interaction")
        if found.callbacks:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        kind, data = body.get("type"), body.get("data") or {}
        allowed = {2: (4, 5, 9), 3: (4, 5, 6, 7, 9), 4: (8,), 5: (4, 5, 6, 7) if found.source else (4, 5)}[found.type]
        if kind not in allowed:
            raise invalid({"type": ("BASE_TYPE_CHOICES", f"Value must be one of {allowed}.")})
        if kind == 4:
            check_message(data, len(call.files))
        elif kind == 8 and len(data.get("choices") or []) > 25:
            raise invalid({"data.choices": ("BASE_TYPE_BAD_LENGTH", "Must be 25 or fewer in length.")})
        elif kind == 9:
            check_modal(data)
        elif kind == 7 and found.source is not None:
            self._edit(found.source, data, call.files)
        found.callbacks.append(body)
        found.answered_after = waited
        if kind in (6, 7):
            found.original, found.updated = found.source, kind == 7
        elif kind == 4:
            found.original = self._reply(found, data, call.files)
        elif kind == 5:
            found.original = Message(
                found.channel, self.bot, flags=LOADING | ((data.get("flags") or 0) & EPHEMERAL), via="interaction"
            )
            found.original.interaction = self._metadata(found)
            self._post(found.original)
        if call.query.get("with_response") not in ("1", "true"):
            return None
        told: Json = {"id": str(found.id), "type": found.type}
        if found.original is None:
            return {"interaction": told}
        told |= {"response_message_id": str(found.original.id), "response_message_loading": found.original.loading}
        told["response_message_ephemeral"] = found.original.ephemeral
        if kind in (5, 6):
            return {"interaction": told}
        return {"interaction": told, "resource": {"type": kind, "message": found.original.payload(self.bot)}}

    @route("POST", "/webhooks/{app}/{token}")
    def _follow_up(self, call: Call, app: str, token: str) -> Json | None:
        found = self._answered(app, token)
        check_message(call.body, len(call.files))
        if found.kind == 5 and found.original is not None and found.original.loading and not found.original.deleted:
            message = self._complete(found.original, call.body, call.files)  # and it stays as hidden as the defer made it
        else:
            message = self._reply(found, call.body, call.files)
            found.followups.append(message)
        return message.payload(self.bot) if call.query.get("wait") in ("1", "true") else None

    @route("GET", "/webhooks/{app}/{token}/messages/{message}")
    def _get_response(self, _: Call, app: str, token: str, message: str) -> Json:
        return self._response(self._answered(app, token), message).payload(self.bot)

    @route("PATCH", "/webhooks/{app}/{token}/messages/{message}")
    def _patch_response(self, call: Call, app: str, token: str, message: str) -> Json:
        found = self._answered(app, token)
        response = self._response(found, message)
        if response.loading:
            check_message(call.body, len(call.files))
            return self._complete(response, call.body, call.files).payload(self.bot)
        edited = self._edit(response, call.body, call.files)
        found.updated = found.updated or response is found.original
        return edited

    @route("DELETE", "/webhooks/{app}/{token}/messages/{message}")
    def _delete_response(self, _: Call, app: str, token: str, message: str) -> None:
        self._delete(self._response(self._answered(app, token), message))

    def _answered(self, app: str, token: str) -> Interaction:
        found = self.interactions.get(token)
        if found is None or app != str(self.bot.id) or not found.callbacks:
            raise ApiError(404, 10015, "Unknown Webhook")
        if found.expired or time.monotonic() - found.at > 15 * 60:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return found

    def _response(self, found: Interaction, message: str) -> Message:
        ours = [found.original] if message == "@original" else [found.original, *found.followups]
        for response in ours:
            if response is not None and not response.deleted and message in ("@original", str(response.id)):
                return response
        raise ApiError(404, 10008, "Unknown Message")

    def _reply(self, found: Interaction, body: Json, files: Mapping[str, bytes]) -> Message:
        message = self._written(found.channel, body, files, "interaction")
        message.interaction = self._metadata(found)
        self._post(message)
        return message

    def _complete(self, message: Message, body: Json, files: Mapping[str, bytes]) -> Message:
        self._fill(message, {**body, "flags": (body.get("flags") or 0) & ~EPHEMERAL}, files)
        message.flags &= ~LOADING  # last: who waits for it looks at all of it then
        self._message_event("MESSAGE_UPDATE", message)
        return message

    def _metadata(self, found: Interaction) -> Json:
        owners = {"0": str(found.channel.guild.id if found.channel.guild else 0)}
        return {
            "id": str(found.id), "type": found.type, "user": found.user.payload(), "authorizing_integration_owners": owners,
        }  # fmt: skip

    def _interact(
        self, kind: int, channel: Channel, user: User, data: Json, locale: str | None, source: Message | None = None
    ) -> Interaction:
        interaction = Interaction(self, kind, channel, user, data, source)
        guild = channel.guild
        payload: Json = {
            "id": str(interaction.id), "application_id": str(self.bot.id), "type": kind, "token": interaction.token, "version": 1,
            "data": data, "channel_id": str(channel.id), "channel": channel.partial(user), "locale": locale or user.locale,
            "app_permissions": str(channel.permissions(self.bot)), "entitlements": [], "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(guild.id if guild else 0)}, "context": 0 if guild else 1,
            "attachment_size_limit": 10 << 20,
        }  # fmt: skip
        if guild is None:
            payload["user"] = user.payload()
        else:
            payload |= {"guild_id": str(guild.id), "guild": guild.partial(), "guild_locale": guild.locale}
            payload["member"] = guild.member(user, channel.permissions(user)) | {"user": user.payload()}
        if source is not None:
            payload["message"] = source.payload(self.bot)

        def work() -> Interaction:
            self.interactions[interaction.token] = interaction
            interaction.at = time.monotonic()
            self._event("INTERACTION_CREATE", lambda _: payload)
            return interaction

        return self._do(work)

    def _use(self, message: Message, custom_id: str, user: User, values: list[str] | None, locale: str | None) -> Interaction:
        component = message.component(custom_id)
        if message.deleted or component.get("disabled"):
            raise NotOffered(f"{custom_id!r} cannot be used.")
        if message.ephemeral and message.interaction and message.interaction["user"]["id"] != str(user.id):
            raise NotOffered("Only the one it was shown to can use it.")
        if (component["type"] == 2) == (values is not None):
            raise NotOffered(f"{custom_id!r} is not of this kind.")
        data: Json = {"custom_id": custom_id, "component_type": component["type"], "id": component.get("id", 0)}
        if values is not None:
            check_values(component, values)
            data["values"] = values
        return self._interact(3, message.channel, user, data, locale, message)

    # Commands as people find them.

    def _command(self, command: str, kind: int, channel: Channel, user: User, force: bool) -> Json:
        name = command.split()[0] if kind == 1 else command
        here = self._scopes.get(channel.guild.id, []) if channel.guild else []
        for found in [*here, *self._scopes.get(0, [])]:
            if found["name"] != name or found["type"] != kind:
                continue
            contexts = found["contexts"] if found["contexts"] is not None else [0, 1] if found["dm_permission"] else [0]
            if (0 if channel.guild else 1) not in contexts:
                raise NotOffered(f"/{name} is not offered here.")
            bits = int(found["default_member_permissions"] or 0) | USE_APPLICATION_COMMANDS
            nobody = found["default_member_permissions"] == "0" and channel.permissions(user) != EVERYTHING
            if channel.guild and not force and (nobody or bits & ~channel.permissions(user)):
                raise NotOffered(f"/{name} is hidden from {user.name}.")
            return found
        raise NotOffered(f"There is no /{name}, only {[c['name'] for c in self.commands]}.")

    def _named(self, command: Json) -> Json:
        return {k: command[k] for k in ("id", "name", "type", "guild_id") if k in command}

    # Looking things up.

    def _me(self) -> Json:
        return self.bot.payload() | {"mfa_enabled": True, "locale": "en-US", "premium_type": 0, "email": None, "verified": True}

    def _guild(self) -> Guild:
        return self.guilds[0] if self.guilds else self.add_guild()

    def _add(self, channel: Channel) -> Channel:
        assert channel.guild is not None
        channel.guild.channels.append(channel)
        self.channels[channel.id] = channel
        new = {"newly_created": True} if channel.thread else {}
        self._event("THREAD_CREATE" if channel.thread else "CHANNEL_CREATE", lambda _: channel.payload() | new, GUILDS)
        return channel

    def _dm(self, user: User) -> Channel:
        if user not in self._dms:
            self._dms[user] = Channel("dm", recipient=user)
            self.channels[self._dms[user].id] = self._dms[user]
            self.users[user.id] = user
        return self._dms[user]

    def _reads(self) -> bool:
        return bool(self.privileged & MESSAGE_CONTENT)

    def _application_is(self, app: str) -> None:
        if app != str(self.bot.id):
            raise ApiError(403, 20012, "You are not authorized to perform this action on this application")

    def _known_guild(self, guild: str) -> Guild:
        for found in self.guilds:
            if str(found.id) == guild:
                return found
        raise ApiError(404, 10004, "Unknown Guild")

    def _user(self, user: Any) -> User:
        for found in self.users.values():
            if str(found.id) == str(user):
                return found
        raise ApiError(404, 10013, "Unknown User")

    def _channel(self, channel: str, need: int = 0) -> Channel:
        """A channel in which the bot may do what it is about to."""
        found = self.channels.get(int(channel))
        if found is None:
            raise ApiError(404, 10003, "Unknown Channel")
        have = found.permissions(self.bot) if found.guild else EVERYTHING
        if not have & VIEW_CHANNEL:
            raise ApiError(403, 50001, "Missing Access")
        if need & ~have:
            raise ApiError(403, 50013, "Missing Permissions")
        return found

    def _message(self, channel: str, message: str) -> Message:
        found = self._messages.get(int(message))
        if found is None or found.deleted or found.ephemeral or str(found.channel.id) != channel:
            raise ApiError(404, 10008, "Unknown Message")
        return found

    def _referenced(self, body: Json) -> Message | None:
        wanted = (body.get("message_reference") or {}).get("message_id")
        found = self._messages.get(int(wanted)) if wanted else None
        return None if found is None or found.deleted else found

    def _reference(self, message: Message) -> Json:
        found = {"type": 0, "message_id": str(message.id), "channel_id": str(message.channel.id)}
        return found | ({"guild_id": str(message.channel.guild.id)} if message.channel.guild else {})
