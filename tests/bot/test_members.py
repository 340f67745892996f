"""Co-ops, links, roles, one-time codes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bot.errors import UserMistake
from bot.members import CoOp, Grant, Members, Outcome, Person, Purpose, Role, chat_key
from bot.store import Store
from knowledge import FEDERATION, PUBLIC, Database
from tests.fakes import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def members(database: Database, clock: FixedClock) -> Members:
    Store(database)
    found = Members(database, clock)
    found.put_co_op(CoOp("ueda", "労協うえだ", "長野県上田市", ("修繕",), 18, "労協", ("社協",)))
    return found


def test_a_profile_is_kept_and_changed(members: Members) -> None:
    assert members.co_op("ueda") == CoOp("ueda", "労協うえだ", "長野県上田市", ("修繕",), 18, "労協", ("社協",))
    members.put_co_op(CoOp("ueda", "労協うえだ", findable=False))
    assert [(c.size, c.findable) for c in members.co_ops()] == [(None, False)]


@pytest.mark.parametrize("wrong", ["", "Ueda", "うえだ", "a b", "-a", "a" * 61])
def test_an_id_that_cannot_be_is_refused(members: Members, wrong: str) -> None:
    with pytest.raises(UserMistake):
        members.put_co_op(CoOp(wrong, "名前"))


def test_a_group_is_linked_by_a_code_once(members: Members) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    assert members.redeem(code, "line:a", "line:g", group=True) == (Outcome.LINKED, "ueda")
    assert members.co_op_of("line:g") == "ueda"
    assert members.redeem(code, "line:a", "line:h", group=True)[0] is Outcome.WRONG
    assert members.co_op_of("line:h") is None
    assert members.co_op_of("discord:thread", within=("line:g",)) == "ueda"


def test_a_code_is_read_however_it_is_typed(members: Members) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    typed = "".join(chr(ord(c) + 0xFEE0) if c != "-" else "ー" for c in code.lower())
    assert members.redeem(f" {typed} ", "line:a", "line:g", group=True)[0] is Outcome.LINKED


def test_a_code_for_a_group_is_not_used_up_alone_with_the_bot(members: Members) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    assert members.redeem(code, "line:a", "line:a", group=False)[0] is Outcome.WRONG_PLACE
    assert members.redeem(code, "line:a", "line:g", group=True)[0] is Outcome.LINKED


def test_a_code_lives_a_day(members: Members, clock: FixedClock) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    clock.now += dt.timedelta(days=1, minutes=1)
    assert members.redeem(code, "line:a", "line:g", group=True)[0] is Outcome.WRONG


def test_guessing_is_throttled_and_forgiven_after_a_while(members: Members, clock: FixedClock) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    for _ in range(5):
        assert members.redeem("AAAA-AAAA", "line:a", "line:g", group=True)[0] is Outcome.WRONG
    assert members.redeem(code, "line:a", "line:g", group=True)[0] is Outcome.THROTTLED
    assert members.redeem(members.code(Purpose.LINK, co_op="ueda"), "line:b", "line:h", group=True)[0] is Outcome.LINKED
    clock.now += dt.timedelta(minutes=16)
    assert members.redeem(code, "line:a", "line:g", group=True)[0] is Outcome.LINKED


def test_codes_are_not_kept_as_they_are(members: Members, database: Database) -> None:
    code = members.code(Purpose.LINK, co_op="ueda")
    with database.read() as c:
        assert code.replace("-", "") not in str(c.exec_driver_sql("SELECT * FROM codes").all())


def test_a_code_for_a_co_op_that_is_not_there_is_not_made(members: Members) -> None:
    with pytest.raises(UserMistake):
        members.code(Purpose.LINK, co_op="nobody")


def test_a_chat_is_unlinked_once(members: Members) -> None:
    members.link("line:g", "ueda")
    assert members.unlink("line:g")
    assert not members.unlink("line:g")
    assert members.co_op_of("line:g") is None


def test_a_code_for_a_group_names_its_co_op(members: Members) -> None:
    with pytest.raises(UserMistake):
        members.code(Purpose.LINK, co_op="")


@pytest.mark.parametrize(("purpose", "more"), [(Purpose.LINK, {}), (Purpose.INVITE, {"role": "coordinator"})])
def test_a_code_ends_with_its_co_op(members: Members, purpose: Purpose, more: dict[str, str]) -> None:
    code = members.code(purpose, co_op="ueda", **more)
    members.remove_co_op("ueda")
    assert members.redeem(code, "line:a", "line:g", group=purpose is Purpose.LINK)[0] is Outcome.WRONG
    assert members.linked() == {}
    assert members.people() == []


def test_ones_own_code_is_for_the_other_account(members: Members) -> None:
    code = members.code(Purpose.MERGE, account="line:a")
    assert members.redeem(code, "line:a", "line:a", group=False)[0] is Outcome.OWN
    assert members.redeem(code, "discord:a", "discord:a", group=False)[0] is Outcome.MERGED


def test_an_admin_is_not_of_one_co_op(members: Members) -> None:
    for give in (
        lambda: members.give("line:a", Grant(Role.ADMIN, "ueda")),
        lambda: members.code(Purpose.INVITE, role="admin", co_op="ueda"),
    ):
        with pytest.raises(UserMistake):
            give()
    assert members.people() == []


@pytest.mark.parametrize(
    "wrong", [{"name": "あ" * 201}, {"name": "労協\nうえだ"}, {"size": -1}, {"size": 10**12}, {"fields": ("a\x00",)}]
)
def test_a_profile_that_does_not_fit_is_refused(members: Members, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserMistake):
        members.put_co_op(CoOp(**{"id": "ueda", "name": "労協うえだ", **wrong}))
    held = members.co_op("ueda")
    assert held is not None
    assert held.size == 18


def test_two_accounts_become_one_person_with_the_roles_of_both(members: Members) -> None:
    members.give("line:a", Grant(Role.MEMBER, "ueda"))
    members.give("discord:a", Grant(Role.COORDINATOR))
    members.give("discord:a", Grant(Role.MEMBER, "ueda"))
    code = members.code(Purpose.MERGE, account="line:a")
    assert members.redeem(code, "discord:a", "discord:a", group=False)[0] is Outcome.MERGED
    assert members.accounts_of("line:a") == ("line:a", "discord:a")
    assert members.grants("line:a") == members.grants("discord:a") == {Grant(Role.MEMBER, "ueda"), Grant(Role.COORDINATOR)}


def test_an_invitation_gives_a_role(members: Members) -> None:
    code = members.code(Purpose.INVITE, role="coordinator", co_op="ueda")
    assert members.redeem(code, "line:a", "line:a", group=False) == (Outcome.INVITED, "ueda")
    assert members.may_review("line:a", "ueda")
    assert not members.may_review("line:a", "other")
    assert not members.may_review("line:a", "")
    assert members.take("line:a", Grant(Role.COORDINATOR, "ueda"))
    assert not members.take("line:a", Grant(Role.COORDINATOR, "ueda"))
    assert not members.may_review("line:a", "ueda")


def test_who_may_hear_what(members: Members) -> None:
    members.link("line:g", "ueda")
    members.give("line:m", Grant(Role.MEMBER, "ueda"))
    members.give("line:p", Grant(Role.PARTNER, "ueda"))
    everything = {PUBLIC, FEDERATION, "coop:ueda"}
    assert members.audience("line:g", "line:x", group=True).keys == everything | {chat_key("line:g")}
    # What a person may see alone does not widen what a group hears.
    assert members.audience("line:h", "line:m", group=True).keys == {PUBLIC, chat_key("line:h")}
    assert members.audience("line:m", "line:m", group=False).keys == everything | {chat_key("line:m")}
    assert members.audience("line:p", "line:p", group=False).keys == {PUBLIC, chat_key("line:p")}
    assert members.audience("line:x", "line:x", group=False).keys == {PUBLIC, chat_key("line:x")}


def test_forgetting_a_person_takes_all_accounts_and_roles(members: Members) -> None:
    members.give("line:a", Grant(Role.MEMBER, "ueda"))
    members.redeem(members.code(Purpose.MERGE, account="line:a"), "discord:a", "discord:a", group=False)
    members.forget("discord:a")
    assert members.people() == []
    assert members.accounts_of("line:a") == ("line:a",)


def test_removing_a_co_op_takes_its_links_and_roles(members: Members) -> None:
    members.link("line:g", "ueda")
    members.give("line:a", Grant(Role.MEMBER, "ueda"))
    members.remove_co_op("ueda")
    assert members.co_op_of("line:g") is None
    assert members.grants("line:a") == frozenset()


def test_persons_come_with_all_accounts_and_roles(members: Members) -> None:
    members.give("line:a", Grant(Role.MEMBER, "ueda"))
    members.give("line:a", Grant(Role.ADMIN))
    members.redeem(members.code(Purpose.MERGE, account="line:a"), "discord:a", "discord:a", group=False)
    members.give("line:b", Grant(Role.PARTNER))
    members.give("api:c", Grant(Role.MEMBER, "ueda"))
    both = Person(("discord:a", "line:a"), frozenset({Grant(Role.MEMBER, "ueda"), Grant(Role.ADMIN)}))
    partner, program = (
        Person((a,), frozenset({g})) for a, g in (("line:b", Grant(Role.PARTNER)), ("api:c", Grant(Role.MEMBER, "ueda")))
    )

    def found(**which: Any) -> set[Person]:
        return set(members.persons(**which))

    assert found() == {both, partner, program}
    assert found(role=Role.ADMIN) == {both}
    assert found(co_op_id="ueda") == {both, program}
    assert found(co_op_id="") == {both, partner}
    assert found(account="discord:a") == {both}
    assert found(account="line:nobody") == set()
    assert members.people_by_co_op() == {"ueda": 2, "": 2}
    assert members.people_by_co_op(("api:",)) == {"ueda": 1, "": 2}


def test_dropping_an_account_leaves_the_roles_to_the_others(members: Members) -> None:
    members.give("line:a", Grant(Role.MEMBER, "ueda"))
    members.redeem(members.code(Purpose.MERGE, account="line:a"), "discord:a", "discord:a", group=False)
    members.drop("line:a")
    assert members.accounts_of("discord:a") == ("discord:a",)
    assert members.grants("discord:a") == {Grant(Role.MEMBER, "ueda")}
    assert members.grants("line:a") == frozenset()
    members.drop("discord:a")
    assert members.persons() == []
