"""Text files: their encoding, Markdown and its light marks, plain text with the headings people type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from knowledge import chunking, yaml_files
from knowledge.errors import InvalidDocument
from knowledge.sources.sections import Contents, Section, clean, table_text

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_HALF_WIDTH_KANA = re.compile("[\uff61-\uff9f]")
# The names pages give to encodings, and what they mean by them.
_CODECS = {
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "ms_kanji", "cp932", "ms932"), "cp932"),
    **dict.fromkeys(("euc-jp", "eucjp", "x-euc-jp", "euc_jp"), "euc_jp"),
    **dict.fromkeys(("iso-2022-jp", "csiso2022jp"), "iso2022_jp"),
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "windows-1252", "us-ascii", "ascii"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "cp949"), "cp949"),
    "big5": "big5hkscs",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-15": "iso8859_15",
}

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<head>.*?)\n---[ \t]*(?:\n|$)", re.DOTALL)
_CORPUS_FIELDS = {"id", "kind", "short", "asks"}
# Bounded, so that a line of brackets does not take minutes.
_IMAGE = re.compile(r"!\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)")
_LINK = re.compile(r"(?<!!)\[([^\]\n]{1,300})\]\(<?(https?://[^\s)>]{1,1000})?[^)\n]{0,300}\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.{1,300}?)(?<=\S)\1")
_TABLE = re.compile(r"(?:^[ \t]*\|.*\|[ \t]*$\n?){2,}", re.MULTILINE)
_RULE = re.compile(r"[\s|:-]*-[\s|:-]*")


def decode(data: bytes, declared: str = "") -> str:
    """The text of a file or page: by its byte order mark, by what it declares, else UTF-8, Shift_JIS or EUC-JP.

    Raises InvalidDocument for bytes that are no text.
    """
    for mark, codec in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(codec, "replace")
    codec = _CODECS.get(declared.strip().strip("\"'").lower(), "")
    if codec.startswith("utf-16"):
        return data.decode(codec, "replace")
    if _BINARY.search(data):
        raise InvalidDocument("it is not text; save it as text in UTF-8, or in the program it was made with.")
    if b"\x1b$" in data or b"\x1b(J" in data:
        return data.decode("iso2022_jp", "replace")
    # Servers declare what they were set up with; bytes that happen to be right UTF-8 are UTF-8.
    for guess in ("utf-8", codec):
        if guess and (text := _strictly(data, guess)) is not None:
            return text
    if codec:
        return data.decode(codec, "replace")
    return _japanese(data)


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _japanese(data: bytes) -> str:
    """Shift_JIS or EUC-JP: text of the one read as the other is full of half-width kana."""
    readings = [text for codec in ("cp932", "euc_jp") if (text := _strictly(data, codec)) is not None]
    if not readings:
        raise InvalidDocument("its characters are in no encoding that is known here; save it as UTF-8.")
    return min(readings, key=lambda text: len(_HALF_WIDTH_KANA.findall(text)))


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The fields between two lines of --- at the top, and the text below; no fields where there are none."""
    m = _FRONT_MATTER.match(text)
    if not m:
        return {}, text
    try:
        fields = yaml_files.parse(m["head"])
    except yaml.YAMLError:
        fields = None
    return (fields, text[m.end() :]) if isinstance(fields, dict) else ({}, text)


def is_corpus_entry(text: str) -> bool:
    """Whether a Markdown text is meant as an entry of docs/corpus.md; one field of it may be missing or wrong."""
    m = _FRONT_MATTER.match(text)
    named = {line.partition(":")[0] for line in m["head"].split("\n")} if m else set()
    return len(named & _CORPUS_FIELDS) > 1


def read_markdown(text: str) -> Contents:
    fields, body = front_matter(clean(text))
    headed = chunking.along_headings(_unmarked(body), markdown=True)
    first = headed[0].trail[0] if headed and headed[0].trail else ""
    return Contents((_field(fields, "title"), first), as_sections(headed, first))


def read_plain(text: str) -> Contents:
    headed = chunking.along_headings(clean(text), markdown=False)
    return Contents((_first_line(headed),), as_sections(headed))


def as_sections(headed: list[chunking.Headed], title: str = "") -> tuple[Section, ...]:
    """One section a heading, named with the headings above it; the title is above all and is not repeated."""
    found = []
    for part in headed:
        trail = part.trail[1:] if len(part.trail) > 1 and part.trail[0] == title else part.trail
        found.append(Section(part.text, " / ".join(trail)))
    return tuple(found)


def _field(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    return str(value) if isinstance(value, (str, int, float)) else ""


def _first_line(headed: list[chunking.Headed]) -> str:
    """A text often opens with its title on a line of its own."""
    if not headed or headed[0].trail:
        return ""
    first, _, rest = headed[0].text.strip().partition("\n")
    alone = len(first) <= 40 and not first.endswith(("。", "、", ".", ","))
    return first if alone and (rest.startswith("\n") or not rest) and (rest or len(headed) > 1) else ""


def _unmarked(text: str) -> str:
    """Markdown without the marks that a chat would show: comments, links, strong text, tables."""
    before, *commented = text.split("<!--")
    text = before + "".join(
        after if closed else f"<!--{inside}" for inside, closed, after in (c.partition("-->") for c in commented)
    )
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(lambda m: f"{m[1]}（{m[2]}）" if m[2] and m[2] != m[1] else m[1], text)
    return _TABLE.sub(lambda m: _table(m[0]), _STRONG.sub(r"\2", text))


def _table(text: str) -> str:
    rows = [line.strip().strip("|").split("|") for line in text.strip().split("\n") if not _RULE.fullmatch(line)]
    return table_text([[cell.strip() for cell in row] for row in rows]) + "\n"
