"""Questions about announcements, answered from their fields and the day: 「今月の締切は?」「長野の助成金ある?」."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot import wording
from bot.announcing import particulars, telling
from bot.announcing.asked import MORE_OF, About, Asked, read
from bot.announcing.choosing import in_order, is_named, is_within, speaks_of, titled, wanted
from bot.announcing.days import date_told, day_of
from bot.announcing.knowledge_of import Announced, Bulletin
from bot.announcing.particulars import Particular
from bot.answers import Answers
from bot.commands import GOING_ON
from bot.messages import Act, plain
from bot.turn import Taken, Turn
from knowledge import Answer, Citation, Kind, Layer, Match, StoreUnavailable

log = logging.getLogger(__name__)

_SCREEN = 250  # characters of an answer with its source
_MOST = 6  # announcements in one answer
_DETAILED = 3  # of them, for 「くわしく」
_SURE = 0.95
_MEETING = re.compile(r"(?:会|祭り?|まつり|式|研修|講座|集い|つどい|教室|バザー|見学|行事|イベント)$")
_DATED = re.compile(r"\d月\s*\d+日|\d/\d")


class Asking:
    """Takes a message that asks for what has been announced here. Nothing that others were told is told, counted or hinted at."""

    def __init__(self, bulletin: Bulletin, answers: Answers, clock: Callable[[], dt.datetime]) -> None:
        self._bulletin = bulletin
        self._answers = answers
        self._clock = clock

    def take(self, turn: Turn) -> Taken | None:
        now = turn.message.at or self._clock()
        today = day_of(now)
        try:
            # For every message: what was withdrawn is not found by the search after this either.
            valid, over = self._bulletin.told_to(turn.audience, now)
        except StoreUnavailable as error:
            log.error("Announcements could not be read. %s", error)
            return None
        if (more := MORE_OF.search(turn.text.strip())) and (whole := titled(turn.text.strip()[: more.start()], valid)):
            return self._whole(whole, turn, today)
        asked = read(turn.text, today) if turn.language.startswith("ja") else None
        if asked is None:
            return None
        if (asked.particular or asked.names) and (told := self._from_text(asked, valid, turn, today)):
            return told
        if asked.names:
            told = self._by_name(asked, valid, over, turn, today) or self._of_kind(asked, valid, turn, today)
            return told or _not_announced(asked, turn, today)
        if one := self._gone_on_from(asked, valid, turn):
            return self._one(one, turn, today, asked)
        if gone := self._gone_on_from(asked, over, turn):
            return self._past(gone, turn, today)
        return self._listed(asked, valid, over, turn, today)

    def of_withdrawn(self, turn: Turn) -> Taken | None:
        """What is asked of an announcement that was shown here, is quoted, and holds no more. A question that names something of
        its own is left to others."""
        if not turn.message.quotes:
            return None
        try:
            if not self._bulletin.is_withdrawn(turn.message.quotes):
                return None
        except StoreUnavailable as error:
            log.error("A quoted announcement could not be read. %s", error)
            return None
        asked = read(turn.text, day_of(turn.message.at or self._clock()))
        if turn.intent not in GOING_ON and turn.language.startswith("ja") and (asked is None or asked.names):
            return None
        return plain(Act.ANSWER, wording.say("announcement_withdrawn", turn.language), turn.language), turn.state

    def _by_name(
        self, asked: Asked, valid: Sequence[Announced], over: Sequence[Announced], turn: Turn, today: dt.date
    ) -> Taken | None:
        """The announcement whose title holds all that is named."""
        if not asked.asks_for_facts and not asked.is_then:
            return None
        named = [a for a in valid if is_named(a, asked.names) and asked.may_be_told_by(a.announcement)]
        if About.GRANT in asked.about or About.DEADLINE in asked.about:
            named = [a for a in named if is_within(a, asked, today)]
        if len(named) > 1:
            return self._list(in_order(named), f"「{'・'.join(asked.names)}」のお知らせは{len(named)}件です。", turn, today)
        if named:
            return self._one(named[0], turn, today, asked, _whether_then(named[0], asked, today))
        gone = next((a for a in over if is_named(a, asked.names) and asked.may_be_told_by(a.announcement)), None)
        return self._past(gone, turn, today) if gone else None

    def _of_kind(self, asked: Asked, valid: Sequence[Announced], turn: Turn, today: dt.date) -> Taken | None:
        """Grants and events that speak of all that is named, in any of their words."""
        if not asked.about & {About.GRANT, About.EVENT}:
            return None
        fitting = [a for a in wanted(asked, valid, today) if speaks_of(a, asked.names)]
        if not fitting:
            return None
        if len(fitting) == 1:
            return self._one(fitting[0], turn, today, asked)
        return self._list(fitting, _head(asked, fitting), turn, today)

    def _from_text(self, asked: Asked, valid: Sequence[Announced], turn: Turn, today: dt.date) -> Taken | None:
        """What no field holds, in the words of the text; where a particular of one announcement is not told, that is said."""
        if asked.of_others or asked.span:
            return None
        detail = asked.particular
        own = asked.own
        found = [a for a in valid if any(is_named(a, (n,)) for n in own)] or self._spoken_of(asked, valid, turn)
        rest = [tuple(n for n in own if not is_named(a, (n,))) for a in found]
        told = [
            (a, particulars.told_of(a.announcement.content, detail) if detail and not r else _spoken(a, r))
            for a, r in zip(found, rest, strict=True)
        ]
        said = [(a, text) for a, text in told if text]
        if len(said) == 1:
            one, text = said[0]
            head = f"「{telling.cut(telling.subject(one.title), 40)}」のお知らせに、こうあります。"
            return self._tell(f"{head}\n{telling.cut(text, telling.SHORT)}", [one], turn, today, told=(one.id,))
        if detail and not said and len(found) == 1 and not rest[0]:
            return self._one(found[0], turn, today, asked, f"{_missing(detail)}\n")
        return None

    def _spoken_of(self, asked: Asked, valid: Sequence[Announced], turn: Turn) -> list[Announced]:
        """Where no title is named: what the conversation is about, else all, for what is asked of what was announced only."""
        told = turn.state.topic[0].partition("#")[0] if turn.state.topic else ""
        if told:
            return [a for a in valid if a.id == told]
        dated = About.DEADLINE in asked.about and bool(asked.names) and not asked.particular
        if (asked.particular and asked.particular.of_events and not asked.about) or dated:
            return [a for a in valid if not dated or _DATED.search(_spoken(a, asked.names))]
        return []

    def _gone_on_from(self, asked: Asked, valid: Sequence[Announced], turn: Turn) -> Announced | None:
        """The announcement the conversation is about, where the message names nothing else."""
        if asked.span or asked.place or (asked.about and not asked.points_back and About.DEADLINE not in asked.about):
            return None
        told = turn.state.topic[0].partition("#")[0] if turn.state.topic else ""
        return next((a for a in valid if a.id == told and asked.may_be_told_by(a.announcement)), None)

    def _listed(
        self, asked: Asked, valid: Sequence[Announced], over: Sequence[Announced], turn: Turn, today: dt.date
    ) -> Taken | None:
        """What there is of a kind, by date."""
        if (
            not asked.about
            or not asked.only
            or (turn.state.topic and About.DEADLINE in asked.about and not (asked.span or asked.open_now))
        ):
            return None  # 「期限は?」 goes on from what was told
        if asked.about == {About.NOTICE} and asked.is_of_grants:
            return None  # who may announce
        looked_back = asked.span is not None and asked.span.last < today
        fitting = wanted(asked, [*valid, *over] if looked_back else valid, today)
        if fitting:
            if len(fitting) == 1 or (asked.points_back and not asked.span):
                return self._past(fitting[0], turn, today) if fitting[0] in over else self._one(fitting[0], turn, today, asked)
            return self._list(fitting, _head(asked, fitting), turn, today, counted=asked.asks_for_days_left)
        if asked.about == {About.NOTICE} and not valid:
            return plain(Act.ANSWER, "いま出ているお知らせはありません。", turn.language), turn.state
        nearest = [] if looked_back else wanted(replace(asked, span=None), valid, today)
        if asked.span and (looked_back or asked.about == {About.EVENT, About.GRANT}) and not nearest:
            return plain(Act.ANSWER, f"{asked.span.said}の{_noun(asked)}は、お知らせにはありません。", turn.language), turn.state
        if asked.span is None or not nearest:
            return None
        head = f"{asked.span.said}の{_noun(asked)}は、お知らせにはありません。いちばん近いのは、"
        return self._list(nearest[:1], head, turn, today)

    def _one(self, announced: Announced, turn: Turn, today: dt.date, asked: Asked, before: str = "") -> Taken:
        passage = self._bulletin.document(announced, today).passages[0]
        told = passage.easy if turn.language == "ja-easy" and passage.easy else passage.short
        if announced.deadline and asked.in_time:
            left = (announced.deadline - today).days
            told = f"まだ間に合います({f'あと{left}日' if left else '今日まで'})。{told}"
        elif asked.asks_for_days_left and (remaining := _days_left(announced, today)):
            told = f"{remaining}です。{told}"
        elif asked.asks_what:
            told = telling.with_text(told, announced.announcement)
        return self._tell(before + told, [announced], turn, today, told=(announced.id,))

    def _past(self, gone: Announced, turn: Turn, today: dt.date) -> Taken | None:
        told = telling.past(gone.announcement, today)
        return self._tell(told, [gone], turn, today, told=()) if told else None

    def _whole(self, announced: Announced, turn: Turn, today: dt.date) -> Taken:
        """All of it, for the button below an announcement."""
        return self._tell(
            self._bulletin.document(announced, today).passages[0].detail, [announced], turn, today, told=(announced.id,)
        )

    def _list(self, chosen: Sequence[Announced], head: str, turn: Turn, today: dt.date, *, counted: bool = False) -> Taken:
        """As many as the screen takes, a line each; the others are counted."""
        room = _SCREEN - len(head) - len(_source(chosen, turn.language)) - len("\n・\nほか99件")
        lines: list[str] = []
        for announced in chosen[:_MOST]:
            line = _line(announced, today, counted)
            if lines and sum(map(len, lines)) + 2 * len(lines) + len(line) > room:
                break
            lines.append(line)
        more = [f"ほか{len(chosen) - len(lines)}件"] if len(chosen) > len(lines) else []
        text = "\n".join([head, *(f"・{line}" for line in lines), *more])
        told = tuple(a.id for a in chosen[: min(len(lines), _DETAILED)])
        return self._tell(text, chosen, turn, today, told=told, more=chosen if len(chosen) > 1 else ())

    def _tell(
        self,
        text: str,
        about: Sequence[Announced],
        turn: Turn,
        today: dt.date,
        *,
        told: tuple[str, ...],
        more: Sequence[Announced] = (),
    ) -> Taken:
        documents = [self._bulletin.document(a, today) for a in about]
        alone = len(documents) == 1
        cited = tuple(
            Citation(
                d.id, Kind.EVENT, d.title, d.source, d.passages[0].detail, url=d.url, as_of=d.as_of if alone else "", co_op=d.co_op
            )
            for d in documents
        )
        layer = Layer(Kind.EVENT, text, tuple(c.id for c in cited))
        offered = tuple(Match(d.passages[0], d, 0.0) for d in documents) if more else ()
        return self._answers.reply(Answer(True, _SURE, (layer,), cited, told=told, more=offered), turn.state)


def _spoken(announced: Announced, names: Sequence[str]) -> str:
    return particulars.speaking_of(announced.announcement.content, names) if names else ""


def _not_announced(asked: Asked, turn: Turn, today: dt.date) -> Taken | None:
    """「総会は来月?」 where no such thing has been announced: nobody else knows of days that are told from today."""
    if not asked.is_then or asked.span is None or asked.span.last < today or any(c.isdigit() for c in asked.span.said):
        return None
    if not _MEETING.search(asked.names[-1]):
        return None  # 「あしたの天気は?」
    return plain(Act.ANSWER, f"「{'・'.join(asked.names)}」のことは、お知らせにはありません。", turn.language), turn.state


def _whether_then(announced: Announced, asked: Asked, today: dt.date) -> str:
    """「はい。」 or 「いいえ。」 to 「総会は来月?」; empty where that was not asked, or no day is told."""
    if not asked.is_then or announced.announcement.content.day() is None:
        return ""
    return "はい。" if is_within(announced, asked, today) else "いいえ。"


def _missing(detail: Particular) -> str:
    if detail.name == particulars.CANCELLED:
        return "中止や延期のお知らせは出ていません。"
    return f"{detail.name}のことは、お知らせには書いてありません。"


def _days_left(announced: Announced, today: dt.date) -> str:
    """「あと9日」; empty for what names no day."""
    if announced.announcement.content.day() is None:
        return ""
    left = ((announced.deadline or announced.days()[0]) - today).days
    return f"あと{left}日" if left > 0 else "今日"


def _line(announced: Announced, today: dt.date, counted: bool = False) -> str:
    """「7月31日(金) 地域づくり助成」; 「締切」 where it could be taken for the day of an event."""
    title = telling.cut(telling.subject(announced.title), 30) + (
        f"({left})" if counted and (left := _days_left(announced, today)) else ""
    )
    if announced.deadline:
        return f"{date_told(announced.deadline, today)}締切 {title}"
    day = announced.days()[0]
    return f"{date_told(day, today)} {title}"


def _head(asked: Asked, found: Sequence[Announced]) -> str:
    """「今月の締切は3件です。」"""
    when = f"{asked.span.said}の" if asked.span else "いま間に合う" if About.DEADLINE in asked.about and asked.open_now else ""
    where = f"{asked.place}の" if asked.place else ""
    return f"{when}{where}{_noun(asked)}は{len(found)}件です。"


def _noun(asked: Asked) -> str:
    if asked.about == {About.EVENT, About.GRANT}:
        return "行事と締切"
    if About.GRANT in asked.about:
        return About.GRANT.value
    return next((kind.value for kind in (About.DEADLINE, About.EVENT) if kind in asked.about), About.NOTICE.value)


def _source(chosen: Sequence[Announced], language: str) -> str:
    cited = [Citation(a.id, Kind.EVENT, a.title, f"{a.issuer or '連合会'}のお知らせ", "") for a in chosen]
    return wording.sources(cited, language)
