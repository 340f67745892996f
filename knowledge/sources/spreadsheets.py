"""Tables: each row becomes a passage, its values with the names of their columns."""

from __future__ import annotations

import csv
import datetime as dt
import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from knowledge.errors import InvalidDocument
from knowledge.sources.sections import MOST_PASSAGES, Contents, Section, one_line, row_text

_WIDEST = 200  # columns
_HEADER_WITHIN = 20  # rows: titles and remarks stand above it
_LONGEST_HEADING = 40  # characters of a row's first value, as its heading

Row = tuple[int, list[str]]  # its number as the program shows it, and its cells


def read_csv(text: str) -> Contents:
    """A table as text; its separator is the one that its first lines hold most often."""
    sample = text[:4_000]
    separator = max(",\t;", key=sample.count)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    try:
        rows = [(n, [one_line(v) for v in row]) for n, row in enumerate(csv.reader(io.StringIO(text), delimiter=separator), 1)]
    except csv.Error as error:
        raise InvalidDocument("it is not a table in CSV; save it as CSV in UTF-8.") from error
    filled = [(number, row) for number, row in rows if any(row)]
    return Contents((_title(filled),), tuple(_sections(filled, "", "", "r")))


def read_xlsx(data: bytes) -> Contents:
    """The sheets that whoever opens the file can see, with the values that its program last worked out."""
    import openpyxl  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about formatting that it does not know
        book: Any = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        titles = [str(book.properties.title or "")]
        sections: list[Section] = []
        for number, sheet in enumerate(book.worksheets, 1):
            if sheet.sheet_state == "visible":
                rows = _cells(sheet, MOST_PASSAGES - len(sections))
                titles.append(_title(rows))
                sections.extend(_sections(rows, sheet.title, f"シート「{sheet.title}」", f"t{number}r"))
        book.close()
    return Contents(tuple(titles), tuple(sections))


def first_sheet(data: bytes, most: int) -> list[Row]:
    """The rows of the first sheet that can be seen and holds any. Raises InvalidDocument beyond `most`."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book: Any = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            visible = (_cells(sheet, most) for sheet in book.worksheets if sheet.sheet_state == "visible")
            return next((rows for rows in visible if rows), [])
        finally:
            book.close()


def _cells(sheet: Any, most: int) -> list[Row]:
    """The rows of one sheet that hold anything."""
    sheet.reset_dimensions()  # the size that a file names may be wrong, and what is beyond it would be lost
    rows = sheet.iter_rows(values_only=True, max_col=_WIDEST + 1)
    found: list[Row] = []
    for number, values in enumerate(rows, 1):
        row = [_shown(v) for v in values]
        if any(row[_WIDEST:]):
            raise InvalidDocument(f"it has a sheet with more than {_WIDEST} columns; keep the columns that members ask about.")
        if any(row):
            found.append((number, row))
        if len(found) > most:
            raise InvalidDocument(f"it has more than {max(most, MOST_PASSAGES):,} rows; split it into smaller documents.")
    return found


def _shown(value: object) -> str:
    """A cell as people write it: no time of day where there is none, no .0 behind whole numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    if isinstance(value, float):
        return f"{value:.10g}" if abs(value) < 1e10 else f"{value:.0f}"
    return one_line(str(value))


def _title(rows: list[Row]) -> str:
    """Tables often have their name in a first row of its own."""
    first = [v for v in rows[0][1] if v] if rows else []
    return first[0] if len(first) == 1 and len(rows) > 2 else ""


def _sections(rows: list[Row], name: str, place: str, anchor: str) -> Iterator[Section]:
    """What stands above the header as one section, then a section for each row."""
    at = header_at([row for _, row in rows])
    above, header, below = (rows[:at], rows[at][1], rows[at + 1 :]) if at >= 0 else (rows, [], [])
    if above:
        text = "\n".join("　".join(v for v in row if v) for _, row in above)
        yield Section(text, name, place, f"{anchor}{above[0][0]}")
    for number, row in below:
        first = next((v for v in row if v), "")[:_LONGEST_HEADING]
        where = f"{place} {number}行目".strip()
        yield Section(row_text(header, row), f"{name} {first}".strip(), where, f"{anchor}{number}")


def header_at(rows: Sequence[Sequence[str]]) -> int:
    """Which row names the columns: the first that is about as wide as the table and holds no number. -1: none does."""
    widest = max((sum(map(bool, row)) for row in rows), default=0)
    for i, row in enumerate(rows[:_HEADER_WITHIN]):
        filled = [v for v in row if v]
        if len(filled) >= max(2, widest * 0.6) and i + 1 < len(rows) and not any(_is_number(v) for v in filled):
            return i
    return -1


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").replace("-", "").strip("¥%円").isdigit()
