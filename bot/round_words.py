"""What a coordinator types in the round: a card's number with one of the words that stand on its buttons, in any language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from bot import wording

TIP_ACTIONS = ("publish", "merge", "ask_back", "decline", "postpone")
QUESTION_ACTIONS = ("answer", "close", "postpone")
_BEGINNINGS = re.compile(r"(今週の)?(確認|かくにん)|ラウンド|(今週の)?15分|review|round")
# Besides the labels: other ways to say the same.
_OTHERS = {
    "publish": ("出す",),
    "ask_back": ("きく", "聞く"),
    "decline": ("見送り", "みおくる"),
    "close": ("閉める",),
    "postpone": ("後で",),
}
_UNDOING = re.compile(r"(元に|もとに)?(戻す|もどす)|取り?消し?|undo")
_LEAVING = ("やめる", "中止", "cancel")
_NUMBER = re.compile(r"(?:コツ)?\s*([1-9])\s*番?(?:を|は|に)?[\s.:、,]*(.+)", re.DOTALL)
_POLITELY = re.compile(r"(?:する|します|して|してください|で|でお願いします|を?お願いします)?[。.!\s]*")
_APART = " \n\t:、,「"


@dataclass(frozen=True, slots=True)
class Typed:
    """「2 見送る 理由」. An empty action: it begins with a word of the round, but what follows is not understood."""

    number: int
    action: str
    words: str = ""


def begins(text: str) -> bool:
    """Whether somebody wants to see the round."""
    return bool(_BEGINNINGS.fullmatch(_plain(text)))


def undoes(text: str) -> bool:
    plain = _plain(text)
    return bool(_UNDOING.fullmatch(plain)) or plain in _labels("undo")


def leaves(text: str) -> bool:
    """Whether somebody does not want to write the answer after all."""
    plain = _plain(text)
    return plain in _LEAVING or plain in _labels("leave")


def typed(text: str) -> Typed | None:
    """What is to be done with a card; None for what is no such wish, as 「1万円は経費?」."""
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    number, rest = int(found[1]), found[2].strip()
    word = next((w for w in _words() if rest.casefold().startswith(w)), None)
    if word is None:
        return None
    action, after = _words()[word], rest[len(word) :]
    if _POLITELY.fullmatch(after):
        return Typed(number, action)
    # 「1 公開しないで」 must not publish: only what takes words may be followed by some, and they stand apart.
    if action in ("ask_back", "decline", "answer") and after[0] in _APART:
        return Typed(number, action, after.strip(_APART).removesuffix("」"))
    return Typed(number, "")


@cache
def _words() -> Mapping[str, str]:
    """Every word with its action, longest first."""
    actions = (*TIP_ACTIONS, *QUESTION_ACTIONS)
    words = {word: action for action in actions for word in (*_labels(action), *_OTHERS.get(action, ()))}
    return dict(sorted(words.items(), key=lambda pair: -len(pair[0])))


@cache
def _labels(action: str) -> frozenset[str]:
    return frozenset(_plain(wording.say(f"round_{action}", language)) for language in wording.LANGUAGES)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip("。.!〜~ \n")
