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
# Somebody by name; of the holder of an office (「理事さんが引っ越した」) more than that must be asked to be private.
_PERSON = r"[^\s、。]{1,8}?(?:(?<!理事)(?<!監事)(?<!役員)(?<!組合員)さん|君|くん|ちゃん|氏)"

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


_QUESTION_END = re.compile(r"(?<=[?\n])|(?<=ですか。)|(?<=ますか。)|(?<=[るい]の。)")
_ASKS = re.compile(r"何|なん(?!で)|いくつ|いくら|いつ(?!も)|どこ|だれ|誰|どれ|どの|どんな|どう")
# Two questions in one sentence: 「労協は今いくつあって、最初のはどこの県?」
_JOINED = re.compile(r"(?<=[てでしが])、(?:あと|それと|それから|また)?")
_TOPIC = re.compile(r"^[^、。?]{1,14}?は(?![、。?])")
_LEAST_QUESTION = 4  # characters


def two_questions(text: str) -> tuple[str, str] | None:
    """The two questions of a message that asks twice: 「監事は何人? あと任期は何年?」"""
    normalised = normalise(text)
    parts = [p.strip() for p in _QUESTION_END.split(normalised) if p.strip()]
    if len(parts) == 1:
        return _two_clauses(normalised)
    asked = [p for p in parts if p.endswith(("?", "か。", "の。", "か")) or _ASKS.search(p)]
    if len(asked) != 2 or len(parts) != 2 or any(len(_NOT_TEXT.sub("", p)) < _LEAST_QUESTION for p in asked):
        return None
    return asked[0], re.sub(r"^(あと|それと|それから|また|もう1つ|もう一つ|ついでに)[は、,\s]*", "", asked[1])


def _two_clauses(sentence: str) -> tuple[str, str] | None:
    """Two clauses that ask something each; the second may leave out what both are about."""
    clauses = _JOINED.split(sentence)
    if len(clauses) != 2 or not all(_ASKS.search(c) for c in clauses) or len(_NOT_TEXT.sub("", clauses[1])) < _LEAST_QUESTION:
        return None
    first, second = clauses
    topic = _TOPIC.match(first)
    has_own = re.search(r"(?<!の)は", second)
    return first, second if has_own or not topic else f"{topic[0]}{second}"
