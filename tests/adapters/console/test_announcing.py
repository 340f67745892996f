"""Announcements at the desk: written, looked at, priced, sent, corrected, withdrawn; each co-op only its own."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from bot.announcing.announcement import Content, Selection, State
from tests.adapters.console.conftest import ADMIN, OF_SUZAKA, OF_UEDA, SUZAKA, UEDA, Desk, Person, needs_browser, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ONE = "/console/announcements/one"
SAVE = "/console/announcements/save"
WORDS = {"title": "味噌づくりの日", "text": "だれでもどうぞ。前かけを持ってきてください。", "everyone": "yes", "means": "free"}


@pytest.fixture(autouse=True)
def group(desk: Desk) -> None:
    """Each co-op has a LINE group."""
    for co_op in (UEDA, SUZAKA):
        desk.yui.store.joined("line", f"line:group-{co_op}", f"C{co_op}", desk.yui.clock())
        desk.yui.members.link(f"line:group-{co_op}", co_op)


def saved(person: Person, **fields: Any) -> str:
    """The id of a new announcement."""
    answer = person.press(SAVE, **{**WORDS, **fields})
    assert answer.status_code == 303, answer.text
    found = re.search(r"id=(\w+)", answer.headers["location"])
    assert found
    return found[1]


def held(desk: Desk, announcement_id: str) -> Any:
    return desk.yui.announcements.get(announcement_id, "cli:tests")


def press(desk: Desk, person: Person, announcement_id: str, action: str) -> httpx.Response:
    version = held(desk, announcement_id).version
    return person.press("/console/announcements/step", id=announcement_id, version=version, action=action)


def test_written_looked_at_sent_and_withdrawn(desk: Desk) -> None:
    with desk.person("知らせる人", ADMIN) as person:
        made = saved(person, starts="2026-12-05T10:00", place="公民館")
        page = person.get(ONE, params={"id": made}).text
        assert "12月5日(土) 10時" in page
        assert "公民館" in page
        assert "使いません" in page  # what it costs
        assert held(desk, made).state is State.DRAFT
        press(desk, person, made, "schedule")
        assert held(desk, made).state is State.SCHEDULED
        press(desk, person, made, "withdraw")
        assert held(desk, made).state is State.WITHDRAWN
        deeds = [d.action for d in desk.yui.audit.entries("cli:tests", 0, 50, by=person.account)]
    assert deeds[::-1] == ["announcement.save", "announcement.schedule", "announcement.withdraw"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"title": ""}, "題名"),
        ({"deadline": "2026-02-31"}, "2026-02-31"),
        ({"deadline": "2026-12-01", "opens": "2026-12-10"}, "受付の始まりより前"),
        ({"starts": "2026-12-05T10:00", "ends": "2026-12-05T09:00"}, "始まりより前"),
        ({"everyone": ""}, "送り先を選んでください"),
        ({"link": "http://192.168.0.1/"}, "みんなが開ける場所ではありません"),
        ({"co_op": "nowhere"}, "登録されていません"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(desk: Desk, fields: dict[str, str], told: str) -> None:
    with desk.person("書きまちがえる人", ADMIN) as person:
        answer = person.press(SAVE, **{**WORDS, **fields})
    assert answer.status_code == 422
    assert told in answer.text
    assert WORDS["text"] in answer.text


def test_a_past_day_is_refused_when_it_shall_leave(desk: Desk) -> None:
    with desk.person("昔の日を書く人", ADMIN) as person:
        made = saved(person, send_at="2026-01-05T10:00")
        answer = press(desk, person, made, "schedule")
    assert answer.status_code == 422
    assert "過ぎています" in answer.text
    assert held(desk, made).state is State.DRAFT


def test_a_file_that_is_no_picture(desk: Desk) -> None:
    with desk.person("写真の人", ADMIN) as person:
        files = {"picture_file": ("x.jpg", b"<script>", "image/jpeg")}
        answer = person.post(SAVE, data={"csrf": person.csrf, **WORDS}, files=files)
    assert answer.status_code == 422
    assert "JPEGかPNG" in answer.text
    assert WORDS["text"] in answer.text


def test_the_second_of_two_who_save_sees_the_first_ones_words_and_chooses(desk: Desk) -> None:
    with desk.person("先の人", ADMIN) as first, desk.person("後の人", ADMIN) as second:
        made = saved(first)
        first.press(SAVE, **{**WORDS, "title": "味噌づくりの会", "id": made, "version": 1})
        late = second.press(SAVE, **{**WORDS, "title": "味噌の日", "id": made, "version": 1})
        assert late.status_code == 409
        assert "味噌づくりの会" in late.text
        assert "味噌の日" in late.text
        version = re.search(r'name="version" value="(\d+)"', late.text)
        assert version
        second.press(SAVE, **{**WORDS, "title": "味噌の日", "id": made, "version": version[1]})
    assert held(desk, made).content.title == "味噌の日"


def test_two_who_send_the_same_draft_send_it_once(desk: Desk) -> None:
    with desk.person("押す人", ADMIN) as first, desk.person("同時に押す人", ADMIN) as second:
        made = saved(first)
        fields = {"id": made, "version": 1, "action": "schedule"}
        answers = [p.press("/console/announcements/step", **fields).status_code for p in (first, second)]
    assert answers == [303, 422]


def test_a_second_pair_of_eyes(desk: Desk) -> None:
    with desk.person("書く人", ADMIN) as writer, desk.person("見る人", ADMIN) as other:
        made = saved(writer)
        press(desk, writer, made, "propose")
        assert "書いた人とは別の人" in writer.get(ONE, params={"id": made}).text
        assert press(desk, writer, made, "approve").status_code == 422
        press(desk, other, made, "approve")
    assert held(desk, made).state is State.SCHEDULED


def test_another_co_ops_announcements_are_not_there(desk: Desk) -> None:
    with desk.person("うえだの知らせ係", OF_UEDA) as own, desk.person("すざかの知らせ係", OF_SUZAKA) as other:
        made = saved(own, title="うえだだけの集まり", co_op=UEDA)
        assert "うえだだけの集まり" not in other.get("/console/announcements").text
        for path in (ONE, "/console/announcements/edit", "/console/announcements/paper"):
            assert other.get(path, params={"id": made}).status_code == 404
        assert press(desk, other, made, "schedule").status_code == 404
        assert other.press(SAVE, **{**WORDS, "co_op": UEDA}).status_code == 422
        assert "すざか組合" not in own.get("/console/announcements/new").text
    assert held(desk, made).state is State.DRAFT


def kept(person: Person, announcement_id: str, name: str) -> httpx.Response:
    return person.press("/console/announcements/selection", id=announcement_id, name=name)


def choices(person: Person) -> dict[str, str]:
    """The ids of the kept audiences that the form offers, by name."""
    page = person.get("/console/announcements/new").text
    offered = re.search(r'<select id="kept".*?</select>', page, re.DOTALL)
    return {name: id_ for id_, name in re.findall(r'value="(\w+)"[^>]*>([^<]+)<', offered[0])} if offered else {}


def test_an_audience_is_kept_chosen_and_deleted(desk: Desk) -> None:
    with desk.person("送り先の人", OF_UEDA) as own, desk.person("よその送り先の人", OF_SUZAKA) as other:
        first = saved(own, everyone="", co_ops=[UEDA], platforms=["line"], co_op=UEDA)
        assert kept(own, first, " ").status_code == 422
        assert kept(other, first, "ぬすむ").status_code == 404
        assert kept(own, first, "うちの<b>部屋").status_code == 303
        page = own.get("/console/announcements").text
        assert "うちの&lt;b&gt;部屋" in page
        assert "うちの" not in other.get("/console/announcements").text
        chosen = choices(own)["うちの&lt;b&gt;部屋"]
        assert choices(other) == {}
        second = saved(own, kept=chosen, co_op=UEDA)  # although everybody is ticked below
        assert held(desk, second).selection == held(desk, first).selection
        stolen = other.press(SAVE, **WORDS, kept=chosen, co_op=SUZAKA)
        assert (stolen.status_code, "選びなおして" in stolen.text) == (422, True)
        assert other.press("/console/announcements/selection/drop", id=chosen).status_code == 404
        assert own.press("/console/announcements/selection/drop", id=chosen).status_code == 303
        assert choices(own) == {}
    assert held(desk, second).selection.platforms == ("line",)


def test_single_chats_stay_when_somebody_edits(desk: Desk) -> None:
    chats = (f"line:group-{UEDA}", f"line:group-{SUZAKA}")
    with desk.person("部屋を選ぶ人", ADMIN) as person:
        made = desk.yui.announcements.compose(person.account, Content("味噌", "味噌です。"), Selection(chats=chats))
        form = person.get("/console/announcements/edit", params={"id": made.id}).text
        assert "うえだ組合" in form
        assert sorted(re.findall(r'name="chats" value="([^"]+)" checked', form)) == sorted(chats)
        person.press(SAVE, **{**WORDS, "everyone": "", "id": made.id, "version": 1, "chats": [chats[0]]})
        assert held(desk, made.id).selection.chats == chats[:1]
        assert "1か所" in person.get(ONE, params={"id": made.id}).text


def test_the_picture_is_seen_before_it_leaves_and_can_be_taken_off(desk: Desk) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "green").save(out, "PNG")
    with desk.person("写真を付ける人", ADMIN) as person:
        files = {"picture_file": ("x.png", out.getvalue(), "image/png")}
        answer = person.post(SAVE, data={"csrf": person.csrf, **WORDS}, files=files)
        made = answer.headers["location"].partition("id=")[2].partition("&")[0]
        name = held(desk, made).content.picture
        page = person.get(ONE, params={"id": made})
        assert f'<img src="/pictures/{name}"' in page.text
        assert "img-src 'self'" in page.headers["content-security-policy"]
        assert "いまは付きません" in page.text  # this desk has no public address
        assert person.get(f"/pictures/{name}").headers["content-type"] == "image/jpeg"
        fields = {**WORDS, "id": made, "version": 1, "picture": name}
        person.press(SAVE, **fields)
        assert held(desk, made).content.picture == name
        person.press(SAVE, **{**fields, "version": 2, "no_picture": "yes"})
        assert held(desk, made).content.picture == ""
        assert "<img" not in person.get(ONE, params={"id": made}).text


def test_scripts_in_every_field_are_only_words(desk: Desk) -> None:
    script = "<script>alert(1)</script>"
    with desk.person("印を書く人", ADMIN) as person:
        named = dict.fromkeys(("title", "text", "easy", "place", "who", "amount", "prefectures", "fields", "text_en"), script)
        made = saved(person, **named, starts="2026-12-05T10:00")
        pages = person.get(ONE, params={"id": made}).text + person.get("/console/announcements/edit", params={"id": made}).text
    assert "<script>alert" not in pages
    assert "&lt;script&gt;" in pages


def test_on_paper(desk: Desk) -> None:
    with desk.person("貼る人", ADMIN) as person:
        pdf = person.get("/console/announcements/paper", params={"id": saved(person)})
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")


@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.long
def test_the_pages_on_a_phone_and_at_a_desk(window: Callable[..., BrowserContext], width: int, language: str) -> None:
    page = window(f"お知らせの人{width}{language}", ADMIN, width=width, language=language).new_page()
    page.goto("/console/announcements")
    assert violations(page) == []
    page.goto("/console/announcements/new")
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#title", "夏祭りの手伝い")
    page.fill("#text", "8時に広場に集まってください。")
    page.locator("main form button.first").click()
    page.wait_for_selector("#said")
    assert violations(page) == []
    page.locator("summary").focus()  # an audience is kept with the keys alone
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("みんな")
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_selector("#said")
    assert page.locator("form[action$='/step'] button.first").is_visible()
    offered = page.context.new_page()
    offered.goto("/console/announcements/new")
    offered.get_by_label("残した送り先から選ぶ" if language == "ja" else "Choose a kept audience").select_option(label="みんな")
    assert violations(offered) == []
    offered.goto("/console/announcements")
    assert violations(offered) == []
    assert offered.evaluate("document.documentElement.scrollWidth <= innerWidth")
    offered.get_by_role("button", name="みんな").first.click()
    offered.wait_for_selector("#said")
    page.locator("form[action$='/step'] button.first").click()
    page.wait_for_selector("#said")
    assert violations(page) == []
