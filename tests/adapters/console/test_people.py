"""組合と人 over real HTTP: co-ops, groups, roles, invitations, and coordinators of two co-ops trying each other's addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bot.members import CoOp, Grant, Role
from tests.adapters.console.conftest import (
    ADMIN,
    BROWSER,
    FEDERATION,
    OF_SUZAKA,
    OF_UEDA,
    PASSWORD,
    SUZAKA,
    UEDA,
    Desk,
    Person,
    needs_browser,
    violations,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

SCRIPT = "<script>alert(1)</script>"
PROFILE = {
    "id": "iida",
    "name": "いいだ組合",
    "place": "長野県飯田市",
    "fields": "弁当、配食\n農園",
    "size": "18",
    "findable": "yes",
}


def shown_code(page: httpx.Response) -> str:
    found = re.search(r"連携 ([A-Z0-9]{4}-[A-Z0-9]{4})", page.text)
    assert found
    return found[1]


def shown_link(page: httpx.Response) -> str:
    found = re.search(r"/console/link\?token=([\w-]+)", page.text)
    assert found
    return found[1]


def actions(person: Person, desk: Desk) -> list[str]:
    return [d.action for d in desk.yui.audit.entries(person.account, by=person.account)]


def told(role: Role, co_op: str, account: str) -> str:
    """What a button that gives or takes a role sends."""
    return f"{role.value} {co_op or '-'} {account}"


# co-ops


def test_a_co_op_is_added_changed_and_removed(desk: Desk) -> None:
    admin = desk.person("組合を世話する人", ADMIN)
    added = admin.press("/console/people/new", **PROFILE)
    assert added.headers["location"].startswith("/console/people/co-op?id=iida&")
    assert desk.yui.members.co_op("iida") == CoOp(
        "iida", "いいだ組合", "長野県飯田市", ("弁当", "配食", "農園"), 18, "", (), findable=True
    )
    changed = {**PROFILE, "size": "", "legal_form": "労働者協同組合", "partners": "社協", "findable": ""}
    assert admin.press("/console/people/co-op/change", **changed).status_code == 303
    co_op = desk.yui.members.co_op("iida")
    assert co_op
    assert (co_op.size, co_op.partners, co_op.findable) == (None, ("社協",), False)
    desk.yui.members.link("line:iida-group", "iida")
    look = admin.get("/console/people/co-op/remove", params={"id": "iida"})
    assert "つないだグループ 1 がはずれます" in look.text
    assert admin.press("/console/people/co-op/remove", id="iida").status_code == 303
    assert desk.yui.members.co_op("iida") is None
    assert {"co_op.add", "co_op.change", "co_op.remove"} <= set(actions(admin, desk))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"id": "いいだ"}, "英小文字"),
        ({"id": UEDA}, "もうあります"),
        ({"name": " "}, "名前を入れて"),
        ({"size": "十八"}, "数字で"),
        ({"size": "-1"}, "数字で"),
        ({"place": "長" * 201}, "長すぎる"),
        ({"fields": "\n".join(f"分野{n}" for n in range(51))}, "50まで"),
    ],
)
def test_what_cannot_be_keeps_what_was_typed(desk: Desk, wrong: dict[str, str], said: str) -> None:
    admin = desk.person("まちがえる人", ADMIN)
    refused = admin.press("/console/people/new", **{**PROFILE, "id": "new-one", "partners": "残るはずの社協", **wrong})
    assert refused.status_code == 422
    assert said in refused.text
    assert "残るはずの社協" in refused.text
    assert desk.yui.members.co_op("new-one") is None


def test_script_in_every_field_stays_text(desk: Desk) -> None:
    admin = desk.person("いたずらされる人", ADMIN)
    fields = dict.fromkeys(("name", "place", "fields", "legal_form", "partners"), SCRIPT)
    assert admin.press("/console/people/new", id="script", size="3", **fields).status_code == 303
    for path in ("/console/people", "/console/people/co-op?id=script", "/console/people/co-op/change?id=script", "/console/log"):
        page = admin.get(path)
        assert page.status_code == 200
        assert SCRIPT not in page.text
        assert "&lt;script&gt;" in page.text
    for path, sent in (
        ("/console/people/give", {"account": SCRIPT, "role": "member", "co_op": SCRIPT}),
        ("/console/people/take", {"value": f"member {SCRIPT} {SCRIPT}"}),
        ("/console/people/unlink", {"co_op": "script", "chat": SCRIPT}),
        ("/console/people/link", {"value": f"script {SCRIPT}"}),
        ("/console/people/cancel", {"id": SCRIPT}),
        ("/console/people/reset", {"account": SCRIPT}),
        ("/console/people/give-back", {"value": f"member script {SCRIPT}"}),
    ):
        answer = admin.press(path, **sent)
        assert SCRIPT not in answer.text
        assert answer.status_code in (303, 404), path
    desk.yui.members.remove_co_op("script")


# groups


def test_a_group_is_linked_by_words_shown_once_and_unlinked_with_undo(desk: Desk) -> None:
    person = desk.person("グループをつなぐ人", OF_UEDA)
    shown = person.press("/console/people/link-code", co_op=UEDA)
    assert "@ボット 連携 " in shown.text
    code = shown_code(shown)
    desk.yui.members.redeem(code, "line:x", "line:people-group", group=True)
    page = person.get("/console/people/co-op", params={"id": UEDA})
    assert code not in page.text
    assert "LINEのグループ(記号の終わり roup)" in page.text
    gone = person.press("/console/people/unlink", co_op=UEDA, chat="line:people-group")
    assert desk.yui.members.co_op_of("line:people-group") is None
    after = person.get(gone.headers["location"])
    value = re.search(r'action="/console/people/link".*?name="value" value="([^"]+)"', after.text)
    assert value
    assert person.press("/console/people/link", value=value[1]).status_code == 303
    assert desk.yui.members.co_op_of("line:people-group") == UEDA
    desk.yui.members.link("line:people-group", SUZAKA)
    assert person.press("/console/people/unlink", co_op=UEDA, chat="line:people-group").status_code == 404
    assert person.press("/console/people/link", value=f"{UEDA} line:people-group").status_code == 404
    assert desk.yui.members.co_op_of("line:people-group") == SUZAKA
    desk.yui.members.unlink("line:people-group")


# roles


def test_roles_are_given_and_taken_with_undo(desk: Desk) -> None:
    admin, other = desk.person("役割を渡す人", ADMIN), desk.person("役割をもらう人", OF_UEDA)
    assert admin.press("/console/people/give", account=other.account, role="coordinator", co_op=SUZAKA).status_code == 303
    assert desk.yui.members.grants(other.account) == {OF_UEDA, OF_SUZAKA}
    taken = admin.press("/console/people/take", value=told(Role.COORDINATOR, SUZAKA, other.account))
    assert desk.yui.members.grants(other.account) == {OF_UEDA}
    page = admin.get(taken.headers["location"])
    assert 'action="/console/people/give-back"' in page.text
    admin.press("/console/people/give-back", value=told(Role.COORDINATOR, SUZAKA, other.account))
    assert desk.yui.members.grants(other.account) == {OF_UEDA, OF_SUZAKA}
    for role, co_op, said in (("", UEDA, "役割を選んで"), ("member", "", "組合を選んで"), ("member", "nowhere", "見つかりません")):
        refused = admin.press("/console/people/give", account=other.account, role=role, co_op=co_op)
        assert refused.status_code == 422
        assert said in refused.text
    assert {"role.give", "role.take"} <= set(actions(admin, desk))


def test_the_last_admin_stays(desk: Desk) -> None:
    last = desk.person("最後の管理者", ADMIN)
    others = [p for p in desk.yui.members.persons() if ADMIN in p.grants and not {last.account, "cli:tests"} & set(p.accounts)]
    for person in others:
        desk.yui.members.take(person.accounts[0], ADMIN)
    try:
        refused = last.press("/console/people/take", value=told(Role.ADMIN, "", last.account))
        assert refused.status_code == 422
        assert "ひとりもいなくなる" in refused.text
        assert last.press("/console/people/remove-account", account=last.account).status_code == 422
        assert desk.yui.members.grants(last.account) == {ADMIN}
        second = desk.person("次の管理者", ADMIN)
        assert last.press("/console/people/take", value=told(Role.ADMIN, "", last.account)).status_code == 303
        assert last.get("/console/people").status_code == 403
        assert second.get("/console/people").status_code == 200
    finally:
        for person in others:
            desk.yui.members.give(person.accounts[0], ADMIN)


def test_people_of_line_are_named_by_a_sign_and_programs_are_no_people(desk: Desk) -> None:
    desk.yui.members.give("line:pseudonymWXYZ", Grant(Role.MEMBER, UEDA))
    desk.yui.members.give("api:a-program", Grant(Role.MEMBER, UEDA))
    person = desk.person("名前を見る人", OF_UEDA)
    page = person.get("/console/people/co-op", params={"id": UEDA}).text
    assert "LINEの人(記号の終わり WXYZ)" in page
    assert "a-program" not in page


# invitations


def test_a_link_is_shown_once_listed_and_withdrawn(desk: Desk) -> None:
    person = desk.person("招く人", OF_UEDA)
    shown = person.press("/console/people/invite", role="coordinator", co_op=UEDA, way="link")
    token = shown_link(shown)
    assert desk.yui.sign_in.link(token)
    page = person.get("/console/people/co-op", params={"id": UEDA})
    assert token not in page.text
    link_id = re.search(r'action="/console/people/cancel".*?name="id" value="(\w+)"', page.text)
    assert link_id
    stranger = desk.person("すざかの係", OF_SUZAKA)
    assert stranger.press("/console/people/cancel", id=link_id[1]).status_code == 404
    assert person.press("/console/people/cancel", id=link_id[1]).status_code == 303
    assert desk.yui.sign_in.link(token) is None
    assert {"invite.link", "invite.cancel"} <= set(actions(person, desk))


def test_a_code_gives_a_role_in_the_chat(desk: Desk) -> None:
    person = desk.person("コードで招く人", OF_UEDA)
    code = shown_code(person.press("/console/people/invite", role="partner", co_op=UEDA, way="code"))
    desk.yui.members.redeem(code, "line:shakyo", "line:shakyo", group=False)
    assert desk.yui.members.grants("line:shakyo") == {Grant(Role.PARTNER, UEDA)}
    refused = person.press("/console/people/invite", role="member", co_op=UEDA, way="link")
    assert refused.status_code == 422
    assert "LINEやDiscordで使うコード" in refused.text
    nothing = person.press("/console/people/invite", co_op=UEDA, way="link")
    assert nothing.status_code == 422
    assert "役割を選んで" in nothing.text


# accounts of the desk


def test_an_admin_resets_ends_sessions_and_removes(desk: Desk) -> None:
    admin, other = desk.person("なおす管理者", ADMIN), desk.person("こまった係", OF_UEDA)
    token = shown_link(admin.press("/console/people/reset", account=other.account))
    offer = desk.yui.sign_in.link(token)
    assert offer
    assert offer.name == "こまった係"
    assert admin.press("/console/people/end-sessions", account=other.account).status_code == 303
    assert other.get("/console/people").status_code == 303
    assert admin.press("/console/people/remove-account", account=other.account).status_code == 303
    assert desk.yui.members.grants(other.account) == frozenset()
    assert admin.get("/console/people/person", params={"account": other.account}).status_code == 404
    assert {"account.reset_link", "account.end_sessions", "account.remove"} <= set(actions(admin, desk))


# who may not


def test_two_co_ops_neither_see_nor_touch_each_other(desk: Desk) -> None:
    ueda, suzaka = desk.person("うえだの係", OF_UEDA), desk.person("すざかの係2", OF_SUZAKA)
    desk.yui.members.link("line:suzaka-only", SUZAKA)
    for path in (
        f"/console/people/co-op?id={SUZAKA}",
        f"/console/people/co-op/change?id={SUZAKA}",
        f"/console/people/co-op/remove?id={SUZAKA}",
        f"/console/people/co-op/remove?id={UEDA}",
        f"/console/people/person?account={suzaka.account}",
        "/console/people/new",
        "/console/people/co-op?id=nowhere",
    ):
        assert ueda.get(path).status_code == 404, path
    tries: list[tuple[str, dict[str, Any]]] = [
        ("co-op/change", {"id": SUZAKA, "name": "うばった"}),
        ("co-op/remove", {"id": SUZAKA}),
        ("co-op/remove", {"id": UEDA}),
        ("link-code", {"co_op": SUZAKA}),
        ("unlink", {"co_op": SUZAKA, "chat": "line:suzaka-only"}),
        ("unlink", {"co_op": UEDA, "chat": "line:suzaka-only"}),
        ("link", {"value": f"{SUZAKA} line:another"}),
        ("link", {"value": f"{UEDA} line:suzaka-only"}),
        ("give", {"account": suzaka.account, "role": "member", "co_op": UEDA}),
        ("take", {"value": told(Role.COORDINATOR, SUZAKA, suzaka.account)}),
        ("give-back", {"value": told(Role.COORDINATOR, SUZAKA, ueda.account)}),
        ("give-back", {"value": told(Role.ADMIN, "", ueda.account)}),
        ("invite", {"role": "coordinator", "co_op": SUZAKA, "way": "link"}),
        ("invite", {"role": "partner", "co_op": "", "way": "code"}),
        ("invite", {"role": "admin", "co_op": "", "way": "link"}),
        ("reset", {"account": suzaka.account}),
        ("reset", {"account": ueda.account}),
        ("end-sessions", {"account": suzaka.account}),
        ("remove-account", {"account": suzaka.account}),
    ]
    before = len(actions(ueda, desk))
    for what, sent in tries:
        answer = ueda.press(f"/console/people/{what}", **sent)
        assert answer.status_code == 404, (what, sent, answer.text)
        assert "すざか" not in answer.text
    assert ueda.press("/console/people/invite", role="admin", co_op=UEDA, way="link").status_code == 422
    assert ueda.press("/console/people/give", account=ueda.account, role="admin", co_op="").status_code == 422
    assert ueda.press("/console/people/give", account=ueda.account, role="coordinator", co_op=SUZAKA).status_code == 422
    assert len(actions(ueda, desk)) == before, "what was refused is no deed"
    overview = ueda.get("/console/people").text
    assert "うえだ組合" in overview
    assert "すざか" not in overview
    assert "すざか" not in ueda.get("/console/log").text
    assert desk.yui.members.grants(ueda.account) == {OF_UEDA}
    assert desk.yui.members.grants(suzaka.account) == {OF_SUZAKA}
    assert desk.yui.members.co_op_of("line:suzaka-only") == SUZAKA
    assert suzaka.get("/console/people").status_code == 200


def test_a_coordinator_of_the_federation_makes_neither_admins_nor_their_like(desk: Desk) -> None:
    federation = desk.person("連合の係", FEDERATION)
    assert federation.get("/console/people/new").status_code == 200
    assert shown_link(federation.press("/console/people/invite", role="coordinator", co_op=SUZAKA, way="link"))
    for role in ("admin", "coordinator"):
        refused = federation.press("/console/people/invite", role=role, co_op="", way="link")
        assert refused.status_code == 422
        assert "あなたの役割では" in refused.text
    admin = desk.person("はずされない管理者", ADMIN)
    refused = federation.press("/console/people/take", value=told(Role.ADMIN, "", admin.account))
    assert refused.status_code == 422
    assert ADMIN in desk.yui.members.grants(admin.account)


def test_a_forged_form_does_nothing(desk: Desk) -> None:
    admin = desk.person("だまされない人", ADMIN)
    other = desk.person("別の管理者", ADMIN)
    for path, sent in (
        ("/console/people/new", {**PROFILE, "id": "forged"}),
        ("/console/people/invite", {"role": "admin", "way": "link"}),
        ("/console/people/reset", {"account": other.account}),
    ):
        assert admin.post(path, data=sent).status_code == 403
        assert admin.post(path, data={**sent, "csrf": other.csrf}).status_code == 403
        evil = {"origin": "https://evil.example"}
        assert admin.post(path, data={**sent, "csrf": admin.csrf}, headers=evil).status_code == 403
    assert desk.yui.members.co_op("forged") is None


def test_nobody_without_a_session(desk: Desk) -> None:
    with httpx.Client(base_url=desk.address, headers={"user-agent": BROWSER}) as stranger:
        assert stranger.get("/console/people").headers["location"].startswith("/console/sign-in?to=")
        assert stranger.post("/console/people/new", data=PROFILE).status_code == 401
    assert desk.yui.members.co_op("iida") is None


# looked at


@pytest.mark.long
@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_in_a_browser(desk: Desk, window: Callable[..., BrowserContext], width: int, language: str) -> None:
    desk.yui.members.link("line:seen-group", UEDA)
    desk.yui.members.give("line:seen", Grant(Role.MEMBER, UEDA))
    account, _ = desk.session(f"見られる係 {width} {language}", OF_UEDA)
    page = window(f"見る管理者 {width} {language}", ADMIN, width=width, language=language).new_page()
    for address in (
        "/console/people",
        "/console/people/new",
        f"/console/people/co-op?id={UEDA}",
        f"/console/people/co-op/change?id={UEDA}",
        f"/console/people/co-op/remove?id={UEDA}",
        f"/console/people/person?account={account}",
        "/console/log",
    ):
        answer = page.goto(address)
        assert answer
        assert answer.status == 200, address
        assert len(answer.body()) < 100_000
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.goto(f"/console/people/co-op?id={UEDA}")
    page.locator("input[value=coordinator]").check()
    page.locator("button[value=link]").click()
    assert page.get_by_text("/console/link?token=").count() == 1
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto("/console/people/new")
    page.locator("#id").fill("いいだ")
    page.locator("#name").fill("いいだ組合")
    page.locator("main button.first").click()
    assert page.locator("#name").input_value() == "いいだ組合"
    assert violations(page) == []
    own = window(f"うえだだけの係 {width} {language}", OF_UEDA, width=width, language=language).new_page()
    own.goto("/console/people")
    assert violations(own) == []


@needs_browser
@pytest.mark.browser
def test_without_scripts_everything_is_a_form(window: Callable[..., BrowserContext]) -> None:
    page = window("スクリプトなしの人", OF_UEDA, scripts=False).new_page()
    page.goto(f"/console/people/co-op?id={UEDA}")
    page.locator("form[action='/console/people/link-code'] button").click()
    assert page.get_by_text("@ボット 連携").count() == 1
    assert PASSWORD not in page.content()
