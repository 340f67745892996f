"""The whole application over real HTTP, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from types import TracebackType
from typing import Any, Self

import httpx
import sqlalchemy as sa
import uvicorn

from bot.app import create_app
from bot.bootstrap import Yui, build
from bot.config import Settings
from tests import line_events
from tests.conftest import free_port

SECRET, TOKEN = "channel-secret", "channel-token"


class Running:
    """`with Running(settings) as bot:` serves within the block; leaving it is a clean stop."""

    def __init__(self, settings: Settings, yui: Yui | None = None) -> None:
        self.yui: Yui = yui or build(settings)
        self.yui.knowledge.align()
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.app = create_app(self.yui)
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=port, log_level="error", server_header=False, timeout_keep_alive=60
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), name="bot", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the application did not start"
            time.sleep(0.01)
        self.http = httpx.Client(base_url=self.address, timeout=20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()

    def line(self, *events: dict[str, Any]) -> httpx.Response:
        """Post events at LINE's door as LINE does."""
        raw = line_events.body(events)
        return self.http.post("/webhook/line", content=raw, headers=line_events.signed(raw, SECRET))


def rows(yui: Yui, without: str = "") -> str:
    """Everything in the database but the knowledge, as text. `without`: a table that is left out."""
    tables = sa.MetaData()
    tables.reflect(yui.database.engine)
    kept = [t for t in tables.tables.values() if t.name not in ("documents", "passages", without)]
    with yui.database.read() as c:
        return " ".join(str(row) for t in kept for row in c.execute(sa.select(t)))
