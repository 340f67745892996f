"""In and out of the desk over real HTTP: signing in, one-time links, one's own account, and those who try to get in otherwise."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bot.members import Grant, Purpose, Role
from tests.adapters.console.conftest import ADMIN, BROWSER, OF_SUZAKA, OF_UEDA, PASSWORD, UEDA, Desk, needs_browser, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

SCRIPT = "<script>alert(1)</script>"
NEW = "みどり 畑道 坂道"


@pytest.fixture
def stranger(desk: Desk) -> Iterator[httpx.Client]:
    """Somebody who has not signed in, with a browser."""
    with httpx.Client(base_url=desk.address, timeout=30, headers={"user-agent": BROWSER, "accept-language": "ja"}) as client:
        yield client


def own(page: httpx.Response) -> str:
    """What the form of a page carries so that no other page can send it."""
    found = re.search(r'name="own" value="([^"]+)"', page.text)
    assert found
    return found[1]


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD, to: str = "") -> httpx.Response:
    form = client.get("/console/sign-in", params={"to": to})
    return client.post("/console/sign-in", data={"own": own(form), "name": name, "password": password, "to": to})


def follow(client: httpx.Client, token: str, name: str, password: str = PASSWORD, again: str | None = None) -> httpx.Response:
    form = client.get("/console/link", params={"token": token})
    data = {"own": own(form), "token": token, "name": name, "password": password, "again": password if again is None else again}
    return client.post("/console/link", data=data)


def invitation(desk: Desk, role: Role = Role.COORDINATOR, co_op: str = UEDA, by: str = "cli:tests") -> str:
    desk.yui.members.give("cli:tests", ADMIN)
    return desk.yui.sign_in.invite(by, role, co_op)


# signing in


def test_who_signs_in_goes_where_they_wanted(desk: Desk, stranger: httpx.Client) -> None:
    account, _ = desk.session("入る人", OF_UEDA)
    sent = stranger.get("/console/people", follow_redirects=False)
    assert sent.status_code == 303
    assert sent.headers["location"] == "/console/sign-in?to=%2Fconsole%2Fpeople"
    inside = sign_in(stranger, "入る人", to="/console/people")
    assert (inside.status_code, inside.headers["location"]) == (303, "/console/people")
    cookie = next(c for c in inside.headers.get_list("set-cookie") if c.startswith("yui_desk="))
    assert {"HttpOnly", "SameSite=lax", "Path=/console"} <= {p.strip() for p in cookie.split(";")}
    assert "Secure" not in cookie
    assert stranger.get("/console/people").status_code == 200
    assert stranger.get("/console/sign-in", follow_redirects=False).status_code == 303
    assert ("account.sign_in", account) in [(d.action, d.by) for d in desk.yui.audit.entries(account)]


def test_over_https_the_cookie_stays_there(desk: Desk, stranger: httpx.Client) -> None:
    desk.session("安全な人", OF_UEDA)
    stranger.headers["x-forwarded-proto"] = "https"
    form = stranger.get("/console/sign-in")
    stranger.headers["cookie"] = form.headers["set-cookie"].partition(";")[0]
    inside = stranger.post("/console/sign-in", data={"own": own(form), "name": "安全な人", "password": PASSWORD, "to": ""})
    assert inside.status_code == 303
    assert all("Secure" in c for c in inside.headers.get_list("set-cookie"))


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/console/../..//evil.example\\", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(desk: Desk, stranger: httpx.Client, to: str) -> None:
    desk.session("まっすぐな人", OF_UEDA)
    assert sign_in(stranger, "まっすぐな人", to=to).headers["location"].startswith("/console/")


def test_a_wrong_password_keeps_the_name_and_never_the_password(desk: Desk, stranger: httpx.Client) -> None:
    desk.session("うっかりさん", OF_UEDA)
    wrong = sign_in(stranger, "うっかりさん", "ちがう 言葉 です", to="/console/people")
    assert wrong.status_code == 422
    assert "お名前かパスワードがちがいます" in wrong.text
    assert 'value="うっかりさん"' in wrong.text
    assert 'value="/console/people"' in wrong.text
    assert "ちがう 言葉" not in wrong.text
    assert sign_in(stranger, "いない人").text.count("お名前かパスワードがちがいます") == 1


def test_guessing_is_throttled(desk: Desk, stranger: httpx.Client) -> None:
    desk.session("ねらわれた人", OF_UEDA)
    statuses = [sign_in(stranger, "ねらわれた人", f"推測 です {n}").status_code for n in range(6)]
    assert statuses == [422] * 5 + [429]
    closed = sign_in(stranger, "ねらわれた人")
    assert closed.status_code == 429
    assert "15分" in closed.text


@pytest.mark.parametrize("forged", ["no cookie", "another page's", "no field", "origin"])
def test_a_form_of_another_page_signs_nobody_in(desk: Desk, stranger: httpx.Client, forged: str) -> None:
    desk.session("よその人", OF_UEDA)
    data = {"own": own(stranger.get("/console/sign-in")), "name": "よその人", "password": PASSWORD, "to": ""}
    headers = {}
    if forged == "no cookie":
        stranger.cookies.clear()
    elif forged == "another page's":
        with httpx.Client(base_url=desk.address) as other:
            data["own"] = own(other.get("/console/sign-in"))
    elif forged == "no field":
        del data["own"]
    else:
        headers["origin"] = "https://evil.example"
    refused = stranger.post("/console/sign-in", data=data, headers=headers)
    assert refused.status_code == 403
    assert "yui_desk=" not in str(refused.headers.get_list("set-cookie"))
    assert 'value="よその人"' in refused.text


def test_signing_out_ends_the_session_and_not_only_the_cookie(desk: Desk) -> None:
    person = desk.person("帰る人", OF_UEDA)
    token = person.cookies["yui_desk"]
    assert person.post("/console/sign-out", data={}).status_code == 403, "a form without its mark"
    assert person.press("/console/sign-out").headers["location"].startswith("/console/sign-in?said=")
    assert desk.yui.sign_in.session(token, BROWSER) is None


def test_a_stolen_session_ends_and_its_holder_is_told(desk: Desk) -> None:
    person = desk.person("盗まれた人", OF_UEDA)
    token = person.cookies["yui_desk"]
    with httpx.Client(base_url=desk.address, headers={"user-agent": "the thief's"}, cookies={"yui_desk": token}) as thief:
        assert thief.get("/console/people").status_code == 303
        assert thief.get("/console/account").status_code == 303
    assert person.get("/console/people").status_code == 303
    told = person.get("/console/sign-in")
    assert "ほかのブラウザーで" in told.text
    assert "パスワードを変えて" in told.text


# one-time links


def test_an_invitation_is_followed_once(desk: Desk, stranger: httpx.Client) -> None:
    token = invitation(desk)
    page = stranger.get("/console/link", params={"token": token})
    assert "うえだ組合" in page.text
    assert "係" in page.text
    assert page.headers["cache-control"] == "no-store"
    inside = follow(stranger, token, "招かれた人")
    assert (inside.status_code, inside.headers["location"]) == (303, "/console/")
    assert stranger.get("/console/people").status_code == 200
    gone = stranger.get("/console/link", params={"token": token})
    assert gone.status_code == 410
    assert (account := next(u.account for u in desk.yui.sign_in.users() if u.name == "招かれた人"))
    assert desk.yui.members.grants(account) == {OF_UEDA}


@pytest.mark.parametrize(
    ("name", "password", "again", "told"),
    [
        (SCRIPT, PASSWORD, None, "使えます"),
        ("あ", PASSWORD, None, "2文字から"),
        ("惜しい人", "短い", None, "短すぎます"),
        ("惜しい人", "123456789012", None, "だれもが思いつく"),
        ("惜しい人", PASSWORD, "ちがう もの です", "2つのパスワードがちがいます"),
        ("惜しい人", "惜しい人惜しい人惜しい人", None, "お名前でできています"),
    ],
)
def test_what_cannot_be_is_told_and_the_name_stays(
    desk: Desk, stranger: httpx.Client, name: str, password: str, again: str | None, told: str
) -> None:
    token = invitation(desk)
    refused = follow(stranger, token, name, password, again)
    assert refused.status_code == 422
    assert told in refused.text
    assert SCRIPT not in refused.text
    assert f'value="{name}"' in refused.text or name == SCRIPT
    assert f'value="{password}"' not in refused.text
    assert desk.yui.sign_in.link(token), "it can still be used"


def test_a_taken_name(desk: Desk, stranger: httpx.Client) -> None:
    desk.session("Suzuki", OF_UEDA)
    refused = follow(stranger, invitation(desk), "ＳＵＺＵＫＩ")
    assert refused.status_code == 422
    assert "ほかの方が使っています" in refused.text


def test_a_link_that_is_over_says_whom_to_ask(desk: Desk, stranger: httpx.Client) -> None:
    admin, _ = desk.session("招いた管理者", ADMIN)
    token = invitation(desk, by=admin)
    page = stranger.get("/console/link", params={"token": token})
    now = desk.yui.clock.now  # type: ignore[attr-defined]
    desk.yui.clock.now += dt.timedelta(days=8)  # type: ignore[attr-defined]
    try:
        late = stranger.post(
            "/console/link", data={"own": own(page), "token": token, "name": "遅い人", "password": PASSWORD, "again": PASSWORD}
        )
        assert late.status_code == 410
        assert "招いた管理者さんに、新しいリンクを" in late.text
        assert stranger.get("/console/link", params={"token": token}).status_code == 410
    finally:
        desk.yui.clock.now = now  # type: ignore[attr-defined]
    unknown = stranger.get("/console/link", params={"token": SCRIPT})
    assert unknown.status_code == 404
    assert "途中で切れて" in unknown.text
    assert SCRIPT not in unknown.text


def test_a_forged_link_form_makes_nobody(desk: Desk, stranger: httpx.Client) -> None:
    token = invitation(desk)
    data = {"token": token, "name": "にせもの", "password": PASSWORD, "again": PASSWORD}
    assert stranger.post("/console/link", data=data).status_code == 403
    assert "にせもの" not in [u.name for u in desk.yui.sign_in.users()]


def test_a_new_password_by_link_ends_sessions(desk: Desk, stranger: httpx.Client) -> None:
    admin, _ = desk.session("渡す管理者", ADMIN)
    person = desk.person("忘れた人", OF_UEDA)
    token = desk.yui.sign_in.reset(admin, person.account)
    assert "忘れた人さん" in stranger.get("/console/link", params={"token": token}).text
    assert follow(stranger, token, "", NEW).status_code == 303
    assert person.get("/console/people").status_code == 303
    assert stranger.get("/console/people").status_code == 200


def test_an_invitation_is_taken_with_the_account_one_has(desk: Desk) -> None:
    person = desk.person("二つの係", OF_UEDA)
    token = invitation(desk, co_op="suzaka")
    assert "いまのお名前(二つの係さん)で引き受ける" in person.get("/console/link", params={"token": token}).text
    assert person.post("/console/link/accept", data={"token": token}).status_code == 403
    assert person.press("/console/link/accept", token=token).status_code == 303
    assert desk.yui.members.grants(person.account) == {OF_UEDA, OF_SUZAKA}
    assert person.press("/console/link/accept", token=token).status_code == 410


def test_who_has_no_role_any_more_sees_nothing(desk: Desk) -> None:
    person = desk.person("役を降りた人", OF_UEDA)
    desk.yui.members.take(person.account, OF_UEDA)
    for path in ("/console/", "/console/people", "/console/account", "/console/log"):
        assert person.get(path).status_code == 403


# one's own account


def test_another_password(desk: Desk) -> None:
    person = desk.person("変える人", OF_UEDA)
    phone, _ = desk.yui.sign_in.sign_in("変える人", PASSWORD, "phone", "::1")
    for fields, told in (
        ({"password": "ちがう もの です", "new_password": NEW, "again": NEW}, "いまのパスワードがちがいます"),
        ({"password": PASSWORD, "new_password": "短い", "again": "短い"}, "短すぎます"),
        ({"password": PASSWORD, "new_password": NEW, "again": NEW + "x"}, "2つのパスワードがちがいます"),
    ):
        refused = person.press("/console/account/password", **fields)
        assert refused.status_code == 422
        assert told in refused.text
        assert NEW not in refused.text
    assert (
        person.post("/console/account/password", data={"password": PASSWORD, "new_password": NEW, "again": NEW}).status_code == 403
    )
    changed = person.press("/console/account/password", password=PASSWORD, new_password=NEW, again=NEW)
    assert changed.status_code == 303
    assert person.get("/console/account").status_code == 200
    assert desk.yui.sign_in.session(phone, "phone") is None
    assert "account.password" in [d.action for d in desk.yui.audit.entries(person.account)]


def test_the_other_browsers_are_signed_out(desk: Desk) -> None:
    person = desk.person("たくさん開く人", OF_UEDA)
    desk.yui.sign_in.sign_in("たくさん開く人", PASSWORD, "phone", "::1")
    assert "ほかのブラウザーから出る" in person.get("/console/account").text
    person.press("/console/account/others")
    assert len(desk.yui.sign_in.sessions_of(person.account)) == 1
    assert person.get("/console/account").status_code == 200


def test_the_desk_and_line_become_one_person(desk: Desk) -> None:
    person = desk.person("つなぐ人", OF_UEDA)
    shown = person.press("/console/account/code")
    code = re.search(r"連携 ([A-Z0-9-]+)", shown.text)
    assert code
    desk.yui.members.redeem(code[1], "line:tsunagu", "line:tsunagu", group=False)
    assert desk.yui.members.grants("line:tsunagu") == {OF_UEDA}
    assert code[1] not in person.get("/console/account").text
    given = desk.yui.members.code(Purpose.MERGE, account="discord:tsunagu")
    assert person.press("/console/account/merge", code=given.lower()).status_code == 303
    assert desk.yui.members.grants("discord:tsunagu") == {OF_UEDA}
    wrong = person.press("/console/account/merge", code=SCRIPT)
    assert wrong.status_code == 422
    assert "&lt;script&gt;" in wrong.text
    assert SCRIPT not in wrong.text


def test_in_english(desk: Desk, stranger: httpx.Client) -> None:
    stranger.headers["accept-language"] = "en-GB,en;q=0.9"
    assert "The name or the password is wrong" in sign_in(stranger, "Nobody at all").text
    person = desk.person("English reader", Grant(Role.ADMIN), language="en")
    assert "Change the password" in person.get("/console/account").text


# looked at


@pytest.mark.long
@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_kind_of_link_in_a_browser(desk: Desk, browser: Any, width: int, language: str) -> None:
    name = f"巾着 {width} {language}"
    account, token = desk.session(name, ADMIN, language=language)
    used, withdrawn = invitation(desk), invitation(desk, by=account)
    other = desk.yui.sign_in.redeem(used, f"袱紗 {width} {language}", PASSWORD)
    ended = next(link for link in desk.yui.sign_in.invitations() if link.made_by == account)
    desk.yui.sign_in.cancel(account, ended.id)
    outside = browser.new_context(viewport={"width": width, "height": 740}, locale=language, base_url=desk.address)
    inside = browser.new_context(
        viewport={"width": width, "height": 740}, user_agent=BROWSER, locale=language, base_url=desk.address
    )
    inside.add_cookies([{"name": "yui_desk", "value": token, "url": desk.address}])
    for who, link, status in (
        (outside, invitation(desk), 200),
        (outside, desk.yui.sign_in.reset("cli:tests", other), 200),
        (inside, invitation(desk, co_op="suzaka"), 200),
        (inside, desk.yui.sign_in.reset("cli:tests", account), 200),
        (outside, used, 410),
        (inside, withdrawn, 404),
        (outside, "no-such-link", 404),
    ):
        page = who.new_page()
        assert page.goto(f"/console/link?token={link}").status == status
        assert page.locator("html").get_attribute("lang") == language
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if status == 200:  # and what is said of a mistake
            page.locator("#password").fill("みじかい")
            page.locator("#again").fill("ちがう")
            page.locator("#again").press("Enter")
            page.locator("#again-error").or_(page.locator("input:invalid")).first.wait_for()
            assert violations(page) == []
        page.close()
    page, late = outside.new_page(), invitation(desk)
    now = desk.yui.clock.now  # type: ignore[attr-defined]
    desk.yui.clock.now += dt.timedelta(days=8)  # type: ignore[attr-defined]
    try:
        assert page.goto(f"/console/link?token={late}").status == 410
        assert violations(page) == []
    finally:
        desk.yui.clock.now = now  # type: ignore[attr-defined]
    outside.close()
    inside.close()


@pytest.mark.long
@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_in_a_browser(
    desk: Desk, window: Callable[..., BrowserContext], browser: Any, width: int, language: str
) -> None:
    from playwright.sync_api import expect

    invited = invitation(desk)
    outside = browser.new_context(viewport={"width": width, "height": 740}, locale=language, base_url=desk.address)
    page = outside.new_page()
    for address in ("/console/sign-in", f"/console/link?token={invited}", "/console/link?token=none"):
        page.goto(address)
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    # By keyboard alone: a wrong password is told and the name stays, then the right one.
    name = f"鍵盤 {width} {language}"
    desk.session(name, OF_UEDA)
    page.goto("/console/sign-in")
    page.locator("#name").focus()
    page.keyboard.insert_text(name)
    page.keyboard.press("Tab")
    page.keyboard.insert_text("ちがう もの です")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong")).to_be_focused()
    assert violations(page) == []
    assert page.locator("#name").input_value() == name
    page.locator("#password").focus()
    page.keyboard.insert_text(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")
    outside.close()
    mine = window(f"設定 {width} {language}", OF_UEDA, width=width, language=language).new_page()
    mine.goto("/console/account")
    mine.get_by_role("button", name={"ja": "コードを作る", "en": "Make a code"}[language]).click()
    assert violations(mine) == []
    assert mine.evaluate("document.documentElement.scrollWidth") <= width
