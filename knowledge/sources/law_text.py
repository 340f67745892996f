"""Elements of 標準法令XML as readable lines: items and table rows on lines of their own, readings (ルビ) left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

_INLINE = {"Ruby", "Rt", "Sub", "Sup", "Line", "QuoteStruct", "ArithFormula", "Fig"}
_LABEL = re.compile(r"(Article|Item|Subitem\d+|Class)Title|ParagraphNum|RemarksLabel")  # stands before the text it belongs to
_DEEPER = re.compile(r"Sub(item|list)\d+")
_GLUE = {"Sentence": "", "Column": "　"}  # between neighbours: a proviso goes on, columns stay apart


def plain(node: Element | None) -> str:
    """The text of an element as one line; empty where there is none."""
    if node is None:
        return ""
    return "".join(line.strip() for line in "".join(_runs(node)).split("\n")).strip()


def _runs(node: Element) -> Iterator[str]:
    if node.tag == "Fig":
        yield f"［図: {node.get('src', '').rsplit('/', 1)[-1]}］"
    yield node.text or ""
    for child in node:
        if child.tag != "Rt":
            yield from _runs(child)
        yield child.tail or ""


def lines_of(node: Element) -> list[str]:
    """A title before its text, neighbouring sentences in one line, each level below an item indented by a full-width space."""
    if node.tag == "Table":
        return _table(node)
    if (node.text or "").strip() or all(child.tag in _INLINE for child in node):
        return [text] if (text := plain(node)) else []
    lines: list[str] = []
    label = before = ""
    for child in node:
        if _LABEL.fullmatch(child.tag):
            label = plain(child)
            continue
        inner = [f"　{line}" if _DEEPER.fullmatch(child.tag) else line for line in lines_of(child)]
        if inner and lines and child.tag == before and child.tag in _GLUE:
            lines[-1] += _GLUE[child.tag] + inner.pop(0)
        elif label:
            inner[:1] = [f"{label}　{inner[0]}" if inner else label]
        lines += inner
        label, before = "", child.tag
    return [*lines, label] if label else lines


def _table(table: Element) -> list[str]:
    """A line for each row. A cell that spans rows is told in each of them."""
    lines: list[str] = []
    above: dict[int, str | None] = {}  # column → text; None where a cell to the left spans it
    reach: dict[int, int] = {}  # column → how many more rows the cell above spans
    for row in table:
        if row.tag not in ("TableRow", "TableHeaderRow"):
            lines += lines_of(row)
            continue
        cells = {c: above[c] for c, rows in reach.items() if rows}
        reach = {c: rows - 1 for c, rows in reach.items() if rows}
        column = 0
        for cell in row:
            while column in cells:
                column += 1
            text = "　".join(lines_of(cell))
            # A cell is also joined with the one above by leaving out the border between them.
            cells[column] = above[column] = text or (above.get(column) or "" if cell.get("BorderTop") == "none" else "")
            width = _span(cell, "colspan")
            reach.update(dict.fromkeys(range(column, column + width), _span(cell, "rowspan") - 1))
            above.update(dict.fromkeys(range(column + 1, column + width)))
            column += width
        if any(cells.values()):
            start = "欄" if row.tag == "TableHeaderRow" else "行"
            lines.append(f"{start}: " + " → ".join(text or "（空欄）" for _, text in sorted(cells.items()) if text is not None))
    return lines


def _span(cell: Element, name: str) -> int:
    text = cell.get(name, "")
    return int(text) if re.fullmatch(r"[1-9][0-9]?", text) else 1
