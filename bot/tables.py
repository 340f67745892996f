"""All rows of a database out and in, whatever product it is: the tables are those that the migrations make."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from bot.errors import UserMistake
from bot.store import marks
from knowledge import Database

PACKAGES = ("knowledge", "bot")
_AT_ONCE = 500  # rows a statement

Rows = Iterable[Mapping[str, Any]]


def steps(c: sa.Connection) -> dict[str, str]:
    """The migration step each package's tables are at; empty for a database that Yui has never used."""
    held = set(sa.inspect(c).get_table_names())
    found = {p: c.scalar(sa.text(f"SELECT version_num FROM {p}_version")) for p in PACKAGES if f"{p}_version" in held}  # noqa: S608
    return {p: str(step) for p, step in found.items() if step}


def names_at(at: Mapping[str, str]) -> set[str]:
    """The tables that Yui has at some migration steps: others in a shared database are none of its business."""
    scratch = Database("sqlite://")
    try:
        with scratch.write() as c:
            _migrate(scratch, c, at)
            return {n for n in sa.inspect(c).get_table_names() if n not in _version_tables()}
    finally:
        scratch.close()


@contextlib.contextmanager
def snapshot(database: Database) -> Iterator[sa.Connection]:
    """A connection that sees the database as it was at one moment, while others go on writing."""
    with database.read() as c:
        if database.is_sqlite:
            c.exec_driver_sql("BEGIN")  # in WAL mode a reader keeps what it saw first
        else:
            c.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield c


def dump(c: sa.Connection, names: Iterable[str]) -> Iterator[tuple[str, int, Iterator[dict[str, Any]]]]:
    """(table, number of rows, rows) of each, those first that others refer to. The rows must be read before the next table."""
    for table in _reflected(c, names):
        count = int(c.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
        query = sa.select(table).order_by(*table.primary_key).execution_options(yield_per=_AT_ONCE)
        found = c.execute(query)
        yield table.name, count, (dict(row) for row in found.mappings())


def load(
    database: Database, at: Mapping[str, str], rows: Callable[[str], Rows], left: Mapping[str, str], told: Callable[[str], None]
) -> None:
    """Replace everything in a database by the rows of a backup made at some migration steps, then bring it up to date.

    One transaction: all of it or nothing. `left`: facts left in the table `marks`, by which the caller knows that it is done.
    Raises UserMistake where the rows do not fit their tables.
    """
    wanted = names_at(at)
    with database.write() as c:
        if not database.is_sqlite:
            c.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        _drop(c)
        _migrate(database, c, at)
        tables = _reflected(c, wanted)
        for table in reversed(tables):
            c.execute(sa.delete(table))  # a migration may have put first rows in
        for table in tables:
            told(table.name)
            _fill(c, table, rows(table.name))
            _count_on(c, table)
        _migrate(database, c, dict.fromkeys(PACKAGES, "head"))
        for name, value in left.items():
            leave_mark(c, name, value)


def others_connected(database: Database) -> bool:
    """Whether another program is connected, as far as the database can tell (SQLite cannot)."""
    if database.is_sqlite:
        return False
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with database.read() as c:
        return bool(c.exec_driver_sql(f"{query} AND backend_type = 'client backend'").scalar())


def leave_mark(c: sa.Connection, name: str, value: str) -> None:
    c.execute(sa.delete(marks).where(marks.c.name == name))
    c.execute(sa.insert(marks).values(name=name, value=value))


def mark_of(database: Database, name: str) -> str | None:
    """What has been left in the table `marks`; None also where there is no such table yet."""
    with database.read() as c:
        if not sa.inspect(c).has_table(marks.name):
            return None
        found: str | None = c.scalar(sa.select(marks.c.value).where(marks.c.name == name))
        return found


def _version_tables() -> set[str]:
    return {f"{p}_version" for p in PACKAGES}


def _migrate(database: Database, c: sa.Connection, to: Mapping[str, str]) -> None:
    for package in PACKAGES:
        if package in to:
            database.migrate(package, to[package], c)


def _drop(c: sa.Connection) -> None:
    now = steps(c)
    if now:
        held = sa.MetaData()
        mine = names_at(now) | _version_tables()
        held.reflect(c, only=lambda name, _: name in mine)
        held.drop_all(c)


def _reflected(c: sa.Connection, names: Iterable[str]) -> list[sa.Table]:
    """Tables as the database describes them, those first that others refer to."""
    wanted, held = set(names), sa.MetaData()
    held.reflect(c, only=lambda name, _: name in wanted)
    return list(held.sorted_tables)


def _fill(c: sa.Connection, table: sa.Table, rows: Rows) -> None:
    try:
        lines = (_typed(table, row) for row in rows)
        while some := list(itertools.islice(lines, _AT_ONCE)):
            c.execute(sa.insert(table), some)
    except (
        sa.exc.IntegrityError,
        sa.exc.DataError,
        sa.exc.StatementError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
    ) as error:
        if isinstance(error, sa.exc.OperationalError | sa.exc.InternalError):
            raise  # the database's own trouble: full, locked
        raise UserMistake(f"The backup's rows of {table.name} do not fit their table: nothing was changed.") from error


def _typed(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    if set(row) != set(table.c.keys()):
        raise KeyError(table.name)
    return {name: None if value is None else _value(table.c[name].type, value) for name, value in row.items()}


def _value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if isinstance(kind, sa.LargeBinary):
        return base64.b64decode(value, validate=True)
    if isinstance(kind, sa.DateTime):
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    if isinstance(kind, sa.Date):
        return dt.date.fromisoformat(value)
    if isinstance(value, str) and not isinstance(kind, sa.JSON):
        return value.replace("\0", "")  # SQLite keeps it, PostgreSQL knows no such letter
    return value


def _count_on(c: sa.Connection, table: sa.Table) -> None:
    """Let numbers that PostgreSQL gives out itself go on after the highest that came in."""
    if c.dialect.name != "postgresql":
        return
    for column in table.primary_key:
        if isinstance(column.type, sa.Integer):
            counter = c.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
            highest = c.scalar(sa.select(sa.func.max(column)))
            if counter and highest is not None:
                c.execute(sa.select(sa.func.setval(counter, highest)))
