"""Files and folders of documents: found, recognised, read."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from knowledge.errors import InvalidDocument
from knowledge.sources import hypertext, markdown, office, pdf, plain_text, spreadsheets
from knowledge.sources.recognising import LARGEST, Format, recognise
from knowledge.sources.sections import Contents, Origin, clean, to_document
from knowledge.types import FEDERATION, PUBLIC, Audience, Document, Kind

log = logging.getLogger(__name__)

_READERS: dict[Format, Callable[[bytes], Contents]] = {
    Format.MARKDOWN: lambda data: plain_text.read_markdown(plain_text.decode(data)),
    Format.TEXT: lambda data: plain_text.read_plain(plain_text.decode(data)),
    Format.CSV: lambda data: spreadsheets.read_csv(clean(plain_text.decode(data))),
    Format.XLSX: spreadsheets.read_xlsx,
    Format.DOCX: office.read_docx,
    Format.PPTX: office.read_pptx,
    Format.PDF: pdf.read_pdf,
}
_OF_THE_SYSTEM = frozenset({"thumbs.db", "desktop.ini"})


def find_files(path: Path) -> Iterator[Path]:
    """A file itself, or the files of a folder and its folders by name.

    Hidden files and folders, lock files of Office, folders behind symlinks and symlinks that lead out are left out.
    Raises InvalidDocument where there is nothing or it cannot be looked at.
    """
    try:
        if path.is_dir():
            yield from _files_below(path, os.path.realpath(path))
        elif path.exists():
            yield path
        else:
            raise InvalidDocument(f"{path}: there is no such file or folder; check the path.")
    except OSError as error:
        raise InvalidDocument(f"{error.filename or path}: it cannot be read ({error.strerror}); check its permissions.") from error


def _files_below(folder: Path, root: str) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda e: e.name)
    for entry in found:
        path = folder / entry.name
        if entry.name.startswith((".", "~$")) or entry.name.lower() in _OF_THE_SYSTEM:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(path, root)
        elif entry.is_symlink():
            led_to = os.path.realpath(path)
            if os.path.isfile(led_to) and os.path.commonpath([led_to, root]) == root:  # noqa: PTH113 - false for a loop, too
                yield path
        elif entry.is_file():
            yield path


def read_file(path: Path, *, audience: Audience, kind: Kind, place: str = "", name: str = "") -> Document:
    """A document for this audience; a corpus entry (docs/corpus.md) keeps its own fields.

    `place` is what the id is made from, the whole path by default; `name` is what its sources say, the file's by default.
    Raises InvalidDocument, one sentence that begins with the name.
    """
    name = name or path.name
    origin = Origin(place or os.path.realpath(path), name)
    try:
        return read_bytes(_bytes_of(path), origin, audience=audience, kind=kind)
    except InvalidDocument as error:
        raise InvalidDocument(f"{name}: {error}") from error


def _bytes_of(path: Path) -> bytes:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise InvalidDocument("it is no file; name a file, a folder or an address.")
        if state.st_size > LARGEST:
            raise InvalidDocument(f"it is larger than {LARGEST // 1_000_000} MB; split it, or take pictures out of it.")
        return path.read_bytes()
    except OSError as error:
        raise InvalidDocument(f"it cannot be read ({error.strerror}); check the path and its permissions.") from error


def read_bytes(
    data: bytes, origin: Origin, *, audience: Audience, kind: Kind, declared: Format | None = None, charset: str = ""
) -> Document:
    """The document that these bytes are. `declared` and `charset` are what a server says of them.

    Raises InvalidDocument, one sentence without the name.
    """
    found = recognise(data, origin.name, declared)
    try:
        # A page from the web has no say in ids and audiences.
        if found is Format.MARKDOWN and not origin.url and plain_text.is_corpus_entry(text := clean(plain_text.decode(data))):
            return _corpus_entry(text, origin, audience)
        contents = hypertext.read_html(data, charset) if found is Format.HTML else _READERS[found](data)
        return to_document(contents, origin, audience=audience, kind=kind)
    except InvalidDocument:
        raise
    except Exception as error:  # a damaged file can make a library fail in any way, and the next file shall be read
        log.info("%s could not be read", found, exc_info=error)
        raise InvalidDocument(f"it is damaged or no real {found} file; open it with its own program and save it anew.") from error


def _corpus_entry(text: str, origin: Origin, audience: Audience) -> Document:
    try:
        document = markdown.parse(text, origin.name)
    except InvalidDocument as error:
        raise InvalidDocument(str(error).removeprefix(f"{origin.name}: ")) from error
    return replace(document, audience=_of_both(document.audience, audience))


def _of_both(own: Audience, given: Audience) -> Audience:
    """Who is meant by an entry and by the operator too: neither can open what the other keeps closer."""
    keys = {k for k in own.keys if _covers(given, k)} | {k for k in given.keys if _covers(own, k)}
    if not keys:
        raise InvalidDocument(f"it is for {', '.join(sorted(own.keys))} only; bring it in for that audience.")
    return Audience.of(*keys)


def _covers(audience: Audience, key: str) -> bool:
    return PUBLIC in audience.keys or key in audience.keys or (FEDERATION in audience.keys and key.startswith("coop:"))
