"""What a message says in the talk about a tip: a beginning, a word of command, the pieces that are told."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources

from bot import wording
from bot.tip_state import with_pieces
from bot.tips import Draft
from knowledge import normalise


class Word(StrEnum):
    """What can be chosen in the talk. The label of each stands in the catalogues, other ways to say it in `tip_words.toml`."""

    SEND = "send"
    SKIP = "skip"
    BACK = "back"
    LEAVE = "leave"
    RESUME = "resume"
    DISCARD = "discard"
    MEND = "mend"
    OWN = "own"  # one's own tips
    YES = "yes"
    NO = "no"
    SAME = "same"
    ADD = "add"
    DIFFERS = "differs"
    SCRUB = "scrub"
    ALLOW = "allow"
    REWRITE = "rewrite"
    BY_NAME = "by_name"
    BY_CO_OP = "by_co_op"
    ANONYMOUS = "anonymous"
    OWN_CO_OP = "own_co_op"
    CHOSEN = "chosen"
    FEDERATION = "federation"
    PUBLIC = "public"
    GO_ON = "go_on"
    ANEW = "anew"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of one of their own tips, by its number in the list: `does` is MEND, DISCARD, or None for seeing it."""

    number: int
    does: Word | None = None


_PATTERNS = {
    Word(name): re.compile(pattern)
    for name, pattern in tomllib.loads((resources.files("bot") / "tip_words.toml").read_text("utf-8")).items()
}
_NOT_TEXT = re.compile(r"[\W_]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_WORD = 40  # characters

_NAME = r"(?:コツ|ｺﾂ|こつ|ヒント|tips?|ｔｉｐ|dica|mẹo|窍门|诀窍|팁)"
_COLON = re.compile(rf"\s*{_NAME}\s*(?:です)?\s*[:：︰]\s*(?P<told>.*)", re.IGNORECASE | re.DOTALL)
_SPACE = re.compile(rf"\s*{_NAME}[\s\u3000、→]+(?P<told>\S.*)", re.IGNORECASE | re.DOTALL)
_WANTS = re.compile(
    r"(?:この(?:答え|質問)に)?コツ(?:を|の)?(?:(?:1つ|ひとつ)?(?:教える|おしえる|教えます|教えたい|書く|かく|書きたい|書きます|足す|たす|足したい"
    r"|登録|登録したい|登録する|登録して|投稿|投稿したい|出したい|伝えたい)(?:です|ね|よ|んですが|のですが|んですけど|んだけど)?|があります|がある|あるよ|あります)?"
    r"|(?:addatip|shareatip|iwanttoshareatip|tips?)"
)
_OF_ANOTHER = re.compile(
    r"(?:今の|いまの|この|その|さっきの|上の|先ほどの|↑の?|[^\s、。]{1,12}さんの)[^。]{0,16}?(?:を|も)?コツ(?:に|として)"
    r"(?:して|登録|入れて|いれて|残して|のこして|のせて|載せて|加えて|しといて|お願い|$)"
)
_WISH = re.compile(
    r"(?:コツ)?(?P<a>[1-9])(?:番目?|つ目)?(?:のコツ)?(?:を|は)?(?P<does>消して|消す|けして|けす|削除(?:して|する)?|取り下げ(?:て|る)|delete"
    r"|なおす|なおして|なおしたい|直す|直して|直したい|変える|かえる|修正(?:して|する)?|書き足す|edit|change)?(?:ください)?"
    r"|(?P<first>消して|消す|削除|なおす|直す|delete|edit|change)(?P<b>[1-9])(?:番)?"
)
_PAGE = re.compile(r"\D*?(?P<page>[1-9]\d?)")
_ADDS = re.compile(r"\s*(?:(?:あと|それと|追伸|追記|書き忘れ)[、,:：\s]|あとは[、,]|もう(?:1|一|１)つ[、,])")
_UNFINISHED = re.compile(r"(?:[、,…]|[はがをにでとへて]|たら|れば|けど|ので)\s*$")
_SENTENCE = re.compile(
    r".{6,}(?:ます|ました|ません|[んのいた]です|(?<!だ)(?<!で)(?:った|した)|いた|[^だ]よ|んだ|てる|とる|ない|たい|べき)[。!！♪〜ー…]*\s*$",
    re.DOTALL,
)

_ASKING = re.compile(
    r"何(?!か|も|でも|とか|より)|なに(?!か|も|より)|なん(?:で|の|人|年|日)|いつ(?!も|でも|か|の間|のま)|どこ(?!か|も|でも)|だれ(?!か|も|でも)|誰(?!か|も|でも)"
    r"|どう(?!にか|しても|も|ぞ)|なぜ|いくら(?!でも)|いくつ(?!か|も)|どれ(?!も|でも)|どの(?!人も)|どんな|どちら|教えて|おしえて|ですか|ますか|ませんか|って\?|は\?|とは\?"
)
_WONDERS = re.compile(r"(?:かな|っけ|かも|だろう|でしょう|だったか|じゃない|よね)(?:あ|ぁ)?[?。…]*$")
_ELSEWHERE = re.compile(
    r"^[^ぁ-ゖァ-ヺ]*(?:[a-zà-ỹ가-힣]|[一-龥]{4})[^ぁ-ゖァ-ヺ]*$"
)  # in a language that has its own words for asking
_ABOUT = re.compile(r"[^、。]{2,}(?:は|が|って|を|でも)[^、。]{2,}\?$")
_ASKS_UNMARKED = re.compile(
    r"(?:何(?:日|人|年|円|時|回|か月|歳|口)(?:前|以上|以内|まで|から)?|いくら|どうすれば(?:いい|よい)(?:の|ん)?|どうしたら(?:いい|よい)(?:の|ん)?|(?:教えて|おしえて)(?:ください|ほしい)?"
    r"|(?:です|ます|ません)か|とは|って何|って(?:なに|いつ|どこ|だれ|誰|いくら|どういうこと))[。]*$"
)

_PARTS = {
    **dict.fromkeys(("どこ", "どこで", "場所", "ばしょ", "where"), "place"),
    **dict.fromkeys(("いつ", "時期", "日付", "when"), "happened"),
    **dict.fromkeys(("どうなった", "どうだった", "結果", "けっか", "what happened", "result"), "outcome"),
    **dict.fromkeys(("どんなとき", "どんな時", "どんなときに"), "question"),
    **dict.fromkeys(("したこと", "やったこと", "内容"), "text"),
}
_NAMES = "|".join(sorted(_PARTS, key=len, reverse=True))
_LABELLED = re.compile(
    rf"^[\s・【\[]*(?P<name>{_NAMES})[】\]]?\s*[:：]\s*(?P<told>.+?)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_DAY = r"(?:\d{1,2}|[一二三四五六七八九十]{1,2})"
_WHEN = re.compile(
    r"(?:(?:\d{4}|(?:令和|平成)(?:\d{1,2}|元))年度?|(?:\d{1,2}|[一二三四五六七八九十]{1,2}|数)(?:年|か月|ヶ月|ヵ月|週間?|日)(?:ほど|くらい|ぐらい)?前|昨年度?|去年|おととし|一昨年|今年度?"
    r"|先月|今月|先週|今週|昨日|きのう|おととい|(?:この|こない)(?:前|まえ|間|あいだ|だ)の?(?=[夏冬春秋])|この[夏冬春秋])"
    rf"(?:の?(?:{_DAY}月|春|夏|秋|冬|初め|はじめ|終わり|おわり|末|暮れ|ごろ|頃|お盆|年末|正月))*"
)
_WITH_WHEN = re.compile(rf"{_WHEN.pattern}(?:に|から|の|は|まで)?")
_PLACES = (
    r"生協|協同組合|組合|労協|ワーコレ|ワーカーズ|事業所|支部|支店|店|食堂|カフェ|学童|保育園|こども園|デイ(?:サービス)?|作業所|施設|工房|農園|センター|会館|団地|商店街|居場所"
    r"|配食|配達|弁当|お弁当|介護|訪問|清掃|草刈り|送迎|家事支援|保育|販売|現場|厨房|台所|畑|市|町|村|区|県"
)
_WHERE = re.compile(rf"(?:^|[、。\s])(?P<place>[^、。\s]{{0,15}}?(?:{_PLACES})(?:の(?:{_PLACES}))?)(?:で|では|にて)(?![きはもす])")
_ONLY_PLACE = re.compile(
    rf"[^。、を]{{0,15}}?(?:{_PLACES})(?:の(?:仕事|現場|話|こと))?(?:でのこと|[でを](?:して|やって|働いて)い?(?:ます|る))?(?:です|だよ)?[。\s]*"
)
_ONLY_WHEN = re.compile(
    rf"(?:たしか|確か)?(?:{_WHEN.pattern})+(?:に|から|まで|ごろ|頃)?(?:のこと)?(?:です|だよ|かな|でした|だった)?[。?？\s]*"
)
_COPULA = re.compile(r"(?<![んの])(?:のこと)?(?:です|だよ|でのことです)[。\s]*$")
_OUTCOME = re.compile(
    r"うまく(?:い|ゆ)|よかった|良かった|助か(?:った|り)|減(?:った|り)|増え(?:た|ま)|ふえ(?:た|ま)|へっ(?:た)|なくな(?:った|り)|無くな|喜(?:ば|ん|び)|よろこ(?:ば|ん|び)"
    r"|失敗|だめだった|ダメだった|好評|評判が|(?:なら|しなら)な(?:かった|くな)|ならんかった|できた|できるように|でき(?:ました)|続いてい|続いとる|ませんでした|(?:なか|んか)った|楽になった|楽に(?:なり|な)"
)


def clean(text: str) -> str:
    """The text without what cannot be seen; its lines stay."""
    return _CONTROL.sub("", text).strip()


def label(word: Word, language: str) -> str:
    """What stands on the button; typed, it does the same."""
    return wording.say(f"offer_say_{word.value}", language)


def sentence(key: str, language: str, **values: str) -> str:
    """One of the talk's sentences; words of command are named by their labels."""
    return wording.say(f"offer_{key}", language, **{w.value: label(w, language) for w in Word} | values)


@cache
def _labels() -> Mapping[str, frozenset[Word]]:
    found: dict[str, frozenset[Word]] = {}
    for word in Word:
        for language in wording.LANGUAGES:
            bare = _bare(label(word, language))
            found[bare] = found.get(bare, frozenset()) | {word}
    return found


def _bare(text: str) -> str:
    return _NOT_TEXT.sub("", normalise(text))


def says(text: str, word: Word) -> bool:
    """Whether a message is this word and nothing else."""
    bare = _bare(text[: 2 * _LONGEST_WORD])
    if not bare or len(text) > 2 * _LONGEST_WORD or len(bare) > _LONGEST_WORD:
        return False
    pattern = _PATTERNS.get(word)
    return word in _labels().get(bare, frozenset()) or bool(pattern and pattern.fullmatch(bare))


def number(text: str) -> int | None:
    """The one-digit number that a message is."""
    found = re.fullmatch(r"([1-9])(?:番目?|つ目)?", _bare(text[:20]))
    return int(found[1]) if found else None


def beginning(text: str) -> str | None:
    """What is told with the words that begin a tip: "" where they stand alone, None where no tip is begun."""
    if text.startswith(("「", "『")) and text.endswith(("」", "』")):
        text = text[1:-1]  # as it stands in an instruction
    if found := _COLON.fullmatch(text):
        return found["told"].strip()
    bare = _bare(text[: 2 * _LONGEST_WORD]) if len(text) <= 2 * _LONGEST_WORD else ""
    if _WANTS.fullmatch(bare) or bare in _begin_labels():
        return None if re.search("[?？]", text) else ""
    found = _SPACE.fullmatch(text)
    return found["told"].strip() if found and not is_question(found["told"]) else None


@cache
def _begin_labels() -> frozenset[str]:
    return frozenset(_bare(wording.say("offer_begin", language)) for language in wording.LANGUAGES)


def wants_anothers(text: str) -> bool:
    """「今の田中さんの話をコツにして」"""
    return len(text) <= 2 * _LONGEST_WORD and bool(_OF_ANOTHER.search(normalise(text)))


def wish(text: str) -> Wish | None:
    """「1」, 「1 を消して」, 「消して 1」, 「1 をなおす」"""
    found = _WISH.fullmatch(_bare(text)) if len(text) <= _LONGEST_WORD else None
    if found is None:
        return None
    said = found["does"] or found["first"] or ""
    removes = said.startswith(("消", "け", "削除", "取り下げ", "delete"))
    return Wish(int(found["a"] or found["b"]), Word.DISCARD if removes else Word.MEND if said else None)


def page(text: str) -> int | None:
    """Which page of one's own tips is asked for: 「わたしのコツ」, 「わたしのコツ 2」."""
    asked = normalise(text[:_LONGEST_WORD])
    found = _PAGE.fullmatch(asked)
    name = asked[: found.start("page")] if found else asked
    return (int(found["page"]) if found else 1) if says(name, Word.OWN) else None


def adds(text: str) -> bool:
    """「あと、…」, 「それと…」: goes on from what was told."""
    return bool(_ADDS.match(text))


def is_unfinished(text: str) -> bool:
    """Whether a text stops in the middle of a sentence: 「弁当の保冷剤は、」"""
    return bool(_UNFINISHED.search(text))


def is_sentence(text: str) -> bool:
    """Whether a text tells something that was done, as a place or a day does not."""
    return bool(_SENTENCE.match(text))


def is_place(text: str) -> bool:
    """Whether a text is a place and nothing else: 「みどり生協の配食です」"""
    return bool(_ONLY_PLACE.fullmatch(text))


def is_time(text: str) -> bool:
    """Whether a text says when and nothing else: 「去年の夏からです」"""
    return bool(_ONLY_WHEN.fullmatch(text))


def is_question(text: str) -> bool:
    """Whether a message ends by asking; 「去年の夏だったかな?」 does not."""
    asked = normalise(text).rstrip()
    last = re.split(r"(?<=[。!?])\s*", asked.rstrip("。!? "))[-1] + ("?" if asked.endswith("?") else "")
    if _WONDERS.search(last):
        return False
    if last.endswith("?"):
        return bool(_ASKING.search(last) or _ABOUT.search(last)) or bool(_ELSEWHERE.search(last))
    return bool(_ASKS_UNMARKED.search(last)) or bool(re.search(r"のか?$", last) and _ASKING.search(last))


def only_asks(text: str) -> bool:
    """Whether a message is a question and nothing else."""
    return is_question(text) and len([part for part in re.split(r"[。!?\n]", normalise(text)) if part.strip()]) == 1


def told(text: str) -> Draft:
    """The pieces in what somebody tells at once: lines with a name (「どこ：…」), else what the sentences show."""
    named = {_PARTS[found["name"].lower()]: found["told"] for found in _LABELLED.finditer(text)}
    rest = _LABELLED.sub("", text).strip()
    draft = with_pieces(Draft(), {"text": rest, **named})
    return replace(draft, place=draft.place or place_in(draft.text), happened=draft.happened or time_in(draft.text))


def labelled(text: str) -> Mapping[str, str]:
    """The pieces of a message that is nothing but lines with names; nothing for any other message."""
    found = {_PARTS[f["name"].lower()]: f["told"] for f in _LABELLED.finditer(text)}
    return {} if _LABELLED.sub("", text).strip() else found


def time_in(text: str) -> str:
    """When it was, in the words of a text: 「去年の夏」."""
    found = _WHEN.search(text)
    return found.group() if found else ""


def place_in(text: str) -> str:
    """Where it was, in the words of a text: 「みどり生協の配食」."""
    found = _WHERE.search(_WITH_WHEN.sub("、", text))
    return found["place"].strip() if found else ""


def without_copula(text: str) -> str:
    """「みどりの配食です」 as it stands behind a tip: 「みどりの配食」"""
    return _COPULA.sub("", text) or text


def tells_outcome(text: str) -> bool:
    """Whether a text says how it went."""
    return bool(_OUTCOME.search(text))
