"""When something may leave: quiet hours, repetitions (RFC 5545), public holidays, reminders. In Tokyo, which has no summer time."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import jpholiday
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, rrulestr

from bot.announcing.announcement import Announcement, Content, Holidays, Means, Plan, local
from bot.clock import JAPAN
from bot.errors import UserMistake

AWAKE, ASLEEP = dt.time(7), dt.time(22)
_USUAL = dt.time(9)
_DAY = dt.timedelta(days=1)
_OFTEN = frozenset({DAILY, WEEKLY, MONTHLY, YEARLY})
_NAMED = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"})
_FAR = dt.timedelta(days=10 * 366)  # so that a rule that never comes true is not followed to the end of time
_MOST = 4_000  # occurrences that are looked at


class Occasion(StrEnum):
    """Why an announcement leaves."""

    FIRST = "first"
    REPEAT = "repeat"
    IN_TWO_WEEKS = "reminder14"
    IN_THREE_DAYS = "reminder3"
    TODAY = "reminder0"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"
    TEST = "test"

    @property
    def is_reminder(self) -> bool:
        return self in REMINDERS


REMINDERS = {Occasion.IN_TWO_WEEKS: 14, Occasion.IN_THREE_DAYS: 3, Occasion.TODAY: 0}


@dataclass(frozen=True, slots=True)
class Due:
    occasion: Occasion
    at: dt.datetime


def is_quiet(moment: dt.datetime) -> bool:
    """Whether nothing may leave unless it is urgent: from 22:00 to 7:00."""
    return not AWAKE <= local(moment).time() < ASLEEP


def awake(moment: dt.datetime) -> dt.datetime:
    """The moment itself, or the next seven in the morning."""
    at = local(moment)
    if not is_quiet(at):
        return at
    date = at.date() if at.time() < AWAKE else at.date() + _DAY
    return dt.datetime.combine(date, AWAKE, JAPAN)


def next_month(moment: dt.datetime) -> dt.datetime:
    """Seven in the morning of the next month's first day."""
    first = local(moment).date().replace(day=1)
    return dt.datetime.combine((first + 31 * _DAY).replace(day=1), AWAKE, JAPAN)


def begins(plan: Plan, now: dt.datetime) -> dt.datetime:
    """When the first run leaves."""
    at = max(local(plan.send_at), local(now)) if plan.send_at else local(now)
    at = at.replace(microsecond=0)
    return at if plan.urgent else awake(at)


def push_from(plan: Plan, began: dt.datetime) -> dt.datetime | None:
    """From when a delivery that costs may be pushed; None: never."""
    if plan.means is Means.NOW:
        return began
    if plan.means is Means.FREE_THEN_PAY and plan.pay_on:
        at = dt.datetime.combine(plan.pay_on, began.astimezone(JAPAN).time(), JAPAN)
        return max(began, at if plan.urgent else awake(at))
    return None


def runs_of(announcement: Announcement, first: dt.datetime, until: dt.datetime) -> Iterator[Due]:
    """Everything that leaves up to a moment, in no fixed order. `first`: when the first run does."""
    plan, content = announcement.plan, announcement.content
    first = local(first)
    yield Due(Occasion.FIRST, first)
    if plan.rrule:
        ends = content.over_at()
        for at in occurrences(plan.rrule, first, plan.holidays):
            if at > until or (ends and at >= ends):
                break
            yield Due(Occasion.REPEAT, at)
    if plan.reminders:
        yield from (due for due in reminders(content, first) if due.at <= until)


def reminders(content: Content, first: dt.datetime) -> Iterator[Due]:
    """14 days and 3 days before, and the day itself, each at nine or, if that is too late, at seven; only after the first run."""
    day = content.day()
    if day is None:
        return
    for occasion, days in REMINDERS.items():
        date = local(day).date() - days * _DAY
        at = dt.datetime.combine(date, _USUAL, JAPAN)
        if at >= day:
            at = dt.datetime.combine(date, AWAKE, JAPAN)
        if first + dt.timedelta(hours=12) <= at < day:
            yield Due(occasion, at)


