"""設定と安全 over real HTTP: what is told of keys, checks, backups and their check, who did what; for admins only."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from adapters.web.console import log, safety
from bot.archive import Archive
from bot.backup import BACKED_UP
from bot.channels import Finding
from tests.adapters.console.conftest import ADMIN, OF_SUZAKA, OF_UEDA, SUZAKA, UEDA, Desk, Person, needs_browser, violations

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext

SCRIPT = "<script>alert(1)</script>"
PAGES = ("/console/safety", "/console/safety/checks", "/console/safety/backup", "/console/safety/restore")


def until_done(person: Person, path: str) -> httpx.Response:
    """The part of a page once the work it tells of has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        part = person.get(f"{path}/progress")
        assert part.status_code == 200
        if "data-going-on" not in part.text:
            return part
        time.sleep(0.05)
    raise AssertionError("it never ended")


def made_backup(person: Person) -> bytes:
    assert person.press("/console/safety/backup").status_code == 303
    assert "控えができました" in until_done(person, "/console/safety/backup").text
    return person.get("/console/safety/backup/file").content


def checked(person: Person, content: bytes, name: str = "yui.zip") -> httpx.Response:
    files = {"file": (name, content, "application/zip")}
    sent = person.post("/console/safety/restore", data={"csrf": person.csrf, "which": "sent"}, files=files)
    assert sent.status_code == 303, sent.text
    return until_done(person, "/console/safety/restore")


def test_only_admins_come_here(desk: Desk) -> None:
    coordinator = desk.person("設定は見ない係", OF_UEDA)
    for path in (*PAGES, *(f"{p}/progress" for p in PAGES[1:]), "/console/safety/backup/file"):
        assert coordinator.get(path).status_code == 404, path
    for path in ("keys/make", "keys/revoke", "checks", "backup", "restore"):
        assert coordinator.press(f"/console/safety/{path}", name="x").status_code == 404, path
    assert "/console/safety" not in coordinator.get("/console/people").text


def test_nothing_is_done_for_a_forged_form(desk: Desk) -> None:
    admin = desk.person("守る管理者", ADMIN)
    for path in ("keys/make", "keys/revoke", "checks", "backup", "restore"):
        assert admin.post(f"/console/safety/{path}", data={"name": "forged", "scope": "read"}).status_code == 403, path
    assert not [h for h in desk.yui.api_keys.holders() if h.name == "forged"]


# settings and keys


def test_settings_are_told_without_what_is_in_them(desk: Desk) -> None:
    admin = desk.person("設定を見る管理者", ADMIN)
    page = admin.get("/console/safety").text
    assert str(desk.yui.settings.data_dir) not in page
    assert re.search(r"YUI_DATA_DIR</th>.*?設定あり", page)
    assert re.search(r"YUI_LINE_CHANNEL_SECRET</th>.*?はじめのまま", page)


def test_a_key_is_shown_once_and_revoked(desk: Desk) -> None:
    admin = desk.person("鍵の管理者", ADMIN)
    sent = {"name": "newsletter", "scope": ["read", "members:admin"], "co_op": UEDA, "days": "30"}
    shown = admin.press("/console/safety/keys/make", **sent)
    key = re.search(r"yui_[\w-]{40,}", shown.text)
    assert key
    holder = desk.yui.api_keys.check(key[0])
    assert holder
    assert (holder.co_op, sorted(holder.scopes)) == (UEDA, ["members:admin", "read"])
    assert key[0] not in admin.get("/console/safety").text
    with httpx.Client(base_url=desk.address, headers={"authorization": f"Bearer {key[0]}"}) as program:
        assert program.get("/api/co-ops").status_code == 200
        assert admin.press("/console/safety/keys/revoke", name="newsletter").status_code == 303
        assert program.get("/api/co-ops").status_code == 401
    assert admin.press("/console/safety/keys/revoke", name="newsletter").status_code == 404
    done = {d.action for d in desk.yui.audit.entries(admin.account, by=admin.account)}
    assert {"key.make", "key.revoke"} <= done
    assert not [d for d in desk.yui.audit.entries(admin.account, limit=1000) if key[0] in repr(d)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": SCRIPT}, "この名前は使えません"),
        ({"name": ""}, "この名前は使えません"),
        ({"scope": []}, "1つは選んで"),
        ({"scope": ["everything"]}, "1つは選んで"),
        ({"co_op": "nowhere"}, "その組合はありません"),
        ({"name": "there-already"}, "もうあります"),
    ],
)
def test_a_key_that_cannot_be_keeps_what_was_typed(desk: Desk, wrong: dict[str, str], said: str) -> None:
    admin = desk.person("まちがえる管理者", ADMIN)
    admin.press("/console/safety/keys/make", name="there-already", scope="read", days="90")
    refused = admin.press("/console/safety/keys/make", **{"name": "typed", "scope": "read", "days": "365", **wrong})
    assert refused.status_code == 422
    assert said in refused.text
    assert SCRIPT not in refused.text
    assert 'value="365" selected' in refused.text


