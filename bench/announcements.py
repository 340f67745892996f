"""A month of announcements over a LINE that fails, with a process that is killed: what arrives free, and are the books right?

    python -m bench.announcements --seeds 100  # part of `make soak`

60 groups of 25 people, 12 announcements (9 free, 2 free and then paid after three days, 1 paid at once to two groups), a
quota of 200. How groups talk: talks a day are log-normal (median 1.2, sigma 0.8, between 0.15 and 8), so that one group in twelve
talks less than every third day; a talk begins at an hour drawn by `HOURS` and has one to six messages, a minute or two apart. Every
message offers a reply token; what is said is nobody's business here.

The platform (`Line`) counts every person charged and every message shown. A fifth of all calls fails: 429, 500 or a time-out
before it has taken the call, 500 or a time-out after it has; now and then it is away for a while. The process is killed between
any two steps (before and after each transaction, before and after each call) and stays away for seconds, sometimes for minutes.

The services are the real ones on a real database; only the clock and the platform are not. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import heapq
import itertools
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.announcing.announcement import Announcement, Content, Means, Plan, Selection
from bot.announcing.chats import Chats
from bot.announcing.composing import Announcements
from bot.announcing.deliveries import Deliveries
from bot.announcing.engine import Platform
from bot.announcing.ledger import Ledger, month_of
from bot.announcing.pictures import Pictures
from bot.announcing.schedule import Schedule
from bot.announcing.senders import Outcome, SenderUnavailable, Sending, Verdict
from bot.announcing.tables import Status, deliveries
from bot.announcing.times import is_quiet
from bot.clock import JAPAN
from bot.members import CoOp, Grant, Members, Role
from bot.store import Store
from knowledge import Database

GROUPS, PEOPLE, QUOTA, ANNOUNCED, DAYS = 60, 25, 200, 12, 31
# Of a hundred talks so many begin in each hour of the day.
HOURS = (0, 0, 0, 0, 0, 1, 3, 7, 8, 7, 6, 5, 8, 6, 4, 4, 5, 7, 8, 8, 7, 4, 1, 1)
MEDIAN, SIGMA, FEWEST, MOST = 1.2, 0.8, 0.15, 8.0  # talks a day
_TOKEN = 60.0  # seconds
_OPERATOR = "bench:operator"


class Killed(BaseException):
    """The process ends here, without a chance to do anything."""


class SimulatedClock:
    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def real(self) -> float:
        return self.now.timestamp()


@dataclass
class Line:
    """A stand-in that charges by people, keeps retry keys and reply tokens as LINE does, and fails as often as it is told to."""

    clock: SimulatedClock
    chance: random.Random
    people_of: dict[str, int] = field(default_factory=dict)
    allowed: int | None = QUOTA
    fails: float = 0.2
    platform: str = "line"
    killed: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.used: Counter[str] = Counter()
        self.most_used = 0
        self.shown: Counter[tuple[str, str]] = Counter()
        self.shown_at: dict[tuple[str, str], dt.datetime] = {}
        self.in_the_night = 0
        self.keys: dict[str, float] = {}
        self.tokens: dict[str, tuple[str, float]] = {}
        self.away_until = 0.0
        self.revoked = False
        self._numbers = itertools.count()

    # what the bot calls

    async def push(self, sending: Sending) -> Outcome:
        self.killed()
        now = self.clock.real()
        if self.revoked:
            return Outcome(Verdict.CLOSED)
        if (refused := self._fails_before(now)) is not None:
            return refused
        if self.keys.get(sending.retry_key, 0.0) > now - 24 * 3600:
            return Outcome(Verdict.SENT)  # 409
        if sending.address not in self.people_of:
            return Outcome(Verdict.GONE, why="gone")
        self.keys[sending.retry_key] = now
        month = month_of(self.clock.now)
        self.used[month] += self.people_of[sending.address]
        self.most_used = max(self.most_used, self.used[month])
        self._show(sending)
        self.killed()
        if self.chance.random() < self.fails / 2:
            return Outcome(Verdict.AGAIN, why="500")  # after it was taken
        return Outcome(Verdict.SENT, (f"m{next(self._numbers)}",))

    async def reply(self, sendings: Sequence[Sending], reply_token: str) -> Outcome:
        return self.answered(sendings, reply_token, perhaps_sent=True)

    async def edit(self, sending: Sending, message_ids: Sequence[str]) -> Outcome:  # noqa: ARG002
        return Outcome(Verdict.UNSUPPORTED)

    async def people(self, address: str) -> int | None:
        self.killed()
        return None if self.chance.random() < self.fails else self.people_of.get(address, 0)

    async def quota(self) -> tuple[int | None, int] | None:
        self.killed()
        if self.chance.random() < self.fails:
            raise SenderUnavailable
        used = self.used[month_of(self.clock.now)]
        return self.allowed, max(0, used - self.chance.choice((0, 0, PEOPLE)))  # it may lag

    # replies

    def token(self, address: str) -> str:
        """Somebody has written something."""
        token = f"t{next(self._numbers)}"
        self.tokens[token] = (address, self.clock.real() + _TOKEN)
        return token

    def answered(self, sendings: Sequence[Sending], token: str, *, perhaps_sent: bool = False) -> Outcome:
        """A reply as the adapter does it: repeated after a failure while the token lives; that it is used tells of the first."""
        until = self.clock.real() + 50
        for pause in (0.0, 0.5, 1, 2, 4, 8, 8, 8, 8, 8):
            if self.clock.real() + pause > until:
                break
            self.clock.now += dt.timedelta(seconds=pause)
            self.killed()
            now = self.clock.real()
            if (refused := self._fails_before(now)) is not None:
                perhaps_sent |= refused.why != "429"
                continue
            if token not in self.tokens or self.tokens[token][1] < now:
                return Outcome(Verdict.SENT if perhaps_sent else Verdict.STALE)
            del self.tokens[token]
            for sending in sendings:
                self._show(sending)
            self.killed()
            if self.chance.random() < self.fails / 2:
                perhaps_sent = True
                continue
            return Outcome(Verdict.SENT, tuple(f"m{next(self._numbers)}" for _ in sendings))
        return Outcome(Verdict.UNCERTAIN if perhaps_sent else Verdict.STALE)

    def _fails_before(self, now: float) -> Outcome | None:
        if now < self.away_until:
            return Outcome(Verdict.AGAIN, why="time-out")
        if self.chance.random() < self.fails / 200:
            self.away_until = now + self.chance.uniform(30, 3600)
        if self.chance.random() < self.fails / 2:
            return self.chance.choice(
                (
                    Outcome(Verdict.AGAIN, why="429", retry_after=2.0),
                    Outcome(Verdict.AGAIN, why="500"),
                    Outcome(Verdict.AGAIN, why="time-out"),
                )
            )
        return None

    def _show(self, sending: Sending) -> None:
        what = (sending.address, sending.title)
        self.shown[what] += 1
        self.shown_at.setdefault(what, self.clock.now)
        self.in_the_night += is_quiet(self.clock.now)


class KillingDatabase(Database):
    """A database around whose transactions a process may end."""

    killed: Callable[[], None] = staticmethod(lambda: None)

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        self.killed()
        with super().write() as c:
            yield c
            self.killed()
        self.killed()


class StraightPlatform(Platform):
    """The engine's loop over one platform, without threads: a simulated clock stands still while they would run."""

    async def _call(self, call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)


