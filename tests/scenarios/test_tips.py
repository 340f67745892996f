"""The way of a tip over the wire: offered in a LINE group, reviewed on Discord, found from another co-op, withdrawn everywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.config import Settings
from bot.members import CoOp, Purpose
from tests import line_events as events
from tests.discord_objects import Message, User
from tests.discord_platform import DiscordPlatform, Interaction
from tests.line_platform import LinePlatform, Sent
from tests.running import SECRET, TOKEN, Running
from tests.scenarios.test_discord import discords_own_addresses, told
from tests.scenarios.test_line import Chat

__all__ = ["discords_own_addresses"]  # a fixture that is always on

HER = "U" + "1" * 32
ICE = "弁当の保冷剤は前の日から凍らせて、底と上に2枚ずつ入れると夏でも冷たいままでした"
ASKED = "@ボット 弁当の保冷剤が夏に足りないときは?"


class Region:
    """Two co-ops with a LINE group each, a Discord server, and one bot."""

    def __init__(self, line: LinePlatform, discord: DiscordPlatform, bot: Running) -> None:
        self.line, self.discord, self.bot = line, discord, bot
        self.members = bot.yui.members
        for co_op, name in (("midori", "みどり"), ("aozora", "あおぞら")):
            self.members.put_co_op(CoOp(co_op, name))

    def group(self, co_op: str) -> Chat:
        """A new LINE group of a co-op."""
        chat = Chat(self.line, self.bot, group=True)
        linked = chat.say(f"@ボット 連携 {self.members.code(Purpose.LINK, co_op=co_op)}")
        assert "つなぎました" in linked.texts[0]
        return chat

    def coordinator(self, co_op: str) -> Desk:
        """A coordinator, alone with the bot on Discord."""
        desk = Desk(self.discord)
        code = self.members.code(Purpose.INVITE, role="coordinator", co_op=co_op)
        assert "登録しました" in told(desk.say(f"連携 {code}")[0])
        return desk

    def keeps(self, text: str) -> bool:
        """Whether a text stands anywhere in the database, as it is or inside JSON."""
        tables = sa.MetaData()
        tables.reflect(self.bot.yui.database.engine)
        with self.bot.yui.database.read() as c:
            rows = [str(tuple(row)) for t in tables.tables.values() for row in c.execute(sa.select(t))]
        return any(text in row or escaped(text) in row for row in rows)


class Desk:
    """Somebody alone with the bot on Discord."""

    def __init__(self, discord: DiscordPlatform) -> None:
        self.discord = discord
        self.user = discord.add_member("係")
        self.channel = discord.dm(self.user)

    def say(self, text: str, replies: int = 1) -> list[Message]:
        before = len(self.discord.sent)
        self.discord.say(self.channel, self.user, text)
        self.discord.wait_sent(before + replies)
        return self.discord.sent[before:]

    def press(self, message: Message, label: str) -> Message:
        return press(self.discord, message, label, self.user).wait_response()


def press(discord: DiscordPlatform, message: Message, label: str, user: User) -> Interaction:
    ids = {b["label"]: b["custom_id"] for row in message.components for b in row["components"]}
    return discord.press(message, ids[label], user)


def escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def go_through(discord: DiscordPlatform, step: Message, user: User) -> Message:
    """The rest of the talk by its buttons: what can be skipped is, nobody is named, only one's own co-op sees it."""
    for _ in range(9):
        offered = [b["label"] for row in step.components for b in row["components"]]
        label = next(
            (
                label
                for label in ("ちがう経験", "匿名で", "うちの組合だけ", "このグループだけ", "とばす", "送る")
                if label in offered
            ),
            "",
        )
        if not label:
            break
        step = press(discord, step, label, user).wait_response()
        assert step.ephemeral
    return step


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Region]:
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line, DiscordPlatform(token=TOKEN) as discord:
        discord.add_guild("組合のサーバー")
        discord.add_channel("玄関")
        settings = Settings(
            data_dir=filled(tmp_path_factory.mktemp("region")),
            line_channel_secret=SECRET,
            line_channel_access_token=TOKEN,
            line_api_base=line.base,
            discord_token=TOKEN,
            discord_api_base=discord.api_base,
            discord_gateway=discord.gateway,
            _env_file=None,
        )
        with Running(settings) as bot:
            discord.wait_sent()  # it has introduced itself
            yield Region(line, discord, bot)
        assert not line.violations
        assert not line.pushes
        assert not discord.violations


