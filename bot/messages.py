"""The language spoken between adapters and the bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from knowledge import Answer


class Act(StrEnum):
    """What the bot means by a reply; `silent` is no reply."""

    SILENT = "silent"
    ANSWER = "answer"
    ASK_BACK = "ask_back"
    TAKE_TIP = "take_tip"
    ANNOUNCE = "announce"
    REFUSE = "refuse"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that announcements can go to, once it is linked to a co-op. A forum's threads belong to the forum."""

    conversation: str
    address: str  # the platform's own id
    shape: str  # as in `bot.announcing.senders.Shape`
    name: str = ""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """What someone wrote. `conversation`: everybody who sees the replies, and nobody else, shares it."""

    conversation: str
    text: str
    sender: str = ""  # a pseudonym; empty where the platform does not say who it was
    addressed: bool = True  # mentions the bot, quotes it, or is written to it alone
    group: bool = False
    language: str | None = None
    co_op: str | None = None
    platform: str = "console"
    at: datetime | None = None  # when it was written; None: now
    quotes: str = ""  # the answer or the announcement it replies to
    unreadable: bool = False  # a sticker, a picture, a voice: something without words
    press: str = ""  # the signed data of a button that was pressed
    within: tuple[str, ...] = ()  # the channel a thread belongs to
    rehearsed: bool = False  # played from a file: nobody has asked it, and it is in no record
    id: str = ""  # of the event it came with: the same when it is dealt with again; empty where the platform has none
    place: Place | None = None  # where it was written; None where nothing is announced or the bot knows the place already


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to go on with. What stands on the button can be typed as well."""

    text: str
    data: str = ""  # signed: what a press does; empty where it is the same as typing the text


@dataclass(frozen=True, slots=True)
class Card:
    """One thing of several that are shown side by side, each with its own choices."""

    title: str
    text: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot says. `answer` is the ANSWER of the public contract, for machines."""

    act: Act
    text: str
    choices: tuple[Choice, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    rating: str = ""  # signed id of exactly this answer; empty where there is nothing to rate
    answer_id: str = ""
    body: str = ""  # the text without the line of sources, for platforms that show those as links
    large: bool = False  # this reader wants large type
    cards: tuple[Card, ...] = ()  # shown below the text; what stands on them stands in the text too where a platform has no cards

    def with_choices(self, *choices: Choice) -> Reply:
        """The same with more to go on with."""
        every = (*self.choices, *choices)
        return replace(self, choices=every, answer={**self.answer, "choices": [c.text for c in every]})

    def with_cards(self, body: str, cards: tuple[Card, ...]) -> Reply:
        """The same with cards; `body` is the text where they are shown."""
        return replace(self, body=body, cards=cards)


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of a reply as somebody sees it on a platform: its text, its links (label, address), its buttons."""

    text: str
    links: tuple[tuple[str, str], ...] = ()
    buttons: tuple[str, ...] = ()


def plain(act: Act, text: str, language: str) -> Reply:
    """A reply that tells nothing of the knowledge."""
    return Reply(act, text, (), contract(Answer(answered=False, confidence=0.0), language, text, []))


def contract(answer: Answer, language: str, text: str, choices: Sequence[str]) -> dict[str, Any]:
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
