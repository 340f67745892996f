"""What a question goes on from: 「じゃあ期限は?」, 「監事は?」, 「さっきの臨時総会は?」."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.memory import State
from knowledge import Context, normalise

_SHORT = 12  # characters; a question this short leans on what was said before, if it can
_LONGER = 24  # characters; so long may one be that names nothing: 「出さなかったらどうなりますか」
_NAMES_SOMETHING = re.compile(r"[一-龥々]{2,}|[ァ-ヺー]{3,}|[a-z]{3,}|\d")
_NOT_TEXT = re.compile(r"[\W_]+")

# Words that point at what was said before, and openings that go on from it.
_POINTS_BACK = re.compile(
    r"^(それ|その|これ|この|そこ|そっち|あれ|じゃあ|じゃ、|では、|ほんなら|ほな|だったら|で、|あと|ほかに|他に|ほかは|他は"
    r"|次は|次に|つぎは|逆に|ちなみに|なんで|どうして|なぜ|and |(what|how) about |then )"
    r"|それ(って|は|を|が|も|から|に|で|の|って)|その(次|とき|時|場合|人|組合|団体|数|うち|あと|後|調査|結果|期限)"
    r"|(同じ|さっき|先ほど|前)の|そのつぎ|どっちが"
)
_THE_ACT = re.compile(r"この(?=法律(?!の))")  # whatever the talk is about, there is one law to mean
_OPENING = re.compile(
    r"^(それ(って|は|も|から|の)?|その|これ(って|は|の)?|この|じゃあ|じゃ|では|ほんなら|ほな|だったら|で|あと|ちなみに|then)[、,\s]+"
    r"|^(それ(って|は|も|から|の)?|その|これ(って|は|の)?|この|じゃあ|ほんなら|ほな|だったら|ちなみに)"
)
_ANOTHER = re.compile(r"^(ほかに|他に|ほかは|他は|ほかの|他の|それ以外|逆に|次|つぎ)|その(次|つぎ)")
_BY_THE_WAY = r"(?:な?ん)?(?:だ|です)(?:けど|けれど|が)"
_NAMED = r"([^はがをにでも、。?\s]{1,16}?)"
_REFERENCE = re.compile(r"^(?:その|この|あの)(?!次|つぎ|他|ほか|うち|あと|後|時|とき)(?P<named>[一-龥々ァ-ヺー]{1,10})")
_GOES_BACK = re.compile(
    rf"(?:さっき|先ほど|さきほど)の{_NAMED}(?=[、。?\s]|(?:の?話|の?件|のこと)|{_BY_THE_WAY}|って|は|が|を|に|で|も|の|$)"
    rf"|^{_NAMED}(?:の話|の件|のこと)?に(?:戻る|もどる|戻って|もどって)(?:けど|が|と|んだけど|んですけど|んですが)?"
)
_CONJUNCTION = re.compile(rf"^(?:{_BY_THE_WAY})[、。\s]*")
_NO_NAME = re.compile(r"話|件|こと|続き|つづき|質問|答え?|やつ|の|ん")

# What somebody says who means something else than the bot understood: 「あ、ちがった、監事のほう」
_CORRECTION = re.compile(
    r"^(?:(?:あ++|いや|いえ|ううん|ごめん(?:なさい)?|すみません|失礼)[、。!\s]*)*"
    r"(?:ちがった|違った|ちが(?:う|います)|違(?:う|います)|まちがえ(?:た|ました)|間違え(?:た|ました)|そうじゃな(?:くて|い))[、。!…\s]+"
)
_BARE_SUBJECT = re.compile(
    r"(?!次|つぎ|ほか|他|あと|第?\d+条)(?P<subject>[^はがをにで?、。]{1,10}?)(?<!こと)(?<![るたいす]の)"
    r"(?:は|ハ|なら|だと|やと|じゃと|だったら|やったら|の場合は?|のときは?|のほうは?|の方は?)(?:どう(?:なの)?|いつ|何人|何年|何日|いくら|いくつ|どこ)?(?:ですか)?[?。]*"
    r"|(?:and|(?:what|how) about) (?:the |a |an )?(?P<english>[\w' -]{2,30})[?.]*"
)
_ONLY_NAMED = re.compile(r"(?P<subject>[^はがを?、。]{1,16}?)(?:のこと|のほう|の方|の話)?(?:です|だよ|だけど|ですけど)?[。!]*")

# What kind of thing a question asks for; a follow-up that only names another subject (「監事は?」) asks for the same.
_KANJI = re.compile(r"[一-龥]")  # kana alone may be nouns, too
_INTERROGATIVE = re.compile(
    r"何(?:人|名|日|年|月|回|%|割|団体|口|円)(?:前|以上|以内|から)?|いくら|いくつ|いつ(?:まで|から|でき(?:た|ました)|始ま(?:った|りました))?|(?:だれ|誰)が選ぶ|どれくらい|どこ"
    r"|how many|how long|how much"
)
_ASKED_NOUN = re.compile(
    r"期限|締め?切り?|任期|期間|時期|時点|日数|年数|人数|定員|金額|費用|料金|割合|罰則|過料|きっかけ|理由|目的|条件|要件|資格|対象"
    r"|場所|窓口|提出先|書類|手続き?|仕事|役割|内訳"
)
_SPOKEN_ASPECTS = {
    "なんにん": "何人",
    "ナンニン": "何人",
    "なんねん": "何年",
    "ナンネン": "何年",
    "なんにち": "何日",
    "ナンニチ": "何日",
}


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question as it is to be searched, what it goes on from, and what kind of thing it asks for."""

    text: str
    context: Context
    aspect: str
    to_nothing: bool = False  # it points back, and there is nothing to point at


