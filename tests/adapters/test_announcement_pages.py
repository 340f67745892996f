"""The page of an announcement and its calendar file, for whoever was given the address and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import icalendar
import pytest

from bot.announcing import links
from bot.announcing.announcement import Announcement, Content, Plan, Selection
from bot.announcing.schedule import Schedule
from bot.announcing.senders import Shape
from bot.app import create_app
from bot.bootstrap import Yui, build
from bot.config import Settings
from bot.members import CoOp, Grant, Role
from tests.bot.announcing.announcements import FESTIVAL, NOTICE, NOW, at
from tests.fakes import FakeEmbedder, FixedClock

OPERATOR = "cli:tests"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Yui]:
    configured = Settings(data_dir=filled(tmp_path_factory.mktemp("pages")), public_url="https://yui.example.jp", _env_file=None)
    yui = build(configured, clock=FixedClock(NOW.isoformat()), embedder=FakeEmbedder())
    yui.members.give(OPERATOR, Grant(Role.ADMIN))
    yui.members.put_co_op(CoOp("ueda", "労協うえだ"))
    yui.chats.known("discord:ueda", "discord", "1", Shape.TEXT)
    yui.members.link("discord:ueda", "ueda")
    yield yui
    yui.close()


@pytest.fixture
def clock(running: Yui) -> Iterator[FixedClock]:
    clock = running.clock
    assert isinstance(clock, FixedClock)
    yield clock
    clock.now = NOW


@pytest.fixture
def get(running: Yui) -> Callable[[str], httpx.Response]:
    app = create_app(running)

    def fetch(path: str) -> httpx.Response:
        async def once() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
                return await client.get(path)

        return asyncio.run(once())

    return fetch


def announce(yui: Yui, content: Content) -> Announcement:
    made = yui.announcements.compose(OPERATOR, content, Selection(co_ops=("ueda",)), Plan(), "ueda")
    yui.announcements.schedule(made.id, made.version, OPERATOR)
    Schedule(yui.database, yui.chats, yui.clock).advance(yui.clock())
    return yui.announcements.get(made.id, OPERATOR)


def test_the_page_tells_all_of_it_without_a_script(running: Yui, get: Callable[[str], httpx.Response]) -> None:
    told = announce(running, replace(FESTIVAL, link="https://www.example.org/map", texts={"en": "Summer festival"}))
    page = get(links.path(running.signer, told.id))
    assert page.status_code == 200
    for part in (
        "夏祭りのお知らせ",
        "労協うえだのお知らせ",
        "2026年8月1日(土) 午前10時〜午後3時",
        "長野県上田市 中央公民館",
        "屋台と盆おどり",
        "だれでも来られます",
    ):
        assert part in page.text
    assert '<html lang="ja">' in page.text
    assert '<section lang="en">' in page.text
    assert "<script" not in page.text
    assert 'href="https://www.example.org/map"' in page.text
    assert page.headers["cache-control"] == "private, no-store"
    assert page.headers["x-robots-tag"] == "noindex"


def test_markup_in_an_announcement_is_only_words(running: Yui, get: Callable[[str], httpx.Response]) -> None:
    told = announce(running, Content("<b>題</b>", "<script>alert(1)</script>\n{{ 7*7 }}", event=FESTIVAL.event))
    page = get(links.path(running.signer, told.id)).text
    assert "<script" not in page
    assert "&lt;b&gt;題&lt;/b&gt;" in page
    assert "{{ 7*7 }}" in page


def test_the_calendar_file_is_taken_in_by_phones(running: Yui, get: Callable[[str], httpx.Response]) -> None:
    told = announce(running, FESTIVAL)
    file = get(links.path(running.signer, told.id) + ".ics")
    assert file.status_code == 200
    assert file.headers["content-type"].startswith("text/calendar")
    (event,) = icalendar.Calendar.from_ical(file.content).events  # type: ignore[union-attr]
    assert at(8, 1) == event.DTSTART
    assert event["URL"] == links.address("https://yui.example.jp", running.signer, told.id)


def test_an_address_nobody_was_given_leads_nowhere(running: Yui, get: Callable[[str], httpx.Response]) -> None:
    told = announce(running, FESTIVAL)
    draft = running.announcements.compose(OPERATOR, FESTIVAL, Selection(co_ops=("ueda",)))
    addresses = [f"/announcements/{told.id}", f"/announcements/{told.id}.wrong", links.path(running.signer, draft.id)]
    addresses += [
        f"/announcements/{running.signer.sign('rating', told.id)}",
        links.path(running.signer, "nothing"),
        "/announcements/x",
    ]
    for address in addresses:
        for kind in ("", ".ics"):
            page = get(address + kind)
            assert page.status_code == 404
            assert "お知らせが見つかりません" in page.text
            assert "夏祭り" not in page.text


def test_a_withdrawn_one_says_so_and_no_more(running: Yui, get: Callable[[str], httpx.Response]) -> None:
    told = announce(running, FESTIVAL)
    running.announcements.withdraw(told.id, told.version, OPERATOR)
    page, file = (get(links.path(running.signer, told.id) + kind) for kind in ("", ".ics"))
    assert page.status_code == 410
    assert "取り消されました" in page.text
    assert "夏祭り" not in page.text
    assert "STATUS:CANCELLED" in file.text
    assert "夏祭り" not in file.text


def test_what_is_over_is_told_in_the_past(running: Yui, get: Callable[[str], httpx.Response], clock: FixedClock) -> None:
    event, notice = announce(running, FESTIVAL), announce(running, NOTICE)
    clock.now = at(9, 1)
    page = get(links.path(running.signer, event.id))
    assert page.status_code == 410
    assert "夏祭りは、8月1日(土)に終わりました。" in page.text
    assert "終わりました" in get(links.path(running.signer, notice.id)).text


def test_what_has_no_day_offers_no_calendar_file(running: Yui, get: Callable[[str], httpx.Response]) -> None:
    told = announce(running, NOTICE)
    assert ".ics" not in get(links.path(running.signer, told.id)).text
    assert get(links.path(running.signer, told.id) + ".ics").status_code == 404
