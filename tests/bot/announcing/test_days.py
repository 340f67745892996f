"""Days as members speak of them."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.announcing.days import date_told, no_such_day, span_in, time_told
from bot.announcing.hours import time_in
from knowledge import normalise
from tests.bot.announcing.announcements import at

MONDAY = dt.date(2026, 7, 6)


@pytest.mark.parametrize(
    ("today", "text", "first", "last"),
    [
        (MONDAY, "今日のお知らせ", "2026-07-06", "2026-07-06"),
        (MONDAY, "あしたの行事", "2026-07-07", "2026-07-07"),
        (MONDAY, "今週", "2026-07-06", "2026-07-12"),
        (dt.date(2026, 7, 12), "今週", "2026-07-06", "2026-07-12"),
        (MONDAY, "来週なにかある?", "2026-07-13", "2026-07-19"),
        (MONDAY, "再来週", "2026-07-20", "2026-07-26"),
        (MONDAY, "週末の行事", "2026-07-11", "2026-07-12"),
        (MONDAY, "今月中に出せるもの", "2026-07-01", "2026-07-31"),
        (dt.date(2026, 12, 31), "来月の締切", "2027-01-01", "2027-01-31"),
        (dt.date(2026, 1, 31), "来月", "2026-02-01", "2026-02-28"),
        (MONDAY, "７月の行事", "2026-07-01", "2026-07-31"),
        (MONDAY, "三月の行事", "2027-03-01", "2027-03-31"),
        (MONDAY, "8月1日の催し", "2026-08-01", "2026-08-01"),
        (MONDAY, "2/29の催し", "2028-02-29", "2028-02-29"),
        (MONDAY, "昨日のお知らせ", "2026-07-05", "2026-07-05"),
        (MONDAY, "先週送られてきたやつ", "2026-06-29", "2026-07-05"),
        (MONDAY, "年末の締切", "2026-12-01", "2026-12-31"),
        (dt.date(2026, 12, 31), "年明けの行事", "2027-01-01", "2027-01-31"),
        (MONDAY, "年度末の締切", "2027-03-01", "2027-03-31"),
        (MONDAY, "元日", "2027-01-01", "2027-01-01"),
        (MONDAY, "木曜日になにかある?", "2026-07-09", "2026-07-09"),
        (MONDAY, "来週の金曜の朝", "2026-07-17", "2026-07-17"),
        (MONDAY, "来週の日程", "2026-07-13", "2026-07-19"),
        (MONDAY, "18日なにがある?", "2026-07-18", "2026-07-18"),
        (dt.date(2026, 1, 31), "30日", "2026-03-30", "2026-03-30"),
        (MONDAY, "3日後の昼", "2026-07-09", "2026-07-09"),
        (MONDAY, "2027年12月1日", "2027-12-01", "2027-12-01"),
        (MONDAY, "今夜8時", "2026-07-06", "2026-07-06"),
        (MONDAY, "しあさって", "2026-07-09", "2026-07-09"),
        (MONDAY, "今年度の助成", "2026-04-01", "2027-03-31"),
        (dt.date(2026, 3, 31), "今年度の助成", "2025-04-01", "2026-03-31"),
    ],
)
def test_words_for_days_count_from_the_day_they_are_said(today: dt.date, text: str, first: str, last: str) -> None:
    span, rest = span_in(normalise(text), today)
    assert span
    assert (span.first.isoformat(), span.last.isoformat()) == (first, last)
    assert span.said not in rest


@pytest.mark.parametrize(
    "text", ["お知らせある?", "13月", "監事は何人?", "毎月の会費", "14日以内", "5日前", "あと10日", "10日間", "年末調整"]
)
def test_other_words_name_no_day(text: str) -> None:
    assert span_in(normalise(text), MONDAY) == (None, normalise(text))


def test_a_day_that_no_year_has_is_none_at_all() -> None:
    for text in ("2月31日", "13月1日", "2027年2月31日"):
        assert span_in(f"{text}の行事", MONDAY)[0] is None
        assert no_such_day(f"{text}の行事") == text
    assert not no_such_day("2月29日の行事")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("9時", "09:00"), ("午後3時半", "15:30"), ("18:30", "18:30"), ("夕方5時", "17:00"), ("夜の8時", "20:00"),
        ("昼の1時", "13:00"),
        ("午前0時", "00:00"), ("22時", "22:00"), ("朝", "09:00"), ("お昼ごろ", "12:00"), ("3pm", "15:00"), ("朝8時15分", "08:15"),
        ("24時", None), ("夜12時", None), ("午後12時", None), ("いつか", None),
    ],
)  # fmt: skip
def test_hours_as_members_write_them(text: str, at: str | None) -> None:
    """What could be noon or midnight is none."""
    found, rest = time_in(text)
    assert (found and found.isoformat("minutes")) == at
    assert rest == text or found


def test_days_and_times_as_they_are_told() -> None:
    assert date_told(dt.date(2026, 8, 1), MONDAY) == "8月1日(土)"
    assert date_told(dt.date(2027, 1, 4), MONDAY) == "2027年1月4日(月)"
    told = [time_told(at(8, 1, hour, minute)) for hour, minute in ((0, 0), (9, 5), (12, 0), (12, 30), (13, 0), (23, 59))]
    assert told == ["午前0時", "午前9時5分", "正午", "午後0時30分", "午後1時", "午後11時59分"]
    assert time_told(dt.datetime(2026, 8, 1, 1, 0, tzinfo=dt.UTC)) == "午前10時"
