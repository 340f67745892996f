"""Bringing documents in: files, folders and pages, each target replaced as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge import corpus
from knowledge.errors import InvalidDocument
from knowledge.sources.files import find_files, read_file
from knowledge.sources.sections import Origin
from knowledge.sources.web_page import is_address, place_of, read_page
from knowledge.types import Audience, Document, Kind, text_hash

if TYPE_CHECKING:
    from knowledge.knowledge_base import KnowledgeBase

Progress = Callable[[int, int, str], None]  # documents done, documents in all, the name of the one just done

_LONGEST_ORIGIN = 400  # characters, as the column


@dataclass(slots=True)
class Report:
    """What came of it. `changed` counts documents written and removed."""

    documents: int = 0
    passages: int = 0
    changed: int = 0
    errors: list[tuple[str, str]] = field(default_factory=list)  # name and one sentence


@dataclass(frozen=True, slots=True)
class _Item:
    """One document to be read: its name for people, what its id is made from, and how to read it."""

    name: str
    place: str
    read: Callable[[], Document]


def origin_of(target: str) -> str:
    """What a target is held under: its address, or its whole path. The same for every spelling of the same place."""
    origin = place_of(target) if is_address(target) else os.path.realpath(target)
    return origin if len(origin) <= _LONGEST_ORIGIN else f"{origin[: _LONGEST_ORIGIN - 33]} {text_hash(origin)}"


def ingest(
    kb: KnowledgeBase,
    targets: Sequence[str],
    *,
    audience: Audience,
    kind: Kind,
    origin: Callable[[str], str] = origin_of,
    progress: Progress = lambda _done, _total, _name: None,
) -> Report:
    """Read each target (a file, a folder, an address) and put what it holds in place of what it held before.

    A document that cannot be read is reported and keeps its former state; one that is gone from its folder vanishes. Nothing
    vanishes where nothing could be read. Meaning is searched after `kb.align`. Raises StoreUnavailable.
    """
    report = Report()
    items = {held: _items(t, held, audience, kind, report) for held, t in {origin(t): t for t in targets}.items()}
    total, done = sum(map(len, items.values())), 0
    taken = {d.id: "the knowledge that Yui comes with" for d in corpus.load()} if total else {}
    for held, waiting in items.items():
        documents: list[Document] = []
        failed: list[_Item] = []
        for item in waiting:
            try:
                documents.append(_read(item, held, taken, kb))
            except InvalidDocument as error:
                report.errors.append((item.name, str(error).removeprefix(f"{item.name}: ")))
                failed.append(item)
            done += 1
            progress(done, total, item.name)
        if documents:
            report.documents += len(documents)
            report.passages += sum(len(d.passages) for d in documents)
            former = [d for item in failed if (d := _former(kb, item, audience)) and d.id not in taken]
            report.changed += kb.upsert([*documents, *former], held, complete=True)
    return report


def _items(target: str, origin: str, audience: Audience, kind: Kind, report: Report) -> list[_Item]:
    """The documents of a target; what keeps them from being found is reported."""
    if is_address(target):
        return [_Item(target, place_of(target), lambda: read_page(target, audience=audience, kind=kind))]
    root = Path(target)
    try:
        paths = list(find_files(root))
    except InvalidDocument as error:
        report.errors.append((target, str(error).removeprefix(f"{root}: ")))
        return []
    if not paths:
        report.errors.append((target, "the folder holds no documents, nothing was changed; check the path."))
    return [_file(path, root, origin, audience, kind) for path in paths]


def _file(path: Path, root: Path, origin: str, audience: Audience, kind: Kind) -> _Item:
    name = path.name if path == root else path.relative_to(root).as_posix()
    place = origin if path == root else f"{origin}\n{name}"
    return _Item(name, place, lambda: read_file(path, audience=audience, kind=kind, place=place, name=name))


def _read(item: _Item, origin: str, taken: dict[str, str], kb: KnowledgeBase) -> Document:
    document = item.read()
    owner = taken.get(document.id) or ("what was brought in from elsewhere" if kb.owned_elsewhere([document.id], origin) else "")
    if owner:
        raise InvalidDocument(f"its id {document.id} is taken by {owner}; give it another one.")
    taken[document.id] = item.name
    return document


def _former(kb: KnowledgeBase, item: _Item, audience: Audience) -> Document | None:
    """What was read from here before, if it was for the same people: that may be why it is brought in again."""
    held = kb.document(Origin(item.place, item.name).document_id, audience)
    return held if held is not None and held.audience == audience else None
