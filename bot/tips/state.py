"""What the talk about a tip remembers between two messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bot.tips.tip import Consent, Draft
from knowledge import Audience

WAITS = dt.timedelta(minutes=5)  # so long is a person's next message expected
_LONGEST_TRAIL = 20
_HEARD = 5  # ids; a process that dies has hardly more messages of one person at hand


class Step(StrEnum):
    """What is being asked."""

    TEXT = "text"
    PLACE = "place"
    HAPPENED = "happened"
    OUTCOME = "outcome"
    SIMILAR = "similar"
    PERSONAL = "personal"
    CONSENT = "consent"
    NAME = "name"
    AUDIENCE = "audience"
    CO_OPS = "co_ops"
    QUESTION = "question"  # in which words somebody else may ask for it
    SUMMARY = "summary"
    MEND = "mend"  # which piece shall be changed
    SETTLE = "settle"  # go on with the old draft, or begin anew
    SENT = "sent"  # it has been sent, and can still be changed


# What is asked, in this order, where it is due.
ORDER = (
    Step.TEXT,
    Step.PLACE,
    Step.HAPPENED,
    Step.OUTCOME,
    Step.SIMILAR,
    Step.PERSONAL,
    Step.CONSENT,
    Step.NAME,
    Step.AUDIENCE,
    Step.CO_OPS,
    Step.QUESTION,
)
# The pieces that are told in free words.
PIECES = {
    Step.TEXT: "text",
    Step.PLACE: "place",
    Step.HAPPENED: "happened",
    Step.OUTCOME: "outcome",
    Step.NAME: "author_name",
    Step.QUESTION: "question",
}
# What nobody must say.
OPTIONAL = frozenset(ORDER) - {Step.TEXT, Step.SIMILAR, Step.PERSONAL}
# Steps that belong to what was found, not to what is told: going back passes them.
_PASSED = frozenset({Step.SIMILAR, Step.PERSONAL, Step.MEND, Step.SETTLE, Step.SENT, Step.SUMMARY})


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk at one step. `done`: what has been answered or skipped; `trail`: what was asked before, for going back."""

    step: Step = Step.TEXT
    draft: Draft = field(default_factory=Draft)
    done: frozenset[Step] = frozenset()
    trail: tuple[Step, ...] = ()
    allowed: tuple[str, ...] = ()  # personal data that the giver lets stand
    left: bool = False  # nothing is waited for; the draft can be gone on with
    tip: str = ""  # the tip that is changed, or has been sent
    told_at: str = ""  # when the text was told last
    following: Draft | None = None  # what was told for a new tip while an older draft is there
    listed: tuple[str, ...] = ()  # one's own tips by the numbers they were shown with
    listed_at: str = ""
    doomed: str = ""  # one's own tip that shall be withdrawn once it is confirmed
    heard: tuple[str, ...] = ()  # ids of the last messages that were taken

    @property
    def is_open(self) -> bool:
        return not self.left and self.step is not Step.SENT

    @property
    def has_draft(self) -> bool:
        """Whether something was told that has not been sent."""
        return self.step is not Step.SENT and bool(self.draft.text or self.draft.place or self.draft.happened or self.draft.outcome)

    def to(self, step: Step) -> Talk:
        """The talk at another step."""
        if step is self.step:
            return self
        trail = self.trail if self.step in _PASSED else (*self.trail, self.step)[-_LONGEST_TRAIL:]
        return replace(self, step=step, trail=trail)

    def having(self, *steps: Step) -> Talk:
        return replace(self, done=self.done.union(steps))

    def lacking(self, *steps: Step) -> Talk:
        return replace(self, done=self.done.difference(steps))

    def telling(self, **pieces: Any) -> Talk:
        """The talk with fields of its draft put in."""
        return replace(self, draft=replace(self.draft, **pieces))

    def having_heard(self, message_id: str) -> Talk:
        """The talk with a message taken; one without an id leaves no trace."""
        return replace(self, heard=(*self.heard, message_id)[-_HEARD:]) if message_id else self

    def back(self) -> Talk:
        """The talk at the step before; at the first one it stays."""
        if not self.trail:
            return self.lacking(self.step)
        step = self.trail[-1]
        if step is Step.NAME and self.draft.consent is not Consent.NAME:
            return replace(self, trail=self.trail[:-1]).back()
        return replace(self, step=step, trail=self.trail[:-1], done=self.done - {step})

    def as_json(self) -> dict[str, Any]:
        plain = ("left", "tip", "told_at", "listed_at", "doomed")
        return {
            **{k: getattr(self, k) for k in plain},
            **{k: list(getattr(self, k)) for k in ("trail", "allowed", "listed", "heard")},
            "done": sorted(self.done),
            "draft": _draft_as_json(self.draft),
            "following": _draft_as_json(self.following) if self.following else None,
        }

    @classmethod
    def of(cls, step: str, raw: Mapping[str, Any]) -> Talk:
        """The talk that was kept. Raises ValueError or KeyError for what another version of the program kept differently."""
        plain = {k: raw[k] for k in ("left", "tip", "told_at", "listed_at", "doomed")}
        return cls(
            step=Step(step),
            draft=_draft(raw["draft"]),
            done=frozenset(Step(s) for s in raw["done"]),
            trail=tuple(Step(s) for s in raw["trail"]),
            allowed=tuple(raw["allowed"]),
            listed=tuple(raw["listed"]),
            heard=tuple(raw.get("heard", ())),
            following=_draft(raw["following"]) if raw["following"] else None,
            **plain,
        )

    def listed_within(self, now: dt.datetime, span: dt.timedelta) -> bool:
        return bool(self.listed_at) and now - dt.datetime.fromisoformat(self.listed_at) <= span


def with_pieces(draft: Draft, pieces: Mapping[str, str]) -> Draft:
    """The draft with some of what is told in free words put in."""
    values: dict[str, Any] = dict(pieces)
    return replace(draft, **values)


def _draft_as_json(draft: Draft) -> dict[str, Any]:
    words = ("text", "place", "happened", "outcome", "question", "author_name")
    told = {k: getattr(draft, k) for k in words}
    return {**told, "consent": draft.consent.value, "audience": sorted(draft.audience.keys)}


def _draft(raw: Mapping[str, Any]) -> Draft:
    return Draft(**{**raw, "consent": Consent(raw["consent"]), "audience": Audience(frozenset(raw["audience"]))})
