"""What was asked: what is kept of it, for how long, who reads and counts it."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from bot.desk.asked import Asked, By, Filters
from bot.members import CoOp, Grant, Members, Purpose, Role
from bot.store import Store
from knowledge import Database
from tests.fakes import FixedClock

UEDA, SUZAKA = "ueda", "suzaka"
ADMIN, FEDERATION, OF_UEDA, OF_SUZAKA, MEMBER = "cli:admin", "line:all", "line:ueda", "line:suzaka", "line:member"
EVERYTHING = Filters()


class Here:
    """The record on a database, and who may read it."""

    def __init__(self, database: Database) -> None:
        self.store, self.clock = Store(database), FixedClock()
        self.members = Members(database, self.clock)
        self.asked = Asked(database, self.members, self.clock)
        self.members.put_co_op(CoOp(UEDA, "労協うえだ", "長野県上田市", ("配食", "見守り")))
        self.members.put_co_op(CoOp(SUZAKA, "労協すざか", "広島", ("保育",)))
        self.members.give(ADMIN, Grant(Role.ADMIN))
        self.members.give(FEDERATION, Grant(Role.COORDINATOR))
        self.members.give(OF_UEDA, Grant(Role.COORDINATOR, UEDA))
        self.members.give(OF_SUZAKA, Grant(Role.COORDINATOR, SUZAKA))
        self.members.give(MEMBER, Grant(Role.MEMBER, UEDA))
        self._count = 0

    def ask(self, text: str = "監事は何人要りますか?", co_op: str = UEDA, **more: object) -> str:
        self._count += 1
        answer_id = str(more.pop("answer_id", f"a{self._count:06}"))
        told = {
            "language": "ja",
            "asker": MEMBER,
            "conversation": "line:group",
            "answered": True,
            "passages": ["statute#1"],
            **more,
        }
        self.store.add_answer(answer_id, answered=bool(told["answered"]), confidence=0.9, passages=[], now=self.clock())
        self.asked.record(answer_id, text, co_op=co_op, **told)  # type: ignore[arg-type]
        return answer_id

    def rate(self, answer_id: str, *, helpful: bool, rater: str = "line:rater") -> None:
        self.store.rate(answer_id, rater, helpful=helpful, now=self.clock())
        self.asked.rated(answer_id, helpful=helpful)

    def texts(self, reader: str = ADMIN, filters: Filters = EVERYTHING) -> list[str]:
        return [q.text for q in self.asked.search(reader, filters, 0, 100)]

    def file(self, reader: str = ADMIN, filters: Filters = EVERYTHING) -> list[list[str]]:
        return list(csv.reader(io.StringIO("".join(self.asked.csv(reader, filters)), newline="")))


@pytest.fixture
def here(database: Database) -> Here:
    return Here(database)


def days(number: float) -> dt.timedelta:
    return dt.timedelta(days=number)


# what is kept


def test_it_is_kept_without_personal_data_on_one_line_and_not_for_ever_long(here: Here) -> None:
    here.ask("090-1234-5678の佐藤さんに\n\nお弁当をことわるには?")
    here.ask("どうして?" * 1_000)
    long, short = here.texts()
    assert "1234" not in short
    assert "佐藤" not in short
    assert short.endswith("に お弁当をことわるには?")
    assert len(long) == 300


def test_after_a_year_it_is_gone_and_out_of_sight_before_it_is_removed(here: Here) -> None:
    here.ask("古い質問")
    here.clock.now += days(364)
    assert here.texts() == ["古い質問"]
    here.clock.now += days(1)
    assert here.texts() == []
    assert here.asked.count(ADMIN, EVERYTHING) == 0
    assert here.file()[1:] == []
    here.ask("新しい質問")
    here.clock.now -= days(1)  # nobody can turn the clock back: this only looks whether the row is there
    assert here.texts() == ["新しい質問"]


def test_a_start_removes_what_is_too_old(here: Here, database: Database) -> None:
    here.ask("古い質問")
    here.clock.now += days(366)
    Asked(database, here.members, here.clock).expire()
    here.clock.now -= days(10)
    assert here.texts() == []


def test_who_wants_to_be_forgotten_leaves_neither_questions_nor_opinions(here: Here) -> None:
    mine, other = here.ask("わたしの質問", asker="line:me"), here.ask("ほかの質問", asker="line:other")
    here.ask("ふたりだけの質問", asker="web:me", conversation="line:me")
    here.rate(other, helpful=False, rater="line:me")
    here.rate(other, helpful=True, rater="line:other")
    here.rate(mine, helpful=True)
    here.asked.forget("line:me")
    assert here.texts() == ["ほかの質問"]
    assert [q.helpful for q in here.asked.search(ADMIN, EVERYTHING, 0, 9)] == [True]
    assert here.asked.unhelpful(ADMIN) == []


def test_all_accounts_of_a_person_are_forgotten(here: Here) -> None:
    code = here.members.code(Purpose.MERGE, account="line:me")
    here.members.redeem(code, "discord:me", "discord:me", group=False)
    here.ask("スマホから", asker="line:me")
    here.ask("パソコンから", asker="discord:me")
    here.asked.forget("line:me")
    assert here.texts() == []


def test_of_a_group_that_is_left_nothing_is_kept(here: Here) -> None:
    here.ask("ここで", conversation="line:here")
    here.ask("よそで", conversation="line:there")
    here.asked.left("line:here")
    assert here.texts() == ["よそで"]


# who reads it


def test_a_coordinator_reads_and_counts_their_own_co_ops_questions_only(here: Here) -> None:
    for number in range(12):
        here.ask(f"うえだ{number}", UEDA)
        here.ask(f"すざか{number}", SUZAKA, answered=False)
        here.ask(f"だれか{number}", "")
    assert {t[:3] for t in here.texts(OF_UEDA)} == {"うえだ"}
    assert {t[:3] for t in here.texts(OF_SUZAKA)} == {"すざか"}
    assert here.texts(MEMBER) == here.texts("line:nobody") == []
    for reader in (ADMIN, FEDERATION):
        assert {t[:3] for t in here.texts(reader)} == {"うえだ", "すざか", "だれか"}
    readers = (ADMIN, FEDERATION, OF_UEDA, OF_SUZAKA, MEMBER)
    assert [here.asked.count(r, EVERYTHING) for r in readers] == [36, 36, 12, 12, 0]
    assert [len(here.file(r)) - 1 for r in readers] == [36, 36, 12, 12, 0]
    assert [sum(t.asked or 0 for t in here.asked.trends(r, By.WEEK)) for r in readers] == [36, 36, 12, 12, 0]
    assert [t.key for t in here.asked.trends(OF_UEDA, By.FIELD)] == ["配食"]
    assert [t.key for t in here.asked.trends(OF_SUZAKA, By.PREFECTURE)] == ["広島県"]
    assert [t.key for t in here.asked.trends(ADMIN, By.PREFECTURE)] == ["", "広島県", "長野県"]


def test_naming_another_co_op_brings_nothing(here: Here) -> None:
    here.ask("すざかの", SUZAKA)
    here.ask("だれかの", "")
    for co_op in (SUZAKA, "", "%"):
        assert here.texts(OF_UEDA, Filters(co_op=co_op)) == []
        assert here.asked.count(OF_UEDA, Filters(co_op=co_op)) == 0
        assert here.file(OF_UEDA, Filters(co_op=co_op))[1:] == []
    assert here.texts(ADMIN, Filters(co_op="")) == ["だれかの"]


def test_nobody_settles_what_they_do_not_see(here: Here) -> None:
    theirs = here.ask("すざかの", SUZAKA)
    here.rate(theirs, helpful=False)
    for change in (here.asked.settle, here.asked.postpone, here.asked.reopen):
        assert not change(theirs, OF_UEDA)
    assert here.asked.unhelpful(OF_UEDA) == []
    assert [q.answer_id for q in here.asked.unhelpful(OF_SUZAKA)] == [theirs]


def test_a_role_that_was_taken_away_ends_a_file_at_its_next_piece(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.desk.asked._ROWS_AT_ONCE", 3)
    for _ in range(5):
        here.ask()
    lines = here.asked.csv(OF_UEDA, EVERYTHING)
    next(lines)
    assert next(lines).count("\r\n") == 3
    here.members.take(OF_UEDA, Grant(Role.COORDINATOR, UEDA))
    assert "".join(lines) == ""


# what is looked for


def test_filters_go_together(here: Here) -> None:
    here.ask("先週の総会", answered=False)
    here.clock.now += days(7)
    here.rate(here.ask("総会の公告"), helpful=True)
    here.rate(here.ask("総会の定足数"), helpful=False)
    here.ask("NPOの会計", SUZAKA)
    this_week = here.clock.now.date()
    assert here.texts(ADMIN, Filters(answered=False)) == ["先週の総会"]
    assert here.texts(ADMIN, Filters(helpful=True)) == ["総会の公告"]
    assert here.texts(ADMIN, Filters(helpful=False)) == ["総会の定足数"]
    assert here.texts(ADMIN, Filters(week=this_week, text="総会")) == ["総会の定足数", "総会の公告"]
    assert here.texts(ADMIN, Filters(text="公告 総会", co_op=UEDA, answered=True)) == ["総会の公告"]
    for spelled in ("npo", "NPO", "ＮＰＯ"):
        assert here.texts(ADMIN, Filters(text=spelled)) == ["NPOの会計"]


@pytest.mark.parametrize("text", ["%", "_", "100%_'\";--", "\\", "/"])
def test_what_is_looked_for_is_no_pattern(here: Here, text: str) -> None:
    here.ask(f"しるしは{text}です")
    here.ask("ふつうの質問")
    assert len(here.texts(ADMIN, Filters(text=text))) == 1


def test_pages_follow_each_other_newest_first(here: Here) -> None:
    for number in range(7):
        here.ask(f"{number}")
        here.clock.now += dt.timedelta(minutes=number % 2)  # some at the same moment
    pages = [here.asked.search(ADMIN, EVERYTHING, offset, 3) for offset in (0, 3, 6, 9)]
    assert [len(p) for p in pages] == [3, 3, 1, 0]
    assert [q.text for p in pages for q in p] == list("6543210")


def test_a_week_begins_on_monday_at_midnight_in_japan(here: Here) -> None:
    here.clock.now = dt.datetime.fromisoformat("2026-11-15T23:59:59+09:00")  # a Sunday
    here.ask("日曜日の夜")
    here.clock.now = dt.datetime.fromisoformat("2026-11-16T00:00:00+09:00")
    here.ask("月曜日の朝")
    assert here.texts(ADMIN, Filters(week=dt.date(2026, 11, 15))) == ["日曜日の夜"]
    assert here.texts(ADMIN, Filters(week=dt.date(2026, 11, 22))) == ["月曜日の朝"]
    assert [t.key for t in here.asked.trends(ADMIN, By.WEEK)] == ["2026-11-09", "2026-11-16"]


# trends


def test_trends_count_what_was_asked_answered_and_rated(here: Here) -> None:
    for number in range(20):
        answer = here.ask(answered=number % 2 == 0)
        if number < 12:
            here.rate(answer, helpful=number < 6)
    here.clock.now += days(21)
    for _ in range(6):
        here.ask("すざか", SUZAKA)
    weeks = here.asked.trends(ADMIN, By.WEEK)
    assert [(t.key, t.asked) for t in weeks] == [("2026-11-16", 20), ("2026-11-23", None), ("2026-11-30", None), ("2026-12-07", 6)]
    first = weeks[0]
    assert (first.unanswered, first.helpful, first.unhelpful) == (10, 6, 6)
    assert [(t.key, t.asked) for t in here.asked.trends(ADMIN, By.FIELD)] == [("配食", 20), ("保育", 6)]
    assert [(t.key, t.asked) for t in here.asked.trends(ADMIN, By.PREFECTURE)] == [("長野県", 20), ("広島県", 6)]


def test_trends_do_not_give_small_counts_away(here: Here) -> None:
    for _ in range(40):
        here.ask()
    for _ in range(3):
        here.ask("すざか", SUZAKA)
    assert [t.asked for t in here.asked.trends(ADMIN, By.PREFECTURE)] == [None, None]
    assert [t.asked for t in here.asked.trends(OF_UEDA, By.PREFECTURE)] == [40]


def test_without_questions_there_are_no_trends(here: Here) -> None:
    assert [here.asked.trends(ADMIN, by) for by in By] == [[], [], []]


# what did not help


def test_a_thumb_down_waits_until_somebody_has_settled_it(here: Here) -> None:
    answer = here.ask()
    here.rate(answer, helpful=False)
    here.rate(answer, helpful=True, rater="line:another")  # one who was not helped outweighs
    assert [q.answer_id for q in here.asked.unhelpful(OF_UEDA)] == [answer]
    assert here.asked.settle(answer, OF_UEDA)
    assert not here.asked.settle(answer, OF_UEDA)
    assert here.asked.unhelpful(OF_UEDA) == []
    assert here.asked.reopen(answer, OF_UEDA)
    assert not here.asked.reopen(answer, OF_UEDA)
    assert len(here.asked.unhelpful(OF_UEDA)) == 1


def test_postponed_it_comes_again_in_a_week(here: Here) -> None:
    here.rate(here.ask(), helpful=False)
    assert here.asked.postpone(here.asked.unhelpful(OF_UEDA)[0].answer_id, OF_UEDA)
    assert here.asked.unhelpful(OF_UEDA) == []
    here.clock.now += days(7)
    assert len(here.asked.unhelpful(OF_UEDA)) == 1


def test_settled_it_comes_again_with_the_next_thumb_down_only(here: Here) -> None:
    answer = here.ask()
    here.rate(answer, helpful=False)
    here.asked.settle(answer, OF_UEDA)
    here.rate(answer, helpful=True, rater="line:another")
    assert here.asked.unhelpful(OF_UEDA) == []
    here.rate(answer, helpful=False, rater="line:third")
    assert len(here.asked.unhelpful(OF_UEDA)) == 1


def test_a_rating_that_is_taken_back_counts_no_more(here: Here) -> None:
    answer = here.ask()
    here.rate(answer, helpful=False)
    here.rate(answer, helpful=True)
    assert here.asked.unhelpful(OF_UEDA) == []
    assert [q.helpful for q in here.asked.search(ADMIN, EVERYTHING, 0, 9)] == [True]


# the file


@pytest.mark.parametrize("text", ["=1+2", "+81", "-1", "@SUM(A1)", "＝ＨＹＰＥＲＬＩＮＫ", "＋１", "－１", "＠ｘ", " =1", "|calc"])
def test_no_cell_is_a_formula(here: Here, text: str) -> None:
    here.ask(f"{text}")
    (row,) = here.file()[1:]
    assert row[1].startswith("'")
    assert row[1].strip("'").strip() == text.strip()


def test_the_file_tells_the_day_and_no_hour_and_nobody(here: Here) -> None:
    here.rate(here.ask('引用"と,コンマ', SUZAKA, answered=False, asker="line:secret", conversation="line:hidden"), helpful=False)
    assert here.file() == [
        ["day", "question", "co_op", "language", "answered", "helpful"],
        ["2026-11-21", '引用"と,コンマ', "労協すざか", "ja", "no", "no"],
    ]
