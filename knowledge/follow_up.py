"""What is found for a question in its conversation: 「じゃあ期限は?」 means the deadline of what was talked about."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from knowledge.languages import colloquial, ja
from knowledge.retrieval import Retrieved, Retriever
from knowledge.store import KnowledgeStore
from knowledge.types import Context, Document, Kind, Match, Passage, Question

# So much less sure may what is found about the conversation's topic be than what is found for the question alone: when the
# question asks for another such thing, points back, is merely short, or names a subject of its own.
_BOUND, _POINTING, _SHORT, _OWN_SUBJECT = 1.0, 0.35, 0.15, -0.175
_WITHOUT_ASPECT = 2.0  # log-odds against a passage that does not name what is asked for of the topic
_LACKING = 2.0  # more log-odds against a passage about the topic that lacks what is asked for
_AKIN = 3.0  # log-odds against a document that shares no tag with the topic, where one about as good does
_THE_LIST = 4.0  # log-odds for the list that has been told, where others are asked for that it holds
_VERY_NAME = 1.5  # log-odds for a passage whose heading is all that the question says
_TOLD = 2.0  # log-odds against what has been told
_ELSEWHERE = 3.0  # log-odds against a document about another place than the one that is named
_SAME_FIGURE = 3.0  # log-odds within which dated passages of one document are the same figure at different times

# The part of a title that asks (「総会の招集は何日前か」), and what stands in brackets: neither says what it is about.
_ASKING = re.compile(r"(は|を|に|が)?(何|いつ|だれ|誰|どこ|どう|どんな).*$|[((（].*?[))）]")
_AMOUNT = re.compile(
    r"\d{4}年\d+月(?:\d+日)?|\d+分の\d+|\d+(?:年|か月|月|日|人|%|円|口|団体|条|割|か所|週間|時間|回)+|(?<=[一-龥ァ-ヺー])\d+|\d{3,}"
)
_ONLY_ARTICLE = re.compile(
    r"(附則)?(\d{1,3})条(の\d{1,2})?(?:って|とは|は|には|について|の(?:内容|意味)は?)?(?:何|なに|どんな(?:内容|決まり))?"
    r"(?:が書いて(?:ある|あります))?(?:の|ん)?(?:です)?か?(?:教えて(?:ください)?)?[?。]*"
)
_CITY = re.compile(r"(?<![一-龥])[一-龥]{2,4}市(?!町|民|区|場|内)")
_PREFECTURES = re.compile("|".join(rf"(?<!東){p}" if p == "京都" else p for p in ja.WORDS["prefectures"].split()))
_YEAR = re.compile(r"(?:19|20)\d\d(?=年)")
_DATED = re.compile(r"(?:19|20)\d\d年(?:\d+月)?(?:\d+日)?の?")
_EARLIER_TIME = re.compile(
    r"最初|はじめ|始め|昔|当時|以前|もと|推移|うつりかわり|増え|減っ|(?:19|20)\d\d|昨年|去年|来年|今年|平成|令和"
)
_ONLY_NAMED = re.compile(
    r"(?P<named>[^はがをにで、。? ]{2,12}?)(?:は|って|とは|について|のこと)?(?:何|なに|どう|どんなもの)?(?:です)?か?[?。]*"
)
_LISTED = 4  # so many things, or more, stand in a short answer that is a list
_GENERAL = frozenset(ja.WORDS["aspects"].split())


def retrieved(question: Question, retriever: Retriever, store: KnowledgeStore) -> Retrieved:
    """What is found for the question itself, or, where that says more, for the question about the conversation's topic.

    Passages about another place than the one it names step back; of one figure at several times the newest comes first.
    """
    context = question.context
    own = own_subjects(question.text, context.refers_to)
    topic = _topic(context, store)
    again = topic is not None and context.another and _lists(topic, own)
    hidden = _told_already(topic, own) if topic and context.another and not again else frozenset[str]()

    def find(text: str, bound_to: str = "") -> Retrieved:
        found = retriever.retrieve(text, question.audience, hidden=hidden, topic=bound_to)
        found = found if topic else _named_first(found, text)
        return _newest_first(_in_place(found, question.text), question.text)

    text = _spelled_out(question.text, store)
    alone = find(text)
    if topic is None:
        return alone
    together = find(topic.subject(context, own) + text, "" if own or context.another else topic.document.id)
    together = _holding_first(_with_aspect(together, question.text))
    if again:
        together = _moved(together, [_THE_LIST * (m.passage.id == topic.passage.id) for m in together.matches])
    if context.earlier and own:
        together = _untold_first(together, context)
    if _names_aspect(together, text) < _names_aspect(alone, text):
        return alone if own or not alone.matches[0].passage.known else _akin_first(alone, topic, text)
    of_topic, by_itself = _held(own, together), _held(own, alone)
    if of_topic != by_itself or not together.matches:
        return together if of_topic > by_itself else alone
    return together if together.confidence + _loyalty(context, own, together, alone) >= alone.confidence else alone


def _spelled_out(text: str, store: KnowledgeStore) -> str:
    """An article's number alone (「27条は?」) with what that article is about."""
    named = _ONLY_ARTICLE.fullmatch(ja.normalise(text))
    found = store.articles([f"{named[1] or ''}第{named[2]}条{named[3] or ''}"]) if named else []
    return found[0][1].short if found else text


