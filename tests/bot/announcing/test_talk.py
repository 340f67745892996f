"""A coordinator announces in a talk with the bot alone: a look at it with what it costs, then it leaves, waits or stops."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.announcing.announcement import State
from bot.announcing.announcement import local as in_tokyo
from bot.announcing.senders import Shape
from bot.bootstrap import Yui, build
from bot.config import Settings
from bot.members import CoOp, Grant, Role
from bot.messages import Act, IncomingMessage, Reply
from bot.wording import LANGUAGES
from tests.fakes import FakeEmbedder, FixedClock

HER, HIM, GROUP = "line:her", "line:him", "line:group"
TOLD = "お知らせ：あしたは大掃除です。朝9時に集まってください。"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Yui]:
    settings = Settings(data_dir=filled(tmp_path_factory.mktemp("talk")), _env_file=None)
    found = build(settings, clock=FixedClock(), embedder=FakeEmbedder())
    found.members.put_co_op(CoOp("ueda", "労協うえだ"))
    found.members.give(HER, Grant(Role.COORDINATOR, "ueda"))
    found.chats.known(GROUP, "line", "C1", Shape.CHAT)
    found.members.link(GROUP, "ueda")
    found.chats.counted({GROUP: 20})
    yield found
    found.close()


@pytest.fixture
def yui(built: Yui) -> Yui:
    """With nothing announced and no talk open."""
    with built.database.write() as c:
        for name in ("announcements", "announcement_runs", "dialogues", "conversations"):
            c.execute(sa.delete(sa.table(name)))
    return built


def say(yui: Yui, text: str, who: str = HER, language: str | None = None) -> Reply:
    reply = asyncio.run(yui.conversations.reply_to(IncomingMessage(who, text, who, language=language, platform="line")))
    assert reply is not None
    return reply


def test_it_is_looked_at_and_then_leaves(yui: Yui) -> None:
    preview = say(yui, TOLD)
    assert preview.act is Act.ANNOUNCE
    assert "【お知らせ】あしたは大掃除です" in preview.text
    assert "朝9時に集まってください" in preview.text
    assert "1か所" in preview.text
    assert "20通" in preview.text
    assert [c.text for c in preview.choices] == ["送る", "予約", "やめる"]
    (draft,) = yui.announcements.all(HER)
    assert draft.state is State.DRAFT
    assert (say(yui, "送る")).act is Act.ANNOUNCE
    (sent,) = yui.announcements.all(HER)
    assert sent.state is State.SCHEDULED
    assert sent.co_op == "ueda"
    assert (say(yui, "送る")).act is not Act.ANNOUNCE  # nothing is open any more


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("12月1日 9時", "2026-12-01T09:00"),
        ("あした午後3時半", "2026-11-22T15:30"),
        ("12/1", "2026-12-01T09:00"),
        ("１２月１日１８：３０", "2026-12-01T18:30"),
    ],
)
def test_it_waits_for_its_day(yui: Yui, said: str, at: str) -> None:
    say(yui, TOLD)
    assert "いつ" in (say(yui, "予約")).text
    assert "いつ" in (say(yui, "そのうち")).text
    assert f"{at[5:7]}月{int(at[8:10])}日" in say(yui, said).text
    (told,) = yui.announcements.all(HER)
    assert told.plan.send_at
    assert in_tokyo(told.plan.send_at).replace(tzinfo=None) == dt.datetime.fromisoformat(at)
    assert told.state is State.SCHEDULED


@pytest.mark.parametrize(
    ("said", "told", "at"),
    [
        ("おくってください", "お知らせを出しました", None),
        ("やっぱり明日", "11月22日(日) 9時", "2026-11-22T09:00"),
        ("来週の金曜の朝に送って", "11月27日(金) 9時", "2026-11-27T09:00"),
        ("明後日の夕方5時", "11月23日(月) 17時", "2026-11-23T17:00"),
        ("あしたの午前0時", "夜10時から朝7時までは送らないので、11月22日(日) 7時", "2026-11-22T00:00"),
        ("22時", "11月22日(日) 7時", "2026-11-21T22:00"),
    ],
)
def test_it_leaves_on_ones_own_words_and_says_when(yui: Yui, said: str, told: str, at: str | None) -> None:
    say(yui, TOLD)
    assert told in say(yui, said).text
    (held,) = yui.announcements.all(HER)
    assert held.state is State.SCHEDULED
    assert (held.plan.send_at and in_tokyo(held.plan.send_at).replace(tzinfo=None)) == (at and dt.datetime.fromisoformat(at))


@pytest.mark.parametrize(
    "said",
    ["まだ送らないで", "やっぱりまだ送らんといて", "ちょっと待って", "はい", "いいです", "明日は雨?", "24時", "送ったらだめ"],
)
def test_what_could_be_meant_otherwise_sends_nothing(yui: Yui, said: str) -> None:
    say(yui, TOLD)
    say(yui, said)
    assert yui.announcements.all(HER)[0].state is State.DRAFT
    say(yui, "やっぱりやめとく")
    assert yui.announcements.all(HER)[0].state is State.WITHDRAWN


def test_a_day_that_cannot_be_is_said_and_leaves_the_draft_as_it_was(yui: Yui) -> None:
    say(yui, TOLD)
    say(yui, "予約")
    assert "「2月31日」という日はありません" in say(yui, "2月31日").text
    assert "過ぎています" in say(yui, "きのう").text
    assert yui.announcements.all(HER)[0].plan.send_at is None
    assert "お知らせを出しました" in say(yui, "送る").text


def test_nothing_after_the_word_is_asked_for_and_an_address_stays_whole(yui: Yui) -> None:
    assert "続けて書いて" in say(yui, "お知らせ:").text
    assert yui.announcements.all(HER) == []
    assert "https://example.org/a?x=1" in say(yui, "お知らせ:見てね https://example.org/a?x=1 です").text


def test_a_day_that_is_over_is_told_and_another_may_be_given(yui: Yui) -> None:
    say(yui, TOLD)
    say(yui, "予約")
    assert "過ぎています" in (say(yui, "今日 8時")).text
    say(yui, "今日 18時")
    (told,) = yui.announcements.all(HER)
    assert told.state is State.SCHEDULED


def test_it_is_stopped(yui: Yui) -> None:
    say(yui, TOLD)
    assert "やめました" in (say(yui, "やめる")).text
    assert yui.announcements.all(HER)[0].state is State.WITHDRAWN


def test_questions_in_between_are_answered_and_somebody_elses_change_is_told(yui: Yui) -> None:
    say(yui, TOLD)
    assert "くわしく" in (say(yui, "使い方")).text
    (draft,) = yui.announcements.all(HER)
    yui.announcements.change(draft.id, draft.version, HER)
    assert "ほかのところ" in (say(yui, "送る")).text
    assert yui.announcements.all(HER)[0].state is State.DRAFT


def test_nobody_else_announces_and_nobody_in_a_group(yui: Yui) -> None:
    assert (say(yui, TOLD, HIM)).act is not Act.ANNOUNCE
    message = IncomingMessage(GROUP, TOLD, HER, group=True, platform="line")
    reply = asyncio.run(yui.conversations.reply_to(message))
    assert reply is not None
    assert reply.act is not Act.ANNOUNCE
    assert yui.announcements.all(HER) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_buttons(yui: Yui, language: str) -> None:
    preview = say(yui, TOLD, language=language)
    say(yui, preview.choices[0].text, language=language)
    assert yui.announcements.all(HER)[0].state is State.SCHEDULED
