"""Finds what a member would not want others to read about somebody: names, numbers, addresses, illnesses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from knowledge.languages import names, numbers
from knowledge.languages.illness import illnesses


class PersonalDataKind(StrEnum):
    """What a found piece is; where two overlap, the one named first here is kept."""

    EMAIL = "email"
    LINE_ID = "line_id"
    ID_NUMBER = "id_number"
    ACCOUNT = "account"
    PHONE = "phone"
    BIRTHDAY = "birthday"
    ADDRESS = "address"
    NAME = "name"
    ILLNESS = "illness"


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A piece of a text about one person: `text` is what stands from `start` to `end` in the text as it was given."""

    kind: PersonalDataKind
    start: int
    end: int
    text: str


_MARKS = {
    PersonalDataKind.EMAIL: "〔メール〕",
    PersonalDataKind.LINE_ID: "〔LINE〕",
    PersonalDataKind.ID_NUMBER: "〔番号〕",
    PersonalDataKind.ACCOUNT: "〔口座〕",
    PersonalDataKind.PHONE: "〔電話〕",
    PersonalDataKind.BIRTHDAY: "〔誕生日〕",
    PersonalDataKind.ADDRESS: "〔住所〕",
    PersonalDataKind.NAME: "〔名前〕",
    PersonalDataKind.ILLNESS: "〔病気〕",
}
_MARK = re.compile("|".join(map(re.escape, _MARKS.values())))
_NAME_MARK = re.compile(re.escape(_MARKS[PersonalDataKind.NAME]))
_RANK = {kind: rank for rank, kind in enumerate(PersonalDataKind)}
_FINDERS = (
    (PersonalDataKind.EMAIL, numbers.emails),
    (PersonalDataKind.LINE_ID, numbers.handles),
    (PersonalDataKind.ID_NUMBER, numbers.ids),
    (PersonalDataKind.ACCOUNT, numbers.accounts),
    (PersonalDataKind.PHONE, numbers.telephones),
    (PersonalDataKind.BIRTHDAY, numbers.birthdays),
    (PersonalDataKind.ADDRESS, numbers.addresses),
)
# Old forms of characters in surnames, which the dictionary lacks.
_OLD_FORMS = str.maketrans("髙﨑邉濵𠮷栁德", "高崎辺浜吉柳徳")
# Without a shape of their own and yet neither marks of format nor controls; a number is one with them in it, too.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_LINE = re.compile(r"[^\n]+")
_SENTENCE = re.compile(r"[^。!?\n]+")

_Found = tuple[PersonalDataKind, int, int]


def find_personal_data(text: str) -> list[PersonalData]:
    """The personal data in a text, in order, not overlapping; any text will do."""
    folded, starts, ends = _fold(text)
    found = [(kind, starts[start], ends[end - 1]) for kind, start, end in _in_folded(folded)]
    marks = [m.span() for m in _MARK.finditer(text)]
    return [PersonalData(kind, start, end, text[start:end]) for kind, start, end in _apart(found, marks)]


def scrub(text: str) -> str:
    """The text with a mark such as 〔名前〕 in place of each piece of personal data; nothing is found in the result."""
    while found := find_personal_data(text):
        for data in reversed(found):
            text = text[: data.start] + _MARKS[data.kind] + text[data.end :]
    return text


def _fold(text: str) -> tuple[str, list[int], list[int]]:
    """The text in one width, and for each of its characters where it came from: 090 and ﾀﾞ have one spelling."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (text[end] in "ﾞﾟ" or unicodedata.combining(text[end])):
            end += 1
        for character in _fold_one(text[at:end]):
            folded.append(character)
            starts.append(at)
            ends.append(end)
        at = end
    return "".join(folded), starts, ends


def _fold_one(cluster: str) -> str:
    first = cluster[0]
    category = unicodedata.category(first)
    if category == "Cs":
        return "\ufffd"
    if category == "Cf" or (category == "Cc" and first not in "\n\t") or _UNSEEN.match(first):
        return ""
    return unicodedata.normalize("NFKC", cluster).translate(_OLD_FORMS)


def _in_folded(text: str) -> Iterator[_Found]:
    for line in _LINE.finditer(text):
        for kind, finder in _FINDERS:
            yield from ((kind, line.start() + start, line.start() + end) for start, end in finder(line.group()))
    for m in _SENTENCE.finditer(text):
        sentence, offset = m.group(), m.start()
        people = list(names.names(sentence))
        yield from ((PersonalDataKind.NAME, offset + start, offset + end) for start, end in people)
        people += [mark.span() for mark in _NAME_MARK.finditer(sentence)]
        yield from ((PersonalDataKind.ILLNESS, offset + start, offset + end) for start, end in illnesses(sentence, people))


def _apart(found: list[_Found], marks: list[tuple[int, int]]) -> list[_Found]:
    """What is found, in order, without what overlaps something more telling, something longer, or a mark."""
    taken = bytearray(max([end for *_, end in found] + [end for _, end in marks], default=0))
    for start, end in marks:
        taken[start:end] = b"\1" * (end - start)
    kept: list[_Found] = []
    for kind, start, end in sorted(found, key=lambda f: (_RANK[f[0]], f[1] - f[2], f[1])):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            kept.append((kind, start, end))
    return sorted(kept, key=lambda f: f[1])
