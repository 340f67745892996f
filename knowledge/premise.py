"""What a question takes for granted (「発起人は5人必要ですよね?」), held against what is told.

Only what can be compared is judged: quantities of the same kind, years, may against may not, must against need not. Anything
else is left open, and the answer speaks for itself.
"""

from __future__ import annotations

import re

from knowledge.languages import colloquial, ja

# A question that wants to be confirmed, at the end of one of its sentences.
_CONFIRMS = re.compile(
    r"(よね|よな|(?:です|ます|でした|ました)ね|でしょう?|でしょうか|(じゃ|では)(ない|ありません)(の|ん)?(です)?か?|(で|って)?(合って|あって)(い?ます|る|い?る)(よね|か)?"
    r"|(じゃ|では)(なかった|ありませんでした)(の|ん)?(です)?(か|っけ)?|で(いい|よい|大丈夫|間違いない)(の|ん)?(です)?(か|よね)?"
    r"|(?:と|って)[^。、]{0,10}(?:書い|言っ|伝え|知らせ|説明し|案内し|載せ|のせ)[^。、]{0,2}ても?(?:いい|よい|大丈夫|かまわない)(?:の|ん)?(?:です)?か?"
    r"|という理解で(?:いい|よい|よろしい|合って)[^。]{0,8}|って(本当|ほんと|ホント)(なの|です)?か?|んだっけ|でしたっけ|だったっけ)[?。!]*$"
)
# What was heard or thought (「5人要るって聞いた」), or is asked the reason of (「5人要るのはなぜ」).
_HEARD = re.compile(
    r"((って|と)(聞|きい|きき|言われ|いわれ|教わ|習|書いてあ)[^。?!]{0,16}|はず(です|だ|なん|じゃ)?[^。?!]{0,8}|(と|って)思[^。?!]{0,14}"
    r"|そう(です|だ)(よ|ね|が|けど)*|らしい(です)?(よ|ね|が|けど)*|のは(なぜ|どうして|なんで|何で)[^。?!]{0,8})[?。!]*$"
)
_ASKS = re.compile(r"何(?!で[^。?!]{0,8}[?。!]*$)|いくら|いくつ|どこ|いつ(?!も)|だれ|誰|どの|どれ|どんな|どう(?!し)")
_UNITS = "つ|人|名|年|か月|週間|日|%|割|円|口|回|団体|法人|か所|県|歳|時間|件|倍"
_LARGE = {"万": 10_000, "億": 100_000_000}
_QUANTITY = re.compile(rf"(\d+(?:\.\d+)?)(万|億)?({_UNITS})(?!度)|(\d+)分の(\d+)")
_BARE_COUNT = re.compile(
    r"(?<=数は)\d+(?=です|でし|だ|で合|って|と|じゃ)|(?<=[でに])\d{2,}(?=にな|も増え)"
)  # 「労協の数は250でしょう」
_DAYS = {"日": 1, "週間": 7, "か月": 30, "年": 365}
_SHARES = {"%": 100, "割": 10}
_YEAR = re.compile(r"((?:19|20)\d\d)年")
_PREFECTURE = re.compile("|".join(rf"(?<!東){p}" if p == "京都" else p for p in ja.WORDS["prefectures"].split()))
# A place that is taken for granted (「大阪ですよね」), not one that something else is said of.
_PLACE = re.compile(
    rf"({_PREFECTURE.pattern})[都道府県]?(?=(の(労協|労働者協同組合|組合|団体))?(です|でし|だ|にあ|にでき|じゃ|って))"
)
# Who or what comes first of its kind (「熊本で最初の労協はコトノワですよね」), and the article in which something stands.
_FIRST = re.compile(
    r"(?P<subject>(?:最初|一番|いちばん|第1号|はじめて|初めて)[^。、?]{0,24}?(?:は|って)、?)(?P<named>[^。、?は]{2,20}?)(?=(?:の(?:労協|組合|団体|ところ|所))?(?:だ|です|でし|じゃ|なん|に(?:でき|あ)|でできた|で生))"
)
_IN_ARTICLE = re.compile(r"(?<=[はが])(?P<article>(?:附則)?\d{1,3}条(?:の\d{1,2})?)(?=です|でし|だ|じゃ|なん|って|で合|と)")
_REPLACED = re.compile(r"(?<=は)[^、。は?]{1,16}(?:じゃ|では)なくて?、?")  # 「長野県じゃなくて群馬県」
_TAIL = re.compile(r"で(?:間違いない|合ってい?る|合ってい?ます|よかった)[^。?]*[。?]*$")
_MOMENT = re.compile(r"([一-龥]{2})[^、。]{0,3}(?:日|時|とき)に([一-龥]{2})")  # 「登記をした時に成立する」
# The amount that must be reached, as it is asked for.
_REACHED = re.compile(r"(?<=何人)[もはを]?(?:そろえ|揃え|集め|い)(?:ないと|なければ|なきゃ|なくちゃ).*$")

