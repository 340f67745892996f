"""What a message says in the talk about a tip: a beginning, a word of command, a question about the talk itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from bot import wording
from knowledge import normalise


class Word(StrEnum):
    """What can be chosen in the talk. The label of each stands in the catalogues, other ways to say it in `words.toml`."""

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
    for name, pattern in tomllib.loads((resources.files("bot.tips") / "words.toml").read_text("utf-8")).items()
}
_NOT_TEXT = re.compile(r"[\W_]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_WORD = 40  # characters
_HIRAGANA = {ord("ァ") + i: ord("ぁ") + i for i in range(ord("ヶ") - ord("ァ") + 1)}
# What people put before a word and behind it without meaning anything else: 「やっぱり…」, 「ほな…」, 「…にしといてな」
_BEFORE = re.compile(
    r"(?:あっ?(?![とのる])|え+っと|え+ーと|えと|あのー?|うーん|うん|はい|じゃ+あ?|では|それじゃあ?|ほな|ほんなら|ほんじゃ|やっぱり?|やはり|もう|まあ|すみませんが?"
    r"|すいませんが?|ごめん(?:なさい|ね)?|できれば|できたら|ちょっと|とりあえず|今回は|わたしは|私は|恥ずかし(?:い|く)(?:から|ので|て))+"
)
_AFTER = re.compile(
    r"(?:(?:で)?(?:お願い|おねがい)(?:します|できますか|ね)?|頼みます|ください|下さい|ちょうだい|くれ(?:る|ます)?か?|もらえ(?:る|ます)か?|もらって|ほしい|欲しい"
    r"|に?しとい?て|に?して(?:おいて)?|に(?:します|しとく|しときます|する)|で?も?(?:いい|ええ|よい|よか)|で(?:大丈夫|かまわない|かまいません|結構)|が(?=いい|ええ|よい|$)"
    r"|(?:に|が|は|を)?(?:見せて|みせて|見て|みて|出して|だして|使って|読んで)|です|ます|んです|んで|だけど|けど|ねん|なあ?|かな|わ|や|よ|ね|ん|の|で|に)$"
)

_NAME = r"(?:コツ|ｺﾂ|こつ|ヒント|tips?|ｔｉｐ|dica|mẹo|窍门|诀窍|팁)"
_ANOTHER = r"(?:(?:もう|あと)(?:1|１|一|ひと)つ|次|今日|新しい|別|それと|あと)(?:の|、|\s)*"
_COLON = re.compile(rf"\s*(?:{_ANOTHER})?{_NAME}\s*(?:です)?\s*[:：︰]\s*(?P<told>.*)", re.IGNORECASE | re.DOTALL)
_SAID = re.compile(
    rf"\s*(?:{_ANOTHER})?{_NAME}(?:(?:なん)?(?:です|だ|や)(?:が|けど|けれど)[、,\s]*|は[、,]?(?=.{{8,}}(?:です|ます|よ|こと|ん)[。!！]*\s*$))(?P<told>\S.*)",
    re.DOTALL,
)
_SPACE = re.compile(rf"\s*{_NAME}[\s\u3000、→]+(?P<told>\S.*)", re.IGNORECASE | re.DOTALL)
_WANTS = re.compile(
    r"(?:この(?:答え|質問)に)?コツ(?:を|の)?(?:(?:1つ|ひとつ)?(?:教える|おしえる|教えます|教えたい|書く|かく|書きたい|書きます|足す|たす|足したい"
    r"|登録|登録したい|登録する|登録して|投稿|投稿したい|出したい|伝えたい)(?:です|ね|よ|んですが|のですが|んですけど|んだけど)?|があります|がある|あるよ|あります)?"
    r"|(?:addatip|shareatip|iwanttoshareatip|tips?)"
)
# 「いい方法があるんだけど書いていい?」: somebody wants to tell, and does not ask to be told.
_OFFERS = re.compile(
    r"(?:コツ|(?:いい|良い|ええ|うちの)(?:方法|やり方|考え|アイデア|知恵)|工夫).{0,14}?(?:(?:書い|かい|教え|おしえ|伝え|話し|言っ|登録し|投稿し|載せ|のせ|出し|送っ)(?:とい)?"
    r"(?:ても?(?:いい|ええ|よい|かまわ|だいじょうぶ|大丈夫)|てあげ)|(?:書き|かき|教え|おしえ|伝え|登録し|投稿し|載せ|のせ|残し)たい"
    r"|(?:登録|投稿|書く|送る)(?:って)?(?:の(?:し方|しかた|仕方|やり方|方法)|でき|には))"
)
_HAS_TO_TELL = re.compile(r"^(?:みんなに|皆に|みなさんに)?(?:伝え|教え|おしえ)たいこと(?:が|も)(?:ある|あり|あっ)")
_HAS_ANOTHER = re.compile(
    r"(?:(?:もう|あと)(?:1|一|ひと)つ(?:だけ)?|まだ|(?:ほか|他)にも)(?:いい|別の)?(?:コツ|の)?(?:が|も)?(?:ある|あります|あるある|書きたい|書いてもいい|いい)"
    r"(?:ん|の|ね|よ|です|だ|や|が|けど|けれど|ねん)*"
)
_OF_ANOTHER = re.compile(
    r"(?:今の|いまの|この|その|さっきの|上の|先ほどの|↑の?|[^\s、。]{1,12}さんの)[^。]{0,16}?(?:を|も)?コツ(?:に|として)"
    r"(?:して|登録|入れて|いれて|残して|のこして|のせて|載せて|加えて|しといて|お願い|$)"
)
_WISH = re.compile(
    r"(?:コツ)?(?P<a>[1-9])(?:番目?|つ目)?(?:のコツ)?(?:を|は)?(?P<does>消して|消す|消し(?=たい)|けして|けす|削除(?:して|する)?|取り下げ(?:て|る)|delete"
    r"|なおす|なおして|なおしたい|直す|直して|直したい|変える|かえる|修正(?:して|する)?|書き足す|edit|change)?"
    r"(?:(?:ほしい|たい|ください|ちょうだい|くれる|もらえますか|お願い(?:します)?|おねがい(?:します)?|です|ん|よ|ね|わ)*)"
    r"|(?P<first>消して|消す|削除|なおす|直す|delete|edit|change)(?P<b>[1-9])(?:番)?"
)
_REMOVED = re.compile(
    r"(?P<which>(?:さっき|いま|今|先ほど|送った|書いた|出した|上|それ|これ|あれ)(?:送った|書いた|出した)?(?:の|を|は)?(?:コツ)?(?:を|は|も)?|コツ(?:を|は))?"
    r"(?:消す|けす|消して|けして|消したい|取り消(?:す|し|して|したい)|削除(?:して|する)?|取り下げ(?:て|る|たい)|なしに?|なかったことに)"
)
_PAGE = re.compile(r"\D*?(?P<page>[1-9]\d?)")

_ASKING = re.compile(
    r"何(?!か|も|でも|とか|より)|なに(?!か|も|より)|なん(?:で|の|人|年|日)|いつ(?!も|でも|か|の間|のま)|どこ(?!か|も|でも)|だれ(?!か|も|でも)|誰(?!か|も|でも)"
    r"|どう(?!にか|しても|も|ぞ)|なぜ|いくら(?!でも)|いくつ(?!か|も)|どれ(?!も|でも)|どの(?!人も)|どんな|どちら|教えて|おしえて|ですか|ますか|ませんか|って\?|は\?|とは\?"
)
_WONDERS = re.compile(r"(?:かな|っけ|かも|だろう|でしょう|だったか|じゃない|よね)(?:あ|ぁ)?[?。…]*$")
_ELSEWHERE = re.compile(
    r"^[^ぁ-ゖァ-ヺ]*(?:[a-zà-ỹ가-힣]|[一-龥]{4})[^ぁ-ゖァ-ヺ]*$"
)  # in a language that has its own words for asking
_INTERJECTION = re.compile(
    r"(?:うん|はい|はーい|ええ|そう|そうです|そうだ|へえ|ほう|ほい|あら|あらま|あ|あっ|おっ|えっと|えーと|あのね|あのさ|ごめん(?:なさい|ね)?|すみません|すいません"
    r"|ちょっと|待って|まって|待っとって|お待ち|ください|おまたせ|お待たせ(?:しました)?|ね|よ|ok|おけ|いいよ|どうぞ|大丈夫(?:です)?|考え(?:中|るね)|なんだっけ|何だっけ|(?:それで|これで)?(?:お願い|おねがい)(?:します)?|笑|ww++)+"
)
_FOR_PEOPLE = re.compile(
    r"^[^\s、。]{1,8}(?:さん|ちゃん|くん|君|先生)[、,!~〜\s]|^(?:みなさん|皆さん|みんな)[、,!~〜\s]|ありがとう(?:ね|ございま(?:す|した))?[!。♪〜~\W]*$"
    r"|お疲れ様|おつかれさま"
)
_TOMORROW = re.compile(r"明日|あした|明後日|あさって|来週|来月|今夜|今晩|お?休み(?:します|ます|させて)")
_SHARING = re.compile(
    r"(?:誰|だれ|どこ|みんな|皆|ほか|他|よそ).{0,8}?(?:見[るえらて]|みる|みえ|みられ|読[むめま]|よめ|出[るてま]|でる|載[るせっ]|のる|知られ|伝わ|送られ)|(?:名前|なまえ|電話|番号|匿名|本名|だれか|誰か).{0,8}?"
    r"(?:出[るてなま]|でる|でき|見え|わか|分か|ばれ|載)|(?:ばれ|バレ)[るなま]|公開され|(?:あとで|後で|あとから|送ったあと|送ってから).{0,8}?(?:直|なお|消|けせ|変え|取り消)|^(?:これ|送った?ら).{0,6}?(?:どうなる|どこ|誰|だれ)"
)
_ASKS_AT_END = re.compile(r"(?:\?|か|の|のかな|かな|かしら|るん|が見る|が見える|に出る)[。!\W]*$")
_HOW_TO_SHARE = re.compile(
    r"匿名|とくめい|名前(?:は|を|で|も|出)|組合名|組合の名前|(?:だけ|のみ)|見せて|公開|みんな(?:に|で).|(?:だれ|誰)(?:に)?でも"
)
_ABOUT = re.compile(r"[^、。]{2,}(?:は|が|って|を|でも)[^、。]{2,}\?$")
_ASKS_UNMARKED = re.compile(
    r"(?:何(?:日|人|年|円|時|回|か月|歳|口)(?:前|以上|以内|まで|から)?|いくら|どうすれば(?:いい|よい)(?:の|ん)?|どうしたら(?:いい|よい)(?:の|ん)?|(?:教えて|おしえて)(?:ください|ほしい)?"
    r"|(?:です|ます|ません)か|とは|って何|って(?:なに|いつ|どこ|だれ|誰|いくら|どういうこと))[。]*$"
)


def clean(text: str) -> str:
    """The text without what cannot be seen; its lines stay."""
    return _CONTROL.sub("", text).strip()


def label(word: Word, language: str) -> str:
    """What stands on the button; typed, it does the same."""
    return wording.say(f"offer_say_{word.value}", language)


def sentence(key: str, language: str, **values: str) -> str:
    """One of the talk's sentences; words of command are named by their labels."""
    begin = wording.say("offer_begin", language)
    return wording.say(f"offer_{key}", language, **{"begin": begin} | {w.value: label(w, language) for w in Word} | values)


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
    return any(word in _labels().get(form, frozenset()) or bool(pattern and pattern.fullmatch(form)) for form in _forms(bare))


