"""A law as articles and paragraphs, how an article is named in a question, and what differs between two revisions."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal, NamedTuple

from knowledge.errors import InvalidDocument

_DIGITS = "〇一二三四五六七八九"
_N = rf"[0-9{_DIGITS}十百千]{{1,7}}"
_REST = rf"(?:(?:の?第|の|(?<=[条項])){_N}号(?:の{_N})*[イ-ン]?)?"  # an item below; the key does not hold it
_KEY = re.compile(
    rf"(?P<place>本則|附則)?第?(?P<number>{_N})条?(?P<branches>(?:[のノ]{_N})*)"
    rf"(?:(?:の?第|の|(?<=条))(?P<paragraph>{_N})項)?{_REST}"
)
_WITHOUT_ARTICLE = re.compile(rf"附則第?(?P<paragraph>{_N})項{_REST}")
_UNITS = re.compile(
    r"(?:([一二三四五六七八九]?)千)?(?:([一二三四五六七八九]?)百)?(?:([一二三四五六七八九]?)十)?([一二三四五六七八九]?)"
)
_LONGEST_CITATION = 60  # characters


@dataclass(frozen=True, slots=True)
class LawParagraph:
    """One 項. `text` has the items below it on lines of their own, deeper ones indented with full-width spaces."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class LawArticle:
    """One 条, or the paragraphs of a provision that has no articles (`number` is then empty)."""

    provision: str  # `main`, or `suppl1`, `suppl2` … in the order of the law; `suppl1` is that of the law as it was made
    number: str  # `94_2` for 第94条の2; the first one of a deleted range
    name: str  # 第94条の2, 附則第22条
    caption: str  # without its brackets
    chapters: tuple[str, ...]  # titles from the outside in
    paragraphs: tuple[LawParagraph, ...]
    deleted: bool = False
    last_number: str = ""  # of a deleted range: `84` for 第38条から第84条まで
    caption_inherited: bool = False  # the caption is that of an article before
    hidden: bool = False  # not shown by e-Gov either
    label: str = ""  # 附則
    amending_law: str = ""  # whose supplementary provision it is, as e-Gov writes it: 令和四年六月一七日法律第七一号

    @property
    def text(self) -> str:
        """All paragraphs, from the second on with their numbers."""
        return "\n".join(p.text if p.number == 1 else f"{p.number}　{p.text}" for p in self.paragraphs)

    def covers(self, number: str) -> bool:
        """Whether this is the article of that number, or a deleted range that it lies in."""
        return self.number == number or (
            bool(self.last_number) and _order(self.number) <= _order(number) <= _order(self.last_number)
        )


@dataclass(frozen=True, slots=True)
class Law:
    """One revision of a law. A file that is not from the API says neither its ids nor its status: those are empty."""

    law_id: str
    law_num: str
    title: str
    revision_id: str
    in_force: dt.date | None  # while `status` is UnEnforced, it may be the latest possible day
    status: str  # CurrentEnforced, UnEnforced, PreviousEnforced, Repeal or empty
    articles: tuple[LawArticle, ...]  # deleted and hidden ones too

    def article(self, provision: str, number: str) -> LawArticle | None:
        """By the key that `article_key` gives."""
        return next((a for a in self.articles if a.provision == provision and a.covers(number)), None)


class ArticleKey(NamedTuple):
    """`provision` and `number` as LawArticle has them."""

    provision: str
    number: str
    paragraph: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an article. `paragraphs`: the numbers of those that are new, gone or different, in order."""

    kind: Literal["added", "removed", "changed"]
    name: str
    old: LawArticle | None
    new: LawArticle | None
    paragraphs: tuple[int, ...]

    @property
    def old_text(self) -> str:
        return self.old.text if self.old else ""

    @property
    def new_text(self) -> str:
        return self.new.text if self.new else ""


def article_name(number: str) -> str:
    """第94条の2 for `94_2`."""
    first, *branches = number.split("_")
    return f"第{first}条" + "".join(f"の{branch}" for branch in branches)


def article_key(text: str) -> ArticleKey | None:
    """The article that a citation such as 94条の2, 第九十四条の二第1項, 九四の二 or 附則22条 names.

    附則 alone is that of the law as it was made. None where the text is anything else, another law's citation for one.
    """
    text = "".join(unicodedata.normalize("NFKC", text[: _LONGEST_CITATION * 2]).split())
    if len(text) > _LONGEST_CITATION:
        return None
    if whole := _WITHOUT_ARTICLE.fullmatch(text):
        return ArticleKey("suppl1", "", paragraph) if (paragraph := _value(whole["paragraph"])) else None
    found = _KEY.fullmatch(text)
    if not found:
        return None
    numbers = [_value(n) for n in re.split("[のノ]", found["number"] + found["branches"])]
    below = _value(found["paragraph"]) if found["paragraph"] else None
    if not all(numbers) or below == 0:
        return None
    return ArticleKey("suppl1" if found["place"] == "附則" else "main", "_".join(map(str, numbers)), below)


def _value(numeral: str) -> int:
    """94, 九十四 and 九四 are the same; 0 for what is no number."""
    if numeral.isdecimal():
        return int(numeral)
    if set(numeral) <= set(_DIGITS):
        return int("".join(str(_DIGITS.index(n)) for n in numeral))
    units = _UNITS.fullmatch(numeral)
    if not units:
        return 0
    *tens, ones = units.groups()
    value = sum(unit * _DIGITS.index(n or "一") for n, unit in zip(tens, (1000, 100, 10), strict=True) if n is not None)
    return value + (_DIGITS.index(ones) if ones else 0)


def changes(old: Law, new: Law) -> tuple[Change, ...]:
    """What differs between two revisions: in the order of the new one, then what is gone.

    A deleted article counts as none. An own caption that differs is a change without paragraphs; an inherited one is not.
    Raises InvalidDocument for two different laws.
    """
    if old.law_id and new.law_id and old.law_id != new.law_id:
        raise InvalidDocument(f"{old.title} and {new.title} are two laws, not two revisions of one.")
    before, after = _by_place(old), _by_place(new)
    found = [_change(before.get(place), article) for place, article in after.items()]
    found += [_change(article, None) for place, article in before.items() if place not in after]
    return tuple(change for change in found if change)


def _by_place(law: Law) -> dict[tuple[str, str, str, int], LawArticle]:
    """By amending law, not by position: a supplementary provision that is put in between moves the later ones."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found = {}
    for article in law.articles:
        if not article.deleted:
            place = ("main" if article.provision == "main" else "suppl", article.amending_law, article.number)
            found[*place, seen[place]] = article
            seen[place] += 1
    return found


def _change(old: LawArticle | None, new: LawArticle | None) -> Change | None:
    paragraphs = set(old.paragraphs if old else ()) ^ set(new.paragraphs if new else ())
    numbers = tuple(sorted({p.number for p in paragraphs}))
    if old and new:
        captions = {"" if article.caption_inherited else article.caption for article in (old, new)}
        return Change("changed", new.name, old, new, numbers) if numbers or len(captions) > 1 else None
    if new:
        return Change("added", new.name, None, new, numbers)
    return Change("removed", old.name, old, None, numbers) if old else None


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(n) for n in number.split("_") if n.isdecimal())