# A date that is taken for granted (「2021年4月でしたよね」), not one at which something was so (「2023年10月は59でしたよね」).
_DATE = re.compile(r"(?:19|20)\d\d年(?:の?\d{1,2}月(?:\d{1,2}日)?)?(?=に|まで|から|だ|で)")
_OF_YEAR = re.compile(r"((?:19|20)\d\d)年の(?:調査|アンケート|報告|大会|総会|催し)")
# The quantity itself is what is taken for granted: 「5人必要」「4年つとめる」, not 「10人で作る」.
_GRANTED = re.compile(
    r"^(の(?:組合|労協|ところ|所|団体)(?=でも)|の[一-龥]{2,4}(?=でし|です|だ))?(以上|以内|以下|まで|前|後|間|から|くらい|ぐらい|ほど|しか)*"
    r"(なら|に|で|が|は|も|を|の)*(?:[一-龥]{1,4}[へに](?=届|出|知|伝|言))?(必要|要る|要り|いる|いり|いれ|いない|いなきゃ|だけ|です|だ|だった|でし|なん|そろえ|揃え|集め|持て|出せ|もらえ|置け|置い|足り|そろわ|揃わ|開か|ひらか|間違い|まちがい|済|捨て|処分"
    r"|大丈夫|かまわ|つとめ|務め|合って|あって|あれ|ある|届け|行|出|答え|ためる|来|増え|いい|始め|という|って|と聞|と決|間に合|積|時効|言|すれ|する|伝え|知らせ|補|たった|たて|経っ|十分|もらって|署名|同意)"
)
_HALF = re.compile(r"(?<!過)(?:半分|半数)")  # as a share: half
_OF_EVENT = re.compile(
    r"((?:19|20)\d\d)年[^、。\d]{0,2}(?:\d+月(?:\d+日)?)?に([一-龥]{2})|([一-龥]{2})[^、。\d]{0,4}は((?:19|20)\d\d)年"
)
_AT_ONCE = re.compile(r"その日(のうち)?に|すぐに?(?=解散)|直ちに|即日")
_DENIAL = re.compile(r"[^。\n]*(?:では|わけでは)(?:ありません|ない)")
_FORBIDDEN = re.compile(r"([^。、\n]*に応じた[^。、\n]*)はできません")
_REGARDLESS = re.compile(r"([一-龥]{2})(?:の[一-龥]{2})?(?:に関係なく|によらず|にかかわらず)")
_NOT_AT_END = re.compile(r"(?:ない|ません)(?:の|ん|です|だ)*(?:よね|ね|か|でしょう?|はず|って)?[?。!]*$")
_NOT, _OBLIGED = re.compile("ない|ません"), re.compile(r"(?:な(?:いと|ければ|きゃ|くちゃ)|ては)(?:いけ|なら|だめ)(?:ない|ません)?")
_DIALECT_END = re.compile(r"(?:じゃろう?|やろう?|だべ|ずら)(?=[?。!]|$)")
_OF_ALL, _ONLY = (
    re.compile(r"自由(?:です|だ|に|で)|何でも|なんでも|どの(労協|組合|団体)|ぜんぶ|全部|すべて|みんな|全員"),
    re.compile(r"だけ|のうちの"),
)
_UNNEEDED = re.compile(r"([一-龥・]{2,12})は(?:要りません|いりません|必要ありません|不要です)")
_COMES = (
    r"[がをの](?:下り|おり|降り|もら|取|とら|とれ|出|受け|待|必要|要)"  # 「認可が下りる」: what is spoken of as if it were needed
)
_IN_FULL = re.compile(r"(?:全部|全額|丸ごと|まるまる)を?(?:出|払|補助|返|もら|みて)")
_PART = re.compile(r"(?:費用|経費|額|金)[^。、]{0,4}の?(?:\d+分の\d+|\d+(?:%|割))")
# More than what is told to be the limit; each their part of what all answer for; what is on one day said to be on two.
_MORE, _LIMIT = (
    re.compile(r"(?:足し|上乗せし|加え|上乗せ)て|(?:利益|もうけ|剰余金)[のも][^、。]{0,4}(?:も|まで)"),
    re.compile(r"を限度に|が上限"),
)
_SHARED_OUT, _JOINTLY = re.compile(r"半分ずつ|折半|頭割り|人数で割|等分|割り勘"), re.compile(r"連帯")
_NEXT_DAY, _DAY = re.compile(r"次の日|翌日|あくる日|前の日|前日|別の日"), re.compile(r"(?:\d{1,2}月)?\d{1,2}日")
_LEGAL_PERSON, _NAMED_PERSON = re.compile(r"[一-龥]{2,4}法人"), re.compile(r"「([一-龥]{2,4}法人)」")
_IF_ONLY = re.compile(r"^[^。、]{0,12}(?:ば|たら|と)(?:いい|よい|大丈夫)")  # says nothing without what stands before it
_OF_VOTES = re.compile(r"\d分の\d以上の賛成")
_GOAL = re.compile(r"目標[^。]{0,16}(?:達成|集まっ|届い|超え|クリア)")
_SHORT_OF_GOAL = re.compile(r"目標[^。]{0,40}[(（](?:\d|[1-9]\d)(?:\.\d+)?%[)）]")
_ORIGIN = re.compile(
    r"(株式会社|有限会社|合同会社|企業組合|任意団体|一般社団法人|npo|生協|社協)(?:法人)?(?:から|が母体|を母体|だった)"
)
_DECIDES = re.compile(
    r"(理事会|総会|総代会|代表理事|理事長|監事|知事|行政庁|裁判所)(?:の[^。、]{0,8})?(?:だけ)?[がで][^。、はを]{0,8}?(決め|選)"
)
_LATER_RANK = re.compile(r"[2-9](?:番目|位)は([^。、]{2,16})")
_SITE = re.compile(r"([一-龥々ァ-ヺー]{2,5}?)(公園|市|町|村|区|島)(?![一-龥])")
_POTENTIAL = "でき|られ|なれ|やれ|行え|譲れ|断れ|ゆずれ|持て|置け|もらえ|付けられ|作れ|入れ|使え|出せ"
_MAY_NOT = re.compile(
    rf"({_POTENTIAL})(ません|ない)|加わ[りれ]ません|認められません|禁止|いけません|してはならない|だめです"
    r"|(必要|要る|要り|いり).{0,2}(ありません|ません|ない)|不要"
)
_MAY = re.compile(
    rf"間に合(?:います|う)(?:よね|でしょ|$)|({_POTENTIAL})(ます|る)(よね|でしょ|んで|んだ|の(?!は)|か|$|よ)|({_POTENTIAL})(ます|る)(って|と|はず|そう|らしい)|て(いい|よい)(んです|です|の)?(よね|か|って|と|はず|$)|問題ない(です)?よね|大丈夫(です)?よね"
)
_NEED_NOT = re.compile(
    r"(?:作ら|つくら|置か|おか|開か|ひらか|出さ|書か|せ)ず(?:に|、)|なしで(?=いい|よい|大丈夫|済)|なくて(も)?(いい|よい|大丈夫|かまわない)|(いら|要ら|必要)ない|(いり|要り)ません|不要"
)
_MUST_BE = re.compile(
    r"(ないと|なければ|なきゃ)(だめ|いけ|なら|違反)|必要(です|だ|で|なん|なの)|(要り|いり)ますよね|(要る|いる)(んです|んだ|の|って|と|はず|らしい|そう)|義務"
)
_NO_RULE = re.compile(r"(決まり|義務|必要)は(ありません|ない)|(要り|いり)ません|不要|かまいません")
_NEGATIVE = re.compile(r"(ません|ないです)$")
_MUST = re.compile(r"要ります|必要です|必ず|なければ|義務です|要る")


