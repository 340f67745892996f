"""What a message wants, as far as its words show it. Everything that is not recognised here is a question."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from importlib import resources

from knowledge import normalise


class Intent(StrEnum):
    EMPTY = "empty"  # nothing to read: white space, a sticker's emoji
    GREETING = "greeting"
    THANKS = "thanks"
    HELP = "help"
    PRAISE = "praise"  # 👍 for the last answer
    BLAME = "blame"  # 👎
    MORE = "more"  # the detail of the last answer
    EASY = "easy"  # the last answer in やさしい日本語
    ENGLISH = "english"
    SOURCE = "source"
    STATUTE = "statute"  # the exact words of the law
    PLAIN = "plain"  # back to ordinary Japanese
    LARGER = "larger"
    SMALLER = "smaller"  # back to ordinary type
    RECORDS = "records"  # what is stored
    FORGET = "forget"  # remove what is stored of me
    UNCLEAR = "unclear"  # only the beginning of a thought: 「えっと」
    CHOICE = "choice"  # a number from the list just shown
    EMERGENCY = "emergency"
    PRIVATE = "private"  # somebody's personal data, or the bot's own secrets
    OUTSIDE = "outside"  # plainly another subject
    QUESTION = "question"


def _patterns(kind: str) -> tuple[tuple[Intent, re.Pattern[str]], ...]:
    raw = tomllib.loads((resources.files("bot") / "intents.toml").read_text("utf-8"))
    return tuple((Intent(row["intent"]), re.compile(row["pattern"].replace("{PERSON}", _PERSON))) for row in raw[kind])


_NOT_TEXT = re.compile(r"[\W_]+")
_THUMBS_UP, _THUMBS_DOWN = re.compile("[👍👌]"), re.compile("👎")
_PERSON = r"[^\s、。]{1,8}?(?:さん|君|くん|ちゃん|氏)"

_SENTENCE_END = re.compile(r"[。?!\n]+")
_LONGEST_COMMAND = 60  # characters; what is longer is no command, greeting or thanks

# Whole messages, compared without signs and spaces.
_WHOLE = _patterns("whole")
# Anywhere in a message (normalised).
_INSIDE = _patterns("inside")


def recognise(text: str) -> Intent:
    normalised = normalise(text)
    bare = _NOT_TEXT.sub("", normalised)
    if not bare:
        if _THUMBS_UP.search(text):
            return Intent.PRAISE
        return Intent.BLAME if _THUMBS_DOWN.search(text) else Intent.EMPTY
    for intent, pattern in _WHOLE if len(bare) <= _LONGEST_COMMAND else ():
        if pattern.fullmatch(bare):
            return intent
    asked = last_sentence(normalised)
    for intent, pattern in _INSIDE:
        # Another subject counts only in what is asked last: 「台風は大丈夫でしたか。監事は何人?」
        if pattern.search(asked if intent is Intent.OUTSIDE else normalised):
            return intent
    return Intent.QUESTION


def last_sentence(text: str) -> str:
    """What is said last, if it is long enough to say something."""
    parts = [p.strip() for p in _SENTENCE_END.split(text) if len(_NOT_TEXT.sub("", p)) >= _LEAST_SENTENCE]
    return parts[-1] if parts else text


_LEAST_SENTENCE = 5  # characters
_TURN = re.compile(r"(?:聞きたい|教えてほしい|知りたい)(?:の|こと)?は|で、|それで|本題ですが|えっと|、")


def last_clause(text: str) -> str:
    """The end of a long account, where the question stands; empty where the account has no turn to it."""
    parts = [p.strip() for p in _TURN.split(last_sentence(normalise(text))) if len(_NOT_TEXT.sub("", p)) >= _LEAST_SENTENCE]
    return parts[-1] if len(parts) > 1 or last_sentence(normalise(text)) != normalise(text) else ""


# Words that point at what was said before, and openings that go on from it.
_POINTS_BACK = re.compile(
    r"^(それ|その|これ|この|そこ|そっち|あれ|じゃあ|じゃ、|では、|ほんなら|ほな|だったら|で、|あと|ほかに|他に|ほかは|他は"
    r"|次は|次に|つぎは|逆に|ちなみに|なんで|どうして|なぜ|and |what about|then |how about)"
    r"|それ(って|は|を|が|も|から|に|で|って)|その(次|とき|時|場合|人|組合|団体|数|うち|あと|後|調査|結果|期限)"
    r"|(同じ|さっき)の|そのつぎ|どっちが"
)
_OPENING = re.compile(
    r"^(それ(って|は|も|から)?|その|これ(って|は)?|この|じゃあ|じゃ|では|ほんなら|ほな|だったら|で|あと|ちなみに)[、,\s]*"
)
_SHORT = 12  # characters; a question this short leans on what was said before, if it can


_KANA, _HAN, _HANGUL = re.compile(r"[ぁ-ゖァ-ヺ]"), re.compile(r"[一-龥]"), re.compile(r"[가-힣]")
_LATIN_WORDS = re.compile(r"[a-zà-ỹ]{2,}\W+[a-zà-ỹ]{1,}")
# Signs of languages that share their letters with another; words of everyday questions, also without their accents.
_CHINESE = re.compile(r"[吗么们这哪谁请问怎为务员劳动联该过还给让对开关东书钱样规须够应选费]|几[个人年天名]|没有|可以|是不是|什么")
_VIETNAMESE = re.compile(
    r"[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]"
    r"|\b(bao nhieu|la gi|hop tac xa|duoc khong|co phai|lam sao|may nguoi|the nao|khi nao|toi thieu)\b"
)
_PORTUGUESE = re.compile(
    r"[ãõ]|ção|ções|\b(trabalhadores|diretor(es)?|porque|por que|onde|quem|voc[eê]|prazo|fundadores|podemos|posso"
    r"|quant[oa]s?|quais|qual|preciso|precisa|cooperad[oa]s?|cooperativa)\b"
)


def language_of(text: str) -> str:
    """The language a message is written in, as its letters and commonest words show it; empty where it cannot be told."""
    normalised = normalise(text)
    if _KANA.search(normalised):
        return "ja"
    if _HANGUL.search(normalised):
        return "ko"
    if _HAN.search(normalised):
        return "zh" if _CHINESE.search(normalised) else "ja"
    if _VIETNAMESE.search(normalised):
        return "vi"
    if _PORTUGUESE.search(normalised):
        return "pt"
    return "en" if _LATIN_WORDS.search(normalised) else ""


# What kind of thing a question asks for; a follow-up that only names another subject (「監事は?」) asks for the same.
_ASPECT = re.compile(
    r"何(?:人|名|日|年|月|回|%|割|団体|口|円)(?:前|以上|以内)?|いくら|いつ|期限|任期|だれが選ぶ|誰が選ぶ|割合|どれくらい|どこ|罰則"
)


_SPOKEN_ASPECTS = {
    "なんにん": "何人",
    "ナンニン": "何人",
    "なんねん": "何年",
    "ナンネン": "何年",
    "なんにち": "何日",
    "ナンニチ": "何日",
}


def aspect(text: str) -> str:
    """The kind of thing a question asks for, in its own word: 「何人」; empty where it does not say."""
    normalised = normalise(text)
    for spoken, written in _SPOKEN_ASPECTS.items():
        normalised = normalised.replace(spoken, written)
    found = _ASPECT.search(normalised)
    return found.group() if found else ""


def points_back(text: str) -> bool:
    return bool(_POINTS_BACK.search(normalise(text)))


_BARE_SUBJECT = re.compile(r"[^はがを?]{1,10}(は|ハ|のほうは|の方は|なら)[?]?")


def names_only_a_subject(text: str) -> bool:
    """「監事は?」: another subject for the question before."""
    return bool(_BARE_SUBJECT.fullmatch(normalise(text)))


def leans_back(text: str) -> bool:
    """Too short to say by itself what it is about: 「期限は?」"""
    return len(_NOT_TEXT.sub("", normalise(text))) <= _SHORT


def without_pointer(text: str) -> str:
    """The question without the word that points back: 「じゃあ期限は?」 → 「期限は?」"""
    return _OPENING.sub("", normalise(text)).strip() or normalise(text)


_QUESTION_END = re.compile(r"(?<=[?\n])|(?<=ですか。)|(?<=ますか。)|(?<=[るい]の。)")
_LEAST_QUESTION = 4  # characters


def two_questions(text: str) -> tuple[str, str] | None:
    """The two questions of a message that asks twice: 「監事は何人? あと任期は何年?」"""
    parts = [p.strip() for p in _QUESTION_END.split(normalise(text)) if p.strip()]
    asked = [p for p in parts if p.endswith(("?", "か。", "の。"))]
    if len(asked) != 2 or len(parts) != 2 or any(len(_NOT_TEXT.sub("", p)) < _LEAST_QUESTION for p in asked):
        return None
    return asked[0], re.sub(r"^(あと|それと|それから|また|もう1つ|もう一つ|ついでに)[は、,\s]*", "", asked[1])
