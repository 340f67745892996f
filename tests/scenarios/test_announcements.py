"""Announcements from end to end: LINE groups and Discord channels over the wire, on stand-ins that count every person charged."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.announcing.announcement import Announcement, Content, Event, Means, Plan, Selection
from bot.bootstrap import build
from bot.config import Settings
from bot.members import CoOp, Grant, Purpose, Role
from tests import line_events as events
from tests.discord_objects import Channel, User
from tests.discord_platform import DiscordPlatform
from tests.fakes import FixedClock
from tests.line_platform import LinePlatform, Sent
from tests.running import SECRET, TOKEN, Running

BY = "line:the-coordinator"
MEETING = Content(
    "総会", "来年の計画を話し合います。", event=Event(dt.datetime.fromisoformat("2026-12-05T14:00:00+09:00"), place="公民館")
)
PEOPLE = 20


class Place:
    """A running bot on both platforms; two LINE groups and the channels of a server belong to one co-op."""

    def __init__(self, line: LinePlatform, discord_: DiscordPlatform, bot: Running, clock: FixedClock) -> None:
        self.line, self.discord, self.bot, self.clock = line, discord_, bot, clock
        self.busy, self.silent = (self.group() for _ in range(2))
        self.hanako: User = discord_.add_member("花子")
        self.news = self.channel("announcement")
        self.text = self.channel("text")
        self.forum = self.channel("forum")

    @property
    def announcements(self) -> Any:
        return self.bot.yui.announcements

    def group(self) -> str:
        group = self.line.new_group(count=PEOPLE)
        self.bot.line(events.join(source=events.group(group, None), reply_token=self.line.new_reply_token(group)))
        self.line.wait_for(lambda: self.replies(group))
        self.say(group, f"@ボット 連携 {self.code()}")
        self.line.wait_for(lambda: len(self.replies(group)) == 2)
        return group

    def code(self) -> str:
        return self.bot.yui.members.code(Purpose.LINK, co_op="ueda")

    def channel(self, kind: str) -> Channel:
        """A channel that somebody has linked by its code; in a forum, in one of its threads."""
        channel = self.discord.add_channel("お知らせ", kind)
        where = self.discord.add_channel("はじめに", "thread", parent=channel) if kind == "forum" else channel
        before = len(self.discord.sent)
        self.discord.say(where, self.hanako, f"<@BOT> 連携 {self.code()}")
        self.discord.wait_sent(before + 1)
        return channel

    def say(self, group: str, text: str, token: str = "") -> str:
        token = token or self.line.new_reply_token(group)
        quote = self.line.new_quote_token(group)
        said = events.text(text, source=events.group(group, "U" + "1" * 32), reply_token=token, quote_token=quote)
        assert self.bot.line(said).status_code == 200
        return token

    def replies(self, group: str) -> list[Sent]:
        return [r for r in self.line.replies if r.conversation_id == group]

    def shown(self, group: str, text: str) -> int:
        """In how many calls these words were shown to a group, free or paid."""
        every = [*self.line.replies, *self.line.pushes]
        return sum(any(text in told for told in sent.texts) for sent in every if sent.conversation_id == group)

    def compose(self, content: Content = MEETING, **plan: Any) -> Announcement:
        """On its way: Discord's channels have it."""
        made = self.announcements.compose(BY, content, Selection(co_ops=("ueda",)), Plan(reminders=False, **plan), "ueda")
        done: Announcement = self.announcements.schedule(made.id, made.version, BY)
        self.wait(done, free=3)
        return done

    def standing(self, told: Announcement) -> dict[str, int]:
        report = self.announcements.report(told.id, BY)
        return {
            "free": report.free,
            "paid": report.paid,
            "waiting": report.waiting,
            "failed": report.failed,
            "unsure": report.unsure,
        }

    def wait(self, told: Announcement, **wanted: int) -> None:
        self.line.wait_for(lambda: wanted.items() <= self.standing(told).items(), 20)

    def posts(self, channel: Channel) -> list[str]:
        """What stands there of announcements."""
        places = [c for c in self.discord.channels.values() if c is channel or c.parent is channel]
        return [
            m.content for c in places for m in c.messages if m.author is self.discord.bot and not m.deleted and "総会" in m.content
        ]


