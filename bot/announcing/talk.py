"""An announcement in a talk with the bot alone: 「お知らせ:…」, a look at it with what it costs, then 送る, 予約 or やめる."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace

from bot import wording
from bot.announcing import words
from bot.announcing.announcement import Announcement, Changed, Content, NotThere, Selection, local
from bot.announcing.composing import Announcements, Cost
from bot.announcing.days import span_in
from bot.announcing.times import Occasion
from bot.answers import plain
from bot.clock import JAPAN
from bot.dialogues import Dialogue, Dialogues
from bot.errors import UserMistake
from bot.members import Members
from bot.messages import Act, Choice, IncomingMessage, Reply
from bot.splitting import shorten
from bot.turn import owner
from knowledge import normalise

_KIND = "announcement"
_LOOKED_AT, _WHEN = "looked_at", "when"
_OPEN = dt.timedelta(minutes=30)
_BEGINS = re.compile(r"\s*(?:お知らせ|おしらせ)\s*[:：]\s*(?P<told>.+)", re.DOTALL)
_SENTENCE = re.compile(r"[^。!?！？\n]+[。!?！？]?")
_HOUR = re.compile(r"(?P<afternoon>午後)?\s*(?P<hour>[01]?\d|2[0-3])(?:時|:)(?P<minute>[0-5]\d|半)?")
_MORNING = dt.time(9)
_TITLE = 40  # characters
_SEND, _LATER, _STOP = "announce_send", "announce_later", "announce_stop"


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
        begun, talk = _BEGINS.fullmatch(message.text), self._open(message)
        if begun is None and talk is None:
            return None
        try:
            if begun:
                return self._begin(begun["told"].strip(), message, language)
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
        co_op = self._members.own_co_op(message.conversation, message.sender, group=False)
        selection = Selection(co_ops=(co_op,)) if co_op else Selection(everyone=True)
        made = self._announcements.compose(by, _content(told), selection, co_op=co_op)
        self._keep(message, _LOOKED_AT, made)
        return self._preview(made, by, language)

    def _go_on(self, talk: Dialogue, message: IncomingMessage, language: str) -> Reply | None:
        said, by = message.text.strip(), owner(message)
        held = self._announcements.get(str(talk.draft["id"]), by)
        version = int(talk.draft["version"])
        if _is(said, _STOP, language):
            self._announcements.withdraw(held.id, version, by)
            self._end(message)
            return _say("announce_stopped", language)
        if talk.step == _WHEN:
            return self._at(held, version, message, language)
        if _is(said, _SEND, language):
            self._announcements.schedule(held.id, version, by)
            self._end(message)
            return _say("announce_sent", language)
        if _is(said, _LATER, language):
            self._keep(message, _WHEN, held)
            return _say("announce_when", language, choices=(_STOP,))
        return None

    def _at(self, held: Announcement, version: int, message: IncomingMessage, language: str) -> Reply:
        by, now = owner(message), local(self._clock())
        at = _moment(normalise(message.text), now)
        if at is None:
            return _say("announce_when", language, choices=(_STOP,))
        changed = self._announcements.change(held.id, version, by, plan=replace(held.plan, send_at=at))
        self._keep(message, _WHEN, changed)  # a day that cannot be is told, and another one may be given
        self._announcements.schedule(changed.id, changed.version, by)
        self._end(message)
        return _say("announce_scheduled", language, when=words.said_day(at))

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
    """「12月1日 9時」, 「あした午後3時半」: a day, at nine unless an hour is named; None where there is no one day."""
    span, rest = span_in(said, now.date())
    hour = _HOUR.search(rest)
    if span is None or span.first != span.last:
        return None
    at = _MORNING
    if hour:
        minute = 30 if hour["minute"] == "半" else int(hour["minute"] or 0)
        at = dt.time((int(hour["hour"]) + 12 * bool(hour["afternoon"] and int(hour["hour"]) < 12)), minute)
    return dt.datetime.combine(span.first, at, JAPAN)


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
