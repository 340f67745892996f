"""Whether passages back an answer: the fixed rules that what a language model writes is compared with.

They reject rather too much, since the taken answer is always there to be shown instead. What they cannot see is said at
`is_backed`. Apart from its marks and markup, an answer is compared in the spelling that `_plain` makes.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from knowledge.languages import ja

Passages = Sequence[tuple[str, str]]  # (citation id, the citation's whole text); the first one's mark is [1]
LANGUAGES = frozenset({"ja", "ja-easy", "en"})  # in which an answer can be compared with passages

_MARK = re.compile(r"\s*\[\s*(\d{1,2}(?:\s*[,、]\s*\d{1,2})*)\s*\]")
_MARKS_AFTER_END = re.compile(r"([。.!?]+)((?:\s*\[[\d\s,、]+\])+)")
_MARKUP = re.compile(r"[<>`#*|~\\]|__|\]\(|^\s*[-+•・]\s|^\s*\d+[.)]\s", re.MULTILINE)
_CONTACT = re.compile(
    r"[a-z][a-z0-9+.-]*://[^\s。、)]+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b(?:/[^\s。、)]*)?|[^\s。、(]*@[^\s。、)]*"
    r"|\+?\d{2,5}[-(]\d{1,4}[-)]\d{3,4}|\b0\d{9,10}\b"
)
_ABBREVIATION = re.compile(r"(?:\b(?:arts?|nos?|e\.g|i\.e|etc|vs|cf|mrs?|ms|dr|st|inc|co|ltd|approx)|\b[a-z])$", re.IGNORECASE)
_OPENS, _CLOSES = "「『（([【", "」』）)]】"

_ENGLISH_NUMBERS = {
    word: str(number)
    for numbers, words in (
        (range(1, 11), "one two three four five six seven eight nine ten"),
        (range(11, 20), "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
        (range(20, 100, 10), "twenty thirty forty fifty sixty seventy eighty ninety"),
    )
    for number, word in zip(numbers, words.split(), strict=True)
}
_KANA_NUMBERS = {"ひとつ": "1つ", "ふたつ": "2つ", "みっつ": "3つ", "よっつ": "4つ", "ふたり": "2人", "ひとりで": "1人で"}
_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "tenth": 10}
_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
_MONTH = f"({'|'.join(_MONTHS)})"
_TIMES = {"兆": 10**12, "億": 10**8, "万": 10**4, "千": 1000, "百": 100, " thousand": 1000, " million": 10**6, " billion": 10**9}
_ENGLISH_UNITS = {"日": "days?", "週": "weeks?", "か月": "months?", "年": "years?", "時間": "hours?", "分": "minutes?", "円": "yen"}
_ENGLISH_UNITS["人"] = "people|persons?|members?|workers?|founders?|directors?|auditors?"
_UNIT = (
    "人|日|週|か月|年|時間|時|分|円|%|割|条|項|号|章|歳|代|回|口|票|つ|個|件|校|店|軒|社|本|倍|階|世帯|法人|団体|組合|か所|種類"
    "|都道府県|都|道|府|県|市|区|町|村"
)
_NUMBER = rf"(\d+分の\d+|\d+(?:\.\d+)?(?:{'|'.join(_TIMES)})*(?:{_UNIT})?間?)"

# Everything that says the same gets the Japanese spelling: 8 july 2024 = 2024年7月8日, at least two-thirds = 3分の2以上.
_SPELLINGS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (rf"(?<!\bno )\b({'|'.join(_ENGLISH_NUMBERS)})\b(?! another| of )", lambda m: _ENGLISH_NUMBERS[m[1]]),
    ("|".join(_KANA_NUMBERS), lambda m: _KANA_NUMBERS[m[0]]),
    # Words in which 一, 十 or 千 is no number; what else is left in kanji has an unknown counter, with a known one it is read.
    ("一[緒般部方定切体致旦層]|一度に|一人ひとり|十分(?!の)|[万唯統均同単]一|([〇一二三四五六七八九十百千]+)", lambda m: _kanji(m)),
    (rf"\b(\d+|a)[- ]({'|'.join(_PARTS)})s?\b", lambda m: f"{_PARTS[m[2]]}分の{1 if m[1] == 'a' else m[1]}"),
    (r"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])", r"\2分の\1"),
    (r"(?<!過)半数|半分|\bhalf\b", "2分の1"),
    (r"\bmajority\b", "過半数"),
    (rf"\b(\d{{1,2}}) {_MONTH}\b(?:,? (\d{{4}}))?", lambda m: _date(m[3], m[2], m[1])),
    (rf"\b{_MONTH} (\d{{1,2}})\b(?:, (\d{{4}}))?", lambda m: _date(m[3], m[1], m[2])),
    (rf"\b{_MONTH} (\d{{4}})\b", lambda m: _date(m[2], m[1], None)),
    (r"\b(?:articles?|arts?\.?) ?(\d+)-(\d+)", r"\1条の\2"),
    (r"\b(?:articles?|arts?\.?) ?(\d+)", r"\1条"),
    (r"(?<=\d)名", "人"),
    (r"(?<=\d)(?: percent|パーセント)", "%"),
    *(
        (rf"(\d(?: thousand| million| billion)?)(?=(?:[ -][a-z'-]+){{0,2}}?[ -](?:{words})\b)", rf"\g<1>{unit}")
        for unit, words in _ENGLISH_UNITS.items()
    ),
    (rf"(?:少なくとも|最低でも|最低|\bat least |\ba minimum of ){_NUMBER}(?!以上)", r"\1以上"),
    (rf"(?:最大で|最大|上限は|上限|\bup to |\bwithin |\bat most |\bno more than ){_NUMBER}(?!以[下内])", r"\1以下"),
    (rf"\b(?:more than|over|exceed(?:s|ing)?) {_NUMBER}", r"\1超"),
    (rf"\b(?:less than|fewer than|under|below) {_NUMBER}", r"\1未満"),
    (rf"{_NUMBER}(?: [a-z]+)? or more\b", r"\1以上"),
    (rf"{_NUMBER}(?: [a-z]+)? or (?:less|fewer)\b", r"\1以下"),
    (rf"{_NUMBER}((?:以上|以下)?)(?: [a-z]+)? (?:before|prior|in advance)\b", r"\1\2前"),
    (rf"{_NUMBER}((?:以上|以下)?)(?: [a-z]+)? (?:after|later)\b", r"\1\2後"),
)
_QUANTITY = re.compile(
    r"(?:(?P<share>\d+分の\d+|過半数|全員|全額|全会一致)|(?P<article>(?:附則)?\d+条(?:の\d+)?)|(?P<clock>\d{1,2}:\d\d|\d{1,2}時\d{1,2}分)"
    r"|(?P<year>(?:(?:明治|大正|昭和|平成|令和)(?:\d+|元)|\d{4}|\d\d(?=年\d+月))年度?)(?:(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})日)?)?"
    rf"|(?P<month>\d{{1,2}})月(?:(?P<day>\d{{1,2}})日)?|(?P<bare>(?<![\d.])(?:19|20)\d\d(?![\d.]|{'|'.join(_TIMES)}|{_UNIT}))"
    rf"|(?P<some>数?)(?P<n>\d+(?:\.\d+)?)(?P<times>{'|'.join(_TIMES)})?(?P<unit>{_UNIT})?)間?"
    r"(?P<bound>以上|以降|を?超|より多|以下|以内|未満|に満たな|より少な|から|まで)?の?(?P<side>前|後)?"
)
_EMPTY_SPAN = re.compile(
    r"(?<!\d)(\d+)(?:年度?|月|日)?(?:[〜~–-]|から| to )\1(?!\d)"
)  # 2017〜2017年度: both ends are known, the span is not
# から and まで may mean a limit or not.
_BOUNDS = {"以上": "≥", "以降": "≥", "から": "≥ ", "以下": "≤", "以内": "≤", "まで": "≤ ", "を超": ">", "超": ">", "より多": ">"}
_BOUNDS |= {"未満": "<", "に満たな": "<", "より少な": "<", "": " "}
_MISREAD = 0.1  # so much more alike may another number's surroundings be

_NO_DENIAL = re.compile(
    r"^(?:いいえ|いえ|no\b)[、,. -]*|かもしれ(?:ない|ません)|だけでなく|のみならず|間違いない"
    r"|\bnot only\b|\bno(?:t)? (?:more|later|less|fewer) than\b"
)
_DENIALS = frozenset({"ない", "ず", "ぬ", "無い"})  # Sudachi's normalised forms
_DENIED = re.compile(
    r"不要|不可|不能|禁止|無効|対象外|しか(?!も)|n't\b"
    r"|\b(?:not|cannot|no|never|none|neither|nor|without|unless|only|prohibited|forbidden|unnecessary)\b"
)
_MUST = re.compile(
    r"(?:なければ|なくては|ないと)(?:なり|なら|いけ)|必須|義務|必要|\b(?:must|required?|ha(?:ve|s) to|shall|obliged|needs?)\b"
)
_MAY = re.compile(r"でき(?!ごと|た)|ても(?:よ|い)|(?:構|かま)(?:い|わ)|任意|\b(?:may|can|optional|allowed|free to)\b")
_YES, _NO = re.compile(r"(?:はい|ええ|yes)\b"), re.compile(r"(?:いいえ|いえ|no)\b")
_NAMES = re.compile(r"[ァ-ヴー]{4,}|[一-龥々]{4,}")
_LATIN = re.compile(r"[a-z][a-z0-9.&'-]*[a-z0-9]|[a-z]")
_ENGLISH_NAMES = re.compile(r"(?<=[a-zA-Z0-9,;:)] )[A-Z][\w&'-]*|\b\w+[A-Z]\w*\b")
_KANA, _HIRAGANA = re.compile(r"[ぁ-ヿ]"), re.compile(r"[ぁ-ん]")
_COVERED = 0.6  # the share of a sentence's words that stand in the passages it cites


@dataclass(frozen=True, slots=True)
class _Quantity:
    kind: str  # `date`, `share`, `条`, or a number's unit, empty without one
    value: tuple[object, ...]  # of a date: year, month, day, each or None
    bounds: frozenset[str]  # what it may mean: at least, at most …
    side: str  # `前`, `後` or neither
    around: frozenset[str]  # the letters before and behind it, as bigrams

    def stands_for(self, other: _Quantity) -> bool:
        if self.kind != other.kind or self.side != other.side or self.bounds.isdisjoint(other.bounds):
            return False
        return all(mine is None or mine == its for mine, its in zip(self.value, other.value, strict=True))

    def likeness(self, other: _Quantity) -> float:
        # Japanese says before a number what it is of; behind it stand endings.
        own, shared = (sum(2 if b[0] == "<" else 1 for b in around) for around in (self.around, self.around & other.around))
        return shared / max(1, own)


def is_backed(answer: str, passages: Passages, language: str, question: str = "") -> bool:
    """Whether every sentence of an answer with marks says nothing that the passages it names don't. Pure; [1] is the first passage.

    Each sentence must name a given passage and find there: every number with its unit, its limit (以上 …) and its side (前, 後),
    and no other number of that kind in surroundings more like its own; every address and telephone number; most of its words;
    and in the most similar sentence the same yes or no, must or may. Names (katakana or kanji from four characters on, whatever
    Sudachi takes for a name, Latin words, in English the capitalised ones) must stand in a passage or in the question; a new one
    is rejected even where it is an ordinary word, since no list tells them apart. The language must be the wanted one. Markup
    and invisible characters are never backed.

    Not seen: the same words in another relation (who pays whom), a short name that Sudachi does not know, a limit in words that
    are not listed here. Words are compared, so an answer can be backed by passages in its own language only.
    """
    raw = unicodedata.normalize("NFKC", answer).strip()
    if language not in LANGUAGES or any(unicodedata.category(c)[0] == "C" and c != "\n" for c in answer) or _MARKUP.search(raw):
        return False
    known = "\n".join(f"{ja.normalise(text)}\n{_plain(text)}" for text in [*(text for _, text in passages), question])
    said = _sentences(_MARKS_AFTER_END.sub(r"\2\1", raw))
    return bool(said) and all(_sentence_is_backed(s, passages, language, known) for s in said)


def _sentence_is_backed(sentence: str, passages: Passages, language: str, known: str) -> bool:
    named = {int(n) for marks in _MARK.findall(sentence) for n in re.findall(r"\d+", marks)}
    if not named or not all(1 <= n <= len(passages) for n in named):
        return False
    own = without_marks(sentence)
    plain = _plain(own)
    cited = [_plain(s) for n in sorted(named) for s in _sentences(passages[n - 1][1])]
    whole = "\n".join(cited)
    return (
        _is_in(language, plain)
        and set(_CONTACT.findall(plain)) <= set(_CONTACT.findall(whole))
        and all(m[0] in whole for m in _EMPTY_SPAN.finditer(plain))
        and _numbers_are_backed(list(_quantities(plain)), [list(_quantities(s)) for s in cited])
        and _names_are_known(own, plain, language, known)
        and _coverage(plain, whole, language) >= _COVERED
        and _agrees(plain, cited)
    )


def _sentences(text: str) -> list[str]:
    """Ends at 。!? and new lines outside brackets, and at a full stop before a space unless it is an abbreviation's."""
    ends, depth = [-1], 0
    for i, c in enumerate(text):
        depth = 0 if c == "\n" else max(0, depth + (c in _OPENS) - (c in _CLOSES))
        full_stop = c == "." and text[i + 1 : i + 2].isspace() and not _ABBREVIATION.search(text[max(0, i - 8) : i])
        if c == "\n" or (depth == 0 and (c in "。!?！？" or full_stop)):
            ends.append(i)
    parts = (text[start + 1 : end] for start, end in itertools.pairwise([*ends, len(text)]))
    return [part for part in parts if re.search(r"\w", part)]


