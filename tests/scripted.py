"""A bot that says what a test gives it, to see how a platform shows that and what it takes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from bot.conversations import Conversations
from bot.messages import Act, Card, Choice, IncomingMessage, Reply


class Script:
    """Stands in for the conversations of a running bot. `says` is what the next messages get."""

    def __init__(self, conversations: Conversations, monkeypatch: pytest.MonkeyPatch) -> None:
        self.says: Reply | None = said("はい")
        self.heard: list[IncomingMessage] = []
        self.offered: list[tuple[IncomingMessage, Mapping[str, str]]] = []
        self.left: list[str] = []
        self.awaited = False  # whether a dialogue is open
        self.meanwhile: Callable[[], object] = lambda: None  # what happens while a reply is being worked out
        for name, method in (
            ("reply_to", self._reply_to),
            ("offer_tip", self._offer_tip),
            ("left", self._left),
            ("is_addressed", self._is_addressed),
        ):
            monkeypatch.setattr(conversations, name, method, raising=False)

    async def _reply_to(self, message: IncomingMessage) -> Reply | None:
        self.heard.append(message)
        self.meanwhile()
        return self.says

    async def _offer_tip(self, message: IncomingMessage, pieces: Mapping[str, str]) -> Reply | None:
        self.offered.append((message, pieces))
        return self.says

    async def _left(self, conversation: str) -> None:
        self.left.append(conversation)

    async def _is_addressed(self, message: IncomingMessage) -> bool:
        return not message.group or message.addressed or self.awaited


def said(text: str, *choices: Choice, cards: tuple[Card, ...] = (), body: str = "", large: bool = False) -> Reply:
    answer = {"answered": False, "language": "ja"}
    return Reply(Act.OTHER, text, choices, answer, body=body or text, large=large, cards=cards)


def round_of(count: int, *choices: Choice, text: str = "足場は1人で組まない。", large: bool = False) -> Reply:
    """As many cards as a round has, with the buttons of a round under each."""
    actions = {"公開": "publish", "まとめる": "merge", "たずねる": "ask_back", "見送る": "decline", "あとで": "postpone"}
    signature = "s" * 24
    cards = tuple(
        Card(f"{n}. コツの確認", text, tuple(Choice(a, f"tip-{n:016x}.1.{v}.tip-{0:016x}.{signature}") for a, v in actions.items()))
        for n in range(1, count + 1)
    )
    listed = "\n\n".join(["確認を待つものがあります。", *(f"{c.title}\n{c.text}" for c in cards)])
    return said(listed, *choices, cards=cards, body="確認を待つものがあります。", large=large)
