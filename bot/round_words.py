"""What a coordinator types in the round: a card's number with one of the words that stand on its buttons, in any language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from bot import wording
from bot.intents import Intent, recognise
from bot.linking import is_about_code
from bot.tips.words import beginning, only_asks, page

TIP_ACTIONS = ("publish", "merge", "ask_back", "decline", "postpone")
QUESTION_ACTIONS = ("answer", "close", "postpone")
_BEGINNINGS = re.compile(r"(今週の)?(確認|かくにん)|ラウンド|(今週の)?15分|review|round")
# Besides the labels: other ways to say the same. What may mean either (「いいです」) is asked again.
_OTHERS = {
    "publish": (
        "出す",
        "出して",
        "だして",
        "公開して",
        "いいよ",
        "いいね",
        "いいと思う",
        "いいと思います",
        "ok",
        "オーケー",
        "オッケー",
    ),
    "merge": ("まとめて", "いっしょにする", "一緒にする"),
    "ask_back": ("きく", "聞く", "聞いて", "聞き返す", "聞き返して", "聞きかえす", "ききかえす", "たずねて", "尋ねる", "質問"),
    "decline": ("見送り", "みおくる", "見送って", "だめ", "ダメ", "駄目", "却下", "出さない", "不採用"),
    "answer": ("回答", "こたえる", "答えて"),
    "close": ("閉める", "閉じて", "とじる"),
    "postpone": ("後で", "後回し", "保留", "また今度"),
    "": ("いい", "よい"),
}
_UNDO = r"(?:(?:元|もと)に)?(?:戻す|もどす|戻して|もどして|取り?消し?|取り?消して)(?:ください|ね)?|undo"
_MISTAKEN = r"(?:(?:押し|おし)?(?:間違|まちが)(?:え|い)(?:た|ました|です)?|やっぱり|ごめん(?:なさい)?|すみません|あ)"
_UNDOING = re.compile(rf"(?:{_MISTAKEN}[、。,.!\s]*)*(?:{_UNDO})|(?:押し|おし)?(?:間違え|まちがえ)(?:た|ました)")
_LEAVING = re.compile(
    r"(?:やっぱり|もう)?[、\s]*(?:やめ(?:る|ます|た|とく|ておく|ておきます)|中止|キャンセル)(?:する|します)?|cancel"
)
_NUMBER = re.compile(r"(?:コツ|質問)?\s*([1-9])\s*(?:番目?|つ目)?(?:を|は|に|の)?[\s.:、,]*(.+)", re.DOTALL)
_NUMBER_ALONE = re.compile(r"(?:コツ|質問)?\s*([1-9])\s*(?:番目?|つ目)?(?:を|は|の(?:カード)?)?(?:見せて|みせて|です)?")
_MORE_NUMBERS = re.compile(r"(?:[とや、,・\s]*[1-9]\s*番?)+(?:を|は|に)?[\s.:、,]*")
_LED_IN = re.compile(r"(?:(?:これ|それ|じゃあ?|では|全部|ぜんぶ|全て|すべて|みんな|両方)(?:は|を|も)?[、,\s]*)+")
_POLITELY = re.compile(
    r"(?:する|します|して|してください|ください|で|でお願いします|を?お願いします|にする|にして|です|だ)?(?:ね|よ)?[。.!\s]*"
)
_APART = " \n\t:、,。「"
# Whole messages that are other wishes: taken for an answer, they would be published.
_NO_ANSWER = frozenset(Intent) - {Intent.EMERGENCY, Intent.PRIVATE, Intent.OUTSIDE, Intent.QUESTION}
_ANNOUNCES = re.compile(r"\s*(?:お知らせ|おしらせ)\s*[:：]")


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
    """Whether somebody, who has just decided, wants it back."""
    return bool(_UNDOING.fullmatch(_plain(text))) or is_undo_label(text)


def is_undo_label(text: str) -> bool:
    """Whether a message is what stands on the button: that is plain at any time."""
    return _plain(text) in _labels("undo")


def leaves(text: str) -> bool:
    """Whether somebody does not want to write the answer after all."""
    plain = _plain(text)
    return bool(_LEAVING.fullmatch(plain)) or plain in _labels("leave")


def is_small_talk(text: str) -> bool:
    """「ありがとう」: the talk goes on after it."""
    return recognise(text) in (Intent.THANKS, Intent.GREETING, Intent.EMPTY)


def is_no_answer(text: str) -> bool:
    """Whether a message, where an answer is waited for, begins or asks something else."""
    begins_other = beginning(text) is not None or page(text) is not None or bool(_ANNOUNCES.match(text))
    return begins_other or is_about_code(text) or recognise(text) in _NO_ANSWER or only_asks(text)


def typed(text: str) -> Typed | None:
    """What is to be done with a card; None for what is no such wish, as 「1万円は経費?」."""
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    number, rest = int(found[1]), found[2].strip()
    if more := _MORE_NUMBERS.match(rest):  # one card at a time
        return Typed(number, "") if _wish(rest[more.end() :]) else None
    wish = _wish(rest)
    return Typed(number, *wish) if wish else None


def bare(text: str) -> tuple[str, str] | None:
    """What is to be done and the words with it, where no number stands before: 「公開」, 「却下、個人名があるから」."""
    plain = unicodedata.normalize("NFKC", text).strip()
    wish = _wish(_LED_IN.sub("", plain, count=1) if _LED_IN.match(plain) else plain)
    return wish if wish and wish[0] else None


def number(text: str) -> int | None:
    """The card that a message names and says nothing about: 「2番」."""
    found = _NUMBER_ALONE.fullmatch(_plain(text))
    return int(found[1]) if found else None


def _wish(text: str) -> tuple[str, str] | None:
    """An action and its words; an empty action where what follows the first word is not understood."""
    word = next((w for w in _words() if text.casefold().startswith(w)), None)
    if word is None:
        return None
    action, after = _words()[word], text[len(word) :]
    if _POLITELY.fullmatch(after):
        return action, ""
    # 「1 公開しないで」 must not publish: only what takes words may be followed by some, and they stand apart.
    if action in ("ask_back", "decline", "answer") and after[0] in _APART:
        return action, after.lstrip(_APART).rstrip().removesuffix("」")
    return "", ""


@cache
def _words() -> Mapping[str, str]:
    """Every word with its action, longest first."""
    actions = (*TIP_ACTIONS, *QUESTION_ACTIONS)
    words = {word: action for action, others in _OTHERS.items() for word in others}
    words |= {word: action for action in actions for word in _labels(action)}
    return dict(sorted(words.items(), key=lambda pair: -len(pair[0])))


@cache
def _labels(action: str) -> frozenset[str]:
    return frozenset(_plain(wording.say(f"round_{action}", language)) for language in wording.LANGUAGES)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip("。.!〜~ \n")