@cache
def _without_before(bare: str) -> str:
    found = _BEFORE.match(bare)
    return bare[found.end() :] if found else bare


def _forms(bare: str) -> Iterator[str]:
    """What was said, and the same without what stands before and behind it, one ending after the other."""
    plain = bare.translate(_HIRAGANA)  # 「トバス」
    for form in dict.fromkeys((bare, _without_before(bare), plain, _without_before(plain))):
        left = form
        while left:
            yield left
            found = _AFTER.search(left)
            if not found or not found.group():
                break
            left = left[: found.start()]


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
    if _OFFERS.search(bare) or _HAS_TO_TELL.search(bare):
        return ""
    if any(_WANTS.fullmatch(form) for form in _forms(bare)) or bare in _begin_labels():
        return None if re.search("[?？]", text) else ""
    found = _SPACE.fullmatch(text) or _SAID.fullmatch(text)
    return found["told"].strip() if found and not is_question(found["told"]) else None


def has_another(text: str) -> bool:
    """「もうひとつあるんだけど」, of whoever has just sent one."""
    return len(text) <= _LONGEST_WORD and bool(_HAS_ANOTHER.fullmatch(_bare(text)))


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
    return is_question(text) and len([part for part in re.split(r"[。!?！？\n]", text) if part.strip()]) == 1


