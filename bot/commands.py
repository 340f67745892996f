"""What a message wants besides an answer: to go on, to choose, other words or larger type, to rate, to forget."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from bot import wording
from bot.answers import RATING, Answers
from bot.intents import Intent
from bot.memory import Memory, State
from bot.messages import Act, Reply, contract, plain
from bot.signing import Signer
from bot.turn import Taken, Turn
from knowledge import KnowledgeBase, normalise

LONGEST_MESSAGE = 4_000  # characters
_LITTLE = 40  # characters; a detail as short as this says nothing by itself: 「第2項の決まりです。」
_FIXED = {
    Intent.EMPTY: (Act.OTHER, "empty"),
    Intent.GREETING: (Act.OTHER, "greeting"),
    Intent.THANKS: (Act.OTHER, "thanks"),
    Intent.HELP: (Act.OTHER, "help"),
    Intent.RECORDS: (Act.OTHER, "records"),
    Intent.UNCLEAR: (Act.ASK_BACK, "ask_back"),
    Intent.EMERGENCY: (Act.REFUSE, "emergency"),
    Intent.PRIVATE: (Act.REFUSE, "refuse"),
}
_LANGUAGES = {Intent.EASY: "ja-easy", Intent.ENGLISH: "en", Intent.PLAIN: "ja"}
_KEPT = {"ja-easy": "easy_kept", "en": "english_kept", "ja": "plain_kept"}
# What goes on from the answer just given, whoever else is in the group. Anything longer is a question, and wants to be addressed.
GOING_ON = {Intent.MORE, Intent.STATUTE, Intent.SOURCE, *_LANGUAGES}


class Rate(Protocol):
    """Keeps one person's rating of an answer; False for an answer there isn't."""

    def __call__(self, answer_id: str, rater: str, *, helpful: bool) -> bool: ...


class Commands:
    """Takes what is no question."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        answers: Answers,
        memory: Memory,
        signer: Signer,
        rate: Rate,
        forget: Callable[[str], object],
    ) -> None:
        """`forget` removes everything of a person."""
        self._knowledge = knowledge
        self._answers = answers
        self._memory = memory
        self._signer = signer
        self._rate = rate
        self._forget = forget

    def take(self, turn: Turn) -> Taken | None:
        """What a command does; None for a question."""
        fixed = self._fixed(turn)
        if fixed is not None:
            return plain(fixed[0], wording.say(fixed[1], turn.language), turn.language), turn.state
        rating = wording.rating(turn.text)
        if rating is not None or turn.intent in (Intent.PRAISE, Intent.BLAME):
            return self._rated(turn, helpful=turn.intent is Intent.PRAISE if rating is None else rating), turn.state
        if turn.intent in (Intent.MORE, Intent.SOURCE, Intent.STATUTE):
            return self._again(turn), turn.state
        if turn.intent in _LANGUAGES:
            return self._in_language(_LANGUAGES[turn.intent], turn)
        if turn.intent in (Intent.LARGER, Intent.SMALLER):
            return self._in_type(turn, large=turn.intent is Intent.LARGER), turn.state
        if turn.intent is Intent.FORGET:
            self._forget(turn.owner)
            return plain(Act.OTHER, wording.say("forgotten", turn.language), turn.language), State()
        return self._chosen(turn)

    def _fixed(self, turn: Turn) -> tuple[Act, str] | None:
        """The sentence of the catalogue that is all there is to say."""
        if turn.message.unreadable:
            return Act.OTHER, "unreadable"
        if len(turn.text) > LONGEST_MESSAGE:
            return Act.OTHER, "too_long"
        if turn.intent is Intent.FORGET and turn.message.group and not turn.message.sender:
            return Act.OTHER, "unknown_sender"
        return _FIXED.get(turn.intent)

    def _chosen(self, turn: Turn) -> Taken | None:
        """What stands behind a number or a name of the list last offered. The list can be chosen from again."""
        state = turn.state
        if turn.text.strip() in state.labels:
            at = state.labels.index(turn.text.strip())
        elif turn.intent is not Intent.CHOICE:
            return None
        elif not state.offered:
            return plain(Act.ASK_BACK, wording.say("ask_back", turn.language), turn.language), state
        else:
            at = int(re.sub(r"\D", "", normalise(turn.text))) - 1
        if at >= len(state.offered):
            return plain(Act.OTHER, wording.say("no_such_choice", turn.language), turn.language), state
        reply, told = self._answers.show(state.offered[at : at + 1], turn.audience, state)
        return reply, replace(told, offered=state.offered, labels=state.labels)

    def _again(self, turn: Turn) -> Reply:
        """The last answer once more: in detail, or with where it stands."""
        state, language = turn.state, turn.language
        if not state.shown:
            return plain(Act.ASK_BACK, wording.say("nothing_before", language), language)
        answer = self._knowledge.tell(state.shown, turn.audience, language)
        if turn.intent is Intent.MORE:
            text = "\n\n".join(d for d in self._knowledge.details(state.shown, turn.audience) if d)
            text = text or wording.say("no_more", language)
            if len(text) < _LITTLE:
                text = f"{answer.layers[0].text}\n{text}" if answer.layers else text
        elif turn.intent is Intent.STATUTE:
            statutes = self._knowledge.statutes(state.shown, turn.audience)
            text = wording.statutes(statutes, language) or wording.say("no_statute", language)
        else:
            text = "\n".join(f"{c.source} {c.url}".strip() for c in answer.citations) or wording.say("no_more", language)
        signed = self._signer.sign(RATING, state.answer_id)
        return Reply(Act.ANSWER, text, (), contract(answer, language, text, []), signed, state.answer_id)

    def _in_language(self, language: str, turn: Turn) -> Taken:
        """The last answer in other words, and every answer from now on."""
        self._memory.prefer(turn.owner, replace(turn.preference, language=language))
        state = replace(turn.state, language=language)
        kept = wording.say(_KEPT[language], language)
        if not state.shown:
            return plain(Act.OTHER, kept, language), state
        reply, state = self._answers.show(state.shown, turn.audience, state)
        text = f"{reply.text}\n{kept}"
        return replace(reply, text=text, answer={**reply.answer, "text": text}), state

    def _in_type(self, turn: Turn, *, large: bool) -> Reply:
        if large and turn.message.platform in ("web", "console"):
            return plain(Act.OTHER, wording.say("larger", turn.language), turn.language)
        self._memory.prefer(turn.owner, replace(turn.preference, large=large))
        reply = plain(Act.OTHER, wording.say("larger_kept" if large else "smaller_kept", turn.language), turn.language)
        return replace(reply, large=large)

    def _rated(self, turn: Turn, *, helpful: bool) -> Reply:
        if not turn.state.answer_id:
            return plain(Act.OTHER, wording.say("nothing_to_rate", turn.language), turn.language)
        self._rate(turn.state.answer_id, turn.owner, helpful=helpful)
        return plain(Act.OTHER, wording.say("praise" if helpful else "blame", turn.language), turn.language)
