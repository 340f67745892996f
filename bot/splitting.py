"""Long text into pieces that a platform takes, cut where a reader would pause and never inside a character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_PAUSES = (re.compile(r"\n\n+"), re.compile(r"\n"), re.compile(r"[。!?！？]+[」』)）]*"), re.compile(r"[、,\s]"))
_JOINER = "\u200d"


def utf16(text: str) -> int:
    """The length that LINE counts: UTF-16 code units; most emoji are two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """Pieces of at most `limit`, in order; joined they are the text again."""
    pieces = []
    while length(text) > limit:
        at = _cut(text, limit, length)
        pieces.append(text[:at])
        text = text[at:]
    return [*pieces, text]


def shorten(text: str, limit: int, length: Callable[[str], int] = len) -> str:
    """The text, or its beginning with an ellipsis, at most `limit` long."""
    if length(text) <= limit:
        return text
    return text[: _whole(text, _fitting(text, limit - 1, length))] + "…"


def _cut(text: str, limit: int, length: Callable[[str], int]) -> int:
    longest = _fitting(text, limit, length)
    for pause in _PAUSES:
        ends = [m.end() for m in pause.finditer(text, longest // 2, longest)]
        if ends:
            return _whole(text, ends[-1])
    return _whole(text, longest)


def _fitting(text: str, limit: int, length: Callable[[str], int]) -> int:
    """The most characters of the beginning that fit."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(text[:middle]) <= limit else (low, middle - 1)
    return low


def _whole(text: str, at: int) -> int:
    """The nearest place before `at` that is not inside what is seen as one character; `at` where there is none near."""
    for place in range(at, max(at - 32, 0), -1):
        if place == len(text) or not _continues(text, place):
            return place
    return max(at, 1)


def _continues(text: str, at: int) -> bool:
    """Whether the code point at `at` belongs to the character before it: accents, variants, skin tones, joined emoji, flags."""
    this, before = text[at], text[at - 1]
    flags = 0
    while flags < at and "\U0001f1e6" <= text[at - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return (
        bool(unicodedata.combining(this))
        or unicodedata.category(this) in ("Mn", "Me", "Mc", "Cf")
        or "\U0001f3fb" <= this <= "\U0001f3ff"
        or before == _JOINER
        or ("\U0001f1e6" <= this <= "\U0001f1ff" and flags % 2 == 1)
    )
