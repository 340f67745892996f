"""What is remembered of a conversation and of a person's choices. Everything goes on without it when the database refuses."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from bot.store import Preference, Store
from knowledge import Answer, StoreUnavailable

log = logging.getLogger(__name__)

_EARLIER = 8  # passages that a conversation can go back to


@dataclass(frozen=True, slots=True)
class State:
    """What a conversation remembers. Passages by id, latest first; never what people wrote."""

    topic: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()  # the topics before
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

    def about(self, told: tuple[str, ...], answer_id: str) -> State:
        """The conversation after an answer: about what was told, with nothing offered any more."""
        earlier = tuple(dict.fromkeys(i for i in (*self.topic, *self.earlier) if i not in told))[:_EARLIER]
        return replace(self, topic=told, earlier=earlier, shown=told, offered=(), labels=(), answer_id=answer_id)


class Memory:
    """Reads and writes what is remembered; what cannot be is logged and left out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def state(self, conversation: str, now: datetime) -> State:
        try:
            return State.of(self._store.state(conversation, now))
        except StoreUnavailable as error:
            log.error("A conversation's memory could not be read. %s", error)
            return State()

    def remember(self, conversation: str, state: State, now: datetime, asker: str = "") -> None:
        try:
            self._store.remember(conversation, asdict(state), now, asker)
        except StoreUnavailable as error:
            log.error("A conversation's memory could not be kept. %s", error)

    def told_by(self, answer_id: str) -> tuple[str, ...]:
        """The passages that an answer told."""
        try:
            return self._store.told_by(answer_id)
        except StoreUnavailable as error:
            log.error("A quoted answer could not be read. %s", error)
            return ()

    def record(self, answer_id: str, answer: Answer, now: datetime) -> None:
        """Keep what an answer told, so that it can be quoted and rated."""
        try:
            self._store.add_answer(answer_id, answered=answer.answered, confidence=answer.confidence, passages=answer.told, now=now)
        except StoreUnavailable as error:
            log.error("An answer could not be recorded. %s", error)

    def preference(self, owner: str) -> Preference:
        try:
            return self._store.preference(owner)
        except StoreUnavailable as error:
            log.error("A choice of language could not be read. %s", error)
            return Preference()

    def prefer(self, owner: str, preference: Preference) -> None:
        if not owner:
            return
        try:
            self._store.prefer(owner, preference)
        except StoreUnavailable as error:
            log.error("A choice could not be kept. %s", error)
