"""Numbers that belong to one person, as they are written and spoken: telephones, addresses, accounts, birthdays, ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.languages.names import TO_HIRAGANA

_DIGIT = {
    **{str(d): str(d) for d in range(10)},
    **{c: str(d) for d, c in enumerate("〇一二三四五六七八九")},
    **dict.fromkeys("零○◯OＯ", "0"),
}
_SPOKEN_DIGIT = {
    spoken: str(digit)
    for digit, all_spoken in enumerate(
        ["ゼロ レイ マル", "イチ", "ニイ ニ", "サン", "ヨン シ", "ゴウ ゴ", "ロク", "ナナ シチ", "ハチ", "キュウ キュー ク"]
    )
    for spoken in all_spoken.split()
}
_DIGIT |= _SPOKEN_DIGIT | {spoken.translate(TO_HIRAGANA): digit for spoken, digit in _SPOKEN_DIGIT.items()}
# The longest first, and にい not before ち: nothing is tried twice.
_ONE = "|".join(f"{d}(?!ち)" if d == "にい" else f"{d}(?!チ)" if d == "ニイ" else d for d in sorted(_DIGIT, key=len, reverse=True))
_DASH = r"[-‐‑‒–—―−ー]"
_BETWEEN = r"[-‐‑‒–—―−ー()\s.・、の~]{0,3}"
_DIGITS = re.compile(rf"(?:{_ONE})(?:{_BETWEEN}(?:{_ONE})){{8,40}}+")
_EACH = re.compile(_ONE)
# 0120, 0570 and 0800 are lines of firms and offices; ten digits are a house's, eleven a mobile's.
_TELEPHONE = re.compile(r"0[5789]0\d{8}|(?!0120|0570|0800|00)0\d{9}|81[1-9]0?\d{8,9}")
_LOCAL = re.compile(
    rf"(?:電話|でんわ|TEL|Tel|tel|携帯|FAX|Fax|ファックス)(?:番号)?[はが:、\s]{{0,2}}(\d{{2,4}}{_DASH}\d{{4}})(?!\d|{_DASH})"
)

_N = "[0-9〇一二三四五六七八九十百千]"
_COUNTED = r"(?![0-9]|[人名回年日月時分間円歳%割点枚個部本箱脚冊曜万千か〜~]|ヶ所|ヵ所|箇所|カ所|種|団体|世帯|口)"
_STREET = re.compile(
    rf"{_N}{{1,4}}丁目\s?{_N}{{1,4}}(?:番地?(?:の?{_N}{{1,4}}号?)?|(?:{_DASH}|の){_N}{{1,4}}(?:{_DASH}{_N}{{1,4}})?)"
    rf"|{_N}{{1,5}}番地(?:(?:の|{_DASH})?{_N}{{1,4}})?"
    rf"|{_N}{{1,4}}番{_N}{{1,4}}号"
    rf"|{_N}{{1,4}}(?:{_DASH}|の){_N}{{1,4}}(?:(?:{_DASH}|の){_N}{{1,4}}){{0,2}}{_COUNTED}"
    rf"|(?<=[一-龥ァ-ヴーぁ-ゖ]){_N}{{2,5}}{_COUNTED}"
)
_BEFORE_STREET = re.compile(
    r"(?:〒?\s?[0-9]{3}-[0-9]{4}\s?)?(?:[一-龥々ヶヵァ-ヴー]|(?<=[一-龥])の(?=[一-龥])|[ぁ-ん]{2,5}(?=[市町村区])"
    r"|(?<=[市町村区])[ぁ-ん]{2,4}$|[0-9]{1,2}(?=条|線)){2,25}\s?$"
)
_AREA = re.compile(r"(?<!.内)[市区町村郡](?!内会|会|民|長|議)|大字|(?<![文数漢])字")
_LIVES = re.compile(r"^.{0,3}(?:に住|の家|のお宅|宅|に届け|へ届け|に送|まで送)")
_ADDRESS_CUE = re.compile(r"(?:住所|自宅|実家|お?宅|届け先|配達先|送り先|(?:うち|家)は)[^。]{0,14}$")
_BUILDING = (
    "(?:ハイツ|コーポ|アパート|マンション|メゾン|荘|団地|(?:県営|市営|町営|公営)住宅|レジデンス|パレス|サンハイム|コート|寮)"
)
_ROOM = re.compile(
    rf"(?:[一-龥々ァ-ヴー]{{0,8}}{_BUILDING})[一-龥々ぁ-んァ-ヴーA-Z]{{0,6}}\s?(?:[0-9A-Z]{{1,3}}(?:棟|{_DASH})\s?)?"
    rf"[0-9]{{2,4}}(?:号室?)?{_COUNTED}"
)
_AFTER_STREET = re.compile(rf"(?:番地?|号)?(?:{_DASH}[0-9]{{1,4}})?(?:\s?[〇○]{{0,3}}{_ROOM.pattern}|\s?[0-9]{{2,4}}号室)?")

_BANK = (
    r"(?:[一-龥ァ-ヴーA-Z]{0,10}(?:銀行|信用金庫|労働金庫|信金|信用組合|農協|労金|ろうきん)"
    r"|JA[一-龥ァ-ヴー]{0,8}|ゆうちょ(?:銀行)?)"
)
_ACCOUNT = re.compile(
    rf"(?:{_BANK}\s?(?:の)?)?(?:[一-龥〇ァ-ヴー]{{1,10}}(?:支店|本店|支所|店)\s?)?"
    r"(?:\(普\)|\(当\)|(?<![一-龥])普通(?:預金|口座)?|当座(?:預金)?|貯金|口座(?:番号)?|記号)[はが:、の番号\s]{0,4}"
    r"([0-9]{5,8}(?:[-\s]{0,2}(?:番号)?\s?[0-9]{6,8})?)(?![0-9,]|円|件|人|万)"
)
_CARD = re.compile(r"(?<![0-9])[0-9]{4}([-\s]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?![0-9])")
_MY_NUMBER = re.compile(r"(?<![0-9-])[0-9]{4}([-\s])[0-9]{4}\1[0-9]{4}(?![0-9-])")
_ID = re.compile(
    r"(?:マイナンバー|個人番号|(?:被)?保険(?:者|証)の?(?:記号・?番号|番号|記号)|年金(?:の)?番号|年金手帳の番号|免許証?の?(?:番号|No)"
    r"|在留カードの?(?:番号)?|パスポートの?(?:番号)?|旅券番号|手帳の?番号|受給者証?の?番号|患者番号|診察券の?(?:番号)?)"
    r"[はがも:、\s]{0,3}(第?[A-Z]{0,2}[0-9](?:[-\s]?[0-9A-Z]){3,14}号?)"
)

_ERA = "明治|大正|昭和|平成|令和|[MTSHR](?![A-Za-z])"
_MONTH_DAY = rf"{_N}{{1,2}}(?:月|[./-]){_N}{{1,3}}日?"
_DATE = rf"(?:(?:(?:{_ERA})\.?\s?)?(?:{_N}{{1,4}}|元)\s?[年./-]\s?)?{_MONTH_DAY}"
_BIRTHDAY = re.compile(
    rf"(?P<born>{_DATE}\s?に?(?:生まれ|うまれ|産まれ|生(?![一-龥])))(?!の?(?:制度|法律|組合|会|決まり))"
    rf"|(?<!組合の)(?<!会の)(?<!法人の)(?<!お店の)(?<!団体の)(?<!労協の)"
    r"(?:誕生日|生年月日|たんじょうび|バースデー|生まれ(?=は))[はがも:、の\s]{0,3}"
    rf"(?P<day>{_DATE})"
    rf"|(?P<first>{_DATE})(?:が|は|の|、)[^。、組会]{{0,10}}(?:誕生日|たんじょうび|バースデー)"
)
# The number first and then what it is.
_MY_NUMBER_SAID_AFTER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])(?=[^。0-9]{0,8}(?:マイナンバー|個人番号))")
_POST_ACCOUNT = re.compile(r"(?<![0-9-])1[0-9]{3}0[-\s][0-9]{2,7}1(?![0-9-])")
_HANDLE_SAID_AFTER = re.compile(
    r"(?<![A-Za-z0-9._@-])@?[A-Za-z0-9][A-Za-z0-9._-]{3,29}"
    r"(?=[\s(]{0,2}(?:が|は)?[^。A-Za-z]{0,4}(?:LINE|ライン|らいん)の?\s?(?:ID|アイディー|アイデー))"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}\s?(?:@|\(at\)|\[at\]|アットマーク|あっとまーく)\s?"
    r"[A-Za-z0-9-]{1,63}(?:\s?(?:\.|ドット)\s?[A-Za-z0-9-]{1,63}){1,4}"
)
_HANDLE = re.compile(
    r"(?<!公式)(?:LINE|Line|line|ライン|らいん|インスタ(?:グラム)?|Instagram|ツイッター|Twitter|Discord|ディスコード)の?\s?"
    r"(?P<id>ID|Id|id|アイディー|アイデー|あいでぃー|あいでー|アカウント)?\s?[はがも:、→>=\s]{0,3}"
    r"(?P<handle>@?[A-Za-z0-9][A-Za-z0-9._-]{2,29})"
)

Span = tuple[int, int]


def emails(text: str) -> Iterator[Span]:
    return (m.span() for m in _EMAIL.finditer(text))


def handles(text: str) -> Iterator[Span]:
    """Ids on LINE and the like: after the word ID, with an @, or with both letters and digits in them."""
    for m in _HANDLE.finditer(text):
        handle = m["handle"]
        mixed = re.search(r"[0-9_]", handle) and re.search(r"[A-Za-z]", handle)
        if m["id"] or handle.startswith("@") or mixed:
            yield m.span("handle")
    yield from (m.span() for m in _HANDLE_SAID_AFTER.finditer(text))


def telephones(text: str) -> Iterator[Span]:
    """Telephone numbers in digits, kanji or words: 090-1234-5678, 〇九〇…, ゼロキュウゼロ…; 22-3456 after 電話."""
    for run in _DIGITS.finditer(text):
        yield from _telephones_in(text, [m.span() for m in _EACH.finditer(text, *run.span())])
    yield from (m.span(1) for m in _LOCAL.finditer(text))


def _telephones_in(text: str, places: list[Span]) -> Iterator[Span]:
    """The telephone numbers in a run of digits; one begins and ends where the run does or where something is between."""
    digits = "".join(_DIGIT[text[start:end]] for start, end in places)
    at = 0
    while m := _TELEPHONE.search(digits, at):
        first, last = m.start(), m.end() - 1
        begins = first == 0 or _part(text, places[first - 1], places[first])
        ends = last + 1 == len(places) or _part(text, places[last], places[last + 1])
        if begins and ends:
            start, end = places[first][0], places[last][1]
            opening = text[start - 1 : start] == "+" or (text[start - 1 : start] == "(" and ")" in text[start:end])
            yield start - opening, end
        at = m.end() if begins and ends else first + 1


def _part(text: str, left: Span, right: Span) -> bool:
    """Whether two digits are of different numbers: something is between them, or に, ク … is no digit after 123."""
    return left[1] < right[0] or text[right[0] : right[1]] in ("に", "し") or _script(text[left[0]]) != _script(text[right[0]])


def _script(character: str) -> int:
    """Which of the ways to write a digit: 123, hiragana, katakana, kanji."""
    return 0 if character.isdecimal() else 2 + (character >= "ァ") if "ぁ" <= character <= "ヺ" else 1


def addresses(text: str) -> Iterator[Span]:
    """Addresses down to a number; the name of a town, or a 丁目 alone, is none."""
    for m in _STREET.finditer(text):
        left = text[max(0, m.start() - 45) : m.start()]
        place = _BEFORE_STREET.search(left)
        named = place is not None and _AREA.search(place.group()) is not None
        cued = _ADDRESS_CUE.search(left) is not None
        if _is_address(m.group(), named, cued or _LIVES.match(text[m.end() : m.end() + 9]) is not None, place is not None):
            after = _AFTER_STREET.match(text, m.end())
            yield m.start() - (len(place.group()) if place else 0), after.end() if after else m.end()
    yield from (m.span() for m in _ROOM.finditer(text))


def _is_address(number: str, named: bool, cued: bool, placed: bool) -> bool:
    if "番地" in number or "丁目" in number:
        return named or cued or placed
    if re.search(rf"番{_N}+号|{_DASH}|の", number):
        return named or (cued and placed)
    return named and cued


def accounts(text: str) -> Iterator[Span]:
    """Bank accounts with their bank, and cards."""
    for pattern in (_ACCOUNT, _CARD, _POST_ACCOUNT):
        yield from (m.span() for m in pattern.finditer(text))


def ids(text: str) -> Iterator[Span]:
    """Numbers on a person's papers: insurance, pension, licence, residence card, my number."""
    yield from (m.span(1) for m in _ID.finditer(text))
    for pattern in (_MY_NUMBER, _MY_NUMBER_SAID_AFTER):
        yield from (m.span() for m in pattern.finditer(text))


def birthdays(text: str) -> Iterator[Span]:
    """Days with a month on which somebody was born; a year alone is no birthday."""
    for m in _BIRTHDAY.finditer(text):
        yield m.span(m.lastgroup or 0)
