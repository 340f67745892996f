"""A running desk over real HTTP, with people who have signed in; and a real browser to look at it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
import uvicorn

from bot.app import create_app
from bot.bootstrap import Yui, build
from bot.config import Settings
from bot.members import CoOp, Grant, Role
from tests.adapters.conftest import needs_browser as with_browser
from tests.conftest import free_port
from tests.fakes import FixedClock

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

UEDA, SUZAKA = "ueda", "suzaka"
_T = TypeVar("_T", bound=Callable[..., object])
PASSWORD = "ひまわり 自転車 味噌蔵"
BROWSER = "a browser of the tests"
ADMIN, FEDERATION = Grant(Role.ADMIN), Grant(Role.COORDINATOR)
OF_UEDA, OF_SUZAKA = Grant(Role.COORDINATOR, UEDA), Grant(Role.COORDINATOR, SUZAKA)


def needs_browser(test: _T) -> _T:
    """Marks what opens the desk in a real browser: together it takes minutes, so that `make test-long` does it."""
    marked: _T = pytest.mark.long(with_browser(test))
    return marked


class Person(httpx.Client):
    """Somebody who is signed in. Redirects are not followed, so that what came of a press can be asserted."""

    account = ""
    csrf = ""

    def press(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form as the desk's page would."""
        return self.post(path, data={"csrf": self.csrf, **fields})


@dataclass(frozen=True, slots=True)
class Desk:
    yui: Yui
    address: str

    def person(self, name: str, *grants: Grant, language: str = "ja") -> Person:
        """Somebody new with these roles, signed in."""
        account, token = self.session(name, *grants, language=language)
        person = Person(base_url=self.address, timeout=90, headers={"user-agent": BROWSER}, cookies={"yui_desk": token})
        person.account, person.csrf = account, self.yui.signer.sign("desk-csrf", account)
        return person

    def session(self, name: str, *grants: Grant, language: str = "ja", browser: str = BROWSER) -> tuple[str, str]:
        """The account and a session's token of somebody new."""
        for grant in grants or (Grant(Role.ADMIN),):
            account = self._account(name, grant)
        self.yui.sign_in.set_language(account, language)
        self.yui.sign_in.set_guided(account)
        token, _ = self.yui.sign_in.sign_in(name, PASSWORD, browser, "127.0.0.1")
        return account, token

    def _account(self, name: str, grant: Grant) -> str:
        held = next((u.account for u in self.yui.sign_in.users() if u.name == name), None)
        if held is not None:
            self.yui.members.give(held, grant)
            return held
        return self.yui.sign_in.redeem(self.yui.sign_in.invite("cli:tests", grant.role, grant.co_op), name, PASSWORD)


@pytest.fixture(scope="session")
def _desk(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Desk]:
    yui = build(Settings(data_dir=filled(tmp_path_factory.mktemp("desk")), _env_file=None), clock=FixedClock())
    yui.knowledge.align()
    yui.members.put_co_op(CoOp(UEDA, "うえだ組合", "長野県上田市", ("弁当", "配食")))
    yui.members.give("cli:tests", Grant(Role.ADMIN))
    yui.members.put_co_op(CoOp(SUZAKA, "すざか組合", "長野県須坂市", ("保育",)))
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(yui), host="127.0.0.1", port=port, log_level="error", server_header=False, timeout_keep_alive=60)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Desk(yui, f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def desk(_desk: Desk) -> Desk:
    """One desk for all tests: each brings its own people and things."""
    return _desk


@pytest.fixture
def window(browser: Browser, desk: Desk) -> Iterator[Callable[..., BrowserContext]]:
    """A browser's window of somebody new: `window("花子", OF_UEDA, width=360, language="en")`. Errors in it fail the test."""
    opened: list[BrowserContext] = []
    troubles: list[str] = []

    def open_one(name: str, *grants: Grant, width: int = 1280, language: str = "ja", scripts: bool = True) -> BrowserContext:
        _, token = desk.session(name, *grants, language=language)
        context = browser.new_context(
            viewport={"width": width, "height": 740}, user_agent=BROWSER, base_url=desk.address, java_script_enabled=scripts
        )
        context.add_cookies([{"name": "yui_desk", "value": token, "url": desk.address}])
        context.on(
            "console",
            lambda m: troubles.append(m.text) if m.type in ("error", "warning") and "status of 422" not in m.text else None,
        )
        context.on("weberror", lambda e: troubles.append(str(e.error)))
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    assert troubles == []


def violations(page: Any) -> list[str]:
    """What axe finds wrong with a page, as sentences."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]
