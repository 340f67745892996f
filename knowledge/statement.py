"""A short account of experience, read into what can be held against another one: words, figures, what was done or not, outcome."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from knowledge import yaml_files
from knowledge.languages import colloquial, ja

Figure = tuple[str, float]  # unit, amount: ("円", 350.0)

_NUMERALS = {c: str(i) for i, c in enumerate("一二三四五六七八九十", 1)}
_COUNTED = re.compile(
    r"(?<![一二三四五六七八九十])([一二三四五六七八九十])(?=(?:枚|度|つ|台|箱|部|組|軒|個|杯|足|冊|匹|頭|番目|か月))"
)
# What is one amount in several ways, made one: 半年 = 6か月, 午後3時 = 15時, 3割 = 30%.
_SAME_AMOUNT = (
    (re.compile(r"半年"), "6か月"),
    (re.compile(r"(ひと|一|1)月(?=くらい|ほど|前|の|に|か|で)"), "1か月"),
    (re.compile(r"(?<=\d)にち"), "日"),
    (re.compile(r"(?<=\d)わり"), "割"),
    (re.compile(r"(?<=\d)えん"), "円"),
    (re.compile(r"(?<=\d)まい"), "枚"),
    (re.compile(r"(?<=\d)[ふぷ]ん"), "分"),
    (re.compile(r"(?<=\d)にん"), "人"),
    (re.compile(r"(?<=\d)かい"), "回"),
    (re.compile(r"(?<=\d)がつ"), "月"),
    (re.compile(r"(?<=\d)ねん"), "年"),
    (re.compile(r"(?<=\d)(?:じ|じに)(?=まで|から|に|で|$)"), "時"),
    (re.compile(r"(?<=\d)キロ(グラム)?"), "kg"),
    (re.compile(r"(?<=\d)(?:度|へん)(?=[^c℃]|$)"), "回"),
    (re.compile(r"(?<=\d)名様?"), "人"),
    (re.compile(r"(?<=\d)つ"), "個"),
    (re.compile(r"月(々|ごと|別)(?=の|に|、|\d)"), "毎月"),
)
# 「しないといけない」 says what to do, not how it came out.
_OBLIGATION = re.compile(
    r"(?:ないと|んと|なければ|なきゃ|なくては|なくちゃ|ねば)(?:だめ|いけない|いけません|ならない|なりません|なら|困る|あかん)"
)
_AFTERNOON = re.compile(r"(?:午後|夕方の?|夜の?|昼の?)\s*(\d{1,2})時")
_UNITS = "人|年|か月|週間|週|日|月|%|割|円|口|回|団体|法人|か所|歳|時間|時|分|件|倍|枚|個|台|箱|部|組|kg|g|km|本|校|曜日"
_LARGE = {"千": 1_000, "万": 10_000, "億": 100_000_000, "": 1}
_FIGURE = re.compile(rf"(\d+(?:\.\d+)?)(千|万|億)?({_UNITS})?")
_DAYS = {"週間": 7, "か月": 30, "年": 365}
_NONE_AT_ALL = re.compile(r"1(人|個|回|円|度)も")
_EVERY = re.compile(r"毎(日|週|月|年|朝|晩)|(?<![\d一-龥])(日|週|月|年)に?(?=\d)")
_WEEKDAY = re.compile(r"([月火水木金土日])曜|(平日|週末|祝日)")
_LESSER = re.compile(r"([^\s、。]{1,12}?)(?:の?ほう|の?方)?(?:よりも?(?!も?早く|さらに)|ではなく|じゃなく|でなく)")
_DENIAL = frozenset({"ない", "無い", "ず", "ぬ", "まい", "へん", "難い", "辛い"})
_VERBS = frozenset({"動詞", "形容詞", "形状詞"})
_HELPING = frozenset({"為る", "居る", "成る", "呉れる", "貰う", "仕舞う", "言う", "頂く", "置く", "有る"})
_COUNTS = frozenset({"数詞", "助数詞可能", "接尾辞"})
_WEAK = frozenset(
    {
        "為る",
        "成る",
        "有る",
        "居る",
        "出来る",
        "行く",
        "来る",
        "言う",
        "思う",
        "呉れる",
        "貰う",
        "頂く",
        "置く",
        "見る",
        "下さる",
        "仕舞う",
        "よう",
    }
)


@dataclass(frozen=True, slots=True)
class Statement:
    """`predicates`: what is said to be so (+1), not so (-1), or both (0). `lesser`: what something else is preferred to.
    `ending`: how it came out, good (+1) or bad (-1), by its last predicate. `parts`: the content words of each sentence.
    `sounds`: trigrams of the reading."""

    words: frozenset[str]
    nouns: frozenset[str]
    figures: frozenset[Figure]
    predicates: dict[str, int]
    lesser: frozenset[str]
    ending: int
    is_contrary: bool
    parts: tuple[frozenset[str], ...]
    sounds: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Words:
    same: tuple[tuple[str, str], ...]
    alike: dict[str, str]
    opposites: dict[str, str]
    value: dict[str, int]
    contrary: re.Pattern[str]


@cache
def _tables() -> _Words:
    raw: dict[str, Any] = yaml_files.shipped("knowledge", "similarity.yaml")
    alike = {_lemma(w): _lemma(group.split()[0]) for group in raw["alike"] for w in reversed(group.split())}
    opposites = {_lemma(b): _lemma(a) for a, b in raw["opposites"]}
    value = {_lemma(w): sign for name, sign in (("good", 1), ("bad", -1)) for w in raw[name].split()}
    same = tuple(sorted(raw["same"].items(), key=lambda kv: -len(kv[0])))
    return _Words(same, alike, opposites, value, re.compile("|".join(raw["contrary"])))


def _lemma(word: str) -> str:
    return "".join(m.normalized_form() for m in ja.morphemes(word))


@lru_cache(maxsize=2_000)
def read(text: str) -> Statement:
    """`text` as `spelled` gives it."""
    spelled = renamed(text)
    predicates, ending = _predicates(spelled)
    parts = tuple(p for s in ja.sentences(spelled) if (p := frozenset(_content(s))))
    return Statement(
        words=frozenset().union(*parts),
        nouns=frozenset(_meant(n) for n in ja.nouns(spelled)),
        figures=frozenset(_figures(spelled)),
        predicates=predicates,
        lesser=frozenset(w for m in _LESSER.finditer(spelled) for w in _content(m[1], only="名詞")),
        ending=ending,
        is_contrary=bool(_tables().contrary.search(spelled)),
        parts=parts,
        sounds=frozenset(ja.terms(text).readings),
    )


def spelled(text: str) -> str:
    """One spelling for the field's words and for amounts."""
    text = colloquial.unify(ja.normalise(text))
    text = _COUNTED.sub(lambda m: _NUMERALS[m[1]] if m[1] != "十" else "10", text)
    for pattern, right in _SAME_AMOUNT:
        text = pattern.sub(right, text)
    return _AFTERNOON.sub(lambda m: f"{int(m[1]) + 12 * (int(m[1]) < 12)}時", text)