def without_marks(answer: str) -> str:
    """What a member sees of an answer."""
    return _MARK.sub("", answer.replace("［", "[").replace("］", "]")).strip()


def spelled(text: str) -> str:
    """A text with its numbers, dates, shares and limits in one spelling, Japanese and English alike."""
    return _plain(text)


def _plain(text: str) -> str:
    """One spelling for what means the same; no space beside Japanese letters."""
    text = re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", ja.normalise(text))
    for pattern, spelling in _SPELLINGS:
        text = re.sub(pattern, spelling, text)
    return text


def _kanji(m: re.Match[str]) -> str:
    return ja.normalise(m[1] + "人")[:-1] if m[1] else m[0]


def _date(year: str | None, month: str, day: str | None) -> str:
    return (f"{year}年" if year else "") + f"{_MONTHS.index(month) + 1}月" + (f"{day}日" if day else "")


def _quantities(plain: str) -> Iterator[_Quantity]:
    wide = 12 if _KANA.search(plain) else 30
    found = [(m, *_read(m)) for m in _QUANTITY.finditer(plain)]
    for m, kind, value in found:
        # What surrounds a number ends at the next one of its kind: 組合員は7人で、そのうち5人 must not read as 組合員は5人.
        alike = [o for o, its, _ in found if its == kind]
        start = max([0, m.start() - wide, *(o.end() for o in alike if o.end() <= m.start())])
        end = min([m.end() + wide, *(o.start() for o in alike if o.start() >= m.end())])
        around = {f"<{b}" for b in _bigrams(plain[start : m.start()])} | {f">{b}" for b in _bigrams(plain[m.end() : end])}
        yield _Quantity(kind, value, frozenset(_BOUNDS[m["bound"] or ""]), m["side"] or "", frozenset(around))


