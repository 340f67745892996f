"""One message in, at most one reply out, the same on every platform.

A conversation remembers what it is about (ids of passages, never the text of messages), so that 「じゃあ期限は?」 finds its way.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from bot import wording
from bot.intents import Intent, aspect, language_of, leans_back, names_only_a_subject, points_back, recognise, without_pointer
from bot.messages import Act, Choice, IncomingMessage, Reply
from bot.metrics import Metrics
from bot.signing import Signer
from bot.store import Store
from knowledge import Answer, Audience, KnowledgeBase, Question, StoreUnavailable, normalise

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 4_000  # characters
_LONG = 1_000  # of a longer message only the end is searched with
_AT_ONCE = 4  # questions worked on at the same time
_RATING = "rating"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

_FIXED = {
    Intent.EMPTY: (Act.OTHER, "empty"),
    Intent.GREETING: (Act.OTHER, "greeting"),
    Intent.THANKS: (Act.OTHER, "thanks"),
    Intent.HELP: (Act.OTHER, "help"),
    Intent.LARGER: (Act.OTHER, "larger"),
    Intent.EMERGENCY: (Act.REFUSE, "emergency"),
    Intent.PRIVATE: (Act.REFUSE, "refuse"),
    Intent.OUTSIDE: (Act.REFUSE, "refuse"),
}


@dataclass(frozen=True, slots=True)
class State:
    """What a conversation remembers. Passages by id, latest first."""

    topic: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()  # the passages of the last answer
    offered: tuple[str, ...] = ()  # the passages behind the numbers last offered
    aspect: str = ""  # what kind of thing was asked for: 「何人」
    answer_id: str = ""
    language: str = "ja"

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> State:
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return cls(**{k: v for k, v in known.items() if k in cls.__dataclass_fields__})


class Conversations:
    """Takes messages, keeps each conversation's memory, crosses into the knowledge at one place."""

    def __init__(
        self, knowledge: KnowledgeBase, store: Store, signer: Signer, clock: Callable[[], datetime], metrics: Metrics
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._signer = signer
        self._clock = clock
        self._metrics = metrics
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def reply_to(self, message: IncomingMessage) -> Reply | None:
        """What the bot says, or None where it keeps quiet: in a group, unless it is addressed."""
        if message.group and not message.addressed:
            return None
        async with self._turn(message.conversation), self._free:
            return await asyncio.to_thread(self._reply, message)

    async def reply_once(self, message: IncomingMessage) -> Reply:
        """A reply that leaves no memory: a question that belongs to no conversation."""
        async with self._free:
            return await asyncio.to_thread(self._reply, message, State())

    async def rate(self, signed_answer: str, rater: str, *, helpful: bool) -> bool:
        """Rate exactly the answer a signed id stands for. False for an id that is not ours."""
        answer_id = self._signer.verify(_RATING, signed_answer)
        if answer_id is None:
            return False
        return await asyncio.to_thread(self._store.rate, answer_id, rater, helpful=helpful, now=self._clock())

    async def overhear(self, conversation: str, said: str) -> None:
        """Take something the bot is known to have said before as what the conversation is about."""

        def find() -> None:
            answer = self._knowledge.answer(Question(said[:_LONG]))
            ids = answer.told
            if ids:
                self._save(conversation, State(topic=ids, shown=ids))

        await asyncio.to_thread(find)

    # one message, synchronously

    def _reply(self, message: IncomingMessage, alone: State | None = None) -> Reply:
        started = time.perf_counter()
        text = _CONTROL.sub(" ", message.text)
        state = alone or State.of(self._load(message.conversation))
        state = replace(state, language=wording.known(message.language or language_of(text)))
        reply, state = self._act(text, state, message, recognise(text))
        if alone is None:
            self._save(message.conversation, state)
        seconds = time.perf_counter() - started
        self._metrics.replied(message.platform, reply.act.value, answered=bool(reply.answer["answered"]), seconds=seconds)
        return replace(reply, answer={"question": message.text, **reply.answer, "elapsed_ms": round(1000 * seconds, 1)})

    def _act(self, text: str, state: State, message: IncomingMessage, intent: Intent) -> tuple[Reply, State]:
        language = state.language
        if len(text) > LONGEST_MESSAGE:
            return _plain(Act.OTHER, wording.say("too_long", language), language), state
        if intent in _FIXED:
            act, key = _FIXED[intent]
            return _plain(act, wording.say(key, language), language), state
        if intent in (Intent.PRAISE, Intent.BLAME):
            return self._rated(state, message, helpful=intent is Intent.PRAISE), state
        if intent in (Intent.MORE, Intent.EASY, Intent.ENGLISH, Intent.SOURCE):
            return self._again(intent, state, message)
        if intent is Intent.CHOICE and state.offered:
            number = int(re.sub(r"\D", "", normalise(text)))
            if number > len(state.offered):
                return _plain(Act.OTHER, wording.say("no_such_choice", language), language), state
            return self._show(state.offered[number - 1 : number], state, message)
        if intent is Intent.CHOICE:
            return _plain(Act.ASK_BACK, wording.say("ask_back", language), language), state
        return self._ask(text, state, message)

    def _ask(self, text: str, state: State, message: IncomingMessage) -> tuple[Reply, State]:
        back = points_back(text)
        if back and not state.topic and leans_back(without_pointer(text)):
            return _plain(Act.ASK_BACK, wording.say("ask_back", state.language), state.language), state
        asked = without_pointer(text) if back else text
        own = aspect(text)
        if names_only_a_subject(asked) and not own and state.topic:
            asked = f"{asked} {state.aspect}"
        question = Question(
            text=asked[-_LONG:],
            audience=Audience.of_member(message.co_op),
            language=state.language,
            topic=state.topic if back or leans_back(text) else (),
            points_back=back,
        )
        reply, state = self._told(self._knowledge.answer(question), state)
        return reply, replace(state, aspect=own or state.aspect)

    def _told(self, answer: Answer, state: State) -> tuple[Reply, State]:
        language = state.language
        answer_id = secrets.token_urlsafe(9)
        shown = answer.told
        if answer.layers:
            act, text = Act.ANSWER, wording.answer_text(answer, language)
            choices = [wording.say("more", language), *([] if language != "ja" else [wording.say("easy", language)])]
            state = replace(state, topic=shown, shown=shown, offered=(), answer_id=answer_id)
        elif answer.missing:
            missing = {answer.missing.kind: answer.missing.name}
            act, text, choices = Act.ANSWER, wording.say(f"no_such_{answer.missing.kind}", language, **missing), []
        elif answer.in_subject:
            act, text = Act.ANSWER, wording.not_found_text(answer.nearest, language)
            choices = [wording.topic(m) for m in answer.nearest]
            state = replace(state, offered=tuple(m.passage.id for m in answer.nearest), answer_id=answer_id)
        else:
            act, text, choices = Act.REFUSE, wording.say("refuse", language), []
        self._keep(answer_id, answer, shown)
        contract = _contract(answer, language, text, choices)
        rating = self._signer.sign(_RATING, answer_id)
        reply = Reply(act, text, tuple(Choice(c) for c in choices), {**contract, "rating": rating}, rating)
        return reply, state

    def _show(self, ids: Sequence[str], state: State, message: IncomingMessage) -> tuple[Reply, State]:
        return self._told(self._knowledge.tell(ids, Audience.of_member(message.co_op), state.language), state)

    def _again(self, intent: Intent, state: State, message: IncomingMessage) -> tuple[Reply, State]:
        """The last answer once more: in detail, in other words, with where it stands."""
        if not state.shown:
            return _plain(Act.ASK_BACK, wording.say("nothing_before", state.language), state.language), state
        audience = Audience.of_member(message.co_op)
        if intent in (Intent.EASY, Intent.ENGLISH):
            state = replace(state, language="ja-easy" if intent is Intent.EASY else "en")
            return self._told(self._knowledge.tell(state.shown, audience, state.language), state)
        answer = self._knowledge.tell(state.shown, audience, state.language)
        if intent is Intent.MORE:
            text = "\n\n".join(d for d in self._knowledge.details(state.shown, audience) if d)
            text = text or wording.say("no_more", state.language)
        else:
            text = "\n".join(f"{c.source} {c.url}".strip() for c in answer.citations)
        contract = _contract(answer, state.language, text, [])
        return Reply(Act.ANSWER, text, (), contract, self._signer.sign(_RATING, state.answer_id)), state

    def _rated(self, state: State, message: IncomingMessage, *, helpful: bool) -> Reply:
        if not state.answer_id:
            return _plain(Act.OTHER, wording.say("nothing_to_rate", state.language), state.language)
        rater = message.sender or message.conversation
        self._store.rate(state.answer_id, rater, helpful=helpful, now=self._clock())
        return _plain(Act.OTHER, wording.say("praise" if helpful else "blame", state.language), state.language)

    # memory: a conversation goes on without it when the database refuses

    def _load(self, conversation: str) -> Mapping[str, Any]:
        try:
            return self._store.state(conversation, self._clock())
        except StoreUnavailable as error:
            log.error("A conversation's memory could not be read. %s", error)
            return {}

    def _save(self, conversation: str, state: State) -> None:
        try:
            self._store.remember(conversation, asdict(state), self._clock())
        except StoreUnavailable as error:
            log.error("A conversation's memory could not be kept. %s", error)

    def _keep(self, answer_id: str, answer: Answer, shown: Sequence[str]) -> None:
        try:
            self._store.add_answer(
                answer_id, answered=answer.answered, confidence=answer.confidence, passages=shown, now=self._clock()
            )
        except StoreUnavailable as error:
            log.error("An answer could not be recorded. %s", error)

    def _turn(self, conversation: str) -> _Turn:
        return _Turn(self._locks, conversation)


class _Turn:
    """One message of a conversation at a time; a lock lives only while someone holds or awaits it."""

    def __init__(self, locks: dict[str, tuple[asyncio.Lock, int]], key: str) -> None:
        self._locks, self._key = locks, key

    async def __aenter__(self) -> None:
        lock, users = self._locks.get(self._key, (asyncio.Lock(), 0))
        self._locks[self._key] = (lock, users + 1)
        await lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        lock, users = self._locks[self._key]
        lock.release()
        if users == 1:
            del self._locks[self._key]
        else:
            self._locks[self._key] = (lock, users - 1)


def _plain(act: Act, text: str, language: str) -> Reply:
    return Reply(act, text, (), _contract(Answer(answered=False, confidence=0.0), language, text, []))


def _contract(answer: Answer, language: str, text: str, choices: Sequence[str]) -> dict[str, Any]:
    """The ANSWER of the public contract, but for the question and the time it took."""
    return {
        "language": language,
        "answered": answer.answered,
        "confidence": round(answer.confidence, 4),
        "text": text,
        "layers": [{"layer": layer.kind.value, "text": layer.text, "citations": list(layer.citations)} for layer in answer.layers],
        "citations": [
            {
                k: (v.value if k == "kind" else v)
                for k, v in asdict(c).items()
                if v or k in ("id", "kind", "title", "source", "text")
            }
            for c in answer.citations
        ],
        "choices": list(choices),
    }
