"""Who may ask about an announcement, read from the rows that announcing leaves behind."""

from __future__ import annotations

import datetime as dt
import io
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.announcing.announced import Told
from bot.announcing.announcement import Announcement, Content, Plan, Selection
from bot.announcing.chats import Chats
from bot.announcing.composing import Announcements
from bot.announcing.deliveries import Deliveries
from bot.announcing.knowledge_of import Bulletin
from bot.announcing.ledger import Ledger
from bot.announcing.pictures import Pictures
from bot.announcing.schedule import Schedule
from bot.announcing.senders import Outcome, Shape, Verdict
from bot.errors import UserMistake
from bot.members import CoOp, Grant, Members, Role
from bot.store import Store
from knowledge import Audience, Database, KnowledgeBase
from tests.bot.announcing.announcements import FESTIVAL, GRANT, NOTICE, NOW
from tests.fakes import FakeEmbedder, FixedClock

OPERATOR, UEDAS = "line:operator", "line:of-ueda"
CO_OPS = {"ueda": "長野県上田市", "suzaka": "長野県須坂市", "kofu": "山梨県甲府市"}
CHATS = {"discord:ueda": "ueda", "discord:suzaka": "suzaka", "discord:kofu": "kofu", "discord:free": "", "discord:other": ""}


@dataclass
class Desk:
    """Everything that announces, on one database, and what is told of it."""

    announcements: Announcements
    schedule: Schedule
    members: Members
    told: Told
    clock: FixedClock
    deliveries: Deliveries
    knowledge: KnowledgeBase

    def announce(self, content: Content, selection: Selection, by: str = OPERATOR, co_op: str = "") -> Announcement:
        made = self.announcements.compose(by, content, selection, Plan(), co_op)
        self.announcements.schedule(made.id, made.version, by)
        self.schedule.advance(self.clock())
        return self.announcements.get(made.id, by)

    def hears(self, chat: str) -> list[str]:
        """The titles that can be asked for in a chat."""
        audience = self.members.audience(chat, group=True)
        return [a.title for a in self.told() if a.audience.meets(audience)]


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    desk = _desk(database, tmp_path)
    yield desk
    desk.knowledge.close()


def _desk(database: Database, folder: Path) -> Desk:
    clock = FixedClock(NOW.isoformat())
    knowledge = KnowledgeBase(database, FakeEmbedder(), folder / "index")
    Store(database)
    members = Members(database, clock)
    chats = Chats(database, members, clock)
    for co_op, place in CO_OPS.items():
        members.put_co_op(CoOp(co_op, f"労協{co_op}", place, ("居場所",) if co_op != "kofu" else ("配食",)))
    for chat, co_op in CHATS.items():
        chats.known(chat, "discord", chat.removeprefix("discord:"), Shape.TEXT)
        if co_op:
            members.link(chat, co_op)
    members.give(OPERATOR, Grant(Role.ADMIN))
    members.give(UEDAS, Grant(Role.COORDINATOR, "ueda"))
    schedule = Schedule(database, chats, clock)
    quota = Ledger(database, clock)
    announcements = Announcements(database, members, chats, schedule, quota, clock, Pictures(folder, ""))
    return Desk(announcements, schedule, members, Told(database, clock), clock, Deliveries(database, quota), knowledge)


def test_an_announcement_is_heard_of_where_it_went_and_nowhere_else(desk: Desk) -> None:
    desk.announce(FESTIVAL, Selection(co_ops=("ueda",)))
    desk.announce(GRANT, Selection(prefectures=("長野県",)))
    desk.announce(NOTICE, Selection(chats=("discord:free",)))
    heard = {chat: sorted(desk.hears(chat)) for chat in CHATS}
    assert heard == {
        "discord:ueda": ["夏祭りのお知らせ", "居場所づくり助成"],
        "discord:suzaka": ["居場所づくり助成"],
        "discord:kofu": [],
        "discord:free": ["事務所の引っ越し"],
        "discord:other": [],
    }


