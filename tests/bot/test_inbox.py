"""Received events as rows, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.inbox import Event, Inbox
from bot.store import Store
from knowledge import Database


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(database: Database, clock: Clock) -> Iterator[Inbox]:
    Store(database)
    found = Inbox(database, clock)
    yield found
    found.close()


def event(number: int = 1, conversation: str = "c", **about: object) -> Event:
    values = {
        "platform": "line",
        "id": f"e{number}",
        "conversation": conversation,
        "happened_at": float(number),
        "payload": {"text": "総会"},
        "reply_token": f"t{number}",
        "sender": "p",
        **about,
    }
    return Event(**values)  # type: ignore[arg-type]


def test_an_event_is_taken_once(inbox: Inbox) -> None:
    assert inbox.receive([event(), event(), event(2)]) == 2
    assert inbox.receive([event()]) == 0
    (claimed,) = inbox.claim("line", 10)  # of one conversation only the first
    assert claimed.id == "e1"
    inbox.finish(claimed)
    assert inbox.receive([event()]) == 0
    assert [e.id for e in inbox.claim("line", 10)] == ["e2"]


def test_a_conversation_keeps_its_order_and_others_go_on(inbox: Inbox) -> None:
    inbox.receive([event(3), event(1), event(2, "d"), event(4, "e", platform="other")])
    assert {e.id for e in inbox.claim("line", 10)} == {"e1", "e2"}
    assert not inbox.claim("line", 10)


def test_a_lease_ends_unless_it_is_extended(inbox: Inbox, clock: Clock) -> None:
    inbox.receive([event()])
    (first,) = inbox.claim("line", 10)
    clock.now += 14
    inbox.extend([first])
    clock.now += 14
    assert not inbox.claim("line", 10)
    clock.now += 2
    (again,) = inbox.claim("line", 10)
    assert again.attempts == 2


def test_what_a_dead_process_had_begun_is_known(inbox: Inbox, clock: Clock) -> None:
    inbox.receive([event()])
    (first,) = inbox.claim("line", 10)
    assert not first.tried
    inbox.trying(first)
    clock.now += 20
    assert inbox.claim("line", 10)[0].tried


def test_the_text_goes_with_the_answer(inbox: Inbox) -> None:
    inbox.receive([event(message_id="m")])
    (claimed,) = inbox.claim("line", 10)
    inbox.finish(claimed)
    kept = inbox.of_message("line", "m")
    assert kept
    assert (dict(kept.payload), kept.reply_token, tuple(kept.late)) == ({}, "", ())


def test_a_late_answer_waits_for_a_day(inbox: Inbox, clock: Clock) -> None:
    inbox.receive([event()])
    (claimed,) = inbox.claim("line", 10)
    inbox.finish(claimed, [{"type": "text", "text": "3人"}])
    assert not inbox.claim("line", 10)
    (late,) = inbox.late_answers("line", "c", 4)
    assert late.late == ({"type": "text", "text": "3人"},)
    assert not inbox.late_answers("line", "d", 4)
    clock.now += 25 * 3600
    assert not inbox.late_answers("line", "c", 4)
    inbox.tidy()
    assert inbox.receive([event()]) == 1


def test_a_shown_answer_is_gone_and_a_redelivered_event_is_answered_anew(inbox: Inbox) -> None:
    inbox.receive([event(), event(2), event(3)])
    for _ in range(2):
        (claimed,) = inbox.claim("line", 10)
        inbox.finish(claimed, [{"type": "text", "text": "3人"}])
    first, second = inbox.late_answers("line", "c", 4)
    (third,) = inbox.claim("line", 10)
    assert inbox.trying(third, [first, second])
    assert inbox.receive([event(2)]) == 0  # it travels with another reply just now: redelivery changes nothing
    assert not inbox.claim("line", 10)
    inbox.finish(third, shown=[first], unshown=[second])
    assert [e.id for e in inbox.late_answers("line", "c", 4)] == ["e2"]
    inbox.receive([event(2, reply_token="new")])
    assert not inbox.late_answers("line", "c", 4)
    (again,) = inbox.claim("line", 10)
    assert (again.reply_token, again.payload) == ("new", {"text": "総会"})


@pytest.mark.parametrize("first", ["old", "new"])
def test_the_latest_version_of_a_message_is_answered(inbox: Inbox, first: str) -> None:
    old, new = event(1, message_id="m"), event(2, message_id="m", payload={"text": "監事"}, reply_token="")
    inbox.receive([old, new] if first == "old" else [new, old])
    (claimed,) = inbox.claim("line", 10)
    assert claimed.payload == {"text": "監事"}
    assert first == "old" or claimed.reply_token == "t1"  # an edit without a way to reply takes that of the message
    inbox.finish(claimed)
    assert not inbox.claim("line", 10)


@pytest.mark.parametrize("first", ["message", "unsending"])
def test_a_message_that_was_taken_back_leaves_nothing(inbox: Inbox, first: str) -> None:
    if first == "message":
        inbox.receive([event(1, message_id="m")])
    inbox.withdraw("line", "m", "u", "c", 5.0)
    if first == "unsending":
        inbox.receive([event(1, message_id="m")])
    assert not inbox.claim("line", 10)
    kept = inbox.of_message("line", "m")
    assert kept
    assert not kept.payload


def test_a_person_is_forgotten(inbox: Inbox) -> None:
    inbox.receive([event(1), event(2, "p"), event(3, "d", sender="q")])
    for claimed in inbox.claim("line", 10):
        if claimed.id == "e2":
            inbox.finish(claimed, [{"type": "text", "text": "3人"}])
        elif claimed.id == "e1":
            inbox.forget("p")  # it came with e1
            inbox.finish(claimed)
    inbox.forget("p")
    assert not inbox.late_answers("line", "p", 4)
    with inbox._db.read() as c:
        kept = c.execute(sa.text("SELECT id, sender, conversation FROM inbox ORDER BY id")).all()
    assert [tuple(row) for row in kept] == [("e1", "", ""), ("e2", "", ""), ("e3", "q", "d")]


def test_a_question_that_waits_is_answered_though_its_asker_is_forgotten(inbox: Inbox) -> None:
    inbox.receive([event(1), event(2)])
    inbox.forget("p")
    assert [e.id for e in inbox.claim("line", 10)] == ["e1"]


def test_what_was_unsent_while_it_was_being_answered_is_not_sent(inbox: Inbox) -> None:
    inbox.receive([event(1, message_id="m")])
    (claimed,) = inbox.claim("line", 10)
    assert inbox.is_waiting(claimed)
    inbox.withdraw("line", "m", "u", "c", 5.0)
    assert not inbox.is_waiting(claimed)
    assert not inbox.trying(claimed)


def test_an_event_that_ends_the_process_each_time_is_given_up(inbox: Inbox, clock: Clock) -> None:
    inbox.receive([event(1), event(2)])
    for _ in range(5):
        assert [e.id for e in inbox.claim("line", 10)] == ["e1"]
        clock.now += 20
    assert [e.id for e in inbox.claim("line", 10)] == ["e2"]  # and the conversation goes on
    inbox.tidy()
    assert inbox.receive([event(1)]) == 0


def test_hundreds_in_one_call(inbox: Inbox) -> None:
    many = [event(n, f"c{n}", message_id=f"m{n}") for n in range(700)]
    assert inbox.receive(many) == 700
    assert inbox.receive([*many, event(700, "x")]) == 1
    assert inbox.receive([]) == 0


def test_the_worker_goes_on_after_a_bad_event_and_two_workers_share(inbox: Inbox, clock: Clock) -> None:
    done: list[str] = []
    finished = asyncio.Event()

    async def deal(e: Event) -> None:
        if e.id == "e1":
            raise ValueError("bad")
        await inbox.run(inbox.finish, e)
        done.append(e.id)
        if len(done) == 58:
            finished.set()

    async def work() -> None:
        await inbox.put([event(n, f"c{n}") for n in range(1, 60)])
        workers = [asyncio.create_task(inbox.work("line", deal)) for _ in range(2)]
        async with asyncio.timeout(20):
            await finished.wait()
        for _ in range(5):  # each time the lease of the bad one ends
            clock.now += 20
            await asyncio.sleep(1.2)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    asyncio.run(work())
    assert sorted(done) == sorted({f"e{n}" for n in range(2, 60)})
    clock.now += 20
    assert not inbox.claim("line", 10)  # given up after five attempts


def test_a_worker_that_is_stopped_gives_back_what_it_had_begun(inbox: Inbox, clock: Clock) -> None:
    begun = asyncio.Event()

    async def deal(_: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def work() -> None:
        await inbox.put([event()])
        worker = asyncio.create_task(inbox.work("line", deal))
        async with asyncio.timeout(20):
            await begun.wait()
        assert not inbox.claim("line", 10)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(work())
    clock.now += 0.1
    assert [e.id for e in inbox.claim("line", 10)] == ["e1"]
