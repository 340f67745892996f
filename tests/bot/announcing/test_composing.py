"""Announcements as people handle them: rights, two at once, what cannot be, audiences, costs, missed runs, corrections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from bot.announcing.announcement import (
    Announcement,
    Changed,
    Content,
    Event,
    Grant,
    Means,
    NotAllowed,
    NotThere,
    Plan,
    Selection,
    State,
    day,
    moment,
    plain,
    read,
)
from bot.announcing.schedule import Schedule
from bot.clock import JAPAN
from bot.errors import UserMistake
from bot.notices import Notices
from tests.bot.announcing.world import ADMIN, EVERYONE, MITO, NOTICE, UEDA, World


def at(day: int, hour: int = 10, month: int = 3) -> dt.datetime:
    return dt.datetime(2027, month, day, hour, tzinfo=JAPAN)


def draft(world: World, content: Content = NOTICE, selection: Selection = EVERYONE, plan: Plan | None = None) -> Announcement:
    return world.announcements.compose(ADMIN, content, selection, plan)


# what cannot be


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Content("", "x"), "題名"),
        (Content("x", " "), "本文"),
        (Content("x" * 81, "x"), "80字まで"),
        (Content("x", "👍" * 751), "1500字まで"),  # LINE counts an emoji as two
        (Content("x", "x\0"), "表示できない"),
        (Content("x", "x", texts={"xx": "x"}), "使えない言語"),
        (Content("x", "x", link="http://192.168.1.1/"), "公開されている"),
        (Content("x", "x", link="https://localhost/"), "公開されている"),
        (Content("x", "x", link="https://2130706433/"), "公開されている"),
        (Content("x", "x", link="javascript:alert(1)"), "リンクの書き方"),
        (Content("x", "見てね http://192.168.1.1/a です"), "公開されている"),  # platforms make links of these too
        (Content("x", "x", texts={"en": "See https://a:b@example.org/."}), "合言葉"),
        (Content("x", "x", event=Event(at(5).replace(year=9999))), "9999年"),
        (Content("x", "x", grant=Grant(dt.date(207, 3, 31))), "207年"),
        (Content("x", "x", link="https://a:b@example.org/"), "合言葉"),
        (Content("x", "x", event=Event(at(5), at(4))), "終わりが、始まりより前"),
        (Content("x", "x", grant=Grant(dt.date(2027, 3, 1), dt.date(2027, 3, 2))), "締切が、受付の始まりより前"),
        (Content("x", "x", event=Event(at(5)), grant=Grant(dt.date(2027, 3, 9))), "別々"),
        (Content("x", "x", picture="none.jpg"), "写真"),
    ],
)
def test_words_that_cannot_be_are_refused_with_a_word(world: World, content: Content, said: str) -> None:
    with pytest.raises(UserMistake, match=said):
        draft(world, content)


@pytest.mark.parametrize(
    ("plan", "content", "said"),
    [
        (Plan(send_at=at(1, 9)), NOTICE, "過ぎています"),
        (Plan(send_at=at(1, month=3).replace(year=2029)), NOTICE, "1年より先"),
        (Plan(send_at=at(9)), Content("x", "x", event=Event(at(8))), "もう終わって"),
        (Plan(), Content("x", "x", grant=Grant(dt.date(2027, 2, 28))), "もう終わって"),
        (Plan(means=Means.FREE_THEN_PAY), NOTICE, "有料で送る日を決めて"),
        (Plan(means=Means.FREE_THEN_PAY, pay_on=dt.date(2027, 2, 28)), NOTICE, "送りはじめる日より前"),
        (Plan(pay_on=dt.date(2027, 3, 5)), NOTICE, "無料で、残りは有料"),
        (Plan(rrule="FREQ=HOURLY"), NOTICE, "くり返しの書き方"),
    ],
)
def test_plans_that_cannot_be_are_refused_with_a_word(world: World, plan: Plan, content: Content, said: str) -> None:
    made = draft(world, content, plan=plan)
    with pytest.raises(UserMistake, match=said):
        world.announcements.schedule(made.id, made.version, ADMIN)
    assert world.announcements.get(made.id, ADMIN).state is State.DRAFT


def test_a_year_that_is_a_slip_is_said_and_kept_nowhere(world: World) -> None:
    for year in (1, 9999):
        with pytest.raises(UserMistake, match=f"{year}年の日付"):
            draft(world, plan=Plan(send_at=dt.datetime(year, 12, 31, 23, 59, tzinfo=dt.UTC)))
    with pytest.raises(UserMistake, match="9999年"):
        moment("9999-12-31T23:59Z")
    assert not world.announcements.all(ADMIN)


@pytest.mark.parametrize("plan", [Plan(send_at=at(1, 9)), Plan(rrule="FREQ=HOURLY"), Plan(means=Means.FREE_THEN_PAY)])
def test_of_what_shall_leave_and_cannot_no_draft_is_kept(world: World, plan: Plan) -> None:
    with pytest.raises(UserMistake):
        world.announcements.compose(ADMIN, NOTICE, EVERYONE, plan, leaving=True)
    with pytest.raises(UserMistake, match="送り先がひとつもありません"):
        world.announcements.compose(ADMIN, NOTICE, Selection(prefectures=("沖縄県",)), leaving=True)
    assert not world.announcements.all(ADMIN)


def test_who_comes_too_late_or_too_early_hears_how_it_stands(world: World) -> None:
    made = draft(world)
    with pytest.raises(Changed, match="まだ下書き"):
        world.announcements.approve(made.id, made.version, ADMIN)
    gone = world.announcements.withdraw(made.id, made.version, ADMIN)
    with pytest.raises(Changed, match="もう取り消されています"):
        world.announcements.withdraw(made.id, gone.version, ADMIN)
    with pytest.raises(Changed, match="ほかの人が先に"):
        world.announcements.withdraw(made.id, made.version, ADMIN)


def test_days_that_are_none_are_said() -> None:
    for call, text in ((day, "2027-02-31"), (moment, "2027-02-31"), (moment, "2027-02-31 10:00"), (day, "明日")):
        with pytest.raises(UserMistake, match="ありません"):
            call(text)
    with pytest.raises(UserMistake, match=r"「grant.deadline」の日付「2027-02-31」"):
        read(Content, {"title": "x", "text": "x", "grant": {"deadline": "2027-02-31"}})
    with pytest.raises(UserMistake, match="「tilte」という項目はありません"):
        read(Content, {"title": "x", "text": "x", "tilte": "x"})


def test_what_is_kept_is_read_again() -> None:
    content = Content("x", "y", "z", {"en": "w"}, "https://example.org/", event=Event(at(5), at(6), "上田"))
    plan = Plan(Means.FREE_THEN_PAY, at(4), dt.date(2027, 3, 6), "FREQ=WEEKLY")
    for thing in (content, plan, Selection(co_ops=("ueda",), platforms=("line",))):
        assert read(type(thing), plain(thing)) == thing


# whom


@pytest.mark.parametrize(
    ("selection", "chats"),
    [
        (EVERYONE, "abcd"),
        (Selection(everyone=True, platforms=("line",)), "abc"),
        (Selection(co_ops=("ueda",)), "abd"),
        (Selection(prefectures=("長野",)), "abd"),
        (Selection(prefectures=("長野県",), fields=("弁当",)), ""),
        (Selection(fields=("弁当", "介護")), "abcd"),
        (Selection(fields=("弁当",), chats=("line:a",)), "ac"),
        (Selection(chats=("line:nobody",)), ""),
    ],
)
def test_a_selection_means_these_chats(world: World, selection: Selection, chats: str) -> None:
    assert "".join(chat.conversation[-1] for chat in world.announcements.cost_of(selection, Plan()).chats) in (
        chats,
        "d" + chats[:-1],
    )


def test_an_empty_audience_is_refused(world: World) -> None:
    with pytest.raises(UserMistake, match="送り先を選んで"):
        draft(world, selection=Selection())
    with pytest.raises(UserMistake, match="登録されていません"):
        draft(world, selection=Selection(co_ops=("none",)))
    made = draft(world, selection=Selection(prefectures=("沖縄県",)))
    with pytest.raises(UserMistake, match="送り先がひとつもありません"):
        world.announcements.schedule(made.id, made.version, ADMIN)


def test_a_co_ops_coordinator_announces_to_that_co_op_only(world: World) -> None:
    made = world.announcements.compose(UEDA, NOTICE, EVERYONE)
    assert made.co_op == "ueda"
    assert {c.conversation for c in world.announcements.cost(made.id, UEDA).chats} == {"line:a", "line:b", "discord:d"}
    with pytest.raises(NotAllowed):
        world.announcements.compose(UEDA, NOTICE, EVERYONE, co_op="mito")
    with pytest.raises(NotAllowed, match="世話役"):
        world.announcements.compose("line:nobody", NOTICE, EVERYONE)
    for call in (world.announcements.get, world.announcements.report, world.announcements.cost, world.announcements.duplicate):
        with pytest.raises(NotThere):
            call(made.id, MITO)
    assert not world.announcements.all(MITO)
    assert [told.id for told in world.announcements.all(ADMIN)] == [made.id]


# two at once


def test_of_two_who_act_on_the_same_version_one_does(world: World) -> None:
    made = draft(world)
    world.announcements.schedule(made.id, made.version, ADMIN)
    acts: list[Callable[[], object]] = [
        lambda: world.announcements.schedule(made.id, made.version, ADMIN),
        lambda: world.announcements.change(made.id, made.version, ADMIN, Content("x", "y")),
        lambda: world.announcements.withdraw(made.id, made.version, ADMIN),
    ]
    for act in acts:
        with pytest.raises(Changed) as told:
            act()
        assert told.value.now.state is State.SCHEDULED
    world.tick()
    assert len(world.schedule.of(made.id)) == 1
    assert set(world.shown().values()) == {1}


def test_a_second_pair_of_eyes_is_somebody_elses(world: World) -> None:
    made = draft(world)
    proposed = world.announcements.propose(made.id, made.version, ADMIN)
    for act in (world.announcements.approve, world.announcements.schedule):
        with pytest.raises(NotAllowed):
            act(made.id, proposed.version, ADMIN)
    world.members.give("line:other", next(iter(world.members.grants(ADMIN))))
    done = world.announcements.approve(made.id, proposed.version, "line:other")
    assert (done.state, done.approved_by) == (State.SCHEDULED, "line:other")


def test_a_change_takes_back_what_was_scheduled(world: World) -> None:
    made = draft(world, plan=Plan(send_at=at(5)))
    done = world.announcements.schedule(made.id, made.version, ADMIN)
    changed = world.announcements.change(made.id, done.version, ADMIN, Content("新しい", "x"))
    world.at(5, 11)
    world.tick()
    assert not world.shown()
    assert changed.state is State.DRAFT
    again = world.announcements.change(made.id, changed.version, ADMIN, plan=Plan(send_at=at(6)))
    world.announcements.schedule(made.id, again.version, ADMIN)
    world.at(6, 11)
    world.tick()
    world.somebody_writes("a")
    assert {title for _, title in world.shown()} == {"新しい"}


# what it costs, what became of it


def test_the_cost_is_said_before(world: World) -> None:
    world.chats.counted({"line:a": 25, "line:b": 30})
    world.ledger.told("2027-03", 40, 0, 0)
    cost = world.announcements.cost(draft(world, plan=Plan(means=Means.NOW)).id, ADMIN)
    assert (len(cost.chats), cost.people, cost.unknown, cost.pays, cost.fits) == (4, 55, 1, True, False)
    assert world.announcements.cost(draft(world).id, ADMIN).fits


def test_reports_say_what_arrived_and_what_was_saved(world: World) -> None:
    world.chats.counted({"line:a": 25, "line:b": 25, "line:c": 25})
    made = world.scheduled()
    world.tick()
    world.somebody_writes("a")
    report = world.announcements.report(made.id, ADMIN)
    assert (report.free, report.paid, report.waiting, report.saved) == (2, 0, 2, 25)
    month = world.announcements.month("2027-03")
    assert (month.free, month.saved) == (2, 25)


def test_a_correction_reaches_those_who_saw_it_and_changes_what_waits(world: World) -> None:
    made = world.scheduled()
    world.tick()
    world.somebody_writes("a")
    now = world.announcements.get(made.id, ADMIN)
    world.announcements.correct(made.id, now.version, ADMIN, Content("総会の日が変わりました", "x"))
    world.tick()
    world.somebody_writes("a")
    world.somebody_writes("b")
    assert world.line.shown == {("A", NOTICE.title): 1, ("A", "総会の日が変わりました"): 1, ("B", "総会の日が変わりました"): 1}


def test_what_is_withdrawn_does_not_leave(world: World) -> None:
    made = world.scheduled()
    world.tick()
    world.somebody_writes("a")
    world.announcements.withdraw(made.id, world.announcements.get(made.id, ADMIN).version, ADMIN)
    world.tick()
    assert world.somebody_writes("b") is None
    (waiting,) = world.deliveries.ride("line:a", "t", world.clock(), 5)
    (sending,) = world.deliveries.sendings([waiting])
    assert "取り消し" in sending.messages[0].text


# runs


def test_what_was_missed_is_caught_up_while_it_is_of_use(world: World) -> None:
    soon, late = world.scheduled(plan=Plan(send_at=at(2))), world.scheduled(Content("古い", "x"), plan=Plan(send_at=at(1, 12)))
    world.at(4, 11)
    world.restart()
    world.tick()
    world.at(4, 13)
    world.tick()
    assert world.discord.shown == {("D", NOTICE.title): 1, ("D", "古い"): 1}
    assert world.schedule.of(soon.id)[0].why == "late"
    world.at(20)
    stale = world.scheduled(Content("忘れた", "x"), plan=Plan(send_at=at(21)))
    world.at(27)
    world.tick()
    assert [(told.id, run.why) for told, run in world.announcements.missed(ADMIN)] == [(stale.id, "late")]
    assert world.announcements.get(late.id, ADMIN).state in (State.SENDING, State.DONE)


def test_who_composed_it_hears_of_what_was_missed_once(world: World) -> None:
    notices = Notices(world.database, world.clock)
    schedule = Schedule(world.database, world.chats, world.clock, notices)
    world.scheduled(Content("忘れた", "x"), plan=Plan(send_at=at(2)))
    world.scheduled(Content("まだ役に立つ", "x"), plan=Plan(send_at=at(5)))
    world.at(7)
    schedule.advance(world.clock())
    schedule.advance(world.clock())
    assert notices.take([MITO]) == []
    assert notices.take([ADMIN]) == [("announce_missed", {"title": "忘れた"})]


def test_of_missed_repetitions_the_last_leaves(world: World) -> None:
    made = world.scheduled(plan=Plan(send_at=at(2), rrule="FREQ=DAILY"))
    world.at(2, 11)
    world.tick()
    world.at(6, 11)
    world.restart()
    world.tick()
    states = [(run.due_at.astimezone(JAPAN).day, run.state) for run in world.schedule.of(made.id)][:6]
    assert states == [(2, "out"), (3, "missed"), (4, "missed"), (5, "missed"), (6, "out"), (7, "waiting")]
    assert world.discord.shown == {("D", NOTICE.title): 2}
    assert len(world.standing()["replaced"]) == 3  # what still waited in the groups is older


def test_reminders_follow_and_stop_with_the_event(world: World) -> None:
    made = world.scheduled(Content("祭り", "x", event=Event(at(20, 13))))
    told = []
    for day_ in range(1, 25):
        world.at(day_, 9, 30) if day_ > 1 else None
        world.tick()
        told.append(world.discord.shown.total())
    assert told == [1] * 5 + [2] * 11 + [3] * 3 + [4] * 5
    world.at(25)
    world.tick()
    assert world.announcements.get(made.id, ADMIN).state is State.DONE
    assert world.standing()["expired"] == ["line:a", "line:b", "line:c"]


def test_a_run_is_carried_out_once_by_any_number_of_processes(world: World) -> None:
    world.scheduled()
    assert [world.schedule.advance(world.clock()) for _ in range(3)] == [4, 0, 0]


def test_a_clock_that_jumps_ahead_and_back_sends_nothing_twice(world: World) -> None:
    world.scheduled(plan=Plan(send_at=at(10), rrule="FREQ=WEEKLY;COUNT=3"))
    world.at(10, 11)
    world.tick()
    world.at(1, 10)
    world.tick()
    world.at(10, 12)
    world.restart()
    world.tick()
    assert world.discord.shown == {("D", NOTICE.title): 1}


def test_kept_selections_are_the_co_ops_own(world: World) -> None:
    world.announcements.save_selection(UEDA, "うちの部屋", EVERYONE)
    world.announcements.save_selection(UEDA, "うちの部屋", Selection(co_ops=("ueda",)))
    (kept,) = world.announcements.selections(UEDA)
    assert (kept.name, kept.selection.co_ops) == ("うちの部屋", ("ueda",))
    assert not world.announcements.selections(MITO)
    assert not world.announcements.drop_selection(MITO, kept.id)
    others = world.announcements.save_selection(ADMIN, "うちの部屋", EVERYONE)
    assert world.announcements.drop_selection(ADMIN, kept.id)  # of two with one name it is the one that was meant
    assert [s.id for s in world.announcements.selections(ADMIN)] == [others.id]
