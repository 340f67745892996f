"""Announcing as one process has it, on a database of either kind, with a clock that is moved by hand and LINE's stand-in."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from pathlib import Path

import sqlalchemy as sa

from bench.announcements import Line, Services, SimulatedClock
from bot.announcing.announcement import Announcement, Content, Plan, Selection
from bot.announcing.engine import Platform
from bot.announcing.senders import Outcome, Shape, Verdict
from bot.announcing.tables import Status, deliveries
from bot.clock import JAPAN
from bot.members import CoOp, Grant, Role
from bot.store import Store
from knowledge import Database

ADMIN, UEDA, MITO = "cli:operator", "line:ueda-coordinator", "line:mito-coordinator"
EVERYONE = Selection(everyone=True)
NOTICE = Content("総会のお知らせ", "総会があります。")


class World:
    """Two co-ops, 労協うえだ with two LINE groups and a Discord channel, 労協みと with one LINE group; 25 people in each group."""

    def __init__(self, database: Database, fails: float = 0.0) -> None:
        self.database = database
        self.clock = SimulatedClock(dt.datetime(2027, 3, 1, 10, tzinfo=JAPAN))
        self.line = Line(self.clock, random.Random(1), fails=fails)
        self.discord = Line(self.clock, random.Random(2), fails=fails, platform="discord")
        self.store = Store(database)
        self.restart()
        for co_op, place in (("ueda", "長野県上田市"), ("mito", "茨城県水戸市")):
            self.members.put_co_op(CoOp(co_op, f"労協{co_op}", place, ("介護",) if co_op == "ueda" else ("弁当",)))
        for account, grant in (
            (ADMIN, Grant(Role.ADMIN)),
            (UEDA, Grant(Role.COORDINATOR, "ueda")),
            (MITO, Grant(Role.COORDINATOR, "mito")),
        ):
            self.members.give(account, grant)
        for name, co_op in (("a", "ueda"), ("b", "ueda"), ("c", "mito")):
            self.group(name, co_op)
        self.chats.known("discord:d", "discord", "D", Shape.TEXT, "お知らせ")
        self.members.link("discord:d", "ueda")
        self.discord.people_of["D"] = 0

    def restart(self) -> None:
        """Another process over the same rows."""
        services = Services(self.database, self.clock, self.line, random.Random(3))
        self.members, self.chats, self.ledger = services.members, services.chats, services.ledger
        self.deliveries, self.schedule, self.announcements = services.deliveries, services.schedule, services.announcements
        self._services = services

    def group(self, name: str, co_op: str, people: int = 25) -> None:
        self.store.joined("line", f"line:{name}", name.upper(), self.clock())
        self.members.link(f"line:{name}", co_op)
        self.line.people_of[name.upper()] = people

    def scheduled(self, content: Content = NOTICE, selection: Selection = EVERYONE, plan: Plan | None = None) -> Announcement:
        made = self.announcements.compose(ADMIN, content, selection, plan or Plan())
        return self.announcements.schedule(made.id, made.version, ADMIN)

    def pass_time(self, **by: float) -> None:
        self.clock.now += dt.timedelta(**by)

    def at(self, day: int, hour: int = 10, minute: int = 0, month: int = 3) -> None:
        self.clock.now = dt.datetime(2027, month, day, hour, minute, tzinfo=JAPAN)

    def tick(self) -> None:
        """What the engine does now, on both platforms."""

        async def work() -> None:
            await self._services.tick(self.clock)
            other = Straight(self.discord, self.deliveries, self.ledger, self.chats, self.clock, self.clock.real)
            while True:
                await other.step()
                if not other._running:
                    return
                await asyncio.sleep(0)

        asyncio.run(work())

    def somebody_writes(self, name: str, most: int = 5) -> Outcome | None:
        """A message in a group, whose token carries what waits there; None where nothing did."""
        token = self.line.token(name.upper())
        found = self.deliveries.ride(f"line:{name}", token, self.clock(), most)
        if not found:
            return None
        outcome = self.line.answered(self.deliveries.sendings(found), token)
        self.deliveries.rode([d.id for d in found], outcome, self.clock())
        return outcome

    def standing(self) -> dict[str, list[str]]:
        """The chats by where their deliveries stand, every run together."""
        query = sa.select(deliveries.c.state, deliveries.c.conversation).order_by(deliveries.c.conversation)
        found: dict[str, list[str]] = {}
        with self.database.read() as c:
            for row in c.execute(query):
                found.setdefault(Status(row.state).value, []).append(row.conversation)
        return found

    def shown(self) -> dict[tuple[str, str], int]:
        return {**self.line.shown, **self.discord.shown}


class Straight(Platform):
    async def _call(self, call, *args):  # type: ignore[no-untyped-def]
        return call(*args)


SENT = Outcome(Verdict.SENT, ("m",))
__all__ = ["ADMIN", "EVERYONE", "MITO", "NOTICE", "SENT", "UEDA", "Path", "World"]
