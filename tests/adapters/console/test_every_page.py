"""Every page that the desk's routes lead to, in a real browser: nothing for axe to find, nothing over the edge, and none heavy."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from adapters.web.console import create
from adapters.web.console.week import AT_ONCE
from bot.members import CoOp, Grant, Role
from bot.tips.tip import LONGEST_TIP, Draft
from knowledge import FEDERATION, Audience, Document, Kind, Passage
from tests.adapters.console.conftest import ADMIN, BROWSER, OF_UEDA, UEDA, Desk, needs_browser, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# Files, parts of pages that stand in them, and what only leads on.
NO_PAGES = {
    "/announcements/paper",
    "/knowledge/export/entries.{ending}",
    "/knowledge/export/tips.{ending}",
    "/knowledge/import/state",
    "/language",
    "/record/file.csv",
    "/safety/backup/file",
    "/safety/backup/progress",
    "/safety/checks/progress",
    "/safety/restore/progress",
    "/week/similar",
}
LARGEST = 100_000  # bytes of a page
OUTSIDE = ("/sign-in", "/link")  # for those who have not signed in


def addresses(desk: Desk) -> dict[str, str]:
    """Each page's route, with what it needs to show something."""
    yui = desk.yui
    account, _ = desk.session("蓑田 いくえ", OF_UEDA)
    draft = Draft(text="回らない換気口は、外から葉っぱを取ると直りました。", audience=Audience.of(FEDERATION))
    tip = yui.curation.offer(draft, author="line:giver-of-pages", conversation=f"line:group-{UEDA}", co_op=UEDA)
    job = yui.imports.upload("cli:tests", "頁の表.csv", io.BytesIO("題,短い答え\n頁,頁です。\n".encode()), "public", "survey")
    with desk.person("笠間 おりえ", ADMIN) as writer:
        sent = {"title": "頁を見る日", "text": "来てください。", "everyone": "yes", "means": "free"}
        announcement = writer.press("/console/announcements/save", **sent).headers["location"].partition("id=")[2].partition("&")[0]
    told = {
        "/week/item": f"?kind=tip&id={tip.id}",
        "/announcements/one": f"?id={announcement}",
        "/announcements/edit": f"?id={announcement}",
        "/link": f"?token={yui.sign_in.invite('cli:tests', OF_UEDA.role, UEDA)}",
        "/people/co-op": f"?id={UEDA}",
        "/people/co-op/change": f"?id={UEDA}",
        "/people/co-op/remove": f"?id={UEDA}",
        "/people/person": f"?account={account}",
        "/knowledge": "?text=理事は何人",
        "/knowledge/entry": "?id=act-32",
        "/knowledge/history": "?id=act-32",
        "/knowledge/import/job": f"?id={job.id}",
    }
    routes = [path for path, methods in create(yui).openapi()["paths"].items() if "get" in methods]
    assert set(told) | NO_PAGES <= set(routes)
    return {path: f"/console{path}{told.get(path, '')}" for path in routes if path not in NO_PAGES}


@pytest.fixture
def outside(browser: Browser, desk: Desk) -> Iterator[Callable[..., BrowserContext]]:
    """A window whose errors count for nothing: `outside(360, "en", token)`, without a token of somebody who is not signed in."""
    opened: list[BrowserContext] = []

    def open_one(width: int, language: str, token: str = "") -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": 740}, user_agent=BROWSER, locale=language, base_url=desk.address
        )
        if token:
            context.add_cookies([{"name": "yui_desk", "value": token, "url": desk.address}])
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


def looked_at(page: Page, where: str, width: int, language: str) -> None:
    assert page.locator("html").get_attribute("lang") == language, where
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert violations(page) == [], where
    assert page.evaluate("document.documentElement.scrollWidth") <= width, where


@pytest.mark.long
@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_for_those_who_see_everything(
    desk: Desk, window: Callable[..., BrowserContext], outside: Callable[..., BrowserContext], width: int, language: str
) -> None:
    inside = window(f"頁守 {width} {language}", ADMIN, width=width, language=language).new_page()
    before = outside(width, language).new_page()
    for path, address in addresses(desk).items():
        page = before if path in OUTSIDE else inside
        answer = page.goto(address)
        assert answer
        assert answer.status == 200, address
        assert page.url.startswith(f"{desk.address}/console{path}"), address
        looked_at(page, address, width, language)


@pytest.mark.long
@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_only_read_what_is_not_there_and_what_waits_outside(
    desk: Desk, outside: Callable[..., BrowserContext], width: int, language: str
) -> None:
    account, token = desk.session(f"垣根 {width} {language}", OF_UEDA, language=language)
    page = outside(width, language, token).new_page()
    for address, status in (
        ("/console/knowledge/entry?id=act-32", 200),
        ("/console/knowledge/words", 200),
        ("/console/people", 200),
        ("/console/people/person?account=nobody", 404),
        ("/console/announcements/one?id=none", 404),
        ("/console/week/item?kind=x&id=x", 422),
    ):
        answer = page.goto(address)
        assert answer
        assert answer.status == status, address
        looked_at(page, address, width, language)
    page.goto("/console/account")
    desk.yui.sign_in.end_all(account)
    page.locator("#code").fill("まだ手もとにある")
    page.locator("form[action='/console/account/merge'] button").click()
    page.locator("input[type=hidden][name=code]").wait_for(state="attached")
    looked_at(page, "signed out while writing", width, language)


