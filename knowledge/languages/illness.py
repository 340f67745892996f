"""Illnesses, disabilities and levels of care of one person, as against the subject: 認知症の母, not 認知症カフェ."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from knowledge.languages.names import LISTS, alternatives

_CONDITION = re.compile("|".join(f"(?:{c})" for c in LISTS["conditions"]))
_KIN = rf"(?:{alternatives('kin')})(?!たち|達|会|親会|子家庭|子(?!供)|校|国|弟|妹都市|体|語)"
_TOPICS = alternatives("topics")
_OF = r"(?:の|を持つ|を持った|のある|がある|を抱える|を抱えた|で|である|だった|になった|の疑いのある|の診断を受けた|と診断された)?"
_OWNER = re.compile(rf"{_OF}、?(?:うちの|私の|わたしの|高齢の|[0-9]+歳の)?(?:{_KIN})")
# Somebody is spoken of (は, が, も …) not far before the condition, and nobody else in between.
_ONE = re.compile(rf"(?:{_KIN}|{alternatives('self')})")
# Between a condition and the name of who has it: 認知症の田中さん, がんの治療中の利用者の山田さん.
_BEFORE_A_NAME = re.compile(
    rf"(?:の治療中|で(?:入院|通院|療養|休職|治療)中)?{_OF}、?(?:うちの|[0-9]+歳の)?(?:(?:利用者|患者|組合員|会員|メンバー)(?:の|、|である))?"
)
_SPOKEN_OF = re.compile(
    rf"(?:さん|ちゃん|くん|様)?(?:ち|の(?:お?(?:{alternatives('kin')})(?:さん|ちゃん|くん|様)?|ご主人|お宅|家))?"
    r"(?:[はがもにのを、,(:\s]|って|とも|$|なんですけど、|ですが、)"
)
_ELSE = re.compile(r"人|方(?!が)|者|子ども|子供|利用者|お年寄り|みなさん|皆さん|仲間")
_SUBJECT = re.compile(
    rf"(?:\s?(?:の(?:ある|お)?|な|がある|を持つ|を持った|を抱える|を抱えた|で困っている|になった)?(?:{_TOPICS}))"
    r"|について|とは|って何|に関する|に詳し|関係"
)
_HAS = re.compile(
    r"(?:度?が?[0-9])?(?:で(?!き|も働|は?ない)|だ|です|でし|なの|なん|なら?ず?に|な(?!い)"
    r"|に(?:な|かか|上が|下が|つい|罹)|が(?:あ|見つ|わか|分か|進|出|重|軽|ひど|悪|再発|治|うつ)"
    r"|を(?:患|持|抱|して|した|しま|わずら|発症|起こ|もら)|と(?:診断|い|言|わか|分か|診|聞)|らし|かも|っぽ|気味|持ち|もち"
    r"|の(?:疑|診断|手術|治療|薬|発作|症状|後遺症|ため|せい|手前|注射|検査|療養|傾向|あと|後|リハビリ|入院|通院|薬)"
    r"|から|、|,|\)|」|$|し(?:た|て|ま|ち|と)|は[0-9]|区分|手術|治療|発作|療養|患者に|\s)"
)
# Nobody is named, yet only the one who writes can be meant.
_OWN = re.compile(
    r"の手術を?(?:し|受け)(?:た|て|まし)(?!人|方)"
    r"|と診断され(?:て|まし|た(?!人|方|ら|場合|とき|時|お|子|後|あと|利用))|で(?:入院|通院|休職)(?:し|中(?!の))|の診断を受けま"
)
_REACH = 26


def illnesses(text: str, people: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where a width-folded sentence tells of a person's illness; `people` are the places of names in it."""
    anchors = sorted([*(end for _, end in people), *(m.end() for m in _ONE.finditer(text))])
    names = {start for start, _ in people}
    for m in _CONDITION.finditer(text):
        after = _BEFORE_A_NAME.match(text, m.end())
        named = after is not None and after.end() in names
        if named or _OWNER.match(text, m.end()) or _OWN.match(text, m.end()) or _is_somebodys(text, m, anchors):
            yield m.span()


def _is_somebodys(text: str, condition: re.Match[str], anchors: Sequence[int]) -> bool:
    if _SUBJECT.match(text, condition.end()) or not _HAS.match(text, condition.end()):
        return False
    near = anchors[bisect_left(anchors, condition.start() - _REACH) : bisect_right(anchors, condition.start())]
    return any(_leads_to(text, end, condition.start()) for end in near)


def _leads_to(text: str, end: int, condition: int) -> bool:
    # With `condition` for the end of the text, $ is 私高血圧で.
    spoken_of = _SPOKEN_OF.match(text, end, condition)
    return spoken_of is not None and not _ELSE.search(text, spoken_of.end(), condition)