def wants_removed(text: str) -> bool:
    """「さっきの消して」, of whoever has just sent a tip."""
    return len(text) <= _LONGEST_WORD and any(_REMOVED.fullmatch(form) for form in _forms(_bare(text)))


def is_interjection(text: str) -> bool:
    """「うん」, 「あ、ごめん」, 「ちょっと待って」: nothing that could be a piece of a tip."""
    bare = _bare(text[:_LONGEST_WORD])
    return len(bare) > 1 and len(text) <= _LONGEST_WORD and bool(_INTERJECTION.fullmatch(bare))


def is_for_people(text: str) -> bool:
    """Whether a message in a group is plainly for somebody else in it: a call, thanks."""
    return bool(_FOR_PEOPLE.search(normalise(text)))


def is_about_tomorrow(text: str) -> bool:
    """Whether a message speaks of what is to come, as neither the place nor the time of what was done does."""
    return bool(_TOMORROW.search(normalise(text)))


def asks_about_sharing(text: str) -> bool:
    """「どこに出るの?」, 「だれが見る?」, 「名前は出る?」: about the talk itself, not about what anybody knows."""
    asked = normalise(text)
    return len(asked) <= _LONGEST_WORD and bool(_SHARING.search(asked)) and bool(_ASKS_AT_END.search(asked))


def says_how_to_share(text: str) -> bool:
    """Whether a word about the name or the readers can be nothing else, whatever is asked."""
    return bool(_HOW_TO_SHARE.search(_bare(text[: 2 * _LONGEST_WORD]).translate(_HIRAGANA)))