def start(line: LinePlatform, discord_: DiscordPlatform, data: Path, clock: FixedClock) -> Running:
    settings = Settings(
        data_dir=data,
        line_channel_secret=SECRET,
        line_channel_access_token=TOKEN,
        line_api_base=line.base,
        discord_token=TOKEN,
        discord_api_base=discord_.api_base,
        discord_gateway=discord_.gateway,
        public_url="https://yui.example.org",
        _env_file=None,
    )
    return Running(settings, build(settings, clock=clock))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Place]:
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    clock = FixedClock()
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line, DiscordPlatform(token=TOKEN) as discord_:
        discord_.add_guild()
        discord_.add_channel("玄関")
        with start(line, discord_, filled(tmp_path_factory.mktemp("announcing")), clock) as bot:
            discord_.wait_sent()
            bot.yui.members.put_co_op(CoOp("ueda", "労協うえだ"))
            bot.yui.members.give(BY, Grant(Role.COORDINATOR, "ueda"))
            yield Place(line, discord_, bot, clock)
        assert not line.violations
        assert not discord_.violations
        assert not any(m.pings for m in discord_.sent)
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, yarl.URL(str(gateway))


@pytest.fixture(autouse=True)
def morning(place: Place) -> Iterator[None]:
    """Each test has a week of its own, and leaves nothing behind that waits."""
    place.clock.now = dt.datetime.fromisoformat("2026-11-21T10:00:00+09:00")
    yield
    place.clock.now = dt.datetime.fromisoformat("2026-11-21T10:00:00+09:00")
    for told in place.announcements.all(BY):
        if told.state.value != "withdrawn":
            place.announcements.withdraw(told.id, told.version, BY)
    deliveries = sa.table("deliveries", sa.column("state"))
    with place.bot.yui.database.write() as c:
        c.execute(sa.delete(deliveries))


def test_one_announcement_everywhere_free_where_somebody_writes_and_paid_on_its_day(place: Place) -> None:
    charged, told = place.line.charged, place.compose(means=Means.FREE_THEN_PAY, pay_on=dt.date(2026, 11, 24))
    place.wait(told, free=3, waiting=2)  # Discord has it, and nothing is spent yet
    (published,) = [m for m in place.news.messages if "総会" in m.content]
    assert published.flags & 1
    assert "12月5日(土)" in published.content
    for channel in (place.news, place.text, place.forum):
        assert len(place.posts(channel)) == 1
    assert [c.name for c in place.discord.channels.values() if c.parent is place.forum] == ["はじめに", "総会"]

    place.say(place.busy, "おはよう")
    place.wait(told, free=4, waiting=1)
    reply = place.replies(place.busy)[-1]
    assert "12月5日(土)" in reply.texts[0]
    assert "くわしく" in str(reply.messages)
    assert place.line.charged == charged

    place.clock.now = dt.datetime.fromisoformat("2026-11-24T10:00:01+09:00")
    place.wait(told, free=4, paid=1, waiting=0)
    (push,) = [p for p in place.line.pushes if p.conversation_id == place.silent]
    assert push.people == PEOPLE
    assert push.retry_key
    assert place.line.charged == charged + PEOPLE
    assert place.shown(place.busy, "総会") == 1


def test_corrected_and_withdrawn(place: Place) -> None:
    told = place.compose()
    place.say(place.busy, "おはよう")
    place.wait(told, free=4)
    right = replace(MEETING, event=Event(dt.datetime.fromisoformat("2026-12-06T14:00:00+09:00"), place="公民館"))
    told = place.announcements.get(told.id, BY)
    channels = (place.news, place.text, place.forum)
    count = [len(place.posts(channel)) for channel in channels]
    told = place.announcements.correct(told.id, told.version, BY, right)
    for channel in channels:
        place.discord.wait(lambda channel=channel: "12月6日(日)" in "".join(place.posts(channel)), 90)  # type: ignore[misc]
    assert [len(place.posts(channel)) for channel in channels] == count
    said = len(place.replies(place.busy))
    place.say(place.busy, "ありがとう")
    place.line.wait_for(lambda: len(place.replies(place.busy)) > said)
    assert "【訂正】" in place.replies(place.busy)[-1].texts[0]

    told = place.announcements.get(told.id, BY)
    place.announcements.withdraw(told.id, told.version, BY)
    place.discord.wait(lambda: "取り消し" in "".join(place.posts(place.text)), 90)
    charged = place.line.charged
    place.say(place.busy, "わかった")
    place.line.wait_for(lambda: place.shown(place.busy, "【取り消し】") == 1)
    assert place.line.charged == charged


