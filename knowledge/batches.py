"""A file that somebody brings in, as documents: each row of a table one, or the file as a whole; and what they would change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from knowledge.checks import Flaw, flaws
from knowledge.errors import InvalidDocument
from knowledge.sources.files import read_bytes
from knowledge.sources.markdown import LONGEST_SHORT
from knowledge.sources.sections import Origin
from knowledge.sources.tables import Row, table_of
from knowledge.store import document_hash
from knowledge.types import FEDERATION, PUBLIC, Audience, Document, Kind, Passage

if TYPE_CHECKING:
    from knowledge.knowledge_base import KnowledgeBase

_AT_ONCE = 100  # documents written together
_LIST = re.compile(r"[\n／;；]+")
_WORDS = re.compile(r"[\s、,，／;；]+")
_AUDIENCES = {
    **dict.fromkeys(("public", "公開", "みんな", "だれでも", "全員"), PUBLIC),
    **dict.fromkeys(("federation", "連合会", "連合会の組合", "組合どうし"), FEDERATION),
}
_OWN = ("coop", "組合", "組合だけ", "組合内", "自分の組合")


@dataclass(frozen=True, slots=True)
class RowError:
    """What keeps a row, or with `row` 0 the whole file, from being taken."""

    row: int
    flaws: tuple[Flaw, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """How a file is to be taken. `columns`: field → place of its column; None: the file is one document.

    `audience`: for whom, where a row does not say; `allowed`: for whom a row may be. `own_ids`: entries of docs/corpus.md keep the
    id they name.
    """

    name: str
    origin: str
    audience: Audience
    kind: Kind
    allowed: frozenset[str]
    columns: Mapping[str, int] | None = None
    own_ids: bool = False


@dataclass(slots=True)
class Batch:
    """What a file holds, and what it would change: document ids by what becomes of them."""

    documents: list[Document] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def prepare(kb: KnowledgeBase, data: bytes, task: Task, origin_of_hand: str) -> Batch:
    """What taking a file in would do; nothing is written. Raises InvalidDocument, one sentence, for a file that cannot be read.

    Where a row is broken nothing is removed: nobody knows which entry it was. What somebody has edited by hand, or has come from
    elsewhere, is left as it is and named.
    """
    batch = Batch()
    if task.columns is None:
        batch.documents.append(_whole(data, task))
    else:
        _read_rows(data, task, batch)
    held = kb.listing.hashes(task.origin)
    ids = [d.id for d in batch.documents]
    foreign = kb.owned_elsewhere(ids, task.origin)
    by_hand = foreign - kb.owned_elsewhere(sorted(foreign), origin_of_hand)
    for d in batch.documents:
        if d.id in foreign:
            batch.errors.append(RowError(0, (Flaw("by_hand" if d.id in by_hand else "taken", "id", "", d.title),)))
        elif d.id in held:
            (batch.same if held[d.id] == document_hash(d) else batch.changed).append(d.id)
        else:
            batch.added.append(d.id)
    batch.documents = [d for d in batch.documents if d.id not in foreign]
    broken = any(e.flaws[0].what not in ("by_hand", "taken") for e in batch.errors)
    batch.removed = [] if broken or not batch.documents else [i for i in held if i not in set(ids)]
    return batch


def take_in(kb: KnowledgeBase, batch: Batch, origin: str, progress: Callable[[int], None]) -> int:
    """Write a batch, some documents at a time. Returns the number of changes; meaning is searched after `align`."""
    wanted = {*batch.added, *batch.changed}
    new = [d for d in batch.documents if d.id in wanted]
    changes = 0
    for start in range(0, len(new), _AT_ONCE):
        changes += kb.upsert(new[start : start + _AT_ONCE], origin)
        progress(min(start + _AT_ONCE, len(new)))
    if batch.removed:
        kb.delete(batch.removed)
    return changes + len(batch.removed)


def _whole(data: bytes, task: Task) -> Document:
    """The file as one document. What it says of its audience cannot widen what was chosen."""
    document = read_bytes(data, Origin(task.origin, task.name), audience=task.audience, kind=task.kind)
    if document.audience.keys - task.allowed:
        raise InvalidDocument("it is for others only; bring it in for that audience.")
    made = Origin(task.origin, task.name).document_id
    if task.own_ids or document.id == made:
        return document
    passages = tuple(replace(p, id=made + p.id.removeprefix(document.id)) for p in document.passages)
    return replace(document, id=made, passages=passages)


def _read_rows(data: bytes, task: Task, batch: Batch) -> None:
    table = table_of(data, task.name)
    if table is None:
        raise InvalidDocument("it is not a table in CSV; save it as CSV in UTF-8.")
    titles: dict[str, int] = {}
    for row in table.rows:
        if row.cells is None:
            batch.errors.append(RowError(row.number, (Flaw("broken_row", "short"),)))
            continue
        document, found = _document(row, task)
        before = titles.setdefault(document.id, row.number)
        if before != row.number:
            found = [*found, Flaw("same_title", "title", "", str(before))]
        if found:
            batch.errors.append(RowError(row.number, tuple(found)))
        else:
            batch.documents.append(document)


def _document(row: Row, task: Task) -> tuple[Document, list[Flaw]]:
    cells = {name: row.cells[at].strip() for name, at in (task.columns or {}).items() if row.cells and 0 <= at < len(row.cells)}
    asks, tags = _split(cells.get("asks", ""), _LIST), _split(cells.get("tags", ""), _WORDS)
    short, detail = cells.get("short", ""), cells.get("detail", "")
    title = cells.get("title") or (asks[0] if asks and short else "")  # a table of questions and answers has no titles
    if len(short) > LONGEST_SHORT and "detail" not in cells:
        short, detail = "", short  # of a longer text the answer is taken
    document_id = Origin(f"{task.origin}\n{title}", task.name).document_id
    audience, wrong = _audience(cells.get("audience", ""), task)
    passage = Passage(document_id, title, short, detail, asks=asks, easy=cells.get("easy", ""), en=cells.get("en", ""))
    document = Document(
        document_id,
        task.kind,
        title,
        cells.get("source") or task.name,
        (passage,),
        url=cells.get("url", ""),
        as_of=cells.get("as_of", "").replace("/", "-"),
        audience=audience,
        facets={"tags": tags} if tags else {},
    )
    return document, [*wrong, *(f for f in flaws(document) if (f.what, f.field) != ("empty", "heading"))]


def _audience(said: str, task: Task) -> tuple[Audience, list[Flaw]]:
    """For whom a row is; what it says must be allowed to who brings it in."""
    own = [k for k in task.audience.keys if k.startswith("coop:")]
    key = _AUDIENCES.get(said.lower()) or (own[0] if said in _OWN and own else said)
    if not key:
        return task.audience, []
    if key not in task.allowed:
        return task.audience, [Flaw("not_this_audience", "audience", "", said)]
    return Audience.of(key), []


def _split(cell: str, between: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in between.split(cell) if part.strip()))
