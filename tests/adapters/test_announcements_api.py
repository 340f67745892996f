"""`/api/announcements` over real HTTP."""

from __future__ import annotations

import datetime as dt
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.announcing.announcement import Content, Plan, Selection
from bot.api_keys import Scope
from bot.bootstrap import build
from bot.config import Settings
from bot.members import CoOp, Grant, Role
from tests.fakes import FakeEmbedder, FixedClock
from tests.running import Running

NEW: dict[str, Any] = {"content": {"title": "総会", "text": "総会です。"}, "selection": {"everyone": True}}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Running]:
    settings = Settings(data_dir=filled(tmp_path_factory.mktemp("announcing")), _env_file=None)
    with Running(settings, build(settings, embedder=FakeEmbedder(), clock=FixedClock())) as bot:
        for co_op in ("ueda", "mito"):
            bot.yui.members.put_co_op(CoOp(co_op, f"労協{co_op}"))
            bot.yui.store.joined("line", f"line:{co_op}", f"C{co_op}", bot.yui.clock())
            bot.yui.members.link(f"line:{co_op}", co_op)
        yield bot


def calling(bot: Running, name: str, co_op: str = "", *scopes: Scope) -> httpx.Client:
    bot.yui.api_keys.remove(name)
    key = bot.yui.api_keys.make(name, scopes or [Scope.ANNOUNCEMENTS_WRITE], co_op)
    return httpx.Client(base_url=f"{bot.address}/api", headers={"authorization": f"Bearer {key}"}, trust_env=False)


def test_from_draft_to_withdrawal(bot: Running) -> None:
    with calling(bot, "all") as api:
        made = api.post("/announcements", json=NEW)
        assert (made.status_code, made.json()["state"]) == (201, "draft")
        told = made.json()
        report = api.get(f"/announcements/{told['id']}").json()
        assert (report["cost"]["chats"], report["cost"]["pays"]) == (2, False)
        sent = api.post(f"/announcements/{told['id']}/schedule", json={"version": 1})
        assert (sent.status_code, sent.json()["state"]) == (200, "scheduled")
        again = api.post(f"/announcements/{told['id']}/schedule", json={"version": 1})
        assert (again.status_code, "ほかの人が先に" in again.json()["error"]) == (409, True)
        assert told["id"] in [a["id"] for a in api.get("/announcements").json()["announcements"]]
        version = api.get(f"/announcements/{told['id']}").json()["announcement"]["version"]
        assert api.post(f"/announcements/{told['id']}/withdraw", json={"version": version}).json()["state"] == "withdrawn"


def test_a_co_ops_key_reaches_its_own_chats_and_sees_its_own_only(bot: Running) -> None:
    with calling(bot, "ueda", "ueda") as ueda, calling(bot, "mito", "mito") as mito:
        made = ueda.post("/announcements", json=NEW).json()
        assert made["co_op"] == "ueda"
        assert ueda.get(f"/announcements/{made['id']}").json()["cost"]["chats"] == 1
        assert ueda.post("/announcements", json={**NEW, "co_op": "mito"}).status_code == 403
        assert mito.get(f"/announcements/{made['id']}").json() == mito.get("/announcements/000000000000").json()
        assert mito.post(f"/announcements/{made['id']}/withdraw", json={"version": 1}).status_code == 404
        assert not mito.get("/announcements").json()["announcements"]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"plan": {"send_at": "2020-01-01T10:00"}, "schedule": True}, 409, "過ぎています"),
        ({"content": {"title": "x", "text": "x", "grant": {"deadline": "2027-02-31"}}}, 409, "2027-02-31"),
        ({"content": {"title": "x", "text": "x", "link": "http://localhost/"}}, 409, "公開されている"),
        ({"selection": {}}, 409, "送り先を選んで"),
        ({"selection": {"chats": ["line:none"]}, "schedule": True}, 409, "送り先がひとつもありません"),
        ({"content": {"title": "", "text": "x"}}, 422, ""),
        ({"plan": {"means": "broadcast"}}, 422, ""),
        ({"more": 1}, 422, ""),
    ],
)
def test_what_cannot_be_is_refused_with_a_word(bot: Running, change: dict[str, Any], status: int, said: str) -> None:
    with calling(bot, "all") as api:
        answer = api.post("/announcements", json={**NEW, **change})
        assert answer.status_code == status
        assert said in answer.json()["error"]


