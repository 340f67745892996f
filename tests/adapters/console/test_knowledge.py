"""The pages of the knowledge over real HTTP and in a real browser."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from bot.tips.tip import Draft
from knowledge import Audience, Document, Kind, Passage
from tests.adapters.console.conftest import (
    ADMIN,
    BROWSER,
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
    from playwright.sync_api import Browser, BrowserContext, Page

SCRIPT = "<script>alert('結')</script><img src=x onerror=alert(1)>"
PAGES = (
    "/console/knowledge",
    "/console/knowledge?text=理事は何人",
    "/console/knowledge/entry?id=act-32",
    "/console/knowledge/new",
    "/console/knowledge/history?id=act-32",
    "/console/knowledge/import",
    "/console/knowledge/words",
    "/console/knowledge/export",
)


def put(desk: Desk, document_id: str, short: str, *keys: str, title: str = "") -> str:
    """An entry that somebody brought in."""
    title = title or short[:12]
    passage = Passage(document_id, title, short, asks=(f"{title}は?",))
    document = Document(document_id, Kind.SURVEY, title, "しらべ", (passage,), audience=Audience.of(*keys))
    desk.yui.knowledge.upsert([document], f"papers of {document_id}")
    return document_id


def fields(person: Person, address: str) -> dict[str, str]:
    """What a browser would send of the entry's form, untouched."""
    page = person.get(address)
    assert page.status_code == 200, page.text
    return form_of(page)


