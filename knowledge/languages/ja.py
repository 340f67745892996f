"""Japanese text: one spelling for many, sentences, and the terms the lexical indexes hold."""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sudachipy import Dictionary, Morpheme, SplitMode

from knowledge import yaml_files

WORDS = yaml_files.shipped("knowledge.languages", "ja.yaml")

_KANJI_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")}
_KANJI_UNITS = {"十": 10, "百": 100, "千": 1000}
# What may follow a number written in kanji for it to be a number: 三人 is, 三重県 and 一般 are not.
_COUNTERS = (
    "条|項|号|人|名|団体|年|か月|ヶ月|ヵ月|カ月|ケ月|箇月|月|日|週|時間|時|分の|回|円|万円|億円|歳|口"
    "|割|社|本|件|か所|ヶ所|カ所|箇所|種類|親等|世帯"
)
_NUMERAL = "[〇一二三四五六七八九十百千]+"
_KANJI_NUMBER = re.compile(rf"(?<![〇一二三四五六七八九十百千])({_NUMERAL})(?=(?:{_COUNTERS}))")
# 4千円 is 4000円, 20,220千円 is 20220000円, 3万5千円 is 35000円; 千 in 第2千葉ビル is none.
_THINGS = rf"{_COUNTERS}|部|枚|個|冊|票|台|通|名"
_MIXED_NUMBER = re.compile(rf"(\d+)千(?:(\d)百|(\d{{3}}))?(?=(?:{_THINGS}|万))|(?<!\d)(\d)百(?=(?:{_THINGS}))")
_TEN_THOUSANDS = re.compile(r"(?<![\d.])(\d+)万(\d{4})(?=円|人|部|枚|個|名)")
_KANJI_FRACTION = re.compile(rf"(?<=分の|条の)({_NUMERAL})")
_ARTICLE = re.compile(r"第(?=\d+(?:条|項|号))")
_MONTHS = re.compile(r"(?<=\d)[ヶヵカケ箇ｹか]月")
_PLACES = re.compile(r"(?<=\d)[ヶヵカケ箇か]所")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_LENGTHENED = re.compile(r"[〜~～ー]{2,}|[〜~～](?=[\s。、!?？！]|$)")
_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\ufffe\uffff\ud800-\udfff]"
)
_SPACE = re.compile(r"\s+")
_SENTENCE = re.compile(r"[^。!?！？\n]*[。!?！？]+[」』)）]*|[^。!?！？\n]+")
_NOT_TEXT = re.compile(r"[\W_]+")

# Words that carry grammar or courtesy, never the subject of a question (Sudachi's normalised forms).
STOP_WORDS = frozenset(WORDS["stop_words"].split())
_GRAMMAR = frozenset({"助詞", "助動詞", "補助記号", "空白", "接続詞", "感動詞", "フィラー"})
# Sudachi refuses inputs of about 49 kB; longer texts are analysed in pieces.
_ANALYSED_AT_ONCE = 4_000


# Nouns that a question may hold and its answer need not.
_GENERAL_NOUNS = frozenset(WORDS["general_nouns"].split())


@dataclass(frozen=True, slots=True)
class Terms:
    """What one text contributes to the lexical indexes, repetitions kept."""

    words: tuple[str, ...]
    bigrams: tuple[str, ...]
    readings: tuple[str, ...]

    def plus(self, other: Terms) -> Terms:
        return Terms(self.words + other.words, self.bigrams + other.bigrams, self.readings + other.readings)


