"""What a platform must offer the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.announcing.senders import Sender


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `yui doctor` looked at. `remedy` says what to do where it is not well."""

    name: str
    well: bool
    told: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A platform. `router`: its way in over HTTP, for FastAPI. `run`: works until it is cancelled, and raises BotError with one
    sentence for the operator where it cannot go on (a wrong key). `examine`: what `yui doctor` says of it. `sender`: how
    announcements leave; usable while `run` runs.
    """

    name: str
    router: Any = None
    run: Callable[[], Awaitable[None]] | None = None
    examine: Callable[[], AsyncIterator[Finding]] | None = None
    sender: Sender | None = None
