"""The guided talk by which a member offers a tip, and looks after those given before.

One thing is asked at a time; every step can be skipped, undone and left, and nothing is sent before 「送る」.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from bot.curation import Curation
from bot.dialogues import Dialogues
from bot.members import Members
from bot.messages import IncomingMessage, Reply
from bot.tips.chat import Asked
from bot.tips.tip import Draft
from bot.tips.turn import Services, TipTurn, say
from bot.tips.words import beginning, page, sentence


class TipTalk:
    """Synchronous. One message of a conversation at a time; a second process is held off where a tip is sent."""

    def __init__(
        self, curation: Curation, members: Members, dialogues: Dialogues, clock: Callable[[], dt.datetime], name: str
    ) -> None:
        """`name`: how the bot is called in a group."""
        self._services = Services(curation, members, dialogues, clock, name)

    def take(self, message: IncomingMessage, language: str, *, shown_question: str = "") -> Reply | None:
        """What is said to a message of this talk; None for any other. `shown_question`: that of the answer it goes on from."""
        if message.press:
            return None
        if not _is_known(message):
            begins = beginning(message.text) is not None or page(message.text) is not None
            return self._unknown(language) if begins else None
        return TipTurn(self._services, message, language, shown_question).take()

    def is_waiting(self, message: IncomingMessage) -> bool:
        """Whether an open talk of this person goes on with a message that nobody addressed to the bot."""
        if not _is_known(message) or message.press or message.text.lstrip().startswith(("@", "＠")):
            return False
        turn = TipTurn(self._services, message, "ja")
        return turn.row is not None and turn.is_awaited()

    def offer(self, message: IncomingMessage, draft: Draft, language: str) -> Reply:
        """Begin with pieces that were told elsewhere: in a form, by a command."""
        if not _is_known(message):
            return self._unknown(language)
        return TipTurn(self._services, message, language).begin(draft)

    def forget(self, person: str) -> None:
        """Remove every draft of a person."""
        self._services.dialogues.forget(person)

    def left(self, conversation: str) -> None:
        """The bot is no longer in a group: the drafts begun there go."""
        self._services.dialogues.left(conversation)

    def _unknown(self, language: str) -> Reply:
        return say(Asked(sentence("unknown_sender", language)), language)


def _is_known(message: IncomingMessage) -> bool:
    """Whether there is somebody whose talk it can be: in a group a person, else who the conversation is with."""
    return bool(message.conversation) and bool(message.sender or not message.group)