# checks


def test_the_checks_go_on_by_themselves_and_tell_what_they_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = desk.person("点検の管理者", ADMIN)
    assert admin.press("/console/safety/checks").status_code == 303
    part = until_done(admin, "/console/safety/checks").text
    for name in ("データを置く場所", "意味で探すための索引", "ためしの質問", "係の人"):
        assert name in part
    assert part.count("よい") >= 4
    bad = Finding("backup", False, f"never {SCRIPT}", "Run it.")
    monkeypatch.setattr(safety.doctor, "examine_running", lambda _: iter([bad]))
    admin.press("/console/safety/checks")
    part = until_done(admin, "/console/safety/checks").text
    assert "直したほうがよいところ" in part
    assert "この1か月、控えがありません" in part
    assert SCRIPT not in part


def test_a_check_that_fails_unexpectedly_is_told_without_its_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = desk.person("困った管理者", ADMIN)

    def broken(_: object) -> None:
        raise RuntimeError("a member's words")

    monkeypatch.setattr(safety.doctor, "examine_running", broken)
    admin.press("/console/safety/checks")
    part = until_done(admin, "/console/safety/checks").text
    assert "うまくいきませんでした" in part
    assert "a member" not in part


# backups


@pytest.mark.long
def test_a_backup_is_made_fetched_and_found_usable(desk: Desk, tmp_path: Path) -> None:
    admin = desk.person("控えの管理者", ADMIN)
    content = made_backup(admin)
    file = tmp_path / "fetched.zip"
    file.write_bytes(content)
    with Archive(file) as archive:
        assert archive.tables["co_ops"] == len(desk.yui.members.co_ops())
    assert desk.yui.store.mark(BACKED_UP)
    assert "最後の控え: 2026年11月21日(土)" in admin.get("/console/safety").text
    before = desk.yui.sign_in.users()
    told = checked(admin, content)
    assert "この控えは使えます" in told.text
    assert admin.press("/console/safety/restore", which="made").status_code == 303
    assert "この控えは使えます" in until_done(admin, "/console/safety/restore").text
    assert desk.yui.sign_in.users() == before
    folder = desk.yui.settings.data_dir / "desk"
    assert [f.name for f in folder.iterdir()] == ["backup.zip"], "nothing of the check is left"
    assert (folder / "backup.zip").stat().st_mode & 0o077 == 0
    done = {d.action for d in desk.yui.audit.entries(admin.account, by=admin.account)}
    assert {"backup.make", "backup.fetch", "backup.check"} <= done


def test_a_backup_waits_an_hour(desk: Desk) -> None:
    admin = desk.person("遅い管理者", ADMIN)
    made_backup(admin)
    clock = desk.yui.clock
    now = clock.now  # type: ignore[attr-defined]
    clock.now += safety.KEPT * 1.01  # type: ignore[attr-defined]
    try:
        assert admin.get("/console/safety/backup/file").headers["location"] == "/console/safety/backup"
        assert not (desk.yui.settings.data_dir / "desk" / "backup.zip").exists()
        assert "受け取れる控えはありません" in admin.get("/console/safety/backup").text
    finally:
        clock.now = now  # type: ignore[attr-defined]


