"""Calendar files that phones take in, change and cancel."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import icalendar
import pytest

from bot.announcing.announcement import Announcement, Content, Event, State
from bot.announcing.calendar import ics
from tests.bot.announcing.announcements import FESTIVAL, GRANT, NOTICE, announcement, at

PAGE = "https://yui.example.jp/announcements/ann-1.signed"


def event_in(told: Announcement, address: str = PAGE) -> icalendar.Event:
    file = ics(told, address)
    assert file
    calendar = icalendar.Calendar.from_ical(file)
    assert isinstance(calendar, icalendar.Calendar)
    assert not calendar.errors
    (event,) = calendar.events
    return event


def test_an_event_has_its_times_in_japan() -> None:
    told = event_in(announcement(FESTIVAL))
    assert (at(8, 1), at(8, 1, 15)) == (told.DTSTART, told.DTEND)
    assert told.DTSTART.tzinfo.key == "Asia/Tokyo"  # type: ignore[union-attr]
    assert (told["SUMMARY"], told["LOCATION"], told["URL"]) == ("夏祭りのお知らせ", "長野県上田市 中央公民館", PAGE)
    assert "TZID:Asia/Tokyo" in (ics(announcement(FESTIVAL)) or b"").decode()


def test_times_without_a_zone_are_tokyos() -> None:
    naive = replace(FESTIVAL, event=Event(dt.datetime(2026, 8, 1, 10), None, ""))
    assert at(8, 1) == event_in(announcement(naive)).DTSTART


def test_a_deadline_is_a_whole_day() -> None:
    told = event_in(announcement(GRANT))
    assert (dt.date(2026, 7, 31), dt.date(2026, 8, 1)) == (told.DTSTART, told.DTEND)
    assert told["SUMMARY"] == "締切: 居場所づくり助成"


def test_a_change_is_the_same_entry_in_a_later_sequence() -> None:
    first, second = (event_in(announcement(FESTIVAL, version=v)) for v in (2, 5))
    assert first["UID"] == second["UID"]
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (2, 5)


def test_a_withdrawn_one_is_cancelled_and_says_no_more() -> None:
    told = announcement(FESTIVAL, state=State.WITHDRAWN)
    event, file = event_in(told), (ics(told, PAGE) or b"").decode()
    assert event["STATUS"] == "CANCELLED"
    assert event["UID"] == event_in(announcement(FESTIVAL))["UID"]
    assert "METHOD:CANCEL" in file
    for word in ("夏祭り", "公民館", "屋台"):
        assert word not in file


def test_what_has_no_day_has_no_file() -> None:
    assert ics(announcement(NOTICE)) is None


@pytest.mark.parametrize("text", ["一行目\r\n二行目", "a;b,c\\d", "END:VEVENT\nBEGIN:VEVENT\nSUMMARY:x", "長い" * 400])
def test_any_text_stays_text(text: str) -> None:
    told = event_in(announcement(Content("題名\nSUMMARY:別の題", text, event=Event(at(8, 1)))))
    assert str(told["DESCRIPTION"]).replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert str(told["SUMMARY"]) == "題名\nSUMMARY:別の題"
    assert all(len(line) <= 75 for line in (ics(announcement(Content("題", text, event=Event(at(8, 1))))) or b"").split(b"\r\n"))
