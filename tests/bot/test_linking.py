"""One-time codes typed in the chat, each outcome with its sentence."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from bot.announcing.chats import Chat, Chats
from bot.announcing.senders import Shape
from bot.linking import Linking
from bot.members import CoOp, Grant, Members, Purpose, Role
from bot.messages import Act, IncomingMessage, Place
from bot.store import Store
from bot.wording import LANGUAGES
from knowledge import Database
from tests.fakes import FixedClock

GROUP, ONE, OTHER = "line:group", "line:one", "discord:one"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def database(sqlite: Database) -> Database:
    return sqlite


@pytest.fixture
def linking(members: Members, database: Database, clock: FixedClock) -> Linking:
    return Linking(members, Chats(database, members, clock))


@pytest.fixture
def members(database: Database, clock: FixedClock) -> Members:
    Store(database)
    found = Members(database, clock)
    found.put_co_op(CoOp("ueda", "労協うえだ"))
    return found


def said(linking: Linking, text: str, sender: str = ONE, *, group: bool = False) -> str | None:
    message = IncomingMessage(GROUP if group else sender, text, sender, group=group)
    reply = linking.take(message, "ja")
    if reply is not None:
        assert reply.act is Act.OTHER
        assert reply.answer["text"] == reply.text
    return reply.text if reply else None


@pytest.mark.parametrize("form", ["連携 {}", "連携　{}", "れんけい:{}", "link {}", "連携コード {}", "連携{}"])
def test_a_code_links_a_group_however_it_is_typed(members: Members, linking: Linking, form: str) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    for typed in (code.lower(), code.translate({ord(c): ord(c) + 0xFEE0 for c in code})):
        text = said(linking, form.format(typed), group=True)
        assert text is not None
        assert "労協うえだ" in text or "使えません" in text  # the second time it has been used
    assert members.co_op_of(GROUP) == "ueda"


def test_a_code_works_once_and_for_a_day(members: Members, linking: Linking, clock: FixedClock) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    assert "労協うえだ" in str(said(linking, f"連携 {code}", group=True))
    assert "使えません" in str(said(linking, f"連携 {code}", group=True))
    late = members.code(Purpose.LINK, co_op="ueda")
    clock.now += dt.timedelta(days=1)
    assert "使えません" in str(said(linking, f"連携 {late}", group=True))


def test_an_invitation_is_taken_alone_with_the_bot(members: Members, linking: Linking) -> None:
    code = members.code(Purpose.INVITE, role="coordinator", co_op="ueda")
    assert "まだ使えます" in str(said(linking, f"連携 {code}", group=True))
    assert "労協うえだ" in str(said(linking, f"連携 {code}"))
    assert members.grants(ONE) == {Grant(Role.COORDINATOR, "ueda")}
    everywhere = members.code(Purpose.INVITE, role="admin", co_op="")
    assert said(linking, f"連携 {everywhere}") == "登録しました。"


def test_two_accounts_become_one_person(members: Members, linking: Linking) -> None:
    told = said(linking, "連携コード")
    assert told is not None
    code = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", told)
    assert code is not None
    assert "もうひとつのアカウントから" in str(said(linking, f"連携 {code.group()}"))  # typed where it was shown: it stays valid
    assert "ひとりの人" in str(said(linking, f"連携コードは {code.group()} です", OTHER))
    assert set(members.accounts_of(ONE)) == {ONE, OTHER}


def test_a_code_is_not_shown_to_a_group(linking: Linking) -> None:
    told = said(linking, "連携コード", group=True)
    assert told is not None
    assert not re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", told)
    assert "1対1" in told


def test_guessing_is_slowed_down(members: Members, linking: Linking, clock: FixedClock) -> None:
    answers = [said(linking, f"連携 AAAA-22{n:02}") for n in range(7)]
    assert "使えません" in str(answers[0])
    assert "15分" in str(answers[-1])
    code = members.code(Purpose.INVITE, role="admin", co_op="")
    assert "15分" in str(said(linking, f"連携 {code}"))
    clock.now += dt.timedelta(minutes=16)
    assert said(linking, f"連携 {code}") == "登録しました。"


@pytest.mark.parametrize(
    "text", ["連携について教えて", "社協との連携は?", "連携", "連携 " + "A" * 5000, "ABCD-2345", "", "連携 うえだ"]
)
def test_what_is_no_code_is_left_to_others(linking: Linking, text: str) -> None:
    assert said(linking, text) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_sentences(members: Members, linking: Linking, language: str) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    linked = linking.take(IncomingMessage(GROUP, f"連携 {code}", ONE, group=True), language)
    assert linked is not None
    assert "労協うえだ" in linked.text
    new = linking.take(IncomingMessage(ONE, "連携コード", ONE), language)
    assert new is not None
    assert "連携 " in new.text


def test_a_linked_channel_is_known_as_a_place_to_announce_into(
    members: Members, linking: Linking, database: Database, clock: FixedClock
) -> None:
    wrong, code = members.code(Purpose.MERGE, account=OTHER), members.code(Purpose.LINK, co_op="ueda")
    forum = Place("discord:forum", "123", "forum", "お知らせ板")
    places: list[Chat] = []
    for typed, found in ((wrong, 0), (code, 1)):
        message = IncomingMessage(GROUP, f"連携 {typed}", ONE, group=True, platform="discord", place=forum)
        assert linking.take(message, "ja") is not None
        places = Chats(database, members, clock).all()
        assert len(places) == found
    assert places == [Chat("discord:forum", "discord", "123", Shape.FORUM, "ueda", "お知らせ板")]
    linking.left("discord:forum")
    assert Chats(database, members, clock).all() == []
    assert members.linked() == {}


def test_people_can_be_told_once_they_have_a_role(
    members: Members, linking: Linking, database: Database, clock: FixedClock
) -> None:
    chats, alone = Chats(database, members, clock), Place(ONE, "U1", "chat")
    linking.take(IncomingMessage(ONE, "連携コード", ONE, platform="line", place=alone), "ja")
    assert chats.all() == []
    code = members.code(Purpose.INVITE, role="member", co_op="ueda")
    linking.take(IncomingMessage(ONE, f"連携 {code}", ONE, platform="line", place=alone), "ja")
    assert chats.all() == [Chat(ONE, "line", "U1", Shape.CHAT, alone=True)]
