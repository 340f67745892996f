"""Entries changed by people: saved on top of what they saw, with every version kept and any of them brought back."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, replace

from bot.desk.contents import Content, Difference, Part, cleaned, compared, content_of, document_of, flaws_of, merged
from bot.desk.entry_access import HIDDEN, EntryAccess, may
from bot.desk.entry_rows import REMOVED, Taken, Version
from bot.desk.entry_words import Flawed
from bot.desk.previews import preview
from bot.desk.refusals import Refused
from bot.desk.rights import looks_after
from bot.messages import Reply
from knowledge import DESK, NOBODY, Audience, Document, Flaw, Kind, Listed


@dataclass(frozen=True, slots=True)
class Saved:
    """`changed` False: it was the same already, and nothing was written."""

    document: str
    version: int
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else saved first. `mine`: theirs with what I changed; `differences`: from theirs to mine."""

    document: str
    version: int
    by: str
    at: dt.datetime
    theirs: Content
    mine: Content
    differences: tuple[Difference, ...]


class EntryEditing(EntryAccess):
    """Every change is one transaction: the entry and its version, or neither."""

    def flaws(self, editor: str, document_id: str, content: Content) -> list[Flaw]:
        """What keeps a content from being saved."""
        content = cleaned(content)
        return [*self._not_allowed(editor, content), *flaws_of(document_id or "new", content)]

    def save(self, editor: str, document_id: str, based_on: int, content: Content, note: str = "") -> Saved | Conflict:
        """Put a new version in, if nobody else did since the one it is based on. Raises Flawed, with all that is wrong."""
        held = self._to_edit(editor, document_id)
        content = cleaned(content)
        if found := self.flaws(editor, document_id, content):
            raise Flawed(found)
        latest, former = self._now_at(document_id)
        if latest != based_on and (conflict := self._conflict(document_id, based_on, content)):
            return conflict
        if content == former:
            return Saved(document_id, latest, changed=False)
        try:
            self._write(document_id, content, held, former, Version(latest + 1, content, editor, self._now(), note))
        except Taken:
            return self._conflict(document_id, based_on, content) or self.save(editor, document_id, latest + 1, content, note)
        return Saved(document_id, latest + 1)

    def new(self, editor: str, content: Content) -> Saved:
        """A new entry. Raises Flawed."""
        document_id = f"entry-{secrets.token_hex(6)}"
        first = next(iter(content.parts), Part(""))
        parts = (replace(first, id=document_id, heading=first.heading or content.title), *content.parts[1:])
        content = cleaned(replace(content, parts=parts))
        found = self.flaws(editor, document_id, content)
        if not content.parts[0].short and Flaw("empty", "short", document_id) not in found:
            found.append(Flaw("empty", "short", document_id))
        if found:
            raise Flawed(found)
        write = self._rows.add(document_id, Version(1, content, editor, self._now()))
        self._knowledge.take_over(document_of(document_id, content), DESK, write)
        self._align(document_id)
        return Saved(document_id, 1)

    def remove(self, editor: str, document_id: str) -> Saved:
        """Take an entry out; every version of it is kept."""
        held = self._to_edit(editor, document_id)
        latest, former = self._now_at(document_id)
        gone = Version(latest + 1, None, editor, self._now(), REMOVED)
        try:
            if self._knowledge.is_shipped(document_id):  # else the next start would bring it back
                empty = Document(document_id, Kind.SURVEY, held.title, held.source, (), audience=Audience.of(NOBODY))
                self._knowledge.take_over(empty, DESK, self._rows.add(document_id, gone, self._first(latest, former, held.origin)))
            else:
                write = self._rows.add(document_id, gone, self._first(latest, former, held.origin))
                self._knowledge.delete([document_id], write)
        except Taken:
            raise Refused("changed_meanwhile") from None
        self._align(document_id)
        return Saved(document_id, latest + 1)

    def versions(self, reader: str, document_id: str) -> list[Version]:
        """The versions this reader may see, the newest first; also of an entry that has been taken out."""
        mine = looks_after(self._members, reader)
        found = self._rows.versions(document_id)
        now = self._knowledge.listing.named([document_id]).get(document_id)
        if (now is not None and NOBODY not in now.audience and not self._editable(now, mine)) or not found:
            return []
        newest = next((v for v in reversed(found) if v.content), None)
        if newest is None or not may(newest.content, mine):
            return []
        return [v for v in reversed(found) if v.content is None or may(v.content, mine)]

    def diff(self, reader: str, document_id: str, old: int, new: int) -> list[Difference]:
        """What changed from one version to another."""
        a, b = (self._version(reader, document_id, v) for v in (old, new))
        return compared(a, b)

    def restore(self, editor: str, document_id: str, version: int) -> Saved:
        """Put an earlier version in again, as a new one; also of an entry that has been taken out. Raises Flawed, Refused."""
        content = self._version(editor, document_id, version)
        if found := self._not_allowed(editor, content):
            raise Flawed(found)
        held = self._knowledge.listing.named([document_id]).get(document_id)
        latest = self._rows.latest(document_id)
        former = self._before(document_id) if held else None
        if former == content:
            return Saved(document_id, latest, changed=False)
        try:
            self._write(document_id, content, held, former, Version(latest + 1, content, editor, self._now(), f"= {version}"))
        except Taken:
            raise Refused("changed_meanwhile") from None
        return Saved(document_id, latest + 1)

    def restore_shipped(self, editor: str, document_id: str) -> Saved:
        """Give an entry back to the shipped knowledge: it is what this version of Yui ships, and follows its updates again."""
        shipped = self._knowledge.shipped(document_id)
        mine = looks_after(self._members, editor)
        if shipped is None or mine is not None:
            raise Refused("not_there")
        latest, content = self._rows.latest(document_id), content_of(shipped)
        write = self._rows.add(document_id, Version(latest + 1, content, editor, self._now(), "shipped"))
        try:
            self._knowledge.give_back(document_id, write)
        except Taken:
            raise Refused("changed_meanwhile") from None
        care = self._rows.care(document_id)
        if care.expires_at is not None:
            self._rows.put_care(document_id, replace(care, expires_at=None))
        self._align(document_id)
        return Saved(document_id, latest + 1)

    def based_on(self, editor: str, document_id: str, version: int) -> Content:
        """What an editor had before them; where that is not known, what there is now. Raises Refused."""
        self._to_edit(editor, document_id)
        found = next((v.content for v in self._rows.versions(document_id) if v.version == version), None)
        now = found or self._before(document_id)
        if now is None:
            raise Refused("not_there")
        return now

    def preview(self, document_id: str, content: Content, part: str, language: str) -> Reply | None:
        """The chat answer that a part of a content would give; nothing of it is kept."""
        return preview(self._knowledge, document_id or "new", content, part, language)

    def _write(self, document_id: str, content: Content, held: Listed | None, former: Content | None, version: Version) -> None:
        """A content into the knowledge and its version into the rows, both or neither."""
        care = self._rows.care(document_id)
        late = care.expires_at is not None and care.expires_at < self._today()
        first = self._first(version.version - 1, former, held.origin if held else DESK)
        origin = DESK if late else self._origin(document_id, content)
        shown = replace(content, audience=tuple(f"{HIDDEN}{k}" for k in content.audience)) if late else content
        self._knowledge.take_over(document_of(document_id, shown), origin, self._rows.add(document_id, version, first))
        self._align(document_id)

    def _conflict(self, document_id: str, based_on: int, content: Content) -> Conflict | None:
        """None where what was done meanwhile left the text as it was."""
        versions = {v.version: v for v in self._rows.versions(document_id)}
        if not versions:
            return None
        base, last = versions.get(based_on), versions[max(versions)]
        theirs = self._before(document_id) or last.content
        if theirs is None:
            raise Refused("not_there")
        if base is not None and base.content == theirs:
            return None
        mine = merged(base.content if base and base.content else theirs, content, theirs)
        differences = tuple(compared(theirs, mine))
        return Conflict(document_id, last.version, last.by, last.at, theirs, mine, differences) if differences else None

    def _version(self, reader: str, document_id: str, version: int) -> Content:
        found = next((v for v in self.versions(reader, document_id) if v.version == version), None)
        if found is None or found.content is None:
            raise Refused("not_there")
        return found.content
