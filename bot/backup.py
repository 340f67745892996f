"""One file out, one file in: everything that Yui cannot make anew.

A restore is prepared beside what is there and becomes true in one step: when the database holds the mark of this restore. Until
then an interruption leaves everything as it was; after it, the next start finishes what is left (`finish_restore`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import tables
from bot.archive import Archive, ArchiveWriter, Manifest, Progress, quietly
from bot.config import Settings
from bot.data_folder import InUse, flush, flush_folder, new_file, write_whole
from bot.errors import UserMistake
from bot.signing import Signer
from knowledge import Database, StoreUnavailable

KEY, WITHDRAWN = "secret.key", "withdrawn-tips.txt"
BACKED_UP, _RESTORED = "backup", "restore"  # names of marks
_STAGED = "restoring"
_LOGS = ("-wal", "-shm", "-journal")  # what SQLite keeps beside its file
_NOTHING = "There is nothing to back up yet: start Yui once, or check YUI_DATA_DIR and YUI_DATABASE_URL."


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `withdrawn_since`: tips that were withdrawn after the backup had been made, and stay so."""

    manifest: Manifest
    rows: int
    withdrawn_since: int


def back_up(settings: Settings, file: Path, now: dt.datetime, *, replace: bool = False, progress: Progress = quietly) -> Manifest:
    """Write everything into one private file, as it is at one moment, while the bot may run.

    Raises UserMistake where there is nothing, or the file cannot be written; StoreUnavailable.
    """
    held = _sqlite_file(settings)
    if held is not None and not held.is_file():
        raise UserMistake(_NOTHING)
    database = Database(settings.database)
    try:
        with InUse(settings.data_dir), new_file(file, replace=replace) as out, ArchiveWriter(out) as archive:
            with tables.snapshot(database) as c:
                at = tables.steps(c)
                if not at:
                    raise UserMistake(_NOTHING)
                for name, count, rows in tables.dump(c, tables.names_at(at)):
                    archive.table(name, _counted(rows, name, count, progress))
            # After the rows: what is withdrawn meanwhile is in the list, even if its text still was in the rows.
            for name in (WITHDRAWN,) if settings.secret_key else (WITHDRAWN, KEY):
                if (settings.data_dir / name).is_file():
                    archive.file(name, (settings.data_dir / name).read_bytes())
            manifest = archive.finish(now, at, _key_mark(_key(settings)))
        with database.write() as c:
            tables.leave_mark(c, BACKED_UP, now.astimezone(dt.UTC).isoformat())
        database.empty_log()
    finally:
        database.close()
    return manifest


def restore(settings: Settings, file: Path, progress: Progress = quietly) -> Restored:
    """Put a backup in the place of everything that is there. What has been withdrawn by now stays on the list of withdrawn tips;
    `Curation.reconcile`, at the next start, takes it out again.

    Raises UserMistake, and has changed nothing, for a damaged or foreign file, another secret key, or a bot that runs.
    """
    with Archive(file, progress) as archive:
        _check_key(settings, archive)
        with InUse(settings.data_dir, alone=True):
            _settle(settings)
            _check_alone(settings)
            staged = settings.data_dir / _STAGED
            token = secrets.token_hex(8)
            try:
                withdrawn, since = _withdrawn(settings, archive)
                _stage_files(staged, token, archive, withdrawn)
                _load(settings, archive, token, progress)
            except OSError as error:
                _settle(settings)
                told = f"{settings.data_dir} cannot be written ({error.strerror or 'error'}): nothing was changed."
                raise UserMistake(told) from error
            except BaseException:
                _settle(settings)
                raise
            _settle(settings)
        return Restored(archive.manifest, sum(archive.tables.values()), since)


def rehearse(settings: Settings, file: Path, scratch: Path, progress: Progress = quietly) -> Restored:
    """Find out whether a backup could be restored here, while the bot runs, and change nothing: every part is held against the
    manifest, and the rows are brought into a database of their own in the folder `scratch`, which goes again.

    Raises UserMistake as `restore` does.
    """
    tried = scratch / "rehearsal.db"
    with Archive(file, progress) as archive:
        _check_key(settings, archive)
        _, since = _withdrawn(settings, archive)
        try:
            scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            _forget_file(tried)
            _bring_in(f"sqlite:///{tried}", archive, {}, progress)
        except OSError as error:
            raise UserMistake(f"{scratch} cannot be written ({error.strerror or 'error'}): nothing was changed.") from error
        finally:
            _forget_file(tried)
        return Restored(archive.manifest, sum(archive.tables.values()), since)


def finish_restore(settings: Settings) -> None:
    """Finish a restore that was interrupted after it had become true, or clear away one that had not. Raises UserMistake where one
    is under way."""
    if (settings.data_dir / _STAGED).is_dir():
        try:
            alone = InUse(settings.data_dir, alone=True)
        except UserMistake as error:
            raise UserMistake("A backup is being restored into this data folder: wait until that has ended.") from error
        with alone:
            _settle(settings)


def _stage_files(staged: Path, token: str, archive: Archive, withdrawn: list[str]) -> None:
    staged.mkdir(mode=0o700)
    key = archive.content(KEY)
    if key is not None:
        write_whole(staged / KEY, key)
    if withdrawn:
        write_whole(staged / WITHDRAWN, "".join(f"{i}\n" for i in withdrawn).encode("ascii"))
    # Last: without it nothing here counts.
    write_whole(staged / "token.json", json.dumps({"token": token}).encode())
    flush_folder(staged)
    flush_folder(staged.parent)


