"""The data folder among several processes: who uses it, who has it alone, and files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bot.errors import UserMistake

if sys.platform != "win32":
    import fcntl

_LOCK = "in-use.lock"
_PRIVATE = 0o600


class InUse:
    """A process's hold on the data folder. The system lets go of it however the process ends.

    Any number may use the folder at once; `alone` nobody else does. Raises UserMistake where that cannot be now. On systems without
    flock nothing is held: there the operator sees to it.
    """

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        self._descriptor = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, _PRIVATE)
        except OSError as error:
            told = f"The data folder {folder} cannot be written: give this user the right, or set YUI_DATA_DIR."
            raise UserMistake(told) from error
        if not _held(self._descriptor, alone=alone):
            self.close()
            raise UserMistake(
                "Yui is running on this data folder: stop it (`yui serve` and other commands), then try again."
                if alone
                else "A backup is being restored into this data folder: wait until that has ended."
            )

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def __del__(self) -> None:
        self.close()  # what could not be started holds nothing

    def __enter__(self) -> InUse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def new_file(file: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Write a private file (mode 0600) that gets its name when it is complete and on the disk.

    Until then it is `FILE.part`, which the next try overwrites. Raises UserMistake where `file` is there and isn't to be replaced,
    or cannot be written.
    """
    if file.is_dir():
        raise UserMistake(f"{file} is a folder: give the name of a file.")
    if file.exists() and not replace:
        raise UserMistake(f"{file} is there already: give another name, or --force to replace it.")
    part = file.with_name(file.name + ".part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), _PRIVATE)
        with os.fdopen(descriptor, "r+b") as out:
            if not _held(descriptor, alone=True):
                raise UserMistake(f"{file} is being written by another process: wait until that has ended.")
            part.chmod(_PRIVATE)
            out.truncate()
            try:
                yield out
                flush(out)
                part.replace(file)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        flush_folder(file.parent)
    except OSError as error:
        raise UserMistake(f"{file} cannot be written ({error.strerror or 'error'}): check the path and the free space.") from error


def write_whole(file: Path, content: bytes) -> None:
    """A small private file, on the disk when this returns."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        flush(out)


def flush(out: BinaryIO) -> None:
    out.flush()
    os.fsync(out.fileno())


def flush_folder(folder: Path) -> None:
    """Let a name that was given or taken survive a loss of power."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _held(descriptor: int, *, alone: bool) -> bool:
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