def test_files_that_are_no_backup_are_told_so(desk: Desk) -> None:
    admin = desk.person("まちがったファイルの管理者", ADMIN)
    good = made_backup(admin)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as out:
        out.writestr("manifest.json", SCRIPT)
    for content in (b"", b"no zip", other.getvalue(), good[: len(good) // 2], good.replace(b"PK\x03\x04", b"PK\x03\x05", 1)):
        told = checked(admin, content, f"{SCRIPT}.zip")
        assert "この控えは、ここでは使えません" in told.text
        assert SCRIPT not in told.text
    nothing = admin.press("/console/safety/restore", which="sent")
    assert nothing.status_code == 422
    assert "ファイルを選んで" in nothing.text


def test_a_large_upload_is_refused(desk: Desk) -> None:
    admin = desk.person("大きなファイルの管理者", ADMIN)
    files = {"file": ("large.zip", io.BytesIO(b"\0" * (65 * 2**20)), "application/zip")}
    refused = admin.post("/console/safety/restore", data={"csrf": admin.csrf, "which": "sent"}, files=files)
    assert refused.status_code == 413


# who did what


def test_the_record_is_filtered_paged_and_nobody_elses(desk: Desk) -> None:
    admin, ueda = desk.person("記録の管理者", ADMIN), desk.person("記録のうえだ", OF_UEDA)
    suzaka = desk.person("記録のすざか", OF_SUZAKA)
    for n in range(log.AT_ONCE + 1):
        desk.yui.audit.note(ueda.account, "test.deed", f"deed-{n}", UEDA)
    desk.yui.audit.note(suzaka.account, "test.secret", "すざかのこと", SUZAKA, SCRIPT)
    first = admin.get("/console/log", params={"by": ueda.account, "action": "test.deed"})
    assert first.text.count("test.deed</td>") == log.AT_ONCE
    assert "deed-0 /" not in first.text
    second = admin.get("/console/log", params={"by": ueda.account, "action": "test.deed", "offset": log.AT_ONCE})
    assert "deed-0 /" in second.text
    assert "記録のうえだ" in second.text
    everything = admin.get("/console/log").text
    assert "すざかのこと" in everything
    assert SCRIPT not in everything
    for params in ({}, {"by": suzaka.account}, {"action": "test.secret"}, {"offset": "1"}):
        page = ueda.get("/console/log", params=params)
        assert "すざか" not in page.text, params
        assert suzaka.account not in page.text.replace(params.get("by", "-"), "")
    assert "当てはまる記録はありません" in ueda.get("/console/log", params={"by": SCRIPT}).text
    assert SCRIPT not in ueda.get("/console/log", params={"by": SCRIPT}).text


# looked at


@pytest.mark.long
@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_in_a_browser(desk: Desk, window: Callable[..., BrowserContext], width: int, language: str) -> None:
    from playwright.sync_api import expect

    page = window(f"安全の管理者 {width} {language}", ADMIN, width=width, language=language).new_page()
    page.goto("/console/safety")
    desk.yui.api_keys.remove("seen-key")
    page.locator("summary").click()
    page.locator("#name").fill("seen-key")
    page.locator("input[name=scope]").first.check()
    page.locator("form[action='/console/safety/keys/make'] button").click()
    assert page.locator("section.card strong").inner_text().startswith("yui_")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for work in ("checks", "backup"):
        page.goto("/console/safety")
        page.locator(f"form[action='/console/safety/{work}'] button").click()
        page.wait_for_url(f"**/console/safety/{work}")
        expect(page.locator("[data-going-on]")).to_have_count(0, timeout=60_000)
        assert violations(page) == [], work
        assert page.evaluate("document.documentElement.scrollWidth") <= width, work
    page.goto("/console/safety/restore")
    page.locator("button[value=made]").click()
    expect(page.locator("main .card")).to_have_count(1, timeout=60_000)
    assert violations(page) == []
    answer = page.goto("/console/safety")
    assert answer
    assert len(answer.body()) < 100_000
    assert violations(page) == []
