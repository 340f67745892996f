"""What every reader makes of a file: a title and sections in order; and the document they become."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from knowledge import chunking
from knowledge.errors import InvalidDocument
from knowledge.types import Audience, Document, Kind, Passage

MOST_PASSAGES = 5_000  # of one document: more is a database, and answers from it would be chance
_LONGEST_TITLE, _LONGEST_HEADING, _LONGEST_SHORT = 120, 100, 120  # characters

# Control characters, halves of surrogates and what is invisible: PostgreSQL refuses the first, nobody reads the others.
_NOT_TEXT = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_RADICALS = re.compile("[\u2f00-\u2fd5]")  # PDFs give these for the everyday characters they look like
_BLANK_LINES = re.compile(r"\n(?:[ \t\u3000]*\n){2,}")
# What programs write into a title that nobody chose.
_NO_TITLE = re.compile(
    r"(word document|powerpoint presentation|powerpoint プレゼンテーション|untitled.*|無題.*|名称未設定.*|新規.*|title|タイトル|"
    r"\(?anonymous\)?|document ?\d*|文書 ?\d*|presentation ?\d*|プレゼンテーション ?\d*|book ?\d*|スライド ?\d*|slide ?\d*|"
    r"microsoft (word|powerpoint|excel)( -)?)",
    re.IGNORECASE,
)
_PROGRAM = re.compile(r"^microsoft (word|powerpoint|excel) - ", re.IGNORECASE)
_ENDING = re.compile(r"\.(docx?|xls[xm]?|pptx?|pdf|jtd|txt|text|html?|xhtml|csv|tsv|md|markdown)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document that belongs together: what is under a heading, on a page, in a row."""

    text: str
    heading: str = ""
    place: str = ""  # where in the document, as a person would look for it: 「12ページ」
    anchor: str = ""  # the same for the passage's id, a-z, 0-9 and hyphens; by its number where it is empty


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reader found. `titles`: what could be its title, the best first; empty ones and those of programs are passed over."""

    titles: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document comes from. Its id is made from `place` alone, so it stays when the content changes."""

    place: str  # an address, or a target and the path below it
    name: str  # as a person knows it: 「議案書.pdf」
    url: str = ""

    @property
    def document_id(self) -> str:
        place = unicodedata.normalize("NFC", self.place)  # macOS spells names in parts
        return f"doc-{hashlib.blake2b(place.encode('utf-8', 'surrogatepass'), digest_size=10).hexdigest()}"


def clean(text: str) -> str:
    """Text as people read it: one kind of line end, no control characters, at most one empty line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\v", "\n").replace("\f", "\n").replace("\u2028", "\n")
    text = _RADICALS.sub(lambda m: unicodedata.normalize("NFKC", m[0]), _NOT_TEXT.sub("", text))
    lines = (line.rstrip() for line in text.replace("\u00a0", " ").split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def own_title(candidates: Iterable[str]) -> str:
    """The first that somebody chose; programs fill in names of their own and of files."""
    for candidate in candidates:
        title = _ENDING.sub("", _PROGRAM.sub("", one_line(candidate)))
        if title and not _NO_TITLE.fullmatch(title):
            return title[:_LONGEST_TITLE]
    return ""


def to_document(contents: Contents, origin: Origin, *, audience: Audience, kind: Kind) -> Document:
    """The document of these sections. Raises InvalidDocument where there is no text, or more than can be told apart."""
    stem = _ENDING.sub("", origin.name.rpartition("/")[2])
    title = own_title(contents.titles) or stem
    passages = _passages(contents, origin, title)
    if not passages:
        raise InvalidDocument("it holds no text; bring in one that does.")
    if len(passages) > MOST_PASSAGES:
        raise InvalidDocument(f"it makes more than {MOST_PASSAGES:,} passages; split it into smaller documents.")
    return Document(
        id=origin.document_id,
        kind=kind,
        title=title,
        source=origin.name,
        url=origin.url,
        audience=audience,
        passages=tuple(passages),
    )


def _passages(contents: Contents, origin: Origin, title: str) -> list[Passage]:
    found: list[Passage] = []
    taken: set[str] = set()
    for n, section in enumerate(contents.sections, 1):
        heading = one_line(section.heading)[:_LONGEST_HEADING] or title
        for part, text in enumerate(chunking.pieces(clean(section.text)), 1):
            anchor = _free(section.anchor or f"s{n}", part, taken)
            taken.add(anchor)
            found.append(
                Passage(
                    id=f"{origin.document_id}#{anchor}" if found else origin.document_id,
                    heading=heading,
                    # A text that fits is the answer itself; of a longer one the answer has to be taken.
                    short=text if len(text) <= _LONGEST_SHORT else "",
                    detail="" if len(text) <= _LONGEST_SHORT else text,
                    source=f"{origin.name} {section.place}" if section.place else "",
                )
            )
    return found


def _free(anchor: str, part: int, taken: set[str]) -> str:
    return next(a for n in count(part) if (a := anchor if n == 1 else f"{anchor}-{n}") not in taken)


def row_text(header: Sequence[str], row: Sequence[str]) -> str:
    """One row on one line, each value with the name of its column: 「組合: みんなの森、所在地: 雲南市」."""
    named = [
        f"{name}: {value}" if name else value
        for i, value in enumerate(row)
        if value
        for name in [header[i] if i < len(header) else ""]
    ]
    return "、".join(named)


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """A small table inside a text, a row a line. Its first row names the columns if there are two or more of both."""
    kept = [[one_line(v) for v in row] for row in rows]
    kept = [row for row in kept if any(row)]
    header = kept[0] if len(kept) > 1 and sum(map(bool, kept[0])) > 1 else []
    return "\n".join(row_text(header, row) for row in (kept[1:] if header else kept))
