"""No pattern takes a time that doubles with each character: 「あああああ…」 must not keep a processor busy for everybody."""

from __future__ import annotations

import importlib
import pkgutil
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from types import FrameType
from typing import Any

import pytest

import adapters
import bot
import knowledge

_LETTERS = re.compile(r"[ぁ-ゖァ-ヺー一-龥々a-z]")
_WORDS = re.compile(r"[ぁ-ゖァ-ヺー一-龥々a-z]{2,4}")
_ALWAYS = ("あ", "ア", "人", "1", "a", "w", " ", "、", "。", "!", "?", "「", "-", ".")
_REPEATED = 60  # a doubling pattern is stuck at half of that
_LONGEST = 0.5  # seconds


def modules() -> Iterator[str]:
    for package in (adapters, bot, knowledge):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in found.name and not found.name.endswith("__main__"):
                yield found.name


def patterns_in(value: Any, depth: int = 0) -> Iterator[re.Pattern[str]]:
    """The patterns in a value of a module, in what it holds too."""
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth < 4:
        held: list[Any] = []
        if isinstance(value, dict):
            held = [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            held = list(value)
        elif is_dataclass(value) and not isinstance(value, type):
            held = [getattr(value, f.name) for f in fields(value)]
        for one in held:
            yield from patterns_in(one, depth + 1)


def every_pattern() -> dict[tuple[str, int], str]:
    """Each pattern once, with a place where it stands."""
    found: dict[tuple[str, int], str] = {}
    for name in modules():
        for variable, value in vars(importlib.import_module(name)).items():
            for pattern in patterns_in(value):
                found.setdefault((pattern.pattern, pattern.flags), f"{name}.{variable}")
    return found


def units(pattern: str) -> list[str]:
    """What may be repeated until it hurts: the letters and short words that stand in the pattern."""
    return list(dict.fromkeys([*_ALWAYS, *_LETTERS.findall(pattern)[:60], *_WORDS.findall(pattern)[:60]]))


class _TooLong(Exception):
    pass


def _is_slow(tried: Callable[[str], object], text: str) -> bool:
    def stop(_: int, __: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGVTALRM, stop)  # of this process's own time: others may keep the machine busy
    signal.setitimer(signal.ITIMER_VIRTUAL, _LONGEST)
    try:
        tried(text)
    except _TooLong:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return False


def test_a_pattern_that_doubles_is_found() -> None:
    assert _is_slow(re.compile(r"^(?:(?:a+)b?)*$").search, "a" * _REPEATED + "Ω")


def test_no_pattern_doubles() -> None:
    every = every_pattern()
    assert len(every) > 300
    slow = [
        f"{place} at {unit!r}"
        for (source, flags), place in every.items()
        for pattern in [re.compile(source, flags)]
        for unit in units(source)
        for text in [unit * _REPEATED + "Ω"]
        if any(_is_slow(tried, text) for tried in (pattern.search, pattern.fullmatch))
    ]
    if slow:
        pytest.fail("\n".join(slow))
