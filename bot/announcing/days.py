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
    (r"今日|本日|きょう|今(?=晩|夜)", "今日", lambda t: (t, t)),
    (r"明々後日|明明後日|しあさって", "しあさって", lambda t: (t + 3 * _A_DAY, t + 3 * _A_DAY)),
    (r"明後日|あさって", "あさって", lambda t: (t + 2 * _A_DAY, t + 2 * _A_DAY)),
    (r"一昨日|おととい|おとつい", "おととい", lambda t: (t - 2 * _A_DAY, t - 2 * _A_DAY)),
    (r"昨日|きのう|昨夜|昨晩|ゆうべ", "昨日", lambda t: (t - _A_DAY, t - _A_DAY)),
    (r"明日|あした|あす(?!か)", "あした", lambda t: (t + _A_DAY, t + _A_DAY)),
    (r"再来週|さらいしゅう", "再来週", lambda t: _week(t + 2 * _A_WEEK)),
    (r"来週の?(?:週末|土日)", "来週の週末", lambda t: _weekend(t + _A_WEEK)),
    (r"(?:今週の?)?(?:週末|土日)|こんどの?土日", "週末", lambda t: _weekend(t)),
    (r"来週|らいしゅう|次の週", "来週", lambda t: _week(t + _A_WEEK)),
    (r"今週中?|こんしゅう|この週", "今週", lambda t: _week(t)),
    (r"先々週|先先週|せんせんしゅう", "先々週", lambda t: _week(t - 2 * _A_WEEK)),
    (r"先週|せんしゅう|前の週", "先週", lambda t: _week(t - _A_WEEK)),
    (r"再来月|さらいげつ", "再来月", lambda t: _month(t, 2)),
    (r"来月|らいげつ|次の月", "来月", lambda t: _month(t, 1)),
    (r"今月(?:中|末|いっぱい)?|こんげつ|この月|月末", "今月", lambda t: _month(t, 0)),
    (r"先月|せんげつ|前の月", "先月", lambda t: _month(t, -1)),
    (r"来年度", "来年度", lambda t: _fiscal_year(t, 1)),
    (r"(?:昨|去)年度", "昨年度", lambda t: _fiscal_year(t, -1)),
    (r"今年度", "今年度", lambda t: _fiscal_year(t)),
    (r"年度末", "年度末", lambda t: _month(_fiscal_year(t)[1], 0)),
    (r"年末(?!調整)", "年末", lambda t: _month(t, 12 - t.month)),
    (r"元日|元旦", "元日", lambda t: 2 * (_first_from(t, 1, 1),)),
    (r"大晦日|大みそか|おおみそか", "大みそか", lambda t: 2 * (_first_from(t, 12, 31),)),
    (r"年明け|年始|お?正月", "1月", lambda t: _month(_first_from(t - 30 * _A_DAY, 1, 1), 0)),
    (r"今年中?|ことし|年内", "今年", lambda t: _year(t.year)),
    (r"再来年", "再来年", lambda t: _year(t.year + 2)),
    (r"来年", "来年", lambda t: _year(t.year + 1)),
    (r"去年|昨年|きょねん", "去年", lambda t: _year(t.year - 1)),
    (r"もうすぐ|もう少しで|近いうち|間近|迫って|近づいて", "2週間のうち", lambda t: (t, t + _SOON)),
)
_COMPILED = tuple((re.compile(pattern), said, span) for pattern, said, span in _RELATIVE)
_DATE = re.compile(r"(?<!\d)(\d{1,2})(?:月\s*|/)(\d{1,2})(?:日|(?!\d))")
_FULL_DATE = re.compile(r"(?<!\d)(\d{4})[年/-]\s*(\d{1,2})[月/-]\s*(\d{1,2})(?:日|(?!\d))")
_DAY_OF_MONTH = re.compile(
    r"(?<![\d月/第])(?<!あと)(?<!残り)([12]\d|3[01]|[1-9])日(?![間前後以目めに]|ほど|くらい|ぐらい|たった?ら|で)"
)
_AFTER = re.compile(r"(?<!\d)(\d{1,3})(日|週間)後")
_WEEKDAY = re.compile(
    rf"(?P<week>再来週|来週|今週|先週)?の?(?:今度の?|こんどの?|次の?)?(?P<day>[{_WEEKDAYS}])曜日?|(?P<of>再来週|来週|今週)の?(?P<short>[{_WEEKDAYS}])(?![曜\w])"
)
_WEEKS = {"先週": -1, "今週": 0, "来週": 1, "再来週": 2}
_NAMED_MONTH = re.compile(r"(?<!\d)(1[0-2]|[1-9])月(?:中|末|いっぱい|分)?(?!\d)")