def test_it_rides_behind_an_answer_whose_choices_stay(place: Place) -> None:
    told = place.compose()
    count = len(place.replies(place.busy))
    place.say(place.busy, "@ボット 理事は何人?")
    place.line.wait_for(lambda: len(place.replies(place.busy)) > count)
    reply = place.replies(place.busy)[-1]
    assert "3人" in reply.texts[0]
    assert any("【お知らせ】総会" in text for text in reply.texts[1:])
    assert len(reply.messages) <= 5
    assert "quickReply" not in reply.messages[0]
    labels = [i["action"]["label"] for i in reply.messages[-1]["quickReply"]["items"]]
    assert "👍 役に立った" in labels
    place.wait(told, free=4)
    quoted = events.text(
        "出典",
        source=events.group(place.busy, "U" + "1" * 32),
        reply_token=place.line.new_reply_token(place.busy),
        quote_token=place.line.new_quote_token(place.busy),
        quoted=reply.ids[0],
    )
    place.bot.line(quoted)  # the answer's own message is still known as the answer
    place.line.wait_for(lambda: "労働者協同組合法" in place.replies(place.busy)[-1].texts[0])


def quote(place: Place, message: str, text: str) -> None:
    """Somebody in the busy group quotes a message."""
    said = events.text(
        text,
        source=events.group(place.busy, "U" + "2" * 32),
        reply_token=place.line.new_reply_token(place.busy),
        quote_token=place.line.new_quote_token(place.busy),
        quoted=message,
    )
    assert place.bot.line(said).status_code == 200


def test_who_quotes_an_announcement_is_answered_and_who_quotes_a_person_is_not(place: Place) -> None:
    place.compose()
    second = place.compose(
        replace(MEETING, title="総会のあとの懇親会", event=Event(MEETING.day() or dt.datetime.min, place="食堂"))
    )
    place.say(place.busy, "おはよう")  # both leave with one reply
    place.wait(second, free=4)
    both = place.replies(place.busy)[-1]
    said = dict(zip((str(message) for message in both.messages), both.ids, strict=True))
    for title, where in (("総会のあとの懇親会", "食堂"), ("総会", "公民館")):
        count = len(place.replies(place.busy))
        quote(place, next(said[text] for text in said if f"【お知らせ】{title}\\n" in text), "これ何時から?")
        place.line.wait_for(lambda count=count: len(place.replies(place.busy)) > count)  # type: ignore[misc]
        assert "午後2時" in place.replies(place.busy)[-1].texts[0]
        assert where in place.replies(place.busy)[-1].texts[0]
    count = len(place.replies(place.busy))
    quote(place, "508123456789", "これ何時から?")  # a person's message
    quote(place, both.ids[0], "ここ、遠いよね")  # and once more ours, so that there is something to wait for
    place.line.wait_for(lambda: len(place.replies(place.busy)) > count)
    time.sleep(0.3)
    assert len(place.replies(place.busy)) == count + 1


def test_what_was_announced_in_another_group_is_not_ours_to_quote_here(place: Place) -> None:
    told = place.compose()
    place.say(place.silent, "おはよう")
    place.wait(told, free=4)
    elsewhere = place.replies(place.silent)[-1].ids[0]
    place.bot.yui.announcements.withdraw(told.id, place.announcements.get(told.id, BY).version, BY)
    count = len(place.replies(place.busy))
    quote(place, elsewhere, "これ何時から?")
    time.sleep(0.5)
    assert len(place.replies(place.busy)) == count


def test_who_replies_to_an_announcement_on_discord_is_answered(place: Place) -> None:
    place.compose()
    posts = [c for c in place.discord.channels.values() if c is place.text or c.parent is place.forum]
    told = [
        next((m for m in reversed(c.messages) if "12月5日" in m.content and m.author is place.discord.bot), None) for c in posts
    ]
    assert sum(m is not None for m in told) >= 2
    for message in (m for m in (told[0], told[-1]) if m):
        before = len(place.discord.sent)
        place.discord.say(message.channel, place.hanako, "これ何時から?", replies_to=message)
        place.discord.wait_sent(before + 1)
        answer = place.discord.sent[-1]
        assert "午後2時" in answer.content + str(answer.embeds)