def offer(group: Chat, text: str = ICE, who: str = HER) -> Sent:
    """The whole talk, for all co-ops, without a name."""
    group.say(f"@ボット コツ：{text}", who)
    for piece in ("みどり生協の配食", "去年の夏", "苦情がなくなりました", "匿名で", "連合の組合みんな"):
        group.say(piece, who)
    sent = group.say("送る", who)
    assert "送りました" in sent.texts[0]
    return sent


def withdraw(group: Chat, who: str = HER) -> None:
    group.say("@ボット わたしのコツ", who)
    group.say("1 を消して", who)
    assert "取り下げました" in group.say("はい", who).texts[0]


def test_from_a_line_group_by_a_coordinator_on_discord_to_another_co_op_and_gone_again(region: Region) -> None:
    midori, aozora = region.group("midori"), region.group("aozora")
    desk = region.coordinator("midori")
    assert "確かめられませんでした" in aozora.say(ASKED).texts[0]
    offer(midori)
    assert "未確認" in midori.say(ASKED).texts[0]  # its own group finds it at once
    assert "確かめられませんでした" in aozora.say(ASKED).texts[0]

    (card,) = desk.say("確認")
    assert ICE in card.embeds[0]["description"]
    assert "公開しました" in told(desk.press(card, "公開"))
    found = aozora.say("@ボット 夏のお弁当を冷やしておく工夫は?").texts[0]
    assert ICE in found
    assert "確認済み" in found
    assert "公開しました" in midori.say("@ボット こんにちは").texts[0]  # the giver hears of it
    assert "もう済んで" in told(desk.press(card, "公開"))  # a second tap

    withdraw(midori)
    for group in (midori, aozora):
        assert "確かめられませんでした" in group.say(ASKED).texts[0]
    assert "取り下げられました" in told(desk.press(card, "公開"))  # an old card
    assert not region.keeps(ICE)


@pytest.mark.timed
def test_two_seconds_after_the_tap_it_is_found_by_other_words(region: Region) -> None:
    midori, aozora = region.group("midori"), region.group("aozora")
    desk = region.coordinator("midori")
    offer(midori)
    (card,) = desk.say("確認")
    tapped = time.monotonic()
    desk.press(card, "公開")
    found = aozora.say("@ボット 夏のお弁当を冷やしておく工夫は?").texts[0]
    assert time.monotonic() - tapped < 2
    assert ICE in found
    withdraw(midori)


def test_a_round_in_line_is_decided_there_by_its_own_coordinator_only(region: Region) -> None:
    midori = region.group("midori")
    text = "送迎の鍵は事務所の箱に戻すと決めたら、探し物がなくなりました"
    offer(midori, text)

    def alone(co_op: str) -> Chat:
        chat = Chat(region.line, region.bot, group=False)
        chat.say(f"連携 {region.members.code(Purpose.INVITE, role='coordinator', co_op=co_op)}")
        return chat

    def tap(chat: Chat, data: str) -> str:
        before = len(chat.replies)
        chat.post(events.postback(data, source=chat.source(None), reply_token=chat.line.new_reply_token(chat.id)))
        chat.line.wait_for(lambda: len(chat.replies) > before)
        return chat.replies[-1].texts[0]

    own, foreign = alone("midori"), alone("aozora")
    assert text not in json.dumps(foreign.say("確認").messages, ensure_ascii=False)
    *_, carousel = own.say("確認").messages
    bubble = next(b for b in carousel["contents"]["contents"] if text in json.dumps(b, ensure_ascii=False))
    publish = next(b["action"]["data"] for b in bubble["footer"]["contents"] if b["action"]["label"] == "公開")
    assert "その組合の係" in tap(foreign, publish)
    stranger = Chat(region.line, region.bot, group=False)
    assert "公開しました" not in tap(stranger, publish)
    assert "公開しました" not in tap(own, publish[:-1] + ("a" if publish[-1] != "a" else "b"))  # forged
    aozora = region.group("aozora")
    assert text not in aozora.say("@ボット 送迎の鍵をなくさない工夫は?").texts[0]
    assert "公開しました" in tap(own, publish)
    assert text in aozora.say("@ボット 送迎の鍵をなくさない工夫は?").texts[0]
    withdraw(midori)