# how heavy


def long_tips(desk: Desk, sign: str, co_op: str) -> None:
    for number in range(AT_ONCE + 1):
        text = f"{number}番目の重い話。{sign * LONGEST_TIP}"[:LONGEST_TIP]
        draft = Draft(text=text, place=sign * 200, outcome=sign * 500, audience=Audience.of(FEDERATION))
        desk.yui.curation.offer(draft, author=f"line:heavy-{number}", conversation=f"line:group-{co_op}", co_op=co_op)


def heavy_entry(desk: Desk, document_id: str, sign: str) -> Document:
    """An entry of many parts; all that is written in its first and its last one is at its longest."""
    asks = tuple(f"{n:02}{sign * 198}" for n in range(60))
    long = {"short": sign * 120, "detail": sign * 8_000, "asks": asks, "easy": sign * 400, "en": sign * 600}
    first = Passage(document_id, f"はじめ{sign * 90}", **long)  # type: ignore[arg-type]
    last = Passage(f"{document_id}#last", f"おわり{sign * 90}", **long)  # type: ignore[arg-type]
    between = (Passage(f"{document_id}#p{n}", f"{n:02}{sign * 98}", f"{n}番目です。") for n in range(60))
    document = Document(document_id, Kind.SURVEY, sign * 120, sign * 300, (first, *between, last), audience=Audience.of("public"))
    desk.yui.knowledge.upsert([document], f"papers of {document_id}")
    return document


@pytest.mark.long
@pytest.mark.parametrize("sign", ['"', "<", "あ"])
def test_pages_of_the_longest_texts_are_small(desk: Desk, sign: str) -> None:
    """In a list a long text is shown in part, with the way to all of it; in a page of one it is whole."""
    co_op = f"heavy-{ord(sign)}"
    desk.yui.members.put_co_op(CoOp(co_op, "おもさ組合", "長野県小諸市", ("清掃",)))
    long_tips(desk, sign, co_op)
    entry = heavy_entry(desk, f"{co_op}-entry", sign)
    try:
        with desk.person("重田 きくの", Grant(Role.COORDINATOR, co_op)) as person:
            week = person.get("/console/").text
            assert len(week.encode()) < LARGEST
            [tip, *_] = re.findall(r'<a href="(/console/week/item[^"]*)">つづきを読む', week)
            whole = person.get(html.unescape(tip)).text
            assert html.escape(sign * 1_900, quote=False).replace('"', "&#34;") in whole
            for address in (f"/console/knowledge/entry?id={entry.id}", f"/console/knowledge?text={sign * 300}"):
                assert len(person.get(address).content) < LARGEST, address
            last = person.get("/console/knowledge/entry", params={"id": entry.id, "part": entry.passages[-1].id})
            assert len(last.content) < LARGEST
            assert '<h2 lang="ja">おわり' in last.text
    finally:
        desk.yui.knowledge.delete([entry.id])  # else the next import would wait until all of it has been learnt
        desk.yui.members.remove_co_op(co_op)


def test_a_form_that_is_refused_with_long_fields_is_small_and_whole(desk: Desk) -> None:
    with desk.person("重本 さだの", ADMIN) as person:
        page = person.get("/console/knowledge/new").text
        fields = re.findall(r'<(?:input|textarea) id="([^"]+)".*? maxlength="(\d+)"', page)
        longest = {name: min(500, int(most)) for name, most in fields}
        for sign, shown in (('"', "&#34;"), ("<", "&lt;")):
            sent = {name: sign * count for name, count in longest.items()}
            fixed = {"id": "", "part": "", "version": "0", "kind": "survey", "audience": "public", "action": "save"}
            refused = person.press("/console/knowledge/entry", **sent, **fixed)
            assert refused.status_code == 422
            assert len(refused.content) < LARGEST
            for name, count in longest.items():
                assert re.search(f'id="{name}"[^>]*(value="|>){shown * count}["<]', refused.text), f"{name} is cut"


def test_a_long_entry_is_no_larger_than_a_form_may_be(desk: Desk) -> None:
    with desk.person("重本 さだの", ADMIN) as person:
        sent = {"id": "", "part": "", "version": "0", "kind": "survey", "audience": "public", "action": "save"}
        refused = person.press("/console/knowledge/entry", **sent, detail="あ" * 60_000)  # 540 KB on the wire
        assert refused.status_code == 422


def test_what_was_written_with_a_picture_is_kept_when_one_is_signed_out(desk: Desk) -> None:
    with httpx.Client(base_url=desk.address, headers={"user-agent": BROWSER}, trust_env=False) as stranger:
        told = {"title": "大掃除のお知らせ", "text": "あした朝9時です。"}
        page = stranger.post("/console/announcements/save", data=told, files={"picture": ("a.png", b"\x89PNG", "image/png")})
        assert "入りなおし" in page.text
        assert all(value in page.text for value in told.values())
        large = stranger.post("/console/announcements/save", data=told, files={"picture": ("a.png", b"0" * 2**21, "image/png")})
        assert large.status_code == page.status_code
        assert told["title"] not in large.text
