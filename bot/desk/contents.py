"""An entry as a form shows it: plain strings, so that what was mistyped is kept; to the knowledge's document and back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from knowledge import Audience, Document, Flaw, Kind, Passage, Piece, differences, flaws

FACETS = ("place", "field", "legal_form", "origin", "partners", "funding", "tags")
FIELDS = ("kind", "title", "source", "url", "article", "as_of", "audience", "co_op", "starts", "ends")
PART_FIELDS = ("heading", "short", "detail", "asks", "easy", "en", "known", "source", "url", "as_of")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that can be asked, with its answer."""

    id: str
    heading: str = ""
    short: str = ""
    detail: str = ""
    asks: tuple[str, ...] = ()
    easy: str = ""
    en: str = ""
    known: bool = True
    source: str = ""
    url: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All of an entry that can be edited. `audience`: its keys; `starts`, `ends`: ISO days."""

    kind: str = "survey"
    title: str = ""
    source: str = ""
    url: str = ""
    article: str = ""
    as_of: str = ""
    audience: tuple[str, ...] = ("public",)
    co_op: str = ""
    starts: str = ""
    ends: str = ""
    language: str = "ja"
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()

    def part(self, part_id: str) -> Part | None:
        return next((p for p in self.parts if p.id == part_id), None)

    def with_part(self, part: Part) -> Content:
        """The same with a part put in its place, or behind the others."""
        if self.part(part.id) is None:
            return replace(self, parts=(*self.parts, part))
        return replace(self, parts=tuple(part if p.id == part.id else p for p in self.parts))

    def without_part(self, part_id: str) -> Content:
        return replace(self, parts=tuple(p for p in self.parts if p.id != part_id))


@dataclass(frozen=True, slots=True)
class Difference:
    """How one field differs. `part`: the id of the part it is of, empty for the whole entry's."""

    part: str
    field: str
    pieces: tuple[Piece, ...]


def content_of(d: Document) -> Content:
    parts = tuple(Part(**{f.name: getattr(p, f.name) for f in fields(Part)}) for p in d.passages)
    plain = {k: getattr(d, k) for k in ("title", "source", "url", "article", "as_of", "co_op", "language")}
    return Content(
        **plain,
        kind=d.kind.value,
        audience=tuple(sorted(d.audience.keys)),
        starts=d.starts.isoformat() if d.starts else "",
        ends=d.ends.isoformat() if d.ends else "",
        facets={k: tuple(v) for k, v in d.facets.items() if v},
        parts=parts,
    )


def document_of(document_id: str, content: Content) -> Document:
    """The document of a content without flaws; days that are none are left out."""
    passages = (Passage(**{f.name: getattr(p, f.name) for f in fields(Part)}) for p in content.parts)
    plain = {k: getattr(content, k) for k in ("title", "source", "url", "article", "as_of", "co_op", "language")}
    return Document(
        id=document_id,
        kind=Kind(content.kind) if content.kind in set(Kind) else Kind.SURVEY,
        passages=tuple(passages),
        audience=Audience.of(*content.audience),
        starts=_day(content.starts),
        ends=_day(content.ends),
        facets=content.facets,
        **plain,
    )


def cleaned(content: Content) -> Content:
    """Without what nobody types on purpose: control characters, spaces around, empty ways of asking and words."""
    parts = tuple(_cleaned_part(p) for p in content.parts)
    text: dict[str, Any] = {k: _clean(getattr(content, k)) for k in FIELDS if k != "audience"}
    known_facets = {k: words for k in FACETS if (words := _words(content.facets.get(k, ())))}
    audience = tuple(sorted(set(content.audience))) or ("",)
    return replace(content, **text, audience=audience, facets=known_facets, parts=parts)


def _cleaned_part(part: Part) -> Part:
    text: dict[str, Any] = {k: _clean(getattr(part, k)) for k in PART_FIELDS if k not in ("asks", "known")}
    return replace(part, **text, asks=_words(part.asks))


def flaws_of(document_id: str, content: Content) -> list[Flaw]:
    """What keeps a content from being taken, the limits of the knowledge and the days that are none."""
    found = [Flaw("no_date", k, "", getattr(content, k)) for k in ("starts", "ends") if _is_no_day(getattr(content, k))]
    if content.kind not in set(Kind) or content.kind == Kind.TIP:
        found.append(Flaw("no_kind", "kind", "", content.kind))
    return [*found, *flaws(document_of(document_id, content))]


def compared(old: Content, new: Content) -> list[Difference]:
    """What differs, field by field in the order of the form; a part that came or went with all its fields."""
    a, b = _flat(old), _flat(new)
    return [
        Difference(part, name, differences(a.get((part, name), ""), b.get((part, name), "")))
        for part, name in dict.fromkeys([*a, *b])
        if a.get((part, name), "") != b.get((part, name), "")
    ]


def merged(base: Content, mine: Content, theirs: Content) -> Content:
    """Theirs with what I changed: where both changed a field, mine."""
    whole = {f.name: _pick(f.name, base, mine, theirs) for f in fields(Content) if f.name not in ("parts", "facets")}
    words = {k: _chosen(base.facets.get(k, ()), mine.facets.get(k, ()), theirs.facets.get(k, ())) for k in FACETS}
    found = replace(theirs, **whole, facets={k: v for k, v in words.items() if v})
    for part in mine.parts:
        former, now = base.part(part.id), found.part(part.id)
        if former is None:
            found = found.with_part(part)
        elif now is None:
            found = found.with_part(part) if part != former else found
        else:
            found = found.with_part(Part(**{f.name: _pick(f.name, former, part, now) for f in fields(Part)}))
    for part in base.parts:
        if mine.part(part.id) is None:
            found = found.without_part(part.id)
    return found


def packed(content: Content) -> dict[str, Any]:
    """For a column of JSON."""
    plain = {k: getattr(content, k) for k in (*FIELDS, "language")}
    parts = [{f.name: getattr(p, f.name) for f in fields(Part)} for p in content.parts]
    return {**plain, "audience": list(content.audience), "facets": {k: list(v) for k, v in content.facets.items()}, "parts": parts}


def unpacked(raw: Mapping[str, Any]) -> Content:
    plain = {k: raw[k] for k in (*FIELDS, "language")}
    plain["audience"] = tuple(raw["audience"])
    parts = tuple(Part(**{**p, "asks": tuple(p["asks"])}) for p in raw["parts"])
    return Content(**plain, facets={k: tuple(v) for k, v in raw["facets"].items()}, parts=parts)


def _pick(name: str, base: Any, mine: Any, theirs: Any) -> Any:
    return _chosen(getattr(base, name), getattr(mine, name), getattr(theirs, name))


def _chosen(base: Any, mine: Any, theirs: Any) -> Any:
    return theirs if mine == base else mine


def _flat(content: Content) -> dict[tuple[str, str], str]:
    """Every field as text, by (part, field)."""
    found = {("", k): str(getattr(content, k)) for k in FIELDS if k != "audience"}
    found["", "audience"] = "、".join(content.audience)
    found |= {("", k): "、".join(content.facets.get(k, ())) for k in FACETS}
    for part in content.parts:
        found |= {(part.id, k): str(getattr(part, k)) for k in PART_FIELDS if k not in ("asks", "known")}
        found[part.id, "asks"] = "\n".join(part.asks)
        found[part.id, "known"] = "" if part.known else "×"
    return found


def _clean(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n")).strip()


def _words(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w for word in words if (w := " ".join(_clean(word).split()))))


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _is_no_day(text: str) -> bool:
    return bool(text) and _day(text) is None
