"""What a member gave can be seen, changed and withdrawn in the chat."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge import Database
from tests.bot.people import GIVER, SUZAKAS_GROUP
from tests.bot.tip_chat import TIP, Chat, chatting, choices


@pytest.fixture
def chat(sqlite: Database, tmp_path: Path) -> Iterator[Chat]:
    with chatting(sqlite, tmp_path) as found:
        yield found


def test_ones_own_tips_can_be_seen_changed_and_withdrawn(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "送る", "コツ：台車は段差のない道を通る", "送る")
    listed = chat.say("わたしのコツ")
    assert listed.text.index("台車") < listed.text.index("保冷剤")
    assert "未確認" in listed.text
    assert choices(listed) == ["1", "2"]
    assert "台車" in chat.say("1").text
    chat.say("1をなおす", "どこ", "配達", "送る")
    assert chat.tips[1].draft.place == "配達"
    assert chat.tips[1].version == 2
    chat.say("わたしのコツ", "2 を消して", "いいえ")
    assert len(chat.tips) == 2
    assert "保冷剤" in chat.say("消して 2").text
    assert chat.waits("はい")
    chat.say("はい")
    assert [t.draft.text for t in chat.tips] == ["台車は段差のない道を通る"]


def test_only_a_plain_yes_withdraws(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "送る", "わたしのコツ", "1を消して")
    assert chat.hear("監事は何人?") is None
    assert len(chat.tips) == 1
    assert chat.hear("はい", after=400) is None
    assert len(chat.tips) == 1


def test_numbers_mean_the_list_that_was_shown(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "送る", "わたしのコツ")
    chat.people.offer("台車は段差のない道を通る", author=GIVER)
    assert "保冷剤" in chat.say("1を消して").text
    assert "見つかりません" in chat.say("9を消して").text
    assert chat.hear("1を消して", after=400) is None


def test_a_group_does_not_see_what_was_given_elsewhere(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "送る")
    suzaka = chat.of(group=SUZAKAS_GROUP)
    reply = suzaka.say("わたしのコツ")
    assert TIP not in reply.text
    assert "1件" not in reply.text
    alone = chat.of(group=GIVER)
    assert TIP in alone.say("わたしのコツ").text


def test_many_tips_have_pages(chat: Chat) -> None:
    for n in range(11):
        chat.people.clock.now += dt.timedelta(seconds=1)
        chat.people.offer(f"コツの{n}番目はこれです", author=GIVER)
    first = chat.say("わたしのコツ")
    assert choices(first)[-1] == "わたしのコツ 2"
    assert "コツの1番目" in chat.say("わたしのコツ 2", "1").text


def test_a_draft_comes_before_a_change(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "送る", "コツ：台車は段差のない道を通る", "わたしのコツ")
    assert "先に" in chat.say("1をなおす").text
    chat.say("コツのつづき", "送る")
    assert len(chat.tips) == 2