def judge(question: str, told: str) -> bool | None:
    """Whether what is told confirms (True) or corrects (False) what the question takes for granted; None: it cannot be said."""
    sentence = _confirming(_standard(question))
    if not sentence:
        return None
    if _IF_ONLY.match(sentence):
        sentence = _standard(question)
    told = ja.normalise(told)
    for judge_one in (
        _article,
        _first,
        _unneeded,
        _in_part,
        _opposed,
        _from,
        _by_whom,
        _at_once,
        _events,
        _years,
        _quantities,
        _sites,
    ):
        judged = judge_one(sentence, told)
        if judged is not None:
            return judged
    return False if _contradicts(sentence, told) else None


def _standard(question: str) -> str:
    """The question without the endings of a dialect: 「出してくれるんじゃろ」."""
    return _DIALECT_END.sub("でしょう", ja.normalise(question))


def _unneeded(sentence: str, told: str) -> bool | None:
    """What is told not to be needed, and is spoken of as if it were: 「認可が下りるまで」."""
    first = told.split("\n")[0]
    names = {n for run in _UNNEEDED.findall(first) for n in run.split("・")}
    return False if any(re.search(re.escape(n) + _COMES, sentence) for n in names) else None


def _in_part(sentence: str, told: str) -> bool | None:
    """All of something against a part of it, a majority against another share; a goal that was reached against one that was not."""
    part = (_IN_FULL.search(sentence) and _PART.search(told)) or (
        "過半数" in sentence and "過半数" not in told and _OF_VOTES.search(told.split("\n")[0])
    )
    return False if part or (_GOAL.search(sentence) and _SHORT_OF_GOAL.search(told)) else None


