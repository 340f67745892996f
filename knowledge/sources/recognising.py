"""What a file is, by its content and by its name, and whether it can be opened without harm."""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum

from knowledge.errors import InvalidDocument

LARGEST = 20_000_000  # bytes of a file
LARGEST_UNPACKED = 64_000_000  # bytes of all that an Office file holds; its parts are held in memory several times over
_MOST_PARTS = 10_000


class Format(StrEnum):
    """What can be read, by the usual ending of the name."""

    MARKDOWN = "md"
    TEXT = "txt"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"


READABLE = "md, txt, csv, xlsx, docx, pptx, pdf and html"
_ENDINGS = {
    **{f".{f.value}": f for f in Format},
    ".markdown": Format.MARKDOWN,
    ".text": Format.TEXT,
    ".tsv": Format.CSV,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".xlsm": Format.XLSX,
}
_TEXTS = {Format.MARKDOWN, Format.TEXT, Format.CSV, Format.HTML}
_OFFICE_PARTS = {"word/document.xml": Format.DOCX, "xl/workbook.xml": Format.XLSX, "ppt/presentation.xml": Format.PPTX}
_HTML = re.compile(rb"(?:\s+|<\?xml[^>]*>|<!--.*?-->)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def recognise(data: bytes, name: str, declared: Format | None = None) -> Format:
    """The format of a file or page; `declared` is what its server says of it.

    Raises InvalidDocument for what cannot be read, and where the name and the content contradict each other.
    """
    if not data.strip(b"\x00 \t\r\n\x0c"):
        raise InvalidDocument("it is empty.")
    ending = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    by_name = _ENDINGS.get(ending[0].lower() if ending else "")
    named = by_name if declared is Format.TEXT and by_name in _TEXTS else declared or by_name
    found = _by_content(data)
    if found is None:
        if named is None:
            raise InvalidDocument(f"its type is not known; {READABLE} can be read.")
        if named not in _TEXTS:
            raise InvalidDocument(f"it is no {named} file inside; open it with its own program and save it anew.")
        return named
    if named is None or named is found or (found is Format.HTML and named in _TEXTS):
        return named or found
    raise InvalidDocument(f"it is called {named} but is {found} inside; give it the name that fits.")


def _by_content(data: bytes) -> Format | None:
    """The format that the bytes say; None for text that could be anything."""
    if b"%PDF-" in data[:1_024]:
        return Format.PDF
    if data.startswith(b"PK\x03\x04"):
        return _office_format(data)
    if data.startswith(_OLD_OFFICE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise InvalidDocument("it is locked with a password; save a copy without one.")
        raise InvalidDocument("it is in an old Office format; save it as docx, xlsx or pptx.")
    if data.startswith(_PICTURES):
        raise InvalidDocument("it is a picture; run character recognition (OCR) over it and bring in the text.")
    return Format.HTML if _HTML.match(data[:4_096].removeprefix(b"\xef\xbb\xbf")) else None


def _office_format(data: bytes) -> Format:
    """Which Office file a zip is. What it says it unpacks to is what is unpacked at most: the reader stops there."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InvalidDocument("it is damaged: not all of it is there; copy or download it again.") from error
    if len(parts) > _MOST_PARTS or sum(p.file_size for p in parts) > LARGEST_UNPACKED:
        raise InvalidDocument(f"it unpacks to more than {LARGEST_UNPACKED // 1_000_000} MB; split it, or take pictures out of it.")
    if any(p.flag_bits & 1 for p in parts):
        raise InvalidDocument("it is locked with a password; save a copy without one.")
    names = {p.filename for p in parts}
    found = next((f for part, f in _OFFICE_PARTS.items() if part in names), None)
    if found is None:
        raise InvalidDocument(f"it is an archive of another kind; unpack it, and bring in what is inside: {READABLE} can be read.")
    return found
