"""A message read as a question about announcements: what kind, which days, where, which one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.announcing.announcement import Announcement, Kind
from bot.announcing.days import Span, span_in
from bot.announcing.particulars import Particular, asked_for
from knowledge import normalise, nouns, place_in

_LONGEST = 60  # characters; a longer message tells of something else too


class About(StrEnum):
    """What a message asks for."""

    NOTICE = "お知らせ"
    DEADLINE = "締切"
    GRANT = "助成金"
    EVENT = "行事"


_KINDS = (
    (About.DEADLINE, re.compile(r"締め?切り?|しめ?きり|〆切り?|期限|期日|いつまで|(?:まだ|もう)?間に合[うい]|まにあ[うい]")),
    (About.GRANT, re.compile(r"助成金?|補助金?|支援金|奨励金|公募|じょせいきん|ほじょきん")),
    (About.EVENT, re.compile(r"行事|イベント|催し物?|もよおし|予定|日程|スケジュール|集まり")),
    (About.NOTICE, re.compile(r"お知らせ|おしらせ|ご?案内|告知|連絡事項")),
)
# What an announcement can be asked for by name, and what only an event or a grant tells.
_ASKS = re.compile(
    r"いつ|何[日時]|なんにち|なんじ|なんぼ|何が|なにが|何に使|どんな|内容|日にち|日時|どこ|(?<!居)場所|会場|いくら|金額|だれ|誰|対象|何だっけ|なんだっけ|何でした|なんでした|どうなっ|教えて|おしえて"
)
_OF_EVENT = re.compile(r"どこ|(?<!居)場所|会場|何時|なんじ|日時")
_OF_GRANT = re.compile(r"いくら|金額|だれ|誰|対象")
# Questions for what must be, or what others do and think, not for what has been announced.
_OF_RULES = re.compile(
    r"何人|なんにん|必要|なければ|なきゃ|なくて|べき|義務|決まり|きまり|法律|条|定款|届|登記|議事録|公告|何(?:日|週間|か月)(?:前|以内)"
    r"|なぜ|なんで|どうし|どうやって|どう書|書き方|やり方|仕方|方法|もら(?:って|った|い方)|決め|どうすれば|理由|作れ|つくれ|割|多い|少ない|答え|言って|よね|でしょ|らしい|組合|団体|やってい?る|違い|とは"
)
_OF_OTHERS = re.compile(r"事例|調査|労協|活動|コツ|知恵|工夫|ふせ|防")
_OF_WHAT = re.compile(r"何が|なにが|何に使|なにに使|どんな|内容|何する|何をする")
_DAYS_LEFT = re.compile(r"(?:あと|残り|のこり)(?:何|なん)(?:日|にち)|何日前|(?:何|なん)日(?:後|ある)")
_ANYTHING = re.compile(r"(?:何|なに|なん)[がかだ]|(?:ある|あった|あります|あったっけ)")
_ARRIVED = re.compile(
    r"(?:送られて|送って|流れて)?(?:来た|きた|来てい?た|きてた|届いた|送られた|送った)(?:やつ|もの|ん|の|(?=お知らせ|おしらせ|ご?案内|連絡))"
)
# Endings and words of dialects, and kana that would be read as something else.
_SAID_PLAINLY = (
    (re.compile(r"(?:や|じゃ|だ)った(?:っ?け|か(?:い?な|い?のう?|ね|な))?(?=[ねのよ]?[?!。、 ]*$)"), "だっけ"),
    (re.compile(r"なんぞ|なんか(?=[あな])"), "何か"),
    (re.compile(r"ちかい"), "近い"),
)
_IN_TIME = re.compile(r"間に合|まにあ")
_OPEN = re.compile(r"間に合|まにあ|出せる|だせる|申し?込める|もうしこめる|応募できる|募集中|使える|つかえる|今ある|いま|まだ")
_GENERAL = re.compile(
    "何|物|事|所|分|金|方|人|件|内容|詳細|話|最近|最新|新着|今|申し込み|応募|申請|募集|作り|活動|事業|感じ|情報|奴|一覧|リスト|全部|全て|一回|晩|夜|朝"
)
# What a question for a list may say besides its kind, days and place.
_FILLING = re.compile(
    r"ありますか|あります|あった(?:っけ|か)?|ある(?:の|んだ|ん)?(?:かな|か)?|ない(?:です|の)?|出ていた|出てい?る|来てい?る|きてい?る|出せ(?:る|ます)|だせる|使え(?:る|ます)|つかえる"
    r"|(?:申し?込|もうしこ)め(?:る|ます)|応募でき(?:る|ます)|応募|募集中?|もらえ(?:る|ます)|受けられる|教えて(?:ください)?|おしえて(?:ください)?|知りたい|見たい|見せて"
    r"|何が|何か|何を|何だ|なに[がかを]?|なん(?:だ|か)|何|どんな|どれ|いくつ|早い|(?:あと|残り)?何日|もう[1一]?[回度]|一覧|いつ|まだ|いま|今|最近|最新|近い|一番|これから|あの|その|この|さっき|前|先日|昨日"
    r"|だっけ|でしたっけ|っけ|でした|ですか|です|かな|って|とか|けど|ところ|もの|やつ|情報|次|の|は|が|を|に|で|も|と|から|まで|中|末|ぜんぶ|全部|一覧|ください|お願いします"
)
_IS_IT = re.compile(r"(?:\?|だっけ|ですか|でした(?:か|っけ)|かな)[?!。\s]*$")
_BESIDES = 2  # letters of something else that do not matter
MORE_OF = re.compile(r"(?:について)?[、\s]*(?:くわしく|詳しく)(?:教えて|おしえて)?(?:ください)?[。!]?$")
_POINTS_BACK = re.compile(r"^(?:あの|その|この|さっきの|こないだの|この前の|前の|先日の)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A message read as a question about announcements. `names`: the nouns that say which one; `own`: those of them that are not
    the particular that is asked for."""

    about: frozenset[About]
    span: Span | None
    prefectures: frozenset[str]
    place: str
    open_now: bool
    points_back: bool
    names: tuple[str, ...]
    text: str
    only: bool  # it says nothing else
    arrived: bool  # the span is of when it was told, not of what it tells
    particular: Particular | None
    own: tuple[str, ...]
    is_then: bool  # it asks whether what it names is on the days of the span: 「総会は来月?」

    @property
    def in_time(self) -> bool:
        return bool(_IN_TIME.search(self.text))

    @property
    def asks_for_facts(self) -> bool:
        return bool(_ASKS.search(self.text) or _DAYS_LEFT.search(self.text) or self.about or self.particular)

    @property
    def asks_for_days_left(self) -> bool:
        return bool(_DAYS_LEFT.search(self.text))

    @property
    def asks_what(self) -> bool:
        return bool(_OF_WHAT.search(self.text))

    @property
    def of_others(self) -> bool:
        """Whether it asks what others do: never told from the text of an announcement."""
        return bool(_OF_OTHERS.search(self.text))

    @property
    def is_of_grants(self) -> bool:
        return bool(About.GRANT in self.about or _OF_GRANT.search(self.text))

    def may_be_told_by(self, announcement: Announcement) -> bool:
        """Whether it has what is asked for: a deadline only a grant, a place only an event. What a notice tells is in its text."""
        content = announcement.content
        if content.kind is Kind.NOTICE and About.GRANT not in self.about and (self.names or About.DEADLINE not in self.about):
            return True
        wants_grant = About.DEADLINE in self.about or About.GRANT in self.about or _OF_GRANT.search(self.text)
        wants_event = About.EVENT in self.about or _OF_EVENT.search(self.text)
        return not (wants_grant and not content.grant) and not (wants_event and not content.event)


