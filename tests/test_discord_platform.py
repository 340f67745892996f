"""The stand-in of Discord against a real client: every rule it keeps can be broken."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from tests.discord_objects import (
    EMBED_LINKS,
    EVERYTHING,
    MANAGE_GUILD,
    MENTION_EVERYONE,
    ORDINARY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    NotOffered,
    Pings,
)
from tests.discord_platform import DiscordPlatform
from tests.discord_schema import discord_schema

TOKEN = "token-of-a-test"


class Vote(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"vote:(?P<id>\d+)"):
    """A button whose state lies in its custom id."""

    def __init__(self, number: int) -> None:
        super().__init__(discord.ui.Button(label="Good", custom_id=f"vote:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(cls, _: Any, item: Any, match: Any) -> Self:  # noqa: ARG003
        return cls(int(match["id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message(f"voted {self.number}", ephemeral=True)


class Tip(discord.ui.Modal, title="A tip"):
    """A text and a choice, each in a label."""

    text: discord.ui.Label[Any] = discord.ui.Label(text="Tip", component=discord.ui.TextInput(custom_id="text", max_length=300))
    topic: discord.ui.Label[Any] = discord.ui.Label(
        text="Topic",
        component=discord.ui.Select(custom_id="topic", options=[discord.SelectOption(label=t, value=t) for t in ("a", "b")]),
    )

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        text, topic = self.text.component, self.topic.component
        assert isinstance(text, discord.ui.TextInput)
        assert isinstance(topic, discord.ui.Select)
        await interaction.response.send_message(f"{text.value} in {topic.values[0]}")


class Board(discord.ui.View):
    """Updates its message at once, later, or never."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Next", custom_id="next")
    async def next(self, interaction: discord.Interaction[Any], _: Any) -> None:
        await interaction.response.edit_message(content="page 2")

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: discord.Interaction[Any], _: Any) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="page 3", view=None)

    @discord.ui.button(label="Off", custom_id="off", disabled=True)
    async def off(self, interaction: discord.Interaction[Any], _: Any) -> None:
        raise NotImplementedError

    @discord.ui.select(custom_id="menu", options=[discord.SelectOption(label=t, value=t) for t in "abc"], max_values=2)
    async def menu(self, interaction: discord.Interaction[Any], select: discord.ui.Select[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(content="+".join(select.values))


class Probe(discord.Client):
    """A small bot with one of each kind."""

    def __init__(self, sync: bool = True, intents: discord.Intents | None = None, **options: Any) -> None:
        found = intents or discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
        super().__init__(intents=found, guild_ready_timeout=0.1, allowed_mentions=discord.AllowedMentions.none(), **options)
        self.tree = app_commands.CommandTree(self)
        self.sync, self.heard, self.gate, self.errors = sync, list[str](), asyncio.Event(), list[BaseException]()
        self.loop_of_it: asyncio.AbstractEventLoop | None = None
        self.commands()

    def commands(self) -> None:
        @self.tree.command()
        async def ask(interaction: discord.Interaction[Any], question: str, private: bool = False) -> None:
            """Asks."""
            await interaction.response.defer(ephemeral=private, thinking=True)
            view = discord.ui.View(timeout=None).add_item(Vote(7))
            await interaction.followup.send(f"{interaction.locale.value}: {question}", view=view)
            await interaction.followup.send("more")

        @ask.autocomplete("question")
        async def offer(_: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{typed}{n}", value=f"{typed}{n}") for n in range(3)]

        @self.tree.command()
        async def slow(interaction: discord.Interaction[Any]) -> None:
            """Answers late."""
            await self.gate.wait()
            await interaction.response.send_message("late")

        @self.tree.command()
        async def twice(interaction: discord.Interaction[Any]) -> None:
            """Answers through another object a second time."""
            await interaction.response.send_message("first")
            interaction.response._response_type = None
            await interaction.response.send_message("second")

        @self.tree.command()
        async def early(interaction: discord.Interaction[Any]) -> None:
            """Follows up on nothing."""
            await interaction.followup.send("too early")

        @self.tree.command()
        async def tip(interaction: discord.Interaction[Any]) -> None:
            """Opens a modal."""
            await interaction.response.send_modal(Tip())

        @self.tree.command()
        @app_commands.default_permissions(manage_guild=True)
        async def settings(interaction: discord.Interaction[Any], where: discord.TextChannel, who: discord.Member) -> None:
            """For those who run the place."""
            await interaction.response.send_message(f"{where.name} {who.name} {interaction.permissions.manage_guild}")

        @self.tree.command()
        async def board(interaction: discord.Interaction[Any]) -> None:
            """A message whose components answer in each way."""
            await interaction.response.send_message("board", view=Board())

        @self.tree.context_menu(name="Save")
        async def save(interaction: discord.Interaction[Any], message: discord.Message) -> None:
            await interaction.response.send_message(f"saved {message.content}")

        @self.tree.error
        async def failed(_: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
            self.errors.append(getattr(error, "original", error))

    async def setup_hook(self) -> None:
        self.loop_of_it = asyncio.get_running_loop()
        self.add_dynamic_items(Vote)
        if self.sync:
            await self.tree.sync()

    async def before_identify_hook(self, _: int | None, *, initial: bool = False) -> None:
        """The client would wait five seconds before a second identify."""

    async def on_message(self, message: discord.Message) -> None:
        assert self.user is not None
        if message.author.id != self.user.id:
            self.heard.append(message.content)
        if message.author.id != self.user.id and (message.guild is None or self.user in message.mentions):
            await message.reply(f"heard {message.content}", mention_author=False)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs something on the bot's loop, from the test."""
        assert self.loop_of_it is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop_of_it).result(10)


@pytest.fixture
def discord_(monkeypatch: pytest.MonkeyPatch) -> Iterator[DiscordPlatform]:
    with DiscordPlatform(TOKEN) as platform:
        monkeypatch.setattr(discord.http.Route, "BASE", platform.api_base)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(platform.gateway))
        platform.add_guild("Bakery")
        yield platform


@contextmanager
def running(discord_: DiscordPlatform, make: Callable[[], Probe] = Probe) -> Iterator[Probe]:
    """The client on a loop of its own, ready."""
    started: list[Probe] = []

    async def live() -> None:
        started.append(make())
        async with started[0]:
            await started[0].start(TOKEN)

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    try:
        discord_.wait_ready()
        yield started[0]
    finally:
        if started:
            started[0].do(started[0].close())
        thread.join(10)


def test_handshake_slash_defer_and_follow_up(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel("general"), discord_.add_member("Hana")
    with running(discord_) as bot:
        i = discord_.slash(channel, user, "ask", question="米は？", locale="ja")
        message = i.wait_response()
        discord_.wait(lambda: i.followups)
        bot.do(bot.wait_until_ready())
    assert (message.content, i.followups[0].content) == ("ja: 米は？", "more")
    assert i.deferred_after is not None
    assert i.deferred_after < 1
    assert not i.ephemeral
    assert [c["type"] for c in i.callbacks] == [5]
    assert discord_.identifies == discord_.syncs == 1
    assert discord_.intents == [bot.intents.value]
    assert {c["name"] for c in discord_.commands} >= {"ask", "settings", "Save"}
    assert [m.content for m in discord_.sent] == ["ja: 米は？", "more"]
    assert discord_.violations == []


def test_the_defer_decides_who_sees_the_answer(discord_: DiscordPlatform) -> None:
    channel, user, other = discord_.add_channel(), discord_.add_member("Hana"), discord_.add_member("Ken")
    with running(discord_):
        i = discord_.slash(channel, user, "ask", question="?", private=True)
        message = i.wait_response()
        discord_.wait(lambda: i.followups)
        with pytest.raises(NotOffered):
            discord_.press(message, "vote:7", other)
        assert discord_.press(message, "vote:7", user).wait_response().content == "voted 7"
    assert i.ephemeral
    assert not i.followups[0].ephemeral
    assert message in channel.messages


def test_a_late_answer_a_second_one_and_an_early_follow_up_are_refused(discord_: DiscordPlatform) -> None:
    discord_.answer_within = 0.3
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    with running(discord_) as bot:
        discord_.slash(channel, user, "slow")
        time.sleep(0.4)
        bot.do(opened(bot))
        discord_.wait(lambda: len(bot.errors) == 1)
        expired = discord_.slash(channel, user, "twice")
        expired.wait_response()
        discord_.wait(lambda: len(bot.errors) == 2)
        discord_.slash(channel, user, "early")
        discord_.wait(lambda: len(bot.errors) == 3)
        discord_.expire(expired)
        hook = f"/webhooks/{discord_.bot.id}/{expired.token}"
        with pytest.raises(discord.HTTPException) as old:
            bot.do(bot.http.request(discord.http.Route("POST", hook), json={"content": "x"}))
    codes = [(e.status, e.code) for e in [*bot.errors, old.value] if isinstance(e, discord.HTTPException)]
    assert codes == [(404, 10062), (400, 40060), (404, 10015), (401, 50027)]
    with pytest.raises(AssertionError, match="did not come"):
        discord_.slash(channel, user, "ask", question="nobody is there").wait_response(0.1)


async def opened(bot: Probe) -> None:
    bot.gate.set()


def test_what_the_app_would_not_offer(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    chief = discord_.add_member("Mari", MANAGE_GUILD)
    with running(discord_):
        for wrong in ({}, {"question": 3}, {"question": "a", "nonsense": 1}):
            with pytest.raises(NotOffered):
                discord_.slash(channel, user, "ask", **wrong)
        with pytest.raises(NotOffered, match="There is no"):
            discord_.slash(channel, user, "nothing")
        with pytest.raises(NotOffered, match="hidden"):
            discord_.slash(channel, user, "settings", where=channel, who=user)
        i = discord_.slash(channel, chief, "settings", where=channel, who=user)
        assert i.wait_response().content == "general hana True"
        forced = discord_.slash(channel, user, "settings", force=True, where=channel, who=chief)
        assert forced.wait_response().content == "general mari False"
        choices = discord_.autocomplete(channel, user, "ask", "question", question="ri")
        assert [c["value"] for c in choices] == ["ri0", "ri1", "ri2"]


def test_modal_and_message_command(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    with running(discord_):
        opened = discord_.slash(channel, user, "tip")
        assert opened.wait_modal()["title"] == "A tip"
        for wrong in ({"text": ""}, {"text": "x" * 301}, {"topic": "c"}, {"nothing": "x"}):
            with pytest.raises(NotOffered):
                discord_.submit_modal(opened, {"text": "Wash rice", "topic": "a"} | wrong)
        answer = discord_.submit_modal(opened, {"text": "Wash rice", "topic": "a"}).wait_response()
        said = discord_.say(channel, user, "Knead it twice")
        saved = discord_.message_command(said, "Save", user).wait_response()
    assert (answer.content, saved.content) == ("Wash rice in a", "saved Knead it twice")
    assert discord_.violations == []


def test_components_update_defer_and_choose(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    with running(discord_):
        board = discord_.slash(channel, user, "board").wait_response()
        for wrong in ("off", "menu"):
            with pytest.raises(NotOffered):
                discord_.press(board, wrong, user)
        for values in (["d"], [], ["a", "b", "c"]):
            with pytest.raises(NotOffered):
                discord_.select(board, "menu", user, values)
        with pytest.raises(AssertionError, match="no component"):
            discord_.press(board, "gone", user)
        chosen = discord_.select(board, "menu", user, ["a", "c"])
        assert chosen.wait_response().content == "a+c"
        assert chosen.ephemeral
        assert discord_.press(board, "next", user).wait_response() is board
        deferred = discord_.press(board, "later", user)
        assert deferred.wait_response() is board
        assert deferred.deferred_after is not None
    assert board.versions == ["board", "page 2", "page 3"]
    assert board.components == []
    assert discord_.violations == []


def test_messages_arrive_empty_unless_they_are_meant_for_the_bot(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    hidden = discord_.add_channel("secret", permissions=0)
    with running(discord_) as bot:
        discord_.say(hidden, user, "not for you <@BOT>")
        discord_.say(channel, user, "idle talk")
        asked = discord_.say(channel, user, "<@BOT> hello")
        answer = discord_.wait_sent()
        discord_.say(channel, user, "thanks", replies_to=answer)
        discord_.wait_sent(2)
        discord_.say(channel, user, "shown", content_visible=True)
        discord_.say(discord_.dm(user), user, "between us")
        private = discord_.wait_sent(3)
    mention = discord_.bot.mention
    assert bot.heard == ["", f"{mention} hello", "thanks", "shown", "between us"]
    assert answer.reference is asked
    assert (private.content, private.channel.kind) == ("heard between us", "dm")
    assert not any(m.pings for m in discord_.sent)


def test_mentions_ring_only_whom_they_may(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    strong = discord_.add_channel("strong", permissions=ORDINARY | MENTION_EVERYONE)
    open_, shut = discord_.add_role("open", mentionable=True), discord_.add_role("shut")
    text = f"@everyone {user.mention} {open_.mention} {shut.mention}"
    everything = discord.AllowedMentions.all()
    with running(discord_) as bot:
        people_only = discord.AllowedMentions(users=True)
        for where, allowed in ((channel, None), (channel, everything), (strong, everything), (strong, people_only)):
            target = bot.get_channel(where.id)
            assert isinstance(target, discord.TextChannel)
            bot.do(target.send(text, allowed_mentions=allowed or discord.utils.MISSING))
        bot.do(bot.http.request(discord.http.Route("POST", f"/channels/{strong.id}/messages"), json={"content": text}))
    none, weak, full, people, raw = (m.pings for m in discord_.sent)
    assert not none
    assert weak == Pings(False, frozenset({user.id}), frozenset({open_.id}))
    assert full == raw == Pings(True, frozenset({user.id}), frozenset({open_.id, shut.id}))
    assert people == Pings(users=frozenset({user.id}))


def test_limits_and_permissions(discord_: DiscordPlatform) -> None:
    channel = discord_.add_channel()
    silent = discord_.add_channel("silent", permissions=VIEW_CHANNEL)
    bare = discord_.add_channel("bare", permissions=ORDINARY & ~EMBED_LINKS)
    unseen, shy = discord_.add_channel("unseen", permissions=SEND_MESSAGES), discord_.add_member("Shy")
    shy.accepts_dms = False
    button = {"type": 2, "style": 1, "label": "x", "custom_id": "a"}
    long = [{"description": "x" * 3500}, {"description": "x" * 3500}]
    with running(discord_) as bot:

        def code(where: Any, **body: Any) -> int:
            try:
                bot.do(bot.http.request(discord.http.Route("POST", f"/channels/{where.id}/messages"), json=body))
            except discord.HTTPException as refused:
                return refused.code
            return 0

        rows = [{"type": 1, "components": [button | {"custom_id": f"{r}{b}"} for b in range(5)]} for r in range(6)]
        assert code(channel, content="x" * 2000, embeds=[{"description": "x" * 4096}], components=rows[:5]) == 0
        for body in (
            {"content": "x" * 2001},
            {"embeds": [{"title": "x" * 257}]},
            {"embeds": long},
            {"embeds": [{"title": "x", "fields": [{"name": "x", "value": "y"}] * 26}]},
            {"content": "x", "components": rows},
            {"content": "x", "components": [{"type": 1, "components": [button, button]}]},
            {"content": "x", "components": [{"type": 1, "components": [button | {"label": "x" * 81}]}]},
            {"content": "x", "components": [{"type": 1, "components": [button | {"custom_id": "x" * 101}]}]},
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            {"content": "x", "flags": 1 << 15},
        ):
            assert code(channel, **body) == 50035, body
        assert code(channel, content="  ") == code(channel, components=rows[:1]) == 50006
        assert code(silent, content="x") == code(bare, embeds=[{"title": "x"}]) == 50013
        assert code(unseen, content="x") == 50001
        assert code(discord_.bot, content="x") == 10003
        assert code(discord_.dm(shy), content="x") == 50007
        discord_.set_permissions(silent, ORDINARY)
        assert code(silent, content="x") == 0
    if discord_schema():
        assert any("x" * 50 in v and "too long" in v for v in discord_.violations)


def test_the_same_nonce_is_one_message(discord_: DiscordPlatform) -> None:
    channel = discord_.add_channel()
    discord_.fail("POST", "/messages", status=502, after_accepting=True)
    with running(discord_) as bot:
        target = bot.get_channel(channel.id)
        assert isinstance(target, discord.TextChannel)
        sent = bot.do(target.send("news", nonce="week-47"))
        assert bot.do(target.send("news", nonce="week-47")).id == sent.id
    assert [m.id for m in discord_.sent] == [sent.id]
    assert [c.status for c in discord_.calls if c.path.endswith("/messages")] == [502, 200, 200]


def test_forum_announcement_and_thread(discord_: DiscordPlatform) -> None:
    forum = discord_.add_channel("tips", "forum", tags=["rice"], require_tag=True)
    news, quiet = discord_.add_channel("news", "announcement"), discord_.add_channel("quiet", permissions=VIEW_CHANNEL)
    inside = discord_.add_channel("talk", "thread", parent=discord_.add_channel())
    with running(discord_) as bot:
        place, paper, thread = bot.get_channel(forum.id), bot.get_channel(news.id), bot.get_channel(inside.id)
        assert isinstance(place, discord.ForumChannel)
        assert isinstance(paper, discord.TextChannel)
        assert isinstance(thread, discord.Thread)
        with pytest.raises(discord.HTTPException) as untagged:
            bot.do(place.create_thread(name="Tip", content="Wash it"))
        made = bot.do(place.create_thread(name="Tip", content="Wash it", applied_tags=[place.available_tags[0]]))
        assert made.thread.id == made.message.id
        bot.do(made.thread.send("and again"))
        issue = bot.do(paper.send("Open at nine"))
        bot.do(issue.publish())
        with pytest.raises(discord.HTTPException) as again:
            bot.do(issue.publish())
        bot.do(thread.send("hello"))
        bot.do(bot.do(paper.send("x")).edit(content="y"))
        walled = bot.get_channel(quiet.id)
        assert isinstance(walled, discord.TextChannel)
        with pytest.raises(discord.Forbidden):
            bot.do(walled.create_thread(name="x", type=discord.ChannelType.public_thread))
    assert (untagged.value.code, again.value.code) == (40067, 40033)
    assert [m.content for m in discord_.sent] == ["Wash it", "and again", "Open at nine", "hello", "y"]
    assert discord_.sent[-1].versions == ["x", "y"]
    assert discord_.violations == []


def test_a_resume_brings_what_was_missed(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    with running(discord_) as bot:
        discord_.ask_reconnect()
        discord_.wait(lambda: discord_.resumes == 1)
        with discord_.outage():
            discord_.say(channel, user, "<@BOT> while away")
        discord_.wait(lambda: discord_.resumes == 2)
        assert discord_.wait_sent().content.endswith("while away")
        with discord_.outage(4000):
            i = discord_.slash(channel, user, "ask", question="away too")
        assert i.wait_response().content == "ja: away too"
        assert (discord_.resumes, discord_.identifies) == (3, 1)
        discord_.invalidate()
        discord_.wait(lambda: discord_.identifies == 2)
        discord_.say(channel, user, "<@BOT> anew")
        assert discord_.wait_sent(4).content.endswith("anew")
    assert discord_.syncs == 1
    assert len(bot.heard) == 2


def test_a_silent_gateway_is_left(discord_: DiscordPlatform) -> None:
    discord_.heartbeat = 0.2
    with running(discord_, lambda: Probe(sync=False, heartbeat_timeout=0.5)):
        discord_.wait(lambda: discord_.beats > 3)
        assert discord_.resumes == 0
        discord_.stop_heartbeat_acks()
        discord_.wait(lambda: discord_.resumes > 0)


def test_tokens_and_privileged_intents_are_refused(discord_: DiscordPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(token: str, **options: Any) -> None:
        async with Probe(sync=False, **options) as bot:
            await asyncio.wait_for(bot.start(token), 10)

    with pytest.raises(discord.LoginFailure):
        asyncio.run(start("wrong"))
    with pytest.raises(discord.PrivilegedIntentsRequired):
        asyncio.run(start(TOKEN, intents=discord.Intents(guilds=True, message_content=True)))
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "send_as_json", forged(discord.gateway.DiscordWebSocket.send_as_json))
    with pytest.raises(discord.ConnectionClosed) as closed:
        asyncio.run(start(TOKEN))
    assert closed.value.code == 4004
    assert discord_.closed == [4014, 4004]


def forged(send: Any) -> Any:
    async def wrong(self: Any, data: Any) -> None:
        if data["op"] == 2:
            data["d"]["token"] = "forged"
        await send(self, data)

    return wrong


def test_content_comes_with_the_privileged_intent(discord_: DiscordPlatform) -> None:
    discord_.privileged = discord.Intents(message_content=True, members=True).value
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True, members=True)
    with running(discord_, lambda: Probe(sync=False, intents=intents)) as bot:
        discord_.say(channel, user, "idle talk")
        discord_.wait(lambda: bot.heard)
        guild = bot.get_guild(discord_.guilds[0].id)
        assert guild is not None
        assert guild.get_member(user.id) is not None
    assert bot.heard == ["idle talk"]


def test_rate_limits_hangs_and_cut_connections(discord_: DiscordPlatform) -> None:
    channel = discord_.add_channel()
    with running(discord_, lambda: Probe(sync=False)) as bot:
        target = bot.get_channel(channel.id)
        assert isinstance(target, discord.TextChannel)
        discord_.fail("POST", "/messages", status=429, retry_after=0.3, times=2)
        begun = time.monotonic()
        bot.do(target.send("patient"))
        assert time.monotonic() - begun > 0.6
        discord_.fail("POST", "/messages", status=429, via=False)
        with pytest.raises(discord.HTTPException, match="429"):
            bot.do(target.send("banned"))
        discord_.hang("POST", "/messages", seconds=0.4)
        begun = time.monotonic()
        bot.do(target.send("slow"))
        assert time.monotonic() - begun > 0.4
        discord_.fail("POST", "/messages", status=403, code=50013)
        with pytest.raises(discord.Forbidden):
            bot.do(target.send("no"))
    assert [m.content for m in discord_.sent] == ["patient", "slow"]
    posts = [c for c in discord_.calls if c.path.endswith("/messages")]
    assert [c.status for c in posts] == [429, 429, 200, 429, 200, 403]


def test_what_the_stand_in_sends_is_whole(discord_: DiscordPlatform) -> None:
    schema = discord_schema()
    if schema is None:
        pytest.skip("Discord's OpenAPI file is not at hand")
    guild, user = discord_.guilds[0], discord_.add_member("Hana", EVERYTHING)
    channel, forum = discord_.add_channel(), discord_.add_channel("tips", "forum", tags=["rice"])
    thread = discord_.add_channel("talk", "thread", parent=channel)
    message = discord_.say(channel, user, "hello")
    answer = discord_.say(channel, user, "<@BOT>", replies_to=message)
    problems = [
        *schema.component("GuildResponse", guild.payload()),
        *schema.component("GuildMemberResponse", guild.member(user) | {"user": user.payload()}),
        *schema.component("GuildChannelResponse", channel.payload()),
        *schema.component("GuildChannelResponse", forum.payload()),
        *schema.component("ThreadResponse", thread.payload()),
        *schema.component("PrivateChannelResponse", discord_.dm(user).payload()),
        *schema.component("MessageResponse", answer.payload(discord_.bot)),
        *schema.component("UserPIIResponse", discord_._me()),
        *schema.component("PrivateApplicationResponse", discord_._application(None)),
    ]
    assert problems == []
    with running(discord_):
        opened = discord_.slash(channel, user, "tip").wait_modal()
        shown = discord_.slash(channel, user, "ask", question="?").wait_response()
    assert opened["components"]
    assert schema.component("MessageResponse", shown.payload(discord_.bot)) == []
    for command in discord_.commands:
        assert schema.component("ApplicationCommandResponse", command) == []
    for call in discord_.calls:
        if call.path.endswith("/callback"):
            assert schema.component("InteractionCallbackResponse", call.answer) == []


def test_commands_and_modals_are_held_to_their_limits(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    with running(discord_) as bot:
        ids = {c["name"]: c["id"] for c in discord_.commands}
        bot.do(bot.tree.sync())
        assert {c["name"]: c["id"] for c in discord_.commands} == ids
        assert discord_.syncs == 2

        def code(method: str, path: str, body: Any) -> int:
            try:
                bot.do(bot.http.request(discord.http.Route(method, path), json=body))
            except discord.HTTPException as refused:
                return refused.code
            return 0

        app = f"/applications/{bot.application_id}"
        plain = {"name": "x", "description": "y", "type": 1}
        option = {"type": 3, "name": "a", "description": "b"}
        choices = [{"name": "x" * 50, "value": "x" * 50}] * 25
        assert code("PUT", f"{app}/guilds/{discord_.guilds[0].id}/commands", [plain | {"name": "質問"}]) == 0
        for wrong in (
            [plain | {"name": "Upper"}],
            [plain | {"name": "x" * 33}],
            [plain | {"description": "y" * 101}],
            [plain, plain],
            [plain | {"options": [option | {"name": f"o{n}"} for n in range(26)]}],
            [plain | {"options": [option, option | {"name": "c", "required": True}]}],
            [plain | {"options": [option | {"name": f"o{n}", "choices": choices} for n in range(4)]}],
        ):
            assert code("PUT", f"{app}/commands", wrong) == 50035, wrong
        assert code("PUT", f"{app}/commands", [plain | {"name": f"c{n}"} for n in range(101)]) == 30032
        label = {"type": 18, "label": "x", "component": {"type": 4, "custom_id": "a", "style": 1}}
        modal = {"custom_id": "m", "title": "t", "components": [label]}
        several = [label | {"component": {"type": 4, "custom_id": str(n), "style": 1}} for n in range(6)]
        menu = {"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]}
        for data, expected in (
            (modal | {"title": "x" * 46}, 50035),
            (modal | {"components": several}, 50035),
            (modal | {"components": [label, label]}, 50035),
            (modal | {"components": [label | {"label": "x" * 46}]}, 50035),
            (modal | {"components": [{"type": 1, "components": [menu]}]}, 50035),
            (modal | {"components": several[:5]}, 0),
        ):
            opened = discord_.slash(channel, user, "slow")
            assert code("POST", f"/interactions/{opened.id}/{opened.token}/callback", {"type": 9, "data": data}) == expected, data


def test_files_replies_and_deleting(discord_: DiscordPlatform) -> None:
    channel, user = discord_.add_channel(), discord_.add_member("Hana")
    with running(discord_, lambda: Probe(sync=False)) as bot:
        target = bot.get_channel(channel.id)
        assert isinstance(target, discord.TextChannel)
        sent = bot.do(target.send("list", file=discord.File(io.BytesIO(b"a,b"), "list.csv")))
        assert (sent.attachments[0].filename, sent.attachments[0].size) == ("list.csv", 3)
        said = discord_.say(channel, user, "gone soon")
        discord_.delete(said)
        with pytest.raises(discord.HTTPException) as gone:
            bot.do(target.send("too late", reference=discord.PartialMessage(channel=target, id=said.id)))
        kept = discord_.say(channel, user, "mine")
        foreign = bot.do(target.fetch_message(kept.id))
        assert foreign.content == ""
        with pytest.raises(discord.Forbidden) as edit:
            bot.do(foreign.edit(content="x"))
        with pytest.raises(discord.Forbidden) as delete:
            bot.do(foreign.delete())
        bot.do(foreign.reply("answer", mention_author=True))
        bot.do(sent.delete())
        with pytest.raises(discord.NotFound):
            bot.do(target.fetch_message(sent.id))
    assert (gone.value.code, edit.value.code, delete.value.code) == (50035, 50005, 50013)
    assert discord_.sent[0].files == {"list.csv": b"a,b"}
    assert (discord_.sent[1].reference, discord_.sent[1].pings) == (kept, Pings(users=frozenset({user.id})))


def test_the_place_changes_while_the_bot_runs(discord_: DiscordPlatform) -> None:
    with running(discord_, lambda: Probe(sync=False)) as bot:
        other = discord_.add_guild("Laundry")
        channel = discord_.add_channel("new", guild=other)
        discord_.settle()
        assert bot.get_channel(channel.id) is not None
        guild = bot.get_guild(other.id)
        assert guild is not None
        found = guild.get_channel(channel.id)
        assert found is not None
        assert found.permissions_for(guild.me).value == channel.permissions(discord_.bot)
        discord_.set_permissions(channel, VIEW_CHANNEL)
        discord_.settle()
        assert found.permissions_for(guild.me).value == VIEW_CHANNEL
        discord_.remove_guild(other)
        discord_.settle()
        assert bot.get_guild(other.id) is None


def test_a_cut_connection_and_a_hang_after_acceptance(discord_: DiscordPlatform) -> None:
    channel = discord_.add_channel()
    with running(discord_, lambda: Probe(sync=False)) as bot:
        target = bot.get_channel(channel.id)
        assert isinstance(target, discord.TextChannel)
        discord_.fail("POST", "/messages", status=None, after_accepting=True)
        with pytest.raises(aiohttp.ClientError):
            bot.do(target.send("cut"))
        discord_.hang("POST", "/messages", after_accepting=True)
        assert bot.loop_of_it is not None
        waiting = asyncio.run_coroutine_threadsafe(target.send("hung"), bot.loop_of_it)
        assert discord_.wait_sent(2).content == "hung"
        assert not waiting.done()
        discord_.release()
        assert waiting.result(5).content == "hung"