def _loyalty(context: Context, own: list[str], together: Retrieved, alone: Retrieved) -> float:
    """So much less sure may what was found about the topic be."""
    best = together.matches[0]
    if best.lacks or not best.passage.known:
        return 0.0
    if context.another and not own:
        return _BOUND
    if context.asks_the_same or (context.points_back and not own):
        return _POINTING
    if not own or best.passage.id in {m.passage.id for m in alone.matches[:3]}:
        return _SHORT
    return 0.0 if context.points_back else _OWN_SUBJECT


@dataclass(frozen=True, slots=True)
class _Topic:
    document: Document
    passage: Passage

    def subject(self, context: Context, own: list[str]) -> str:
        """What the topic is about, in words to search with."""
        fields = self.document.facets.get("field", ())
        if context.another and not own and fields:
            return f"{fields[0]}をしている"  # 「ほかの組合は?」: others that do the same
        title, heading = (_ASKING.sub("", ja.normalise(t)) for t in (self.document.title, self.passage.heading))
        if context.another or self.document.kind is Kind.CASE:
            return f"{title} "
        # Where the title does not say what the passage is about, the heading does.
        named = [m.surface() for m in ja.morphemes(heading) if ja.is_subject(m)]
        if own:  # of a title that names a group (役員), the one that was told of (監事)
            return " ".join([title, *(n for n in named[:1] if heading.startswith(n) and n not in title), ""])
        return f"{title} " if _count(named, title) else f"{title} {heading} "


def _told_already(topic: _Topic, own: list[str]) -> frozenset[str]:
    """What is left out where something else is asked for: the passage, or of one of many co-ops all that is told of it."""
    return frozenset({topic.document.id if topic.document.kind is Kind.CASE and not own else topic.passage.id})


def _lists(topic: _Topic, own: list[str]) -> bool:
    """Whether what was told is a list that holds the others, too: 「ほかに3分の2がいるのは?」"""
    short = ja.normalise(topic.passage.short)
    return bool(own) and len(re.findall("[、・]", short)) >= _LISTED and _count(own, short) == len(own)


def _topic(context: Context, store: KnowledgeStore) -> _Topic | None:
    """What the question goes on from: the last thing told, or the one before that it names (「さっきの臨時総会」)."""
    if not context.topic:
        return None
    found = store.matches([*context.topic, *context.earlier])
    known = [_Topic(*found[i][:2]) for i in (*context.topic, *context.earlier) if i in found]
    named = [ja.normalise(context.refers_to), *own_subjects(context.refers_to)] if context.refers_to else []

    def fits(topic: _Topic) -> tuple[int, int]:
        names = f"{topic.document.title} {topic.passage.heading} {topic.document.context()}"
        return _count(named, names), _count(named, _text(topic.document, topic.passage))

    best = max(known, key=fits, default=None)
    return None if best is None or (context.earlier and not any(fits(best))) else best


def own_subjects(text: str, refers_to: str = "") -> list[str]:
    """The nouns, amounts and years by which a question says itself what it is about (normalised, as they are written).

    Nouns that ask for something of a subject (期限, 場所, 書類) are none, nor are those that only point back (`refers_to`).
    """
    query = colloquial.understood(text)
    meant = " ".join(meaning for word, meaning in colloquial.words().meanings if word in query.text and word not in _GENERAL)
    own = [*_nouns(f"{query.text} {meant}"), *_AMOUNT.findall(query.text)]
    return [s for s in dict.fromkeys(own) if s not in ja.normalise(refers_to)]


def _nouns(text: str) -> list[str]:
    """The nouns that say what a text is about, as they are written."""
    found = [m for m in ja.morphemes(text) if ja.is_subject(m)]
    return [m.surface() for m in found if not _GENERAL & {m.surface(), m.normalized_form()}]


def _aspects(text: str) -> list[str]:
    """The nouns of a text that ask for something of a subject."""
    return [m.surface() for m in ja.morphemes(ja.normalise(text)) if m.surface() in _GENERAL]


def _held(subjects: list[str], found: Retrieved) -> int:
    """How many of the subjects stand in the best passage; one of another place than the question's holds nothing."""
    if not found.matches:
        return -1
    best = found.matches[0]
    return 0 if best.features.get("elsewhere") else _count(subjects, _text(best.document, best.passage))


def _count(subjects: list[str], text: str) -> int:
    normalised = colloquial.unify(ja.normalise(text))
    return sum(s in normalised for s in subjects)


def _told(document: Document, passage: Passage) -> str:
    """What a passage answers. Its detail may name much more: 「任期は第36条にあります」 tells no 任期."""
    return " ".join((document.title, passage.heading, *passage.asks, passage.short))


def _text(document: Document, passage: Passage) -> str:
    parts = (document.title, passage.heading, *passage.asks, passage.short, passage.detail, passage.en, document.article)
    return " ".join((*parts, document.context()))


