"""A question as members type it, made into one the texts can be searched with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from knowledge.languages import ja
from knowledge.types import Document, Passage

# Longer than this, a message is an account with the question at its end; a question shorter than that needs what stood before it.
_RAMBLING, _TELLING = 80, 25
# With less kanji than this the words are given their kanji; with more, kana are kana.
_LITTLE_KANJI = 0.1
_ASKING = re.compile(r"(か|の|かね|かな|かしら|ん|って|は|でしょう|ですか|ますか|と|け|ね|べ|さ)[?!。]*$|\?")
_BACK_REFERENCE = re.compile(r"その|それ|この|これ|そこ|あと|このまま|そう(?:する|なる|い)|どっち|あれ")
_TAKEN_BACK = re.compile(
    r"(?:[^、。!?\s]{1,14}でも)?[^、。!?\s]{1,16}(?:じゃなくて|ではなくて|でなくて|でもなくて|じゃなく、)(?:て)?[、]?"
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
_INDEFINITE = re.compile(r"何(年|人|日|回|度|件)(も|か(?!ら|月))")
_SUPPOSING = re.compile(r"(でしょ|よね|だよね|ですよね|だっけ|んだろ)")
_KATAKANA_NAME = re.compile(r"[ァ-ヺー]{3,}")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_HIRAGANA_RUN = re.compile(r"[ぁ-ゖ](?:[ぁ-ゖー]| (?=[ぁ-ゖ]))*[ぁ-ゖー]|[ぁ-ゖ]")
_KANJI = re.compile(r"[一-龥々]")
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
    asked_for: tuple[tuple[re.Pattern[str], str], ...]


@cache
def words() -> Words:
    raw = yaml.safe_load((resources.files("knowledge.corpus") / "words.yaml").read_text("utf-8"))
    tables = {n: tuple(sorted(raw[n].items(), key=lambda kv: -len(kv[0]))) for n in ("spellings", "meanings", "dialect")}
    asked_for = tuple((re.compile(asked), given) for asked, given in raw["asked_for"])
    return Words(**tables, qualifiers=tuple(tuple(group) for group in raw["qualifiers"]), asked_for=asked_for)


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
    question = focus(_SYMBOLS.sub(" ", ja.normalise(text)))
    if vocabulary is not None and _kanji_share(question) < _LITTLE_KANJI and _KANA_RUN.search(question):
        question = vocabulary().restore(question)
    else:
        for variant, standard in words().dialect:
            question = question.replace(variant, standard)
    question = unify(question)
    found = [(variant, meaning) for variant, meaning in words().meanings if variant in question]
    added = " ".join(dict.fromkeys(" ".join(meaning for _, meaning in found).split()))
    return Query(question, added, tuple(variant for variant, _ in found))


def unwrapped(sentence: str) -> str:
    """Without what only opens or closes a question politely, and without what is taken back (「脱退じゃなくて」)."""
    sentence = _WRAPPERS.sub("", sentence).strip()
    return _TAKEN_BACK.sub("", sentence).strip()


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
        question = _INDEFINITE.sub("", question)
        found = ((asked.search(question), given) for asked, given in words().asked_for)
        self._patterns = [re.compile(_filled(given, m)) for m, given in found if m]
        years = set(_YEAR.findall(question))
        # A wrong year to be put right (「2027年までですよね」) is no condition.
        self._years = set() if _SUPPOSING.search(question) else years

    def is_lacking(self, document: Document, passage: Passage) -> bool:
        """Whether a passage with a short answer does not hold what is asked for; a passage without one is not judged."""
        if not passage.short or not (self._patterns or self._years):
            return False
        parts = (document.title, passage.heading, passage.short, passage.detail, document.article)
        return self.lacks(ja.normalise(f"{' '.join(parts)} {document.as_of[:4]} {passage.as_of[:4]}"))

    def lacks(self, text: str) -> bool:
        """Whether a passage (normalised) does not hold what is asked for."""
        other_year = bool(self._years) and self._years.isdisjoint(_YEAR.findall(text))
        return other_year or any(not p.search(text) for p in self._patterns)


def _filled(given: str, found: re.Match[str]) -> str:
    return given.replace("\\1", re.escape(found[1])) if found.re.groups and found[1] else given


class Vocabulary:
    """The field's words by their reading: gives kana-only questions the kanji that the texts are written in."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._surfaces: dict[str, str] = {}
        counts: dict[str, dict[str, int]] = {}
        for text in texts:
            for reading, surface in _readings(text):
                counts.setdefault(reading, {}).setdefault(surface, 0)
                counts[reading][surface] += 1
        for reading, surfaces in counts.items():
            self._surfaces[reading] = max(surfaces, key=lambda s: (surfaces[s], s))
        self._joining: Mapping[str, str] = {k.translate(_TO_KATAKANA): v for k, v in _JOINING.items()}
        self._longest = max((len(r) for r in (*self._surfaces, *self._joining)), default=1)

    def restore(self, text: str) -> str:
        """The text with its long runs of kana read as the field's words; anything else stays as it is.

        Katakana beside hiragana are loanwords and stay; katakana alone are how old phones write everything.
        """
        runs = _HIRAGANA_RUN if _HIRAGANA.search(text) else _KANA_RUN
        return runs.sub(lambda m: self._read(m.group()) if len(m.group()) >= 4 else m.group(), text)

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


def _readings(text: str) -> Iterable[tuple[str, str]]:
    """Readings of the kanji words of a text, alone and joined with their neighbours: 理事 リジ, 代表理事 ダイヒョウリジ."""
    run: list[tuple[str, str]] = []
    yield from ((name, name) for name in _KATAKANA_NAME.findall(ja.normalise(text)))
    for m in [*ja.morphemes(ja.normalise(text)), None]:
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
