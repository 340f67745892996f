"""Names of people in Japanese text: by the dictionary, by what is said after them, by lists."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from knowledge import yaml_files
from knowledge.languages import ja

LISTS = yaml_files.shipped("knowledge.languages", "privacy.yaml")


def alternatives(name: str) -> str:
    """A list of words as a regular expression, longest first."""
    return "|".join(re.escape(word) for word in sorted(LISTS[name].split(), key=len, reverse=True))


def _words(name: str) -> frozenset[str]:
    return frozenset(LISTS[name].split())


_NOT_NAMES = _words("not_names") | _words("organisations")
_PLACES, _PUBLIC = _words("places"), _words("public_people")
_NOTHING_ELSE = _words("surnames")
_SURNAMES = _words("everyday_surnames") | _NOTHING_ELSE | _PLACES
_KANA = _words("given_names") | _words("kana_surnames")
_FAMILIAR = _words("familiar")
# Said of things and offices as well as of people, so only the dictionary's names count before them.
_FORMAL = frozenset({"氏", "殿", "はん", "どん", "っち", "先生"})
_HONORIFIC = re.compile(alternatives("honorifics") + "|っち(?!ゃ)")
_ELECTED = re.compile(rf"\s?(?:{alternatives('elected')})")
_TITLE = re.compile(rf"の?(?:{alternatives('titles')})(?!会)")
_HOUSE = re.compile(rf"の?(?:お?(?:{alternatives('kin')})(?!たち)|お?宅(?!配)|さんち|家(?=[はがのにで])|ママ|一家)")
# A surname alone is somebody when the sentence goes on like this; 上田の … may be the town.
_GOES_ON = re.compile(
    r"(?:が|は|も|に(?!\s?(?:あ[るりっ]|でき|行|住|引っ越|来))|と|から|より|って|へ|を|まで|あて|宛|です|でした|だ"
    r"|の[0-9一二三四五両]+人|の両|のふたり)|\s?[&・()、]|$"
)
# 娘の美穂, 孫のけいと.
_OF_KIN = re.compile(rf"(?:{alternatives('kin')})(?:の|、)")
_GIVEN_RUN = re.compile(r"[ぁ-ゖ]{2,6}(?=[がはもにとをへ)、]|って|です|$)")
_CALLED = re.compile(r"と(?:申|もうし|いいま|言いま|いう者|言う者)")
_KANJI_RUN = re.compile(r"[一-龥々ヶ]{1,6}$")
_HIRAGANA_RUN = re.compile(r"[ぁ-ゖー]{1,12}$")
_KATAKANA_RUN = re.compile(r"[ァ-ヴー・]{1,12}$")
_LATIN_RUN = re.compile(r"(?<![A-Za-z])[A-Z][a-z]{1,15}$")
_FIELD = re.compile(
    r"(?:名前|氏名|名義人?|フリガナ|ふりがな)(?:は|が|:|、|,)?\s?([一-龥々ぁ-ゖァ-ヴー][一-龥々ぁ-ゖァ-ヴー ]{1,11})"
)
_HOLDER = re.compile(r"名義人?(?:は|が|:)?\s?([ァ-ヴー]{4,14}(?:\s[ァ-ヴー]{2,8})?)")
# What surnames end in: 蛭田, 赤羽根 and others that the dictionary lacks and cuts up.
_ENDING = re.compile(
    r"[田山川本村野原木井藤沢島崎根口岡橋谷部倉森林塚宮松浜池石上下内尾瀬見津江間辺永岸畑賀坂城堂戸梨垣条嶋澤邉羽]$"
)
_ENDING_OF_A_WORD = re.compile(r"[田川村野井沢島崎橋藤辺澤邉]$")
# せいこさん, but not むすこさん.
_WOMANS = re.compile(r"(?!むす|いと|おと|おん|きの|ふた|ひよ|おね|こね|だっ|おや)[ぁ-ゖ]{2,3}こ")
_BRAND = re.compile(r"弁当|食堂|カフェ|農園|商店|印の|ハウス|マーク|米|味噌|みそ|漬け|まつり|祭り")
_BOUNDARIES = frozenset({"助詞", "助動詞", "補助記号", "記号", "空白", "接続詞", "感動詞"})
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
# 花屋さん, 監査役さん: at their work.
_TRADE = re.compile(r".[屋店会員士者手役係長部課社院所省庁局組園]$")
TO_HIRAGANA = {c: c - 0x60 for c in range(ord("ァ"), ord("ヶ"))}


def names(text: str) -> Iterator[tuple[int, int]]:
    """Where people are named in a width-folded sentence: (start, end), the honorific included; may overlap."""
    found = ja.words(text)
    sentence = _Sentence(text, found)
    yield from sentence.honoured()
    yield from sentence.full()
    yield from sentence.surnames()
    yield from sentence.given()
    yield from sentence.called()
    yield from sentence.given_in_a_field()


class _Sentence:
    """One sentence and its words."""

    def __init__(self, text: str, found: list[ja.Word]) -> None:
        self.text, self.words = text, found
        self.starting = {w.start: i for i, w in enumerate(found)}

    def honoured(self) -> Iterator[tuple[int, int]]:
        """田中さん, ゆうきくん, Mariaさん."""
        for m in _HONORIFIC.finditer(self.text):
            if m.start() and not _BRAND.match(self.text, m.end()) and (start := self._before(m.start(), m.group())) is not None:
                yield start, m.end()

    def full(self) -> Iterator[tuple[int, int]]:
        """山田花子, 山田 花子: a surname and a given name."""
        for i, word in enumerate(self.words[:-1]):
            after = self.words[i + 1 : i + 3]
            given = after[-1] if after[0].surface == " " else after[0]
            if _is(word, "姓") and _is(given, "名") and not self._is_public(word.start, given.end):
                yield word.start, given.end

    def surnames(self) -> Iterator[tuple[int, int]]:
        """佐藤のおばあちゃん, 高橋理事長, 鈴木が, 前田と申します: a surname without an honorific."""
        for i, word in enumerate(self.words):
            if not _is(word, "姓") and word.surface not in _SURNAMES:
                continue
            if _CALLED.match(self.text, word.end):
                yield word.start, word.end
            elif word.surface not in _PLACES and (_is(word, "姓") or word.surface in _NOTHING_ELSE):
                for what in (_HOUSE, _TITLE):
                    if (m := what.match(self.text, word.end)) and not _ELECTED.match(self.text, word.end):
                        yield word.start, m.end()
                if self._is_spoken_of(i):
                    yield word.start, word.end

    def given(self) -> Iterator[tuple[int, int]]:
        """美穂が, 孫のけいとが: a given name without an honorific."""
        for i, word in enumerate(self.words):
            if _is(word, "名") and self._is_spoken_of(i):
                yield word.start, word.end
        for m in _OF_KIN.finditer(self.text):
            if (run := _GIVEN_RUN.match(self.text, m.end())) and run.group() in _KANA:
                yield run.span()

    def called(self) -> Iterator[tuple[int, int]]:
        """赤羽根と申します: whatever can be a surname."""
        for m in _CALLED.finditer(self.text):
            if (run := _KANJI_RUN.search(self.text[max(0, m.start() - 6) : m.start()])) and m.start() in self.starting:
                start = m.start() - len(run.group())
                if start in self.starting and self._looks_like_a_surname(m.start(), run.group()):
                    yield start, m.start()

    def given_in_a_field(self) -> Iterator[tuple[int, int]]:
        """名前は…, 名義は…: what stands after it, if it can be a name."""
        for m in _FIELD.finditer(self.text):
            inside = [w for w in self.words if m.start(1) <= w.start < m.end(1)]
            named = [w for w in inside if _is(w)]
            if named and named[0].start == m.start(1):
                run = re.match(r"[一-龥々]+|[ァ-ヴー ]+", m[1])
                yield m.start(1), max(named[-1].end, m.start(1) + (run.end() if run else 0))
        for m in _HOLDER.finditer(self.text):
            yield m.span(1)

    def _before(self, at: int, honorific: str) -> int | None:
        """Where the name begins that ends before an honorific."""
        start = self._known_name(at, honorific)
        if start is not None and (run := _HIRAGANA_RUN.search(self.text[max(0, at - 12) : at])):
            # The dictionary knows まり and cuts ひまり in two.
            start = min(start, at - len(run.group()) if run.group() in _KANA else start)
        if start is None and honorific not in _FORMAL:
            start = self._unknown_name(at, honorific)
        if start is None or self._is_longer_word(at, honorific):
            return None
        name = self.text[start:at]
        nobodys = name in _NOT_NAMES or name + honorific in _NOT_NAMES or _TRADE.search(name) or (len(name) == 1 and name.isascii())
        return None if nobodys else self._with_surname(start)

    def _is_longer_word(self, at: int, honorific: str) -> bool:
        """Whether 森さんぽ and 田中様子 go on as another word."""
        i = self.starting.get(at)
        return i is not None and honorific not in _FAMILIAR and self.words[i].known and len(self.words[i].surface) > len(honorific)

    def _known_name(self, at: int, honorific: str) -> int | None:
        """Words that the dictionary has as names of people, right before an honorific that is a word of its own."""
        i = self.starting.get(at)
        if i is None:
            return None
        kinds = ("人名", "地名") if honorific == "っち" else ("人名",)
        return self.words[i - 1].start if _is(self.words[i - 1], *kinds) and self.words[i - 1].surface not in _NOT_NAMES else None

    def _unknown_name(self, at: int, honorific: str) -> int | None:
        """By the run of one script before an honorific: 蛭田, はると, ラジュ, Maria."""
        left = self.text[max(0, at - 16) : at]
        for script, begins in ((_KANJI_RUN, self._kanji), (_HIRAGANA_RUN, self._hiragana), (_KATAKANA_RUN, self._katakana)):
            if m := script.search(left):
                return begins(at, m.group(), honorific)
        return at - len(m.group()) if (m := _LATIN_RUN.search(left)) else None

    def _with_surname(self, start: int) -> int:
        i = self.starting.get(start)
        while i and (_is(self.words[i - 1], "姓") or (self.words[i - 1].surface == " " and i > 1 and _is(self.words[i - 2], "姓"))):
            i -= 1
        return start if i is None else self.words[i].start

    def _kanji(self, at: int, run: str, honorific: str) -> int | None:
        i = self.starting.get(at)
        for length in range(min(4, len(run)), 0, -1):
            if run[-length:] in _SURNAMES and at - length in self.starting and (length == len(run) or length > 1):
                return at - length
        if i is None or not (word := self.words[i - 1]).surface:
            return None
        alone = len(word.surface) == len(run)
        if at - len(run) in self.starting and self._looks_like_a_surname(at, run):
            return at - len(run)
        if honorific in _FAMILIAR:
            return word.start if alone and len(run) <= 2 else None
        return word.start if alone and (not word.known or _is(word, "一般", "地名")) else None

    def _looks_like_a_surname(self, at: int, run: str) -> bool:
        """Two to four kanji that the dictionary cuts into pieces, none of them an everyday word of some length."""
        pieces = self.words[self.starting[at - len(run)] : self._index(at)]
        if len(pieces) == 1:
            ending = _ENDING if pieces[0].part_of_speech[1] == "固有名詞" else _ENDING_OF_A_WORD
            return len(run) > 1 and ending.search(run) is not None
        whole = all(len(w.surface) == 1 or w.part_of_speech[1] == "固有名詞" or not w.known for w in pieces)
        return 2 <= len(run) <= 4 and len(pieces) > 1 and whole and _ENDING.search(run) is not None

    def _hiragana(self, at: int, run: str, honorific: str) -> int | None:
        for length in range(min(8, len(run)), 1, -1):
            whole = at - length in self.starting or length == len(run)
            if run[-length:] in _KANA and (whole or (length > 2 and honorific in _FAMILIAR)):
                return at - length
        if honorific not in _FAMILIAR:
            return at - len(run) if _WOMANS.fullmatch(run) else None
        start = at
        for i in range(self._index(at) - 1, -1, -1):
            word = self.words[i]
            if word.end != start or word.start < at - len(run) or word.part_of_speech[0] in ("助詞", "補助記号"):
                break
            start = word.start
        return start if 0 < at - start <= 5 else None

    def _katakana(self, at: int, run: str, honorific: str) -> int | None:
        word = self.words[self._index(at) - 1]
        if run in _NOT_NAMES:
            return None
        if run in _KANA or run.translate(TO_HIRAGANA) in _KANA or honorific in _FAMILIAR:
            return at - len(run)
        return at - len(run) if honorific != "サン" and not (word.known and word.surface == run) and len(run) > 1 else None

    def _index(self, at: int) -> int:
        """Which word begins at or after a place."""
        return bisect_left(self.words, at, key=lambda w: w.start)

    def _is_spoken_of(self, i: int) -> bool:
        """Whether a word stands by itself and the sentence goes on as after somebody: 鈴木が, but not 鈴木町 or すずきが."""
        word = self.words[i]
        before = self.words[i - 1].part_of_speech[0] if i else "空白"
        plain = len(word.surface) > 1 and not _HIRAGANA.match(word.surface)
        return plain and before in _BOUNDARIES and _GOES_ON.match(self.text, word.end) is not None

    def _is_public(self, start: int, end: int) -> bool:
        return self.text[start:end] in _PUBLIC or _ELECTED.match(self.text, end) is not None


def _is(word: ja.Word, *kinds: str) -> bool:
    """Whether a word is a name of people (of these kinds: 姓, 名, 一般; 地名 for names of places)."""
    kind = word.part_of_speech
    if kind[1] != "固有名詞":
        return False
    return kind[2] in kinds or (kind[2] == "人名" and (not kinds or kind[3] in kinds))
