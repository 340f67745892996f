"""Cards, buttons that carry something and dialogues on LINE: how they look there, and what comes back from them."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.messages import Card, Choice, IncomingMessage, Reply
from bot.tips.store import tips
from tests import line_events as events
from tests.line_platform import LinePlatform, Sent, utf16
from tests.running import SECRET, TOKEN, Running
from tests.scenarios.test_line import Chat, settings
from tests.scripted import Script, round_of, said

HER = "U" + "1" * 32


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[tuple[LinePlatform, Running]]:
    data = filled(tmp_path_factory.mktemp("tips-line"))
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line, Running(settings(line, data)) as bot:
        yield line, bot


@pytest.fixture
def script(running: tuple[LinePlatform, Running], monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(running[1].yui.conversations, monkeypatch)


@pytest.fixture
def chat(running: tuple[LinePlatform, Running], script: Script) -> Iterator[Callable[..., Chat]]:  # noqa: ARG001 - it is in its place
    line, bot = running
    yield lambda **about: Chat(line, bot, **{"group": False, **about})
    assert not line.violations
    assert not line.pushes


def press(chat: Chat, data: str, who: str | None = HER) -> Sent:
    before = len(chat.replies)
    token = chat.line.new_reply_token(chat.id)
    chat.post(events.postback(data, source=chat.source(who), reply_token=token))
    chat.line.wait_for(lambda: len(chat.replies) > before)
    return chat.replies[-1]


def actions(bubble: dict[str, Any]) -> list[dict[str, Any]]:
    return [button["action"] for button in bubble["footer"]["contents"]]


def test_a_round_is_a_text_and_cards_beside_each_other_whose_buttons_act(chat: Callable[..., Chat], script: Script) -> None:
    alone = chat()
    script.says = round_of(7)
    text, carousel = alone.say("確認").messages
    assert text["text"] == "確認を待つものがあります。"
    assert "3. コツの確認\n足場は" in carousel["altText"]
    bubbles = carousel["contents"]["contents"]
    assert [b["body"]["contents"][0]["text"] for b in bubbles] == [f"{n}. コツの確認" for n in range(1, 8)]
    assert [a["label"] for a in actions(bubbles[2])] == ["公開", "まとめる", "たずねる", "見送る", "あとで"]
    publish = actions(bubbles[2])[0]
    assert publish["displayText"] == "3. コツの確認 公開"  # the chat sees what was decided, and about which card
    press(alone, publish["data"])
    assert script.heard[-1].press == script.says.cards[2].choices[0].data
    assert (script.heard[-1].text, script.heard[-1].group) == ("", False)


@pytest.mark.parametrize("large", [False, True])
def test_cards_keep_to_lines_limits_however_long_they_are(chat: Callable[..., Chat], script: Script, *, large: bool) -> None:
    alone = chat()
    script.says = round_of(14, text="足場は1人で組まない。😀\n" * 150, large=large)
    *said_first, carousel = alone.say("確認").messages
    assert len(said_first) == 1
    assert len(carousel["contents"]["contents"]) == 10
    assert len(json.dumps(carousel["contents"])) <= 50_000
    assert utf16(carousel["altText"]) <= 1_500
    first = carousel["contents"]["contents"][0]
    assert first["body"]["contents"][1]["size"] == ("xl" if large else "md")
    assert first["size"] == ("giga" if large else "mega")


def test_a_card_without_buttons_or_words_is_still_one(chat: Callable[..., Chat], script: Script) -> None:
    script.says = said("一覧", cards=(Card("", ""), Card("題", "本文")))
    _, carousel = chat().say("確認").messages
    assert all("footer" not in bubble for bubble in carousel["contents"]["contents"])


def test_a_choice_that_carries_something_is_a_quick_reply(chat: Callable[..., Chat], script: Script) -> None:
    group = chat(group=True)
    signed = "draft.name." + "s" * 24
    script.says = said("お名前を出しますか。", Choice("名前を出す", signed), Choice("やめる"), Choice("長い", "x" * 300))
    items = [i["action"] for i in group.say("@ボット コツ").messages[-1]["quickReply"]["items"]]
    assert items[0] | {"type": ""} == {"type": "", "label": "名前を出す", "data": f"do:{signed}", "displayText": "名前を出す"}
    assert items[1]["data"] == "say::やめる"
    assert items[2]["data"] == "say::長い"  # what could not be carried whole is said instead
    press(group, items[0]["data"])
    heard = script.heard[-1]
    assert (heard.press, heard.text, heard.group, heard.addressed) == (signed, "", True, True)
    assert heard.sender == group.bot.yui.conversations.pseudonym("line", HER)


def test_at_most_thirteen_quick_replies_of_twenty_letters(chat: Callable[..., Chat], script: Script) -> None:
    script.says = said("どれですか。", *(Choice(f"{n}" + "組合" * 20, f"pick.{n}") for n in range(20)))
    items = chat().say("コツ").messages[-1]["quickReply"]["items"]
    assert len(items) == 13


def test_a_forged_press_reaches_the_core_and_an_unknown_shape_nobody(chat: Callable[..., Chat], script: Script) -> None:
    group = chat(group=True)
    press(group, "do:tip-1.1.publish.forged")
    assert script.heard[-1].press == "tip-1.1.publish.forged"
    before = len(script.heard)
    for odd in ("done:x", "DO:x", "richmenu=2"):
        token = group.line.new_reply_token(group.id)
        assert group.quiet(events.postback(odd, source=group.source(HER), reply_token=token))
    assert [m.text for m in script.heard[before:]] == ["こんにちは"] * 3


def test_cards_that_come_too_late_are_shown_as_text(chat: Callable[..., Chat], script: Script) -> None:
    alone = chat()
    script.says = round_of(3)
    asked = alone.text("確認")
    alone.line.token_age[asked["replyToken"]] = 90
    alone.post(asked)
    alone.line.wait_for(lambda: script.heard)
    time.sleep(0.3)
    script.says = said("こんにちは")
    late, now = alone.say("こんにちは").messages
    assert late["type"] == "text"
    assert "3. コツの確認\n足場は" in late["text"]
    assert now["text"] == "こんにちは"


def test_a_picture_in_an_open_dialogue_is_heard_of_and_any_other_is_not(chat: Callable[..., Chat], script: Script) -> None:
    group = chat(group=True)
    made = (events.image, events.file, events.sticker)
    for make in made:
        assert group.quiet(make(source=group.source(HER), reply_token=group.line.new_reply_token(group.id)))
    script.awaited = True
    for make in made:
        before = len(group.replies)
        group.post(make(source=group.source(HER), reply_token=group.line.new_reply_token(group.id)))
        group.line.wait_for(lambda before=before: len(group.replies) > before)  # type: ignore[misc]
        assert script.heard[-1].unreadable
        assert script.heard[-1].text == ""


def test_on_leaving_the_core_lets_go_of_the_group(chat: Callable[..., Chat], script: Script) -> None:
    group = chat(group=True)
    group.say("@ボット コツ:足場は1人で組まない")
    group.post(events.leave(source=events.group(group.id, None)))
    assert script.left == [group.bot.yui.conversations.pseudonym("line", group.id)]


def test_leaving_while_a_reply_is_worked_out_sends_nothing_and_leaves_nothing(chat: Callable[..., Chat], script: Script) -> None:
    group = chat(group=True)
    conversation = group.bot.yui.conversations.pseudonym("line", group.id)
    inbox, store = group.bot.yui.inbox, group.bot.yui.store

    def removed() -> None:
        inbox.leave(conversation)
        store.left(conversation)

    script.meanwhile = removed
    group.post(group.text("@ボット コツ:足場は1人で組まない"))
    group.line.wait_for(lambda: script.left)
    assert script.left == [conversation]
    assert not group.replies


def test_an_event_dealt_with_again_after_a_crash_fills_one_step(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies between what the talk has kept and the reply; the next one takes the same signed event over."""
    monkeypatch.setattr("bot.inbox._LEASE", 1.0)
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line:
        with Running(settings(line, data_folder)) as bot:
            alone = Chat(line, bot, group=False)
            assert "どこ" in alone.say("コツ：ふたの上に保冷剤を置く").texts[0]
            reply_to, kept = bot.yui.conversations.reply_to, threading.Event()

            async def dies(message: IncomingMessage) -> Reply | None:
                await reply_to(message)
                kept.set()
                await asyncio.Event().wait()
                return None

            monkeypatch.setattr(bot.yui.conversations, "reply_to", dies)
            alone.post(alone.text("みどり生協の配食", HER))
            assert kept.wait(20)
        with Running(settings(line, data_folder)) as bot:
            line.wait_for(lambda: len(alone.replies) == 2, 30)
            assert "いつごろ" in alone.replies[-1].texts[0]
            again = Chat(line, bot, group=False)
            again.id = alone.id
            again.say("送る")
            with bot.yui.database.read() as c:
                (tip,) = c.execute(sa.select(tips.c.place, tips.c.happened)).all()
            assert tuple(tip) == ("みどり生協の配食", "")
        assert not line.violations