def _read(m: re.Match[str]) -> tuple[str, tuple[object, ...]]:
    """The kind and the value of a quantity."""
    for kind in ("share", "article", "clock"):
        if m[kind]:
            return kind, (m[kind],)
    if m["year"] or m["month"] or m["bare"]:
        year, month, day = m["year"] or (m["bare"] and m["bare"] + "年"), m["m"] or m["month"], m["d"] or m["day"]
        return "date", (year, month and int(month), day and int(day))
    return m["unit"] or "", (m["some"], Fraction(m["n"]) * _TIMES.get(m["times"] or "", 1))


def _numbers_are_backed(own: Sequence[_Quantity], given: Sequence[Sequence[_Quantity]]) -> bool:
    """The passages have every number, none of another value where the sentence has it, and it as often in one sentence."""
    for number in own:
        right = [g for s in given for g in s if number.stands_for(g)]
        others = [g for s in given for g in s if g.kind == number.kind and not number.stands_for(g)]
        if not right or max(map(number.likeness, right)) < max(map(number.likeness, others), default=0) - _MISREAD:
            return False
        if sum(number.stands_for(o) for o in own) > max(sum(number.stands_for(g) for g in s) for s in given):
            return False
    return True


def _names_are_known(own: str, plain: str, language: str, known: str) -> bool:
    if language == "en":
        return all(n.lower() in known for n in _ENGLISH_NAMES.findall(unicodedata.normalize("NFKC", own)))
    names = [m.surface() for m in ja.morphemes(plain) if m.part_of_speech()[1] == "固有名詞"]
    return all(n in known for n in [*_NAMES.findall(plain), *names]) and set(_LATIN.findall(plain)) <= set(_LATIN.findall(known))