def occurrences(rule: str, first: dt.datetime, holidays: Holidays) -> Iterator[dt.datetime]:
    """The repetitions after the first time, each on a day of its own, moved off public holidays.

    Raises UserMistake for a bad rule.
    """
    first = local(first)
    seen = {first.date()}
    for at in itertools.islice(_parsed(rule, first), _MOST):
        date = _moved(at.date(), holidays)
        if date is None or date in seen or date < first.date():
            continue
        seen.add(date)
        yield dt.datetime.combine(date, first.time(), JAPAN)


def repeated(how: str, first: dt.date) -> str:
    """The rule for 「毎日」「毎週」「毎月」「毎年」 on the day of the first time; where a month is shorter, on its last day."""
    if how == "daily":
        return "FREQ=DAILY"
    if how == "weekly":
        return "FREQ=WEEKLY"
    days = ",".join(map(str, range(28, first.day + 1))) if first.day > 28 else str(first.day)
    last = ";BYSETPOS=-1" if first.day > 28 else ""
    if how == "monthly":
        return f"FREQ=MONTHLY;BYMONTHDAY={days}{last}"
    if how == "yearly":
        return f"FREQ=YEARLY;BYMONTH={first.month};BYMONTHDAY={days}{last}"
    raise UserMistake("くり返しは、daily・weekly・monthly・yearly のどれかにしてください。")


def flaw_of_rule(rule: str, first: dt.datetime) -> str:
    """What is wrong with a repetition; empty where nothing is."""
    if not rule:
        return ""
    try:
        if next(occurrences(rule, first, Holidays.KEEP), None) is None:
            return "このくり返しでは、二回目がありません。日を確かめてください。"
    except UserMistake as error:
        return str(error)
    return ""


def _parsed(rule: str, first: dt.datetime) -> rrule:
    """In Tokyo's time without a zone: there is no summer time, and dateutil wants the end to be of the same kind."""
    wrong = UserMistake("くり返しの書き方が違います。FREQ=MONTHLY;BYMONTHDAY=25 のように書いてください(一日に一回まで)。")
    rule = rule.strip().upper().removeprefix("RRULE:")
    named = {part.partition("=")[0] for part in rule.split(";")}
    if len(rule) > 200 or not named <= _NAMED or not rule.isascii() or {"COUNT", "UNTIL"} <= named:
        raise wrong
    rule = re.sub(r"UNTIL=(\w+)", lambda m: f"UNTIL={_until(m[1], wrong)}", rule)
    try:
        parsed = rrulestr(rule, dtstart=first.replace(tzinfo=None))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise wrong from error
    if not isinstance(parsed, rrule) or parsed._freq not in _OFTEN or parsed._interval < 1:  # type: ignore[attr-defined]
        raise wrong
    return parsed if {"COUNT", "UNTIL"} & named else parsed.replace(until=first.replace(tzinfo=None) + _FAR)


def _until(text: str, wrong: UserMistake) -> str:
    """The end of a rule in Tokyo's time; a day alone lasts until its end."""
    match = re.fullmatch(r"(\d{8})(?:T(\d{6})(Z?))?", text)
    try:
        if match is None:
            raise wrong
        date = dt.datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC if match[3] else JAPAN)
    except ValueError as error:
        raise wrong from error
    return date.astimezone(JAPAN).strftime("%Y%m%dT%H%M%S")


def _moved(date: dt.date, holidays: Holidays) -> dt.date | None:
    """Off a public holiday; None for a day that is left out."""
    if holidays is Holidays.KEEP or not jpholiday.is_holiday(date):
        return date
    if holidays is Holidays.SKIP:
        return None
    step = _DAY if holidays is Holidays.AFTER else -_DAY
    while jpholiday.is_holiday(date):
        date += step
    return date
