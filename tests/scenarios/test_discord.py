"""Discord from end to end: the real client over the wire against a stand-in of Discord's gateway and API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.bootstrap import build, enabled_adapters
from bot.channels import Finding
from bot.config import Settings
from tests.discord_objects import ORDINARY, SEND_MESSAGES, Channel, Message, User
from tests.discord_platform import GUILDS, DiscordPlatform
from tests.running import Running, rows

TOKEN = "token-of-the-bot"


@pytest.fixture(scope="module", autouse=True)
def discords_own_addresses() -> Iterator[None]:
    """The addresses belong to the process: other tests shall find them as they were."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, yarl.URL(str(gateway))


def settings(platform: DiscordPlatform, data: Path) -> Settings:
    return Settings(
        data_dir=data,
        discord_token=TOKEN,
        discord_api_base=platform.api_base,
        discord_gateway=platform.gateway,
        _env_file=None,
    )


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]
) -> Iterator[tuple[DiscordPlatform, Running, Path]]:
    data = filled(tmp_path_factory.mktemp("discord"))
    with DiscordPlatform(token=TOKEN) as platform:
        platform.add_guild("組合のサーバー")
        platform.add_channel("玄関")
        with Running(settings(platform, data)) as bot:
            platform.wait_sent()  # it has introduced itself
            yield platform, bot, data


class Room:
    def __init__(self, platform: DiscordPlatform, bot: Running, channel: Channel, user: User) -> None:
        self.platform, self.bot, self.channel, self.user = platform, bot, channel, user

    def ask(self, question: str, user: User | None = None) -> Message:
        return self.platform.slash(self.channel, user or self.user, "ask", question=question).wait_response()

    def say(self, text: str, **about: Any) -> Message:
        before = len(self.platform.sent)
        self.platform.say(self.channel, self.user, text, **about)
        return self.platform.wait_sent(before + 1)

    def press(self, message: Message, label: str) -> Any:
        ids = {b["label"]: b["custom_id"] for row in message.components for b in row["components"]}
        return self.platform.press(message, ids[label], self.user)

    def quiet(self, text: str, **about: Any) -> bool:
        before = len(self.platform.sent)
        self.platform.say(self.channel, self.user, text, **about)
        self.platform.settle()
        self.ask("こんにちは")
        return len(self.platform.sent) == before + 1


@pytest.fixture
def room(place: tuple[DiscordPlatform, Running, Path]) -> Iterator[Callable[..., Room]]:
    platform, bot, _ = place

    def make(kind: str = "text", **about: Any) -> Room:
        user = platform.add_member("花子")
        parent = platform.add_channel("広場") if kind == "thread" else None
        channel = platform.dm(user) if kind == "dm" else platform.add_channel("相談", kind, parent=parent, **about)
        return Room(platform, bot, channel, user)

    yield make
    assert not platform.violations
    assert not any(m.pings.everyone or m.pings.users or m.pings.roles for m in platform.sent if m.author is platform.bot)


def told(message: Message) -> str:
    """Everything a reader sees."""
    embeds = [part for e in message.embeds for part in (e.get("description", ""), *(f["value"] for f in e.get("fields", [])))]
    return "\n".join([message.content, *embeds])


def test_the_command_is_deferred_then_answered_with_its_source_as_a_link(room: Callable[..., Room]) -> None:
    r = room()
    asked = r.platform.slash(r.channel, r.user, "ask", question="労協は何人から作れますか")
    message = asked.wait_response()
    assert asked.deferred_after is not None
    assert asked.deferred_after < 1
    assert not asked.ephemeral
    (embed,) = message.embeds
    assert "3人" in embed["description"]
    assert "[労働者協同組合法 第22条](https://laws.e-gov.go.jp/law/502AC1000000078)" in embed["fields"][0]["value"]
    assert [b["label"] for b in message.components[0]["components"]] == [
        "くわしく", "やさしい日本語で", "コツを足す", "👍 役に立った", "👎 ちがった",
    ]  # fmt: skip


