"""Entries of the knowledge as those who look after them see them: listed, searched as the bot does it, edited, looked after."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.desk.contents import Content
from bot.desk.entry_access import is_hidden, opened, shown_content
from bot.desk.entry_care import Due, EntryCare
from bot.desk.entry_editing import Conflict, EntryEditing, Saved
from bot.desk.entry_rows import Care
from bot.desk.rights import looks_after
from bot.members import co_op_key
from knowledge import DESK, FEDERATION, PUBLIC, Answer, Audience, Kind, Listed, Question, Reasons, Wanted

__all__ = ["CARES", "KINDS", "Conflict", "Due", "Entries", "Entry", "Page", "Row", "Saved"]

KINDS = tuple(k.value for k in Kind)
CARES = ("due", "mine", "edited", "lapsing", "expired")


@dataclass(frozen=True, slots=True)
class Row:
    """An entry in one line. `why` and `passage`: what a search found, and why it stands where it stands."""

    id: str
    kind: str
    title: str
    short: str
    source: str
    article: str
    as_of: str
    audience: tuple[str, ...]
    edited: bool
    hidden: bool
    may_edit: bool
    care: Care
    why: Reasons | None = None
    passage: str = ""
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the entries that were asked for. `total`: how many there are."""

    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A whole entry as it is now. `edited`: by hand; `shipped`: there is a shipped one it can be given back to."""

    id: str
    content: Content
    version: int
    edited: bool
    hidden: bool
    shipped: bool
    may_edit: bool
    care: Care


class Entries(EntryEditing, EntryCare):
    """Synchronous and safe to use from several threads. Raises Refused for what somebody may not do, and for what they may not see
    as for what isn't there."""

    def browse(
        self, reader: str, text: str = "", kind: str = "", co_op: str = "", care: str = "", offset: int = 0, limit: int = 50
    ) -> Page:
        """Entries this reader may see, a page of them. With `text`: what the bot finds for it, best first, and why."""
        only = self._cared(reader, care)
        if text.strip():
            return self._found(reader, text, kind, co_op, only, offset, limit)
        wanted = Wanted(
            audience=self._visible(reader),
            kind=kind if kind in KINDS else "",
            for_key=co_op_key(co_op) if co_op else "",
            only=only,
            origin=DESK if care == "edited" else "",
        )
        listed, total = self._knowledge.listing.page(wanted, max(offset, 0), limit)
        return Page(tuple(self._shown(reader, listed)), total)

    def told(self, reader: str, text: str, co_op: str = "") -> Answer:
        """What the bot would answer; as `browse` finds it."""
        audience = self._searched(reader, co_op)
        return self._knowledge.answer(Question(text, audience)) if audience else Answer(answered=False, confidence=0.0)

    def all_of(self, reader: str, co_op: str = "") -> Iterator[tuple[str, Content]]:
        """Every entry this reader may see, tips aside, by kind and title: its id and its content."""
        wanted = Wanted(self._visible(reader), for_key=co_op_key(co_op) if co_op else "", kinds_left_out=(Kind.TIP.value,))
        for document in self._knowledge.listing.whole(wanted):
            yield document.id, shown_content(document)

    def entry(self, reader: str, document_id: str) -> Entry | None:
        """A whole entry; None where there is none that this reader may see."""
        held = self._seen(reader, document_id)
        document = self._knowledge.whole(document_id) if held else None
        if held is None or document is None:
            return None
        return Entry(
            id=document_id,
            content=shown_content(document),
            version=self._rows.latest(document_id),
            edited=held.origin == DESK,
            hidden=is_hidden(held.audience),
            shipped=self._knowledge.is_shipped(document_id),
            may_edit=self._editable(held, looks_after(self._members, reader)),
            care=self._rows.care(document_id),
        )

    def _found(self, reader: str, text: str, kind: str, co_op: str, only: Collection[str] | None, offset: int, limit: int) -> Page:
        audience = self._searched(reader, co_op)
        if audience is None:
            return Page((), 0)
        chosen = None if only is None else set(only)
        best: dict[str, tuple[str, str, Reasons]] = {}
        for match, why in self._knowledge.explained(text, audience):
            if (not kind or match.document.kind == kind) and (chosen is None or match.document.id in chosen):
                best.setdefault(match.document.id, (match.passage.id, match.passage.heading, why))
        ids = list(best)[max(offset, 0) : max(offset, 0) + limit]
        listed = self._knowledge.listing.named(ids, shorts=True)
        rows = self._shown(reader, [listed[i] for i in ids if i in listed])
        return Page(tuple(replace(r, passage=best[r.id][0], heading=best[r.id][1], why=best[r.id][2]) for r in rows), len(best))

    def _searched(self, reader: str, co_op: str) -> Audience | None:
        """For whom is searched: who looks after all searches as a member of any co-op, or what is one co-op's own alone."""
        visible = self._visible(reader)
        if not co_op:
            return visible or Audience.of(PUBLIC, FEDERATION)
        key = co_op_key(co_op)
        return Audience.of(key) if visible is None or key in visible.keys else None

    def _cared(self, reader: str, care: str) -> Collection[str] | None:
        if care == "due":
            return [d.document for d in self.due(reader)]
        if care == "mine":
            return self._rows.cared(verifiers=self._members.accounts_of(reader))
        if care == "lapsing":
            return [listed.id for listed, *_ in self._ending(self._today())]
        return self._rows.cared(expired=self._today()) if care == "expired" else None

    def _shown(self, reader: str, listed: Sequence[Listed]) -> list[Row]:
        mine = looks_after(self._members, reader)
        cares = self._rows.cares([d.id for d in listed])
        return [
            Row(
                **{k: getattr(d, k) for k in ("id", "kind", "title", "short", "source", "article", "as_of")},
                audience=opened(d.audience),
                edited=d.origin == DESK,
                hidden=is_hidden(d.audience),
                may_edit=self._editable(d, mine),
                care=cares.get(d.id, Care()),
            )
            for d in listed
        ]
