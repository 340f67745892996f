"""Questions nobody could answer: kept without personal data, put together, seen by their own reviewers only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.bootstrap import Yui
from bot.errors import UserMistake
from bot.members import Grant, Role
from bot.notices import Notices
from bot.questions import OpenQuestions, Topic
from bot.tips.tip import Action, Verdict
from knowledge import FEDERATION, PUBLIC, Audience, Database
from tests.bot.people import (
    ASKED,
    FEDERATIONS,
    GIVER,
    LUNCH,
    NOBODYS_GROUP,
    OTHER,
    SUZAKA,
    SUZAKAS_COORDINATOR,
    SUZAKAS_GROUP,
    UEDA,
    UEDAS_COORDINATOR,
    UEDAS_GROUP,
    People,
    people,
)


@pytest.fixture
def here(database: Database, tmp_path: Path) -> Iterator[People]:
    with people(database, tmp_path) as found:
        yield found


def ask(here: People, text: str = ASKED, asker: str = OTHER, co_op: str = UEDA, near: tuple[str, ...] = ()) -> None:
    group = {UEDA: UEDAS_GROUP, SUZAKA: SUZAKAS_GROUP}.get(co_op, NOBODYS_GROUP)
    here.questions.record(text, asker=asker, conversation=group, co_op=co_op, nearest=near)


def only(here: People, reviewer: str = UEDAS_COORDINATOR) -> Topic:
    (found,) = here.questions.topics(reviewer)
    return found


def test_it_is_kept_without_personal_data(here: People) -> None:
    ask(here, "090-1234-5678の佐藤さんに、お弁当の注文をことわるには?")
    assert "090" not in only(here).text
    assert "お弁当の注文をことわるには" in only(here).text


def test_what_asks_nothing_is_not_kept_and_what_is_long_is_cut(here: People) -> None:
    ask(here, "え?")
    assert here.questions.topics(FEDERATIONS) == []
    ask(here, "どうして?" * 2_000)
    assert len(only(here).text) == 300


def test_only_reviewers_of_the_co_op_it_came_from_see_it(here: People) -> None:
    for co_op, text in (
        (UEDA, "駐車場の雪かきは、だれがしますか"),
        (SUZAKA, "会計のソフトは、何がよいですか"),
        ("", "チラシはどこで配りますか"),
    ):
        ask(here, text, co_op=co_op)
    seen = {
        who: {t.text[:2] for t in here.questions.topics(who)}
        for who in (UEDAS_COORDINATOR, SUZAKAS_COORDINATOR, FEDERATIONS, OTHER)
    }
    assert seen == {UEDAS_COORDINATOR: {"駐車"}, SUZAKAS_COORDINATOR: {"会計"}, FEDERATIONS: {"駐車", "会計", "チラ"}, OTHER: set()}


def test_a_reviewer_counts_their_own_co_ops_questions_only(here: People) -> None:
    for co_op in (SUZAKA, SUZAKA, UEDA):
        ask(here, co_op=co_op)
    assert [only(here, who).asked for who in (UEDAS_COORDINATOR, SUZAKAS_COORDINATOR, FEDERATIONS)] == [1, 2, 3]
    assert only(here).co_op == UEDA
    assert only(here, FEDERATIONS).co_op == ""
    assert only(here, FEDERATIONS).asked_in == {f"coop:{UEDA}", f"coop:{SUZAKA}"}


def test_no_reviewer_settles_what_they_do_not_see(here: People) -> None:
    ask(here, co_op=SUZAKA)
    topic = only(here, SUZAKAS_COORDINATOR)
    for settle in (here.questions.close, here.questions.postpone):
        assert settle(topic.id, UEDAS_COORDINATOR) == ""
    assert here.questions.answered(topic.id, UEDAS_COORDINATOR, here.offer(), "x") == 0
    assert here.questions.topic(topic.id, UEDAS_COORDINATOR) is None
    assert only(here, SUZAKAS_COORDINATOR) == topic


def test_what_was_asked_more_often_and_longer_ago_comes_first(here: People) -> None:
    ask(here, "会計のソフトは、何がよいですか")
    here.clock.now += dt.timedelta(days=1)
    ask(here, "駐車場の雪かきは、だれがしますか")
    assert [t.text[:2] for t in here.questions.topics(UEDAS_COORDINATOR)] == ["会計", "駐車"]
    for _ in range(5):
        ask(here, "駐車場の雪かきは、だれがしますか")
    here.clock.now += dt.timedelta(days=1)
    assert [t.text[:2] for t in here.questions.topics(UEDAS_COORDINATOR)] == ["駐車", "会計"]


def test_answered_its_askers_hear_of_it_once_where_they_asked(here: People) -> None:
    ask(here, asker=OTHER)
    ask(here, asker=OTHER)
    tip = here.offer(question=ASKED)
    assert here.questions.answered(only(here).id, UEDAS_COORDINATOR, tip, "保冷剤") == 2
    assert here.questions.topics(UEDAS_COORDINATOR) == []
    assert here.notices.take([OTHER], group=SUZAKAS_GROUP) == []
    assert here.notices.take([OTHER], group=UEDAS_GROUP) == [("question_answered", {"title": "保冷剤"})]
    assert here.notices.take([OTHER]) == []
    assert here.questions.unanswered(tip, UEDAS_COORDINATOR) == 2
    assert only(here).asked == 2


def test_who_may_not_find_the_answer_any_more_hears_nothing_of_it(here: People) -> None:
    ask(here)
    ask(here, asker=GIVER)
    here.members.give(GIVER, Grant(Role.MEMBER, UEDA))
    here.members.unlink(UEDAS_GROUP)
    here.questions.answered(only(here).id, UEDAS_COORDINATOR, here.offer(), "保冷剤")
    assert here.notices.take([OTHER]) == here.notices.take([GIVER], group=UEDAS_GROUP) == []
    assert here.notices.take([GIVER]) == [("question_answered", {"title": "保冷剤"})]


@pytest.mark.parametrize("gone", ["withdrawn", "declined", "taken back"])
def test_nobody_hears_of_an_answer_that_is_gone(here: People, gone: str) -> None:
    ask(here)
    tip = here.offer(question=ASKED)
    here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    here.questions.answered(only(here).id, UEDAS_COORDINATOR, tip, "保冷剤")
    if gone == "withdrawn":
        here.curation.withdraw(tip, GIVER)
    elif gone == "declined":
        here.curation.decide(tip, 1, Action.DECLINE, UEDAS_COORDINATOR)
    else:
        here.curation.undo(tip, UEDAS_COORDINATOR)
    assert here.notices.take([OTHER]) == []


def test_closed_and_postponed_and_open_again(here: People) -> None:
    ask(here)
    topic = only(here)
    closed = here.questions.close(topic.id, UEDAS_COORDINATOR)
    assert closed
    assert here.questions.topics(UEDAS_COORDINATOR) == []
    assert here.questions.close(topic.id, UEDAS_COORDINATOR) == here.questions.postpone(topic.id, UEDAS_COORDINATOR) == ""
    assert here.questions.reopen(topic.id, closed, SUZAKAS_COORDINATOR) == 0
    assert here.questions.reopen(topic.id, closed, UEDAS_COORDINATOR) == 1
    postponed = here.questions.postpone(topic.id, UEDAS_COORDINATOR)
    assert here.questions.topics(UEDAS_COORDINATOR) == []
    assert here.questions.reopen(topic.id, postponed, UEDAS_COORDINATOR) == 1
    here.questions.postpone(topic.id, UEDAS_COORDINATOR)
    here.clock.now += dt.timedelta(days=8)
    assert only(here).id == topic.id


def test_only_what_was_meant_is_opened_again(here: People) -> None:
    """Not what somebody else closed before or after, and nothing that was answered meanwhile."""
    for co_op in (UEDA, SUZAKA):
        ask(here, co_op=co_op)
    topic = only(here, FEDERATIONS)
    here.questions.close(topic.id, SUZAKAS_COORDINATOR)
    here.clock.now += dt.timedelta(minutes=1)
    mark = here.questions.close(topic.id, FEDERATIONS)
    assert here.questions.reopen(topic.id, mark, FEDERATIONS) == 1
    assert [t.co_op for t in here.questions.topics(FEDERATIONS)] == [UEDA]
    here.clock.now += dt.timedelta(minutes=1)
    here.questions.close(topic.id, UEDAS_COORDINATOR)
    assert here.questions.reopen(topic.id, mark, FEDERATIONS) == 0
    assert here.questions.topics(FEDERATIONS) == []
    ask(here)
    again = only(here)
    mark = here.questions.postpone(again.id, UEDAS_COORDINATOR)
    here.clock.now += dt.timedelta(days=8)
    here.questions.answered(again.id, UEDAS_COORDINATOR, "tip-1", "保冷剤")
    assert here.questions.reopen(again.id, mark, UEDAS_COORDINATOR) == 0


def test_what_is_near_is_named_as_far_as_the_reviewer_may_find_it_now(here: People) -> None:
    everybodys, uedas, nobodys = (
        here.offer(text, co_op=co_op, audience=Audience.of(key))
        for text, co_op, key in (
            (LUNCH, UEDA, PUBLIC),
            ("お弁当は9時に作ります。", UEDA, f"coop:{UEDA}"),
            ("お弁当は高い。", "", PUBLIC),
        )
    )
    here.curation.decide(everybodys, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    ask(here, near=(everybodys, uedas, nobodys, "tip-0"))
    assert [n[:7] for n in only(here).nearest] == [LUNCH[:7], "お弁当は9時に"]
    assert [n[:7] for n in only(here, FEDERATIONS).nearest] == [LUNCH[:7]]
    here.curation.withdraw(everybodys, GIVER)
    assert [n[:7] for n in only(here).nearest] == ["お弁当は9時に"]


def test_a_tip_is_merged_only_into_one_its_reviewer_may_know_of(here: People) -> None:
    hidden, mine = here.offer(co_op=SUZAKA), here.offer(co_op=UEDA)
    told = []
    for into in (hidden, "tip-0"):
        with pytest.raises(UserMistake) as mistake:
            here.curation.decide(mine, 1, Action.MERGE, UEDAS_COORDINATOR, into=into)
        told.append(str(mistake.value))
    assert told[0] == told[1]
    here.curation.decide(hidden, 1, Action.PUBLISH, SUZAKAS_COORDINATOR, audience=Audience.of(FEDERATION))
    here.members.give(UEDAS_COORDINATOR, Grant(Role.MEMBER, UEDA))
    assert here.curation.decide(mine, 1, Action.MERGE, UEDAS_COORDINATOR, into=hidden).verdict is Verdict.DONE


def test_a_forgotten_person_has_asked_nothing(here: People) -> None:
    ask(here, asker=OTHER)
    ask(here, asker=GIVER)
    here.questions.forget(OTHER)
    assert only(here).asked == 1


def test_after_a_year_it_is_gone(here: People) -> None:
    ask(here)
    here.clock.now += dt.timedelta(days=366)
    ask(here, "駐車場の雪かきは、だれがしますか")
    assert only(here).text.startswith("駐車場")


def test_the_same_asked_in_other_words_is_one_topic(shipped: Yui, tmp_path: Path) -> None:
    """With the real model; questions about one thing that ask for something else stay apart."""
    database = Database(f"sqlite:///{tmp_path / 'yui.db'}")
    with people(database, tmp_path) as here:
        questions = OpenQuestions(database, shipped.knowledge, here.members, Notices(database, here.clock), here.clock)
        told = (
            "草刈り機の替え刃はどこで買えますか",
            "草刈り機の替え刃って、どこで買えるの?",
            "草刈り機の替え刃は、どこで買えばいいですか",
            "配達の車のガソリン代は、いくら払いますか",
            "配達の車のガソリン代って、いくら払うの?",
            "配達の車の保険は、どこに入りますか",
            "チラシはどこで配りますか",
            "チラシはだれが配りますか",
        )
        for text in told:
            questions.record(text, asker=OTHER, conversation=UEDAS_GROUP, co_op=UEDA, nearest=())
        topics = questions.topics(UEDAS_COORDINATOR)
    database.close()
    assert sorted(t.asked for t in topics) == [1, 1, 1, 2, 3]
    assert {t.text[:3]: t.asked for t in topics if t.asked > 1} == {"草刈り": 3, "配達の": 2}