def _opposed(sentence: str, told: str) -> bool | None:
    """More than a limit, shared out what all answer for, two days for one, one kind of legal person for another."""
    first = told.split("\n")[0]
    persons = set(_NAMED_PERSON.findall(first))
    opposed = (
        (_MORE.search(sentence) and _LIMIT.search(first))
        or (_SHARED_OUT.search(sentence) and _JOINTLY.search(first))
        or (_NEXT_DAY.search(sentence) and len(set(_DAY.findall(first))) == 1)
        or (persons and _LEGAL_PERSON.search(sentence) and not any(p in sentence for p in persons))
    )
    return False if opposed and not _NOT_AT_END.search(sentence) else None


def _from(sentence: str, told: str) -> bool | None:
    """What something is said to have been before."""
    named, known = (set(_ORIGIN.findall(text)) for text in (sentence, told))
    return False if named and known and named.isdisjoint(known) else None


def _by_whom(sentence: str, told: str) -> bool | None:
    """Who is said to decide or to elect."""
    for who, does in _DECIDES.findall(sentence):
        known = {w for w, d in _DECIDES.findall(_DENIAL.sub("", told)) if d == does}
        if known and who not in known and not _NOT.search(sentence):
            return False
    return None


def _contradicts(sentence: str, told: str) -> bool:
    """May against may not, must against need not, a plain statement against its denial, one place against another."""
    first, *others = told.split("。")
    if _is_denied(sentence, told):
        return True
    if _NEED_NOT.search(sentence):
        return bool(_MUST.search(told)) and not _MAY_NOT.search(first) and not _NO_RULE.search(first)
    if _MUST_BE.search(sentence):
        # 「要るのは…だけです。ほかに義務はありません」
        return bool(_NO_RULE.search("。".join([first, *others[:1]]) if _ONLY.search(first) else first))
    if _MAY.search(sentence):
        return bool(_MAY_NOT.search("。".join([first, *others[:1]]))) and not _MAY.search(first)
    nouns = ja.nouns(sentence)
    denied = bool(_NEGATIVE.search(first)) and not re.search("ない|ません|だけ", sentence)
    if denied and nouns and all(n in first for n in nouns):
        return True
    named, known = (set(_PREFECTURE.findall(text)) for text in (sentence, told))
    return bool(named and known) and named.isdisjoint(known)


