"""Long text to passages of chat size: along headings, then along sentences, everything kept and in order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from knowledge.languages import ja

LONGEST = 600  # characters: what a member reads without scrolling far, and what an embedding can still hold

_ATX = re.compile(r"(?P<marks>#{1,6})[ \t]+(?P<heading>.*?)[ \t]*#*")
_UNDERLINE = re.compile(r"=+|-{3,}")
_FENCE = re.compile(r"(```|~~~)")
_MARKED = re.compile(r"[■◆●◎□◇][ \u3000]*(?P<heading>\S.{0,39})|【(?P<bracketed>[^【】]{1,40})】")
_LONGEST_HEADING = 200  # characters of a line; a longer one is text
_STOPS = ("。", ". ", "、", "，", ", ", "；", ";", "：", "」", "』", "）", ")", "\u3000", " ")
_JOINERS = frozenset("\u200d\u20e3\uff9e\uff9f")  # zero-width joiner, keycap, half-width dakuten and handakuten


@dataclass(frozen=True, slots=True)
class Headed:
    """The text under one heading. `trail`: the headings it stands under, the outermost first; empty before the first one."""

    trail: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class _Mark:
    """A heading found in a line: its depth, 1 the highest, and how many lines it takes."""

    depth: int
    heading: str
    lines: int = 1


def along_headings(text: str, *, markdown: bool) -> list[Headed]:
    """The text cut at its headings: those of Markdown, or lines that open with ■ or stand in 【】.

    A heading that only holds deeper headings gives no entry of its own: it stands in their trails.
    """
    return gather((mark.depth, mark.heading) if mark else (-1, line) for line, mark in _marked_lines(text.split("\n"), markdown))


def gather(lines: Iterable[tuple[int, str]]) -> list[Headed]:
    """Lines under their headings. A line comes with its depth as a heading, 0 the highest, or with -1 as text.

    A heading with neither text nor a deeper heading under it is text itself: nothing is lost.
    """
    found: list[Headed] = []
    trail: list[tuple[int, str]] = []
    body: list[str] = []
    for depth, line in [*lines, (0, "")]:
        if depth < 0:
            body.append(line)
            continue
        text = "\n".join(body).strip("\n")
        body.clear()
        if not text.strip() and trail and depth <= trail[-1][0]:
            text = trail[-1][1]
        if text.strip():
            found.append(Headed(tuple(h for _, h in trail), text))
        trail = [*(t for t in trail if t[0] < depth), (depth, line)]
    return found


def _marked_lines(lines: list[str], markdown: bool) -> Iterator[tuple[str, _Mark | None]]:
    fence = ""
    skip = 0
    for i, line in enumerate(lines):
        if skip:
            skip -= 1
            continue
        opened = _FENCE.match(line.lstrip()) if markdown else None
        if opened:
            fence = "" if fence == opened[1] else fence or opened[1]
        mark = None if fence or opened else _mark(line, lines[i + 1] if i + 1 < len(lines) else "", markdown)
        skip = mark.lines - 1 if mark else 0
        yield line, mark


def _mark(line: str, following: str, markdown: bool) -> _Mark | None:
    if len(line) > _LONGEST_HEADING:
        return None
    if not markdown:
        m = _MARKED.fullmatch(line.strip())
        return _Mark(1, m["heading"] or m["bracketed"]) if m else None
    if (m := _ATX.fullmatch(line)) and m["heading"]:
        return _Mark(len(m["marks"]), m["heading"])
    plain = line.strip() and not line.startswith(("#", "-", "*", ">", "|", " ", "\t"))
    if plain and _UNDERLINE.fullmatch(following.rstrip()):
        return _Mark(1 if following.startswith("=") else 2, line.strip(), lines=2)
    return None


def pieces(text: str, longest: int = LONGEST) -> list[str]:
    """The text in pieces of at most `longest` characters, of about one size, cut between sentences where that can be.

    Together and in order the pieces hold every character that is not white space.
    """
    whole = text.strip()
    if len(whole) <= longest:
        return [whole] if whole else []
    wanted = -(-len(whole) // -(-len(whole) // longest))  # even sizes: 650 characters make two halves, not 600 and 50
    found: list[str] = []
    start = end = -1
    for from_, to in _spans(whole, longest):
        if start >= 0 and (to - start > longest or end - start >= wanted):
            found.append(whole[start:end])
            start = from_
        start, end = (from_ if start < 0 else start), to
    return [*found, whole[start:end]]


def _spans(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends; one that is too long in several spans."""
    at = 0
    for sentence in ja.sentences(text):
        at = text.index(sentence, at)
        end = at + len(sentence)
        while end - at > longest:
            cut = _cut(text, at, at + longest)
            yield at, at + len(text[at:cut].rstrip())
            at = next((i for i in range(cut, end) if not text[i].isspace()), end)
        yield at, end
        at = end


def _cut(text: str, start: int, limit: int) -> int:
    """The best place to cut at or before `limit`, never in the first half, never inside what is read as one character."""
    half = start + max(1, (limit - start) // 2)
    for stop in _STOPS:
        at = text.rfind(stop, half, limit)
        if at >= 0 and not _joined(text, at + len(stop)):
            return at + len(stop)
    return next((i for i in range(limit, half - 1, -1) if not _joined(text, i)), limit)


def _joined(text: str, i: int) -> bool:
    """Whether the characters before and after `i` belong together: an accent, an emoji of several parts, a number, a word."""
    if i >= len(text):
        return False
    before, after = text[i - 1], text[i]
    if after in _JOINERS or before == "\u200d" or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return True
    return "\U0001f3fb" <= after <= "\U0001f3ff" or (before.isascii() and before.isalnum() and after.isascii() and after.isalnum())
