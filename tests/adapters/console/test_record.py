"""What was asked over real HTTP and in a real browser: read, filtered, counted, taken away as a file, each co-op's by its own."""

from __future__ import annotations

import csv
import html
import io
import itertools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
import sqlalchemy as sa

from bot.desk.asked_rows import asked
from tests.adapters.console.conftest import (
    ADMIN,
    FEDERATION,
    OF_SUZAKA,
    OF_UEDA,
    SUZAKA,
    UEDA,
    Desk,
    Person,
    needs_browser,
    violations,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

SCRIPT = "<script>alert('結')</script>\"'&"
_number = itertools.count()
LARGEST = 100_000  # bytes of a page with everything it loads


@pytest.fixture(autouse=True)
def nothing_asked_yet(desk: Desk) -> Iterator[None]:
    with desk.yui.database.write() as c:
        c.execute(sa.delete(asked))
    yield
    with desk.yui.database.write() as c:
        c.execute(sa.delete(asked))


def ask(desk: Desk, text: str, co_op: str = UEDA, times: int = 1, *, answered: bool = True, helpful: bool | None = None) -> None:
    for _ in range(times):
        answer_id = f"record-{next(_number):08}"  # the clock stands still: of one moment the last one counts as the latest
        desk.yui.store.add_answer(answer_id, answered=answered, confidence=0.9, passages=[], now=desk.yui.clock())
        desk.yui.asked.record(
            answer_id,
            text,
            language="ja",
            asker="line:asker",
            conversation="line:group",
            co_op=co_op,
            answered=answered,
            passages=[],
        )
        if helpful is not None:
            desk.yui.store.rate(answer_id, "line:rater", helpful=helpful, now=desk.yui.clock())
            desk.yui.asked.rated(answer_id, helpful=helpful)


def file(person: Person, **filters: str) -> list[list[str]]:
    answer = person.get("/console/record/file.csv", params=filters)
    assert answer.status_code == 200
    assert answer.content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def texts(page: httpx.Response) -> list[str]:
    assert page.status_code == 200
    return [html.unescape(re.sub("<[^>]+>", "", t)) for t in re.findall(r'<p class="words"[^>]*>(.*?)</p>', page.text)]


def test_an_empty_record_says_what_to_do(desk: Desk) -> None:
    with desk.person("はじめての人", OF_UEDA) as person:
        for address in ("/console/record", "/console/record/trends"):
            assert "まだ質問がありません" in person.get(address).text
        assert "条件を減らすと" in person.get("/console/record", params={"answered": "no"}).text
        assert len(file(person)) == 1


def test_what_was_asked_is_listed_and_filtered(desk: Desk) -> None:
    ask(desk, "総会の公告はいつまで?", helpful=True)
    ask(desk, "雪かきの当番はだれ?", answered=False)
    ask(desk, "監事の任期は?", helpful=False)
    with desk.person("読む人", OF_UEDA) as person:
        assert texts(person.get("/console/record")) == ["監事の任期は?", "雪かきの当番はだれ?", "総会の公告はいつまで?"]
        page = person.get("/console/record").text
        assert "2026年11月21日(土)・うえだ組合・答えた・👍 役に立った" in page
        assert "質問 3件" in page
        for sought, found in [
            ({"answered": "no"}, ["雪かきの当番はだれ?"]),
            ({"helpful": "no"}, ["監事の任期は?"]),
            ({"text": "総会 公告"}, ["総会の公告はいつまで?"]),
            ({"week": "2026-11-09"}, []),
            ({"week": "2026-11-16", "helpful": "yes"}, ["総会の公告はいつまで?"]),
        ]:
            assert texts(person.get("/console/record", params=sought)) == found
            assert [row[1] for row in file(person, **sought)[1:]] == found


def test_pages_of_fifty_keep_the_filter(desk: Desk) -> None:
    for number in range(120):
        ask(desk, f"質問{number:03}", answered=number % 2 == 0)
    with desk.person("めくる人", OF_UEDA) as person:
        seen, address = list[str](), "/console/record?answered=yes&"
        while address:
            page = person.get(address)
            seen += texts(page)
            following = re.search(r'rel="next" href="([^"]+)"', page.text)
            address = html.unescape(following[1]) if following else ""
        assert len(seen) == len(set(seen)) == 60
        assert "ここから先に質問はありません" in person.get("/console/record", params={"offset": "500"}).text


def test_each_co_ops_coordinator_reads_counts_and_takes_away_their_own(desk: Desk) -> None:
    ask(desk, "うえだのひみつ", UEDA, 12)
    ask(desk, "すざかのひみつ", SUZAKA, 7)
    ask(desk, "だれかのひみつ", "", 9)
    with (
        desk.person("うえだ", OF_UEDA) as ueda,
        desk.person("すざか", OF_SUZAKA) as suzaka,
        desk.person("みんな", FEDERATION) as everyone,
    ):
        for person, own, count, of_others in (
            (ueda, "うえだのひみつ", 12, ("すざか", "だれか", "保育")),
            (suzaka, "すざかのひみつ", 7, ("うえだ", "だれか", "弁当")),
        ):
            for co_op in ("", UEDA, SUZAKA, "-", "*"):
                rows = [row[1] for row in file(person, co_op=co_op)[1:]]
                assert set(rows) <= {own}
                page = person.get("/console/record", params={"co_op": co_op}).text
                assert not re.search(f"({'|'.join(of_others)})のひみつ", page)
            assert len(file(person)) == 1 + count
            assert f"質問 {count}件" in person.get("/console/record").text
            for by in ("week", "field", "prefecture"):
                page = person.get("/console/record/trends", params={"by": by}).text
                assert f"<b>{count}回</b>" in page
                assert not any(word in page for word in of_others)
                assert "<b>28回</b>" not in page
        assert len(file(everyone)) == 1 + 28
        assert len(file(everyone, co_op="-")) == 1 + 9
        assert "<b>28回</b>" in everyone.get("/console/record/trends").text


def test_a_member_without_a_task_is_refused_and_a_stranger_is_led_to_the_door(desk: Desk) -> None:
    for address in ("/console/record", "/console/record/trends", "/console/record/file.csv"):
        assert httpx.get(f"{desk.address}{address}", follow_redirects=False).status_code == 303


def test_a_script_in_every_field_stays_text(desk: Desk) -> None:
    ask(desk, SCRIPT)
    with desk.person("いたずらを見る人", OF_UEDA) as person:
        for address in (
            "/console/record",
            *(f"/console/record?{name}={SCRIPT}" for name in ("text", "co_op", "answered", "week", "offset")),
            f"/console/record/trends?by={SCRIPT}",
        ):
            page = person.get(address)
            assert page.status_code in (200, 422)
            assert "<script>alert" not in page.text
        assert texts(person.get("/console/record", params={"text": SCRIPT})) == [SCRIPT]


@pytest.mark.parametrize("week", ["2026-02-30", "0001-01-01", "9999-12-31", "99999-01-01", "先週"])
def test_a_week_that_is_none_is_told_so(desk: Desk, week: str) -> None:
    with desk.person(f"週 {week}", OF_UEDA) as person:
        for address in ("/console/record", "/console/record/file.csv"):
            assert person.get(address, params={"week": week}).status_code == 422


def test_a_file_opens_in_a_spreadsheet_without_running_anything(desk: Desk) -> None:
    harmful = ["=1+2", "+81", "-1", "@SUM(A1)", "＝ＨＹＰＥＲＬＩＮＫ", "＋１", "－１", "＠ｘ", "|calc", '普通の",質問']
    for text in harmful:
        ask(desk, text)
    with desk.person("表の人", OF_UEDA) as person:
        answer = person.get("/console/record/file.csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="record-2026-11-21.csv"'
        rows = file(person)
        assert rows[0] == ["日", "質問", "組合", "言葉", "答えた", "役に立った"]
        assert [row[1] for row in rows[:0:-1]] == [*(f"'{t}" for t in harmful[:-1]), harmful[-1]]
        assert rows[1][2:] == ["うえだ組合", "ja", "はい", ""]


def test_who_takes_a_file_is_written_down(desk: Desk) -> None:
    with desk.person("ファイルの人", OF_UEDA) as person:
        file(person, co_op=UEDA)
        (deed,) = desk.yui.audit.entries("cli:tests", 0, 10, by=person.account, action="record.file")
        assert deed.co_op == UEDA


def test_small_counts_are_not_shown_and_every_chart_has_its_table(desk: Desk) -> None:
    ask(desk, "うえだの質問", UEDA, 20)
    ask(desk, "うえだの質問", UEDA, 10, answered=False)
    ask(desk, "すざかの質問", SUZAKA, 3)
    with desk.person("数を見る人", ADMIN) as person:
        fields = person.get("/console/record/trends", params={"by": "field"}).text
        assert fields.count("出しません</b>") == 2  # 33 - 30 would tell the other
        assert "30" not in re.sub(r"<style.*|<head.*?</head>", "", fields, flags=re.DOTALL)
        week = person.get("/console/record/trends").text
        assert "<b>33回</b>" in week
        assert "うち、答えられなかった 10回" in week
        assert re.search(
            r'<th scope="row">2026年11月16日\(月\)からの週</th><td class="number">33</td><td class="number">10</td>', week
        )
        assert "<caption>週ごとの質問の数</caption>" in week


def test_the_largest_pages_are_small_enough(desk: Desk) -> None:
    ask(desk, "あ" * 300, UEDA, 51)
    with desk.person("重さを見る人", ADMIN) as person:
        assets = sum(len(person.get(f"/assets/{name}").content) for name in ("base.css", "console.css", "console.js"))
        for address in ("/console/record?answered=yes", "/console/record/trends?whole=true"):
            assert len(person.get(address).content) + assets < LARGEST


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser_nothing_is_wrong_and_nothing_runs_over_the_edge(
    desk: Desk, window: Callable[..., BrowserContext], width: int, language: str
) -> None:
    page = window(f"見る人 {width} {language}", ADMIN, width=width, language=language).new_page()
    addresses = ["/console/record", "/console/record/trends", "/console/record?answered=no&text=x"]
    for address in addresses[:2]:  # empty
        page.goto(address)
        assert violations(page) == []
    ask(desk, SCRIPT, UEDA, 9, helpful=False)
    ask(desk, "長い質問" * 70, SUZAKA, 55, answered=False)
    ask(desk, "", "", 6)
    for address in [*addresses, *(f"/console/record/trends?by={by}&whole=true" for by in ("week", "field", "prefecture"))]:
        page.goto(address)
        for summary in page.locator("summary").all():
            summary.click()
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address


@needs_browser
def test_without_scripts_a_filter_is_chosen_by_keyboard_and_the_file_comes(
    desk: Desk, window: Callable[..., BrowserContext]
) -> None:
    ask(desk, "総会の公告は?")
    ask(desk, "雪かきは?", answered=False)
    page = window("鍵盤の人", OF_UEDA, scripts=False).new_page()
    page.goto("/console/record")
    page.get_by_text("しぼりこむ").press("Enter")
    page.get_by_label("答えられたか").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.get_by_label("言葉").focus()
    page.keyboard.type("雪")
    page.keyboard.press("Enter")
    page.wait_for_url("**answered=no**")
    assert page.locator(".words").all_inner_texts() == ["雪かきは?"]
    with page.expect_download() as download:
        page.get_by_role("link", name="表のファイル").press("Enter")
    assert download.value.suggested_filename == "record-2026-11-21.csv"
