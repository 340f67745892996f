"""A message read as a question about announcements: what kind, which days, where, which one."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from bot.announcing.announcement import Announcement
from bot.announcing.days import Span, span_in
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
    r"いつ|何[日時]|なんにち|なんじ|日にち|日時|どこ|(?<!居)場所|会場|いくら|金額|だれ|誰|対象|何だっけ|なんだっけ|何でした|なんでした|どうなっ|教えて|おしえて"
)
_OF_EVENT = re.compile(r"どこ|(?<!居)場所|会場|何時|なんじ|日時")
_OF_GRANT = re.compile(r"いくら|金額|だれ|誰|対象")
# Questions for what must be, or what others do and think, not for what has been announced.
_OF_RULES = re.compile(
    r"何人|なんにん|必要|なければ|なきゃ|なくて|べき|義務|決まり|きまり|法律|条|定款|届|登記|議事録|公告|何(?:日|週間|か月)(?:前|以内)"
    r"|なぜ|なんで|どうし|どうすれば|理由|作れ|つくれ|割|多い|少ない|答え|言って|よね|でしょ|らしい|組合|団体|やってい?る|違い|とは"
)
_IN_TIME = re.compile(r"間に合|まにあ")
_OPEN = re.compile(r"間に合|まにあ|出せる|だせる|申し?込める|もうしこめる|応募できる|募集中|使える|つかえる|今ある|いま|まだ")
_GENERAL = re.compile(
    "何|物|事|所|分|金|方|人|件|内容|詳細|話|最近|最新|新着|今|申し込み|応募|申請|募集|作り|活動|事業|感じ|情報|奴"
)
# What a question for a list may say besides its kind, days and place.
_FILLING = re.compile(
    r"ありますか|あります|ある(?:の|んだ)?(?:かな|か)?|ない(?:です|の)?|出ていた|出てい?る|来てい?る|きてい?る|出せ(?:る|ます)|だせる|使え(?:る|ます)|つかえる"
    r"|(?:申し?込|もうしこ)め(?:る|ます)|応募でき(?:る|ます)|応募|募集中?|もらえ(?:る|ます)|受けられる|教えて(?:ください)?|おしえて(?:ください)?|知りたい|見たい|見せて"
    r"|何が|何か|何を|何だ|なに[がかを]?|なん(?:だ|か)|何|どんな|どれ|いくつ|いつ|まだ|いま|今|最近|最新|近い|一番|これから|あの|その|この|さっき|前|先日|昨日"
    r"|だっけ|でしたっけ|でした|ですか|です|かな|って|とか|けど|ところ|もの|やつ|情報|次|の|は|が|を|に|で|も|と|から|まで|中|末|ぜんぶ|全部|一覧|ください|お願いします"
)
_BESIDES = 2  # letters of something else that do not matter
MORE_OF = re.compile(r"(?:について)?[、\s]*(?:くわしく|詳しく)(?:教えて|おしえて)?(?:ください)?[。!]?$")
_POINTS_BACK = re.compile(r"^(?:あの|その|この|さっきの|こないだの|この前の|前の|先日の)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A message read as a question about announcements. `names`: the nouns that say which one."""

    about: frozenset[About]
    span: Span | None
    prefectures: frozenset[str]
    place: str
    open_now: bool
    points_back: bool
    names: tuple[str, ...]
    text: str
    only: bool  # it says nothing else

    @property
    def in_time(self) -> bool:
        return bool(_IN_TIME.search(self.text))

    @property
    def asks_for_facts(self) -> bool:
        return bool(_ASKS.search(self.text) or self.about)

    def may_be_told_by(self, announcement: Announcement) -> bool:
        """Whether it has what is asked for: a deadline only a grant, a place only an event."""
        content = announcement.content
        wants_grant = About.DEADLINE in self.about or About.GRANT in self.about or _OF_GRANT.search(self.text)
        wants_event = About.EVENT in self.about or _OF_EVENT.search(self.text)
        return not (wants_grant and not content.grant) and not (wants_event and not content.event)


def read(text: str, today: dt.date) -> Asked | None:
    """A question about announcements, as far as its words show; None for anything else."""
    text = normalise(text)
    if len(text) > _LONGEST or _OF_RULES.search(text):
        return None
    span, rest = span_in(text, today)
    about = set()
    for kind, pattern in _KINDS:
        if pattern.search(rest):
            about.add(kind)
            rest = pattern.sub(" ", rest)
    place, rest = place_in(rest, ()) if About.GRANT in about or About.EVENT in about else (None, rest)
    names = tuple(n for n in nouns(_ASKS.sub(" ", rest)) if not _GENERAL.fullmatch(n))
    asked = Asked(
        frozenset(about),
        span,
        place.prefectures if place else frozenset(),
        place.said if place else "",
        bool(_OPEN.search(text)),
        bool(_POINTS_BACK.search(text)),
        names,
        text,
        len(re.sub(r"[\W_]", "", _FILLING.sub("", rest))) <= _BESIDES,
    )
    return asked if asked.asks_for_facts or names else None
