"""The chat that one message of the talk about a tip was written in."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property

from bot.curation import Curation
from bot.members import CoOp, Members, chat_key, co_op_key
from bot.messages import IncomingMessage
from bot.tips.tip import Tip
from bot.tips.words import Word, label, sentence
from knowledge import FEDERATION, Audience, KnowledgeError

log = logging.getLogger(__name__)

_SHOWN_TIPS = 3  # similar ones


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what can be answered by a tap."""

    text: str
    choices: tuple[str, ...] = ()


class Here:
    """The chat that one message was written in: who speaks for which co-op, what may be found here."""

    def __init__(self, message: IncomingMessage, language: str, curation: Curation, members: Members, name: str) -> None:
        self.message = message
        self.language = language
        self.person = message.sender or message.conversation
        # How the bot is called here, before a word that shall reach it.
        self.call = f"@{name} " if message.group else ""
        self._curation = curation
        self._members = members
        self._near: dict[str, list[Tip]] = {}

    @cached_property
    def co_op(self) -> str:
        m = self.message
        return self._members.own_co_op(m.conversation, m.sender, group=m.group, within=m.within)

    @cached_property
    def audience(self) -> Audience:
        m = self.message
        return self._members.audience(m.conversation, m.sender, group=m.group, within=m.within)

    @property
    def own(self) -> Audience:
        """Who finds a tip that is for one's own: the co-op, or this chat where no co-op is known."""
        return Audience.of(co_op_key(self.co_op) if self.co_op else chat_key(self.message.conversation))

    @cached_property
    def others(self) -> list[CoOp]:
        """Co-ops that may be found, for who belongs to the federation."""
        if FEDERATION not in self.audience.keys:
            return []
        return [c for c in self._members.co_ops() if c.findable and c.id != self.co_op]

    def say(self, key: str, **values: str) -> str:
        return sentence(key, self.language, **values)

    def label(self, word: Word) -> str:
        """The label of a word; what 「うちの組合だけ」 means depends on the chat."""
        if word is Word.OWN_CO_OP and not self.co_op:
            return self.say("only_group" if self.message.group else "only_me")
        return label(word, self.language)

    def similar(self, text: str) -> list[Tip]:
        """Tips that may be shown here and speak of the same; none where they cannot be searched."""
        if text not in self._near:
            try:
                found = [tip for tip, _ in self._curation.similar(text, self.audience)]
            except KnowledgeError as error:
                log.warning("Similar tips could not be searched. %s", error)
                found = []
            self._near[text] = found[:_SHOWN_TIPS]
        return self._near[text]

    def count(self, tip_id: str) -> None:
        """Somebody here had the same experience: the tip counts as helpful, once for their co-op."""
        self._curation.lived_too(tip_id, self.person, co_op_key(self.co_op) if self.co_op else self.message.conversation)

    def co_op_name(self, co_op_id: str) -> str:
        found = self._members.co_op(co_op_id)
        return found.name if found else ""
