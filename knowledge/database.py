"""The database: SQLite in WAL mode or PostgreSQL, its migrations, and short transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError

from knowledge.errors import StoreUnavailable

_WAIT_FOR_LOCK = 5.0  # seconds
_REASONS = {
    "locked": "The database is locked by another program: close it and try again.",
    "readonly": "The database is read-only: give this user the right to write in the data folder.",
    "full": "The disk is full: free some space, nothing was lost.",
    "malformed": "The database file is damaged: bring back the last backup with `yui restore FILE`.",
    "not a database": "The database file is damaged: bring back the last backup with `yui restore FILE`.",
    "unable to open": "The database cannot be opened: check that YUI_DATA_DIR exists and can be written.",
}


class Database:
    """One engine, used by every store. Makes no connection until it is used."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        connect = {"timeout": _WAIT_FOR_LOCK} if self.is_sqlite else {"connect_timeout": 10}
        if self.is_sqlite and self.url.database and not self.url.database.startswith("file:"):
            with explained():
                _make_folder(Path(self.url.database).parent)
        self.engine = sa.create_engine(self.url, connect_args=connect, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def migrate(self, package: str, revision: str = "head", connection: sa.Connection | None = None) -> None:
        """Bring the tables of one package (`knowledge`, `bot`) up to date; each keeps its own line of steps.

        `revision`: the step to go to; `connection`: goes there within its transaction. Raises StoreUnavailable where the tables,
        or the step, are those of a newer program.
        """
        with resources.as_file(resources.files(package) / "migrations") as folder, explained():
            config = Config()
            config.set_main_option("script_location", str(folder).replace("%", "%%"))
            config.attributes["version_table"] = f"{package}_version"
            with contextlib.nullcontext(connection) if connection else self.engine.begin() as c:
                config.attributes["connection"] = c
                try:
                    command.upgrade(config, revision)
                except CommandError as error:
                    raise StoreUnavailable("These tables are of a newer version of Yui: install that version.") from error

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with explained(), self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing."""
        with explained(), self.engine.begin() as connection:
            yield connection

    def empty_log(self) -> None:
        """Let go of what SQLite keeps of deleted rows in its write-ahead log; elsewhere nothing is to do."""
        if self.is_sqlite:
            with explained(), self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self.engine.dispose()


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """No driver's error leaves this package: it becomes one sentence that says what to do."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.DatabaseError, OSError) as error:
        if isinstance(error, sa.exc.IntegrityError):
            raise
        text = str(getattr(error, "orig", None) or error).lower()
        reason = next((sentence for mark, sentence in _REASONS.items() if mark in text), None)
        raise StoreUnavailable(reason or "The database does not answer: check YUI_DATABASE_URL and that it is running.") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(_REASONS["unable to open"]) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    with contextlib.suppress(sqlite3.OperationalError):  # a read-only file cannot change its mode, but can be read
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten: questions that have been answered
    cursor.close()
