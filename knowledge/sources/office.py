"""Word documents and slides."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from knowledge.chunking import gather
from knowledge.sources.plain_text import as_sections
from knowledge.sources.sections import Contents, Section, one_line, table_text

if TYPE_CHECKING:
    from pptx.shapes.base import BaseShape

_HEADING = re.compile(r"(?:heading|見出し) ?(\d)", re.IGNORECASE)
_LIST = re.compile(r"list (bullet|number|paragraph)|箇条書き", re.IGNORECASE)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# Deleted text, the small kana above kanji, and the second copy of a text box for old programs.
_UNREAD = {
    f"{_W}del",
    f"{_W}moveFrom",
    f"{_W}rt",
    f"{_W}instrText",
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
_BREAKS = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": " ", f"{_W}noBreakHyphen": "-"}


def read_docx(data: bytes) -> Contents:
    """A Word document along its headings: body, tables, text boxes; not headers, footnotes and remarks."""
    import docx

    document = docx.Document(io.BytesIO(data))
    styles = {s.style_id: str(s.name) for s in document.styles}
    lines = list(_blocks(document.element.body, styles))
    title = next((text for depth, text in lines if depth == 0), "")
    own = document.core_properties.title or ""
    headed = gather((depth, one_line(text) if depth >= 0 else text) for depth, text in lines)
    first = next((text for depth, text in lines if depth > 0), "")
    return Contents((title, own, first), as_sections(headed, title))


def _blocks(parent: Any, styles: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Each paragraph or table: depth of the heading (0 the title, 1… headings, -1 text) and its text."""
    for element in parent:
        if element.tag == f"{_W}p":
            style = _style(element, styles)
            text = _text(element).strip()
            if text and not style.lower().startswith("toc"):
                yield _depth(element, style), f"・{text}" if _LIST.match(style) else text
        elif element.tag == f"{_W}tbl":
            yield -1, table_text(list(_rows(element)))
        elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"):
            yield from _blocks(element, styles)


def _rows(table: Any) -> Iterator[list[str]]:
    for row in table.iter(f"{_W}tr"):
        yield [one_line(" ".join(_text(p) for p in cell.iter(f"{_W}p"))) for cell in row.iterchildren(f"{_W}tc")]


def _style(paragraph: Any, styles: dict[str, str]) -> str:
    named = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return "" if named is None else styles.get(named.get(f"{_W}val"), "")


def _depth(paragraph: Any, style: str) -> int:
    if style.lower() in ("title", "表題"):
        return 0
    if m := _HEADING.match(style):
        return int(m[1])
    level = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
    value = "" if level is None else level.get(f"{_W}val", "")
    return int(value) + 1 if value.isdigit() and int(value) < 9 else -1


def _text(element: Any) -> str:
    """The text that a reader sees in a paragraph, inserted text and text boxes included."""
    found: list[str] = []
    waiting = [element]
    while waiting:
        here = waiting.pop()
        if here.tag in _UNREAD:
            continue
        if here.tag == f"{_W}t":
            found.append(here.text or "")
        elif here.tag == f"{_W}p" and here is not element:
            found.append("\n")  # a paragraph of a text box
        found.append(_BREAKS.get(here.tag, ""))
        waiting.extend(reversed(here))
    return "".join(found)


def read_pptx(data: bytes) -> Contents:
    """The slides that are shown, one section each: text and tables in their order; not the speaker's notes."""
    import pptx

    show = pptx.Presentation(io.BytesIO(data))
    sections = []
    for number, slide in enumerate(show.slides, 1):
        if slide._element.get("show") == "0":
            continue
        title = slide.shapes.title
        heading = one_line(title.text_frame.text) if title is not None else ""
        shapes = [s for s in _flat(slide.shapes) if title is None or s.shape_id != title.shape_id]
        text = "\n".join(t for s in shapes if (t := _shape_text(s)).strip())
        sections.append(Section(text or heading, heading, f"スライド{number}", f"p{number}"))
    return Contents((show.core_properties.title or "", *(s.heading for s in sections[:1])), tuple(sections))


def _flat(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    """The shapes of a slide, those in groups too."""
    for shape in shapes:
        inner = getattr(shape, "shapes", None)
        if inner is None:
            yield shape
        else:
            yield from _flat(inner)


def _shape_text(shape: Any) -> str:
    from pptx.enum.shapes import PP_PLACEHOLDER

    every_slide = (PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.DATE)
    if shape.is_placeholder and shape.placeholder_format.type in every_slide:
        return ""
    if getattr(shape, "has_table", False):
        return table_text([[cell.text for cell in row.cells] for row in shape.table.rows])
    return str(shape.text_frame.text) if shape.has_text_frame else ""
