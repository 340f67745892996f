"""A question answered from the knowledge, as a reply."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot import wording
from bot.follow_ups import follow_up
from bot.intents import Intent, last_clause, two_questions
from bot.memory import Memory, State
from bot.messages import Act, Choice, Reply, contract, plain
from bot.signing import Signer
from bot.turn import Taken, Turn
from knowledge import Answer, Audience, Context, KnowledgeBase, Question, Rewriter

if TYPE_CHECKING:
    from bot.sharing import Sharing

RATING = "rating"  # what the signature on an answer's id is for
_LONG = 1_000  # characters; of a longer message only the end is searched with
_ACCOUNT = 60  # characters; a longer message may tell much before it asks
_MORE = 3  # further cases that are offered behind a list of them
_TWO_ANSWERS = 200  # characters that two answers may take together, so that the sources fit on the screen too


_NUMBERED = re.compile(r"^\s*[1-9１-９][.．、)）:：番]*\s*(\S.*?)\s*$", re.MULTILINE)  # a line of a list that was offered


class Answers:
    """Takes every message as a question."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        memory: Memory,
        signer: Signer,
        clock: Callable[[], datetime],
        rewriter: Rewriter | None,
        sharing: Sharing | None,
    ) -> None:
        self._knowledge = knowledge
        self._memory = memory
        self._signer = signer
        self._clock = clock
        self._rewriter = rewriter
        self._sharing = sharing

    def take(self, turn: Turn) -> Taken:
        if turn.intent is Intent.OUTSIDE:
            # The body, the family, money: that somebody asked is counted, what they asked is nobody's business.
            self._note(turn, secrets.token_urlsafe(9), Answer(answered=False, confidence=0.0), text="")
            return plain(Act.REFUSE, wording.say("refuse", turn.language), turn.language), turn.state
        asked = follow_up(turn.text, turn.state)
        if asked.to_nothing:
            reply = plain(Act.ASK_BACK, wording.say("ask_back", turn.language), turn.language)
            return reply, replace(turn.state, aspect=asked.aspect)
        question = Question(asked.text[-_LONG:], turn.audience, turn.language, asked.context)
        answer = self._answer(question)
        reply, state = self._reply(answer, turn.state, question.text)
        self._note(turn, reply.answer_id, answer, turn.text)
        if answer.in_subject and not answer.answered and not answer.missing:
            reply = self._passed_on(reply, answer, turn)
        return reply, replace(state, aspect=asked.aspect)

    def show(self, ids: Sequence[str], audience: Audience, state: State) -> Taken:
        """The answer that some passages give, in the conversation's language."""
        return self._reply(self._knowledge.tell(ids, audience, state.language), state)

    def reply(self, answer: Answer, state: State) -> Taken:
        """An answer that was put together elsewhere, told as every answer is."""
        return self._reply(answer, state)

    def overheard(self, said: str) -> State:
        """The conversation after something the bot is known to have said: what it told, or the list it offered."""
        labels = tuple(_NUMBERED.findall(said))
        if len(labels) > 1:
            answers = [self._knowledge.answer(Question(label)) for label in labels]
            return State(offered=tuple(a.told[0] if a.told else "" for a in answers), labels=labels)
        answer = self._knowledge.answer(Question(said[:_LONG]))
        answer_id = secrets.token_urlsafe(9)
        if answer.told:
            self._memory.record(answer_id, answer, self._clock())
        return State().about(answer.told, answer_id)

    def _answer(self, question: Question) -> Answer:
        answer = self._both(question) or self._knowledge.answer(question)
        if not answer.answered and len(question.text) > _ACCOUNT and (end := last_clause(question.text)):
            by_its_end = self._knowledge.answer(replace(question, text=end))
            return by_its_end if by_its_end.answered else answer
        return answer

    def _both(self, question: Question) -> Answer | None:
        """The answer to a message that asks two things, where both are known and fit on one screen."""
        asked = two_questions(question.text)
        if asked is None or question.context.points_back:
            return None
        first, second = (self._knowledge.answer(replace(question, text=text, context=Context())) for text in asked)
        if not (first.answered and second.answered) or set(first.told) & set(second.told):
            return None
        both = self._knowledge.tell([first.told[0], second.told[0]], question.audience, question.language)
        return _shortened(both, question.language) if sum(len(layer.text) for layer in both.layers) <= _TWO_ANSWERS else None

    def _fluent(self, question: str, answer: Answer, language: str) -> str | None:
        """One text out of what was found, by the optional language model; None where there is none or it is not backed."""
        if self._rewriter is None or not question or not answer.answered:
            return None
        passages = [(c.id, f"{c.title} {c.article} {c.text}") for c in answer.citations]
        return self._rewriter.rewrite(question, passages, language)

    def _reply(self, answer: Answer, state: State, question: str = "") -> Taken:
        language = state.language
        answer_id = secrets.token_urlsafe(9)
        act, body, choices = Act.ANSWER, "", list[str]()
        if answer.layers:
            answer = self._sharing.told(answer, language) if self._sharing else answer
            body, where = wording.answer_text(answer, language)
            body = self._fluent(question, answer, language) or body
            text = f"{body}\n{where}{self._changed(answer, language)}"
            choices = self._going_on(answer, language)
            state = state.about(answer.told, answer_id)
            if answer.more:  # further cases that fit
                further = answer.more[:_MORE]
                labels = tuple(wording.topic(m) for m in further)
                choices += labels
                state = replace(state, offered=tuple(m.passage.id for m in further), labels=labels)
        elif answer.missing:
            missing = {answer.missing.kind: answer.missing.name}
            text = wording.say(f"no_such_{answer.missing.kind}", language, **missing)
        elif answer.in_subject:
            text = wording.not_found_text(answer.nearest, language)
            choices = [wording.topic(m) for m in answer.nearest]
            offered = tuple(m.passage.id for m in answer.nearest)
            state = replace(state, offered=offered, labels=tuple(choices), answer_id=answer_id)
        else:
            act, text = Act.REFUSE, wording.say("refuse", language)
        self._memory.record(answer_id, answer, self._clock())
        rating = self._signer.sign(RATING, answer_id)
        told = {**contract(answer, language, text, choices), "rating": rating}
        return Reply(act, text, tuple(Choice(c) for c in choices), told, rating, answer_id, body), state

    def _note(self, turn: Turn, answer_id: str, answer: Answer, text: str) -> None:
        """Keep the question for those who look after what is known."""
        if self._sharing is not None:
            self._sharing.asked(answer_id, text, answer, turn.message, turn.language)

    def _passed_on(self, reply: Reply, answer: Answer, turn: Turn) -> Reply:
        """Keep the question for those who may have lived it, and say so."""
        if self._sharing is None or not self._sharing.not_found(turn.text, answer, turn.message):
            return reply
        text = f"{reply.text}\n{wording.say('passed_on', turn.language)}"
        return replace(reply, text=text, answer={**reply.answer, "text": text})

    def _going_on(self, answer: Answer, language: str) -> list[str]:
        """What can be asked of an answer."""
        choices = [wording.say("more", language), *([] if language != "ja" else [wording.say("easy", language)])]
        if any(c.article for c in answer.citations) and self._knowledge.law_imported():
            choices.append(wording.say("statute", language))
        return [*choices, wording.say("offer_add", language)] if self._sharing else choices

    def _changed(self, answer: Answer, language: str) -> str:
        """A line that says which of its articles have been changed since."""
        changed = self._knowledge.changed_articles([c.article for c in answer.citations if c.article])
        return "\n" + wording.say("changed", language, articles="、".join(sorted(changed))) if changed else ""


def _shortened(both: Answer, language: str) -> Answer:
    """Two answers as they are where the screen takes them, else the first sentence of each."""
    if both.layers[-1].text in wording.answer_text(both, language)[0]:
        return both
    layers = tuple(replace(layer, text=re.split(r"(?<=。)", layer.text)[0]) for layer in both.layers)
    return replace(both, layers=layers)
