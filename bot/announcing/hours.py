"""Times of day as members write them: 「午後3時半」「夕方5時」「朝」「18:30」「9am」."""

from __future__ import annotations

import datetime as dt
import re

_EVENING = ("夕方", "夕", "夜", "晩")
_NIGHT = ("夜中", "深夜", "未明")
_CLOCK = re.compile(
    r"(?P<part>午前|午後|朝|昼|夕方|夕|夜中|深夜|未明|夜|晩)?の?\s*"
    r"(?<!\d)(?P<hour>\d{1,2})\s*(?:(?:時|:)(?P<minute>[0-5]?\d(?!\d)|半)?分?\s*(?P<half>[ap]m)?|(?P<alone>[ap]m))"
)
_USUAL = (
    ("正午", dt.time(12)),
    ("昼", dt.time(12)),
    ("夕方", dt.time(17)),
    ("朝", dt.time(9)),
    ("夜", dt.time(19)),
    ("晩", dt.time(19)),
)


def time_in(text: str) -> tuple[dt.time | None, str]:
    """The time of day a message names, and the message without it. `text`: normalised.

    None and the text as it was where there is none, or where it could be two (「夜12時」「24時」).
    """
    if found := _CLOCK.search(text):
        hour = _hour(int(found["hour"]), _part(found))
        if hour is None:
            return None, text
        minute = 30 if found["minute"] == "半" else int(found["minute"] or 0)
        return dt.time(hour, minute), _without(text, found)
    for name, usual in _USUAL:
        if part := re.search(rf"お?{name}(?:ごろ|頃)?", text):
            return usual, _without(text, part)
    return None, text


def _part(found: re.Match[str]) -> str:
    english = found["half"] or found["alone"]
    return found["part"] or {"am": "午前", "pm": "午後"}.get(english or "", "")


def _hour(hour: int, part: str) -> int | None:
    """Of 24; None where no hour of that part of the day has this number, or two have."""
    if hour > 23 or (hour >= 12 and part in ("午前", "朝", "未明")) or (hour == 12 and part in ("午後", *_EVENING, *_NIGHT)):
        return None
    if part == "午後":
        return hour + 12 if hour < 12 else hour
    if part in _EVENING:
        return hour + 12 if 4 <= hour < 12 else hour if hour > 12 else None
    return hour + 12 if part == "昼" and hour < 6 else hour


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"
