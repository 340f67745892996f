"""One message with all that is known when it comes, and who may take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.intents import Intent
from bot.memory import State
from bot.messages import IncomingMessage, Reply
from bot.store import Preference
from knowledge import Audience


@dataclass(frozen=True, slots=True)
class Turn:
    """A message, and what its conversation remembers."""

    message: IncomingMessage
    text: str  # without control characters
    intent: Intent
    state: State
    preference: Preference  # of the one who wrote it
    audience: Audience  # what may be told here

    @property
    def language(self) -> str:
        return self.state.language

    @property
    def owner(self) -> str:
        return owner(self.message)


Taken = tuple[Reply, State]  # what is said, and what the conversation remembers from now on
Taker = Callable[[Turn], Taken | None]  # takes a message, or leaves it to the next one


def owner(message: IncomingMessage) -> str:
    """Whose choices and ratings these are: a person's, or a conversation's where the platform does not say who it was."""
    return message.sender or message.conversation