def _with_aspect(found: Retrieved, question: str) -> Retrieved:
    """Passages that do not name what is asked for of the subject (期限, 期間) step back."""
    asked = _aspects(question)
    lacking = [bool(asked) and not _count(asked, _told(m.document, m.passage)) for m in found.matches]
    return _moved(found, [-_WITHOUT_ASPECT * x for x in lacking])


def _holding_first(found: Retrieved) -> Retrieved:
    """Once the subject is known, what does not hold what is asked for steps back further."""
    return _moved(found, [-_LACKING * m.lacks for m in found.matches])


def _akin_first(found: Retrieved, topic: _Topic, question: str) -> Retrieved:
    """Of what is told under the noun that is asked for (期間), first what shares a tag with the topic."""
    tags = set(topic.document.facets.get("tags", ())) - set(_aspects(question))
    akin = [not tags.isdisjoint(m.document.facets.get("tags", ())) for m in found.matches]
    near = any(a and m.score > found.matches[0].score - _AKIN for a, m in zip(akin, found.matches, strict=True))
    return _moved(found, [-_AKIN * (near and not a) for a in akin])


def _names_aspect(found: Retrieved, question: str) -> int:
    """How much of what is asked for of the subject the best passage names."""
    return _count(_aspects(question), _told(found.matches[0].document, found.matches[0].passage)) if found.matches else 0


def _untold_first(found: Retrieved, context: Context) -> Retrieved:
    """Who goes back to something with a case of its own wants to hear more than has been told."""
    told = {*context.topic, *context.earlier}
    return _moved(found, [-_TOLD * (m.passage.id in told) for m in found.matches])


def _in_place(found: Retrieved, question: str) -> Retrieved:
    """Documents about another place step back; what holds everywhere, such as the law, does not."""
    text = ja.normalise(question)
    cities = [c for c in _CITY.findall(text) if any(_count([c], _text(m.document, m.passage)) for m in found.matches)]
    places = [*_PREFECTURES.findall(text), *cities]  # a city nobody tells of may be mistyped
    if not places:
        return found
    marked = [replace(m, **_placed(m, places)) for m in found.matches]
    return _moved(replace(found, matches=tuple(marked)), [-_ELSEWHERE * m.features["elsewhere"] for m in marked])


def _placed(match: Match, places: list[str]) -> dict[str, Any]:
    own = " ".join(match.document.facets.get("place", ()))
    elsewhere = bool(own) and not _count(places, f"{own} {match.document.title} {match.passage.heading}")
    lacks = match.lacks or (elsewhere and not _count(places, _text(match.document, match.passage)))
    return {"lacks": lacks, "features": {**match.features, "elsewhere": float(elsewhere)}}


def _newest_first(found: Retrieved, question: str) -> Retrieved:
    """Of a figure that is told of several years, the newest, unless the question is about a time."""
    if not found.matches or _EARLIER_TIME.search(ja.normalise(question)):
        return found
    best = found.matches[0]
    same = [m for m in found.matches if _is_same_figure(m, best)]
    newest = max(same, key=lambda m: max(_YEAR.findall(m.passage.heading)), default=best)
    return _moved(found, [best.score + 0.1 - m.score if m is newest and m is not best else 0.0 for m in found.matches])


def _is_same_figure(one: Match, best: Match) -> bool:
    dated = all(_YEAR.search(m.passage.heading) for m in (one, best))
    if not dated or one.score <= best.score - _SAME_FIGURE or not one.passage.known or one.lacks:
        return False
    return one.document.id == best.document.id or _undated(one) == _undated(best)


def _undated(match: Match) -> str:
    """What a heading is about, whenever: 労働者協同組合の数(2026年5月1日) and 2023年5月の労協の数 are the same."""
    heading = _DATED.sub("", colloquial.unify(ja.normalise(match.passage.heading)).replace("労協", "労働者協同組合"))
    return re.sub(r"[\W_]", "", heading.removeprefix("の"))


def _named_first(found: Retrieved, question: str) -> Retrieved:
    """Where a question only names something (「準備金は?」), what is told under that very name."""
    named = _ONLY_NAMED.fullmatch(ja.normalise(question))
    if not named:
        return found
    wanted = colloquial.unify(named["named"])
    return _moved(found, [_VERY_NAME * (colloquial.unify(ja.normalise(m.passage.heading)) == wanted) for m in found.matches])


def _moved(found: Retrieved, by: list[float]) -> Retrieved:
    """The same passages, with something added to their scores, best first again."""
    n = len(found.matches)
    added = np.zeros(len(found.scores), np.float32)
    added[:n] = by
    scores = found.scores + added
    order = np.argsort(-scores, kind="stable")
    matches = [replace(m, score=float(s)) for m, s in zip(found.matches, scores, strict=False)]
    return replace(
        found,
        matches=tuple(matches[i] for i in order if i < n),
        features=found.features[order],
        bonus=(found.bonus + added)[order],
        scores=scores[order],
        preferred=None if found.preferred is None else found.preferred[order],
    )