def _coverage(plain: str, whole: str, language: str) -> float:
    if language == "en":
        words, given = ({w[:5] for w in re.findall(r"[^\W\d_]{4,}", t)} for t in (plain, whole))
    else:
        words, given = ({m.normalized_form() for m in ja.morphemes(t) if ja.is_content(m)} for t in (plain, whole))
    return len(words & given) / len(words) if words else 1.0


def _agrees(plain: str, cited: Sequence[str]) -> bool:
    """Whether a sentence says yes or no, must or may like the most similar one in the passages, or one about as similar."""
    if any(answered.match(plain) and not any(map(answered.match, cited)) for answered in (_YES, _NO)):
        return False
    own = _bigrams(plain)
    alike = [2 * len(own & b) / max(1, len(own) + len(b)) for b in map(_bigrams, cited)]
    best = [s for s, a in zip(cited, alike, strict=True) if a >= max(alike) - 0.05]
    return any(_denies(plain) == _denies(s) and {_duty(plain), _duty(s)} != {"must", "may"} for s in best)


def _denies(plain: str) -> bool:
    plain = _NO_DENIAL.sub("", plain)
    denials = sum(m.normalized_form() in _DENIALS for m in ja.morphemes(plain)) if _KANA.search(plain) else 0
    return (denials + len(_DENIED.findall(plain))) % 2 == 1  # しなければならない denies twice and so not at all


def _duty(plain: str) -> str:
    must, may = bool(_MUST.search(plain)), bool(_MAY.search(plain))
    return "must" if must and not may else "may" if may and not must else ""


def _is_in(language: str, plain: str) -> bool:
    if language == "en":
        return len(re.findall(r"[a-z]", plain)) * 2 > len(re.findall(r"[^\W\d_]", plain))
    return len(_HIRAGANA.findall(plain)) > len(_LATIN.findall(plain))


def _bigrams(plain: str) -> frozenset[str]:
    letters = re.sub(r"\W", "", plain)
    return frozenset(letters[i : i + 2] for i in range(len(letters) - 1))
