"""One announcement to many chats, over the wire: `python -m bench.fan_out [CHATS]`; part of `make soak`.

The real engine, database and senders, against a stand-in of the platform on loopback, which runs in a process of its own, checks
every call against the platform's description and counts what it was sent. On LINE every chat's people are counted first, as a push
costs so many messages. Prints a line of JSON for each platform: deliveries a second, and the memory of the process after a fifth of
them and at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from adapters.discord.endpoints import point_at
from adapters.discord.rest import Rest
from adapters.discord.sending import Sender as DiscordSender
from adapters.line.channel import Channel
from adapters.line.sending import Sender as LineSender
from bot.announcing.announcement import Content, Means, Plan, Selection
from bot.announcing.chats import Chats
from bot.announcing.composing import Announcements
from bot.announcing.deliveries import Deliveries
from bot.announcing.engine import Engine
from bot.announcing.ledger import Ledger
from bot.announcing.pictures import Pictures
from bot.announcing.schedule import Schedule
from bot.announcing.senders import Sender, Shape
from bot.clock import JAPAN
from bot.members import Grant, Members, Role
from bot.metrics import Metrics
from bot.store import Store
from knowledge import Database
from tests.discord_platform import DiscordPlatform
from tests.line_platform import LinePlatform

CHATS, PEOPLE = 5_000, 25
_OPERATOR, _TOKEN = "cli:bench", "token"
_LONGEST = 600.0  # seconds
_MORNING = dt.datetime(2027, 3, 1, 10, tzinfo=JAPAN)


def line(chats: int, pipe: Connection) -> None:
    """LINE, until it is told to stop; then what each chat was sent."""
    with LinePlatform(access_token=_TOKEN) as platform:
        platform.quota = None
        pipe.send((platform.base, [platform.new_group(count=PEOPLE) for _ in range(chats)]))
        pipe.recv()
        pipe.send((Counter(p.conversation_id for p in platform.pushes), len(platform.violations)))


def discord(chats: int, pipe: Connection) -> None:
    with DiscordPlatform(token=_TOKEN) as platform:
        platform.add_guild("組合のサーバー")
        pipe.send((platform.api_base, [str(platform.add_channel(f"room-{n}").id) for n in range(chats)]))
        pipe.recv()
        pipe.send((Counter(str(m.channel.id) for m in platform.sent), len(platform.violations)))


@contextlib.asynccontextmanager
async def sender(platform: str, base: str) -> AsyncIterator[Sender]:
    if platform == "line":
        channel = Channel(base, _TOKEN, Metrics())
        async with channel.opened():
            yield LineSender(channel)
    else:
        point_at(base, "")
        rest = Rest(_TOKEN, Metrics())
        async with rest.opened():
            yield DiscordSender(rest)


def fan_out(platform: str, chats: int, folder: Path) -> dict[str, Any]:
    ours, theirs = multiprocessing.Pipe()
    stand_in = multiprocessing.get_context("spawn").Process(
        target={"line": line, "discord": discord}[platform], args=(chats, theirs)
    )
    stand_in.start()
    base, addresses = ours.recv()
    database = Database(f"sqlite:///{folder / f'{platform}.db'}")
    Store(database)
    clock = lambda: _MORNING  # noqa: E731
    members = Members(database, clock)
    known, ledger = Chats(database, members, clock), Ledger(database, clock)
    schedule, deliveries = Schedule(database, known, clock), Deliveries(database, ledger)
    announcements = Announcements(database, members, known, schedule, ledger, clock, Pictures(folder, ""))
    members.give(_OPERATOR, Grant(Role.ADMIN))
    for n, address in enumerate(addresses):
        known.known(f"{platform}:{n}", platform, address, Shape.CHAT if platform == "line" else Shape.TEXT)
    told = announcements.compose(_OPERATOR, Content("大掃除", "あした朝9時です。"), Selection(everyone=True), Plan(means=Means.NOW))

    held: list[float] = []  # MB, from when a fifth has been delivered

    async def run() -> float:
        async with sender(platform, base) as sending:
            engine = asyncio.create_task(Engine(schedule, deliveries, ledger, known, clock).run([sending]))
            began = time.monotonic()
            announcements.schedule(told.id, told.version, _OPERATOR)
            while time.monotonic() < began + _LONGEST:
                await asyncio.sleep(0.5)
                report = await asyncio.to_thread(announcements.report, told.id, _OPERATOR)
                done = report.free + report.paid + report.failed + report.unsure
                if done >= chats / 5:
                    held.append(_memory())
                if done >= chats:
                    break
            took = time.monotonic() - began
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)
            return took

    took = asyncio.run(run())
    report = announcements.report(told.id, _OPERATOR)
    ours.send(None)
    sent, violations = ours.recv()
    stand_in.join(20)
    database.close()
    return {
        "platform": platform,
        "chats": chats,
        "delivered": report.free + report.paid,
        "doubled": sum(n > 1 for n in sent.values()),
        "missed": chats - len(sent),
        "violations": violations,
        "per_second": round(chats / took, 1),
        "memory_mb": (round(held[0], 1), round(held[-1], 1)),
    }


def _memory() -> float:
    """What this process holds, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    chats = int(sys.argv[1]) if len(sys.argv) > 1 else CHATS
    with tempfile.TemporaryDirectory() as folder:
        for platform in ("discord", "line"):
            print(json.dumps(fan_out(platform, chats, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