def test_one_for_everyone_is_heard_of_by_the_federation_and_never_in_public(desk: Desk) -> None:
    told = desk.announce(NOTICE, Selection(everyone=True))
    assert all(desk.hears(chat) for chat in CHATS)
    assert not any(a.audience.meets(Audience()) for a in desk.told())
    assert desk.told.of(told.id) == desk.told()[0]


def test_a_co_ops_own_coordinator_reaches_that_co_op_alone(desk: Desk) -> None:
    desk.announce(NOTICE, Selection(everyone=True), UEDAS, "ueda")
    assert [chat for chat in CHATS if desk.hears(chat)] == ["discord:ueda"]
    assert desk.told()[0].issuer == "労協ueda"


def test_a_draft_a_trial_and_a_plan_are_not_heard_of(desk: Desk) -> None:
    draft = desk.announcements.compose(OPERATOR, FESTIVAL, Selection(everyone=True))
    later = desk.announcements.compose(OPERATOR, GRANT, Selection(everyone=True), Plan(send_at=NOW + dt.timedelta(days=2)))
    desk.announcements.schedule(later.id, later.version, OPERATOR)
    desk.schedule.advance(desk.clock())
    assert not desk.told()
    desk.announcements.try_out(draft.id, OPERATOR, "discord:ueda")
    assert not any(desk.hears(chat) for chat in CHATS)
    desk.clock.now = NOW + dt.timedelta(days=2, minutes=1)
    desk.schedule.advance(desk.clock())
    assert desk.hears("discord:kofu") == ["居場所づくり助成"]


def test_a_withdrawn_one_is_gone_and_a_corrected_one_new_at_once(desk: Desk) -> None:
    first = desk.announce(FESTIVAL, Selection(everyone=True))
    second = desk.announce(NOTICE, Selection(everyone=True))
    assert len(desk.told()) == 2
    desk.announcements.correct(second.id, second.version, OPERATOR, replace(NOTICE, title="事務所の引っ越し(訂正)"))
    desk.announcements.withdraw(first.id, first.version, OPERATOR)
    assert desk.hears("discord:ueda") == ["事務所の引っ越し(訂正)"]
    whatever = desk.told.whatever(first.id)
    assert whatever
    assert whatever.state == "withdrawn"
    assert desk.told.of(first.id) is None


def test_of_a_correction_that_was_only_edited_answers_tell_too(desk: Desk) -> None:
    told = desk.announce(FESTIVAL, Selection(co_ops=("ueda",)))  # to a channel of Discord, where words can be changed
    desk.announcements.correct(told.id, told.version, OPERATOR, replace(FESTIVAL, text="屋台だけです。"))
    assert desk.told()[0].corrected is None  # nobody had seen the first words
    (taken,) = desk.deliveries.take_due("discord", desk.clock(), 5)
    desk.deliveries.settle([(taken, Outcome(Verdict.SENT, ("m",)))], desk.clock())
    desk.clock.now += dt.timedelta(days=1)
    held = desk.announcements.get(told.id, OPERATOR)
    desk.announcements.correct(told.id, held.version, OPERATOR, replace(FESTIVAL, text="盆おどりだけです。"))
    corrected = desk.told()[0]
    assert corrected.corrected == desk.clock()
    bulletin = Bulletin(desk.knowledge, desk.told, lambda _: "", desk.clock)
    assert "に訂正しました" in bulletin.document(corrected).passages[0].short
    report = desk.announcements.report(told.id, OPERATOR)
    assert (report.free, report.waiting) == (1, 0)


def test_rows_are_read_again_only_where_something_has_changed(desk: Desk) -> None:
    desk.announce(FESTIVAL, Selection(everyone=True))
    assert desk.told() is desk.told()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("standing")
    database = Database(f"sqlite:///{folder / 'yui.db'}")
    desk = _desk(database, folder)
    yield desk
    desk.knowledge.close()
    database.close()


