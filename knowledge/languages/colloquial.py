"""A question as members type it, made into one the texts can be searched with."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from knowledge import yaml_files
from knowledge.languages import ja
from knowledge.languages.vocabulary import HIRAGANA, KANA_RUN, KANJI, Vocabulary, broken_runs
from knowledge.types import Document, Passage

# Longer than this, a message is an account with the question at its end; a question shorter than that needs what stood before it.
_RAMBLING, _TELLING = 80, 25
# With less kanji than this the words are given their kanji; with more, kana are kana.
_LITTLE_KANJI = 0.1
_ASKING = re.compile(r"(か|の|かね|かな|かしら|ん|って|は|でしょう|ですか|ますか|と|け|ね|べ|さ)[?!。]*$|\?")
_ASKING_WORDS = ("何", "いくら", "どれ")
_BACK_REFERENCE = re.compile(r"その|それ|この|これ|そこ|あと|このまま|そう(?:する|なる|い)|どっち|あれ")
_TAKEN_BACK = re.compile(  # but for the subject of which it is said: 「監事は2人じゃなくて」
    r"(?P<subject>[^、。!?\s]{1,14}[はが])?(?:[^、。!?\s]{1,14}でも)?[^、。!?\s]{1,16}(?:じゃなくて|ではなくて|でなくて|でもなくて|じゃなく、)(?:て)?[、]?"
)
_WRAPPERS = re.compile(
    r"^(?:(?:あのー?|えーと|えっと|すみません|すいません|ごめん|ねえ|ねー|こんにちは|こんばんは|おはよう(?:ございます)?"
    r"|お疲れ様です|ちょっと|質問(?:です)?|教えて)[、。!\s]*)+"
    r"|(?:(?:やさしい|簡単な|かんたんな) ?(?:日本語|言葉|ことば)で)?\s*"
    r"(?:教えて|おしえて)(?:ください|下さい|ほしい|くれん|ね)?[。!?\s]*$"
    r"|(?:やさしい|簡単な|かんたんな) ?(?:日本語|言葉|ことば)で\s*(?:お願いします|おねがいします)?[。!?\s]*$"
    r"|お願いします[。!]*$|おねがいします[。!]*$|よろしく(?:お願いします)?[。!]*$"
)
_SYMBOLS = re.compile(r"[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u3030]|\([^\w()]{2,10}[^()]*\)")
_YEAR = re.compile(r"(?:19|20)\d\d(?=年|/|-|\D|$)")
_HALF_WIDTH = re.compile(r"[ｦ-ﾟ][ｦ-ﾟ ]*[ｦ-ﾟ]")
_SLASHED_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[/.-](1[0-2]|0?[1-9])[/.-](3[01]|[12]\d|0?[1-9])(?!\d)")
_HOW_MUCH = re.compile(r"どの(?:くらい|ぐらい|程度|位)|どんくらい|どんだけ")
_INDEFINITE = re.compile(r"何(年|人|日|回|度|件)(も|か(?!ら|月))")
_SUPPOSING = re.compile(r"(でしょ|よね|だよね|ですよね|だっけ|んだろ)")


@dataclass(frozen=True, slots=True)
class Words:
    """The table of the field's words, longest left sides first."""

    spellings: tuple[tuple[str, str], ...]
    meanings: tuple[tuple[str, str], ...]
    dialect: tuple[tuple[str, str], ...]
    qualifiers: tuple[tuple[str, ...], ...]
    repeated: tuple[tuple[str, ...], ...]  # those of the qualifiers for which the Act says again what holds for all
    asked_for: tuple[tuple[re.Pattern[str], str], ...]


@cache
def words() -> Words:
    raw = yaml_files.shipped("knowledge.corpus", "words.yaml")
    tables = {n: tuple(sorted(raw[n].items(), key=lambda kv: -len(kv[0]))) for n in ("spellings", "meanings", "dialect")}
    asked_for = tuple((re.compile(asked), given) for asked, given in raw["asked_for"])
    qualifiers = tuple(tuple(group) for group in raw["qualifiers"])
    repeated = tuple(group for group in qualifiers if group[0] in raw["repeated"])
    return Words(**tables, qualifiers=qualifiers, repeated=repeated, asked_for=asked_for)


def unify(normalised: str) -> str:
    """One spelling for the field's words, in questions and in texts alike. Idempotent."""
    for variant, right in words().spellings:
        if variant in normalised:
            normalised = _replace_outside(normalised, variant, right)
    return normalised


def _replace_outside(text: str, variant: str, right: str) -> str:
    """Replace, but not inside the right spelling where that contains the variant."""
    if variant not in right:
        return text.replace(variant, right)
    return right.join(part.replace(variant, right) for part in text.split(right))


@dataclass(frozen=True, slots=True)
class Query:
    """`text`: the question in the words of the texts. `added`: what the texts would call it besides."""

    text: str
    added: str = ""
    explained: tuple[str, ...] = ()  # the everyday words whose meaning was added


