"""The pieces of a tip in what somebody tells: where it was, when, how it went; what goes on from it, and what corrects it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.tips.state import with_pieces
from bot.tips.tip import Draft
from knowledge import normalise

_ADDS = re.compile(r"\s*(?:(?:あと|それと|追伸|追記|書き忘れ)[、,:：\s]|あとは[、,]|もう(?:1|一|１)つ[、,])")
_UNFINISHED = re.compile(r"(?:[、,…]|[はがをにでとへて]|たら|れば|けど|ので)\s*$")
_STOPS_SHORT = re.compile(
    r"(?:[、,…]|[はがをに]|たら|れば|けど|ので|[るうくすつぬむぐぶ]と|[ぁ-んァ-ヶ一-龥](?<![るただいなんす])の)\s*$"
)
_SENTENCE = re.compile(
    r".{6,}(?:ます|ました|ません|[んのいた]です|(?<!だ)(?<!で)(?:った|した)|いた|[^だ]よ|んだ|てる|とる|ない|たい|べき)[。!！♪〜ー…]*\s*$",
    re.DOTALL,
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
_NAMED = re.compile(r"(?P<name>場所|ばしょ|時期|日付|結果)は[、,\s]*(?P<told>[^、。?？\n]{2,60}?)[。!！\s]*")
_DAY = r"(?:\d{1,2}|[一二三四五六七八九十]{1,2})"
_WHEN = re.compile(
    r"(?:(?:\d{4}|(?:令和|平成)(?:\d{1,2}|元))年度?|(?:\d{1,2}|[一二三四五六七八九十]{1,2}|数)(?:年|か月|ヶ月|ヵ月|週間?|日)(?:ほど|くらい|ぐらい)?前|昨年度?|去年|おととし|一昨年|今年度?"
    r"|先月|今月|先週|今週|昨日|きのう|おととい|(?:この|こない)(?:前|まえ|間|あいだ|だ)の?(?=[夏冬春秋])|この[夏冬春秋])"
    rf"(?:の?(?:{_DAY}月|{_DAY}日|春|夏|秋|冬|初め|はじめ|終わり|おわり|末|暮れ|ごろ|頃|お盆|年末|正月|[上中下]旬|[月火水木金土日]曜日?|朝|昼|夕方|夜))*"
)
_WITH_WHEN = re.compile(rf"{_WHEN.pattern}(?:に|から|の|は|まで)?")
_PLACES = (
    r"生協|協同組合|組合|労協|ワーコレ|ワーカーズ|事業所|支部|支店|店|食堂|公民館|図書館|児童館|カフェ|学童|保育園|こども園|デイ(?:サービス)?|作業所|施設|工房|農園|センター|会館|団地|商店街|居場所"
    r"|配食|配達|弁当|お弁当|介護|訪問|清掃|草刈り|送迎|家事支援|保育|販売|現場|厨房|台所|畑|市|町|村|区|県"
)
_WHERE = re.compile(rf"(?:^|[、。\s])(?P<place>[^、。\s]{{0,15}}?(?:{_PLACES})(?:の(?:{_PLACES}))?)(?:で|では|にて)(?![きはもす])")
_ONLY_PLACE = re.compile(
    rf"[^。、を]{{0,15}}?(?:{_PLACES})(?:の(?:仕事|現場|話|こと))?(?:でのこと|[でを](?:して|やって|働いて)い?(?:ます|る))?(?:です|だよ)?[。\s]*"
)
_ONLY_WHEN = re.compile(
    rf"(?:たしか|確か)?(?:{_WHEN.pattern}|(?:(?:[RrＲｒHhＨｈ]|令和|平成)\d{{1,2}}年?の?)?(?:{_DAY}月(?:の?{_DAY}日)?|\d{{1,2}}/\d{{1,2}}|毎[年月週日]|(?:令和|平成|昭和)の)"
    r"(?:の?(?:春|夏|秋|冬|初め|はじめ|終わり|おわり|末))*)+(?:に|から|まで|ごろ|頃|くらい|ぐらい|あたり)*(?:のこと)?(?:です|だよ|かな|かね|かしら|でした|だった|じゃった|やった|と思う"
    r"|よ|か|のう|なあ?|ね|え)*[。?？\s]*"
)
_COPULA = re.compile(
    r"(?<![んの])(?:のこと)?(?:です|だよ|だわ|だね|じゃよ|やで|やね|でした|でのことです|での話です)[ねよわ]?[。\s]*$"
)
_FILLER = re.compile(r"^(?:(?:え+っ?ー?と|あのー?|うー?んと?|んー?と|そうね[えぇ]?|そうですね)[、,…。\s]*)+")
_MISTAKEN = (
    r"(?:(?:あっ?|ごめん(?:なさい|ね)?|すみません)[、,。…!！\s]*)*(?:ちがう|違う|ちがった|違った|ちがいました|違いました|ちゃう|(?:まち|間)(?:が|違)(?:えた|えました|い|ってた)|訂正)"
    r"(?:です|わ)?(?:[、,。…!！:：\s]+)"
)
_NOT_BUT = re.compile(
    rf"(?:{_MISTAKEN}|あっ?[、,\s]*)?(?P<old>[^、。,\s]{{1,20}}?)(?:じゃ|では|や|で)(?:なく(?:て|って)?|のうて|ない[、,])[、,\s]*"
    r"(?P<new>[^、。\n]{1,40}?)(?:の(?:まちがい|間違い))?(?:でした|です|だった|だよ|だわ|やわ|や|だ|ね|よ)*[。!！\s]*"
)
_RATHER = re.compile(rf"{_MISTAKEN}(?P<new>.{{1,200}}?)(?:でした|です|だった|だよ|だわ|やわ)?[。!！\s]*", re.DOTALL)
_NUMBER = r"(?:[0-9０-９]+|[一二三四五六七八九十]+)"
_COUNTED = re.compile(rf"(?P<number>{_NUMBER})(?P<unit>[^\d\s、。]{{1,3}})")
_OUTCOME = re.compile(
    r"うまく(?:い|ゆ)|よかった|良かった|助か(?:った|り)|減(?:った|り)|増え(?:た|ま)|ふえ(?:た|ま)|へっ(?:た)|なくな(?:った|り)|無くな|喜(?:ば|ん|び)|よろこ(?:ば|ん|び)"
    r"|失敗|だめだった|ダメだった|好評|評判が|(?:なら|しなら)な(?:かった|くな)|ならんかった|できた|できるように|でき(?:ました)|続いてい|続いとる|ませんでした|(?:なか|んか)った|楽になった|楽に(?:なり|な)"
)


# 「あ、3回でした」: nothing says that something was wrong; only a number can be meant.
_SORRY = re.compile(
    rf"(?:あっ?[、,…\s]*)?(?:(?:ごめん(?:なさい|ね)?|すみません)[、,。…\s]*)?(?P<new>{_COUNTED.pattern}?)(?:でした|だった|の(?:まちがい|間違い)(?:です)?)[。!！\s]*"
)
_LONGEST_CORRECTION = 120  # characters


def adds(text: str) -> bool:
    """「あと、…」, 「それと…」: goes on from what was told."""
    return bool(_ADDS.match(text))


def is_unfinished(text: str) -> bool:
    """Whether a text stops in the middle of a sentence: 「弁当の保冷剤は、」"""
    return bool(_UNFINISHED.search(text)) or stops_short(text)


def stops_short(text: str) -> bool:
    """Whether a text cannot have been meant to end so: 「ふたの上に」, 「2枚置くと」"""
    return bool(_STOPS_SHORT.search(text))


def is_sentence(text: str) -> bool:
    """Whether a text tells something that was done, as a place or a day does not."""
    return bool(_SENTENCE.match(text))


def is_place(text: str) -> bool:
    """Whether a text is a place and nothing else: 「みどり生協の配食です」"""
    return bool(_ONLY_PLACE.fullmatch(text))


def is_time(text: str) -> bool:
    """Whether a text says when and nothing else: 「去年の夏からです」"""
    return bool(_ONLY_WHEN.fullmatch(text))


def told(text: str) -> Draft:
    """The pieces in what somebody tells at once: lines with a name (「どこ：…」), else what the sentences show."""
    named = {_PARTS[found["name"].lower()]: found["told"] for found in _LABELLED.finditer(text)}
    rest = _LABELLED.sub("", text).strip()
    draft = with_pieces(Draft(), {"text": rest, **named})
    return replace(draft, place=draft.place or place_in(draft.text), happened=draft.happened or time_in(draft.text))


def labelled(text: str, *, loosely: bool = False) -> Mapping[str, str]:
    """The pieces of a message that is nothing but lines with names; nothing for any other message. `loosely`: also 「場所は…」"""
    if loosely and (one := _NAMED.fullmatch(text)):
        return {_PARTS[one["name"]]: without_copula(one["told"])}
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


def without_filler(text: str) -> str:
    """「えーと、去年の夏」 as it is meant: 「去年の夏」"""
    return _FILLER.sub("", text) or text


def correction(text: str) -> tuple[str, str] | None:
    """What was wrong, and what stands for it: 「あ、ちがう、3人じゃなくて4人」; "" where only the right is told."""
    if len(text) > _LONGEST_CORRECTION:
        return None
    if found := _NOT_BUT.fullmatch(text):
        return found["old"], found["new"]
    found = _RATHER.fullmatch(text) or _SORRY.fullmatch(text)
    return ("", found["new"]) if found else None


def counted_anew(text: str, new: str) -> str:
    """「3人で回す」 with 「4人」: the last number that counts the same put right; "" where nothing does."""
    found = _COUNTED.fullmatch(new)
    same = list(re.finditer(rf"{_NUMBER}(?={re.escape(found['unit'])})", text)) if found else []
    return text[: same[-1].start()] + found["number"] + text[same[-1].end() :] if found and same else ""


def part_named(text: str) -> str:
    """The piece that a message names: 「場所を」, 「いつのところ」; "" for none."""
    named = re.fullmatch(rf"(?P<name>{_NAMES})(?:の?(?:ところ|とこ|所))?(?:を|です|の|かな|が|ね)*", normalise(text))
    return _PARTS[named["name"]] if named else ""


def tells_outcome(text: str) -> bool:
    """Whether a text says how it went."""
    return bool(_OUTCOME.search(text))
