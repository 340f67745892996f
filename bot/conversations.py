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
from datetime import datetime, timedelta
from typing import Any

from bot import wording
from bot.intents import (
    Intent,
    aspect,
    language_of,
    last_clause,
    leans_back,
    names_only_a_subject,
    points_back,
    recognise,
    two_questions,
    without_pointer,
)
from bot.messages import Act, Choice, IncomingMessage, Reply
from bot.metrics import Metrics
from bot.signing import Signer
from bot.store import Preference, Store
from knowledge import Answer, Audience, KnowledgeBase, Question, Rewriter, StoreUnavailable, normalise

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 4_000  # characters
_LONG = 1_000  # of a longer message only the end is searched with
_AT_ONCE = 4  # questions worked on at the same time
_LITTLE = 40  # characters; a detail as short as this says nothing by itself: 「第2項の決まりです。」
_ACCOUNT = 60  # characters; a longer message may tell much before it asks
_TWO_ANSWERS = 200  # characters that two answers may take together, so that the sources fit on the screen too
_RATING = "rating"
_OPEN = timedelta(minutes=5)  # so long does a group's bot listen to the person it has just spoken with
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

_FIXED = {
    Intent.EMPTY: (Act.OTHER, "empty"),
    Intent.GREETING: (Act.OTHER, "greeting"),
    Intent.THANKS: (Act.OTHER, "thanks"),
    Intent.HELP: (Act.OTHER, "help"),
    Intent.RECORDS: (Act.OTHER, "records"),
    Intent.UNCLEAR: (Act.ASK_BACK, "ask_back"),
    Intent.EMERGENCY: (Act.REFUSE, "emergency"),
    Intent.PRIVATE: (Act.REFUSE, "refuse"),
    Intent.OUTSIDE: (Act.REFUSE, "refuse"),
}


# What goes on from the answer just given, whoever else is in the group. Anything longer is a question, and wants to be addressed.
_GOING_ON = {Intent.MORE, Intent.STATUTE, Intent.EASY, Intent.ENGLISH, Intent.PLAIN, Intent.SOURCE}
_LANGUAGES = {Intent.EASY: "ja-easy", Intent.ENGLISH: "en", Intent.PLAIN: "ja"}
_KEPT = {"ja-easy": "easy_kept", "en": "english_kept", "ja": "plain_kept"}


@dataclass(frozen=True, slots=True)
class State:
    """What a conversation remembers. Passages by id, latest first; never what people wrote."""

    topic: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()  # the passages of the last answer
    offered: tuple[str, ...] = ()  # the passages behind the numbers last offered
    aspect: str = ""  # what kind of thing was asked for: 「何人」
    answer_id: str = ""
    language: str = "ja"
    labels: tuple[str, ...] = ()  # the names of the topics last offered
    asker: str = ""  # whom the bot answered last
    answered_at: str = ""
    asked_back: bool = False  # the bot has asked the asker something

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> State:
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return cls(**{k: v for k, v in known.items() if k in cls.__dataclass_fields__})