def follow_up(text: str, state: State) -> FollowUp:
    """What a message asks in its conversation; `text` as it was written."""
    written = _THE_ACT.sub("労協の", normalise(text))
    said = _CORRECTION.sub("", written) or written
    corrects = said != written
    back = points_back(said) or corrects
    own = aspect(said)
    asked, context = _referring(said, state)
    if back and not state.topic and leans_back(asked) and not corrects:
        return FollowUp(asked, Context(), own, to_nothing=True)
    subject = _only_subject(asked, alone=corrects or state.asked_back)
    the_same = bool(subject) and (not own or state.aspect.startswith(own))
    if the_same and state.aspect:
        asked = _asking_the_same(subject, state.aspect)
        own = ""
    if not (back or context.refers_to or leans_back(said)):
        return FollowUp(asked, Context(), own)
    context = replace(context, topic=state.topic, points_back=back, another=bool(_ANOTHER.search(said)))
    context = replace(context, asks_the_same=the_same and not state.aspect)
    return FollowUp(asked, context, own or state.aspect)


def _referring(said: str, state: State) -> tuple[str, Context]:
    """The question without what only points back, and the words by which it names what it goes on from."""
    if (found := _GOES_BACK.search(said)) and (name := found[1] or found[2]):
        named = "" if _NO_NAME.fullmatch(name) else name
        rest = f"{said[: found.start()]}{named}{_CONJUNCTION.sub('、', said[found.end() :])}"
        return rest.strip("、。 ") or said, Context(refers_to=named, earlier=state.earlier if named else ())
    found = _REFERENCE.search(said)
    asked = without_pointer(said) if points_back(said) else said
    return asked, Context(refers_to=found["named"] if found else "")


def _only_subject(asked: str, *, alone: bool) -> str:
    """The subject, where a message names nothing else: 「監事は?」; with `alone` also 「監事」, 「監事のほう」."""
    if found := _BARE_SUBJECT.fullmatch(asked):
        return found["subject"] or found["english"]
    found = _ONLY_NAMED.fullmatch(asked) if alone else None
    return found["subject"] if found else ""


def _asking_the_same(subject: str, aspect: str) -> str:
    if subject.isascii() and aspect.isascii():
        return f"{aspect} {subject}"
    return f"{subject}は{aspect}" if _INTERROGATIVE.match(aspect) else f"{subject}の{aspect}"


def aspect(text: str) -> str:
    """The kind of thing a question asks for, in its own words: 「何人」, 「任期は何年」; empty where it does not say."""
    normalised = normalise(text)
    for spoken, written in _SPOKEN_ASPECTS.items():
        normalised = normalised.replace(spoken, written)
    noun, asking = _ASKED_NOUN.search(normalised), _INTERROGATIVE.search(normalised)
    if noun and asking:
        return f"{noun.group()}は{asking.group()}"
    return noun.group() if noun else asking.group() if asking else ""


def points_back(text: str) -> bool:
    return bool(_POINTS_BACK.search(normalise(text)))


def leans_back(text: str) -> bool:
    """Too short to say by itself what it is about: 「期限は?」, or without a noun: 「出さなかったらどうなりますか」."""
    said = normalise(text)
    length = len(_NOT_TEXT.sub("", said))
    if length <= _SHORT:
        return True
    asked = _INTERROGATIVE.sub("", said)
    return length <= _LONGER and bool(_KANJI.search(said)) and not _NAMES_SOMETHING.search(asked)


def without_pointer(text: str) -> str:
    """The question without the word that points back: 「じゃあ期限は?」 → 「期限は?」"""
    return _OPENING.sub("", normalise(text)).strip() or normalise(text)