def form_of(page: httpx.Response) -> dict[str, str]:
    form = re.search(r'<form id="entry".*?</form>', page.text, re.DOTALL)
    assert form, page.text
    found: dict[str, str] = {}
    for tag in re.finditer(r'<input [^>]*?name="([^"]+)"[^>]*>', form[0]):
        value = re.search(r'value="([^"]*)"', tag[0])
        found[tag[1]] = html.unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea [^>]*?name="([^"]+)"[^>]*>(.*?)</textarea>', form[0], re.DOTALL):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select [^>]*?name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(r'<option value="([^"]*)"', options)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    found.pop("csrf")
    return found


def entry_address(document_id: str, part: str = "") -> str:
    return f"/console/knowledge/entry?id={quote(document_id, safe='')}" + (f"&part={quote(part, safe='')}" if part else "")


def undone(person: Person, page: httpx.Response) -> httpx.Response:
    found = re.search(r'action="(/console/knowledge[^"]*)">.*?name="value" value="([^"]*)"', page.text, re.DOTALL)
    assert found, page.text
    return person.press(found[1], value=html.unescape(found[2]))


def test_a_search_shows_what_the_bot_finds_and_why(desk: Desk) -> None:
    with desk.person("探す人", OF_UEDA) as person:
        page = person.get("/console/knowledge", params={"text": "監事の任期は何年"})
        assert "act-36" in page.text
        assert "言葉がある(" in page.text
        assert "点 +" in page.text
        assert "4年以内" in page.text  # what the bot says
        assert len(page.content) < 100_000
        nothing = person.get("/console/knowledge", params={"text": "宇宙船の燃料の値段"})
        assert "この質問の答えを書く" in nothing.text
        assert "催し" in person.get("/console/knowledge", params={"kind": "event"}).text
        assert "見つかりません" in person.get("/console/knowledge", params={"care": "expired"}).text


def test_an_entry_is_edited_and_the_bot_answers_so_at_once(desk: Desk) -> None:
    document = put(desk, "ladle", "おたまは3番の引き出しにあります。", title="おたまの置き場所")
    with desk.person("直す人", FEDERATION) as person:
        typed = fields(person, entry_address(document))
        saved = person.press(
            "/console/knowledge/entry", **{**typed, "action": "save", "p_short": "おたまは5番の引き出しにあります。"}
        )
        assert saved.status_code == 303
        told = person.get(saved.headers["location"])
        assert "保存しました" in told.text
        asked = httpx.post(f"{desk.address}/api/ask", json={"question": "おたまの置き場所はどこですか"}).json()
        assert "5番" in asked["text"]
        history = person.get("/console/knowledge/history", params={"id": document, "new": "1"})
        assert "<del>3</del><ins>5</ins>" in history.text
        assert undone(person, told).status_code == 303
        assert "3番" in person.get(entry_address(document)).text
    deeds = [(d.action, d.about) for d in desk.yui.audit.entries("cli:tests", limit=20)]
    assert ("entry.save", document) in deeds
    assert ("entry.restore", document) in deeds


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(desk: Desk) -> None:
    document = put(desk, "lid", "ふたは棚の上です。", title="ふたの置き場所")
    with desk.person("まちがえる人", ADMIN) as person:
        typed = fields(person, entry_address(document))
        wrong = {
            **typed,
            "action": "save",
            "p_short": "長" * 130,
            "p_detail": "わたしの大事な文",
            "article": "第200条",
            "p_en": "It costs 500 yen.",
        }
        answer = person.press("/console/knowledge/entry", **wrong)
        assert answer.status_code == 422
        for sentence in ("120文字まで", "「第200条」という条は", "「500", "わたしの大事な文", "長" * 130):
            assert sentence in answer.text
        assert form_of(answer)["p_en"] == "It costs 500 yen."
        assert "ふたは棚の上です。" in person.get(entry_address(document)).text
    with desk.person("Wrong in English", ADMIN, language="en") as person:
        assert "120 characters at most" in person.press("/console/knowledge/entry", **wrong).text


def test_two_people_saving_the_same_entry_the_second_sees_and_chooses(desk: Desk) -> None:
    document = put(desk, "pot", "なべは流しの下です。", title="なべの置き場所")
    with desk.person("早い人", FEDERATION) as first, desk.person("おそい人", ADMIN) as second:
        hers, his = fields(first, entry_address(document)), fields(second, entry_address(document))
        first.press(
            "/console/knowledge/entry", **{**hers, "action": "save", "p_short": "なべは窓ぎわです。", "p_detail": "窓の左。"}
        )
        stale = second.press("/console/knowledge/entry", **{**his, "action": "save", "p_short": "なべは入口です。"})
        assert stale.status_code == 409
        assert "早い人さんが先に保存しました" in stale.text
        assert "<del>窓ぎわ</del><ins>入口</ins>" in stale.text
        assert "窓ぎわ" in first.get(entry_address(document)).text  # nothing was overwritten
        kept = second.press("/console/knowledge/entry", **{**form_of(stale), "action": "save"})
        assert kept.status_code == 303
        now = fields(second, entry_address(document))
        assert (now["p_short"], now["p_detail"]) == ("なべは入口です。", "窓の左。")


def test_the_preview_shows_both_platforms_and_keeps_nothing(desk: Desk) -> None:
    document = put(desk, "cup", "茶わんは上の棚です。", title="茶わんの置き場所")
    with desk.person("ためす人", FEDERATION) as person:
        typed = {**fields(person, entry_address(document)), "p_short": "茶わんは*下*の棚です。", "p_easy": "茶わんは 下です。"}
        part = person.press("/console/knowledge/preview", **typed)
        assert part.status_code == 200
        assert "<html" not in part.text
        assert part.text.count("茶わんは*下*の棚です。") == 2
        assert "LINEで" in part.text
        assert "Discordで" in part.text
        assert "出典" in part.text
        whole = person.press("/console/knowledge/entry", **{**typed, "action": "preview", "language": "ja-easy"})
        assert "茶わんは 下です。" in whole.text
        assert fields(person, entry_address(document))["p_short"] == "茶わんは上の棚です。"
        assert "短い答えを書くと" in person.press("/console/knowledge/preview", **{**typed, "p_short": "", "p_easy": ""}).text


def test_what_one_may_only_read_has_no_form(desk: Desk) -> None:
    draft = Draft(text="新聞紙で包むと、漬物のにおいが車に残りませんでした。", audience=Audience.of("federation"))
    tip = desk.yui.curation.offer(draft, author="line:someone", conversation="line:group-ueda", co_op=UEDA)
    with desk.person("読む人", OF_UEDA) as person:
        for address, told in ((entry_address("act-32"), "直す役割は、ほかの方にあります"), (entry_address(tip.id), "コツは")):
            page = person.get(address)
            assert page.status_code == 200
            assert told in page.text
            assert 'id="entry"' not in page.text
        assert person.press("/console/knowledge/remove", id="act-32").status_code == 422


def test_a_new_entry_answers_at_once_and_is_taken_back(desk: Desk) -> None:
    with desk.person("書く人", OF_UEDA) as person:
        typed = fields(person, "/console/knowledge/new?text=しゃもじはどこ")
        assert typed["p_asks"] == "しゃもじはどこ"
        assert typed["audience"] == f"coop:{UEDA}"
        missing = person.press("/console/knowledge/entry", **{**typed, "action": "save", "title": "しゃもじの場所"})
        assert missing.status_code == 422
        assert form_of(missing)["title"] == "しゃもじの場所"
        wide = {**typed, "title": "しゃもじの場所", "p_short": "しゃもじは米びつの中です。", "source": "台所", "action": "save"}
        assert "あなたの組合だけ" in person.press("/console/knowledge/entry", **{**wide, "audience": "public"}).text
        made = person.press("/console/knowledge/entry", **wide)
        assert made.status_code == 303
        page = person.get(made.headers["location"])
        assert "入れました" in page.text
        undone(person, page)
        assert person.get(made.headers["location"]).status_code == 404


def test_parts_are_added_and_removed(desk: Desk) -> None:
    document = put(desk, "tray", "おぼんは台の下です。", title="おぼんの置き場所")
    with desk.person("足す人", FEDERATION) as person:
        typed = fields(person, entry_address(document, "new"))
        assert typed["p_short"] == ""
        added = person.press(
            "/console/knowledge/entry", **{**typed, "action": "save", "p_heading": "数", "p_short": "おぼんは10枚あります。"}
        )
        assert added.status_code == 303
        page = person.get(added.headers["location"])
        assert "おぼんは10枚あります。" in page.text
        gone = person.press("/console/knowledge/entry", **{**form_of(page), "action": "remove_part"})
        assert gone.status_code == 303
        assert "10枚" not in person.get(entry_address(document)).text


def test_who_looks_after_it_and_until_when(desk: Desk) -> None:
    document = put(desk, "towel", "ふきんは白です。", f"coop:{UEDA}", title="ふきんの色")
    with desk.person("見る人", OF_UEDA) as person:
        care = {"id": document, "verifier": person.account, "check_at": "2026-11-20", "expires_at": "2026-12-24"}
        saved = person.press("/console/knowledge/care", **care)
        undone(person, person.get(saved.headers["location"]))
        assert "2026-12-24" not in person.get(entry_address(document)).text
        assert person.press("/console/knowledge/care", **care).status_code == 303
        assert "2026年12月24日(木)まで" in person.get("/console/knowledge", params={"care": "mine"}).text
        assert "ふきんの色" in person.get("/console/knowledge", params={"care": "due"}).text
        wrong = person.press("/console/knowledge/care", **{**care, "check_at": "あした"})
        assert wrong.status_code == 422
        assert "「あした」は日付ではありません" in wrong.text
        person.press("/console/knowledge/care", **{**care, "expires_at": "2026-11-01"})
        assert "かくれています" in person.get(entry_address(document)).text
        person.press("/console/knowledge/remove", id=document)
        assert person.get(entry_address(document)).status_code == 404
        assert "ふきんは白です。" not in person.get("/console/knowledge").text
        person.press("/console/knowledge/restore", value=f"0.{document}")
        assert person.get(entry_address(document)).status_code == 200


def test_a_shipped_entry_is_given_back(desk: Desk) -> None:
    with desk.person("もどす人", ADMIN) as person:
        typed = fields(person, entry_address("act-44"))
        person.press("/console/knowledge/entry", **{**typed, "action": "save", "title": "手で直した題"})
        assert "手で直した題" in person.get(entry_address("act-44")).text
        assert person.press("/console/knowledge/restore", value="shipped.act-44").status_code == 303
        assert fields(person, entry_address("act-44"))["title"] == typed["title"]
        assert desk.yui.knowledge.listing.named(["act-44"])["act-44"].origin == "shipped corpus"


def test_what_is_another_co_ops_is_neither_seen_nor_touched(desk: Desk) -> None:
    secret = "上田だけの合言葉は山椒です"
    document = put(desk, "ueda-word", f"{secret}。", f"coop:{UEDA}", title="上田の合言葉")
    with desk.person("うえだの人", OF_UEDA) as own, desk.person("すざかの人", OF_SUZAKA) as other:
        typed = fields(own, entry_address(document))
        own.press("/console/knowledge/entry", **{**typed, "action": "save", "p_detail": "くわしくは奥です。"})
        gets = [
            entry_address(document),
            f"/console/knowledge/history?id={document}&new=1",
            "/console/knowledge?text=上田だけの合言葉は何",
            f"/console/knowledge?co_op={UEDA}",
            f"/console/knowledge?text=合言葉&co_op={UEDA}",
            "/console/knowledge/export/entries.csv",
            "/console/knowledge/export/entries.jsonl",
            f"/console/knowledge/export/entries.csv?co_op={UEDA}",
            f"/console/knowledge/export/tips.csv?co_op={UEDA}",
        ]
        for address in gets:
            answer = other.get(address)
            assert "山椒" not in answer.text, address
            nothing = other.get(address.replace(document, "no-such-entry").replace(UEDA, "no-such-co-op"))
            assert answer.status_code == nothing.status_code, address
        posts: list[tuple[str, dict[str, Any]]] = [
            ("/console/knowledge/entry", {**typed, "action": "save", "p_short": "ぬすんだ"}),
            ("/console/knowledge/preview", typed),
            ("/console/knowledge/restore", {"value": f"0.{document}"}),
            ("/console/knowledge/restore", {"value": f"shipped.{document}"}),
            ("/console/knowledge/remove", {"id": document}),
            ("/console/knowledge/unmake", {"value": document}),
            ("/console/knowledge/care", {"id": document, "verifier": other.account}),
        ]
        for address, sent in posts:
            answer = other.press(address, **sent)
            unseen = other.press(address, **json.loads(json.dumps(sent).replace(document, "no-such-entry")))
            assert answer.status_code in (404, 422), address
            assert "山椒" not in answer.text
            assert answer.status_code == unseen.status_code
        assert secret in own.get(entry_address(document)).text
        count = lambda person: re.search(r"([\d,]+)件</h2>", person.get("/console/knowledge").text)[1]  # type: ignore[index]  # noqa: E731
        before = count(other)
        put(desk, "ueda-second", "上田の二つ目です。", f"coop:{UEDA}")
        assert count(other) == before
        assert secret in own.get("/console/knowledge/export/entries.csv").text


@pytest.mark.parametrize("document_id", ["a b&c=d#e?f/g", "半角＆全角／記号", "x'\"<>y", "percent%41%"])
def test_ids_of_any_characters(desk: Desk, document_id: str) -> None:
    put(desk, document_id, "さじは右です。", title=f"さじ {len(document_id)}")
    with desk.person(f"番号の人{len(document_id)}", ADMIN) as person:
        typed = fields(person, entry_address(document_id))
        assert typed["id"] == document_id
        saved = person.press("/console/knowledge/entry", **{**typed, "action": "save", "p_short": "さじは左です。"})
        assert "さじは左です。" in person.get(saved.headers["location"]).text
        undone(person, person.get(saved.headers["location"]))
        assert "さじは右です。" in person.get(entry_address(document_id)).text
        assert person.get("/console/knowledge/history", params={"id": document_id}).status_code == 200


def test_script_in_every_field_is_only_text(desk: Desk) -> None:
    with desk.person("いたずら", ADMIN) as person:
        typed = {
            k: SCRIPT for k in fields(person, "/console/knowledge/new") if k not in ("kind", "audience", "id", "version", "part")
        }
        sent = {**typed, "id": "", "version": "0", "part": "", "kind": "survey", "audience": "public", "action": "save"}
        for address, form in [
            ("/console/knowledge/entry", sent),
            ("/console/knowledge/preview", sent),
            ("/console/knowledge/words", {"said": SCRIPT, "meant": SCRIPT[:30]}),
        ]:
            answer = person.press(address, **form)
            assert "<script>alert" not in answer.text, address
            assert "<img src=x" not in answer.text, address
        well = {
            **sent,
            "url": "",
            "article": "",
            "as_of": "",
            "starts": "",
            "ends": "",
            "p_url": "",
            "p_as_of": "",
            "p_en": "",
            "p_easy": "",
        }
        made = person.press("/console/knowledge/entry", **well)
        assert made.status_code == 303, made.text
        page = person.get(made.headers["location"])
        for text in (page.text, person.get("/console/knowledge", params={"text": SCRIPT}).text):
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert html.escape(SCRIPT)[:20] in text
        undone(person, page)


def test_the_words_of_the_co_ops(desk: Desk) -> None:
    with desk.person("言いかえる人", FEDERATION) as person, desk.person("組合の人", OF_UEDA) as other:
        added = person.press("/console/knowledge/words", said="ぴょんぴょこ金", meant="準備金")
        assert added.status_code == 303
        asked = httpx.post(f"{desk.address}/api/ask", json={"question": "ぴょんぴょこ金はいくら積むの"}).json()
        meant = httpx.post(f"{desk.address}/api/ask", json={"question": "準備金はいくら積むの"}).json()
        assert asked["text"] == meant["text"]
        again = person.press("/console/knowledge/words", said="ぴょんぴょこ金", meant="出資")
        assert again.status_code == 422
        assert "もう登録されています" in again.text
        assert 'value="出資"' in again.text
        page = other.get("/console/knowledge/words")
        assert "ぴょんぴょこ金" in page.text
        assert "連合会の係だけ" in page.text
        assert other.press("/console/knowledge/words", said="べつの言葉", meant="出資").status_code == 422
        gone = undone(person, person.get(added.headers["location"]))
        told = person.get(gone.headers["location"])
        assert "消しました" in told.text
        undone(person, told)
        assert [s.said for s in desk.yui.synonyms.own()] == ["ぴょんぴょこ金"]
        assert len(page.content) < 100_000
    for synonym in desk.yui.synonyms.own():
        desk.yui.synonyms.remove("cli:tests", synonym.id)


def sent_file(person: Person, name: str, data: bytes, **form: str) -> httpx.Response:
    return person.post(
        "/console/knowledge/import", data={"csrf": person.csrf, "kind": "survey", **form}, files={"file": (name, data)}
    )


def test_a_table_is_brought_in_with_its_columns(desk: Desk) -> None:
    table = "題,短い答え\nほうき,ほうきは赤です。\nちりとり,ちりとりは青です。\nぞうきん,\n".encode()
    with desk.person("入れる人", OF_UEDA) as person, desk.person("見えない人", OF_SUZAKA) as other:
        sent = sent_file(person, "そうじ.csv", table, audience=f"coop:{UEDA}")
        assert sent.status_code == 303
        address = sent.headers["location"]
        job_id = address.partition("id=")[2]
        assert "短い答え" in person.get(address).text
        columns = {"rows": "yes", "c_title": "0", "c_short": "1"}
        nothing_chosen = person.press("/console/knowledge/import/start", id=job_id, action="check", rows="yes", c_title="0")
        assert nothing_chosen.status_code == 422
        person.press("/console/knowledge/import/start", id=job_id, action="check", **columns)
        desk.yui.imports.wait()
        looked = person.get(address)
        assert "入れると、こう変わります" in looked.text
        assert "4行目:" in looked.text
        assert "「短い答え」が空です" in looked.text
        for get in (address, f"/console/knowledge/import/state?id={job_id}"):
            assert other.get(get).status_code == other.get(get.replace(job_id, "nothing")).status_code == 422
        assert other.press("/console/knowledge/import/start", id=job_id, action="take", **columns).status_code == 422
        assert "そうじ.csv" not in other.get("/console/knowledge/import").text
        person.press("/console/knowledge/import/start", id=job_id, action="take", **columns)
        desk.yui.imports.wait()
        assert "こう変わりました" in person.get(address).text
        assert "ほうきは赤です。" in person.get("/console/knowledge", params={"text": "ほうきは何色", "co_op": UEDA}).text
        assert "ほうきは赤です。" not in other.get("/console/knowledge", params={"text": "ほうきは何色"}).text
        assert sent_file(person, "x.csv", table, audience="public").status_code == 422


def test_a_file_that_lies_about_its_type_gets_one_sentence(desk: Desk) -> None:
    with desk.person("だます人", ADMIN) as person:
        sent = sent_file(person, "うそ.pdf", b"<html><body>page</body></html>", audience="public")
        job_id = sent.headers["location"].partition("id=")[2]
        person.press("/console/knowledge/import/start", id=job_id, action="check", rows="no")
        desk.yui.imports.wait()
        page = person.get(sent.headers["location"])
        assert "名前は pdf ですが、中身は html です。" in page.text
        assert person.press("/console/knowledge/import/cancel", id=job_id).status_code == 303
        assert "ファイルを選んでください" in person.press("/console/knowledge/import", audience="public", kind="survey").text


def test_what_is_exported_can_be_read_and_brought_in_again(desk: Desk) -> None:
    put(desk, "formula", "=1+1は2です。", f"coop:{SUZAKA}", title="=HYPERLINK(1)")
    with desk.person("出す人", OF_SUZAKA) as person:
        rows = list(csv.DictReader(io.StringIO(person.get("/console/knowledge/export/entries.csv").text.lstrip("\ufeff"))))
        [row] = [r for r in rows if r["id"] == "formula"]
        assert (row["題"], row["短い答え"]) == ("'=HYPERLINK(1)", "'=1+1は2です。")
        own = person.get("/console/knowledge/export/entries.jsonl", params={"co_op": SUZAKA})
        assert [json.loads(line)["id"] for line in own.text.splitlines()] == ["formula"]
        assert person.get("/console/knowledge/export/entries.xml").status_code == 404
        assert person.get("/console/knowledge/export/tips.md").status_code == 200


def test_without_a_session_or_its_mark_nothing_is_done(desk: Desk) -> None:
    document = put(desk, "knife", "包丁は引き出しです。", title="包丁の置き場所")
    assert httpx.get(f"{desk.address}/console/knowledge").status_code == 303
    with desk.person("古い画面の人", ADMIN) as person:
        assert person.post("/console/knowledge/remove", data={"id": document}).status_code == 403
        assert person.post("/console/knowledge/remove", data={"id": document, "csrf": "x"}).status_code == 403
        assert person.get(entry_address(document)).status_code == 200


def test_strange_addresses_get_a_clear_answer(desk: Desk) -> None:
    with desk.person("変な人", ADMIN) as person:
        typed = fields(person, entry_address("act-32"))
        for sent in ({**typed, "version": "-1"}, {**typed, "version": "x"}, {**typed, "id": "no\0thing"}):
            assert person.press("/console/knowledge/entry", **sent).status_code in (404, 422)
        for address in (
            "entry?id=",
            "entry?id=%00",
            "history?id=nothing",
            "import/job?id=..%2Fx",
            "?offset=-1",
            "?kind=%00&care=x",
        ):
            assert person.get(f"/console/knowledge/{address}".replace("/?", "?")).status_code in (200, 404, 422), address
        assert person.press("/console/knowledge/restore", value="x").status_code == 422
        assert person.press("/console/knowledge/words/remove", value="9999999").status_code == 422


def test_every_page_is_small_and_in_both_languages(desk: Desk) -> None:
    for language in ("ja", "en"):
        with desk.person(f"大きさ {language}", ADMIN, language=language) as person:
            for address in PAGES:
                page = person.get(address)
                assert page.status_code == 200, address
                assert len(page.content) < 100_000, address
                assert f'<html lang="{language}">' in page.text


@pytest.mark.long
@needs_browser
@pytest.mark.parametrize(("width", "language"), [(360, "ja"), (360, "en"), (1280, "ja"), (1280, "en")])
def test_the_pages_are_accessible(desk: Desk, window: Callable[..., BrowserContext], width: int, language: str) -> None:
    put(desk, "seen", "見る知識です。", f"coop:{UEDA}", title="見る知識")
    job = desk.yui.imports.upload(
        "cli:tests", "見る表.csv", io.BytesIO("題,短い答え\n一つ目,一つ目です。\n二つ目,\n".encode()), "public", "survey"
    )
    desk.yui.imports.start("cli:tests", job.id, {"title": 0, "short": 1}, dry=True)
    desk.yui.imports.wait()
    context = window(f"知識を見る人{width}{language}", ADMIN, width=width, language=language)
    page = context.new_page()
    for address in (*PAGES, entry_address("seen"), f"/console/knowledge/import/job?id={job.id}"):
        page.goto(address)
        assert violations(page) == [], address
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, address


@needs_browser
def test_the_preview_follows_the_typing(desk: Desk, window: Callable[..., BrowserContext]) -> None:
    document = put(desk, "bowl", "どんぶりは茶色です。", title="どんぶりの色")
    page: Page = window("打つ人", ADMIN).new_page()
    page.goto(entry_address(document))
    page.fill("#p_short", "どんぶりは緑色です。")
    page.locator("#preview", has_text="緑色").wait_for()
    page.click("main form#entry button[value=save]")
    page.wait_for_selector("#said")
    assert "緑色" in page.inner_text("#preview")


@needs_browser
def test_without_scripts_and_by_keyboard_alone(desk: Desk, window: Callable[..., BrowserContext]) -> None:
    document = put(desk, "plate", "皿は白です。", title="皿の色")
    page: Page = window("鍵盤の人", ADMIN, width=360, scripts=False).new_page()
    page.goto(entry_address(document))
    page.focus("#p_short")
    page.keyboard.press("Control+A")
    page.keyboard.type("皿は黒です。")
    page.focus("button[value=preview]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "皿は黒です。" in page.inner_text("#preview")
    page.focus("form#entry button[value=save]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said")
    assert page.input_value("#p_short") == "皿は黒です。"


@needs_browser
def test_a_conflict_is_accessible_too(desk: Desk, browser: Browser) -> None:
    document = put(desk, "basket", "かごは丸いです。", title="かごの形")
    _, token = desk.session("争う人", ADMIN)
    context = browser.new_context(viewport={"width": 360, "height": 740}, user_agent=BROWSER, base_url=desk.address)
    context.add_cookies([{"name": "yui_desk", "value": token, "url": desk.address}])
    page = context.new_page()
    page.goto(entry_address(document))
    with desk.person("先の人", FEDERATION) as first:
        typed = fields(first, entry_address(document))
        first.press("/console/knowledge/entry", **{**typed, "action": "save", "p_short": "かごは四角です。"})
    page.fill("#p_short", "かごは三角です。")
    page.click("form#entry button[value=save]")
    page.locator("#wrong").wait_for()
    assert violations(page) == []
    assert "四角" in page.inner_text("main del")
    context.close()