def as_open_question(question: str) -> str:
    """The question with what it takes for granted left open: 「任期は4年ですよね?」 → 「任期は何年ですよね?」.

    Else the wrong amount would draw passages that happen to hold it.
    """
    sentence = _confirming(_standard(question))
    opened = _TAIL.sub("ですか?", sentence)
    opened = _IN_ARTICLE.sub("何条", _FIRST.sub(r"\g<subject>どこ", opened))
    opened = _BARE_COUNT.sub("いくつ", _DATE.sub("何年", opened))
    if _CONFIRMS.search(sentence):  # where something is said to be is a claim only if it wants to be confirmed
        opened = _PLACE.sub(lambda m: "どこ" if m[2] else "どこの県", opened)
    opened = _QUANTITY.sub(lambda m: _asked(m) if m[3] != "つ" and _is_claim(m, opened) else m[0], opened)
    opened = _REACHED.sub("必要ですか?", opened)
    return _REPLACED.sub("", _standard(question)).replace(sentence, opened) if opened != sentence else question


def _asked(match: re.Match[str]) -> str:
    return "何分の1" if match[4] else f"何{match[3]}"


def _is_claim(match: re.Match[str], sentence: str) -> bool:
    return not _YEAR.match(match[0]) and bool(match[4] or _GRANTED.search(sentence[match.end() :]))


def _confirming(question: str) -> str:
    """The sentence that wants to be confirmed, the last one first; empty where there is none."""
    sentences: list[str] = [s.strip() for s in re.split(r"(?<=[。?!])", question) if s.strip()]
    sentences = [_REPLACED.sub("", s) for s in sentences]
    confirmed = [s for s in reversed(sentences) if _CONFIRMS.search(s)]
    if confirmed:  # 「…なんですよね。あと2人、どう探せばいいでしょう」
        return next((s for s in confirmed if not _ASKS.search(s)), confirmed[0])
    last = sentences[-1] if sentences else ""
    return last if _HEARD.search(last) and not _ASKS.search(last) else ""


def _article(sentence: str, told: str) -> bool | None:
    """The article in which something is said to stand, against the last article that is told."""
    named, known = _IN_ARTICLE.search(sentence), re.findall(r"(?:附則)?\d{1,3}条(?:の\d{1,2})?", told)
    return named["article"] == known[-1] if named and known else None


def _first(sentence: str, told: str) -> bool | None:
    """What is said to come first of its kind is wrong where nothing of its name is told."""
    named = _FIRST.search(sentence)
    nouns = [m.surface() for m in ja.morphemes(named["named"]) if ja.is_subject(m)] if named else []
    later = " ".join(_LATER_RANK.findall(told))
    return False if nouns and (any(n in later for n in nouns) or not any(n in told for n in nouns)) else None


def _years(sentence: str, told: str) -> bool | None:
    """A year that is none of the one or two told is a wrong date. The same one says little: much may be told of a year."""
    granted = [*(m[0][:4] for m in _DATE.finditer(sentence)), *_OF_YEAR.findall(sentence)]
    known = set(_YEAR.findall(told.split("\n")[0]))
    return False if len(granted) == 1 and 1 <= len(known) <= 2 and granted[0] not in known else None


def _quantities(sentence: str, told: str) -> bool | None:
    sentence = re.sub(r"(\d+)の(?=[一-龥]{2,4}(?:でし|です|だ))", r"\1つの", _HALF.sub("2分の1", sentence))
    told = _HALF.sub("2分の1", told)
    if (bare := _BARE_COUNT.search(sentence)) and (counts := re.findall(r"(\d+)(?:団体|法人|組合|人|つ|件|か所)", told)):
        return None if bare[0] in counts else False
    for match in _QUANTITY.finditer(sentence):
        if not _is_claim(match, sentence):
            continue
        kind, amount = _kind_and_amount(match)
        of_kind = _told_of(kind, sentence, told)
        if of_kind and amount not in of_kind:
            return False
        known = [_kind_and_amount(m) for m in _QUANTITY.finditer(told) if not _YEAR.match(m[0])]
        if {a for k, a in known if k == kind} == {amount}:
            return True if _all_told(sentence, known, told) else None
    return None


