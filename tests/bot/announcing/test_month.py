"""A month over a platform that fails and a process that is killed: a few seeds of `bench.announcements`; and a real kill."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench import announcements as bench
from bot.announcing.announcement import Content, Means, Plan, Selection
from bot.announcing.senders import Shape
from bot.announcing.tables import Status, deliveries
from bot.clock import JAPAN
from bot.members import Grant, Role
from bot.store import Store
from knowledge import Database

ROOT = Path(__file__).parents[3]


@pytest.mark.long
def test_a_short_month_with_many_deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer groups and days than `make soak` has, and seven times as many deaths for each step."""
    for name, value in (("GROUPS", 5), ("DAYS", 5), ("QUOTA", 60), ("FEWEST", 1.0), ("MEDIAN", 2.0), ("ANNOUNCED", 12)):
        monkeypatch.setattr(bench, name, value)
    month = bench.Month(tmp_path, 7, kills=0.03)
    month.line.allowed = 60
    found = month.run()
    assert found["kills"] > 10
    assert found["people_charged"] > 0
    wrong = {name: found[name] for name in ("doubled", "lost", "over_quota", "ledger_below_platform", "in_the_night")}
    assert wrong == dict.fromkeys(wrong, 0)
    assert found["free_in_three_days"] > 0.5


@pytest.mark.parametrize("broken", ["doubled", "lost"])
@pytest.mark.long
def test_the_books_of_the_month_notice_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """A platform that forgets its keys shows things twice, one that lies loses them: the figures must say so."""
    for name, value in (("GROUPS", 3), ("DAYS", 5), ("ANNOUNCED", 12)):
        monkeypatch.setattr(bench, name, value)
    if broken == "doubled":
        original = bench.Line._show

        def twice(self: bench.Line, sending: bench.Sending) -> None:
            original(self, sending)
            original(self, sending)

        monkeypatch.setattr(bench.Line, "_show", twice)
    else:
        monkeypatch.setattr(bench.Line, "_show", lambda *_: None)
    assert bench.Month(tmp_path, 1, kills=0.0).run()[broken] > 0


VICTIM = """
import asyncio, datetime as dt, random, sys
from pathlib import Path
from bench.announcements import Line, Services, SimulatedClock
from bot.announcing.engine import Engine
from bot.announcing.senders import Outcome, Verdict
from bot.clock import JAPAN
from knowledge import Database

class Writing:
    platform = "discord"

    async def push(self, sending):
        await asyncio.sleep(0.002)
        with Path(sys.argv[2]).open("a") as out:
            out.write(f"{sending.retry_key} {sending.address}\\n")
        return Outcome(Verdict.SENT, ("m",))

clock = SimulatedClock(dt.datetime(2027, 3, 1, 10, tzinfo=JAPAN))
services = Services(Database(f"sqlite:///{sys.argv[1]}"), clock, Line(clock, random.Random(1)), random.Random(1))
services.deliveries._real = lambda: __import__("time").time() + float(sys.argv[3])
engine = Engine(services.schedule, services.deliveries, services.ledger, services.chats, clock)
asyncio.run(engine.run([Writing()]))
"""


@pytest.mark.long
def test_kill_9_during_a_fan_out_loses_nothing_and_repeats_only_under_the_same_key(tmp_path: Path) -> None:
    file, log, chats = tmp_path / "yui.db", tmp_path / "log", 300
    database = Database(f"sqlite:///{file}")
    Store(database)
    clock = bench.SimulatedClock(dt.datetime(2027, 3, 1, 10, tzinfo=JAPAN))
    chance = bench.random.Random(1)
    services = bench.Services(database, clock, bench.Line(clock, chance), chance)
    services.members.give("cli:operator", Grant(Role.ADMIN))
    for n in range(chats):
        services.chats.known(f"discord:{n}", "discord", f"A{n}", Shape.TEXT)
    made = services.announcements.compose("cli:operator", Content("題", "文"), Selection(everyone=True), Plan(means=Means.NOW))
    services.announcements.schedule(made.id, made.version, "cli:operator")
    for death in range(4):  # each time the leases of the last have run out; the fourth may finish
        command = [sys.executable, "-c", VICTIM, str(file), str(log), str(death * 120.0)]
        victim = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        began, before = time.monotonic(), len(_lines(log))
        while time.monotonic() - began < 60 and victim.poll() is None:
            if (len(_lines(log)) > before + 40 and death < 3) or _sent(database) == chats:
                break
            time.sleep(0.02)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    assert _sent(database) == chats
    shown = Counter(line.split()[0] for line in _lines(log))
    assert len(shown) == chats == len({line.split()[1] for line in _lines(log)})  # one key for each chat, whoever tried it
    assert sum(shown.values()) - chats <= 3 * 16  # what was in the air when it died is tried again, and nothing else
    database.close()


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def _sent(database: Database) -> int:
    with database.read() as c:
        return int(c.scalar(sa.select(sa.func.count()).where(deliveries.c.state == Status.SENT)) or 0)
