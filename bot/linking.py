"""One-time codes in the chat: a group is linked to its co-op, a person gets a role or becomes one with their other account."""

from __future__ import annotations

import re

from bot import wording
from bot.announcing.chats import Chats
from bot.announcing.senders import Shape
from bot.members import Members, Outcome, Purpose
from bot.messages import Act, IncomingMessage, Reply, plain
from knowledge import normalise

_LINK = r"(?:連携|れんけい|link)"
_CODE = re.compile(
    rf"{_LINK}(?:コード)?は?[\s:、]*(?P<code>[a-z0-9]{{3,6}}[\s\-‐‑–—―−ーｰ]*[a-z0-9]{{3,6}})(?:\s*(?:です|でお願いします))?[。.!]?"
)
_WANTS_CODE = re.compile(rf"{_LINK}(?:の)?(?:コード|番号|code)(?:を|が)?(?:ください|ほしい|出して|発行|発行して)?[。.!]?")
_WORD, _WORD_FOR_CODE = "連携", "連携コード"
_LONGEST = 40  # characters


def is_about_code(text: str) -> bool:
    """Whether a message brings a code, or asks for one."""
    said = _said(text)
    return bool(_WANTS_CODE.fullmatch(said) or _CODE.fullmatch(said))


class Linking:
    """Synchronous."""

    def __init__(self, members: Members, chats: Chats) -> None:
        self._members = members
        self._chats = chats

    def take(self, message: IncomingMessage, language: str) -> Reply | None:
        """What comes of a code; a code where one is asked for; None for any other message."""
        said = _said(message.text)
        if _WANTS_CODE.fullmatch(said):
            return self._new_code(message, language)
        found = _CODE.fullmatch(said)
        return self._redeemed(found["code"], message, language) if found else None

    def left(self, conversation: str) -> None:
        """The bot is not there any more: it is no co-op's chat, and nothing is announced there."""
        self._members.unlink(conversation)
        self._chats.gone(conversation)

    def _new_code(self, message: IncomingMessage, language: str) -> Reply:
        """A code by which another account becomes the same person; nobody else may see it."""
        if message.group:
            return _say("code_alone", language, word=_WORD_FOR_CODE)
        code = self._members.code(Purpose.MERGE, account=message.sender or message.conversation)
        return _say("code_new", language, code=code, word=_WORD)

    def _redeemed(self, code: str, message: IncomingMessage, language: str) -> Reply:
        account = message.sender or message.conversation
        place = message.place
        conversation = place.conversation if place else message.conversation
        outcome, co_op_id = self._members.redeem(code, account, conversation, group=message.group)
        if place and outcome in (Outcome.LINKED, Outcome.INVITED, Outcome.MERGED):
            alone = not message.group
            self._chats.known(conversation, message.platform, place.address, Shape(place.shape), place.name, alone=alone)
        co_op = self._members.co_op(co_op_id) if co_op_id else None
        if outcome is Outcome.INVITED and co_op is None:
            return _say("invited_everywhere", language)
        return _say(outcome.value, language, co_op=co_op.name if co_op else "")


def _said(text: str) -> str:
    return normalise(text) if len(text) <= _LONGEST else ""


def _say(key: str, language: str, **values: str) -> Reply:
    return plain(Act.OTHER, wording.say(key, language, **values), language)