def test_japanese_clients_see_the_command_in_japanese_and_it_is_told_once(place: tuple[DiscordPlatform, Running, Path]) -> None:
    platform, _, _ = place
    command = next(c for c in platform.commands if c["name"] == "ask")
    assert command["name_localizations"]["ja"] == "質問"
    assert platform.syncs == 1
    assert all(i & (1 << 1 | 1 << 8 | 1 << 15) == 0 for i in platform.intents)


@pytest.mark.parametrize("kind", ["text", "thread", "announcement"])
def test_a_mention_is_answered_as_a_reply_and_talk_goes_on_there(room: Callable[..., Room], kind: str) -> None:
    r = room(kind)
    first = r.say("<@BOT> 理事は何人?")
    assert "3人" in told(first)
    assert first.reference is not None
    again = r.say("<@BOT> 監事は?")
    assert "1人" in told(again)
    assert r.quiet("労協は何人から作れますか")


def test_a_reply_to_the_bot_asks_about_what_it_said_there(room: Callable[..., Room]) -> None:
    r = room()
    first = r.say("<@BOT> 監事の任期は?")
    r.say("<@BOT> 創立総会の公告の期限は?")
    assert "第36条" in told(r.say("出典", replies_to=first, mentions_bot=True))
    assert "@をつけて" in told(r.say("出典", replies_to=first, mentions_bot=False))


def test_alone_with_the_bot(room: Callable[..., Room]) -> None:
    r = room("dm")
    assert "3人" in told(r.say("理事は何人?"))
    assert "2年" in told(r.say("じゃあ任期は?"))
    assert "12時間" in told(r.say("何を記録しているの?"))
    assert "消しました" in told(r.say("わたしの記録を消して"))
    assert "長すぎ" in told(r.say("総会" * 1_900 + "?" * 300))


def test_what_is_forwarded_to_the_bot_alone_is_the_question(room: Callable[..., Room]) -> None:
    group, alone = room(), room("dm")
    asked = group.platform.say(group.channel, group.user, "理事は何人必要?")
    before = len(group.platform.sent)
    group.platform.forward(asked, alone.channel, alone.user)
    assert "3人" in told(group.platform.wait_sent(before + 1))
    picture = group.platform.say(group.channel, group.user, "")
    picture.attachments.append(
        {"id": "1", "filename": "a.png", "size": 3, "url": "https://cdn.example/a.png", "proxy_url": "https://cdn.example/a.png"}
    )
    before = len(group.platform.sent)
    group.platform.forward(picture, alone.channel, alone.user)
    assert "文字" in told(group.platform.wait_sent(before + 1))


def test_what_is_forwarded_into_a_channel_is_left_alone(room: Callable[..., Room]) -> None:
    r = room()
    asked = r.say("<@BOT> 監事の任期は?")
    before = len(r.platform.sent)
    r.platform.forward(asked, r.channel, r.user)
    r.platform.settle()
    r.ask("こんにちは")
    assert len(r.platform.sent) == before + 1


def test_large_type_and_easy_words_last_for_the_person(room: Callable[..., Room]) -> None:
    r = room()
    usual = told(r.ask("理事は何人?"))
    r.ask("字を大きく")
    r.ask("やさしい日本語で")
    large = r.ask("理事は何人?")
    assert large.embeds[0]["description"].startswith("## ")
    assert told(large) != usual
    somebody = r.platform.add_member("太郎")
    again = told(r.ask("理事は何人?", somebody))
    assert usual.strip().split("\n")[0] in again.strip().split("\n")  # in everyday words; more of the topic may follow
    assert "（" not in again


def test_buttons_go_on_and_rate_exactly_their_answer(room: Callable[..., Room]) -> None:
    r = room()
    message = r.ask("総会の招集は何日前まで?")
    assert told(r.press(message, "くわしく").wait_response()) != told(message)
    before = r.bot.yui.store.rating_counts()
    thanks = r.press(message, "👍 役に立った")
    assert "記録しました" in told(thanks.wait_response())
    assert thanks.ephemeral
    assert r.bot.yui.store.rating_counts()[True] == before.get(True, 0) + 1


