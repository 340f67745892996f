"""Tables whose rows become entries: read row by row, so that one broken row does not cost the others."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.errors import InvalidDocument
from knowledge.sources import spreadsheets
from knowledge.sources.plain_text import decode
from knowledge.sources.recognising import Format, recognise
from knowledge.sources.sections import clean, one_line

MOST_ROWS = 50_000
_LONGEST_CELL = 60  # lines that a cell may have; a quotation mark that is not closed swallows more
_SAMPLE = 5
_CODECS = ("utf-8", "cp932", "euc_jp")
_BROKEN_SHARE = 0.05  # of the lines; with more of them unreadable it is the wrong encoding
# What a column is called, so that most tables need no choosing.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("題", "題名", "タイトル", "件名", "見出し", "title", "heading"),
    "short": ("短い答え", "答え", "回答", "こたえ", "short", "answer", "a"),
    "detail": ("くわしい説明", "詳しい説明", "説明", "詳細", "本文", "内容", "detail", "body", "description"),
    "asks": ("聞き方", "質問", "問い", "q", "asks", "question"),
    "easy": ("やさしい日本語", "easy"),
    "en": ("英語", "english", "en"),
    "source": ("出典", "情報源", "source"),
    "url": ("url", "アドレス", "リンク", "link"),
    "as_of": ("時点", "日付", "更新日", "as_of", "date"),
    "audience": ("見られる人", "公開範囲", "範囲", "audience"),
    "tags": ("探す言葉", "タグ", "キーワード", "tags", "keywords"),
}
COLUMNS = tuple(_NAMES)


@dataclass(frozen=True, slots=True)
class Row:
    """`number`: as a spreadsheet counts it, from 1. `cells` None: it cannot be read."""

    number: int
    cells: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns, its first rows and how many there are, and which column seems to be what (field → its place)."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    guessed: Mapping[str, int]

    @property
    def sample(self) -> tuple[Row, ...]:
        return tuple(r for r in self.rows if r.cells)[:_SAMPLE]


def table_of(data: bytes, name: str) -> Table | None:
    """The table of a CSV or Excel file, of that the first sheet that holds one; None for any other file.

    Raises InvalidDocument, one sentence without the name.
    """
    found = recognise(data, name)
    if found is Format.XLSX:
        rows = [Row(n, tuple(cells)) for n, cells in spreadsheets.first_sheet(data, MOST_ROWS)]
    elif found is Format.CSV:
        rows = list(_csv_rows(_decoded(data)))
    else:
        return None
    whole = [(r.number, list(r.cells)) for r in rows if r.cells]
    at = spreadsheets.header_at([cells for _, cells in whole])
    if at < 0:
        return None
    number, header = whole[at]
    if len(rows) > MOST_ROWS:
        raise InvalidDocument(f"it has more than {MOST_ROWS:,} rows; split it into smaller documents.")
    return Table(tuple(header), tuple(r for r in rows if r.number > number), _guessed(header))


def _guessed(header: Sequence[str]) -> dict[str, int]:
    names = [h.strip().lower() for h in header]
    found = {field: next((names.index(w) for w in words if w in names), -1) for field, words in _NAMES.items()}
    return {field: at for field, at in found.items() if at >= 0}


def _decoded(data: bytes) -> str:
    """The text, also where a few of its lines are in no encoding: these get U+FFFD, by which they are known."""
    try:
        return clean(decode(data))
    except InvalidDocument:
        tried = [data.replace(b"\0", b"\xff").decode(codec, "replace") for codec in _CODECS]
        best = min(tried, key=lambda text: text.count("\ufffd"))
        if sum("\ufffd" in line for line in best.split("\n")) > max(1, best.count("\n") * _BROKEN_SHARE):
            raise
        return best.replace("\r\n", "\n").replace("\r", "\n")


def _csv_rows(text: str) -> Iterator[Row]:
    sample = text[:4_000]
    separator = max(",\t;", key=sample.count)
    lines = text.split("\n")
    widest = 0
    at = number = 0
    while at < len(lines):
        end = _end_of_row(lines, at)
        number += 1
        cells = _cells("\n".join(lines[at:end]), separator) if end else None
        if cells is not None and end - at > 1 and widest and len(cells) != widest:
            cells = None  # several lines, and not the columns of the others: its quotation mark belongs to no cell
        if cells is None:
            yield Row(number, None)
            at += 1
            continue
        if any(cells):
            widest = widest or (len(cells) if sum(map(bool, cells)) > 1 else 0)
            yield Row(number, tuple(cells) if not any("\ufffd" in c for c in cells) else None)
        at = end


def _end_of_row(lines: Sequence[str], at: int) -> int:
    """The line behind the row that begins at a line; 0 where its quotation marks are not closed."""
    marks = 0
    for end in range(at, min(at + _LONGEST_CELL, len(lines))):
        marks += lines[end].count('"')
        if marks % 2 == 0:
            return end + 1
    return 0


def _cells(row: str, separator: str) -> list[str] | None:
    csv.field_size_limit(max(csv.field_size_limit(), len(row) + 1))
    try:
        found = list(csv.reader(row.splitlines(keepends=True), delimiter=separator, strict=True))
    except csv.Error:
        return None
    return [_cell(v) for v in found[0]] if found else []


def _cell(text: str) -> str:
    """Cells keep their line ends: a list of ways of asking has one in each line."""
    return "\n".join(line for part in text.split("\n") if (line := one_line(part)))