def _load(settings: Settings, archive: Archive, token: str, progress: Progress) -> None:
    """Bring the rows in; with the end of this the restore has become true."""
    file = _sqlite_file(settings)
    left = {_RESTORED: token, BACKED_UP: archive.manifest.made_at.isoformat()}
    _bring_in(settings.database if file is None else f"sqlite:///{_built(file)}", archive, left, progress)
    if file is not None:
        with _built(file).open("rb+") as read:
            flush(read)
        _built(file).chmod(0o600)
        _forget_log(file)
        _built(file).replace(file)
        flush_folder(file.parent)


def _bring_in(url: str, archive: Archive, left: Mapping[str, str], progress: Progress) -> None:
    """The rows of a backup into a database, which is then brought up to date."""
    sizes, done, whole = archive.tables, 0, sum(archive.tables.values())

    def told(table: str) -> None:
        nonlocal done
        progress(table, done, whole)
        done += sizes.get(table, 0)

    built = Database(url)
    try:
        at = archive.manifest.migrations
        if not at or tables.names_at(at) != set(sizes):
            raise archive.damaged()
        tables.load(built, at, archive.rows, left, told)
        built.empty_log()
    finally:
        built.close()
    progress("rows", whole, whole)


def _forget_file(database: Path) -> None:
    for rest in ("", *_LOGS):
        database.with_name(database.name + rest).unlink(missing_ok=True)


def _settle(settings: Settings) -> None:
    """Bring the files in step with the database: those of a restore that has become true take their places, others go."""
    staged, file = settings.data_dir / _STAGED, _sqlite_file(settings)
    if not staged.is_dir():
        return
    if _is_true(settings, staged):
        for name in (KEY, WITHDRAWN):
            if (staged / name).is_file():
                (staged / name).replace(settings.data_dir / name)
        flush_folder(settings.data_dir)
    if file is not None:
        for rest in ("", *_LOGS):
            _built(file).with_name(_built(file).name + rest).unlink(missing_ok=True)
    shutil.rmtree(staged)  # last: as long as it is there, there is something to settle


def _is_true(settings: Settings, staged: Path) -> bool:
    token, file = staged / "token.json", _sqlite_file(settings)
    if not token.is_file() or (file is not None and not file.is_file()):
        return False
    database = Database(settings.database)
    try:
        return tables.mark_of(database, _RESTORED) == str(json.loads(token.read_text("ascii"))["token"])
    except StoreUnavailable as error:
        if "damaged" in str(error):  # what is damaged has not just been restored; of any other trouble nothing can be concluded
            return False
        raise
    finally:
        database.close()


def _forget_log(file: Path) -> None:
    """Bring what SQLite's log still holds into the old file: beside the new one it would be taken for that one's."""
    if file.is_file():
        database = Database(f"sqlite:///{file}")
        try:
            with contextlib.suppress(StoreUnavailable):  # it is damaged: that may be why there is a restore
                database.empty_log()
        finally:
            database.close()
    for rest in _LOGS:
        file.with_name(file.name + rest).unlink(missing_ok=True)


def _withdrawn(settings: Settings, archive: Archive) -> tuple[list[str], int]:
    """The ids of withdrawn tips of the backup and of now, and how many the backup does not know."""
    known = (archive.content(WITHDRAWN) or b"").decode("ascii", "replace").split()
    current = settings.data_dir / WITHDRAWN
    now = current.read_text("ascii", "replace").split() if current.is_file() else []
    return list(dict.fromkeys([*known, *now])), len(set(now) - set(known))


def _check_alone(settings: Settings) -> None:
    database = Database(settings.database)
    try:
        if tables.others_connected(database):
            raise UserMistake("Another program is connected to the database: stop Yui everywhere, then try again.")
    finally:
        database.close()


def _check_key(settings: Settings, archive: Archive) -> None:
    """People are known by pseudonyms made with the key: with another one nobody would be recognised."""
    kept = archive.content(KEY)
    if settings.secret_key is None and kept is None:
        raise UserMistake("This backup was made with YUI_SECRET_KEY: set it here as it was there; nothing was changed.")
    key = settings.secret_key.get_secret_value().encode() if settings.secret_key else kept or b""
    if _key_mark(key) != archive.manifest.key:
        raise UserMistake(
            "This backup was made with another secret key than YUI_SECRET_KEY: set that one, or take the setting out; "
            "nothing was changed."
        )


def _key(settings: Settings) -> bytes:
    if settings.secret_key:
        return settings.secret_key.get_secret_value().encode()
    file = settings.data_dir / KEY
    return file.read_bytes() if file.is_file() else b""


def _key_mark(key: bytes) -> str:
    return Signer(key).sign("backup", "key")


def _sqlite_file(settings: Settings) -> Path | None:
    """The database's file; None for PostgreSQL."""
    database = Database(settings.database)
    name = database.url.database or ""
    database.close()
    return Path(name) if database.is_sqlite else None


def _built(file: Path) -> Path:
    """The new database beside the old one, on the same disk."""
    return file.with_name(f"{file.name}.{_STAGED}")


def _counted(rows: Iterator[Mapping[str, Any]], name: str, count: int, progress: Progress) -> Iterator[dict[str, Any]]:
    for done, row in enumerate(rows):
        if done % 200 == 0:
            progress(name, done, count)
        yield dict(row)
