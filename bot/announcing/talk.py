"""An announcement in a talk with the bot alone: 「お知らせ:…」, a look at it with what it costs, then 送る, 予約 or やめる."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace

from bot import wording
from bot.announcing import words
from bot.announcing.announcement import Announcement, Changed, Content, NotThere, Selection, flaws_of_plan, local
from bot.announcing.composing import Announcements, Cost
from bot.announcing.days import no_such_day, span_in
from bot.announcing.hours import time_in
from bot.announcing.times import Occasion, begins
from bot.clock import JAPAN
from bot.dialogues import Dialogue, Dialogues
from bot.errors import UserMistake
from bot.members import Members
from bot.messages import Act, Choice, IncomingMessage, Reply, plain
from bot.splitting import shorten
from bot.turn import owner
from knowledge import normalise

_KIND = "announcement"
_LOOKED_AT, _WHEN = "looked_at", "when"
_OPEN = dt.timedelta(minutes=30)
_BEGINS = re.compile(r"\s*(?:お知らせ|おしらせ)\s*[:：]\s*(?P<told>.*)", re.DOTALL)
_SENTENCE = re.compile(r"(?:[^。!?！？\n]|[!?](?=[!-~]))+[。!?！？]?")  # no end within an address
_MORNING = dt.time(9)
_TITLE = 40  # characters
_SEND, _LATER, _STOP = "announce_send", "announce_later", "announce_stop"
# The buttons in one's own words. What could be meant both ways (「はい」「いいです」) sends nothing.
_PLEASE = r"(?:して|する|します|ください|下さい|ちょうだい|お願い(?:します)?|おねがい(?:します)?|ね|よ|な)*"
_BEFORE = r"(?:はい|うん|ok|じゃあ?|では|もう|やっぱり?|それ|これ|で|この|まま|内容|今|いま|すぐ|に|[、,\s])*"
_OWN_WORDS = {
    _STOP: re.compile(
        rf"{_BEFORE}(?:やめ(?:る|ます|て|とく|ておく|ときます)?|止める|中止|取り?消し?て?|取りやめ|キャンセル|消して|いらない){_PLEASE}"
    ),
    _SEND: re.compile(rf"{_BEFORE}(?:送る|送って|送ります|おくる|おくって|おくります|送信|出して|だして|今すぐ|いますぐ){_PLEASE}"),
    _LATER: re.compile(rf"{_BEFORE}(?:予約|よやく|あとで|後で)(?:送って|送る|おくって)?{_PLEASE}"),
}
_UNDECIDED = re.compile(
    r"(?:(?:まだ|ちょっと|少し|もう少し|今は|いまは|やっぱり?|[、,\s])*(?:(?:送ら|おくら|出さ|ださ)(?:ない|んと?い?)(?:で|て|でください|で下さい|でね)?"
    r"|(?:待|ま)って(?:ください|下さい|ね)?|まだ)|はい|うん|ok|いいです|いいよ|大丈夫(?:です)?)"
)
_OF_A_MOMENT = re.compile(
    r"(?:やっぱり?|じゃあ?|では|の|に|で|へ|まで|ごろ|頃|くらい|予約|送(?:って|る|ります|信)|おくって|して|する|ください|下さい|お願い(?:します)?|おねがい(?:します)?"
    r"|\(?[月火水木金土日]曜?日?\)|ね|よ|[、,。!\s])*"
)


def announces(text: str) -> str | None:
    """What somebody wants to announce; "" where nothing is told yet, None for any other message."""
    begun = _BEGINS.fullmatch(text)
    return begun["told"].strip() if begun else None


class AnnouncementTalk:
    """Synchronous. Only who may announce is listened to, and only alone; every other message is left to others."""

    def __init__(
        self, announcements: Announcements, members: Members, dialogues: Dialogues, clock: Callable[[], dt.datetime]
    ) -> None:
        self._announcements = announcements
        self._members = members
        self._dialogues = dialogues
        self._clock = clock

    def take(self, message: IncomingMessage, language: str) -> Reply | None:
        if message.group:
            return None
        told, talk = announces(message.text), self._open(message)
        if told is None and talk is None:
            return None
        try:
            if told is not None:
                return self._begin(told, message, language)
            return self._go_on(talk, message, language) if talk else None
        except (Changed, NotThere):
            self._end(message)
            return _say("announce_gone", language)
        except UserMistake as mistake:
            return plain(Act.ANNOUNCE, str(mistake), language)

    def _begin(self, told: str, message: IncomingMessage, language: str) -> Reply | None:
        by = owner(message)
        if not self._announcements.may_announce(by):
            return None
        if not told:
            return _say("announce_empty", language)
        co_op = self._members.own_co_op(message.conversation, message.sender, group=False)
        selection = Selection(co_ops=(co_op,)) if co_op else Selection(everyone=True)
        made = self._announcements.compose(by, _content(told), selection, co_op=co_op)
        self._keep(message, _LOOKED_AT, made)
        return self._preview(made, by, language)

    def _go_on(self, talk: Dialogue, message: IncomingMessage, language: str) -> Reply | None:
        said, by = message.text.strip(), owner(message)
        held = self._announcements.get(str(talk.draft["id"]), by)
        version = int(talk.draft["version"])
        wish, at = _wish(said, language), _moment(said, local(self._clock()))
        if wish == _STOP:
            self._announcements.withdraw(held.id, version, by)
            self._end(message)
            return _say("announce_stopped", language)
        if wish == _SEND:
            self._announcements.schedule(held.id, version, by)
            self._end(message)
            return _say("announce_sent", language)
        if at:
            return self._at(at, held, version, message, language)
        if _UNDECIDED.fullmatch(normalise(said).strip("。.!")):
            return _say("announce_kept", language, choices=(_SEND, _LATER, _STOP))
        if wish == _LATER:
            self._keep(message, _WHEN, held)
        if wish == _LATER or talk.step == _WHEN:
            return _ask_when(said, language)
        return None

    def _at(self, at: dt.datetime, held: Announcement, version: int, message: IncomingMessage, language: str) -> Reply:
        by, plan = owner(message), replace(held.plan, send_at=at)
        if wrong := flaws_of_plan(held.content, plan, self._clock()):
            self._keep(message, _WHEN, held)  # another day may be given
            raise UserMistake(wrong[0])
        changed = self._announcements.change(held.id, version, by, plan=plan)
        self._keep(message, _WHEN, changed)
        done = self._announcements.schedule(changed.id, changed.version, by)
        self._end(message)
        leaves = begins(done.plan, self._clock())
        return _say("announce_scheduled" if leaves == at else "announce_moved", language, when=words.said_day(leaves))

    def _preview(self, made: Announcement, by: str, language: str) -> Reply:
        shown = words.message(made.content, Occasion.FIRST, self._clock()).text
        cost = self._announcements.cost(made.id, by)
        values = {"text": shown, "chats": str(len(cost.chats)), "people": str(cost.people), "left": _left(cost)}
        return _say("announce_preview", language, choices=(_SEND, _LATER, _STOP), **values)

    def _open(self, message: IncomingMessage) -> Dialogue | None:
        now = self._clock()
        found = self._dialogues.find(message.conversation, owner(message), _KIND, now)
        return found if found and now - found.changed_at < _OPEN else None

    def _keep(self, message: IncomingMessage, step: str, held: Announcement) -> None:
        draft = {"id": held.id, "version": held.version}
        self._dialogues.keep(Dialogue(message.conversation, owner(message), _KIND, step, draft, self._clock()))

    def _end(self, message: IncomingMessage) -> None:
        self._dialogues.end(message.conversation, owner(message))


def _content(told: str) -> Content:
    """The first line, or the first sentence, is the title."""
    first = _SENTENCE.match(told)
    title = (first[0] if first else told).strip(" 。\u3000")
    rest = told[first.end() :].strip() if first else ""
    whole = rest if rest and len(title) <= _TITLE else told
    return Content(shorten(title, _TITLE), whole)


def _moment(said: str, now: dt.datetime) -> dt.datetime | None:
    """「12月1日 9時」, 「やっぱり明日の夕方5時に」: a day, at nine unless an hour is named; 「18時」 alone is the next such hour.
    None where there is no one day, or where something else is said too."""
    span, rest = span_in(normalise(said), now.date())
    time, rest = time_in(rest)
    if (span is None and time is None) or (span and span.first != span.last) or not _OF_A_MOMENT.fullmatch(rest):
        return None
    time = time or _MORNING
    day = span.first if span else now.date() + dt.timedelta(days=time <= now.time())
    return dt.datetime.combine(day, time, JAPAN)


def _ask_when(said: str, language: str) -> Reply:
    """For the day and the hour, with a word about a day that no year has."""
    asked = _say("announce_when", language, choices=(_STOP,))
    none = no_such_day(normalise(said))
    return replace(asked, text=f"{wording.say('announce_no_day', language, day=none)}\n{asked.text}") if none else asked


def _wish(said: str, language: str) -> str | None:
    """The button that was pressed, or typed in one's own words, in this language or in Japanese."""
    plain_words = normalise(said.strip("「」。. !！〜"))
    return next((key for key, own in _OWN_WORDS.items() if _is(said, key, language) or own.fullmatch(plain_words)), None)


def _left(cost: Cost) -> str:
    if cost.balance.told is None:
        return "?"
    return "∞" if cost.balance.left is None else str(cost.balance.left)


def _is(said: str, key: str, language: str) -> bool:
    """Whether a button was pressed, or the same was typed, in this language or in Japanese."""
    return said.strip("「」。. ").lower() in {wording.say(key, code).lower() for code in (language, "ja")}


def _say(key: str, language: str, choices: tuple[str, ...] = (), **values: str) -> Reply:
    told = plain(Act.ANNOUNCE, wording.say(key, language, **values), language)
    return told.with_choices(*(Choice(wording.say(choice, language)) for choice in choices))