def normalise(text: str) -> str:
    """One spelling for text that means the same: width, kanji numerals, 4千円 = 4000円, 第3条 = 3条, 6ヶ月 = 6か月. Idempotent."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))).lower()
    text = _THOUSANDS.sub("", text)
    text = _MIXED_NUMBER.sub(_mixed, text)
    text = _KANJI_NUMBER.sub(lambda m: str(_number(m[1])), text)
    text = _TEN_THOUSANDS.sub(r"\1\2", text)
    text = _KANJI_FRACTION.sub(lambda m: str(_number(m[1])), text)
    text = _ARTICLE.sub("", text)
    text = _MONTHS.sub("か月", text)
    text = _PLACES.sub("か所", text)
    text = _THOUSANDS.sub("", text)
    text = _LENGTHENED.sub("", text)
    return _SPACE.sub(" ", text).strip()


def _mixed(match: re.Match[str]) -> str:
    """The value of a number in figures with 千 or 百 in it."""
    thousands, hundreds, rest, only_hundreds = (int(group or 0) for group in match.groups())
    return str(thousands * 1_000 + (hundreds + only_hundreds) * 100 + rest)


def _number(numeral: str) -> int:
    """The value of a kanji numeral below ten thousand: 三百二十 and 三二〇 are both 320."""
    if not any(c in _KANJI_UNITS for c in numeral):
        return int("".join(str(_KANJI_DIGITS[c]) for c in numeral))
    total = digit = 0
    for c in numeral:
        if c in _KANJI_UNITS:
            total += (digit or 1) * _KANJI_UNITS[c]
            digit = 0
        else:
            digit = digit * 10 + _KANJI_DIGITS[c]
    return total + digit


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order, without losing a character that is not white space."""
    return [s for m in _SENTENCE.finditer(text) if (s := m.group().strip())]


# A Sudachi tokenizer is not safe to share between threads; making one costs little, the dictionary is shared.
_local = threading.local()


@lru_cache(maxsize=1)
def _dictionary() -> Dictionary:
    return Dictionary(dict="small")


def morphemes(text: str) -> list[Morpheme]:
    """The words of a text, shortest units (Sudachi mode A)."""
    return _analysed(text, SplitMode.A)


def long_words(text: str) -> list[Morpheme]:
    """The words of a text, longest units (Sudachi mode C): a compound that the dictionary has is one word, read as one."""
    return _analysed(text, SplitMode.C)


def _analysed(text: str, mode: SplitMode) -> list[Morpheme]:
    if not hasattr(_local, "tokenizer"):
        _local.tokenizer = _dictionary().tokenizer()
    found: list[Morpheme] = []
    for start in range(0, len(text), _ANALYSED_AT_ONCE):
        found.extend(_local.tokenizer.tokenize(text[start : start + _ANALYSED_AT_ONCE], mode))
    return found


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands: offsets into the text, and its part of speech (名詞, 固有名詞, 人名, 姓 …)."""

    start: int
    end: int
    surface: str
    part_of_speech: tuple[str, ...]
    known: bool


def words(text: str) -> list[Word]:
    """The words of a text with their places, without losing a character. The text holds no lone surrogates."""
    found: list[Word] = []
    start = 0
    for m in morphemes(text):
        end = start + len(m.surface())
        found.append(Word(start, end, m.surface(), m.part_of_speech(), not m.is_oov()))
        start = end
    return found


def is_content(morpheme: Morpheme) -> bool:
    """Whether a word can say what a text is about."""
    return morpheme.part_of_speech()[0] not in _GRAMMAR and morpheme.normalized_form() not in STOP_WORDS


def terms(text: str) -> Terms:
    """The terms of a text that has been normalised."""
    found = morphemes(text)
    words = tuple(m.normalized_form() for m in found if is_content(m))
    plain = _NOT_TEXT.sub("", text)
    reading = _NOT_TEXT.sub("", "".join(m.reading_form() or m.surface() for m in found))
    return Terms(words, _grams(plain, 2), _grams(reading, 3))


def nouns(text: str) -> list[str]:
    """The nouns that say what a text is about, once each (Sudachi's normalised forms)."""
    return list(dict.fromkeys(m.normalized_form() for m in morphemes(text) if is_subject(m)))


def is_subject(morpheme: Morpheme) -> bool:
    """Whether a word is a noun that can say what a text is about."""
    part, kind, use, *_ = morpheme.part_of_speech()
    form = morpheme.normalized_form()
    if part != "名詞" or kind not in ("普通名詞", "固有名詞") or use in ("副詞可能", "助数詞可能"):
        return False
    return form not in _GENERAL_NOUNS and form not in STOP_WORDS and not form.isdigit() and (len(form) > 1 or ord(form) > 0x3400)


def _grams(text: str, n: int) -> tuple[str, ...]:
    return tuple(text[i : i + n] for i in range(len(text) - n + 1)) or ((text,) if text else ())


def normalise_lines(text: str) -> str:
    """`normalise` line by line, so that what stood on lines of its own still does."""
    return "\n".join(line for part in text.splitlines() if (line := normalise(part)))
