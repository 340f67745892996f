"""Questions for examples (「長野で居場所をやってるところは?」): the cases that fit all that is named, or honestly the nearest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from knowledge.facets import Place, Wish, place_in, spelled, vocabulary
from knowledge.languages import colloquial
from knowledge.store import KnowledgeStore
from knowledge.types import Document, Kind, Passage, Question

_SCREEN = 250  # characters for the cases and their sources
_OF_A_DATE = 12  # 「(2025年11月時点)」 after a source
_MOST = 3

_GROUP = (
    r"(?:ところ|とこ|(?<![一-龥])所|団体|組合|法人|労働者協同組合|労協|ワーカーズコレクティブ|ワーカーズコープ"
    r"|グループ|仲間)(?:さん|たち)?"
)
_EXAMPLE = r"(?:事例|実例|先例|ケース|(?<![条特慣定])例(?!えば|外|会|年))"
_EXAMPLES = re.compile(f"{_EXAMPLE}|{_GROUP}")
_TAIL = r"(?:は|って|が|を|も|と|とか|に|で|、| )*"
_ASKS = re.compile(
    rf"{_EXAMPLE}{_TAIL}(?:$|[?。!]|あ|な|教|知|紹|見|聞|い|お|探|欲|ほ|どん|どこ|何か|ほか|他)"
    rf"|{_GROUP}{_TAIL}(?:どこ|だれ|どんな|ほか|他|よそ)?(?:か|に|が|も)*"
    r"(?:$|[?。!]|あ[るり]|な[いか]|い[るまた]|お[るり]|教え|知(?!らせ)|紹介|探し|見学|見つ|ほしい|欲し|どこ|ですか)"
    rf"|(?:の|もの)(?:は|って)どこ|どんな{_GROUP}"
)
# A question for one thing about a case, or for how to do it, is no question for examples.
_PRECISE = re.compile(
    r"最初|初めて|はじめて|一番|いちばん|最も|第1号|\d年|\d月|いつ|何(?!か|処)|いくつ(?!か)|いくら|どのくらい|どれくらい|割合|違い|よね|でしょ|だっけ"
    r"|名前|なんと(いう|言)|なんて|呼び名|愛称|どう(?!か|ぞ|いう)|なぜ|なんで|理由|わけ|きっかけ|方法|やり方|コツ|手順|書類|届|必要|条件|要件"
    r"|[れせえけてめべげ]る?ますか|でき|もらえ|受けられ|使え|借りられ|頼め|[てで]くれる|相談|窓口|したい|したく|始めたい|作りたい|つくりたい"
    r"|どこ(と|から|で(?!す)|に(?!あ|い)|へ|を|の)|支援が|(補助|助成)金?(が|の)(ある|出る)|公募|担当|係が|所管|上の団体"
    r"|失敗|うまく|苦労|困(?!窮|り)|悩|課題|学べ|つまず"
)


class Case(NamedTuple):
    document: Document
    passage: Passage  # the first one, which says what the case is
    text: str  # all of it, as it is searched


@dataclass(frozen=True, slots=True)
class Listing:
    """What is told of the cases. `fit`: they are what was asked for, else only the nearest. `rest`: more of the same."""

    fit: bool
    text: str
    told: tuple[Case, ...]
    rest: tuple[Case, ...] = ()
    asked: tuple[frozenset[str], ...] = ()

    def is_told_in(self, text: str) -> bool:
        """Whether a text speaks of all that was asked for, in one word or another."""
        text = spelled(text)
        return all(any(word in text for word in words) for words in self.asked)


@dataclass(frozen=True, slots=True)
class _Wanted:
    place: Place | None
    wishes: tuple[Wish, ...]
    words: tuple[str, ...]  # what else the question says: must stand in the case

    def fits(self, case: Case) -> bool:
        facets = case.document.facets
        here = self.place is None or self.place.fits(facets.get("place", ()))
        return here and not self.unmet(case) and all(w in case.text for w in self.words)

    def words_of_each(self) -> tuple[frozenset[str], ...]:
        where = [frozenset({self.place.said[:-1] if len(self.place.said) > 2 else self.place.said})] if self.place else []
        return (*where, *(frozenset().union(*w.values.values()) for w in self.wishes))

    def is_told_by(self, case: Case) -> bool:
        """Whether the words of the wishes stand in a case of this place, whatever its facets are."""
        here = self.place is None or self.place.fits(case.document.facets.get("place", ()))
        return here and all(spelled(w.said) in case.text for w in self.wishes)

    def unmet(self, case: Case) -> int:
        return sum(not w.is_met(case.document.facets) for w in self.wishes)

    def distance(self, case: Case) -> int:
        return self.place.distance(case.document.facets.get("place", ())) if self.place else 0

    def order(self, case: Case) -> tuple[int, int, int, str]:
        """Nearest first, then those that hold the very words, then worker co-ops, single groups, and those with a known place."""
        facets = case.document.facets
        exact = sum(w.is_met_exactly(facets) for w in self.wishes)
        co_op = any("労働者協同組合" in form for form in facets.get("legal_form", ()))
        return self.distance(case), -exact, 3 - co_op - bool(case.document.co_op) - ("place" in facets), case.document.id

    def __str__(self) -> str:
        """「長野県の、社協と組む居場所の事例」."""
        where = [f"{self.place.said}{'の近く' if self.place.near else ''}の"] if self.place else []
        return "".join([*where, *(_as_told(w) for w in sorted(self.wishes, key=lambda w: "field" in w.values))]) + "事例"


def listing(question: Question, store: KnowledgeStore) -> Listing | None:
    """The cases that a question for examples gets; None for any other question."""
    text = colloquial.understood(question.text).text
    if not question.language.startswith("ja") or question.context.points_back or not _is_for_examples(text):
        return None
    cases = [Case(*row) for row in store.of_kind(Kind.CASE, question.audience)]
    if any(name in text for case in cases for name in _names(case.document)):
        return None
    wanted = _wanted(text, cases)
    fitting = sorted((c for c in cases if wanted.fits(c)), key=wanted.order)
    if not (wanted.place or wanted.wishes) or (wanted.words and len(fitting) < 2):
        return None
    if fitting:
        return _told(wanted, fitting, f"{wanted}が{len(fitting)}件見つかりました。", fit=True)
    return _nearest(wanted, cases)


def telling(case: Case, question: Question, store: KnowledgeStore) -> tuple[Document, Passage]:
    """The passage of the only case that fits which tells most of what is asked for."""
    document = store.document(case.document.id) or case.document
    wishes, _ = vocabulary().wishes(colloquial.understood(question.text).text)
    told = [sum(spelled(w.said) in spelled(f"{p.heading} {p.short}") for w in wishes) * p.known for p in document.passages]
    return case.document, document.passages[told.index(max(told))] if told else case.passage


def _is_for_examples(text: str) -> bool:
    return bool(_ASKS.search(text)) and not _PRECISE.search(text) and not colloquial.AskedFor(text).lacks(f"{Kind.CASE} {text}")


def _wanted(text: str, cases: Sequence[Case]) -> _Wanted:
    place, text = place_in(text, [c.document.facets.get("place", ()) for c in cases])
    wishes, text = vocabulary().wishes(text)
    return _Wanted(place, tuple(wishes), tuple(vocabulary().rest(_EXAMPLES.sub(" ", text))))


def _nearest(wanted: _Wanted, cases: Sequence[Case]) -> Listing | None:
    """What comes closest to what there is no case of: all but the place, nearest first; else as many of the wishes as can be.

    None where a case tells of it all the same, though not among its facets.
    """
    if wanted.wishes and any(wanted.is_told_by(c) for c in cases):
        return None
    if wanted.wishes:
        near = [c for c in cases if wanted.unmet(c) < len(wanted.wishes)]
    else:
        near = [c for c in cases if wanted.distance(c) < 4]
    if not near:
        return None
    least = min(wanted.unmet(c) for c in near)
    near = sorted((c for c in near if wanted.unmet(c) == least), key=wanted.order)
    whereabouts = "近くでは" if wanted.place and wanted.distance(near[0]) < 4 else "ほかの地域では" if wanted.place else "近いのは"
    head = f"{wanted}は、見つかりませんでした。{'近いのは' if least else whereabouts}、"
    return _told(wanted, near, head, fit=False)


def _told(wanted: _Wanted, cases: Sequence[Case], head: str, *, fit: bool) -> Listing:
    """As many as fit on one screen with their sources: three with two words each rather than two with three."""
    for most, words in ((3, 3), (3, 2), (3, 1), (2, 3), (2, 2), (2, 1), (1, 2)):
        chosen = tuple(cases[:most])
        text = "\n".join([head, *(f"・{_line(c, wanted, words)}" for c in chosen)])
        if len(text) + _sources(chosen) <= _SCREEN:
            break
    return Listing(fit, text, chosen, tuple(cases[len(chosen) :]), wanted.words_of_each())


def _sources(cases: Sequence[Case]) -> int:
    """Characters that the line of the sources takes at most."""
    return sum(len(c.document.source) + _OF_A_DATE * bool(c.document.as_of) + 1 for c in cases) + 4


def _line(case: Case, wanted: _Wanted, words: int) -> str:
    """「うんなん(島根県雲南市): 草刈り、除雪(自治体)」: what was asked for stands first."""
    facets = case.document.facets
    asked = [v for w in wanted.wishes for v in w.met_by(facets, "field")]
    does = list(dict.fromkeys([*asked, *facets.get("field", ())]))[:words]
    besides = [v for w in wanted.wishes for f in ("origin", "partners", "funding") for v in w.met_by(facets, f)]
    place = "".join(facets.get("place", ())[:2])
    told = name(case.document) + (f"({place})" if place else "")
    told += f": {'、'.join(does)}" if does else ""
    return told + (f"({'・'.join(dict.fromkeys(besides))})" if besides else "")


def _as_told(wish: Wish) -> str:
    said = {"origin": "から始まった", "partners": "とつながる", "funding": "を使った"}
    return wish.said + said.get(next(iter(wish.values)), "の")


def name(document: Document) -> str:
    """What a case is called: its title without what stands in brackets, and without the legal form before it."""
    title = re.sub(r"\([^()]*\)$", "", document.title)
    return re.sub(r"^労働者協同組合(?=[^(]{3})", "", title)


def _names(document: Document) -> set[str]:
    """The names of one group. Who names it asks about that group, not for examples."""
    parts = [*re.split(r"[()]", re.sub(r"\([^()]*\)$", "", document.title)), document.co_op] if document.co_op else []
    places = {spelled(re.sub(r"[都府県市町村区]$", "", p)) for p in document.facets.get("place", ())}
    plain = {spelled(re.sub(r"(特定)?労働者協同組合(連合会)?|労協センター事業団|^NPO法人|^W\.Co", "", p)).strip() for p in parts}
    return {
        p for p in plain if len(p) > 2 and p not in places and not any(p == v for f in vocabulary().meanings.values() for v in f)
    }