def _told_of(kind: str, sentence: str, told: str) -> set[float]:
    """The amounts of a kind that are told of what the question is about: in the sentences that share most of its nouns.

    Where one of its nouns stands right before an amount (「理事が2年以内、監事が4年以内」), only those.
    """
    nouns = {n for n in ja.nouns(sentence) if len(n) > 1}
    found: list[tuple[int, bool, float]] = []
    for part in re.split(r"[。\n]", told):
        shared = len(nouns.intersection(ja.nouns(part)))
        for match in _QUANTITY.finditer(part):
            if not _YEAR.match(match[0]) and _kind_and_amount(match)[0] == kind:
                named = any(re.search(rf"{re.escape(n)}[はがもを]?[^、。\d]{{0,2}}$", part[: match.start()]) for n in nouns)
                found.append((shared, named, _kind_and_amount(match)[1]))
    most = max((shared for shared, _, _ in found), default=0)
    nearest = [f for f in found if f[0] == most]
    return {amount for _, named, amount in nearest if named} or {amount for _, _, amount in nearest}


def _at_once(sentence: str, told: str) -> bool | None:
    """What is said to come at once, while a length of time is told."""
    first = told.split("。")[0]
    return False if _AT_ONCE.search(sentence) and any(_kind_and_amount(m)[0] == "time" for m in _QUANTITY.finditer(first)) else None


def _events(sentence: str, told: str) -> bool | None:
    """When something was or is, told with a time of its own: 「成立は2022年」 against 「2020年12月4日に成立し」."""
    told_years = {event: year for year, event, _, _ in _OF_EVENT.findall(told) if event}
    named = [(event, year) for _, _, event, year in _OF_EVENT.findall(sentence) if event]
    moments = {what: when for when, what in _MOMENT.findall(told.split("\n")[0])}
    named += [(what, when) for when, what in _MOMENT.findall(sentence)]
    return False if any((told_years | moments).get(event, time) != time for event, time in named) else None


def _sites(sentence: str, told: str) -> bool | None:
    """One park, town or island against another, in what is said last and told first."""
    last, first = sentence.split("、")[-1], told.split("\n")[0]
    for name, site in _SITE.findall(re.split(r"[はで]", last)[1] if re.search("[は]", last) else last):
        known = [n for n, s in _SITE.findall(first) if s == site]
        if known and not any(n.endswith(name) or name.endswith(n) for n in known):
            return False
    return None


def _is_denied(sentence: str, told: str) -> bool:
    """What is told says in so many words that it is not so: 「総会で選ぶのではありません」, 「口数に関係なく」, 「だけです」."""
    nouns = set(ja.nouns(sentence))
    first = told.split("\n")[0]
    denied = [set(ja.nouns(part)) for part in _DENIAL.findall(first)]
    if any(part and part <= nouns for part in denied) and not _NOT.search(_OBLIGED.sub("", sentence)):
        return True
    also = nouns | set(ja.nouns(colloquial.understood(sentence).added))
    forbidden = [{n for n in ja.nouns(part) if len(n) > 1} for part in _FORBIDDEN.findall(told)]
    if any(len(part) > 1 and part <= also for part in forbidden) and not _NOT.search(sentence):
        return True
    if "関係な" not in sentence and any(re.search(n, sentence) for n in _REGARDLESS.findall(first)):
        return True
    return bool(_OF_ALL.search(sentence) and _ONLY.search("。".join(first.split("。")[:2])))


def _all_told(sentence: str, known: list[tuple[str, float]], told: str) -> bool:
    """Whether every quantity and every year of the sentence is told, so that nothing wrong is confirmed with what is right."""
    quantities = [_kind_and_amount(m) for m in _QUANTITY.finditer(sentence) if not _YEAR.match(m[0])]
    return all(q in known for q in quantities) and set(_YEAR.findall(sentence)) <= set(_YEAR.findall(told))


def _kind_and_amount(match: re.Match[str]) -> tuple[str, float]:
    """Lengths of time are compared in days, so that 1か月 is not 2週間."""
    if match[4]:
        return "share", round(int(match[5]) / max(int(match[4]), 1), 4)
    amount, unit = float(match[1]) * _LARGE.get(match[2] or "", 1), match[3]
    if unit in _DAYS:
        return "time", amount * _DAYS[unit]
    if unit in _SHARES:
        return "share", round(amount / _SHARES[unit], 4)
    return {"名": "人", "団体": "つ", "法人": "つ", "県": "つ"}.get(unit, unit), amount
