"""The file of a backup: a zip with one JSON-lines part a table, the files of the data folder, and a manifest that vouches for all.

    manifest.json            format, version, date, migration heads, and for every part its SHA-256, bytes and rows
    tables/NAME.jsonl        one row a line; bytes as base64, times as ISO 8601 in UTC
    files/NAME               secret.key, withdrawn-tips.txt

It names no database product: what SQLite wrote, PostgreSQL reads, and the other way round.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bot.errors import UserMistake

FORMAT, VERSION = "yui-backup", 1
MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 2**20  # bytes
_AT_ONCE = 2**16  # bytes
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, NotImplementedError, RuntimeError, OSError)

Row = dict[str, Any]
Progress = Callable[[str, int, int], None]  # what is being done, how much is done, of how much


def quietly(_what: str, _done: int, _of: int) -> None:
    """No progress is told."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the manifest says of one part."""

    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `key`: tells one secret key from another, and nothing about it; `migrations`: step by package."""

    made_at: dt.datetime
    migrations: Mapping[str, str]
    key: str
    parts: Mapping[str, Part]


def table_part(name: str) -> str:
    return f"tables/{name}.jsonl"


def file_part(name: str) -> str:
    return f"files/{name}"


class ArchiveWriter:
    """Writes the parts one after the other, at last the manifest; without one it is no backup."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._parts: dict[str, Part] = {}

    def table(self, name: str, rows: Iterable[Row]) -> None:
        self._write(table_part(name), (_line(row) for row in rows))

    def file(self, name: str, content: bytes) -> None:
        self._write(file_part(name), [content])

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def finish(self, made_at: dt.datetime, migrations: Mapping[str, str], key: str) -> Manifest:
        manifest = Manifest(made_at, migrations, key, self._parts)
        told = {"format": FORMAT, "version": VERSION, **asdict(manifest), "made_at": made_at.isoformat()}
        self._zip.writestr(MANIFEST, json.dumps(told, indent=1))
        return manifest

    def _write(self, name: str, pieces: Iterable[bytes]) -> None:
        digest, written, count = hashlib.sha256(), 0, 0
        with self._zip.open(name, "w", force_zip64=True) as out:
            for piece in pieces:
                out.write(piece)
                digest.update(piece)
                written += len(piece)
                count += 1
        self._parts[name] = Part(digest.hexdigest(), written, count)


class Archive:
    """A backup that is read. Making one checks every part against the manifest; raises UserMistake for anything else than a whole
    backup that this version understands."""

    def __init__(self, file: Path, progress: Progress = quietly) -> None:
        self._file = file
        with self._readable():
            self._zip = zipfile.ZipFile(file)
        try:
            with self._readable():
                self.manifest = self._manifest()
                self._check(progress)
        except BaseException:
            self._zip.close()
            raise

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def tables(self) -> dict[str, int]:
        """Names of the tables with their numbers of rows."""
        parts = self.manifest.parts.items()
        return {name[len("tables/") : -len(".jsonl")]: part.rows for name, part in parts if name.startswith("tables/")}

    def rows(self, table: str) -> Iterator[Row]:
        with self._readable(), self._zip.open(table_part(table)) as lines:
            yield from map(json.loads, lines)

    def content(self, name: str) -> bytes | None:
        """A file of the data folder; None where the backup has none of this name."""
        with self._readable():
            return self._zip.read(file_part(name)) if file_part(name) in self.manifest.parts else None

    def damaged(self) -> UserMistake:
        return UserMistake(f"{self._file} is damaged or no backup of Yui: nothing was changed; take another backup.")

    def _manifest(self) -> Manifest:
        entry = self._zip.getinfo(MANIFEST)
        if entry.file_size > _LARGEST_MANIFEST:
            raise self.damaged()
        told = json.loads(self._zip.read(entry))
        if told["format"] != FORMAT:
            raise self.damaged()
        if told["version"] != VERSION:
            raise UserMistake(f"{self._file} was made by a newer version of Yui: install that version; nothing was changed.")
        return Manifest(
            made_at=dt.datetime.fromisoformat(told["made_at"]).astimezone(dt.UTC),
            migrations={str(k): str(v) for k, v in told["migrations"].items()},
            key=str(told["key"]),
            parts={str(k): Part(str(v["sha256"]), int(v["bytes"]), int(v["rows"])) for k, v in told["parts"].items()},
        )

    def _check(self, progress: Progress) -> None:
        """Everything the manifest names is there as it names it, and nothing else is."""
        parts = self.manifest.parts
        if sorted([*parts, MANIFEST]) != sorted(self._zip.namelist()):
            raise self.damaged()
        for done, (name, part) in enumerate(parts.items()):
            progress("checking", done, len(parts))
            if self._zip.getinfo(name).file_size != part.bytes or self._digest(name) != part.sha256:
                raise self.damaged()
        progress("checking", len(parts), len(parts))

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._zip.open(name) as read:
            while piece := read.read(_AT_ONCE):
                digest.update(piece)
        return digest.hexdigest()

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise UserMistake(f"{self._file} cannot be read: check the path and its rights.") from error
        except _DAMAGED as error:
            raise self.damaged() from error


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=_portable, separators=(",", ":")).encode() + b"\n"


def _portable(value: object) -> str:
    """A value that JSON has no word for. What a column takes is known when it is read: see `bot.tables.load`."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime):
        return (value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