def test_a_discord_message_becomes_its_authors_tip_once_they_agree(region: Region) -> None:
    discord = region.discord
    hanako, taro = discord.add_member("花子"), discord.add_member("太郎")
    channel = discord.add_channel("相談")
    linked = discord.slash(channel, taro, "link", code=region.members.code(Purpose.LINK, co_op="midori")).wait_response()
    assert "つなぎました" in linked.content
    text = "草刈り機の刃は朝いちばんに全員で点検すると決めたら、けががなくなりました"
    message = discord.say(channel, hanako, text)
    before = len(discord.sent)
    discord.message_command(message, "Save as tip", taro).wait_response()
    question = next(m for m in discord.sent[before:] if not m.ephemeral)
    assert not region.keeps(text)
    agreed = press(discord, question, "いいですよ", hanako)
    discord.wait(lambda: agreed.followups)
    step = go_through(discord, agreed.followups[0], hanako)
    assert "送りました" in step.content
    (tip,) = region.bot.yui.curation.mine(region.bot.yui.conversations.pseudonym("discord", str(hanako.id)))
    assert tip.draft.text == text
    assert tip.co_op == "midori"
    asked = discord.slash(channel, taro, "ask", question="草刈り機の刃の点検はいつする?")
    assert "未確認" in told(asked.wait_response())


def test_a_draft_in_a_group_the_bot_is_removed_from_is_gone_and_nothing_is_sent(region: Region) -> None:
    group = region.group("midori")
    conversation = region.bot.yui.conversations.pseudonym("line", group.id)
    text = "のぼり旗は二人で立てると、風の日も安全でした"
    group.say(f"@ボット コツ：{text}")
    assert region.keeps(text)
    replies = len(group.replies)
    group.post(events.leave(source=events.group(group.id, None)))
    group.post(group.text("送る", HER, message_id="4711"))  # out of order: nobody is there to hear it
    time.sleep(0.5)
    assert not region.keeps(text)
    assert len(group.replies) == replies
    assert conversation not in region.members.linked()
    assert not region.bot.yui.curation.mine(region.bot.yui.conversations.pseudonym("line", HER))


@pytest.mark.parametrize("make", [events.image, events.file, events.sticker])
def test_a_file_as_a_tip_is_kindly_refused_and_the_talk_goes_on(region: Region, make: Callable[..., dict[str, Any]]) -> None:
    group = Chat(region.line, region.bot, group=True)
    group.say("@ボット コツ", HER)
    before = len(group.replies)
    group.post(make(source=group.source(HER), reply_token=group.line.new_reply_token(group.id)))
    group.line.wait_for(lambda: len(group.replies) > before)
    assert "文字" in group.replies[-1].texts[0]
    assert "どこ" in group.say("看板は前の日に車に積んでおくと、朝あわてません", HER).texts[0]


@pytest.mark.parametrize("text", ["あ", "長い" * 2_400], ids=["one character", "4,800 characters"])
def test_a_tip_too_short_or_too_long_is_told_so_and_nothing_is_sent(region: Region, text: str) -> None:
    alone = Chat(region.line, region.bot, group=False)
    assert "送りました" not in alone.say(f"コツ：{text}").texts[0]
    alone.say("送る")
    assert not region.bot.yui.curation.mine(region.bot.yui.conversations.pseudonym("line", alone.id))


def test_marks_and_mentions_in_a_tip_are_shown_and_not_obeyed(region: Region) -> None:
    discord = region.discord
    hanako, channel = discord.add_member("花子"), discord.add_channel("相談")
    before, opened = len(discord.sent), discord.slash(channel, hanako, "tip")
    text = "<script>alert(1)</script> @everyone <@&1> **看板** は前の日に積むと朝あわてません"
    step = discord.submit_modal(
        opened, {"text": text, "place": "<b>店</b> @here", "happened": "*", "outcome": "`x`"}
    ).wait_response()
    assert "送りました" in go_through(discord, step, hanako).content
    asked = discord.slash(channel, hanako, "ask", question="看板はいつ積むと朝あわてない?").wait_response()
    assert "看板" in told(asked)
    assert not any(m.pings for m in discord.sent[before:])


def test_the_words_of_a_tip_are_in_no_file_once_it_is_withdrawn(region: Region) -> None:
    group = region.group("midori")
    text = "軽トラの荷台の角に古い毛布を巻いたら、服が破れなくなりました"
    offer(group, text)
    withdraw(group)
    region.bot.yui.inbox.tidy()
    folder: Path = region.bot.yui.settings.data_dir

    def holds(file: Path) -> bool:
        raw = file.read_bytes()
        return text.encode() in raw or escaped(text).encode() in raw

    holding = [f.name for f in folder.rglob("*") if f.is_file() and holds(f)]
    assert holding == []
