"""The week's list over real HTTP and in a real browser: one press each, everything taken back, nothing of another co-op's."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from bot.tips.tip import Draft, Tip, TipState
from knowledge import FEDERATION, Audience
from tests.adapters.console.conftest import (
    ADMIN,
    OF_SUZAKA,
    OF_UEDA,
    SUZAKA,
    UEDA,
    Desk,
    needs_browser,
    violations,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

SCRIPT = "<script>alert('結')</script>"


def offered(desk: Desk, text: str, co_op: str = UEDA, **more: str) -> Tip:
    draft = Draft(text=text, audience=Audience.of(FEDERATION), **more)  # type: ignore[arg-type]
    return desk.yui.curation.offer(draft, author=f"line:giver-of-{co_op}", conversation=f"line:group-{co_op}", co_op=co_op)


def asked(desk: Desk, text: str, co_op: str = UEDA) -> str:
    desk.yui.questions.record(text, asker="line:asker", conversation=f"line:group-{co_op}", co_op=co_op, nearest=())
    topics = desk.yui.questions.topics("cli:tests")
    return next(t.id for t in topics if t.text == text)


def state(desk: Desk, tip: Tip) -> TipState:
    found = desk.yui.curation.tip(tip.id, "cli:tests")
    assert found is not None
    return found.state


def undo_of(page: httpx.Response) -> dict[str, str]:
    """What the undo button on a page sends."""
    value = re.search(r'action="/console/week/undo">.*?name="value" value="([^"]+)"', page.text, re.DOTALL)
    assert value, page.text
    return {"value": html.unescape(value[1])}


def test_who_is_not_signed_in_is_led_to_the_door_and_back(desk: Desk) -> None:
    answer = httpx.get(f"{desk.address}/console/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in?to=%2Fconsole%2F")


def test_a_tip_is_published_with_one_press_and_taken_back_with_another(desk: Desk) -> None:
    tip = offered(desk, "冬の見守りは、灯油の配達の人といっしょに回ると、留守がすぐ分かりました。")
    with desk.person("公開する人", OF_UEDA) as person:
        assert tip.draft.text in person.get("/console/").text
        pressed = person.press("/console/week/tip", id=tip.id, version=tip.version, action="publish")
        assert pressed.status_code == 303
        assert state(desk, tip) is TipState.PUBLISHED
        told = person.get(pressed.headers["location"])
        assert "公開しました。" in told.text
        person.press("/console/week/undo", **undo_of(told))
    assert state(desk, tip) is TipState.WAITING


def test_a_second_press_and_an_old_card_do_no_harm(desk: Desk) -> None:
    tip = offered(desk, "回覧板に返信用の欄を切り取り線でつけたら、年配の方からの申込が増えました。")
    with desk.person("二度押す人", OF_UEDA) as person:
        fields = {"id": tip.id, "version": tip.version, "action": "publish"}
        person.press("/console/week/tip", **fields)
        again = person.press("/console/week/tip", **fields)
        assert "もう済んでいます" in person.get(again.headers["location"]).text
        desk.yui.curation.change(tip.id, tip.author, Draft(text="回覧板の申込欄は、切り取り線と大きな字にしたら増えました。"))
        old = person.press("/console/week/tip", **fields)
        assert "内容が変わりました" in person.get(old.headers["location"]).text
        assert "<del>" in person.get("/console/").text  # what the new version changed
    assert state(desk, tip) is TipState.WAITING


def test_asking_back_and_declining_want_words_and_keep_them(desk: Desk) -> None:
    tip = offered(desk, "子ども食堂の買い出しは、前の日の夕方に市場へ行くと安くなりました。")
    with desk.person("たずねる人", OF_UEDA) as person:
        fields = {"id": tip.id, "version": tip.version}
        empty = person.press("/console/week/tip", **fields, action="ask_back", reason="  ")
        assert empty.status_code == 422
        assert "たずねることを書いてください。" in empty.text
        person.press("/console/week/tip", **fields, action="ask_back", reason="どの市場ですか")
        assert state(desk, tip) is TipState.ASKED_BACK
        person.press("/console/week/tip", **fields, action="decline", reason="期限が過ぎました")
    assert state(desk, tip) is TipState.DECLINED


def test_what_says_the_same_stands_beside_and_is_merged(desk: Desk) -> None:
    first = offered(desk, "夏祭りの屋台は、保健所への届出を1か月前に出すと余裕がありました。")
    second = offered(desk, "夏祭りの屋台は、保健所への届出を1か月前に出すと余裕がありました！")
    with desk.person("まとめる人", OF_UEDA) as person:
        person.press("/console/week/tip", id=first.id, version=1, action="publish")
        beside = person.get("/console/week/similar", params={"id": second.id})
        assert first.draft.text in beside.text
        person.press("/console/week/tip", id=second.id, version=1, action="merge", into=first.id)
        assert state(desk, second) is TipState.MERGED
        wrong = person.press(
            "/console/week/tip",
            id=offered(desk, "餅つきの臼は公民館で借りられました。").id,
            version=1,
            action="merge",
            into="tip-none",
        )
        assert wrong.status_code == 422


def test_the_answer_to_a_question_becomes_an_entry(desk: Desk) -> None:
    topic = asked(desk, "竹の炭を焼くときの届けはどこに出しましたか")
    with desk.person("答える人", OF_UEDA) as person:
        assert "竹の炭" in person.get("/console/").text
        short = person.press("/console/week/question", id=topic, action="answer", text="市")
        assert short.status_code == 422
        assert "市</textarea>" in short.text  # what was typed is still there
        done = person.press(
            "/console/week/question", id=topic, action="answer", text="竹の炭は、消防署へ前の日に電話で届けました。"
        )
        told = person.get(done.headers["location"])
        assert "公開しました。" in told.text
        assert desk.yui.questions.topic(topic, person.account) is None
        person.press("/console/week/undo", **undo_of(told))
        assert desk.yui.questions.topic(topic, person.account) is not None


def test_an_answer_that_tells_of_a_person_is_asked_about(desk: Desk) -> None:
    topic = asked(desk, "花火の日の見守りはだれに頼みましたか")
    named, ill = "花火の見守りは、佐藤花子さんに頼みました。", "花火の見守りは、うつ病の佐藤花子さんに頼みました。"
    with desk.person("見守りの人", OF_UEDA) as person:
        held = person.press("/console/week/question", id=topic, action="answer", text=named)
        assert held.status_code == 422
        assert "佐藤花子" in held.text
        assert 'name="confirmed"' in held.text
        assert desk.yui.questions.topic(topic, person.account) is not None
        assert person.press("/console/week/question", id=topic, action="answer", text=ill, confirmed="yes").status_code == 422
        done = person.press("/console/week/question", id=topic, action="answer", text=named, confirmed="yes")
        assert "公開しました。" in person.get(done.headers["location"]).text


@pytest.mark.parametrize("action", ["close", "postpone"])
def test_closing_and_postponing_a_question_is_taken_back(desk: Desk, action: str) -> None:
    topic = asked(desk, f"薪ストーブの煙突掃除はだれに頼みますか（{action}）")
    with desk.person(f"閉じる人{action}", OF_UEDA) as person:
        pressed = person.press("/console/week/question", id=topic, action=action)
        assert desk.yui.questions.topic(topic, person.account) is None
        person.press("/console/week/undo", **undo_of(person.get(pressed.headers["location"])))
        assert desk.yui.questions.topic(topic, person.account) is not None


def test_another_co_ops_things_are_not_there(desk: Desk) -> None:
    tip = offered(desk, "うえだだけの話として、鍵は表の箱に入れてあります。")
    topic = asked(desk, "うえだの鍵の箱の番号は変えましたか")
    with desk.person("よその係", OF_SUZAKA) as person:
        page = person.get("/console/").text
        assert tip.draft.text not in page
        assert "うえだの鍵" not in page
        for path, kind in (("/console/week/similar", ""), ("/console/week/item", "tip"), ("/console/week/item", "question")):
            assert person.get(path, params={"id": topic if kind == "question" else tip.id, "kind": kind}).status_code == 404
        assert person.press("/console/week/tip", id=tip.id, version=1, action="publish").status_code == 404
        person.press("/console/week/question", id=topic, action="close")
        person.press("/console/week/undo", value=f"tip:{tip.id}")
    assert state(desk, tip) is TipState.WAITING
    assert desk.yui.questions.topic(topic, "cli:tests") is not None


def test_scripts_in_every_field_are_only_words(desk: Desk) -> None:
    offered(desk, f"{SCRIPT}と書いたコツです。", place=SCRIPT, happened=SCRIPT, outcome=SCRIPT)
    asked(desk, f"{SCRIPT}は何ですか、と聞かれました")
    with desk.person("読む人", OF_UEDA) as person:
        page = person.get("/console/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_form_from_elsewhere_is_refused(desk: Desk) -> None:
    tip = offered(desk, "よそから送られた形では公開されないコツです。")
    fields = {"id": tip.id, "version": "1", "action": "publish"}
    with desk.person("ねらわれる人", OF_UEDA) as person:
        assert person.post("/console/week/tip", data=fields).status_code == 403
        other = desk.yui.signer.sign("desk-csrf", "desk:somebody-else")
        assert person.post("/console/week/tip", data={**fields, "csrf": other}).status_code == 403
        from_elsewhere = person.post(
            "/console/week/tip", data={**fields, "csrf": person.csrf}, headers={"origin": "https://evil.example"}
        )
        assert from_elsewhere.status_code == 403
        assert person.get("/console/", headers={"host": "evil.example"}).status_code == 421
    assert state(desk, tip) is TipState.WAITING


def test_what_was_typed_outlives_the_session(desk: Desk) -> None:
    topic = asked(desk, "味噌の仕込みは何月がよかったですか")
    with desk.person("席を外した人", OF_UEDA) as person:
        typed = {"id": topic, "action": "answer", "text": "味噌は2月の寒いうちに仕込むと、かびませんでした。"}
        desk.yui.sign_in.end_all(person.account)
        kept = person.press("/console/week/question", **typed)
        assert kept.status_code == 401
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', kept.text))
        assert typed["text"] in fields["text"]
        token, _ = desk.yui.sign_in.sign_in("席を外した人", "ひまわり 自転車 味噌蔵", person.headers["user-agent"], "127.0.0.1")
        person.cookies.set("yui_desk", token)
        assert person.post("/console/week/question", data=fields).status_code == 303
    assert desk.yui.questions.topic(topic, "cli:tests") is None


def test_every_write_is_in_the_log_without_the_words(desk: Desk) -> None:
    tip = offered(desk, "記録に残ることを確かめるための、ひみつの言葉を含むコツです。")
    with desk.person("記録される人", OF_UEDA) as person:
        person.press("/console/week/tip", id=tip.id, version=1, action="publish")
        deeds = desk.yui.audit.entries("cli:tests", 0, 50, by=person.account)
    assert [(d.action, d.about) for d in deeds] == [("tip.publish", tip.id)]
    assert "ひみつ" not in repr(deeds)


@pytest.mark.long
def test_fifty_items_take_at_most_a_hundred_presses(desk: Desk) -> None:
    """Each with one press, and each page leads on to the next."""
    texts = [f"{n}番目の工夫は、畑の畝を{n}本ふやして水やりを分けたことです。" for n in range(50)]
    waiting = {offered(desk, text, SUZAKA).id for text in texts}
    presses = 0
    with desk.person("急ぐ人", OF_SUZAKA) as person:
        page = person.get("/console/").text
        while on_it := [i for i in re.findall(r'name="id" value="(tip-[0-9a-f]+)"', page) if i in waiting]:
            pressed = person.press("/console/week/tip", id=on_it[0], version=1, action="publish")
            page = person.get(pressed.headers["location"]).text
            waiting.remove(on_it[0])
            presses += 1
    assert not waiting
    assert presses <= 100


@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.long
def test_the_page_on_a_phone_and_at_a_desk(desk: Desk, window: Callable[..., BrowserContext], width: int, language: str) -> None:
    offered(desk, "お茶会の席は、耳の遠い方を壁ぎわにすると話しやすくなりました。")
    asked(desk, f"送迎の車検はだれの名前で受けましたか {width} {language}")
    page = window(f"週の一覧を見る人{width}{language}", ADMIN, width=width, language=language).new_page()
    page.goto("/console/")
    page.locator("[data-load]").first.scroll_into_view_if_needed()
    page.wait_for_selector("[data-load] details, [data-load] .about")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(page.locator("[data-load]").first.get_attribute("data-load").replace("/similar?", "/item?kind=tip&"))  # type: ignore[union-attr]
    assert violations(page) == []


@needs_browser
@pytest.mark.browser
def test_by_keyboard_alone(desk: Desk, window: Callable[..., BrowserContext]) -> None:
    tip = offered(desk, "鍵盤だけで公開するための、草刈り機の刃の替え方のコツです。", SUZAKA)
    page = window("鍵盤の人", OF_SUZAKA, width=1280).new_page()
    page.goto("/console/")
    for _ in range(200):
        page.keyboard.press("Tab")
        if (
            page.evaluate(
                "document.activeElement.form?.elements.action?.value === 'publish' && document.activeElement.form.elements.id.value"
            )
            == tip.id
        ):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#said")
    assert page.evaluate("document.activeElement.id") == "said"
    assert state(desk, tip) is TipState.PUBLISHED