def test_a_button_goes_on_from_the_answer_it_stands_under(room: Callable[..., Room]) -> None:
    r = room()
    first = r.ask("監事の任期は?")
    r.ask("創立総会の公告の期限は?")
    assert "4年" in told(r.press(first, "やさしい日本語で").wait_response())


def test_an_answer_is_there_once_whatever_gets_lost(room: Callable[..., Room]) -> None:
    r = room()
    r.platform.fail("POST", "/callback", status=500, after_accepting=True)
    assert "3人" in told(r.ask("理事は何人?"))
    r.platform.fail("PATCH", "/messages/@original", status=500, after_accepting=True)
    before = len(r.platform.sent)
    assert "4年" in told(r.ask("監事の任期は?"))
    r.platform.settle()
    assert len([m for m in r.platform.sent[before:] if told(m)]) <= 1
    r.platform.violations.clear()


def test_text_of_members_never_pings(room: Callable[..., Room]) -> None:
    r = room()
    r.say("<@BOT> @everyone @here <@&1> 組合のユニフォームの洗濯の当番表")
    r.ask("@everyone 労働者協同組合@here法の第999条は?")


def test_where_it_may_not_write_or_embed(room: Callable[..., Room], caplog: pytest.LogCaptureFixture) -> None:
    silent = room(permissions=ORDINARY & ~SEND_MESSAGES)
    assert silent.quiet("<@BOT> 理事は何人?")
    assert "may not write" in caplog.text
    plain = room(permissions=ORDINARY & ~(1 << 14))
    message = plain.say("<@BOT> 理事は何人?")
    assert not message.embeds
    assert "3人" in message.content
    assert "出典" in message.content


def test_an_answer_that_discord_no_longer_waits_for(room: Callable[..., Room], caplog: pytest.LogCaptureFixture) -> None:
    r = room()
    r.platform.fail("POST", "/callback", status=404, code=10062)
    before = len(r.platform.sent)
    r.platform.slash(r.channel, r.user, "ask", question="監事の任期は?")
    assert "4年" in told(r.platform.wait_sent(before + 1))  # in the channel itself
    assert "no longer waits" in caplog.text
    assert "3人" in told(r.ask("理事は何人?"))
    assert 'yui_late_total{platform="discord"} 1.0' in r.bot.http.get("/metrics").text
    r.platform.violations.clear()


def test_server_errors_and_limits_are_waited_out(room: Callable[..., Room]) -> None:
    r = room()
    r.platform.fail("POST", f"/channels/{r.channel.id}/messages", status=500)
    assert "3人" in told(r.say("<@BOT> 理事は何人?"))
    r.platform.fail("POST", f"/channels/{r.channel.id}/messages", status=500, after_accepting=True)
    before = len(r.channel.messages)
    r.platform.say(r.channel, r.user, "<@BOT> 監事の任期は?")
    r.platform.wait(lambda: len([c for c in r.platform.calls if c.path.endswith(f"{r.channel.id}/messages")]) >= 4)
    r.platform.settle()
    assert len(r.channel.messages) == before + 2  # the question, and its answer once


def test_what_was_asked_while_the_line_was_cut_is_answered_once(room: Callable[..., Room]) -> None:
    r = room()
    before = len(r.platform.sent)
    with r.platform.outage():
        r.platform.say(r.channel, r.user, "<@BOT> 理事は何人?")
    assert "3人" in told(r.platform.wait_sent(before + 1, 30))
    resumed = r.platform.resumes
    r.platform.ask_reconnect()
    r.platform.wait(lambda: r.platform.resumes > resumed)
    assert "4年" in told(r.say("<@BOT> 監事の任期は?"))
    assert len([m for m in r.channel.messages if m.author is r.platform.bot]) == 2