def span_in(text: str, today: dt.date) -> tuple[Span | None, str]:
    """The days a message speaks of, and the message without them. `text`: normalised. A month or a day is the next one."""
    if found := _FULL_DATE.search(text) or _DATE.search(text):
        day = _dated(found, today)
        return (Span(f"{day.month}月{day.day}日", day, day), text.replace(found[0], " ", 1)) if day else (None, text)
    if named := _named_day(text, today):
        return named
    for pattern, said, span in _COMPILED:
        if match := pattern.search(text):
            return Span(said, *span(today)), f"{text[: match.start()]} {text[match.end() :]}"
    if found := _NAMED_MONTH.search(text):
        month = int(found[1])
        first = dt.date(today.year + (month < today.month), month, 1)
        return Span(f"{month}月", *_month(first, 0)), text.replace(found[0], " ", 1)
    return None, text


def no_such_day(text: str) -> str:
    """「2月31日」 where a message names a day that no year has; empty otherwise. `text`: normalised."""
    found = _FULL_DATE.search(text) or _DATE.search(text)
    return found[0] if found and _dated(found, dt.date(2000, 1, 1)) is None else ""


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


def _named_day(text: str, today: dt.date) -> tuple[Span, str] | None:
    """One day by its weekday, by its number alone, or counted from today: 「来週の金曜」「18日」「3日後」."""
    if found := _AFTER.search(text):
        day = today + int(found[1]) * (_A_WEEK if found[2] == "週間" else _A_DAY)
    elif found := _WEEKDAY.search(text):
        week, weekday = found["week"] or found["of"], _WEEKDAYS.index(found["day"] or found["short"])
        ahead = (weekday - today.weekday()) % 7
        day = _week(today)[0] + _WEEKS[week] * _A_WEEK + weekday * _A_DAY if week else today + ahead * _A_DAY
    elif found := _DAY_OF_MONTH.search(text):
        day = _next_numbered(today, int(found[1]))
    else:
        return None
    return Span(f"{day.month}月{day.day}日", day, day), text.replace(found[0], " ", 1)


def _week(day: dt.date) -> tuple[dt.date, dt.date]:
    first = day - day.weekday() * _A_DAY
    return first, first + 6 * _A_DAY


def _weekend(day: dt.date) -> tuple[dt.date, dt.date]:
    last = _week(day)[1]
    return last - _A_DAY, last


def _month(day: dt.date, later: int) -> tuple[dt.date, dt.date]:
    year, month = divmod(day.year * 12 + day.month - 1 + later, 12)
    return dt.date(year, month + 1, 1), dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def _year(year: int) -> tuple[dt.date, dt.date]:
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _fiscal_year(day: dt.date, later: int = 0) -> tuple[dt.date, dt.date]:
    year = day.year - (day.month < 4) + later
    return dt.date(year, 4, 1), dt.date(year + 1, 3, 31)


def _first_from(today: dt.date, month: int, day: int) -> dt.date:
    """The next such day of a day that every year has."""
    this_year = dt.date(today.year, month, day)
    return this_year if this_year >= today else dt.date(today.year + 1, month, day)


def _next_numbered(today: dt.date, number: int) -> dt.date:
    """The next 31st: in this month, or in the first one after it that has one."""
    for later in range(3):
        first, last = _month(today, later)
        if number <= last.day and first.replace(day=number) >= today:
            return first.replace(day=number)
    raise ValueError(number)  # of three months in a row one has 31 days and is not over


def _dated(found: re.Match[str], today: dt.date) -> dt.date | None:
    """The day of a date in figures, the next one where no year is named."""
    *year, month, day = map(int, found.groups())
    try:
        return dt.date(year[0], month, day) if year else _next(today, month, day)
    except ValueError:
        return None


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
