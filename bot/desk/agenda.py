"""The one list of what needs a person, in the chat as in the browser; and the answer to an open question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.curation import Curation
from bot.desk.asked import Asked
from bot.desk.entries import Entries
from bot.members import Members, Role, co_op_key
from bot.questions import OpenQuestions
from bot.tips.tip import Action, Consent, Decided, Draft, Tip, Verdict
from knowledge import FEDERATION, Audience, Piece, differences

_TITLE = 30  # characters of an answer by which its askers hear of it


class ItemKind(StrEnum):
    TIP = "tip"  # to review, or to check again
    QUESTION = "question"  # nobody has answered it
    UNHELPFUL = "unhelpful"  # somebody said that an answer did not help
    ENTRY = "entry"  # past its check date, citing a changed article, or about to lapse


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits for a decision. `weight`: times asked × age in seconds."""

    kind: ItemKind
    id: str
    weight: float
    about: Any  # a Tip, Topic, AskedQuestion or Due, as the kind says


class Agenda:
    """Synchronous. Everybody sees what they may decide about, and nothing else counts for them."""

    def __init__(
        self, curation: Curation, questions: OpenQuestions, asked: Asked, entries: Entries, members: Members,
        clock: Callable[[], dt.datetime],
    ) -> None:  # fmt: skip
        self._curation = curation
        self._questions = questions
        self._asked = asked
        self._entries = entries
        self._members = members
        self._clock = clock

    def for_chat(self, reviewer: str) -> list[Item]:
        """Tips and open questions: what can be decided in a few words."""
        tips = [Item(ItemKind.TIP, w.tip.id, w.weight, w.tip) for w in self._curation.queue(reviewer)]
        topics = [Item(ItemKind.QUESTION, t.id, t.weight, t) for t in self._questions.topics(reviewer)]
        return _ordered([*tips, *topics])

    def items(self, reviewer: str) -> list[Item]:
        """Everything, first things first."""
        now = self._clock()
        unhelpful = [Item(ItemKind.UNHELPFUL, a.answer_id, _age(a.at, now), a) for a in self._asked.unhelpful(reviewer)]
        due = [
            Item(ItemKind.ENTRY, d.document, _age(d.since, now), d) for d in (self._entries.due(reviewer) if self._entries else ())
        ]
        return _ordered([*self.for_chat(reviewer), *unhelpful, *due])

    def changes(self, tip: Tip, reviewer: str) -> tuple[Piece, ...]:
        """What the newest version of a tip changed of the one before; nothing where there is only one."""
        history = self._curation.history(tip.id, reviewer) if tip.version > 1 else None
        if history is None or len(history.versions) < 2:
            return ()
        before, now = (v.content.get("text", "") for v in history.versions[-2:])
        return differences(before, now)

    def answer(self, topic_id: str, text: str, reviewer: str) -> Decided | None:
        """Answer an open question: the text becomes a tip, published for everybody who asked; they hear of it.

        None where the question is not open any more. Raises UserMistake for a text that cannot be a tip.
        """
        topic = self._questions.topic(topic_id, reviewer)
        if topic is None:
            return None
        everywhere = any(g.role in (Role.ADMIN, Role.COORDINATOR) and not g.co_op for g in self._members.grants(reviewer))
        co_op = topic.co_op or self._members.own_co_op(reviewer, reviewer, group=False)
        if not co_op and not everywhere:  # asked in several of this reviewer's co-ops: it is told in the name of one of them
            co_op = next((c.id for c in self._members.co_ops() if co_op_key(c.id) in topic.asked_in), "")
        audience = Audience.of(*topic.asked_in, *([FEDERATION] if everywhere else []))
        draft = Draft(text=text, question=topic.text, consent=Consent.CO_OP if co_op else Consent.ANONYMOUS, audience=audience)
        tip = self._curation.offer(draft, author=reviewer, conversation=reviewer, co_op=co_op)
        decided = self._curation.decide(tip.id, tip.version, Action.PUBLISH, reviewer)
        if decided.verdict is Verdict.DONE:
            title = text if len(text) <= _TITLE else text[: _TITLE - 1] + "…"
            self._questions.answered(topic_id, reviewer, tip.id, title)
        return decided

    def undo(self, tip_id: str, reviewer: str, decided_at: dt.datetime | None = None) -> Decided:
        """Take the last decision about a tip back, as `Curation.undo` does; a question it answered is open again."""
        decided = self._curation.undo(tip_id, reviewer, decided_at)
        if decided.verdict is Verdict.DONE:
            self._questions.unanswered(tip_id, reviewer)
        return decided


def _age(since: dt.datetime, now: dt.datetime) -> float:
    return 1 + max((now - since).total_seconds(), 0.0)


def _ordered(items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: -item.weight)