def test_other_keys_and_removed_ones_open_nothing(bot: Running) -> None:
    with calling(bot, "reader", "", Scope.READ) as api:
        assert api.get("/announcements").status_code == 403
        bot.yui.api_keys.remove("reader")
        assert api.post("/announcements", json=NEW).status_code == 401


def picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(out, kind)
    return out.getvalue()


def step(api: httpx.Client, told: dict[str, Any], name: str, **more: Any) -> httpx.Response:
    version = api.get(f"/announcements/{told['id']}").json()["announcement"]["version"]
    return api.post(f"/announcements/{told['id']}/{name}", json={"version": version, **more})


def leaves(api: httpx.Client, told: dict[str, Any]) -> None:
    """Wait until it is on its way."""
    until = time.monotonic() + 20
    while api.get(f"/announcements/{told['id']}").json()["announcement"]["state"] == "scheduled":
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_second_pair_of_eyes(bot: Running) -> None:
    with calling(bot, "writer") as writer, calling(bot, "reader") as reader:
        told = writer.post("/announcements", json=NEW).json()
        assert step(writer, told, "propose").json()["state"] == "proposed"
        own = step(writer, told, "approve")
        assert (own.status_code, "別の人" in own.json()["error"]) == (403, True)
        alone = step(writer, told, "schedule")
        assert (alone.status_code, "確認を待って" in alone.json()["error"]) == (403, True)
        assert (
            reader.post(f"/announcements/{told['id']}/approve", json={"version": 1}).status_code == 409
        )  # seen before it was proposed
        assert step(reader, told, "approve").json()["state"] == "scheduled"


def test_what_has_left_is_corrected_and_a_draft_is_not(bot: Running) -> None:
    right = {"title": "総会", "text": "総会は公民館です。"}
    with calling(bot, "all") as api, calling(bot, "mito", "mito") as mito:
        told = api.post("/announcements", json={**NEW, "content": {"title": "総会", "text": "総会は集会所です。"}}).json()
        assert step(api, told, "correct", content=right).status_code == 409
        step(api, told, "schedule")
        leaves(api, told)
        assert mito.post(f"/announcements/{told['id']}/correct", json={"version": 3, "content": right}).status_code == 404
        wrong = step(api, told, "correct", content={**right, "picture": "0123456789012345678901.jpg"})
        assert (wrong.status_code, "この写真はありません" in wrong.json()["error"]) == (409, True)
        answer = step(api, told, "correct", content=right)
        assert (answer.status_code, answer.json()["content"]["text"]) == (200, right["text"])
        waiting = bot.yui.deliveries.ride("line:ueda", "a token", bot.yui.clock(), 5)
        texts = [sending.messages[0].text for sending in bot.yui.deliveries.sendings(waiting)]
        assert any("公民館" in text for text in texts)
        assert not any("集会所" in text for text in texts)


def test_the_search_follows_a_correction_and_a_withdrawal_although_nobody_asks(bot: Running) -> None:
    def found(words: str) -> bool:
        results = api.get("/search", params={"q": words, "limit": 5}).json()["results"]
        return any("ひまわり祭り" in str(result) for result in results)

    with calling(bot, "ueda", "ueda", Scope.ANNOUNCEMENTS_WRITE, Scope.READ) as api:
        old, new = "ひまわり祭りは広場で開きます。", "ひまわり祭りは体育館で開きます。"
        told = api.post("/announcements", json={**NEW, "content": {"title": "ひまわり祭り", "text": old}, "schedule": True}).json()
        leaves(api, told)
        assert step(api, told, "correct", content={"title": "ひまわり祭り", "text": new}).status_code == 200
        assert found("ひまわり祭りは体育館?")
        assert "広場" not in api.get("/search", params={"q": "ひまわり祭り"}).text
        assert step(api, told, "withdraw").status_code == 200
        assert not found("ひまわり祭りは体育館?")