class Services:
    """The real ones, as one process has them."""

    def __init__(self, database: Database, clock: SimulatedClock, line: Line, chance: random.Random) -> None:
        self.members = Members(database, clock)
        self.chats = Chats(database, self.members, clock)
        self.ledger = Ledger(database, clock)
        self.deliveries = Deliveries(database, self.ledger, clock.real, chance=chance.random)
        self.schedule = Schedule(database, self.chats, clock)
        pictures = Pictures(Path(), "")
        self.announcements = Announcements(database, self.members, self.chats, self.schedule, self.ledger, clock, pictures)
        self.platform = StraightPlatform(line, self.deliveries, self.ledger, self.chats, clock, clock.real)

    async def tick(self, clock: SimulatedClock) -> None:
        """What the engine does until nothing is left to do just now."""
        self.deliveries.expire(clock())
        self.schedule.advance(clock())
        while True:
            await self.platform.prepare()
            await self.platform.step()
            if not self.platform._running:
                return
            await asyncio.sleep(0)


class Month:
    """One seed."""

    def __init__(self, folder: Path, seed: int, kills: float) -> None:
        self._chance = random.Random(seed)
        self._start = dt.datetime(2027, 3, 1, 6, tzinfo=JAPAN)
        self.clock = SimulatedClock(self._start)
        self.line = Line(self.clock, self._chance)
        self._database = KillingDatabase(f"sqlite:///{folder / f'{seed}.db'}")
        self._store = Store(self._database)
        self._kills = kills
        self.killed = 0
        self._armed = False
        self._database.killed = self.line.killed = self._maybe_killed  # type: ignore[method-assign]
        self.services = Services(self._database, self.clock, self.line, self._chance)
        self.announced: dict[str, Announcement] = {}
        self._down_until = 0.0

    def _maybe_killed(self) -> None:
        if self._armed and self._chance.random() < self._kills:
            raise Killed

    def run(self) -> dict[str, Any]:
        self._prepare()
        loop = asyncio.new_event_loop()
        events = self._events()
        while events:
            at, _, what, which = heapq.heappop(events)
            self.clock.now = max(at, self.clock.now)
            if what == "talk" and self.clock.real() < self._down_until:
                continue  # nobody is there to hear that something was written
            self._armed = True
            try:
                self._do(what, which, loop)
            except Killed:
                self._die(events, loop)
            finally:
                self._armed = False
        loop.close()
        return self._figures()

    def _prepare(self) -> None:
        members = self.services.members
        members.give(_OPERATOR, Grant(Role.ADMIN))
        for n in range(GROUPS):
            members.put_co_op(CoOp(f"c{n}", f"労協{n}"))
            self._store.joined("line", f"line:{n}", f"C{n}", self.clock())
            members.link(f"line:{n}", f"c{n}")
            self.line.people_of[f"C{n}"] = PEOPLE

    def _events(self) -> list[tuple[dt.datetime, int, str, int]]:
        """Ticks of the engine each half hour (and after every announcement), announcements, and what is said."""
        chance, found, number = self._chance, [], itertools.count()

        def add(at: dt.datetime, what: str, which: int = 0) -> None:
            found.append((at, next(number), what, which))

        for half_hour in range((DAYS + 5) * 48):
            add(self._start + dt.timedelta(minutes=30 * half_hour), "tick")
        for n in range(ANNOUNCED):
            at = self._start + dt.timedelta(days=chance.randrange(DAYS - 4), hours=chance.uniform(0, 15))
            add(at, "announce", n)
            for minutes in (1, 3, 10, 20):
                add(at + dt.timedelta(minutes=minutes), "tick")
        for group in range(GROUPS):
            rate = min(max(MEDIAN * chance.lognormvariate(0, SIGMA), FEWEST), MOST)
            for day in range(DAYS + 5):
                for _ in range(_poisson(chance, rate)):
                    hour = chance.choices(range(24), HOURS)[0]
                    midnight = self._start.replace(hour=0) + dt.timedelta(days=day)
                    at = midnight + dt.timedelta(hours=hour, seconds=chance.uniform(0, 3600))
                    for _ in range(chance.randint(1, 6)):
                        add(at, "talk", group)
                        at += dt.timedelta(seconds=chance.uniform(10, 120))
        heapq.heapify(found)
        return found

    def _do(self, what: str, which: int, loop: asyncio.AbstractEventLoop) -> None:
        if what == "tick":
            loop.run_until_complete(self.services.tick(self.clock))
        elif what == "announce":
            self._armed = False  # a person would see that it failed, and press again
            self._announce(which)
        else:
            self._ride(which)

    def _announce(self, n: int) -> None:
        plan, selection = Plan(), Selection(everyone=True)
        if n in (3, 7):
            plan = Plan(means=Means.FREE_THEN_PAY, pay_on=self.clock().date() + dt.timedelta(days=3))
        elif n == 11:
            plan, selection = Plan(means=Means.NOW), Selection(co_ops=("c1", "c2"))
        told = self.services.announcements.compose(_OPERATOR, Content(f"お知らせ{n}", "総会のことです。"), selection, plan)
        self.announced[told.content.title] = self.services.announcements.schedule(told.id, told.version, _OPERATOR)

    def _ride(self, group: int) -> None:
        token = self.line.token(f"C{group}")
        found = self.services.deliveries.ride(f"line:{group}", token, self.clock(), 5)
        if found:
            sendings = self.services.deliveries.sendings(found, self.clock())
            outcome = self.line.answered(sendings, token)
            self.services.deliveries.rode([d.id for d in found], outcome, self.clock())

    def _die(self, events: list[tuple[dt.datetime, int, str, int]], loop: asyncio.AbstractEventLoop) -> None:
        """What was in memory is gone. Another process starts: mostly within seconds, one time in ten after minutes."""
        self.killed += 1
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        pause = self._chance.uniform(2, 20) if self._chance.random() < 0.9 else self._chance.uniform(60, 3600)
        self._down_until = self.clock.real() + pause
        self.services = Services(self._database, self.clock, self.line, self._chance)
        for after in (0, 16):
            heapq.heappush(events, (self.clock() + dt.timedelta(seconds=pause + after), -self.killed * 20 - after, "tick", 0))

    def _figures(self) -> dict[str, Any]:
        with self._database.read() as c:
            rows = c.execute(sa.select(deliveries)).all()
        titles = {told.id: title for title, told in self.announced.items()}
        shown = {(row.address, titles[row.announcement]): self.line.shown[row.address, titles[row.announcement]] for row in rows}
        in_three_days = sum(self._was_free_within(row, titles[row.announcement], dt.timedelta(days=3)) for row in rows)
        wanted = sum(2 if told.plan.means is Means.NOW else GROUPS for told in self.announced.values())
        standing = Counter(row.state for row in rows)
        lost = (
            sum(row.state == Status.SENT and not shown[row.address, titles[row.announcement]] for row in rows) + wanted - len(rows)
        )
        balance = self.services.ledger.balance("2027-03")
        self._database.close()
        return {
            "free_in_three_days": in_three_days / wanted,
            "doubled": sum(n > 1 for n in self.line.shown.values()),
            "lost": lost,
            "over_quota": max(0, self.line.most_used - QUOTA),
            "people_charged": self.line.used["2027-03"],
            "ledger_below_platform": max(0, self.line.used["2027-03"] - balance.charged - balance.reserved),
            "in_the_night": self.line.in_the_night,
            "kills": self.killed,
            "unsure": standing[Status.UNSURE],
            "waiting": standing[Status.WAITING] + standing[Status.SENDING] + standing[Status.RIDING],
            "failed": standing[Status.FAILED] + standing[Status.EXPIRED],
        }

    def _was_free_within(self, row: Any, title: str, time_given: dt.timedelta) -> bool:
        at = self.line.shown_at.get((row.address, title))
        return (
            row.way == "ride"
            and row.state == Status.SENT
            and at is not None
            and at - self.announced[title].changed_at <= time_given
        )


def _poisson(chance: random.Random, rate: float) -> int:
    count, at = 0, chance.expovariate(rate)
    while at < 1:
        count, at = count + 1, at + chance.expovariate(rate)
    return count


def months(seeds: Sequence[int], kills: float = 0.004) -> dict[str, Any]:
    """The figures of several seeds together: sums, and the least and the mean share that arrived free."""
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            found.append(Month(Path(folder), seed, kills).run())
        print(f"seed {seed}: {found[-1]}", file=sys.stderr, flush=True)
    shares = [f["free_in_three_days"] for f in found]
    told = {name: sum(f[name] for f in found) for name in found[0] if name != "free_in_three_days"}
    return {"seeds": len(found), "free_in_three_days": sum(shares) / len(shares), "least": min(shares), **told}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(months(range(options.first, options.first + options.seeds))), flush=True)


if __name__ == "__main__":
    main()
