"""One-time codes typed in the chat, each outcome with its sentence."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from bot.linking import Linking
from bot.members import CoOp, Grant, Members, Purpose, Role
from bot.messages import Act, IncomingMessage
from bot.store import Store
from bot.wording import LANGUAGES
from knowledge import Database
from tests.fakes import FixedClock

GROUP, ONE, OTHER = "line:group", "line:one", "discord:one"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def members(tmp_path: Path, clock: FixedClock) -> Members:
    database = Database(f"sqlite:///{tmp_path / 'yui.db'}")
    Store(database)
    found = Members(database, clock)
    found.put_co_op(CoOp("ueda", "労協うえだ"))
    return found


def said(members: Members, text: str, sender: str = ONE, *, group: bool = False) -> str | None:
    message = IncomingMessage(GROUP if group else sender, text, sender, group=group)
    reply = Linking(members).take(message, "ja")
    if reply is not None:
        assert reply.act is Act.OTHER
        assert reply.answer["text"] == reply.text
    return reply.text if reply else None


@pytest.mark.parametrize("form", ["連携 {}", "連携　{}", "れんけい:{}", "link {}", "連携コード {}", "連携{}"])
def test_a_code_links_a_group_however_it_is_typed(members: Members, form: str) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    for typed in (code.lower(), code.translate({ord(c): ord(c) + 0xFEE0 for c in code})):
        text = said(members, form.format(typed), group=True)
        assert text is not None
        assert "労協うえだ" in text or "使えません" in text  # the second time it has been used
    assert members.co_op_of(GROUP) == "ueda"


def test_a_code_works_once_and_for_a_day(members: Members, clock: FixedClock) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    assert "労協うえだ" in str(said(members, f"連携 {code}", group=True))
    assert "使えません" in str(said(members, f"連携 {code}", group=True))
    late = members.code(Purpose.LINK, co_op="ueda")
    clock.now += dt.timedelta(days=1)
    assert "使えません" in str(said(members, f"連携 {late}", group=True))


def test_an_invitation_is_taken_alone_with_the_bot(members: Members) -> None:
    code = members.code(Purpose.INVITE, role="coordinator", co_op="ueda")
    assert "まだ使えます" in str(said(members, f"連携 {code}", group=True))
    assert "労協うえだ" in str(said(members, f"連携 {code}"))
    assert members.grants(ONE) == {Grant(Role.COORDINATOR, "ueda")}
    everywhere = members.code(Purpose.INVITE, role="admin", co_op="")
    assert said(members, f"連携 {everywhere}") == "登録しました。"


def test_two_accounts_become_one_person(members: Members) -> None:
    told = said(members, "連携コード")
    assert told is not None
    code = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", told)
    assert code is not None
    assert "ひとりの人" in str(said(members, f"連携 {code.group()}", OTHER))
    assert set(members.accounts_of(ONE)) == {ONE, OTHER}


def test_a_code_is_not_shown_to_a_group(members: Members) -> None:
    told = said(members, "連携コード", group=True)
    assert told is not None
    assert not re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", told)
    assert "1対1" in told


def test_guessing_is_slowed_down(members: Members, clock: FixedClock) -> None:
    answers = [said(members, f"連携 AAAA-22{n:02}") for n in range(7)]
    assert "使えません" in str(answers[0])
    assert "15分" in str(answers[-1])
    code = members.code(Purpose.INVITE, role="admin", co_op="")
    assert "15分" in str(said(members, f"連携 {code}"))
    clock.now += dt.timedelta(minutes=16)
    assert said(members, f"連携 {code}") == "登録しました。"


@pytest.mark.parametrize(
    "text", ["連携について教えて", "社協との連携は?", "連携", "連携 " + "A" * 5000, "ABCD-2345", "", "連携 うえだ"]
)
def test_what_is_no_code_is_left_to_others(members: Members, text: str) -> None:
    assert said(members, text) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_sentences(members: Members, language: str) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    linking = Linking(members)
    linked = linking.take(IncomingMessage(GROUP, f"連携 {code}", ONE, group=True), language)
    assert linked is not None
    assert "労協うえだ" in linked.text
    new = linking.take(IncomingMessage(ONE, "連携コード", ONE), language)
    assert new is not None
    assert "連携 " in new.text
