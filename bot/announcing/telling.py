"""What an announcement says, by rule from its fields: its facts by name, its short answer, its past."""

from __future__ import annotations

import datetime as dt
import re

from bot.announcing.announcement import Announcement, Event, Grant
from bot.announcing.days import date_in_full, date_told, day_of, time_told

SHORT = 120  # characters of a short answer
_SENTENCE = re.compile(r"[^。!?！？\n]*[。!?！？]?")
_COUNT = re.compile(r"(?<![\d,])\d{5,}(?=円)")
_OF_NOTICE = re.compile(r"(?:について)?の?(?:お知らせ|ご?案内)$")


def facts(announcement: Announcement) -> list[tuple[str, str]]:
    """(name, value) of everything that was told in fields, in the order a reader asks for it."""
    event, grant = announcement.content.event, announcement.content.grant
    rows: list[tuple[str, str]] = []
    if event:
        rows += [("日時", when(event)), ("場所", event.place)]
    if grant:
        opens = f"{date_in_full(grant.opens)}から" if grant.opens else ""
        rows += [("締切", date_in_full(grant.deadline)), ("受付", opens), ("対象", grant.who), ("金額", amount(grant))]
        rows += [("地域", "、".join(grant.places)), ("分野", "、".join(grant.fields))]
    return [(name, value) for name, value in rows if value]


def when(event: Event, today: dt.date | None = None) -> str:
    """「2026年8月1日(土) 午前10時〜午後3時」; with `today`, the year is told only where it is another."""
    first = _day(day_of(event.starts), today)
    if event.ends is None:
        return f"{first} {time_told(event.starts)}から"
    if day_of(event.ends) == day_of(event.starts):
        return f"{first} {time_told(event.starts)}〜{time_told(event.ends)}"
    return f"{first} {time_told(event.starts)}から{_day(day_of(event.ends), today)} {time_told(event.ends)}まで"


def amount(grant: Grant) -> str:
    """「50万円」 for 500000円; otherwise as it was written."""
    return _COUNT.sub(lambda m: f"{int(m[0]) // 10_000}万" if int(m[0]) % 10_000 == 0 else f"{int(m[0]):,}", grant.amount)


def short(announcement: Announcement, today: dt.date | None = None) -> str:
    """The answer to a question for it, at most 120 characters: when and where, or for whom, how much and until when, else its
    first sentences."""
    content = announcement.content
    if content.event:
        place = f"、{cut(content.event.place, 36)}" if content.event.place else ""
        return f"{cut(subject(content.title), 40)}は、{when(content.event, today)}{place}です。"
    if content.grant:
        return _short_of_grant(cut(subject(content.title), 36), content.grant, today)
    told = content.text if content.text.startswith(content.title) else f"{content.title}。{content.text}"
    return first_sentences(told)


def subject(title: str) -> str:
    """What an announcement is about: 「夏祭り」 for 「夏祭りのお知らせ」."""
    return _OF_NOTICE.sub("", title) or title


def with_text(told: str, announcement: Announcement) -> str:
    """A short answer with the first sentences of the text, for who asks what it is about."""
    text = announcement.content.text
    return told if text[:20] in told else f"{told}\n{first_sentences(text)}"


def _short_of_grant(title: str, grant: Grant, today: dt.date | None) -> str:
    """As much of a grant as there is room for; its deadline always."""
    until = f"締切は{_day(grant.deadline, today)}です。"
    if grant.opens and (today is None or grant.opens > today):
        until = f"受付は{_day(grant.opens, today)}から、{until}"
    told = f"{title}: "
    for part in (f"対象は{cut(grant.who, 40)}。" if grant.who else "", f"金額は{cut(amount(grant), 24)}。" if grant.amount else ""):
        told += part if len(told) + len(part) + len(until) <= SHORT else ""
    return told + until


def first_sentences(text: str) -> str:
    """As many whole sentences as a short answer has room for."""
    taken = ""
    for sentence in _SENTENCE.findall(text):
        if len(taken) + len(sentence) > SHORT:
            break
        taken += sentence
    return taken.strip() or cut(text, SHORT)


def past(announcement: Announcement, today: dt.date) -> str:
    """What is over, told as such."""
    content = announcement.content
    if content.event:
        end = day_of(content.event.ends or content.event.starts)
        place = f"場所は{cut(content.event.place, 40)}でした。" if content.event.place else ""
        return f"{cut(subject(content.title), 50)}は、{date_told(end, today)}に終わりました。{place}"
    if content.grant:
        return f"{cut(subject(content.title), 60)}は、{date_told(content.grant.deadline, today)}に締め切られました。"
    return ""


def cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _day(day: dt.date, today: dt.date | None) -> str:
    return date_told(day, today) if today else date_in_full(day)
