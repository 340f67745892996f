"""The words of all texts by their reading: what is typed in kana, or was heard right and written wrong, gets their kanji.

Reading 16,000 ways of asking takes two seconds; those that are shipped have been read when they were shipped (`readings.npz`).
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from itertools import product

import numpy as np

from knowledge.languages import ja

_PACKAGE, _FILE = "knowledge.corpus", "readings.npz"
_MANY = 200  # texts; fewer are read sooner than the file
KANA_RUN = re.compile(r"[ぁ-ゖァ-ヺー](?:[ぁ-ゖァ-ヺー]| (?=[ぁ-ゖァ-ヺー]))*[ぁ-ゖァ-ヺー]|[ぁ-ゖァ-ヺー]")
_COUNT = re.compile(r"[\d何]$")  # before what is counted
_COUNTERS = {"かい": "回", "にん": "人", "ねん": "年", "かげつ": "か月", "えん": "円", "にち": "日", "くち": "口"}
_KANA_COUNTER = re.compile(rf"(?<=\d)(?:{'|'.join(_COUNTERS)})")
_LONGEST_HEARD = 6  # characters
_KATAKANA_NAME = re.compile(r"[ァ-ヺー]{3,}")
HIRAGANA = re.compile(r"[ぁ-ゖ]")
_HIRAGANA_RUN = re.compile(r"[ぁ-ゖ](?:[ぁ-ゖー]| (?=[ぁ-ゖ]))*[ぁ-ゖー]|[ぁ-ゖ]")
KANJI = re.compile(r"[一-龥々]")
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


def broken_runs(text: str) -> Iterable[tuple[int, list[str], list[bool]]]:
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
        runs = _HIRAGANA_RUN if HIRAGANA.search(text) else KANA_RUN
        return runs.sub(lambda m: self._read(m.group()) if len(m.group()) >= 4 else m.group(), text)

    def heard(self, text: str) -> str:
        """The text with kanji that make no word of the texts, but sound like one, written as that word."""
        for at, words, alone in reversed(list(broken_runs(text))):
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
    known = shipped() if len(texts) > _MANY else {}
    counts: dict[str, dict[str, int]] = {}
    for text, n in texts.items():
        for reading, surface in known.get(digest(text)) or readings(text):
            surfaces = counts.setdefault(reading, {})
            surfaces[surface] = surfaces.get(surface, 0) + n
    return counts


def shipped() -> dict[int, Sequence[tuple[str, str]]]:
    """What `readings` gives for the shipped wordings, by their digest; empty where the file is missing."""
    file = resources.files(_PACKAGE) / _FILE
    return unpacked(file.read_bytes()) if file.is_file() else {}


def unpacked(file: bytes) -> dict[int, Sequence[tuple[str, str]]]:
    with np.load(io.BytesIO(file), allow_pickle=False) as held:
        words = bytes(held["words"]).decode().split("\n")
        pairs = [(reading, surface) for reading, _, surface in (word.partition("\t") for word in words)]
        places, ends = held["places"].tolist(), held["ends"].tolist()
        starts = [0, *ends[:-1]]
        return {
            digest: [pairs[i] for i in places[start:end]]
            for digest, start, end in zip(held["digests"].tolist(), starts, ends, strict=True)
        }


def packed(texts: Iterable[str]) -> bytes:
    """The file of readings of these texts. Digests ascend; `places` point into `words`, up to `ends` for each text."""
    found = dict(sorted((digest(text), list(readings(text))) for text in texts))
    places = {pair: i for i, pair in enumerate(sorted({pair for pairs in found.values() for pair in pairs}))}
    out = io.BytesIO()
    np.savez_compressed(
        out,
        digests=np.array(list(found), dtype=np.uint64),
        ends=np.cumsum([len(pairs) for pairs in found.values()], dtype=np.uint32),
        places=np.array([places[pair] for pairs in found.values() for pair in pairs], dtype=np.uint32),
        words=np.frombuffer("\n".join("\t".join(pair) for pair in places).encode(), dtype=np.uint8),
    )
    return out.getvalue()


def digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


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


def readings(text: str) -> Iterable[tuple[str, str]]:
    """Readings of the kanji words of a text, alone and joined with their neighbours: 理事 リジ, 代表理事 ダイヒョウリジ."""
    run: list[tuple[str, str]] = []
    text = ja.normalise(text)
    yield from ((name, name) for name in _KATAKANA_NAME.findall(text))
    for m in [*ja.morphemes(text), None]:
        if (
            m is not None
            and KANJI.search(m.surface())
            and m.part_of_speech()[0] in ("名詞", "接頭辞", "接尾辞", "動詞", "形容詞", "形状詞")
        ):
            run.append((_SPOKEN.get(m.surface(), m.reading_form()), m.surface()))
            continue
        for i in range(len(run)):
            for j in range(i + 1, min(len(run), i + 4) + 1):
                yield "".join(r for r, _ in run[i:j]), "".join(s for _, s in run[i:j])
        run = []