def is_kana(text: str) -> bool:
    return sum("一" <= c <= "龥" for c in text) < 0.1 * len(text)


def renamed(text: str) -> str:
    """`text` as `spelled` gives it, with one name for things that have several."""
    return _OBLIGATION.sub("ると", _same(text))


def placed(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of `Statement.words`, and where they begin and end in the text that `renamed` gives."""
    end = 0
    for m in ja.morphemes(text):
        start, end = end, end + len(m.surface())
        if _says_something(m):
            yield _meant(m.normalized_form()), start, end


def vocabulary() -> str:
    """The words of the tables, for giving kana their kanji."""
    tables = _tables()
    return "。".join(dict.fromkeys((*(w for pair in tables.same for w in pair), *tables.alike, *tables.value)))


def _same(text: str) -> str:
    for variant, right in _tables().same:
        if variant in text:
            text = (
                right.join(p.replace(variant, right) for p in text.split(right))
                if variant in right
                else text.replace(variant, right)
            )
    return text


def _content(text: str, only: str = "") -> Iterator[str]:
    """The words that say something, as what they mean; `only`: of one part of speech."""
    for m in ja.morphemes(text):
        if only in ("", m.part_of_speech()[0]) and _says_something(m):
            yield _meant(m.normalized_form())


def _says_something(morpheme: Any) -> bool:
    counts = _COUNTS & set(morpheme.part_of_speech())
    return ja.is_content(morpheme) and morpheme.normalized_form() not in _WEAK and not counts


def _meant(form: str) -> str:
    """One word for those that are alike, and for a word and its opposite."""
    form = _tables().alike.get(form, form)
    return _tables().opposites.get(form, form)


def _figures(text: str) -> Iterator[Figure]:
    text = _NONE_AT_ALL.sub("", text)
    for m in _FIGURE.finditer(text):
        amount, unit = float(m[1]) * _LARGE[m[2] or ""], m[3] or ""
        if unit in _DAYS:
            amount, unit = amount * _DAYS[unit], "日間"
        elif unit == "割":
            amount, unit = amount * 10, "%"
        elif unit == "時":
            amount %= 12  # 「3時」 in the afternoon is 15時
        yield unit, amount
    yield from (("毎", float(ord(m[1] or m[2]))) for m in _EVERY.finditer(text))
    yield from (("曜", float(ord((m[1] or m[2])[0]))) for m in _WEEKDAY.finditer(text))


def _predicates(text: str) -> tuple[dict[str, int], int]:
    """What is said to be so or not, and how it came out."""
    found = list(_said(ja.morphemes(text)))
    predicates: dict[str, int] = {}
    for form, sign, _ in found:
        meant = _meant(form)
        sign = -sign if _tables().alike.get(form, form) in _tables().opposites else sign
        predicates[meant] = sign if predicates.get(meant, sign) == sign else 0
    if not found:
        return predicates, 0
    last, sign, past = found[-1]
    # What did not happen is a disappointment, whatever it was: 「来なかった」.
    return predicates, sign * _tables().value.get(last, 0) or min(sign, 0) * past


def _said(morphemes: Sequence[Any]) -> Iterator[tuple[str, int, bool]]:
    """Predicates, whether they are denied (-1), and whether the denial is of something past.

    A denial turns what it hangs on. 「しないと」 and 「しなければ」 deny what comes of it instead: 「早く頼まないと間に合わない」.
    """
    current: tuple[str, int, bool] | None = None
    sign = 1
    for m, following in zip(morphemes, [*morphemes[1:], None], strict=True):
        form, kind, surface = m.normalized_form(), m.part_of_speech(), following.surface() if following else ""
        if form in _DENIAL and current:
            if surface in ("と", "ば", "ては"):
                sign = -1
            else:
                current = (current[0], -current[1], surface == "た")
        elif form not in _HELPING and (kind[0] in _VERBS or form in _tables().value or kind[2] == "サ変可能"):
            if current:
                yield current
            current = (form, sign, False)
        elif current and (kind[0] == "補助記号" or (kind[1] == "格助詞" and not _hangs_on(following))):
            yield current
            current = None
        if kind[1] == "句点":
            sign = 1
    if current:
        yield current


def _hangs_on(morpheme: Any) -> bool:
    """Whether what follows a particle still speaks of what stands before it: 「苦情がない」「トラブルにならない」."""
    return morpheme is not None and morpheme.normalized_form() in ("無い", "有る", "成る")
