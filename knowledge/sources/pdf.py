"""PDF: the text of its pages, with the lines joined again that were broken to fit the paper."""

from __future__ import annotations

import re
import threading
from typing import Any

from knowledge.errors import InvalidDocument
from knowledge.sources.sections import Contents, Section, clean

MOST_PAGES = 1_000
_PAGE_NUMBER = re.compile(r"[\s\-–—―ー・P.p/]*\d{1,4}[\s\-–—―ー・/]*(?:\d{1,4}|ページ|頁)?[\s\-–—―]*")
# A line that begins so begins something: a bullet, a number, a heading, an article.
_BEGINS = re.compile(
    r"[\s\u3000]|[・●○◯◎■□◆◇▼▲★☆※→*•‣⁃－\-–—]|[(（\[【「『〈<]|[①-⑳㈠-㈩]|(?:[0-9０-９]+|[IVXivx]+|[ア-ン])[.．)）、\s]"
    r"|第[0-9０-９一二三四五六七八九十百]+[条章節項]"
)
_ENDS = re.compile(r"[。.!?！？:：;；」』】）)]$")
# PDFium is not safe to use from several threads at once.
_one_at_a_time = threading.Lock()


def read_pdf(data: bytes) -> Contents:
    """One section a page. Raises InvalidDocument for a PDF that is locked, damaged, too long or only pictures."""
    with _one_at_a_time:
        title, pages = _read(data)
    sections = tuple(
        Section(text, place=f"{number}ページ", anchor=f"p{number}")
        for number, page in enumerate(pages, 1)
        if (text := _unwrapped(page)).strip()
    )
    if not sections:
        raise InvalidDocument("it holds only pictures of its pages; run character recognition (OCR) over it first.")
    return Contents((title,), sections)


def _read(data: bytes) -> tuple[str, list[str]]:
    import pypdfium2  # type: ignore[import-untyped]

    document = _open(pypdfium2, data)
    try:
        if len(document) > MOST_PAGES:
            raise InvalidDocument(f"it has more than {MOST_PAGES:,} pages; split it into smaller documents.")
        return str(document.get_metadata_value("Title")), [_page_text(document, n) for n in range(len(document))]
    finally:
        document.close()


def _open(library: Any, data: bytes) -> Any:
    try:
        return library.PdfDocument(data)
    except library.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise InvalidDocument("it is locked with a password; save a copy without one.") from error
        raise InvalidDocument("it is damaged or not a whole PDF; make it again or download it again.") from error


def _page_text(document: Any, number: int) -> str:
    page = document[number]
    try:
        text_page = page.get_textpage()
        try:
            return clean(text_page.get_text_bounded())
        finally:
            text_page.close()
    finally:
        page.close()


def _unwrapped(page: str) -> str:
    """A page without its number, and with sentences whole that go over the end of a line."""
    lines = page.split("\n")
    while lines and (not lines[-1].strip() or _PAGE_NUMBER.fullmatch(lines[-1])):
        lines.pop()
    while lines and (not lines[0].strip() or _PAGE_NUMBER.fullmatch(lines[0])):
        lines.pop(0)
    full = max((_width(line) for line in lines), default=0) * 0.8
    whole: list[str] = []
    for before, line in zip(["", *lines], lines, strict=False):
        goes_on = whole and line and _width(before) >= full and not _ENDS.search(before) and not _BEGINS.match(line)
        if goes_on:
            whole[-1] += (" " if before[-1].isascii() and line[0].isascii() else "") + line
        else:
            whole.append(line)
    return "\n".join(whole)


def _width(line: str) -> float:
    return sum(0.5 if c.isascii() else 1.0 for c in line)
