"""What a question takes for granted (「発起人は5人必要ですよね?」), held against what is told.

Only what can be compared is judged: quantities of the same kind, years, may against may not, must against need not. Anything
else is left open, and the answer speaks for itself.
"""

from __future__ import annotations

import re

from knowledge.languages import ja

# A question that wants to be confirmed, at the end of one of its sentences.
_CONFIRMS = re.compile(
    r"(よね|だよな|でしょう?|でしょうか|じゃない(の|ん)?(ですか)?|(で|って)?(合って|あって)(い?ます|る|い?る)(よね|か)?"
    r"|で(いい|よい|大丈夫)(の|ん)?(です)?(か|よね)?"
    r"|って(本当|ほんと|ホント)(です)?か?|んだっけ|でしたっけ|だったっけ|はずです(が|けど)?)[?。!]*$"
)
_UNITS = "人|名|年|か月|週間|日|%|割|円|口|回|団体|法人|か所|県|歳|時間|件|倍"
_LARGE = {"万": 10_000, "億": 100_000_000}
_QUANTITY = re.compile(rf"(\d+(?:\.\d+)?)(万|億)?({_UNITS})(?!度)|(\d+)分の(\d+)")
_DAYS = {"日": 1, "週間": 7, "か月": 30, "年": 365}
_YEAR = re.compile(r"((?:19|20)\d\d)年")
# The quantity itself is what is taken for granted: 「5人必要」「4年つとめる」, not 「10人で作る」.
_GRANTED = re.compile(
    r"^(以上|以内|以下|まで|前|後|間|くらい|ぐらい|ほど)?(に|で|が|は|も|を|の)?(必要|要る|要り|いる|いり|いれ|だけ|です|だ|だった|でし|なん|そろえ"
    r"|つとめ|務め|合って|あって|届け|行|出|答え|ためる|来|増え|いい|始め|という|と決|間に合)"
)
_MAY_NOT = re.compile(
    r"(でき|られ|なれ|やれ|行え|受けられ)(ません|ない)|認められません|禁止|いけません|してはならない|だめです|(必要|要る|要り|いり).{0,2}(ありません|ません|ない)|不要"
)
_MAY = re.compile(
    r"(でき|られ|なれ|やれ|行え|付けられ|作れ|入れ|使え|出せ)(ます|る)(よね|でしょ|んです|の|か|$|よ)|問題ない(です)?よね|大丈夫(です)?よね"
)
_NEED_NOT = re.compile(r"なくて(も)?(いい|よい|大丈夫|かまわない)")
_MUST = re.compile(r"要ります|必要です|必ず|なければ|義務です|要る")


def judge(question: str, told: str) -> bool | None:
    """Whether what is told confirms (True) or corrects (False) what the question takes for granted; None: it cannot be said."""
    sentence = _confirming(ja.normalise(question))
    if not sentence:
        return None
    told = ja.normalise(told)
    for judged in (_years(sentence, told), _quantities(sentence, told)):
        if judged is not None:
            return judged
    first = told.split("。")[0]
    if _NEED_NOT.search(sentence):
        return False if _MUST.search(first) and not _MAY_NOT.search(first) else None
    if _MAY.search(sentence) and _MAY_NOT.search(first) and not _MAY.search(first):
        return False
    return None


def as_open_question(question: str) -> str:
    """The question with what it takes for granted left open: 「任期は4年ですよね?」 → 「任期は何年ですよね?」.

    Else the wrong amount would draw passages that happen to hold it.
    """
    sentence = _confirming(ja.normalise(question))
    opened = _QUANTITY.sub(lambda m: _asked(m) if _is_claim(m, sentence) else m[0], sentence)
    return ja.normalise(question).replace(sentence, opened) if opened != sentence else question


def _asked(match: re.Match[str]) -> str:
    return "何分の1" if match[4] else f"何{match[3]}"


def _is_claim(match: re.Match[str], sentence: str) -> bool:
    return not _YEAR.match(match[0]) and bool(match[4] or _GRANTED.search(sentence[match.end() :]))


def _confirming(question: str) -> str:
    """The sentence that wants to be confirmed, the last one first; empty where there is none."""
    sentences = [s for s in re.split(r"(?<=[。?!])", question) if s.strip()]
    return next((s for s in reversed(sentences) if _CONFIRMS.search(s.strip())), "")


def _years(sentence: str, told: str) -> bool | None:
    """One year each, and another one: a wrong date. The same one says little: much may be told of a year."""
    granted = [m[1] for m in _YEAR.finditer(sentence) if re.match(r"(に|まで|から|だ|で|の\d+月)", sentence[m.end() :])]
    known = set(_YEAR.findall(told.split("\n")[0]))
    return False if len(granted) == 1 and len(known) == 1 and granted[0] not in known else None


def _quantities(sentence: str, told: str) -> bool | None:
    for match in _QUANTITY.finditer(sentence):
        if not _is_claim(match, sentence):
            continue
        kind, amount = _kind_and_amount(match)
        known = [_kind_and_amount(m) for m in _QUANTITY.finditer(told) if not _YEAR.match(m[0])]
        of_kind = {a for k, a in known if k == kind}
        if of_kind and amount not in of_kind:
            return False
        if of_kind == {amount}:
            return True
    return None


def _kind_and_amount(match: re.Match[str]) -> tuple[str, float]:
    """Lengths of time are compared in days, so that 1か月 is not 2週間."""
    if match[4]:
        return "share", int(match[5]) / max(int(match[4]), 1)
    amount, unit = float(match[1]) * _LARGE.get(match[2] or "", 1), match[3]
    if unit in _DAYS:
        return "time", amount * _DAYS[unit]
    return {"名": "人"}.get(unit, unit), amount