def test_what_was_missed_is_told_with_the_next_reply_to_who_composed_it(bot: Running) -> None:
    clock = bot.yui.clock
    assert isinstance(clock, FixedClock)
    began, somebody = clock(), {"yui_conversation": "somebody"}
    composer = bot.yui.conversations.pseudonym("web", "somebody")
    bot.yui.members.give(composer, Grant(Role.COORDINATOR))
    made = bot.yui.announcements.compose(
        composer, Content("流しそうめん", "x"), Selection(everyone=True), Plan(send_at=began + dt.timedelta(days=1))
    )
    bot.yui.announcements.schedule(made.id, made.version, composer)
    try:
        clock.now = began + dt.timedelta(days=9)  # as if it had stood still meanwhile
        until = time.monotonic() + 20
        while not bot.yui.announcements.missed(composer):
            assert time.monotonic() < until
            time.sleep(0.1)
        time.sleep(0.3)
        ask = [
            httpx.post(f"{bot.address}/api/ask", json={"question": "こんにちは"}, cookies=somebody, trust_env=False).json()
            for _ in range(2)
        ]
    finally:
        clock.now = began
    assert ["「流しそうめん」は、決めた時に送れませんでした" in str(answer) for answer in ask] == [True, False]


def test_sent_to_one_chat_to_see_how_it_arrives(bot: Running) -> None:
    with calling(bot, "ueda", "ueda") as api:
        told = api.post("/announcements", json=NEW).json()
        address = f"/announcements/{told['id']}/try"
        assert api.post(address, json={"chat": "line:ueda"}).status_code == 204
        report = api.get(f"/announcements/{told['id']}").json()
        assert (report["waiting"], report["announcement"]["state"]) == (1, "draft")
        for elsewhere in ("line:mito", "line:none"):  # what one may not reach is answered like what is not there
            refused = api.post(address, json={"chat": elsewhere})
            assert (refused.status_code, "見つかりません" in refused.json()["error"]) == (409, True)
        step(api, told, "withdraw")
        assert "取り消した" in api.post(address, json={"chat": "line:ueda"}).json()["error"]


def test_a_picture_is_sent_and_goes_with_the_words(bot: Running) -> None:
    with calling(bot, "all") as api:
        sent = api.post("/announcement-pictures", files={"file": ("x.jpg", picture("JPEG"), "image/jpeg")})
        assert sent.status_code == 201
        name = sent.json()["picture"]
        told = api.post("/announcements", json={**NEW, "content": {**NEW["content"], "picture": name}})
        assert told.json()["content"]["picture"] == name
        shown = httpx.get(f"{bot.address}/pictures/{name}", trust_env=False)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        ({"file": ("large.jpg", bytes(40 * 2**20), "image/jpeg")}, 413, "10MBまで"),
        ({"file": ("x.pdf", b"%PDF-1.7", "application/pdf")}, 415, "JPEGかPNG"),
        ({"file": ("x.jpg", b"<script>", "image/jpeg")}, 409, "JPEGかPNG"),
        ({"file": ("x", picture("GIF"), "application/octet-stream")}, 409, "JPEGかPNG"),
        ({"photo": ("x.png", picture(), "image/png")}, 422, "「file」"),
    ],
)
def test_what_is_no_picture_is_refused_with_one_sentence(bot: Running, files: Any, status: int, said: str) -> None:
    kept = set(bot.yui.settings.data_dir.glob("pictures/*"))
    with calling(bot, "all") as api:
        answer = api.post("/announcement-pictures", files=files)
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert set(bot.yui.settings.data_dir.glob("pictures/*")) == kept


def test_a_picture_wants_a_form_and_a_key(bot: Running) -> None:
    with calling(bot, "all") as api:
        assert api.post("/announcement-pictures", json={"file": "x"}).status_code == 415
        torn = api.post("/announcement-pictures", content=b"x", headers={"content-type": "multipart/form-data"})
        assert (torn.status_code, "「file」" in torn.json()["error"]) == (400, True)
    with calling(bot, "reader", "", Scope.READ) as api:
        files = {"file": ("x.png", picture(), "image/png")}
        assert api.post("/announcement-pictures", files=files).status_code == 403
    assert httpx.post(f"{bot.address}/api/announcement-pictures", files=files, trust_env=False).status_code == 401


def test_a_picture_is_shown_to_whom_its_name_was_told(bot: Running) -> None:
    name = bot.yui.pictures.keep(picture())
    answer = httpx.get(f"{bot.address}/pictures/{name}", trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert httpx.get(f"{bot.address}/pictures/none.jpg", trust_env=False).status_code == 404
