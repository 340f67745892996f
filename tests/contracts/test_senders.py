"""Announcing asks the same of every platform: what is sent stands there once, whatever gets lost, and what cannot be is told."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.endpoints import point_at
from adapters.discord.rest import Rest
from adapters.discord.sending import Sender as DiscordSender
from adapters.line.channel import Channel as LineChannel
from adapters.line.sending import Sender as LineSender
from bot.announcing.senders import LinkButton, Outcome, OutgoingMessage, Sender, SenderUnavailable, Sending, Shape, Verdict
from bot.messages import Choice
from bot.metrics import Metrics
from tests.discord_objects import ORDINARY, SEND_MESSAGES
from tests.discord_objects import Channel as DiscordChannel
from tests.discord_platform import DiscordPlatform
from tests.line_platform import MONTHLY, LinePlatform
from tests.running import TOKEN

T = TypeVar("T")
TEXT = "【総会のお知らせ】\n12月5日(土) 午後2時から 公民館で。@everyone も来てください。\n問い合わせ 03-1234-5678"
WORDS = OutgoingMessage(
    TEXT,
    picture="https://yui.example.org/pictures/1.jpg",
    links=(LinkButton("申し込む", "https://example.org/form"),),
    choices=(Choice("お知らせをくわしく"),),
)


class Where(Protocol):
    """One chat of a platform, and what a test does to the platform."""

    address: str
    shape: Shape

    def sender(self, token: str = TOKEN) -> contextlib.AbstractAsyncContextManager[Sender]: ...

    def shown(self) -> list[str]:
        """The text of each time the announcement stands in the chat."""
        ...

    def break_(self, status: int | None, *, after: bool = False) -> None:
        """The next message ends in this status, or without any answer."""
        ...

    def limit(self, seconds: float) -> None: ...

    def close(self) -> None:
        """The bot can no longer write there."""
        ...


class OnLine:
    shape = Shape.CHAT

    def __init__(self, line: LinePlatform) -> None:
        self.line = line
        self.address = line.new_group(count=20)

    @contextlib.asynccontextmanager
    async def sender(self, token: str = TOKEN) -> AsyncIterator[Sender]:
        channel = LineChannel(self.line.base, token, Metrics())
        async with channel.opened():
            yield LineSender(channel)

    def shown(self) -> list[str]:
        return [p.texts[0] for p in self.line.pushes if p.conversation_id == self.address]

    def break_(self, status: int | None, *, after: bool = False) -> None:
        if status is None:
            self.line.drop("/message/push", after_accepting=after)
        else:
            self.line.fail("/message/push", status, after_accepting=after)

    def limit(self, seconds: float) -> None:
        told = {"message": "The API rate limit has been exceeded. Try again later."}
        self.line.fail("/message/push", 429, body=told, headers={"Retry-After": str(int(seconds))})

    def close(self) -> None:
        del self.line.groups[self.address]


class OnDiscord:
    def __init__(self, discord_: DiscordPlatform, shape: Shape) -> None:
        self.discord, self.shape = discord_, shape
        self.channel: DiscordChannel = discord_.add_channel("お知らせ", shape.value)
        self.address = str(self.channel.id)

    @contextlib.asynccontextmanager
    async def sender(self, token: str = TOKEN) -> AsyncIterator[Sender]:
        point_at(self.discord.api_base, "")
        rest = Rest(token, Metrics())
        async with rest.opened():
            yield DiscordSender(rest)

    @property
    def places(self) -> list[DiscordChannel]:
        return [c for c in self.discord.channels.values() if c is self.channel or c.parent is self.channel]

    def shown(self) -> list[str]:
        return [m.content for c in self.places for m in c.messages if not m.deleted]

    @property
    def _path(self) -> str:
        return f"/channels/{self.address}/" + ("threads" if self.shape is Shape.FORUM else "messages")

    def break_(self, status: int | None, *, after: bool = False) -> None:
        self.discord.fail("POST", self._path, status=status, after_accepting=after)

    def limit(self, seconds: float) -> None:
        self.discord.fail("POST", self._path, status=429, retry_after=seconds)

    def close(self) -> None:
        self.discord.remove_channel(self.channel)


@pytest.fixture(scope="module")
def line() -> Iterator[LinePlatform]:
    with LinePlatform(access_token=TOKEN) as found:
        found.quota = None
        yield found


@pytest.fixture(scope="module")
def discord_() -> Iterator[DiscordPlatform]:
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    with DiscordPlatform(token=TOKEN) as found:
        found.add_guild()
        yield found
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, yarl.URL(str(gateway))


@pytest.fixture(params=["line", "text", "announcement", "forum"])
def where(request: pytest.FixtureRequest, line: LinePlatform, discord_: DiscordPlatform) -> Iterator[Where]:
    found: Where = OnLine(line) if request.param == "line" else OnDiscord(discord_, Shape(request.param))
    yield found
    assert not line.violations
    assert not discord_.violations
    assert not any(m.pings for m in discord_.sent)


def sending(where: Where, message: OutgoingMessage = WORDS, **about: Any) -> Sending:
    key = str(uuid.uuid4())
    given = Sending(key, where.address, where.shape, (message,), retry_key=key, nonce=key[:25], title="総会のお知らせ")
    return replace(given, **about)


def with_sender(where: Where, use: Callable[[Sender], Awaitable[T]], token: str = TOKEN) -> T:
    async def run() -> T:
        async with where.sender(token) as sender:
            return await use(sender)

    return asyncio.run(run())


def push(where: Where, given: Sending) -> Outcome:
    """Each time by a process of its own."""
    return with_sender(where, lambda sender: sender.push(given))


def plain(text: str) -> str:
    return text.replace("\\", "")


def test_it_is_there_once_however_often_it_is_repeated(where: Where) -> None:
    given = sending(where)
    first = push(where, given)
    assert first.verdict is Verdict.SENT
    assert first.message_ids
    again = push(where, replace(given, tried_at=1.0))
    assert again.verdict is Verdict.SENT
    assert again.message_ids[:1] == first.message_ids[:1]
    assert [plain(t) for t in where.shown()] == [TEXT]


@pytest.mark.parametrize("status", [500, 503, None], ids=str)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_gets_lost_is_repeated_and_shown_once(where: Where, status: int | None, after: bool) -> None:
    given = sending(where)
    where.break_(status, after=after)
    lost = push(where, given)
    assert lost.verdict is Verdict.AGAIN
    assert len(where.shown()) == int(after)
    assert push(where, replace(given, tried_at=1.0)).verdict is Verdict.SENT
    assert len(where.shown()) == 1


def test_a_limit_tells_how_long_to_wait(where: Where) -> None:
    where.limit(7)
    limited = push(where, sending(where))
    assert (limited.verdict, limited.retry_after) == (Verdict.AGAIN, 7.0)
    assert not where.shown()


def test_a_chat_that_is_gone_is_told_as_gone(where: Where) -> None:
    where.close()
    told = push(where, sending(where))
    assert told.verdict is Verdict.GONE
    assert told.why


def test_a_key_that_is_not_accepted_says_nothing_of_the_delivery(where: Where, caplog: pytest.LogCaptureFixture) -> None:
    given = sending(where)
    told = with_sender(where, lambda sender: sender.push(given), "revoked")
    assert told.verdict is Verdict.CLOSED
    assert "YUI_" in caplog.text
    assert "revoked" not in caplog.text
    assert push(where, given).verdict is Verdict.SENT


def test_before_and_after_it_runs_nothing_is_lost(where: Where, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("adapters.line.channel", "adapters.discord.rest"):
        monkeypatch.setattr(f"{module}._OPENED_WITHIN", 0.1)

    async def use() -> None:
        async with where.sender() as sender:
            pass
        assert (await sender.push(sending(where))).verdict is Verdict.CLOSED
        assert await sender.people(where.address) is None
        if sender.platform == "line":
            with pytest.raises(SenderUnavailable):
                await sender.quota()

    asyncio.run(use())
    assert not where.shown()


@pytest.mark.parametrize(
    "message",
    [
        OutgoingMessage("短い"),
        OutgoingMessage("長い。" * 1_600),
        OutgoingMessage("*_~`|>\\#" * 500),
        OutgoingMessage(
            "👨‍👩‍👧‍👦🇯🇵" * 200,
            links=tuple(LinkButton("長い名前のボタンを押すとひらきます", f"https://e.org/{n}") for n in range(9)),
        ),
        OutgoingMessage("<@1> <@&2> @here", choices=(Choice("く" * 90), Choice("く" * 90))),
        OutgoingMessage("住所が長い", links=(LinkButton("ここ", "https://example.org/" + "a" * 990),)),
    ],
    ids=["short", "long", "marks", "many buttons", "mentions", "address"],
)
def test_whatever_is_said_fits_the_platform(where: Where, message: OutgoingMessage) -> None:
    assert push(where, sending(where, message)).verdict is Verdict.SENT
    assert where.shown()


def test_several_messages_stand_in_their_order(where: Where) -> None:
    several = (OutgoingMessage("一つ目", choices=(Choice("あ"),)), OutgoingMessage("二つ目", choices=(Choice("い"),)))
    given = sending(where, messages=several)
    told = push(where, given)
    assert told.verdict is Verdict.SENT
    again = push(where, replace(given, tried_at=1.0))
    assert again == told
    if isinstance(where, OnDiscord):
        assert where.shown() == ["一つ目", "二つ目"]


# LINE alone


def test_a_push_is_charged_by_the_people_and_the_quota_is_kept(line: LinePlatform) -> None:
    where = OnLine(line)
    line.quota, line.used_before = 200, 0
    line.pushes.clear()
    try:
        assert with_sender(where, lambda s: s.people(where.address)) == 20
        assert with_sender(where, lambda s: s.people("U" + "1" * 32)) == 1
        assert with_sender(where, lambda s: s.people("C" + "0" * 32)) is None
        assert push(where, sending(where)).verdict is Verdict.SENT
        assert with_sender(where, lambda s: s.quota()) == (200, 20)
        line.used_before = 170
        assert push(where, sending(where)).verdict is Verdict.QUOTA
        assert line.charged == 190
        line.fail("/quota", 500)
        with pytest.raises(SenderUnavailable):
            with_sender(where, lambda s: s.quota())
    finally:
        line.quota, line.used_before = None, 0
    assert with_sender(where, lambda s: s.quota()) == (None, 20)


@pytest.mark.parametrize(
    ("told", "verdict", "least"),
    [
        (MONTHLY, Verdict.QUOTA, 0),
        ("The API rate limit has been exceeded. Try again later.", Verdict.AGAIN, 1),
        ("Too many messages have been sent to this user", Verdict.AGAIN, 600),
    ],
)
def test_the_three_meanings_of_429(line: LinePlatform, told: str, verdict: Verdict, least: float) -> None:
    where = OnLine(line)
    line.fail("/message/push", 429, body={"message": told})
    found = push(where, sending(where))
    assert found.verdict is verdict
    assert found.retry_after >= least


def test_a_time_out_is_repeated_with_the_same_key(line: LinePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.line.channel._TIMEOUT", 0.2)
    where = OnLine(line)
    given = sending(where)
    line.hang("/message/push", 0.5, after_accepting=True)
    assert push(where, given).verdict is Verdict.AGAIN
    assert push(where, given).verdict is Verdict.SENT
    assert len(where.shown()) == 1
    keys = {c.headers.get("x-line-retry-key") for c in line.calls if "push" in c.path and c.body["to"] == where.address}
    assert keys == {given.retry_key}


def test_line_edits_nothing(line: LinePlatform) -> None:
    where = OnLine(line)
    assert with_sender(where, lambda s: s.edit(sending(where), ("1",))).verdict is Verdict.UNSUPPORTED


def test_a_begun_reply_is_finished_with_its_token(line: LinePlatform) -> None:
    where = OnLine(line)
    token, now = line.new_reply_token(where.address), time.time()
    given = [sending(where, tried_at=now), sending(where, tried_at=now)]
    assert with_sender(where, lambda s: s.reply(given, token)).verdict is Verdict.SENT
    assert with_sender(where, lambda s: s.reply(given, token)).verdict is Verdict.SENT  # it had been used, and that was us
    (reply,) = [r for r in line.replies if r.conversation_id == where.address]
    assert len(reply.messages) == 4
    old = [replace(g, tried_at=now - 60) for g in given]
    assert with_sender(where, lambda s: s.reply(old, line.new_reply_token(where.address))).verdict is Verdict.UNCERTAIN
    assert len([r for r in line.replies if r.conversation_id == where.address]) == 1


# Discord alone


def edit(where: OnDiscord, given: Sending, ids: tuple[str, ...]) -> Outcome:
    return with_sender(where, lambda sender: sender.edit(given, ids))


@pytest.mark.parametrize("shape", [Shape.TEXT, Shape.ANNOUNCEMENT, Shape.FORUM])
def test_a_correction_stands_where_the_wrong_words_stood(discord_: DiscordPlatform, shape: Shape) -> None:
    where = OnDiscord(discord_, shape)
    given = sending(where, messages=(WORDS, OutgoingMessage("補足")))
    ids = push(where, given).message_ids
    right = replace(given, messages=(OutgoingMessage("【訂正】12月6日です", choices=WORDS.choices),))
    if shape is Shape.FORUM:
        where.places[-1].archived = True  # a week later
    told = edit(where, right, ids)
    assert told.verdict is Verdict.SENT
    assert where.shown() == ["【訂正】12月6日です"]
    discord_.delete(next(m for c in where.places for m in c.messages if not m.deleted))
    assert edit(where, right, told.message_ids).verdict is Verdict.GONE


def test_it_is_published_to_those_who_follow_and_that_may_wait(discord_: DiscordPlatform) -> None:
    where = OnDiscord(discord_, Shape.ANNOUNCEMENT)
    given = sending(where)
    discord_.fail("POST", "/crosspost", status=429, retry_after=1_800)
    waits = push(where, given)
    assert (waits.verdict, waits.retry_after) == (Verdict.AGAIN, 1_800)
    assert waits.message_ids
    discord_.forget_nonces()  # half an hour later
    assert push(where, replace(given, tried_at=1.0)).verdict is Verdict.SENT
    (message,) = where.channel.messages
    assert message.flags & 1
    assert push(where, replace(given, tried_at=1.0)).verdict is Verdict.SENT  # 40033: published already
    discord_.fail("POST", "/crosspost", status=403, code=50013)
    other = push(where, sending(where))
    assert other.verdict is Verdict.SENT
    assert "publish" in other.why


def test_a_forum_gets_a_thread_with_a_tag_where_it_wants_one(discord_: DiscordPlatform) -> None:
    for tags, required, applied in (
        (("雑談", "お知らせ"), False, "お知らせ"),
        (("雑談", "相談"), True, "雑談"),
        (("雑談", "相談"), False, None),
    ):
        where = OnDiscord(discord_, Shape.FORUM)
        where.channel.tags, where.channel.require_tag = {t: n + 1 for n, t in enumerate(tags)}, required
        assert push(where, sending(where)).verdict is Verdict.SENT
        (thread,) = [c for c in where.places if c.thread]
        assert thread.name == "総会のお知らせ"
        assert thread.applied_tags == ([where.channel.tags[applied]] if applied else [])
    where.channel.tags, where.channel.require_tag = {}, True
    assert push(where, sending(where)).verdict is Verdict.REFUSED


def test_where_it_may_not_embed_the_words_stand_alone(discord_: DiscordPlatform) -> None:
    where = OnDiscord(discord_, Shape.TEXT)
    discord_.set_permissions(where.channel, ORDINARY & ~(1 << 14))
    assert push(where, sending(where)).verdict is Verdict.SENT
    (text,) = where.shown()
    assert text.endswith("https://yui.example.org/pictures/1.jpg")
    discord_.set_permissions(where.channel, ORDINARY & ~SEND_MESSAGES)
    assert push(where, sending(where)).verdict is Verdict.GONE


def test_a_limit_for_everything_is_waited_out_without_asking(discord_: DiscordPlatform) -> None:
    where = OnDiscord(discord_, Shape.TEXT)
    discord_.fail("POST", "/messages", status=429, retry_after=5, is_global=True)

    async def twice(sender: Sender) -> tuple[Outcome, Outcome]:
        return await sender.push(sending(where)), await sender.push(sending(where))

    before = len(discord_.calls)
    first, second = with_sender(where, twice)
    assert first.verdict is second.verdict is Verdict.AGAIN
    assert 0 < second.retry_after <= 5
    assert len(discord_.calls) == before + 1


def test_nothing_is_charged_on_discord(discord_: DiscordPlatform) -> None:
    where = OnDiscord(discord_, Shape.TEXT)
    assert with_sender(where, lambda s: s.quota()) is None
    assert with_sender(where, lambda s: s.people(where.address)) is None