def test_on_joining_a_server_it_introduces_itself_once(place: tuple[DiscordPlatform, Running, Path]) -> None:
    platform, bot, _ = place
    platform.wait(lambda: bot.yui.store.group_count("discord") == 1)  # the server it was in from the start
    guild = platform.add_guild("新しいサーバー")
    channel = platform.add_channel("玄関", guild=guild)
    platform.remove_guild(guild)

    def invited() -> None:
        """The server comes with its channels, as it does on Discord."""
        platform.guilds.append(guild)
        platform.channels[channel.id] = channel
        platform._event("GUILD_CREATE", lambda _: guild.created(platform.bot, everybody=False), GUILDS)

    platform._do(invited)
    platform.wait(lambda: channel.messages)
    (hello,) = channel.messages
    for said in (platform.bot.mention, "/質問", "【記録】", "何を記録しているの", "わたしの記録を消して"):
        assert said in hello.content
    platform.wait(lambda: bot.yui.store.group_count("discord") == 2)
    platform.remove_guild(guild)
    platform.wait(lambda: bot.yui.store.group_count("discord") == 1)


def test_no_text_no_token_and_no_id_stays(room: Callable[..., Room], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    r = room()
    r.say("<@BOT> ひみつのあいことば総会の招集は何日前?")
    r.quiet("みんなの内緒のはなし")
    assert "ひみつのあいことば" not in rows(r.bot.yui, without="asked")  # what was asked is in the record alone
    assert "ひみつのあいことば" not in caplog.text
    asyncio.run(r.bot.yui.conversations.forget(r.bot.yui.conversations.pseudonym("discord", str(r.user.id))))
    files = b"".join(f.read_bytes() for f in r.bot.yui.settings.data_dir.glob("yui.db*"))
    for hidden in ("ひみつのあいことば", "内緒のはなし", str(r.user.id), TOKEN):
        assert hidden not in caplog.text
        assert hidden.encode() not in files


def test_buttons_work_after_a_restart_and_commands_are_not_told_again(data_folder: Path) -> None:
    with DiscordPlatform(token=TOKEN) as platform:
        platform.add_guild("組合のサーバー")
        user, channel = platform.add_member("花子"), platform.add_channel("相談")
        with Running(settings(platform, data_folder)):
            platform.wait_ready()
            message = platform.slash(channel, user, "ask", question="理事は何人?").wait_response()
        with Running(settings(platform, data_folder)) as bot:
            platform.wait(lambda: platform.identifies == 2)
            platform.wait_ready()
            more = next(b["custom_id"] for b in message.components[0]["components"] if b["label"] == "くわしく")
            assert platform.press(message, more, user).wait_response()
            assert bot.http.get("/healthz").status_code == 200
        assert platform.syncs == 1
        assert not platform.violations


def test_a_wrong_token_is_said_and_the_rest_runs_on(data_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with DiscordPlatform(token="another") as platform, Running(settings(platform, data_folder)) as bot:
        platform.wait(lambda: "YUI_DISCORD_TOKEN" in caplog.text)
        assert bot.http.post("/api/ask", json={"question": "理事は何人?"}).json()["answered"]
    assert TOKEN not in caplog.text


def test_the_doctor_looks_at_every_step(data_folder: Path) -> None:
    with DiscordPlatform(token=TOKEN) as platform:
        yui = build(settings(platform, data_folder))

        def findings() -> dict[str, Finding]:
            async def collect() -> list[Finding]:
                (adapter,) = enabled_adapters(yui)
                assert adapter.examine
                return [f async for f in adapter.examine()]

            return {f.name: f for f in asyncio.run(collect())}

        assert "permissions=274877991936" in findings()["Discord servers"].remedy
        platform.add_guild("組合", permissions=ORDINARY)
        assert findings()["Discord server 組合"].well
        platform.add_channel("お知らせだけ", permissions=ORDINARY & ~SEND_MESSAGES)
        platform.add_channel("埋め込みなし", permissions=ORDINARY & ~(1 << 14))
        told = findings()["Discord server 組合"].told
        assert "#お知らせだけ (embed_links, send_messages)" in told
        assert "#埋め込みなし (embed_links)" in told
        platform.add_guild("連合会")
        forum = platform.add_channel("掲示板", "forum", guild=platform.guilds[-1], require_tag=True, tags=["相談"])
        assert findings()["Discord server 連合会"].told == "everything it needs is allowed"
        forum.tags.clear()
        assert "#掲示板" in findings()["Discord server 連合会"].told
        platform.token = "changed"
        assert "YUI_DISCORD_TOKEN" in findings()["Discord token"].remedy
        yui.close()
