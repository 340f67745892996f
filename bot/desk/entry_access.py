"""Who may see and edit which entries, and how one is written: what editing, care and search of entries rest on."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from bot.clock import JAPAN
from bot.desk.contents import Content, content_of, document_of
from bot.desk.entry_rows import EXPIRED, EntryRows, Taken, Version
from bot.desk.refusals import Refused
from bot.desk.rights import everybody, looks_after
from bot.members import Members, co_op_key
from knowledge import (
    DESK,
    FEDERATION,
    NOBODY,
    PUBLIC,
    Audience,
    Database,
    Document,
    EmbedderUnavailable,
    Flaw,
    IndexUnavailable,
    Kind,
    KnowledgeBase,
    Listed,
)

log = logging.getLogger(__name__)

HIDDEN = "expired:"  # before the keys of an audience: nobody has such


class EntryAccess:
    """Raises Refused for what somebody may not do, and for what they may not see as for what isn't there."""

    def __init__(self, database: Database, knowledge: KnowledgeBase, members: Members, clock: Callable[[], dt.datetime]) -> None:
        self._knowledge = knowledge
        self._members = members
        self._clock = clock
        self._rows = EntryRows(database)

    def may_see(self, reader: str, document_id: str) -> bool:
        return self._seen(reader, document_id) is not None

    def may_edit(self, reader: str, document_id: str) -> bool:
        held = self._knowledge.listing.named([document_id]).get(document_id)
        return held is not None and self._editable(held, looks_after(self._members, reader))

    def audiences(self, editor: str) -> tuple[str, ...]:
        """The audience keys somebody may give an entry."""
        mine = looks_after(self._members, editor)
        if mine is None:
            return (PUBLIC, FEDERATION, *(co_op_key(c.id) for c in self._members.co_ops()))
        return tuple(co_op_key(c) for c in sorted(mine))

    def verifiers(self, document_id: str) -> list[str]:
        """Who may look after an entry."""
        held = self._knowledge.listing.named([document_id]).get(document_id)
        if held is None:
            return []
        people = {a: mine for a, mine in everybody(self._members).items() if not a.startswith(("api:", "cli:"))}
        return [a for a, mine in people.items() if self._editable(held, mine)]

    def forget(self, person: str) -> None:
        self._rows.forget(self._members.accounts_of(person))

    def _visible(self, reader: str) -> Audience | None:
        """What a reader sees: all of it for who looks after all, hidden ones of their own co-ops for coordinators."""
        mine = looks_after(self._members, reader)
        if mine is None:
            return None
        own = self._members.audience(reader, reader, group=False).keys
        return Audience.of(*own, *(f"{HIDDEN}{co_op_key(c)}" for c in mine))

    def _seen(self, reader: str, document_id: str) -> Listed | None:
        held = self._knowledge.listing.named([document_id]).get(document_id)
        visible = self._visible(reader)
        if held is None or NOBODY in held.audience or (visible is not None and visible.keys.isdisjoint(held.audience)):
            return None
        return held

    def _editable(self, held: Listed, mine: frozenset[str] | None) -> bool:
        if held.kind == Kind.TIP or NOBODY in held.audience:
            return False
        return is_theirs(opened(held.audience), mine)

    def _to_edit(self, editor: str, document_id: str) -> Listed:
        held = self._seen(editor, document_id)
        if held is None:
            raise Refused("not_there")
        if not self._editable(held, looks_after(self._members, editor)):
            raise Refused("not_allowed")
        return held

    def _not_allowed(self, editor: str, content: Content) -> list[Flaw]:
        mine = looks_after(self._members, editor)
        if not is_theirs(content.audience, mine):
            return [Flaw("not_yours", "audience")]
        known = {PUBLIC, FEDERATION, *(co_op_key(c.id) for c in self._members.co_ops())}
        return [Flaw("no_co_op", "audience", "", k.removeprefix("coop:")) for k in content.audience if k not in known]

    def _now_at(self, document_id: str) -> tuple[int, Content | None]:
        """The number of the latest version, read first so that the content beside it is that one's or newer, never older."""
        latest = self._rows.latest(document_id)
        return latest, self._before(document_id)

    def _before(self, document_id: str) -> Content | None:
        document = self._knowledge.whole(document_id)
        return shown_content(document) if document else None

    def _first(self, latest: int, former: Content | None, origin: str) -> tuple[Content, str] | None:
        return (former, origin) if latest == 0 and former is not None else None

    def _origin(self, document_id: str, content: Content) -> str:
        """Whose an entry is: exactly as it came, it is again of where it came from."""
        first = next(iter(self._rows.versions(document_id)), None)
        return first.origin if first and first.version == 0 and first.origin and first.content == content else DESK

    def _hide(self, held: Listed, note: str) -> None:
        """Hide an entry that is past its day, or show it again; its text stays as it is."""
        latest, content = self._now_at(held.id)
        if content is None:
            return
        first = self._first(latest, content, held.origin)
        keys = tuple(f"{HIDDEN}{k}" for k in content.audience) if note == EXPIRED else content.audience
        origin = DESK if note == EXPIRED else self._origin(held.id, content)
        document = document_of(held.id, replace(content, audience=keys))
        try:
            write = self._rows.add(held.id, Version(latest + 1, None, "", self._now(), note), first)
            self._knowledge.take_over(document, origin, write)
        except Taken:
            return  # somebody is editing it just now; the next round hides it
        self._align(held.id)

    def _align(self, document_id: str) -> None:
        """Let it be found by its meaning too; by its words it is already. The rows are kept whatever becomes of the index."""
        try:
            self._knowledge.align_only([document_id])
        except (EmbedderUnavailable, IndexUnavailable) as error:
            log.error("%s Entries are found by their words until it is mended.", error)

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)

    def _today(self) -> dt.date:
        return self._clock().astimezone(JAPAN).date()


def shown_content(document: Document) -> Content:
    content = content_of(document)
    return replace(content, audience=opened(content.audience))


def opened(keys: Iterable[str]) -> tuple[str, ...]:
    """Whom an entry is for, also while it is hidden."""
    return tuple(sorted(k.removeprefix(HIDDEN) for k in keys))


def is_hidden(keys: Iterable[str]) -> bool:
    return any(k.startswith(HIDDEN) for k in keys)


def is_theirs(keys: Sequence[str], mine: frozenset[str] | None) -> bool:
    """Whether what is for these may be decided by who looks after some co-ops (None: all): what is for one of them alone."""
    return mine is None or (len(keys) == 1 and keys[0] in {co_op_key(c) for c in mine})


def may(content: Content | None, mine: frozenset[str] | None) -> bool:
    return content is not None and is_theirs(content.audience, mine)
