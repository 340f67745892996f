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