def read(text: str, today: dt.date) -> Asked | None:
    """A question about announcements, as far as its words show; None for anything else."""
    text = normalise(text)
    for pattern, plain in _SAID_PLAINLY:
        text = pattern.sub(plain, text)
    if len(text) > _LONGEST or _OF_RULES.search(text):
        return None
    span, rest = span_in(text, today)
    about = set()
    if arrived := _ARRIVED.search(rest):
        about.add(About.NOTICE)
        rest = _ARRIVED.sub(" ", rest)
    for kind, pattern in _KINDS:
        if pattern.search(rest):
            about.add(kind)
            rest = pattern.sub(" ", rest)
    place, rest = place_in(rest, ()) if About.GRANT in about or About.EVENT in about else (None, rest)
    only = _is_filling(rest)
    particular = asked_for(text)
    names = _nouns_of(rest)
    own = _nouns_of(particular.asked.sub(" ", rest)) if particular else names
    if span and not about and not names and only and _ANYTHING.search(rest):
        about |= {About.EVENT, About.GRANT}  # 「来週何かある?」
    asked = Asked(
        frozenset(about),
        span,
        place.prefectures if place else frozenset(),
        place.said if place else "",
        bool(_OPEN.search(text)),
        bool(_POINTS_BACK.search(text)),
        names,
        text,
        only,
        bool(span and about == {About.NOTICE} and (arrived or span.last < today)),
        particular,
        own,
        bool(span and names and not about and not particular and _IS_IT.search(text) and _is_filling(_without(names, rest))),
    )
    return asked if asked.asks_for_facts or names else None


def _is_filling(text: str) -> bool:
    return len(re.sub(r"[\W_]", "", _FILLING.sub("", text))) <= _BESIDES


def _without(names: Iterable[str], text: str) -> str:
    for name in names:
        text = text.replace(name, " ")
    return text


def _nouns_of(text: str) -> tuple[str, ...]:
    return tuple(n for n in nouns(_ASKS.sub(" ", text)) if not _GENERAL.fullmatch(n))