class Conversations:
    """Takes messages, keeps each conversation's memory, crosses into the knowledge at one place."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        store: Store,
        signer: Signer,
        clock: Callable[[], datetime],
        metrics: Metrics,
        forget: Callable[[str], None] | None = None,
        name: str = "ボット",
        rewriter: Rewriter | None = None,
    ) -> None:
        """`forget` removes everything of a person; `name` is how the bot introduces itself."""
        self._knowledge = knowledge
        self._store = store
        self._signer = signer
        self._clock = clock
        self._metrics = metrics
        self._forget = forget or store.forget
        self._name = name
        self._rewriter = rewriter
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def reply_to(self, message: IncomingMessage) -> Reply | None:
        """What the bot says, or None where it keeps quiet: in a group, unless it is addressed."""
        if not await self.is_addressed(message):
            return None
        async with self._turn(message.conversation), self._free:
            return await asyncio.to_thread(self._reply, message)

    async def is_addressed(self, message: IncomingMessage) -> bool:
        """Whether a message is meant for the bot. What is not may be neither kept nor looked at any further."""
        if not message.group or message.addressed:
            return True
        return bool(message.sender) and await asyncio.to_thread(self._is_awaited, message)

    def greeting(self, *, group: bool, mention: str = "", language: str = "ja") -> Reply:
        """What the bot says once when it comes into a group, or somebody adds it. `mention`: how it is called on Discord."""
        if mention:
            return _plain(Act.OTHER, wording.say("joined_discord", language, name=self._name, mention=mention), language)
        return _plain(Act.OTHER, wording.say("joined" if group else "followed", language, name=self._name), language)

    def trouble(self, language: str = "ja") -> Reply:
        """What is said where no answer could be worked out."""
        return _plain(Act.OTHER, wording.say("trouble", language), language)

    def unheard(self, language: str = "ja") -> Reply:
        """What is said where the platform keeps back the text of a message that replies to the bot."""
        return _plain(Act.OTHER, wording.say("mention_me", language), language)

    def pseudonym(self, platform: str, identifier: str) -> str:
        """The name under which the bot knows a person or a chat of a platform."""
        return self._signer.pseudonym(platform, identifier)

    async def forget(self, person: str) -> None:
        """Remove everything that is kept of a person."""
        await asyncio.to_thread(self._forget, person)

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

    async def thank_for_rating(self, signed_answer: str, rater: str, *, helpful: bool) -> Reply:
        """Rate an answer by its button, and say so."""
        well = await self.rate(signed_answer, rater, helpful=helpful)
        key = ("praise" if helpful else "blame") if well else "nothing_to_rate"
        language = wording.known((await asyncio.to_thread(self._preference, rater)).language or "ja")
        return _plain(Act.OTHER, wording.say(key, language), language)

    async def overhear(self, conversation: str, said: str, at: datetime | None = None) -> str:
        """Take something the bot is known to have said before as what the conversation is about. Returns the answer's id."""

        def find() -> str:
            answer = self._knowledge.answer(Question(said[:_LONG]))
            answer_id = secrets.token_urlsafe(9)
            if answer.told:
                self._keep(answer_id, answer, answer.told)
                self._save(conversation, State(topic=answer.told, shown=answer.told, answer_id=answer_id), at or self._clock())
            return answer_id

        return await asyncio.to_thread(find)

    # one message, synchronously

    def _reply(self, message: IncomingMessage, alone: State | None = None) -> Reply:
        started = time.perf_counter()
        text = _CONTROL.sub(" ", message.text)
        now = message.at or self._clock()
        state = alone or State.of(self._load(message.conversation, now))
        preference = Preference() if alone else self._preference(_owner(message))
        state = replace(state, language=wording.known(message.language or _language(text, preference, state)))
        if message.quotes and (told := self._quoted(message.quotes)):
            state = replace(state, topic=told, shown=told, answer_id=message.quotes, aspect="")
        intent = recognise(text)
        reply, state = self._act(text, state, message, intent, preference)
        asker = message.sender if message.group else ""
        if alone is None and intent is not Intent.FORGET:
            asked_back = reply.act is Act.ASK_BACK
            self._save(
                message.conversation, replace(state, asker=asker, answered_at=now.isoformat(), asked_back=asked_back), now, asker
            )
        seconds = time.perf_counter() - started
        self._metrics.replied(message.platform, reply.act.value, answered=bool(reply.answer["answered"]), seconds=seconds)
        answer = {"question": message.text, **reply.answer, "elapsed_ms": round(1000 * seconds, 1)}
        large = reply.large or (preference.large and intent is not Intent.SMALLER)
        return replace(reply, answer=answer, body=reply.body or reply.text, large=large)

    def _is_awaited(self, message: IncomingMessage) -> bool:
        """Whether a message nobody addressed goes on with the talk that its writer has just had with the bot."""
        now = message.at or self._clock()
        state = State.of(self._load(message.conversation, now))
        if state.asker != message.sender or not state.answered_at or now - datetime.fromisoformat(state.answered_at) > _OPEN:
            return False
        intent = recognise(message.text)
        return (
            state.asked_back
            or message.text.strip() in state.labels
            or wording.rating(message.text) is not None
            or (intent in _GOING_ON and bool(state.shown))
            or (intent is Intent.CHOICE and bool(state.offered))
        )

    def _act(
        self, text: str, state: State, message: IncomingMessage, intent: Intent, preference: Preference
    ) -> tuple[Reply, State]:
        language = state.language
        if message.unreadable:
            return _plain(Act.OTHER, wording.say("unreadable", language), language), state
        if len(text) > LONGEST_MESSAGE:
            return _plain(Act.OTHER, wording.say("too_long", language), language), state
        if intent in _FIXED:
            act, key = _FIXED[intent]
            return _plain(act, wording.say(key, language), language), state
        rating = wording.rating(text)
        if rating is not None or intent in (Intent.PRAISE, Intent.BLAME):
            return self._rated(state, message, helpful=intent is Intent.PRAISE if rating is None else rating), state
        if intent in (Intent.MORE, Intent.SOURCE, Intent.STATUTE):
            return self._again(intent, state, message)
        if intent in _LANGUAGES:
            return self._in_language(_LANGUAGES[intent], state, message, preference)
        if intent in (Intent.LARGER, Intent.SMALLER):
            return self._in_type(state, message, preference, large=intent is Intent.LARGER), state
        if intent is Intent.FORGET and message.group and not message.sender:
            return _plain(Act.OTHER, wording.say("unknown_sender", language), language), state
        if intent is Intent.FORGET:
            self._forget(_owner(message))
            return _plain(Act.OTHER, wording.say("forgotten", language), language), State()
        if text.strip() in state.labels:
            at = state.labels.index(text.strip())
            return self._show(state.offered[at : at + 1], state, message)
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
        answer = self._both(question) or self._knowledge.answer(question)
        if not answer.answered and len(asked) > _ACCOUNT and (end := last_clause(asked)):
            by_its_end = self._knowledge.answer(replace(question, text=end))
            answer = by_its_end if by_its_end.answered else answer
        reply, state = self._told(answer, state, question.text)
        return reply, replace(state, aspect=own or state.aspect)

    def _both(self, question: Question) -> Answer | None:
        """The answer to a message that asks two things, where both are known and fit on one screen."""
        asked = two_questions(question.text)
        if asked is None or question.points_back:
            return None
        first, second = (self._knowledge.answer(replace(question, text=text, topic=())) for text in asked)
        if not (first.answered and second.answered) or set(first.told) & set(second.told):
            return None
        both = self._knowledge.tell([first.told[0], second.told[0]], question.audience, question.language)
        return both if sum(len(layer.text) for layer in both.layers) <= _TWO_ANSWERS else None

    def _fluent(self, question: str, answer: Answer, language: str) -> str | None:
        """One text out of what was found, by the optional language model; None where there is none or it is not backed."""
        if self._rewriter is None or not question or not answer.answered:
            return None
        passages = [(c.id, f"{c.title} {c.article} {c.text}") for c in answer.citations]
        return self._rewriter.rewrite(question, passages, language)

    def _told(self, answer: Answer, state: State, question: str = "") -> tuple[Reply, State]:
        language = state.language
        answer_id = secrets.token_urlsafe(9)
        shown = answer.told
        body = ""
        if answer.layers:
            body, where = wording.answer_text(answer, language)
            body = self._fluent(question, answer, language) or body
            act, text = Act.ANSWER, f"{body}\n{where}"
            choices = [wording.say("more", language), *([] if language != "ja" else [wording.say("easy", language)])]
            articles = [c.article for c in answer.citations if c.article]
            if articles and self._knowledge.law_imported():
                choices.append(wording.say("statute", language))
            if changed := self._knowledge.changed_articles(articles):
                text += "\n" + wording.say("changed", language, articles="、".join(sorted(changed)))
            state = replace(state, topic=shown, shown=shown, offered=(), labels=(), answer_id=answer_id)
        elif answer.missing:
            missing = {answer.missing.kind: answer.missing.name}
            act, text, choices = Act.ANSWER, wording.say(f"no_such_{answer.missing.kind}", language, **missing), []
        elif answer.in_subject:
            act, text = Act.ANSWER, wording.not_found_text(answer.nearest, language)
            choices = [wording.topic(m) for m in answer.nearest]
            offered = tuple(m.passage.id for m in answer.nearest)
            state = replace(state, offered=offered, labels=tuple(choices), answer_id=answer_id)
        else:
            act, text, choices = Act.REFUSE, wording.say("refuse", language), []
        self._keep(answer_id, answer, shown)
        contract = _contract(answer, language, text, choices)
        rating = self._signer.sign(_RATING, answer_id)
        reply = Reply(act, text, tuple(Choice(c) for c in choices), {**contract, "rating": rating}, rating, answer_id, body)
        return reply, state

    def _show(self, ids: Sequence[str], state: State, message: IncomingMessage) -> tuple[Reply, State]:
        return self._told(self._knowledge.tell(ids, Audience.of_member(message.co_op), state.language), state)

    def _again(self, intent: Intent, state: State, message: IncomingMessage) -> tuple[Reply, State]:
        """The last answer once more: in detail, or with where it stands."""
        if not state.shown:
            return _plain(Act.ASK_BACK, wording.say("nothing_before", state.language), state.language), state
        audience = Audience.of_member(message.co_op)
        answer = self._knowledge.tell(state.shown, audience, state.language)
        if intent is Intent.MORE:
            text = "\n\n".join(d for d in self._knowledge.details(state.shown, audience) if d)
            text = text or wording.say("no_more", state.language)
            if len(text) < _LITTLE:
                text = f"{answer.layers[0].text}\n{text}" if answer.layers else text
        elif intent is Intent.STATUTE:
            statutes = self._knowledge.statutes(state.shown, audience)
            text = wording.statutes(statutes, state.language) or wording.say("no_statute", state.language)
        else:
            text = "\n".join(f"{c.source} {c.url}".strip() for c in answer.citations) or wording.say("no_more", state.language)
        contract = _contract(answer, state.language, text, [])
        return Reply(Act.ANSWER, text, (), contract, self._signer.sign(_RATING, state.answer_id), state.answer_id), state

    def _in_language(self, language: str, state: State, message: IncomingMessage, preference: Preference) -> tuple[Reply, State]:
        """The last answer in other words, and every answer from now on."""
        self._prefer(_owner(message), replace(preference, language=language))
        state = replace(state, language=language)
        kept = wording.say(_KEPT[language], language)
        if not state.shown:
            return _plain(Act.OTHER, kept, language), state
        reply, state = self._show(state.shown, state, message)
        text = f"{reply.text}\n{kept}"
        return replace(reply, text=text, answer={**reply.answer, "text": text}), state

    def _in_type(self, state: State, message: IncomingMessage, preference: Preference, *, large: bool) -> Reply:
        if large and message.platform in ("web", "console"):
            return _plain(Act.OTHER, wording.say("larger", state.language), state.language)
        self._prefer(_owner(message), replace(preference, large=large))
        reply = _plain(Act.OTHER, wording.say("larger_kept" if large else "smaller_kept", state.language), state.language)
        return replace(reply, large=large)

    def _rated(self, state: State, message: IncomingMessage, *, helpful: bool) -> Reply:
        if not state.answer_id:
            return _plain(Act.OTHER, wording.say("nothing_to_rate", state.language), state.language)
        self._store.rate(state.answer_id, _owner(message), helpful=helpful, now=self._clock())
        return _plain(Act.OTHER, wording.say("praise" if helpful else "blame", state.language), state.language)

    # memory: a conversation goes on without it when the database refuses

    def _load(self, conversation: str, now: datetime) -> Mapping[str, Any]:
        try:
            return self._store.state(conversation, now)
        except StoreUnavailable as error:
            log.error("A conversation's memory could not be read. %s", error)
            return {}

    def _quoted(self, answer_id: str) -> tuple[str, ...]:
        try:
            return self._store.told_by(answer_id)
        except StoreUnavailable as error:
            log.error("A quoted answer could not be read. %s", error)
            return ()

    def _preference(self, owner: str) -> Preference:
        try:
            return self._store.preference(owner)
        except StoreUnavailable as error:
            log.error("A choice of language could not be read. %s", error)
            return Preference()

    def _prefer(self, owner: str, preference: Preference) -> None:
        if not owner:
            return
        try:
            self._store.prefer(owner, preference)
        except StoreUnavailable as error:
            log.error("A choice could not be kept. %s", error)

    def _save(self, conversation: str, state: State, now: datetime, asker: str = "") -> None:
        try:
            self._store.remember(conversation, asdict(state), now, asker)
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


def _owner(message: IncomingMessage) -> str:
    """Whose choices and ratings these are: a person's, or a conversation's where the platform does not say who it was."""
    return message.sender or message.conversation


def _language(text: str, preference: Preference, state: State) -> str:
    written = language_of(text)
    if written == "ja":
        return preference.language or "ja"
    return written or state.language  # 「2」, 「👍」: as before


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
