"""Readings for difficult words, in hiragana and in brackets after them: 定款（ていかん）."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge import yaml_files
from knowledge.languages import ja

_LISTS = yaml_files.shipped("knowledge.languages", "readings.yaml")
# The school year in which a kanji is learnt; those of the first two years need no reading, what is in no list is the hardest.
_YEAR = {kanji: year for year, kanjis in _LISTS["years"].items() for kanji in kanjis}
_READ_BY_ALL, _HARDEST = 2, 5
_EVERYDAY = frozenset(_LISTS["everyday"].split())
_CORRECTED: dict[str, str] = {str(word): str(reading) for word, reading in _LISTS["readings"].items()}
_LISTED_STARTS = frozenset(word[0] for word in _CORRECTED)
_LONGEST_LISTED = 6  # words of the dictionary that one of the list may consist of
_UNREAD = frozenset(_LISTS["unread"].split())

_KANJI = re.compile("[一-龥々]")
_KANA_BEHIND = re.compile("[ぁ-ゖァ-ヺー]+$")
_HIRAGANA = re.compile("[ぁ-ゖー]+")
_GIVEN = re.compile(r"(?<=[一-龥々」』])(?:[（(][ぁ-ゖー]+[）)])+")
_QUOTED = re.compile(r"[「『]([^「」『』]*)[」』]|(?=https?://)\S+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_JOINED = frozenset({"名詞", "接頭辞", "接尾辞", "形状詞"})
_ENDS_A_PLACE = frozenset("都道府県市区町村郡")
_TO_HIRAGANA = {katakana: katakana - 0x60 for katakana in range(ord("ァ"), ord("ヶ") + 1)}


@dataclass(frozen=True, slots=True)
class _Part:
    """A word of the dictionary or of the list, as it stands in a text."""

    surface: str
    key: str  # the form that stands in dictionaries
    reading: str  # hiragana; empty where it isn't known
    kind: tuple[str, ...]
    year: int  # 0: needs no reading

    @property
    def joins(self) -> bool:
        """Whether it can be a part of a compound; 「子ども」 before 「食堂」 need not be read again."""
        whole = self.kind[0] in _JOINED and self.kind[2] != "副詞可能" and _KANJI.search(self.surface)
        return bool(whole) and "数詞" not in self.kind and (self.year > 0 or not _KANA_BEHIND.search(self.surface))


@dataclass(frozen=True, slots=True)
class _Word:
    """A difficult word: where its last kanji ends, where the reading goes (behind 」 if all of a quotation), how it is read."""

    end: int
    place: int
    reading: str
    year: int

    @property
    def cost(self) -> int:
        return len(self.reading) + 2


def with_readings(text: str, room: int | None = None) -> str:
    """The text with the reading of each difficult word in full-width brackets where the word first stands.

    Readings that are there already stay and are not repeated; quotations are left as they are. At most `room` characters come
    out, unless the text alone is longer: the hardest words are served first. Idempotent, never raises.
    """
    if not _KANJI.search(text):
        return text
    plain, given = _taken_out(text)
    left = len(text) if room is None else room - len(text)
    added: dict[int, str] = {}
    for word in sorted(_difficult(plain), key=lambda w: (-w.year, w.end)):
        if _is_given(word, given) or (room is not None and word.cost > left):
            continue
        added[word.place] = f"（{word.reading}）"
        left -= word.cost
    places = sorted({0, len(plain), *given, *added})
    pieces = [plain[start:end] for start, end in zip(places, [*places[1:], len(plain)], strict=True)]
    return "".join(added.get(p, "") + given.get(p, "") + piece for p, piece in zip(places, pieces, strict=True))


def _taken_out(text: str) -> tuple[str, dict[int, str]]:
    """The text without kana in brackets behind kanji, and these brackets by their place in it."""
    given: dict[int, str] = {}
    plain, end = "", 0
    for found in _GIVEN.finditer(text):
        plain += text[end : found.start()]
        given[len(plain)] = found.group()
        end = found.end()
    return plain + text[end:], given


def _is_given(word: _Word, given: dict[int, str]) -> bool:
    """Whether the reading is there; the same word is read in two ways sometimes (町: まち, ちょう), an explanation differs."""
    brackets = given.get(word.end, "") + given.get(word.place, "")
    return any(reading[:2] == word.reading[:2] for reading in _HIRAGANA.findall(brackets))


def _difficult(text: str) -> Iterator[_Word]:
    """Each difficult word where it first stands; a compound with nothing new in it is not read again."""
    quotations = [m.span(1 if m[1] is not None else 0) for m in _QUOTED.finditer(text)]
    seen: set[str] = set()
    for start, parts in _compounds(text):
        surface = "".join(p.surface for p in parts)
        kana = m.group() if (m := _KANA_BEHIND.search(surface)) else ""
        reading = "".join(p.reading for p in parts)
        end = start + len(surface)
        place = next((b + 1 if (a, b) == (start, end) else 0 for a, b in quotations if a <= start < b), None)
        new = {p.key for p in parts if p.year} - seen
        if not new or place == 0 or surface in _UNREAD or not all(p.reading for p in parts):
            continue
        seen.update(p.key for p in parts)
        # The reading of 認めます is that of 認; where the kana aren't its end, it is that of the whole word.
        if place is None and kana and reading.endswith(kana):
            end, reading = end - len(kana), reading.removesuffix(kana)
        yield _Word(end, place or end, reading, max(p.year for p in parts))


def _compounds(text: str) -> Iterator[tuple[int, list[_Part]]]:
    """Runs of words that are read as one, with their start. What counts (3人, 第3条) and what has no kanji is left out."""
    run: list[_Part] = []
    before: _Part | None = None
    at = start = 0
    for part in _parts(text):
        counts = _counts(before, part, text[at + len(part.surface) :][:1])
        ended = len(run) > 1 and run[-1].surface in _ENDS_A_PLACE
        if run and (ended or counts or not (part.joins and run[-1].joins)):
            yield start, run
            run = []
        if not counts and _KANJI.search(part.surface):
            start = start if run else at
            run.append(part)
        at += len(part.surface)
        before = part
    if run:
        yield start, run


def _counts(before: _Part | None, part: _Part, behind: str) -> bool:
    """Whether a word belongs to a number: 人 in 3人, 第 in 第3条."""
    if part.surface == "第":
        return behind.isnumeric()
    numbered = before is not None and ("数詞" in before.kind or before.surface[-1:].isdigit())
    return numbered and ("接尾辞" in part.kind or "助数詞可能" in part.kind)


def _parts(text: str) -> Iterator[_Part]:
    """The words of a text; several in a row are one where the list has them as one."""
    found = ja.long_words(_SURROGATES.sub(" ", text))
    surfaces = [m.surface() for m in found]
    i = 0
    while i < len(found):
        n = _listed(surfaces[i : i + _LONGEST_LISTED])
        surface = "".join(surfaces[i : i + max(n, 1)])
        kind = found[i].part_of_speech()
        if n:
            year = 0 if surface in _EVERYDAY else _year(surface) or 1
            yield _Part(surface, surface, _CORRECTED[surface], ("名詞", "普通名詞", "一般"), year)
        else:
            key = found[i].dictionary_form()
            yield _Part(surface, key, _reading(found[i].reading_form(), kind), tuple(kind), _year_of_word(surface, key, kind))
        i += max(n, 1)


def _listed(surfaces: Sequence[str]) -> int:
    """How many words from here on stand in the list as one; 0 for none."""
    if surfaces[0][:1] not in _LISTED_STARTS:
        return 0
    return max((n for n in range(1, len(surfaces) + 1) if "".join(surfaces[:n]) in _CORRECTED), default=0)


def _reading(katakana: str, kind: Sequence[str]) -> str:
    """Names of people are read as they please; only the list knows."""
    hiragana = katakana.translate(_TO_HIRAGANA)
    return hiragana if _HIRAGANA.fullmatch(hiragana) and kind[2] != "人名" else ""


def _year_of_word(surface: str, key: str, kind: Sequence[str]) -> int:
    if surface in _EVERYDAY or key in _EVERYDAY or any(c.isdigit() for c in surface):
        return 0
    return _year(surface) or (1 if kind[2] == "地名" and _KANJI.search(surface) else 0)


def _year(surface: str) -> int:
    """The year of the hardest kanji; 0 if all of them are read by everybody."""
    year = max((_YEAR.get(kanji, _HARDEST) for kanji in _KANJI.findall(surface)), default=0)
    return year if year > _READ_BY_ALL else 0
