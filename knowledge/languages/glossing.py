"""Questions in other languages: the words we know become the words of the Japanese documents, in their order; the rest is dropped.

The tables are `gloss/*.yaml`, one a language. Where words are written apart, keys have no accents, and `*` stands for any ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources

from knowledge import yaml_files
from knowledge.languages import ja

LANGUAGES = tuple(sorted(f.name.removesuffix(".yaml") for f in (resources.files("knowledge.languages") / "gloss").iterdir()))
_WRITTEN_APART = ("en", "pt", "vi")
_KEPT = r"20\d\d年(?:\d{1,2}月)?(?:\d{1,2}日)?|\d+(?:[.,/]\d+)*%?"
_JAPANESE = r"[一-龥々ぁ-ゖァ-ヺー]+"
_MONTHS = (
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
)
_LEAST = 2  # words; of fewer the question is better left as it is


@cache
def _table(language: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    raw = yaml_files.shipped("knowledge.languages", "gloss", f"{language}.yaml")
    words = {str(key).lower(): str(value) for key, value in raw.items()}
    apart = language in _WRITTEN_APART
    alternatives = [_pattern(key, apart=apart) for key in sorted(words, key=len, reverse=True)]
    kept = [_KEPT] if language == "zh" else [_KEPT, _JAPANESE]
    return re.compile("|".join([f"(?P<word>{'|'.join(alternatives)})", *kept])), words


def _pattern(key: str, *, apart: bool) -> str:
    if not apart:
        return re.escape(key)
    return rf"\b{re.escape(key.removesuffix('*'))}" + (r"\w*" if key.endswith("*") else r"\b")


def gloss(question: str, language: str) -> str:
    """The question in Japanese words; as it is where the language has no table or hardly a word is known."""
    if language not in LANGUAGES:
        return question
    pattern, words = _table(language)
    text = _with_dates(ja.normalise(question))
    found, known = [], 0
    for match in pattern.finditer(_without_accents(text) if language in _WRITTEN_APART else text):
        meant = _meaning(match[0], words) if match["word"] else match[0]
        known += bool(match["word"] and meant)
        found.append(meant)
    if known < _LEAST:
        return question
    glossed = " ".join(dict.fromkeys(" ".join(found).split()))
    return f"{question} {glossed}" if language == "en" else glossed  # the documents have a line of English, too


def _with_dates(text: str) -> str:
    """Dates as the documents write them: 1/5/2026, 1 de maio de 2026, 2026년 5월 1일 → 2026年5月1日."""
    text = re.sub(r"\b(\d{1,2})/(\d{1,2})/(20\d\d)\b", r"\3年\2月\1日", text)
    text = re.sub(r"(20\d\d)[년年]\s*(\d{1,2})[월月](?:\s*(\d{1,2})[일日号])?", _date, text)
    text = re.sub(rf"\b(\d{{1,2}})º? de ({'|'.join(_MONTHS)}) de (20\d\d)", _month_name, text)
    return re.sub(r"\bngày (\d{1,2}) tháng (\d{1,2}) năm (20\d\d)", r"\3年\2月\1日", text)


def _date(match: re.Match[str]) -> str:
    return f"{match[1]}年{int(match[2])}月" + (f"{int(match[3])}日" if match[3] else "")


def _month_name(match: re.Match[str]) -> str:
    return f"{match[3]}年{_MONTHS.index(match[2]) + 1}月{match[1]}日"


def _meaning(word: str, words: Mapping[str, str]) -> str:
    if word in words:
        return words[word]
    stems = (word[:n] + "*" for n in range(len(word), 0, -1))
    return next((words[stem] for stem in stems if stem in words), "")


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))