def test_of_the_message_it_rides_on_nothing_is_read_or_kept(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told = place.compose()
    token = place.say(place.busy, "ひみつの井戸端会議です")
    place.wait(told, free=4)
    picture = events.image(
        source=events.group(place.silent, None), reply_token=place.line.new_reply_token(place.silent), timestamp=1_800_000_000_000
    )
    place.bot.line(picture)  # nobody knows who sent it, and there is nothing to read
    place.wait(told, free=5)
    tables = sa.MetaData()
    tables.reflect(place.bot.yui.database.engine)
    with place.bot.yui.database.read() as c:
        kept = " ".join(
            str(row) for t in tables.sorted_tables if t.name not in ("documents", "passages") for row in c.execute(sa.select(t))
        )
    for hidden in ("井戸端会議", "U" + "1" * 32):
        assert hidden not in kept
        assert hidden not in caplog.text
    assert token not in caplog.text


def test_without_an_announcement_an_unaddressed_message_writes_nothing(place: Place) -> None:
    written: list[str] = []
    place.say(place.busy, "@ボット こんにちは")  # what is done once has been done
    time.sleep(1)
    count = len(place.replies(place.busy))

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            written.append(statement)

    sa.event.listen(place.bot.yui.database.engine, "before_cursor_execute", note)
    try:
        for n in range(30):
            place.say(place.busy, f"雑談その{n}")
        time.sleep(0.5)
    finally:
        sa.event.remove(place.bot.yui.database.engine, "before_cursor_execute", note)
    about = [s for s in written if "reply_token=" in s or "conversations" in s or "sent_messages" in s]
    assert about == []
    assert len(place.replies(place.busy)) == count


@pytest.mark.parametrize("hour", ["22:00:00", "06:59:00"])
def test_at_night_nobody_is_woken(place: Place, hour: str) -> None:
    told = place.compose()
    place.wait(told, free=3)
    place.clock.now = dt.datetime.fromisoformat(f"2026-11-22T{hour}+09:00")
    place.say(place.busy, "まだ起きてる?")
    time.sleep(0.5)
    assert place.standing(told)["waiting"] == 2
    place.clock.now = dt.datetime.fromisoformat("2026-11-22T07:00:00+09:00")
    place.say(place.busy, "おはよう")
    place.wait(told, free=4)


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_to_the_ride_shows_it_once(place: Place, after: bool) -> None:
    told, shown = place.compose(), place.shown(place.busy, "【お知らせ】総会")
    place.line.fail("/message/reply", 500, after_accepting=after)
    place.say(place.busy, "おはよう")
    place.wait(told, free=4)
    assert place.shown(place.busy, "【お知らせ】総会") == shown + 1


def test_a_token_that_is_too_old_leaves_it_for_the_next_message(place: Place) -> None:
    told, token = place.compose(), place.line.new_reply_token(place.busy)
    place.line.token_age[token] = 90
    place.say(place.busy, "おはよう", token)
    place.line.wait_for(
        lambda: any(c.status == 400 and c.body["replyToken"] == token for c in place.line.calls if "reply" in c.path)
    )
    time.sleep(0.3)
    assert place.standing(told)["waiting"] == 2
    place.say(place.busy, "おはよう")
    place.wait(told, free=4)


def test_many_messages_at_once_carry_it_once(place: Place) -> None:
    told, shown = place.compose(), place.shown(place.busy, "【お知らせ】総会")
    many = [
        events.text(
            "おはよう", source=events.group(place.busy, None), reply_token=place.line.new_reply_token(place.busy), quote_token="q"
        )
        for _ in range(40)
    ]
    place.bot.line(*many)
    place.wait(told, free=4)
    time.sleep(0.5)
    assert place.shown(place.busy, "【お知らせ】総会") == shown + 1
    place.bot.line(*(events.redelivered(e) for e in many))
    time.sleep(0.5)
    assert place.shown(place.busy, "【お知らせ】総会") == shown + 1


def test_nothing_is_pushed_beyond_the_quota(place: Place) -> None:
    place.line.used_before += 200 - place.line.charged - PEOPLE - 5
    told = place.compose(means=Means.NOW)
    place.wait(told, free=3, paid=1, waiting=1)
    time.sleep(1)
    assert place.line.charged <= 200
    waiting = next(g for g in (place.busy, place.silent) if g != place.line.pushes[-1].conversation_id)
    place.say(waiting, "おはよう")  # and free of charge it goes all the same
    place.wait(told, free=4, paid=1, waiting=0)


def test_what_left_the_place_is_told_nothing(place: Place) -> None:
    group, channel = place.group(), place.channel("text")
    place.bot.line(events.leave(source=events.group(group, None)))
    place.discord.remove_channel(channel)
    time.sleep(0.5)
    cost = place.announcements.cost_of(Selection(co_ops=("ueda",)), Plan(), "ueda")
    assert len(cost.chats) == 5
