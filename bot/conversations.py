"""One message in, at most one reply out, the same on every platform.

A conversation remembers what it is about (ids of passages, never the text of messages), so that 「じゃあ期限は?」 finds its way.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot import wording
from bot.announcing.asking import Asking
from bot.announcing.knowledge_of import Bulletin
from bot.answers import RATING, Answers
from bot.commands import GOING_ON, LONGEST_MESSAGE, Commands
from bot.intents import Intent, language_of, recognise
from bot.memory import Memory, State
from bot.messages import Act, IncomingMessage, Reply, plain
from bot.metrics import Metrics
from bot.sharing import Sharing
from bot.signing import Signer
from bot.store import Preference, Store
from bot.turn import Taken, Taker, Turn, owner
from knowledge import Audience, KnowledgeBase, Rewriter

__all__ = ["LONGEST_MESSAGE", "Conversations"]

_AT_ONCE = 4  # questions worked on at the same time
_OPEN = timedelta(minutes=5)  # so long does a group's bot listen to the person it has just spoken with
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


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
        sharing: Sharing | None = None,
        bulletin: Bulletin | None = None,
    ) -> None:
        """`forget` removes everything of a person; `name` is how the bot introduces itself; without `sharing` nothing is shared,
        without `bulletin` nothing is told of announcements."""
        self._store = store
        self._signer = signer
        self._clock = clock
        self._metrics = metrics
        self._forget: Callable[[str], object] = forget or store.forget
        self._name = name
        self._sharing = sharing
        self._bulletin = bulletin
        self._memory = Memory(store)
        self._answers = Answers(knowledge, self._memory, signer, clock, rewriter, sharing)
        commands = Commands(knowledge, self._answers, self._memory, signer, self._rated, self._forget)
        # The first that takes a message answers it. A dialogue of several messages belongs before all others while it is open.
        shared: tuple[Taker, ...] = (sharing.take,) if sharing else ()
        asking = Asking(bulletin, self._answers, clock) if bulletin else None
        withdrawn: tuple[Taker, ...] = (asking.of_withdrawn,) if asking else ()
        announced: tuple[Taker, ...] = (asking.take,) if asking else ()
        self._takers: tuple[Taker, ...] = (*shared, *withdrawn, commands.take, *announced, self._answers.take)
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
            return plain(Act.OTHER, wording.say("joined_discord", language, name=self._name, mention=mention), language)
        return plain(Act.OTHER, wording.say("joined" if group else "followed", language, name=self._name), language)

    def trouble(self, language: str = "ja") -> Reply:
        """What is said where no answer could be worked out."""
        return plain(Act.OTHER, wording.say("trouble", language), language)

    def unheard(self, language: str = "ja") -> Reply:
        """What is said where the platform keeps back the text of a message that replies to the bot."""
        return plain(Act.OTHER, wording.say("mention_me", language), language)

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
        answer_id = self._signer.verify(RATING, signed_answer)
        if answer_id is None:
            return False
        return await asyncio.to_thread(self._rated, answer_id, rater, helpful=helpful)

    async def thank_for_rating(self, signed_answer: str, rater: str, *, helpful: bool) -> Reply:
        """Rate an answer by its button, and say so."""
        well = await self.rate(signed_answer, rater, helpful=helpful)
        key = ("praise" if helpful else "blame") if well else "nothing_to_rate"
        language = wording.known((await asyncio.to_thread(self._memory.preference, rater)).language or "ja")
        return plain(Act.OTHER, wording.say(key, language), language)

    async def offer_tip(self, message: IncomingMessage, pieces: Mapping[str, str]) -> Reply:
        """Begin a tip with what was told in a form (`text`, `place`, `happened`, `outcome`), for the person who sent it."""
        if self._sharing is None:
            return self.trouble()
        preference = await asyncio.to_thread(self._memory.preference, owner(message))
        language = wording.known(message.language or preference.language or "ja")
        async with self._turn(message.conversation):
            return await asyncio.to_thread(self._sharing.offer, message, pieces, language)

    async def left(self, conversation: str) -> None:
        """The bot is no longer in a group: nothing of it is kept."""
        await asyncio.to_thread(self._store.left, conversation)
        if self._sharing is not None:
            await asyncio.to_thread(self._sharing.left, conversation)

    async def overhear(self, conversation: str, said: str, at: datetime | None = None) -> str:
        """Take something the bot is known to have said before as what the conversation is about. Returns the answer's id."""

        def find() -> str:
            state = self._answers.overheard(said)
            if state.topic or state.offered:
                self._memory.remember(conversation, state, at or self._clock())
            return state.answer_id

        return await asyncio.to_thread(find)

    # one message, synchronously

    def _reply(self, message: IncomingMessage, alone: State | None = None) -> Reply:
        started = time.perf_counter()
        now = message.at or self._clock()
        turn = self._turn_of(message, now, alone)
        reply, state = self._taken(turn)
        asker = message.sender if message.group else ""
        if alone is None and turn.intent is not Intent.FORGET:
            state = replace(state, asker=asker, answered_at=now.isoformat(), asked_back=reply.act is Act.ASK_BACK)
            self._memory.remember(message.conversation, state, now, asker)
        if alone is None and self._sharing and (news := self._sharing.news(message, turn.language)):
            reply = _with_news(reply, news)
        seconds = time.perf_counter() - started
        self._metrics.replied(message.platform, reply.act.value, answered=bool(reply.answer["answered"]), seconds=seconds)
        answer = {"question": message.text, **reply.answer, "elapsed_ms": round(1000 * seconds, 1)}
        large = reply.large or (turn.preference.large and turn.intent is not Intent.SMALLER)
        return replace(reply, answer=answer, body=reply.body or reply.text, large=large)

    def _rated(self, answer_id: str, rater: str, *, helpful: bool) -> bool:
        known = self._store.rate(answer_id, rater, helpful=helpful, now=self._clock())
        if known and self._sharing is not None:
            self._sharing.rated(answer_id, self._store.told_by(answer_id), helpful=helpful)
        return known

    def _turn_of(self, message: IncomingMessage, now: datetime, alone: State | None) -> Turn:
        """The message with its conversation's memory; `alone`: the memory of one that has none."""
        text = _CONTROL.sub(" ", message.text)
        state = alone or self._memory.state(message.conversation, now)
        preference = Preference() if alone else self._memory.preference(owner(message))
        state = replace(state, language=wording.known(message.language or _language(text, preference, state)))
        if message.quotes and (told := self._told_by(message.quotes)):
            state = replace(state.about(told, message.quotes), aspect="")
        audience = self._sharing.audience(message) if self._sharing else Audience.of_member(message.co_op)
        return Turn(message, text, recognise(text), state, preference, audience)

    def _told_by(self, quoted: str) -> tuple[str, ...]:
        """The passages of an answer, or of an announcement, by its id."""
        told = self._memory.told_by(quoted)
        return told or ((quoted,) if self._bulletin and self._bulletin.has(quoted) else ())

    def _taken(self, turn: Turn) -> Taken:
        return next(taken for take in self._takers if (taken := take(turn)) is not None)

    def _is_awaited(self, message: IncomingMessage) -> bool:
        """Whether a message nobody addressed goes on with the talk that its writer has just had with the bot."""
        if self._sharing and self._sharing.is_waiting(message):
            return True
        if message.unreadable:
            return False
        now = message.at or self._clock()
        state = self._memory.state(message.conversation, now)
        if state.asker != message.sender or not state.answered_at or now - datetime.fromisoformat(state.answered_at) > _OPEN:
            return False
        intent = recognise(message.text)
        return (
            state.asked_back
            or message.text.strip() in state.labels
            or wording.rating(message.text) is not None
            or (intent in GOING_ON and bool(state.shown))
            or (intent is Intent.CHOICE and bool(state.offered))
        )

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


def _language(text: str, preference: Preference, state: State) -> str:
    written = language_of(text)
    if written == "ja":
        return preference.language or "ja"
    return written or state.language  # 「2」, 「👍」: as before


def _with_news(reply: Reply, news: Sequence[str]) -> Reply:
    """The reply, and below it what its reader shall hear."""
    text = "\n\n".join([reply.text, *news])
    body = "\n\n".join([reply.body, *news]) if reply.body else ""
    return replace(reply, text=text, body=body, answer={**reply.answer, "text": text})
