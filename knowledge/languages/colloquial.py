"""A question as members type it, made into one the texts can be searched with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

from knowledge import yaml_files
from knowledge.languages import ja
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
_KANA_RUN = re.compile(r"[ぁ-ゖァ-ヺー](?:[ぁ-ゖァ-ヺー]| (?=[ぁ-ゖァ-ヺー]))*[ぁ-ゖァ-ヺー]|[ぁ-ゖァ-ヺー]")
_YEAR = re.compile(r"(?:19|20)\d\d(?=年|/|-|\D|$)")
_HALF_WIDTH = re.compile(r"[ｦ-ﾟ][ｦ-ﾟ ]*[ｦ-ﾟ]")
_SLASHED_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[/.-](1[0-2]|0?[1-9])[/.-](3[01]|[12]\d|0?[1-9])(?!\d)")
_HOW_MUCH = re.compile(r"どの(?:くらい|ぐらい|程度|位)|どんくらい|どんだけ")
_COUNT = re.compile(r"[\d何]$")  # before what is counted
_COUNTERS = {"かい": "回", "にん": "人", "ねん": "年", "かげつ": "か月", "えん": "円", "にち": "日", "くち": "口"}
_KANA_COUNTER = re.compile(rf"(?<=\d)(?:{'|'.join(_COUNTERS)})")
_LONGEST_HEARD = 6  # characters
_INDEFINITE = re.compile(r"何(年|人|日|回|度|件)(も|か(?!ら|月))")
_SUPPOSING = re.compile(r"(でしょ|よね|だよね|ですよね|だっけ|んだろ)")
_KATAKANA_NAME = re.compile(r"[ァ-ヺー]{3,}")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_HIRAGANA_RUN = re.compile(r"[ぁ-ゖ](?:[ぁ-ゖー]| (?=[ぁ-ゖ]))*[ぁ-ゖー]|[ぁ-ゖ]")
_KANJI = re.compile(r"[一-龥々]")
_KANJI_ONLY = re.compile(r"[一-龥々]+")
# What becomes of a sound inside a word: 併 is ヘイ, in 合併 ペイ; 合 is ガッ.
_SOFTENED = str.maketrans(
    "ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポッ", "カキクケコサシスセソタチツテトハヒフヘホハヒフヘホツ"
)
_SINO_JAPANESE = re.compile(r"[ァ-ヴ][ャュョ]?[イウンキクチツッ]?")  # how one character can be read in a compound
_TO_KATAKANA = {c: c + 0x60 for c in range(ord("ぁ"), ord("ゖ") + 1)}
# Sudachi's reading of a few words is not how people say them.
_SPOKEN = {"何人": "ナンニン", "何日": "ナンニチ", "何年": "ナンネン", "何月": "ナンガツ", "明日": "アシタ", "私": "ワタシ"}
# Words that join others, by their reading and as they are written; without them a run of kana cannot be cut.
_JOINING: dict[str, str] = {**{w: w for w in ja.WORDS["joining"].split()}, **ja.WORDS["spoken"]}


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
    if vocabulary is not None and any(_broken_runs(question)):
        question = vocabulary().heard(question)
    kana = vocabulary is not None and _kanji_share(question) < _LITTLE_KANJI and _KANA_RUN.search(question) is not None
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
    if not letters or not _KANA_RUN.fullmatch(letters):
        return text
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", vocabulary().restore(normalised))


def _half_width_restored(text: str, vocabulary: Callable[[], Vocabulary] | None) -> str:
    """Half-width kana beside other letters read as the field's words: they are an old phone's way of writing anything."""
    if vocabulary is None or (not _KANJI.search(text) and not _HIRAGANA.search(text)):
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
    return len(_KANJI.findall(text)) / max(len(text), 1)


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


def _broken_runs(text: str) -> Iterable[tuple[int, list[str], list[bool]]]:
    """Runs of kanji with a character that belongs to no word, a sign that another word was meant (合平, 監差会).

    Each with its place, its words, and whether a word is such a character.
    """
    at, run = 0, list[tuple[int, str, bool]]()
    for m in [*ja.long_words(text), None]:
        if m is not None and _KANJI_ONLY.fullmatch(m.surface()):
            counted = _COUNT.search(text[:at])
            run.append((at, m.surface(), len(m.surface()) == 1 and not counted and _stands_alone(m.part_of_speech())))
        elif run:
            if len(run) > 1 and any(alone for _, _, alone in run):
                yield run[0][0], [w for _, w, _ in run], [alone for _, _, alone in run]
            run = []
        at += len(m.surface()) if m is not None else 0


def _stands_alone(part_of_speech: tuple[str, ...]) -> bool:
    return (
        part_of_speech[0] in ("名詞", "動詞", "形状詞")
        and part_of_speech[2] not in ("助数詞可能", "副詞可能")
        and part_of_speech[1] != "数詞"
    )


class Vocabulary:
    """The field's words by their reading: gives kana-only questions the kanji that the texts are written in.

    And words that were heard right but written with other kanji (急民預金) those of the texts (休眠預金).
    """

    def __init__(self, texts: Iterable[str], known: Vocabulary | None = None) -> None:
        """`known`: a vocabulary of much the same texts. Reading all of them takes seconds, what differs no time."""
        self._texts = Counter(texts)
        self._counts = known._changed_to(self._texts) if known is not None else _counted(self._texts)
        best = {reading: max((n, s) for s, n in surfaces.items()) for reading, surfaces in self._counts.items()}
        self._surfaces = {reading: surface for reading, (_, surface) in best.items()}
        self._known = {s for surfaces in self._counts.values() for s in surfaces}
        self._sounds = _sounds(self._counts)
        self._heard: dict[str, str] = {}  # of words that sound nearly the same, the one written most often
        for reading, (_, surface) in sorted(best.items(), key=lambda item: (-item[1][0], item[0])):
            if len(surface) > 1 and _KANJI_ONLY.fullmatch(surface):
                self._heard.setdefault(reading.translate(_SOFTENED), surface)
        self._joining: Mapping[str, str] = {k.translate(_TO_KATAKANA): v for k, v in _JOINING.items()}
        self._longest = max((len(r) for r in (*self._surfaces, *self._joining)), default=1)

    def _changed_to(self, texts: Counter[str]) -> dict[str, dict[str, int]]:
        """How often each way of writing a reading stands in these texts, worked out from those of this vocabulary."""
        counts = dict(self._counts)
        for changed, by in ((texts - self._texts, 1), (self._texts - texts, -1)):
            for reading, surfaces in _counted(changed).items():
                before = counts.get(reading, {})
                now = {s: before.get(s, 0) + by * surfaces.get(s, 0) for s in {**before, **surfaces}}
                counts[reading] = {s: n for s, n in now.items() if n}
        return {reading: surfaces for reading, surfaces in counts.items() if surfaces}

    def restore(self, text: str) -> str:
        """The text with its long runs of kana read as the field's words; anything else stays as it is.

        Katakana beside hiragana are loanwords and stay; katakana alone are how old phones write everything.
        """
        text = _KANA_COUNTER.sub(lambda m: _COUNTERS[m[0]], text)
        runs = _HIRAGANA_RUN if _HIRAGANA.search(text) else _KANA_RUN
        return runs.sub(lambda m: self._read(m.group()) if len(m.group()) >= 4 else m.group(), text)

    def heard(self, text: str) -> str:
        """The text with kanji that make no word of the texts, but sound like one, written as that word."""
        for at, words, alone in reversed(list(_broken_runs(text))):
            text = text[:at] + self._rewritten(words, alone) + text[at + len("".join(words)) :]
        return text

    def _rewritten(self, words: list[str], alone: list[bool]) -> str:
        """A run of kanji with its longest part that is no word of the texts, but sounds like one, replaced."""
        spans = [(i, j) for n in range(len(words), 0, -1) for i in range(len(words) - n + 1) for j in (i + n,)]
        kept = {k for i, j in spans if j - i > 1 and "".join(words[i:j]) in self._known for k in range(i, j)}
        for i, j in spans:
            part = "".join(words[i:j])
            is_broken = any(alone[k] and k not in kept for k in range(i, j)) and part not in self._known
            if (
                1 < len(part) <= _LONGEST_HEARD
                and is_broken
                and (meant := next((w for r in self._readings_of(part) if (w := self._heard.get(r))), ""))
            ):
                return "".join([*words[:i], meant, *words[j:]])
        return "".join(words)

    def _readings_of(self, part: str) -> Iterable[str]:
        sounds = [sorted(self._sounds.get(c, set()) | _alone(c)) for c in part]
        return ("".join(combination) for combination in product(*sounds))

    def _read(self, run: str) -> str:
        """The cheapest way to cut a run of kana into known words; unknown characters cost most."""
        kana = run.translate(_TO_KATAKANA)
        cost: list[float] = [0.0] + [1e9] * len(kana)
        cut: list[tuple[int, str]] = [(0, "")] * (len(kana) + 1)
        for start in range(len(kana)):
            if cost[start] >= 1e9:
                continue
            options = [(start + 1, run[start], 0.1 if kana[start] == " " else 2.2)]
            for end in range(start + 1, min(len(kana), start + self._longest) + 1):
                piece = kana[start:end]
                if piece in self._joining:
                    options.append((end, self._joining[piece], 1.0))
                elif len(piece) > 1 and (surface := self._surfaces.get(piece)):
                    options.append((end, surface, 1.2 if len(piece) > 2 else 1.9))
            for end, surface, price in options:
                if cost[start] + price < cost[end]:
                    cost[end], cut[end] = cost[start] + price, (start, surface)
        pieces: list[str] = []
        end = len(kana)
        while end:
            end, surface = cut[end]
            pieces.append(surface)
        return "".join(reversed(pieces))


def _counted(texts: Counter[str]) -> dict[str, dict[str, int]]:
    """How often each way of writing a reading stands in some texts."""
    counts: dict[str, dict[str, int]] = {}
    for text, n in texts.items():
        for reading, surface in _readings(text):
            surfaces = counts.setdefault(reading, {})
            surfaces[surface] = surfaces.get(surface, 0) + n
    return counts


def _sounds(words: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """How each character sounds in the words of two characters, softened: 休眠 キュウミン → 休 キュウ, 眠 ミン."""
    found: dict[str, set[str]] = {}
    for reading, surfaces in words.items():
        cuts = [
            (reading[:i], reading[i:])
            for i in range(1, len(reading))
            if _SINO_JAPANESE.fullmatch(reading[:i]) and _SINO_JAPANESE.fullmatch(reading[i:])
        ]
        for surface in surfaces if len(cuts) == 1 else ():
            if len(surface) == 2 and _KANJI_ONLY.fullmatch(surface):
                for character, sound in zip(surface, cuts[0], strict=True):
                    found.setdefault(character, set()).add(sound.translate(_SOFTENED))
    return found


@lru_cache(maxsize=2_048)
def _alone(character: str) -> frozenset[str]:
    """How a character sounds by itself, if that is how it can sound in a compound."""
    sounds = {m.reading_form() for m in ja.morphemes(character)}
    return frozenset(s.translate(_SOFTENED) for s in sounds if _SINO_JAPANESE.fullmatch(s))


def _readings(text: str) -> Iterable[tuple[str, str]]:
    """Readings of the kanji words of a text, alone and joined with their neighbours: 理事 リジ, 代表理事 ダイヒョウリジ."""
    run: list[tuple[str, str]] = []
    text = ja.normalise(text)
    yield from ((name, name) for name in _KATAKANA_NAME.findall(text))
    for m in [*ja.morphemes(text), None]:
        if (
            m is not None
            and _KANJI.search(m.surface())
            and m.part_of_speech()[0] in ("名詞", "接頭辞", "接尾辞", "動詞", "形容詞", "形状詞")
        ):
            run.append((_SPOKEN.get(m.surface(), m.reading_form()), m.surface()))
            continue
        for i in range(len(run)):
            for j in range(i + 1, min(len(run), i + 4) + 1):
                yield "".join(r for r, _ in run[i:j]), "".join(s for _, s in run[i:j])
        run = []
