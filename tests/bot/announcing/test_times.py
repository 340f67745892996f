"""Quiet hours, repetitions, months' ends, holidays, reminders: in Tokyo, whatever the day."""

from __future__ import annotations

import calendar
import datetime as dt
import itertools

import jpholiday
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.announcing.announcement import Content, Event, Grant, Holidays, Plan
from bot.announcing.times import Occasion, awake, begins, flaw_of_rule, is_quiet, next_month, occurrences, reminders, repeated
from bot.clock import JAPAN

MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2035, 12, 31), timezones=st.just(JAPAN))
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2035, 12, 31))


@given(MOMENTS)
def test_what_leaves_leaves_by_day_and_not_before_its_time(moment: dt.datetime) -> None:
    at = awake(moment)
    assert at >= moment
    assert 7 <= at.hour < 22
    assert at - moment <= dt.timedelta(hours=9)
    assert is_quiet(moment) is (at != moment)
    assert awake(moment.astimezone(dt.UTC)) == at


@given(MOMENTS)
def test_what_is_urgent_leaves_at_once(moment: dt.datetime) -> None:
    assert begins(Plan(urgent=True), moment) == moment.replace(microsecond=0)


@given(DAYS, st.sampled_from(["daily", "weekly", "monthly", "yearly"]), st.sampled_from(list(Holidays)))
def test_repetitions_keep_their_hour_and_rise_and_respect_holidays(first: dt.date, how: str, holidays: Holidays) -> None:
    began = dt.datetime.combine(first, dt.time(9, 30), JAPAN)
    found = list(itertools.islice(occurrences(repeated(how, first), began, holidays), 8))
    days = [at.date() for at in found]
    assert days or holidays is Holidays.SKIP  # New Year's Day, every year
    assert len(set(days)) == len(days)
    assert all(at.time() == dt.time(9, 30) and at.utcoffset() == dt.timedelta(hours=9) for at in found)
    if holidays is not Holidays.BEFORE:
        assert all(d > first for d in days)
    if holidays is not Holidays.KEEP:
        assert not [d for d in days if jpholiday.is_holiday(d)]


@given(DAYS)
def test_each_month_on_the_same_day_or_its_last(first: dt.date) -> None:
    began = dt.datetime.combine(first, dt.time(9), JAPAN)
    found = [at.date() for at in itertools.islice(occurrences(repeated("monthly", first), began, Holidays.KEEP), 13)]
    months = [(d.year, d.month) for d in found]
    assert months == [((first.year * 12 + first.month + n) // 12, (first.year * 12 + first.month + n) % 12 + 1) for n in range(13)]
    assert all(d.day == min(first.day, calendar.monthrange(d.year, d.month)[1]) for d in found)


@given(MOMENTS)
def test_the_next_month_begins_at_seven_on_its_first_day(moment: dt.datetime) -> None:
    at = next_month(moment)
    assert (at.day, at.hour) == (1, 7)
    assert moment < at
    assert (at.year * 12 + at.month) - (moment.year * 12 + moment.month) == 1


@pytest.mark.parametrize(
    "rule",
    ["FREQ=HOURLY", "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;UNTIL=20270231", "FREQ=MONTHLY;BYMONTHDAY=99",
     "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", "DTSTART:20270101", "x", "FREQ=DAILY;COUNT=1", "FREQ=WEEKLY;BYDAY=XX"],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_said(rule: str) -> None:
    assert flaw_of_rule(rule, dt.datetime(2027, 1, 1, 9, tzinfo=JAPAN))


@given(st.text(max_size=60))
def test_whatever_is_typed_as_a_rule_raises_nothing(rule: str) -> None:
    flaw_of_rule(rule, dt.datetime(2027, 1, 1, 9, tzinfo=JAPAN))


@pytest.mark.parametrize(
    ("until", "last"),
    [("20270315", 15), ("20270315T090000", 15), ("20270315T085959", 14), ("20270315T000000Z", 15), ("20270314T235959Z", 14)],
)  # fmt: skip
def test_a_rule_ends_by_tokyos_time(until: str, last: int) -> None:
    found = list(occurrences(f"FREQ=DAILY;UNTIL={until}", dt.datetime(2027, 3, 10, 9, tzinfo=JAPAN), Holidays.KEEP))
    assert found[-1].day == last


@given(MOMENTS, st.integers(0, 40), st.integers(0, 23))
def test_reminders_come_after_the_first_and_stop_by_themselves(first: dt.datetime, days: int, hour: int) -> None:
    starts = (first + dt.timedelta(days=days)).replace(hour=hour, minute=0)
    for content in (Content("祭り", "x", event=Event(starts)), Content("助成", "x", grant=Grant(starts.date()))):
        found = list(reminders(content, first))
        assert [d.occasion for d in found] == sorted((d.occasion for d in found), key=[*Occasion].index)
        assert all(first < d.at < (content.day() or first) and not is_quiet(d.at) for d in found)
        if days >= 16:
            assert [d.occasion for d in found][:2] == [Occasion.IN_TWO_WEEKS, Occasion.IN_THREE_DAYS]
