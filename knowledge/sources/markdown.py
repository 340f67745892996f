"""Corpus entries: Markdown with front matter, one document a file, one passage a section. The format is in docs/corpus.md."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import yaml

from knowledge import yaml_files
from knowledge.errors import InvalidDocument
from knowledge.types import Audience, Document, Kind, Passage

LONGEST_SHORT = 120  # characters: one glance on a phone

_FACETS = ("field", "legal_form", "origin", "partners", "funding", "tags")
_PASSAGE_KEYS = {"asks", "short", "easy", "en", "known", "source", "url", "as_of"}
_DOCUMENT_KEYS = {"id", "kind", "title", "article", "place", "co_op", "starts", "ends", "audience", "language", *_FACETS}
_SECTION = re.compile(r"^## +(?P<heading>.+?) *\{#(?P<anchor>[a-z0-9-]+)\} *$", re.MULTILINE)
_FIELD = re.compile(r"^(?P<key>[a-z_]+): *(?P<value>.*)$")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
AS_OF = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_ARTICLE = re.compile(r"(附則|施行令|施行規則)?第(?P<number>\d+)条(の(?P<branch>\d+))?")
# What the Act has: main articles, those with branches, and the supplementary provisions.
_LAST_ARTICLE, _LAST_SUPPLEMENTARY = 137, 33
_BRANCHES = {"第94条": 19, "第132条": 2, "附則第26条": 2}


def parse(text: str, name: str) -> Document:
    """One corpus file. Raises InvalidDocument with the file's name and what is wrong."""
    try:
        return _parse(text)
    except InvalidDocument as error:
        raise InvalidDocument(f"{name}: {error}") from error
    except yaml.YAMLError as error:
        raise InvalidDocument(f"{name}: the front matter is not YAML ({str(error).splitlines()[0]}).") from error


def _parse(text: str) -> Document:
    start, _, rest = text.partition("---\n")
    head, closed, body = rest.partition("\n---")
    if start.strip() or not closed:
        raise InvalidDocument("there is no front matter between two lines of ---.")
    meta = yaml_files.parse(head)
    if not isinstance(meta, dict):
        raise InvalidDocument("the front matter is not a list of fields.")
    if unknown := meta.keys() - _DOCUMENT_KEYS - _PASSAGE_KEYS:
        raise InvalidDocument(f"unknown field {min(unknown)}.")
    document_id, title = _text(meta, "id"), _text(meta, "title")
    if not _ID.fullmatch(document_id):
        raise InvalidDocument(f"the id {document_id!r} is not made of a-z, 0-9 and single hyphens.")
    parts = _SECTION.split(body.lstrip("-").strip("\n"))
    passages = [_passage(document_id, title, meta, parts[0])]
    for heading, anchor, content in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        fields, detail = _section_fields(content)
        passages.append(_passage(f"{document_id}#{anchor}", heading, fields, detail))
    ids = [p.id for p in passages]
    if len(set(ids)) < len(ids):
        raise InvalidDocument(f"the anchor {next(i for i in ids if ids.count(i) > 1)} stands twice.")
    if re.search(r"^##? ", "\n".join(p.detail for p in passages), re.MULTILINE):
        raise InvalidDocument("a heading has no anchor: write it as 「## heading {#anchor}」.")
    return Document(
        id=document_id,
        kind=_kind(meta),
        title=title,
        source=_text(meta, "source"),
        url=_text(meta, "url"),
        article=_article(meta),
        as_of=_as_of(meta),
        language=str(meta.get("language", "ja")),
        audience=Audience.of(*_words(meta.get("audience", "public"))),
        co_op=str(meta.get("co_op", "")),
        starts=_date(meta, "starts"),
        ends=_date(meta, "ends"),
        facets=_facets(meta),
        passages=tuple(passages),
    )


def _passage(passage_id: str, heading: str, fields: Mapping[str, Any], detail: str) -> Passage:
    short = _text(fields, "short")
    if len(short) > LONGEST_SHORT:
        raise InvalidDocument(f"the short answer of {passage_id} has {len(short)} characters, {LONGEST_SHORT} are allowed.")
    own = "#" in passage_id
    return Passage(
        id=passage_id,
        heading=heading,
        short=short,
        detail=detail.strip(),
        asks=tuple(_words(fields.get("asks", ()))),
        easy=str(fields.get("easy", "")),
        en=str(fields.get("en", "")),
        known=_flag(fields.get("known", True)),
        source=str(fields.get("source", "")) if own else "",
        url=str(fields.get("url", "")) if own else "",
        as_of=_as_of(fields) if own else "",
    )


def _section_fields(content: str) -> tuple[dict[str, str], str]:
    """The `key: value` lines right under a heading, and the text below them."""
    fields: dict[str, str] = {}
    lines = content.strip("\n").split("\n")
    while lines and (m := _FIELD.match(lines[0])):
        if m["key"] not in _PASSAGE_KEYS:
            raise InvalidDocument(f"unknown field {m['key']} in a section.")
        fields[m["key"]] = m["value"].strip().strip("\"'")
        lines.pop(0)
    return fields, "\n".join(lines)


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = str(fields.get(key) or "").strip()
    if not value:
        raise InvalidDocument(f"the field {key} is missing.")
    return value


def _kind(meta: Mapping[str, Any]) -> Kind:
    try:
        return Kind(_text(meta, "kind"))
    except ValueError:
        raise InvalidDocument(f"the kind {meta['kind']!r} is none of {', '.join(Kind)}.") from None


def _article(meta: Mapping[str, Any]) -> str:
    article = str(meta.get("article", ""))
    if article and not is_article(article):
        raise InvalidDocument(f"{article} is not an article of the Act; write it as 第22条, 第94条の3, 附則第4条 or 施行令第2条.")
    return article


def is_article(name: str) -> bool:
    """Whether the Act, its supplementary provisions or its orders have an article of this name, spelled exactly so."""
    m = _ARTICLE.fullmatch(name)
    if not m:
        return False
    number, branch = int(m["number"]), int(m["branch"] or 0)
    last = {None: _LAST_ARTICLE, "附則": _LAST_SUPPLEMENTARY}.get(m[1], 100)
    base = name.split("条")[0] + "条"
    return 1 <= number <= last and (branch == 0 or 2 <= branch <= _BRANCHES.get(base, 0))


def _as_of(fields: Mapping[str, Any]) -> str:
    value = str(fields.get("as_of") or "")
    if value and not AS_OF.fullmatch(value):
        raise InvalidDocument(f"as_of: {value} is not a date; write 2026-05-01, 2026-05 or 2026.")
    return value


def _date(meta: Mapping[str, Any], key: str) -> dt.date | None:
    value = meta.get(key)
    if value is None or isinstance(value, dt.date):
        return value
    raise InvalidDocument(f"{key}: {value} is not a date; write 2026-05-01.")


def _facets(meta: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    facets = {key: tuple(_words(meta[key])) for key in _FACETS if meta.get(key)}
    place = meta.get("place")
    if isinstance(place, dict):
        facets["place"] = tuple(w for k in ("prefecture", "city") if place.get(k) for w in _words(place[k]))
    elif place:
        facets["place"] = tuple(_words(place))
    return facets


def _words(value: object) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [str(v).strip() for v in value]
    return [v for part in str(value).split("／") if (v := part.strip())]


def _flag(value: object) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise InvalidDocument(f"known: {value} is neither true nor false.")
    return str(value).lower() == "true"
