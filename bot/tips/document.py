"""A tip as it is found: as a document of the knowledge, and as a line of what is told about it."""

from __future__ import annotations

import re

from bot.clock import JAPAN
from bot.members import chat_key, co_op_key
from bot.tips.tip import Consent, Tip, TipState
from knowledge import Audience, Document, Kind, Passage

# The same for all: a tip is found better by its words alone than with its first words twice.
_HEADING = "組合員のコツ"
_SHORT = 120  # characters of what is told in a chat answer
_TITLE = 30
_SENTENCE = re.compile(r"[^。!?\n]*[。!?]?")
_APART = re.compile(r"[。!?！？\n]+")
_SHORTEST_ASKING, _ASKINGS = 4, 6  # characters of a way to ask; so many of them count


def document(tip: Tip, named: str) -> Document:
    """What those find who may find the tip as it is now. `named`: its giver, as they want to be named; empty: not at all."""
    draft = tip.draft
    audience = Audience.of(own_key(tip), *(draft.audience.keys if tip.state is TipState.PUBLISHED else ()))
    detail = "\n".join(part for part in (draft.text, draft.place, draft.happened, draft.outcome) if part)
    told = Passage(tip.id, _HEADING, _short(draft.text), detail, asks=asks(draft.question))
    return Document(
        tip.id,
        Kind.TIP,
        _HEADING,
        f"{named}のコツ" if named else _HEADING,
        (told,),
        as_of=tip.offered_at.astimezone(JAPAN).date().isoformat(),
        audience=audience,
        co_op=named if draft.consent is Consent.CO_OP else "",
        facets={"place": (draft.place,)} if draft.place else {},
    )


def own_key(tip: Tip) -> str:
    """Who finds a tip whatever becomes of it: the giver's co-op, or the chat it was given in."""
    return co_op_key(tip.co_op) if tip.co_op else chat_key(tip.conversation)


def asks(question: str) -> tuple[str, ...]:
    """The ways to ask that stand in what a giver wrote: one a line or a sentence."""
    found = (part.strip(" \t・-") for part in _APART.split(question))
    return tuple(dict.fromkeys(part for part in found if len(part) >= _SHORTEST_ASKING))[:_ASKINGS]


def title(text: str) -> str:
    """The beginning of a tip, for a line that speaks of it."""
    first = _short(text).split("\n")[0]
    return first if len(first) <= _TITLE else first[: _TITLE - 1] + "…"


def _short(text: str) -> str:
    """As many whole sentences as a chat answer has room for."""
    taken = ""
    for sentence in _SENTENCE.findall(text):
        if len(taken) + len(sentence) > _SHORT:
            break
        taken += sentence
    return taken.strip() or text[: _SHORT - 1].rstrip() + "…"
