"""`/api/announcements` over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.api_keys import Scope
from bot.bootstrap import build
from bot.config import Settings
from bot.members import CoOp
from tests.fakes import FakeEmbedder
from tests.running import Running

NEW: dict[str, Any] = {"content": {"title": "総会", "text": "総会です。"}, "selection": {"everyone": True}}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Running]:
    settings = Settings(data_dir=filled(tmp_path_factory.mktemp("announcing")), _env_file=None)
    with Running(settings, build(settings, embedder=FakeEmbedder())) as bot:
        for co_op in ("ueda", "mito"):
            bot.yui.members.put_co_op(CoOp(co_op, f"労協{co_op}"))
            bot.yui.store.joined("line", f"line:{co_op}", f"C{co_op}", bot.yui.clock())
            bot.yui.members.link(f"line:{co_op}", co_op)
        yield bot


def calling(bot: Running, name: str, co_op: str = "", scope: Scope = Scope.ANNOUNCEMENTS_WRITE) -> httpx.Client:
    bot.yui.api_keys.remove(name)
    key = bot.yui.api_keys.make(name, [scope], co_op)
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
    with calling(bot, "reader", scope=Scope.READ) as api:
        assert api.get("/announcements").status_code == 403
        bot.yui.api_keys.remove("reader")
        assert api.post("/announcements", json=NEW).status_code == 401


def test_a_picture_is_shown_to_whom_its_name_was_told(bot: Running) -> None:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(out, "PNG")
    name = bot.yui.pictures.keep(out.getvalue())
    answer = httpx.get(f"{bot.address}/pictures/{name}", trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert httpx.get(f"{bot.address}/pictures/none.jpg", trust_env=False).status_code == 404