SELECTIONS = st.builds(
    Selection,
    everyone=st.booleans(),
    co_ops=st.lists(st.sampled_from(sorted(CO_OPS)), max_size=2, unique=True).map(tuple),
    prefectures=st.lists(st.sampled_from(["長野県", "山梨県", "沖縄県"]), max_size=2, unique=True).map(tuple),
    fields=st.lists(st.sampled_from(["居場所", "配食"]), max_size=1).map(tuple),
    chats=st.lists(st.sampled_from(sorted(CHATS)), max_size=2, unique=True).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(SELECTIONS.filter(lambda s: not s.is_empty), st.sampled_from([(OPERATOR, ""), (UEDAS, "ueda")]))
def test_whoever_can_ask_was_meant_and_whoever_was_meant_can_ask(
    standing: Desk, selection: Selection, who: tuple[str, str]
) -> None:
    """The rule once more, as small as can be: a chat hears of what goes to it, and of what goes to its co-op."""
    by, own = who
    try:
        made = standing.announce(NOTICE, selection, by, own)
    except UserMistake:  # nobody is meant, or not this person's chats
        return
    found = next((a for a in standing.told() if a.id == made.id), None)
    for chat, co_op in CHATS.items():
        narrowed = selection.prefectures or selection.fields
        fits = bool(narrowed) and bool(co_op)
        fits = fits and (not selection.prefectures or any(CO_OPS[co_op].startswith(p) for p in selection.prefectures))
        fits = fits and (not selection.fields or ("配食" if co_op == "kofu" else "居場所") in selection.fields)
        meant = selection.everyone or chat in selection.chats or co_op in selection.co_ops or fits
        hears = found is not None and found.audience.meets(standing.members.audience(chat, group=True))
        assert hears == (meant and own in ("", co_op)), chat


def test_the_bulletin_follows_the_rows(desk: Desk) -> None:
    knowledge = desk.knowledge
    bulletin = Bulletin(knowledge, desk.told, lambda _: "", desk.clock)
    told = desk.announce(FESTIVAL, Selection(co_ops=("ueda",)))
    bulletin.follow()
    ueda, suzaka = Audience.of_member("ueda"), Audience.of_member("suzaka")
    assert knowledge.document(told.id, ueda)
    assert knowledge.document(told.id, suzaka) is None
    desk.announcements.withdraw(told.id, told.version, OPERATOR)
    bulletin.follow()
    assert knowledge.document(told.id, ueda) is None
    again = desk.announce(FESTIVAL, Selection(co_ops=("ueda",)))
    bulletin.follow()
    assert knowledge.document(again.id, ueda)
    desk.clock.now = dt.datetime.fromisoformat("2026-08-01T15:00:01+09:00")
    bulletin.follow()
    assert knowledge.document(again.id, ueda) is None


def test_pictures_that_no_announcement_has_are_removed_after_a_day(desk: Desk, tmp_path: Path) -> None:
    pictures = Pictures(tmp_path, "")
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "PNG")
    shown, replaced, withdrawn, new = (pictures.keep(out.getvalue()) for _ in range(4))
    told = desk.announcements.compose(OPERATOR, replace(NOTICE, picture=replaced), Selection(everyone=True))
    desk.announcements.change(told.id, told.version, OPERATOR, replace(NOTICE, picture=shown))
    gone = desk.announce(replace(NOTICE, picture=withdrawn), Selection(everyone=True))
    held = desk.announcements.get(gone.id, OPERATOR)
    desk.announcements.withdraw(held.id, held.version, OPERATOR)
    assert desk.told.is_withdrawn(gone.id)
    assert not desk.told.is_withdrawn(told.id)
    two_days_ago = time.time() - 2 * 24 * 3600
    for name in (shown, replaced, withdrawn):
        os.utime(tmp_path / name, (two_days_ago, two_days_ago))
    (tmp_path / "index.jpg").write_bytes(b"not a kept picture's name")
    os.utime(tmp_path / "index.jpg", (two_days_ago, two_days_ago))
    pictures.tidy(desk.told.pictures)
    assert {p.name for p in tmp_path.glob("*.jpg")} == {shown, new, "index.jpg"}
