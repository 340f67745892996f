"""Who comes to the desk: links, names, passwords, sessions, on both databases."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from bot.desk.links import LinkPurpose
from bot.desk.refusals import Refused
from bot.desk.sign_in import SignIn
from bot.members import CoOp, Grant, Members, Outcome, Purpose, Role
from bot.store import Store
from knowledge import Database
from tests.fakes import FixedClock

GOOD = "さくら 駅前 ラジオ"
CHROME, SAFARI = "Chrome on Linux", "Safari on a phone"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def members(database: Database, clock: FixedClock) -> Members:
    Store(database)
    found = Members(database, clock)
    found.put_co_op(CoOp("ueda", "労協うえだ"))
    found.put_co_op(CoOp("nagano", "労協ながの"))
    return found


@pytest.fixture
def desk(database: Database, members: Members, clock: FixedClock) -> SignIn:
    return SignIn(database, members, clock)


@pytest.fixture
def admin(desk: SignIn) -> str:
    token = desk.first_link()
    assert token
    return desk.redeem(token, "山田 花子", GOOD)


def joined(desk: SignIn, by: str, role: Role, co_op: str, name: str) -> str:
    return desk.redeem(desk.invite(by, role, co_op), name, GOOD)


def refused(key: str) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, check=lambda e: e.key == key)


def test_the_first_admin_comes_by_the_link_of_the_last_start(desk: SignIn, members: Members) -> None:
    members.give("cli:operator", Grant(Role.ADMIN))
    members.give("api:backup", Grant(Role.ADMIN))
    members.give("line:somebody", Grant(Role.ADMIN))
    older, newer = desk.first_link(), desk.first_link()
    assert older
    assert newer
    assert desk.link(older) is None
    offer = desk.link(newer)
    assert offer
    assert (offer.purpose, offer.role) == (LinkPurpose.FIRST, "admin")
    account = desk.redeem(newer, "山田 花子", GOOD)
    assert account.startswith("desk:")
    assert members.grants(account) == {Grant(Role.ADMIN)}
    assert desk.first_link() is None
    with refused("link_gone"):
        desk.redeem(newer, "別の人", GOOD)


def test_a_first_link_ends_when_somebody_else_has_become_admin(desk: SignIn, admin: str, members: Members) -> None:
    members.take(admin, Grant(Role.ADMIN))
    waiting = desk.first_link()
    assert waiting
    members.give(admin, Grant(Role.ADMIN))
    assert desk.link(waiting) is None


def test_an_invitation_gives_its_role_once_within_a_week(desk: SignIn, admin: str, members: Members, clock: FixedClock) -> None:
    token = desk.invite(admin, Role.COORDINATOR, "ueda")
    offer = desk.link(token)
    assert offer
    assert (offer.role, offer.co_op, offer.by) == ("coordinator", "ueda", "山田 花子")
    account = desk.redeem(token, "田中", GOOD)
    assert members.grants(account) == {Grant(Role.COORDINATOR, "ueda")}
    with refused("link_gone"):
        desk.redeem(token, "鈴木", GOOD)
    late = desk.invite(admin, Role.COORDINATOR, "ueda")
    clock.now += dt.timedelta(days=7, seconds=1)
    assert desk.link(late) is None
    past = desk.past(late)
    assert past
    assert past.by == "山田 花子"
    assert desk.past("nothing") is None


def test_who_may_invite_whom(desk: SignIn, admin: str) -> None:
    ueda = joined(desk, admin, Role.COORDINATOR, "ueda", "上田の係")
    federation = joined(desk, admin, Role.COORDINATOR, "", "連合の係")
    member = joined(desk, ueda, Role.MEMBER, "ueda", "上田の人")
    for by, role, co_op in (
        (ueda, Role.ADMIN, ""),
        (ueda, Role.COORDINATOR, ""),
        (ueda, Role.COORDINATOR, "nagano"),
        (ueda, Role.PARTNER, ""),
        (federation, Role.ADMIN, ""),
        (federation, Role.COORDINATOR, ""),
        (member, Role.MEMBER, "ueda"),
        ("desk:nobody", Role.MEMBER, "ueda"),
    ):
        with refused("not_allowed"):
            desk.invite(by, role, co_op)
    assert desk.invite(ueda, Role.PARTNER, "ueda")
    assert desk.invite(federation, Role.COORDINATOR, "nagano")
    with refused("not_there"):
        desk.invite(admin, Role.MEMBER, "nowhere")
    with refused("not_allowed"):
        desk.reset(ueda, member)


def test_an_invitation_dies_with_its_makers_right(desk: SignIn, admin: str, members: Members) -> None:
    ueda = joined(desk, admin, Role.COORDINATOR, "ueda", "上田の係")
    token = desk.invite(ueda, Role.MEMBER, "ueda")
    members.take(ueda, Grant(Role.COORDINATOR, "ueda"))
    assert desk.link(token) is None
    with refused("link_gone"):
        desk.redeem(token, "だれか", GOOD)


def test_invitations_wait_and_are_taken_back_by_who_may_make_them(desk: SignIn, admin: str) -> None:
    ueda = joined(desk, admin, Role.COORDINATOR, "ueda", "上田の係")
    token = desk.invite(admin, Role.MEMBER, "nagano")
    (waiting,) = desk.invitations()
    with refused("not_there"):
        desk.cancel(ueda, waiting.id)
    desk.cancel(admin, waiting.id)
    assert desk.invitations() == []
    assert desk.link(token) is None


def test_an_account_takes_a_second_role(desk: SignIn, admin: str, members: Members) -> None:
    ueda = joined(desk, admin, Role.COORDINATOR, "ueda", "上田の係")
    token = desk.invite(admin, Role.COORDINATOR, "nagano")
    desk.accept(token, ueda)
    assert members.grants(ueda) == {Grant(Role.COORDINATOR, "ueda"), Grant(Role.COORDINATOR, "nagano")}
    with refused("link_gone"):
        desk.accept(token, admin)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("あ", "name_short"),
        ("あ" * 41, "name_short"),
        ("   ", "name_short"),
        ("<b>太郎</b>", "name_letters"),
        ("太郎\x00花子", "name_letters"),
        ("--", "name_letters"),
        ("ヤマダ　花子", None),
        ("Nguyễn Văn An", None),
        ("김철수", None),
        ("O'Brien", None),
        ("組合・うえだ2", None),
    ],
)
def test_names_are_letters_of_any_script(desk: SignIn, name: str, key: str | None) -> None:
    token = desk.first_link()
    assert token
    if key is None:
        assert desk.redeem(token, name, GOOD)
        return
    with refused(key):
        desk.redeem(token, name, GOOD)
    assert desk.link(token), "a name that cannot be does not use the link up"


def test_a_name_is_one_however_it_is_written(desk: SignIn, admin: str) -> None:
    joined(desk, admin, Role.MEMBER, "ueda", "Tanaka Ｋｅｎ")
    for same in ("tanaka ken", "ＴＡＮＡＫＡ　ＫＥＮ", "TanakaKen"):
        with refused("name_taken"):
            joined(desk, admin, Role.MEMBER, "ueda", same)
    assert desk.sign_in("ｔａｎａｋａ ken", GOOD, CHROME, "::1")[1].name == "Tanaka Ken"


def test_one_name_is_given_to_one_of_many_at_once(desk: SignIn, admin: str) -> None:
    tokens = [desk.invite(admin, Role.MEMBER, "ueda") for _ in range(4)]
    outcomes: list[str] = []

    def join(token: str) -> None:
        try:
            desk.redeem(token, "ふたりの人", GOOD)
            outcomes.append("joined")
        except Refused as mistake:
            outcomes.append(mistake.key)

    threads = [threading.Thread(target=join, args=(t,)) for t in tokens]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(outcomes) == ["joined"] + ["name_taken"] * 3


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("短い", "password_short"),
        ("abc def", "password_short"),
        ("a b c", "password_short"),
        ("さくら さくら さくら", "password_short"),
        ("x" * 201, "password_long"),
        ("山田花子1234", "password_short"),
        ("山田花子山田花子山田花子", "password_name"),
        ("  やまだ はなこ 山田花子 ", None),
        ("aaaaaaaaaaaa", "password_common"),
        ("123456789012", "password_common"),
        ("210987654321", "password_common"),
        ("qwertyuiop12", "password_common"),
        ("Password2026!", "password_common"),
        ("ｐａｓｓｗｏｒｄ１２３４", "password_common"),
        ("Adminadmin123", "password_common"),
        ("朝市 みかん 自転車", "password_common"),
        ("kumiai to hatake", None),
        ("うえだの朝市は土曜の7時", None),
    ],
)
def test_a_password_that_can_be_guessed_is_refused_and_told_why(desk: SignIn, password: str, key: str | None) -> None:
    token = desk.first_link()
    assert token
    if key is None:
        assert desk.redeem(token, "山田 花子", password)
        return
    with refused(key) as caught:
        desk.redeem(token, "山田 花子", password)
    assert password not in str(caught.value)
    assert caught.value.said("en").isascii() or "“" in caught.value.said("en")


def test_a_password_typed_in_full_width_is_the_same(desk: SignIn, admin: str) -> None:
    token = desk.invite(admin, Role.MEMBER, "ueda")
    desk.redeem(token, "全角の人", "ｈａｔａｋｅ　ｎｏ　ａｓａ")
    assert desk.sign_in("全角の人", "hatake no asa", CHROME, "::1")


def test_neither_tokens_nor_passwords_are_kept(desk: SignIn, admin: str, database: Database) -> None:
    link, token = desk.invite(admin, Role.MEMBER, "ueda"), desk.sign_in("山田 花子", GOOD, CHROME, "::1")[0]
    with database.read() as c:
        held = "".join(
            str(c.exec_driver_sql(f"SELECT * FROM {t}").all())  # noqa: S608
            for t in ("desk_users", "desk_sessions", "desk_links")
        )
    assert admin in held
    for secret in (link, token, GOOD, GOOD.split()[0]):
        assert secret not in held


@pytest.mark.usefixtures("admin")
def test_wrong_names_and_wrong_passwords_are_told_alike(desk: SignIn) -> None:
    for name, password in (
        ("山田 花子", "まちがい です よね"),
        ("いない人", GOOD),
        ("山田 花子", ""),
        ("", ""),
        ("山田 花子", "x" * 5000),
    ):
        with refused("wrong"):
            desk.sign_in(name, password, CHROME, "::1")


@pytest.mark.usefixtures("admin")
def test_guessing_is_throttled_by_name_and_forgiven_after_a_while(desk: SignIn, clock: FixedClock) -> None:
    for n in range(5):
        with refused("wrong"):
            desk.sign_in("山田 花子", f"推測 です {n}", CHROME, f"10.0.0.{n}")
    with refused("throttled"):
        desk.sign_in("山田　花子", GOOD, CHROME, "10.0.0.9")
    clock.now += dt.timedelta(minutes=15, seconds=1)
    assert desk.sign_in("山田 花子", GOOD, CHROME, "10.0.0.9")


@pytest.mark.usefixtures("admin")
def test_guessing_is_throttled_by_address(desk: SignIn) -> None:
    for n in range(20):
        with refused("wrong"):
            desk.sign_in(f"だれか{n}", "推測 です よね", CHROME, "10.0.0.1")
    with refused("throttled"):
        desk.sign_in("山田 花子", GOOD, CHROME, "10.0.0.1")
    assert desk.sign_in("山田 花子", GOOD, CHROME, "10.0.0.2")


@pytest.mark.usefixtures("admin")
def test_who_signs_in_rightly_is_never_throttled(desk: SignIn) -> None:
    for _ in range(25):
        assert desk.sign_in("山田 花子", GOOD, CHROME, "10.0.0.1")


@pytest.mark.usefixtures("admin")
def test_many_guesses_at_once_are_counted_too(desk: SignIn) -> None:
    outcomes: list[str] = []

    def guess(n: int) -> None:
        try:
            desk.sign_in("山田 花子", f"推測 です {n}", CHROME, f"10.0.1.{n}")
        except Refused as mistake:
            outcomes.append(mistake.key)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(outcomes) == ["throttled"] * 4 + ["wrong"] * 5


@pytest.mark.usefixtures("admin")
def test_a_session_lasts_while_it_is_used_and_two_weeks_at_most(desk: SignIn, clock: FixedClock) -> None:
    token, session = desk.sign_in("山田 花子", GOOD, CHROME, "::1")
    assert desk.session(token, CHROME) == session
    for _ in range(30):
        clock.now += dt.timedelta(hours=11)
        assert desk.session(token, CHROME)
    clock.now += dt.timedelta(hours=7)
    assert desk.session(token, CHROME) is None
    assert desk.ended(token) == "expired"
    idle, _ = desk.sign_in("山田 花子", GOOD, CHROME, "::1")
    clock.now += dt.timedelta(hours=12, seconds=1)
    assert desk.session(idle, CHROME) is None


@pytest.mark.usefixtures("admin")
def test_a_stolen_session_ends_for_the_thief_and_the_holder_is_told(desk: SignIn) -> None:
    token, _ = desk.sign_in("山田 花子", GOOD, CHROME, "::1")
    other, _ = desk.sign_in("山田 花子", GOOD, SAFARI, "::1")
    assert desk.session(token, SAFARI) is None
    assert desk.session(token, CHROME) is None
    assert desk.ended(token) == "elsewhere"
    assert desk.session(other, SAFARI), "another session of the same person goes on"
    assert desk.session("", CHROME) is None
    assert desk.session("made up", CHROME) is None


def test_signing_out_and_ending_the_others(desk: SignIn, admin: str) -> None:
    mine, phone, old = (desk.sign_in("山田 花子", GOOD, b, "::1")[0] for b in (CHROME, SAFARI, SAFARI))
    assert [s.current for s in desk.sessions_of(admin, mine)].count(True) == 1
    desk.sign_out(old)
    assert desk.session(old, SAFARI) is None
    assert desk.end_all(admin, but=mine) == 1
    assert desk.session(phone, SAFARI) is None
    assert desk.session(mine, CHROME)
    assert desk.end_all(admin) == 1
    assert desk.sessions_of(admin) == []


def test_another_password_ends_the_other_sessions(desk: SignIn, admin: str) -> None:
    mine, phone = (desk.sign_in("山田 花子", GOOD, b, "::1")[0] for b in (CHROME, SAFARI))
    with refused("password_wrong"):
        desk.change_password(admin, "ちがう もの です", "みどり 畑 坂道", mine)
    with refused("password_short"):
        desk.change_password(admin, GOOD, "短い", mine)
    with refused("password_same"):
        desk.change_password(admin, GOOD, GOOD, mine)
    assert desk.session(phone, SAFARI)
    desk.change_password(admin, GOOD, "みどり 畑道 坂道", mine)
    assert desk.session(mine, CHROME)
    assert desk.session(phone, SAFARI) is None
    with refused("wrong"):
        desk.sign_in("山田 花子", GOOD, CHROME, "::1")
    assert desk.sign_in("山田 花子", "みどり 畑道 坂道", CHROME, "::1")


def test_the_present_password_cannot_be_guessed_either(desk: SignIn, admin: str) -> None:
    for _ in range(5):
        with refused("password_wrong"):
            desk.change_password(admin, "ちがう もの です", "みどり 畑道 坂道")
    with refused("throttled"):
        desk.change_password(admin, GOOD, "みどり 畑道 坂道")


def test_a_reset_sets_a_password_ends_sessions_and_opens_a_closed_door(desk: SignIn, admin: str, clock: FixedClock) -> None:
    ueda = joined(desk, admin, Role.COORDINATOR, "ueda", "上田の係")
    session, _ = desk.sign_in("上田の係", GOOD, CHROME, "::1")
    for _ in range(6):
        with pytest.RaisesExc(Refused):
            desk.sign_in("上田の係", "ちがう もの です", CHROME, "::1")
    older, token = desk.reset(admin, ueda), desk.reset(admin, ueda)
    assert desk.link(older) is None
    offer = desk.link(token)
    assert offer
    assert (offer.purpose, offer.name) == (LinkPurpose.RESET, "上田の係")
    assert desk.redeem(token, "", "みどり 畑道 坂道") == ueda
    assert desk.session(session, CHROME) is None
    assert desk.sign_in("上田の係", "みどり 畑道 坂道", CHROME, "::1")
    with refused("link_gone"):
        desk.redeem(token, "", "もう いちど だけ")
    late = desk.reset(admin, ueda)
    clock.now += dt.timedelta(days=1, seconds=1)
    assert desk.link(late) is None
    with refused("not_there"):
        desk.reset(admin, "line:somebody")


def test_choices_last(desk: SignIn, admin: str) -> None:
    desk.set_language(admin, "en")
    desk.set_guided(admin)
    session = desk.sign_in("山田 花子", GOOD, CHROME, "::1")[1]
    assert (session.language, session.guided) == ("en", True)


def test_one_person_with_line_and_the_desk(desk: SignIn, admin: str, members: Members) -> None:
    ueda = joined(desk, admin, Role.COORDINATOR, "ueda", "上田の係")
    members.give("line:a", Grant(Role.MEMBER, "ueda"))
    code = members.code(Purpose.MERGE, account=ueda)
    assert members.redeem(code, "line:a", "line:a", group=False)[0] is Outcome.MERGED
    assert members.grants(ueda) == members.grants("line:a") == {Grant(Role.MEMBER, "ueda"), Grant(Role.COORDINATOR, "ueda")}
    desk.remove(ueda)
    assert members.grants("line:a") == {Grant(Role.MEMBER, "ueda"), Grant(Role.COORDINATOR, "ueda")}
    assert members.grants(ueda) == frozenset()


def test_a_removed_account_keeps_nothing(desk: SignIn, admin: str, members: Members) -> None:
    ueda = joined(desk, admin, Role.COORDINATOR, "ueda", "上田の係")
    token, _ = desk.sign_in("上田の係", GOOD, CHROME, "::1")
    invitation = desk.invite(ueda, Role.MEMBER, "ueda")
    desk.remove(ueda)
    assert desk.session(token, CHROME) is None
    assert desk.link(invitation) is None
    assert members.grants(ueda) == frozenset()
    assert [u.name for u in desk.users()] == ["山田 花子"]


def test_forgetting_by_another_account_takes_the_desk_too(desk: SignIn, admin: str, members: Members) -> None:
    members.redeem(members.code(Purpose.MERGE, account=admin), "line:a", "line:a", group=False)
    desk.sign_in("山田 花子", GOOD, CHROME, "::1")
    desk.forget("line:a")
    members.forget("line:a")
    assert desk.users() == []
    assert desk.sessions_of(admin) == []
    assert desk.first_link(), "there is no admin any more"
