"""Each chat once: rides, pushes, crashes, failures, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.announcing.announcement import Means, Plan, Priority, Selection
from bot.announcing.senders import Outcome, Verdict
from tests.bot.announcing.world import EVERYONE, NOTICE, SENT, World

FREE_CHATS = ["line:a", "line:b", "line:c"]
NOW = Plan(means=Means.NOW)


def told(world: World, months: str = "2027-03", allowed: int | None = 200, used: int = 0) -> None:
    world.ledger.told(months, allowed, used, world.ledger.charged(months))
    world.chats.counted(dict.fromkeys(FREE_CHATS, 25))


def test_free_waits_for_the_next_message_and_discord_gets_it_at_once(world: World) -> None:
    world.scheduled()
    world.tick()
    assert world.standing() == {"sent": ["discord:d"], "waiting": FREE_CHATS}
    assert world.somebody_writes("a") is not None
    assert world.somebody_writes("a") is None
    assert world.standing() == {"sent": ["discord:d", "line:a"], "waiting": ["line:b", "line:c"]}
    assert set(world.shown().values()) == {1}
    assert not world.line.used


@pytest.mark.parametrize(("hour", "minute", "rides"), [(6, 59, False), (7, 0, True), (21, 59, True), (22, 0, False)])
def test_nothing_rides_in_the_night(world: World, hour: int, minute: int, rides: bool) -> None:
    world.scheduled()
    world.tick()
    world.at(2, hour, minute)
    assert (world.somebody_writes("a") is not None) is rides


def test_several_ride_together_and_the_important_ones_first(world: World) -> None:
    for priority in (Priority.LOW, Priority.HIGH, Priority.NORMAL):
        world.scheduled(plan=Plan(priority=priority))
    world.tick()
    assert len(world.deliveries.ride("line:a", "t", world.clock(), 2)) == 2
    (last,) = world.deliveries.ride("line:a", "u", world.clock(), 2)
    (low,) = [r.run for r in [last]]
    assert world.schedule.of(last.announcement)[0].id == low
    assert world.announcements.get(last.announcement, "cli:operator").plan.priority is Priority.LOW


def test_a_push_charges_the_people_and_stops_at_the_quota(world: World) -> None:
    world.line.allowed = 60
    world.scheduled(plan=NOW)
    world.tick()
    assert world.line.used == {"2027-03": 50}
    assert len(world.standing()["waiting"]) == 1
    left = world.standing()["waiting"][0].removeprefix("line:")
    assert world.ledger.balance("2027-03").left == 10
    assert world.somebody_writes(left) is not None  # free, after all
    assert world.line.used == {"2027-03": 50}
    assert set(world.shown().values()) == {1}


def test_what_was_left_over_is_paid_on_its_day(world: World) -> None:
    world.scheduled(plan=Plan(means=Means.FREE_THEN_PAY, pay_on=dt.date(2027, 3, 4)))
    world.tick()
    world.somebody_writes("a")
    world.at(4, 9)
    world.tick()
    assert not world.line.used
    world.at(4, 10, 1)
    world.tick()
    assert world.line.used == {"2027-03": 50}
    assert set(world.shown().values()) == {1}


def test_a_push_whose_answer_was_lost_is_repeated_under_its_key(world: World) -> None:
    told(world)
    world.scheduled(plan=NOW)
    world.schedule.advance(world.clock())
    taken = world.deliveries.take_due("line", world.clock(), 3)
    assert len(taken) == 3
    assert not any(d.tried for d in taken)
    world.deliveries.settle([(taken[0], SENT), (taken[1], Outcome(Verdict.AGAIN, retry_after=90))], world.clock())
    world.restart()
    world.pass_time(seconds=61)
    (crashed,) = world.deliveries.take_due("line", world.clock(), 3)  # its process died
    assert (crashed.id, crashed.retry_key, crashed.tried) == (taken[2].id, taken[2].retry_key, True)
    world.pass_time(seconds=30)
    (again,) = world.deliveries.take_due("line", world.clock(), 3, [crashed.id])
    assert (again.id, again.retry_key, again.tried) == (taken[1].id, taken[1].retry_key, True)
    assert world.somebody_writes(crashed.conversation.removeprefix("line:")) is None  # perhaps shown: it must not ride


def test_a_key_that_is_too_old_cannot_tell_any_more(world: World) -> None:
    told(world)
    world.scheduled(plan=NOW)
    world.schedule.advance(world.clock())
    assert len(world.deliveries.take_due("line", world.clock(), 3)) == 3
    world.pass_time(hours=24)
    told(world)
    assert not world.deliveries.take_due("line", world.clock(), 3)
    world.deliveries.expire(world.clock())
    assert world.standing()["unsure"] == FREE_CHATS
    assert world.ledger.balance("2027-03").charged == 75  # rather counted than overspent


@pytest.mark.parametrize(
    ("verdict", "state", "charged"),
    [
        (Verdict.SENT, "sent", 25),
        (Verdict.QUOTA, "waiting", 0),
        (Verdict.GONE, "failed", 0),
        (Verdict.REFUSED, "failed", 0),
        (Verdict.UNCERTAIN, "unsure", 25),
        (Verdict.CLOSED, "waiting", 0),
    ],
)
def test_what_becomes_of_a_push(world: World, verdict: Verdict, state: str, charged: int) -> None:
    told(world)
    world.scheduled(selection=Selection(chats=("line:a",)), plan=NOW)
    world.schedule.advance(world.clock())
    (taken,) = world.deliveries.take_due("line", world.clock(), 3)
    assert world.ledger.balance("2027-03").reserved == 25
    world.deliveries.settle([(taken, Outcome(verdict))], world.clock())
    balance = world.ledger.balance("2027-03")
    assert (world.standing(), balance.charged, balance.reserved) == ({state: ["line:a"]}, charged, 0)


def test_the_months_quota_is_not_asked_for_again_this_month(world: World) -> None:
    told(world)
    world.scheduled(selection=Selection(chats=("line:a",)), plan=NOW)
    world.schedule.advance(world.clock())
    (taken,) = world.deliveries.take_due("line", world.clock(), 3)
    world.deliveries.settle([(taken, Outcome(Verdict.QUOTA))], world.clock())
    world.at(31, 21)
    told(world)
    assert not world.deliveries.take_due("line", world.clock(), 3)
    world.at(1, 7, month=4)
    world.clock.now = world.clock.now.replace(day=1)
    assert world.announcements.report(taken.announcement, "cli:operator").why == {"quota": 1}


def test_a_revoked_key_gives_everything_back(world: World) -> None:
    world.line.revoked = True
    world.scheduled(plan=NOW)
    world.tick()
    assert world.standing()["waiting"] == FREE_CHATS
    world.line.revoked = False
    world.pass_time(minutes=2)
    world.tick()
    assert "waiting" not in world.standing()
    assert world.line.used == {"2027-03": 75}


def test_a_ride_whose_process_died_is_finished_by_the_next(world: World) -> None:
    world.scheduled()
    world.schedule.advance(world.clock())
    token = world.line.token("A")
    begun = world.deliveries.ride("line:a", token, world.clock(), 5)
    world.line.answered(world.deliveries.sendings(begun), token)  # and then it died
    world.restart()
    world.pass_time(seconds=16)
    world.tick()
    assert "line:a" in world.standing()["sent"]
    assert world.line.shown["A", NOTICE.title] == 1


def test_a_ride_of_which_nobody_can_tell_is_unsure(world: World) -> None:
    world.scheduled()
    world.schedule.advance(world.clock())
    world.deliveries.ride("line:a", world.line.token("A"), world.clock(), 5)
    world.pass_time(seconds=70)
    world.tick()
    assert world.standing()["unsure"] == ["line:a"]
    assert world.somebody_writes("a") is None


def test_the_same_token_gives_the_same_deliveries_and_nothing_new(world: World) -> None:
    world.scheduled()
    world.schedule.advance(world.clock())
    (first,) = world.deliveries.ride("line:a", "t", world.clock(), 5)
    world.scheduled()
    world.schedule.advance(world.clock())
    (again,) = world.deliveries.ride("line:a", "t", world.clock(), 5)
    assert (again.id, first.tried, again.tried) == (first.id, False, True)
    world.deliveries.rode([again.id], Outcome(Verdict.STALE), world.clock())
    assert world.standing()["unsure"] == ["line:a"]  # the first call may have been taken


def test_a_token_that_was_never_taken_gives_it_back(world: World) -> None:
    world.scheduled()
    world.schedule.advance(world.clock())
    (begun,) = world.deliveries.ride("line:a", "t", world.clock(), 5)
    world.deliveries.rode([begun.id], Outcome(Verdict.STALE), world.clock())
    assert world.somebody_writes("a") is not None


def test_two_processes_never_take_the_same(world: World) -> None:
    for n in range(40):
        world.group(f"g{n}", "ueda", 1)
    world.scheduled(plan=NOW)
    world.schedule.advance(world.clock())
    told(world, allowed=None)
    world.chats.counted({f"line:g{n}": 1 for n in range(40)})

    def take(_: int) -> list[str]:
        return [d.id for d in world.deliveries.take_due("line", world.clock(), 5)]

    with ThreadPoolExecutor(4) as pool:
        taken = [i for ids in pool.map(take, range(16)) for i in ids]
    assert len(taken) == len(set(taken)) == 43


def test_never_over_the_quota_from_many_threads(world: World) -> None:
    for n in range(30):
        world.group(f"g{n}", "ueda", 7)
    world.scheduled(selection=EVERYONE, plan=NOW)
    world.schedule.advance(world.clock())
    told(world, allowed=100, used=20)
    world.chats.counted({f"line:g{n}": 7 for n in range(30)})

    def take(_: int) -> int:
        return sum(d.people for d in world.deliveries.take_due("line", world.clock(), 4))

    with ThreadPoolExecutor(4) as pool:
        spent = sum(pool.map(take, range(20)))
    assert 73 < spent <= 80
    assert world.ledger.balance("2027-03").left == 80 - spent


def test_what_waits_for_a_group_that_was_left_has_failed(world: World) -> None:
    world.scheduled()
    world.tick()
    world.store.left("line:a")
    world.chats.gone("line:a")
    assert world.standing() == {"sent": ["discord:d"], "failed": ["line:a"], "waiting": ["line:b", "line:c"]}
    assert world.somebody_writes("a") is None


def test_a_number_told_of_a_group_that_was_left_meanwhile_is_not_kept(world: World) -> None:
    world.store.left("line:a")
    world.chats.counted({"line:a": 25, "line:b": 30})
    world.store.joined("line", "line:a", "A", world.clock())
    assert {c.conversation: c.people for c in world.chats.all()} == {
        "discord:d": None,
        "line:a": None,
        "line:b": 30,
        "line:c": None,
    }


def test_before_line_has_told_the_quota_nothing_is_paid(world: World) -> None:
    world.chats.counted(dict.fromkeys(FREE_CHATS, 25))
    world.scheduled(plan=NOW)
    world.schedule.advance(world.clock())
    assert not world.deliveries.take_due("line", world.clock(), 5)
    told(world)
    assert world.deliveries.take_due("line", world.clock(), 5)


def test_what_others_sent_by_hand_counts_and_is_said(world: World) -> None:
    told(world, used=190)
    balance = world.ledger.balance("2027-03")
    assert (balance.left, balance.others, balance.differs) == (10, 190, True)
    world.scheduled(plan=NOW)
    world.schedule.advance(world.clock())
    assert not world.deliveries.take_due("line", world.clock(), 5)


def test_a_clock_that_is_set_back_holds_nothing_for_long(world: World) -> None:
    told(world)
    world.scheduled(plan=NOW)
    world.schedule.advance(world.clock())
    assert world.deliveries.take_due("line", world.clock(), 3)
    world.pass_time(days=-1)
    told(world, "2027-02")
    again = world.deliveries.take_due("line", world.clock(), 3)
    assert len(again) == 3
    assert all(d.tried for d in again)


def test_what_nobody_said_a_word_to_expires_and_is_reported(world: World) -> None:
    made = world.scheduled()
    world.tick()
    world.pass_time(days=31)
    world.tick()
    report = world.announcements.report(made.id, "cli:operator")
    assert (report.free, report.failed, report.why) == (1, 3, {"expired": 3})
    assert world.announcements.get(made.id, "cli:operator").state == "done"