def understood(text: str, vocabulary: Callable[[], Vocabulary] | None = None) -> Query:
    """What to search for: the asking sentence, standard words for dialect and slips, kana given their kanji, meanings added."""
    question = focus(_SYMBOLS.sub(" ", ja.normalise(_half_width_restored(text, vocabulary))))
    question = _SLASHED_DATE.sub(lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", question)
    if vocabulary is not None and any(broken_runs(question)):
        question = vocabulary().heard(question)
    kana = vocabulary is not None and _kanji_share(question) < _LITTLE_KANJI and KANA_RUN.search(question) is not None
    if kana and vocabulary is not None:
        question = vocabulary().restore(question)
    for variant, standard in words().dialect:
        if not kana or standard.startswith(_ASKING_WORDS):  # among kana alone, other ways of speaking look like parts of words
            question = question.replace(variant, standard)
    question = unify(question)
    found = [(variant, meaning) for variant, meaning in words().meanings if variant in question]
    added = " ".join(dict.fromkeys(" ".join(meaning for _, meaning in found).split()))
    return Query(question, added, tuple(variant for variant, _ in found))


def in_kanji(text: str, vocabulary: Callable[[], Vocabulary]) -> str:
    """A text in kana alone with the kanji of the field's words, and without the spaces between them; any other as it is."""
    normalised = ja.normalise(text)
    letters = re.sub(r"[\W\d_]", "", normalised)
    if not letters or not KANA_RUN.fullmatch(letters):
        return text
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", vocabulary().restore(normalised))


def _half_width_restored(text: str, vocabulary: Callable[[], Vocabulary] | None) -> str:
    """Half-width kana beside other letters read as the field's words: they are an old phone's way of writing anything."""
    if vocabulary is None or (not KANJI.search(text) and not HIRAGANA.search(text)):
        return text
    return _HALF_WIDTH.sub(lambda m: vocabulary().restore(ja.normalise(m[0])), text)


def unwrapped(sentence: str) -> str:
    """Without what only opens or closes a question politely, and without what is taken back (「脱退じゃなくて」)."""
    sentence = _WRAPPERS.sub("", sentence).strip()
    return _TAKEN_BACK.sub(lambda m: m["subject"] or "", sentence).strip()


def focus(text: str) -> str:
    """The question of a message: of a long one the sentence that asks, with as much before it as it needs to be understood."""
    found = [s for s in (unwrapped(s) for s in ja.sentences(text)) if s]
    if len(text) <= _RAMBLING or len(found) < 2:
        return " ".join(found) or text
    asking = [i for i, s in enumerate(found) if _ASKING.search(s.rstrip("。 "))]
    last = asking[-1] if asking else len(found) - 1
    first = last
    while first and (len(" ".join(found[first : last + 1])) < _TELLING or (first == last and _BACK_REFERENCE.search(found[last]))):
        first -= 1
    return " ".join(found[first:])


def _kanji_share(text: str) -> float:
    return len(KANJI.findall(text)) / max(len(text), 1)


class AskedFor:
    """What a question asks for, as patterns that an answer to it must hold."""

    def __init__(self, question: str) -> None:
        question = _HOW_MUCH.sub("どれくらい", _INDEFINITE.sub("", question))
        # What follows from a wrong premise (「県の認可が要るんですよね。何日かかりますか」) is no condition, either.
        supposing = [s for s in ja.sentences(question) if _SUPPOSING.search(s)]
        question = " ".join(supposing) or question
        found = [(m, given) for asked, given in words().asked_for if (m := asked.search(question))]
        self._told_first = [re.compile(_filled(given[1:], m)) for m, given in found if given.startswith("=")]
        self._patterns = [re.compile(_filled(given, m)) for m, given in found if "~1" not in given and given[0] != "="]
        self._attributes = [re.compile(_filled(given, m)) for m, given in found if "~1" in given]
        years = set(_YEAR.findall(question))
        # A wrong year to be put right (「2027年までですよね」) is no condition.
        self._years = set() if supposing else years

    def lacking(self, document: Document, passage: Passage) -> float:
        """1 for a passage that does not hold what is asked for, 1/2 where only its detail does, which is not told at first.

        A passage without a short answer is not judged. The first word that the patterns see is the kind of the document.
        An attribute (「入場料」) may stand in the ways of asking, too.
        """
        if not passage.short or not (self._patterns or self._attributes or self._told_first or self._years):
            return 0.0
        told = f"{document.kind.value} {document.title} {passage.heading} {passage.short} {document.article}"
        if self._attributes:
            everything = unify(ja.normalise(" ".join((told, passage.detail, *passage.asks, document.context()))))
            if any(not a.search(everything) for a in self._attributes):
                return 1.0
        if self._told_first and any(not p.search(unify(ja.normalise(told))) for p in self._told_first):
            return 1.0
        dates = (passage.as_of or document.as_of)[:4]
        if not self._misses(unify(ja.normalise(f"{told} {dates}"))):
            return 0.0
        return 1.0 if self._misses(unify(ja.normalise(f"{told} {passage.detail} {dates}"))) else 0.5

    def lacks(self, text: str) -> bool:
        """Whether a text (normalised) does not hold what is asked for."""
        return self._misses(text) or any(not a.search(text) for a in (*self._attributes, *self._told_first))

    def _misses(self, text: str) -> bool:
        other_year = bool(self._years) and self._years.isdisjoint(_YEAR.findall(text))
        return other_year or any(not p.search(text) for p in self._patterns)


def _filled(given: str, found: re.Match[str]) -> str:
    """The pattern with what a bracket found put in: `\\1` as it is, `~1` as any two neighbouring characters of it."""
    named = next((g for g in found.groups() if g), "")
    if not named:
        return given
    pairs = "|".join(re.escape(named[i : i + 2]) for i in range(max(len(named) - 1, 1)))
    return given.replace("\\1", re.escape(named)).replace("~1", f"(?:{pairs})")
