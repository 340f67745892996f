"""Days as members speak of them: 「今月」「来週」「7月」 as a span of dates, and dates as they are told."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from bot.announcing.announcement import local

_WEEKDAYS = "月火水木金土日"
_A_DAY, _A_WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
_SOON = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both of them too. `said`: as it is told."""

    said: str
    first: dt.date
    last: dt.date

    def holds(self, day: dt.date) -> bool:
        return self.first <= day <= self.last

    def meets(self, first: dt.date, last: dt.date) -> bool:
        """Whether some days and this span have one in common."""
        return first <= self.last and self.first <= last


_RELATIVE = (
    (r"今日|本日|きょう", "今日", lambda t: (t, t)),
    (r"明後日|あさって", "あさって", lambda t: (t + 2 * _A_DAY, t + 2 * _A_DAY)),
    (r"明日|あした|あす(?!か)", "あした", lambda t: (t + _A_DAY, t + _A_DAY)),
    (r"再来週|さらいしゅう", "再来週", lambda t: _week(t + 2 * _A_WEEK)),
    (r"来週の?(?:週末|土日)", "来週の週末", lambda t: _weekend(t + _A_WEEK)),
    (r"(?:今週の?)?(?:週末|土日)|こんどの?土日", "週末", lambda t: _weekend(t)),
    (r"来週|らいしゅう|次の週", "来週", lambda t: _week(t + _A_WEEK)),
    (r"今週中?|こんしゅう|この週", "今週", lambda t: _week(t)),
    (r"再来月|さらいげつ", "再来月", lambda t: _month(t, 2)),
    (r"来月|らいげつ|次の月", "来月", lambda t: _month(t, 1)),
    (r"今月(?:中|末|いっぱい)?|こんげつ|この月", "今月", lambda t: _month(t, 0)),
    (r"今年度", "今年度", lambda t: _fiscal_year(t)),
    (r"今年中?|ことし|年内", "今年", lambda t: (dt.date(t.year, 1, 1), dt.date(t.year, 12, 31))),
    (r"来年", "来年", lambda t: (dt.date(t.year + 1, 1, 1), dt.date(t.year + 1, 12, 31))),
    (r"もうすぐ|もう少しで|近いうち|間近|迫って|近づいて", "2週間のうち", lambda t: (t, t + _SOON)),
)
_COMPILED = tuple((re.compile(pattern), said, span) for pattern, said, span in _RELATIVE)
_DATE = re.compile(r"(?<!\d)(1[0-2]|[1-9])(?:月|/)([12]\d|3[01]|[1-9])日?(?!\d)")
_NAMED_MONTH = re.compile(r"(?<!\d)(1[0-2]|[1-9])月(?:中|末|いっぱい|分)?(?!\d)")


def span_in(text: str, today: dt.date) -> tuple[Span | None, str]:
    """The days a message speaks of, and the message without them. `text`: normalised. A month or a day is the next one."""
    if found := _DATE.search(text):
        day = _next(today, int(found[1]), int(found[2]))
        if day is not None:
            return Span(f"{day.month}月{day.day}日", day, day), text.replace(found[0], " ", 1)
    for pattern, said, span in _COMPILED:
        if match := pattern.search(text):
            return Span(said, *span(today)), text.replace(match[0], " ", 1)
    if found := _NAMED_MONTH.search(text):
        month = int(found[1])
        first = dt.date(today.year + (month < today.month), month, 1)
        return Span(f"{month}月", *_month(first, 0)), text.replace(found[0], " ", 1)
    return None, text


def date_told(day: dt.date, today: dt.date) -> str:
    """「8月1日(土)」, with the year where it is not this one."""
    year = f"{day.year}年" if day.year != today.year else ""
    return f"{year}{day.month}月{day.day}日({_WEEKDAYS[day.weekday()]})"


def date_in_full(day: dt.date) -> str:
    """「2026年8月1日(土)」, for what is kept or printed."""
    return f"{day.year}年{day.month}月{day.day}日({_WEEKDAYS[day.weekday()]})"


def time_told(moment: dt.datetime) -> str:
    """「午前10時」「午後1時30分」, in Japan; 「正午」."""
    at = local(moment)
    if (at.hour, at.minute) == (12, 0):
        return "正午"
    half, hour = ("午前", at.hour) if at.hour < 12 else ("午後", at.hour - 12)
    return f"{half}{hour}時" + (f"{at.minute}分" if at.minute else "")


def day_of(moment: dt.datetime) -> dt.date:
    """The day in Japan."""
    return local(moment).date()


def _week(day: dt.date) -> tuple[dt.date, dt.date]:
    first = day - day.weekday() * _A_DAY
    return first, first + 6 * _A_DAY


def _weekend(day: dt.date) -> tuple[dt.date, dt.date]:
    last = _week(day)[1]
    return last - _A_DAY, last


def _month(day: dt.date, later: int) -> tuple[dt.date, dt.date]:
    year, month = divmod(day.year * 12 + day.month - 1 + later, 12)
    return dt.date(year, month + 1, 1), dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def _fiscal_year(day: dt.date) -> tuple[dt.date, dt.date]:
    year = day.year - (day.month < 4)
    return dt.date(year, 4, 1), dt.date(year + 1, 3, 31)


def _next(today: dt.date, month: int, day: int) -> dt.date | None:
    """The next such day, today at the earliest; None where no year has one (31 February)."""
    for year in range(today.year, today.year + 5):
        try:
            found = dt.date(year, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None
