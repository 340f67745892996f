"""What is known, for other programs: single entries instead of a chat's answer. The audience decides here as it does there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from bot.curation import Curation
from bot.tips.store import TipStore, tips
from bot.tips.tip import MAY_STAND, Attribution, Draft, Tip, TipState
from knowledge import Audience, Document, KnowledgeBase, Match, find_personal_data

_READ_FOR_PERSONAL_DATA = ("text", "place", "happened", "outcome", "question")


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as it is shown to one audience. `attribution`: only with tips."""

    id: str
    kind: str  # law, survey, case, tip, event
    title: str
    source: str
    texts: tuple[str, ...]  # what was found: the short answer alone; of a whole document: every passage in full
    url: str = ""
    article: str = ""
    as_of: str = ""
    co_op: str = ""
    score: float = 0.0  # log-odds, comparable within one search
    attribution: Attribution | None = None


class Search:
    """Synchronous. Nothing outside the audience is found, counted or hinted at."""

    def __init__(self, knowledge: KnowledgeBase, curation: Curation, store: TipStore) -> None:
        self._knowledge = knowledge
        self._curation = curation
        self._store = store

    def find(self, text: str, audience: Audience, limit: int) -> list[Entry]:
        """The entries nearest to a question, best first, each document once."""
        best: dict[str, Match] = {}
        for match in self._knowledge.retrieve(text, audience).matches:
            best.setdefault(match.document.id, match)
        shown = list(best.values())[:limit]
        told = self._curation.attributions([m.document.id for m in shown])
        return [_entry(m.document, (m.passage.short,), m.score, told.get(m.document.id)) for m in shown]

    def get(self, document_id: str, audience: Audience) -> Entry | None:
        """A whole document; None where there is none that this audience may see."""
        document = self._knowledge.document(document_id, audience)
        if document is None:
            return None
        texts = tuple(p.detail if p.short in p.detail else f"{p.short}\n{p.detail}".rstrip() for p in document.passages)
        return _entry(document, texts, 0.0, self._curation.attributions([document.id]).get(document.id))

    def published(self, audience: Audience, offset: int, limit: int) -> list[tuple[Tip, Attribution]]:
        """Published tips this audience may find, in the order they were offered."""
        published = self._store.find(tips.c.state == TipState.PUBLISHED.value)
        visible = list(islice((t for t in published if self._is_visible(t, audience)), offset, offset + limit))
        told = self._curation.attributions([t.id for t in visible])
        return [(t, told[t.id]) for t in visible if t.id in told]

    def tip(self, tip_id: str, audience: Audience) -> tuple[Tip, Attribution] | None:
        """One published tip; None where there is none that this audience may find."""
        found = self._store.tip(tip_id)
        if found is None or found.state is not TipState.PUBLISHED or not self._is_visible(found, audience):
            return None
        told = self._curation.attributions([tip_id]).get(tip_id)
        return (found, told) if told else None

    def _is_visible(self, tip: Tip, audience: Audience) -> bool:
        # The document knows who may find a tip now: whom it is published for, and the giver's own.
        return self._knowledge.document(tip.id, audience) is not None


def audience_of(*keys: str) -> Audience:
    """`public`, `federation`, `coop:ID` as an audience."""
    return Audience.of(*keys)


def audience_of_member(co_op: str) -> Audience:
    """What a member of a co-op sees; without a co-op: what everybody does."""
    return Audience.of_member(co_op or None)


def personal_data(draft: Draft, *, confirmed: bool = False) -> Sequence[str]:
    """What names or describes a person in a draft and may not stand. `confirmed`: its giver has looked at it; then names and
    addresses may, nobody's illness or account."""
    found = [d for piece in _READ_FOR_PERSONAL_DATA for d in find_personal_data(getattr(draft, piece))]
    return list(dict.fromkeys(d.text for d in found if not (confirmed and d.kind in MAY_STAND)))


def _entry(document: Document, texts: tuple[str, ...], score: float, attribution: Attribution | None) -> Entry:
    d = document
    return Entry(d.id, d.kind.value, d.title, d.source, texts, d.url, d.article, d.as_of, d.co_op, round(score, 3), attribution)
