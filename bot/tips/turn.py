"""One message of the talk about a tip: which step takes it, what is kept, what is said."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.curation import Curation
from bot.dialogues import Dialogue, Dialogues
from bot.errors import UserMistake
from bot.intents import Intent, recognise
from bot.members import Members
from bot.messages import Act, Choice, IncomingMessage, Reply, plain
from bot.tips.addressee import COURTESY, goes_on_from_sent, is_for_others, is_small_talk
from bot.tips.chat import Asked, Here
from bot.tips.mistakes import refusal
from bot.tips.own import Answered, OwnTips
from bot.tips.pieces import labelled, stops_short, told
from bot.tips.questions import ask, shortened
from bot.tips.sending import sent, thanks, was_sent
from bot.tips.state import OPTIONAL, PIECES, WAITS, Step, Talk, with_pieces
from bot.tips.steps import MOST, ahead, asked_anew, begun, chosen_early, continued, corrected, fits, goes_on, settled, take
from bot.tips.tip import Draft
from bot.tips.words import (
    Word,
    asks_about_sharing,
    beginning,
    clean,
    has_another,
    is_interjection,
    only_asks,
    says,
    says_how_to_share,
    wants_anothers,
    wants_removed,
)
from knowledge import StoreUnavailable

log = logging.getLogger(__name__)

KIND = "tip"
_FREE = ("text", "place", "happened", "outcome", "question", "author_name")
_LATELY = dt.timedelta(hours=1)
_AT_ONCE = dt.timedelta(seconds=10)  # messages that follow each other this fast are one thought


@dataclass(frozen=True, slots=True)
class Services:
    """What a talk needs. `name`: how the bot is called in a group."""

    curation: Curation
    members: Members
    dialogues: Dialogues
    clock: Callable[[], dt.datetime]
    name: str


class TipTurn:
    """One message in the talk of the person who wrote it; `question`: that of the answer it goes on from."""

    def __init__(self, services: Services, message: IncomingMessage, language: str, question: str = "") -> None:
        self._dialogues, self._curation, self._own = services.dialogues, services.curation, OwnTips(services.curation)
        self._message = message
        self._language = language
        self._question = question[: MOST[Step.QUESTION]]
        self._now = message.at or services.clock()
        self._here = Here(message, language, services.curation, services.members, services.name)
        self._text = clean(message.text)
        self.row = self._found()
        self._talk = _talk(self.row)
        self._heard = self._talk.heard

    def _found(self) -> Dialogue | None:
        """The talk that was kept. A database that refuses keeps nobody from an answer: there is no talk then."""
        try:
            return self._dialogues.find(self._message.conversation, self._here.person, KIND, self._now)
        except StoreUnavailable as error:
            log.error("An open talk could not be read. %s", error)
            return None

    # which part of the talk takes the message

    def take(self) -> Reply | None:
        """What is said to the message; None where it is not for the talk."""
        if repeated := self._repeated():
            return repeated
        if not self._message.unreadable and (found := self._own.take(self._text, self._talk, self._here, self._now)):
            return self._own_answered(found)
        if self._is_in_time and self._talk.is_open:
            return self._opened()
        return None if self._message.unreadable else self._closed()

    def _repeated(self) -> Reply | None:
        """What is said to a message that was taken before its answer could leave: it is not taken twice. None for any other."""
        if not self._message.id or self._message.id not in self._heard:
            return None
        if self._talk.is_open:
            return self._again()
        if self._talk.step is Step.SENT and self.row:
            return self._finished(self.row.changed_at) if self._talk.draft.text else self._say("sent_already")
        return self._left() if self._talk.has_draft and says(self._text, Word.LEAVE) else None

    def is_awaited(self) -> bool:
        """Whether the talk goes on with the message though nobody addressed the bot."""
        if self._own.expects(self._text, self._talk, self._now):
            return True
        if not self._is_in_time:
            return False
        if self._talk.step is Step.SENT:
            return goes_on_from_sent(self._text)
        if not self._talk.is_open or (self._message.unreadable and self._talk.step is not Step.TEXT):
            return False
        return self._message.unreadable or says(self._text, Word.BACK) or not is_small_talk(self._talk, self._text, self._here)

    @property
    def _is_in_time(self) -> bool:
        return self.row is not None and self._now - self.row.changed_at <= WAITS

    @property
    def _was_lately(self) -> bool:
        return self.row is not None and self._now - self.row.changed_at <= _LATELY

    def _closed(self) -> Reply | None:
        """Nothing is waited for: a tip may be begun, gone on with, or looked at again after it was sent."""
        if says(self._text, Word.RESUME):
            return self._resumed() if self._talk.has_draft else self._say("no_draft", begin=True)
        if says(self._text, Word.GO_ON) and self._talk.has_draft and not self._talk.left and self._was_lately:
            return self._resumed()  # 「つづき」 after a pause; of a draft that was put away it may mean the last answer
        if says(self._text, Word.DISCARD) and self._talk.has_draft:
            return self._discarded()
        if self._talk.step is Step.SENT and self._talk.tip:
            if says(self._text, Word.SEND):
                return self._say("sent_already")  # a second tap
            if says(self._text, Word.MEND) or (self._is_in_time and says(self._text, Word.BACK)):
                return self._own_answered(self._own.mended(self._talk.tip, self._talk, self._here))
            if self._is_in_time and wants_removed(self._text):
                return self._own_answered(self._own.removal(self._talk.tip, self._talk, self._here, self._now))
            if self._is_in_time and asks_about_sharing(self._text):
                return self._reply(Asked(self._about()))
            if self._is_in_time and has_another(self._text):
                return self._begun(Draft())
        if wants_anothers(self._text):
            return self._begun(Draft(question=self._question), "ask_to_paste")
        begins = beginning(self._text)
        if begins is not None:
            return self._begun(Draft(begins, question=self._question))
        if any(says(self._text, word) for word in (Word.SEND, Word.SKIP, Word.MEND)) and self._talk.has_draft:
            return self._resumed()  # a button of a talk that has waited long enough
        return self._say("no_draft", begin=True) if says(self._text, Word.SEND) else None

    def _opened(self) -> Reply | None:
        """The talk waits for this person."""
        text, talk = self._text, self._talk
        if self._message.unreadable:
            return self._again("only_words")
        if command := self._command():
            return command
        begins = beginning(text)
        if begins is not None:
            if begins == (talk.draft.text if talk.step is not Step.SETTLE else None):
                return self._again()  # a second tap
            if begins == "" and talk.step is Step.TEXT:
                return self._again()
            if talk.step is not Step.TEXT or only_asks(begins):
                return self._begun(Draft(begins, question=self._question))
            text = begins
        elif asks_about_sharing(text) and talk.step is not Step.QUESTION:
            return self._again(said=self._about())
        elif is_for_others(talk, text):
            self._keep(talk, taken=False)  # five more minutes
            return None
        return self._answered(text)

    def _command(self) -> Reply | None:
        text, talk = self._text, self._talk
        if says(text, Word.DISCARD) and not talk.following:
            return self._discarded()
        removes = recognise(text) is Intent.FORGET or says(text, Word.SCRUB)
        if removes and talk.step is not Step.PERSONAL and len(text) <= _LONGEST_REMOVE:
            return self._reply(Asked(self._here.say("which_removal"), (self._here.label(Word.DISCARD), _REMOVE_ALL)))
        if talk.tip and talk.step is Step.MEND and wants_removed(text):
            return self._own_answered(self._own.removal(talk.tip, talk, self._here, self._now))
        if says(text, Word.LEAVE):
            return self._left()
        if talk.step is Step.SETTLE:
            return None
        if says(text, Word.MEND) and talk.draft.text and talk.step not in _MENDING:
            return self._asking(talk.to(Step.MEND))
        if says(text, Word.BACK) and not (talk.step is Step.SIMILAR and says(text, Word.DIFFERS)):
            return self._asking(ahead(talk, self._here) if talk.step is Step.MEND else talk.back())
        if says(text, Word.SEND):
            return self._sent()
        if says(text, Word.RESUME) or (text == talk.draft.text and talk.step is not Step.TEXT):
            return self._again()  # the text again: a second tap
        return self._again() if talk.step is Step.MEND and says(text, Word.MEND) else None

    def _answered(self, text: str) -> Reply:
        """An answer to what the talk asks; what is none is asked again."""
        talk, step = self._talk, self._talk.step
        try:
            if goes_on(talk, text, at_once=self._at_once):
                return self._asking(replace(continued(talk, text, self._here), told_at=self._now.isoformat()), "added")
            if (pieces := labelled(text, loosely=bool(talk.draft.text))) and step is not Step.SETTLE:
                return self._asking(self._with(pieces))
            if step in PIECES and (is_interjection(text) or (recognise(text) in COURTESY and step is not Step.OUTCOME)):
                return self._again()
            if put_right := corrected(talk, text, self._here):
                return self._asking(put_right[0], said=self._here.say("corrected", told=shortened(put_right[1])))
            new = None if step in PIECES and says_how_to_share(text) else take(talk, text, self._here)
            if new is None and (early := chosen_early(talk, text, self._here)):
                return self._asking(early[0], said=self._here.say("noted", chosen=self._here.label(early[1])))
            if new is None and step in PIECES:
                new = take(talk, text, self._here)
        except UserMistake as mistake:
            return self._again(said=str(mistake))
        if new is None:
            return self._again("not_sent_yet" if step is Step.SUMMARY else "not_understood")
        if new.step is Step.SENT:
            self._dialogues.end(self._message.conversation, self._here.person)
            return self._reply(Asked(self._here.say("same_thanks")))
        told_at = self._now.isoformat() if step is Step.TEXT else talk.told_at
        return self._asking(replace(new, told_at=told_at), "how_to_add" if says(text, Word.ADD) else "")

    def _with(self, pieces: Mapping[str, str]) -> Talk:
        """The talk with pieces that were named: 「どこ：…」. Raises UserMistake for one that cannot be."""
        steps = [s for s, piece in PIECES.items() if piece in pieces]
        for step in steps:
            fits(pieces[PIECES[step]], step, self._here)
        new = self._talk.telling(**pieces).having(*steps)
        return ahead(new.lacking(Step.SIMILAR) if "text" in pieces else new, self._here)

    @property
    def _at_once(self) -> bool:
        told_at = self._talk.told_at
        return bool(told_at) and self._now - dt.datetime.fromisoformat(told_at) <= _AT_ONCE

    # beginning, going on, leaving

    def begin(self, draft: Draft) -> Reply:
        """Begin with what was told; an older draft is asked about first."""
        return self._repeated() or self._begun(with_pieces(draft, {k: clean(getattr(draft, k)) for k in _FREE}))

    def _begun(self, draft: Draft, key: str = "") -> Reply:
        if self._talk.has_draft and self._talk.draft.text:
            following = self._fitting(draft)[0]
            return self._asking(replace(self._talk, step=Step.SETTLE, left=False, following=following))
        draft, said = self._fitting(draft)
        said = said or (self._here.say(key) if key else "")
        talk = ahead(begun(draft, told_at=self._now.isoformat() if draft.text else ""), self._here)
        return self._asking(talk, said=said, alone=bool(key))

    def _fitting(self, draft: Draft) -> tuple[Draft, str]:
        """The draft without pieces that cannot be, and what is to be said about them."""
        mistakes = []
        if only_asks(told(draft.text).text):
            draft, mistakes = with_pieces(draft, {"text": ""}), [self._here.say("question_not_tip")]
        for step, piece in PIECES.items():
            if value := getattr(draft, piece):
                try:
                    fits(value, step, self._here)
                except UserMistake as mistake:
                    draft = with_pieces(draft, {piece: ""})
                    mistakes.append(str(mistake))
        return draft, "\n".join(dict.fromkeys(mistakes))

    def _resumed(self) -> Reply:
        talk = replace(self._talk, left=False)
        return self._asking(talk if talk.following else ahead(talk, self._here), "resumed")

    def _left(self) -> Reply:
        if not self._talk.has_draft:
            self._dialogues.end(self._message.conversation, self._here.person)
            return self._say("left_nothing")
        self._keep(replace(self._talk, left=True))
        words = (self._here.label(Word.RESUME), self._here.label(Word.DISCARD))
        return self._reply(Asked(self._here.say("left", call=self._here.call), words))

    def _discarded(self) -> Reply:
        self._dialogues.end(self._message.conversation, self._here.person)
        return self._say("discarded")

    # sending

    def _sent(self) -> Reply:
        """Send what was told, if nothing stands against it; what was not chosen is named."""
        early = self._talk
        if not early.draft.text:
            return self._again("nothing_told")
        if (anew := asked_anew(early, self._here)) is not early:
            return self._asking(anew)
        talk = settled(early, self._here)
        if early.step is Step.SIMILAR:
            talk = talk.having(Step.SIMILAR)
        talk = ahead(talk.having(Step.TEXT), self._here)
        if talk.step is not Step.SUMMARY:
            return self._asking(talk)
        sending = self._row(replace(talk, step=Step.SENT))
        if self.row is None or not self._dialogues.advance(self.row, sending):
            return self._say("sent_already")  # the same word twice, taken by two processes
        defaults = not OPTIONAL.intersection({Step.CONSENT, Step.AUDIENCE}) <= early.done
        return self._sending(talk, defaults=defaults)

    def _sending(self, talk: Talk, *, defaults: bool = False) -> Reply:
        try:
            tip = sent(talk, self._here, self._curation)
        except UserMistake as mistake:
            return self._asking(talk.lacking(Step.TEXT).to(Step.TEXT), said=refusal(mistake, self._language))
        except Exception:
            self._keep(talk)  # it was not sent, and is still there
            raise
        self._keep(Talk(step=Step.SENT, tip=tip))
        text = thanks(talk, self._here, defaults=defaults)
        return self._reply(Asked(text, (self._here.label(Word.MEND), self._here.label(Word.OWN))))

    def _finished(self, begun_at: dt.datetime) -> Reply:
        """Send what a process was sending when it died, unless it had done so."""
        talk = replace(self._talk, step=Step.SUMMARY)
        if tip := was_sent(talk, self._here, self._curation, begun_at):
            self._keep(Talk(step=Step.SENT, tip=tip))
            return self._say("sent_already")
        return self._sending(talk)

    # saying and keeping

    def _own_answered(self, found: Answered) -> Reply | None:
        """What is said of one's own tips; a tip that is to be changed goes through the same steps."""
        talk, asked = found
        if asked is None:
            return self._asking(talk)
        self._keep(talk)
        return self._reply(asked)

    def _asking(self, talk: Talk, key: str = "", *, said: str = "", alone: bool = False) -> Reply:
        """The talk at its step, with its question. `alone`: what is said is the question."""
        self._keep(talk)
        asked = ask(talk, self._here)
        if key in ("", "added") and not said and goes_on(talk, "", at_once=True) and stops_short(talk.draft.text):
            key, alone = "go_on_telling", True
        first = said or (self._here.say(key) if key else "")
        text = first if alone and first else "\n".join(part for part in (first, asked.text) if part)
        return self._reply(replace(asked, text=text))

    def _about(self) -> str:
        """Who sees a tip, and when; what can be done with it afterwards."""
        return self._here.say("about", audience=self._here.label(Word.OWN_CO_OP))

    def _again(self, key: str = "", *, said: str = "") -> Reply:
        return self._asking(self._talk, key, said=said)

    def _say(self, key: str, *, begin: bool = False, words: tuple[Word, ...] = ()) -> Reply:
        choices = (*(self._here.label(w) for w in words), *((self._here.say("begin"),) if begin else ()))
        return self._reply(Asked(self._here.say(key), choices))

    def _reply(self, asked: Asked) -> Reply:
        return say(asked, self._language)

    def _keep(self, talk: Talk, *, taken: bool = True) -> None:
        """`taken`: the message belongs to the talk, and shall not be taken again."""
        self._talk = talk
        self.row = self._row(talk, taken=taken)
        self._dialogues.keep(self.row)

    def _row(self, talk: Talk, *, taken: bool = True) -> Dialogue:
        talk = replace(talk, heard=self._heard)
        talk = talk.having_heard(self._message.id) if taken else talk
        return Dialogue(self._message.conversation, self._here.person, KIND, talk.step.value, talk.as_json(), self._now)


_MENDING = (Step.TEXT, Step.SUMMARY, Step.MEND, Step.PERSONAL)  # steps that know the word themselves
_REMOVE_ALL = "わたしの記録を消して"
_LONGEST_REMOVE = 8  # characters: 「消して」, 「消してください」 say not what


def _talk(row: Dialogue | None) -> Talk:
    """The talk that was kept; a new one where there is none, or none that this version of the program can read."""
    try:
        return Talk.of(row.step, row.draft) if row else Talk(left=True)
    except (KeyError, TypeError, ValueError):
        return Talk(left=True)


def say(asked: Asked, language: str) -> Reply:
    """A question or a sentence of the talk as a reply."""
    reply = plain(Act.TAKE_TIP, asked.text, language)
    choices = tuple(Choice(text) for text in asked.choices)
    return replace(reply, choices=choices, answer={**reply.answer, "choices": [c.text for c in choices]})
