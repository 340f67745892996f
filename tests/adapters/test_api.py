"""The JSON interface over real HTTP: keys and what they open, tips and their review, what nobody else may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.web.callers import Throttle, Throttles
from bot import cli
from bot.api_keys import ApiKeys, Scope
from bot.bootstrap import build
from bot.config import Settings
from bot.errors import UserMistake
from bot.members import CoOp, Grant, Members, Role
from bot.store import Store
from knowledge import Database
from tests.bot.people import people
from tests.fakes import FakeEmbedder, FixedClock
from tests.running import Running

UEDA, SUZAKA = "ueda", "suzaka"
LUNCH = "夏のお弁当は、ふたの上に保冷剤を2枚置くといたみませんでした。"
ASKED = "夏のお弁当がいたまないようにするには?"


@dataclass(frozen=True, slots=True)
class Api:
    """A running bot with two co-ops."""

    bot: Running

    def key(self, *scopes: Scope, co_op: str = "") -> httpx.Client:
        """A client with a new key."""
        name = f"key-{len(self.bot.yui.api_keys.holders())}"
        key = self.bot.yui.api_keys.make(name, scopes, co_op)
        return httpx.Client(base_url=self.bot.address, headers={"authorization": f"Bearer {key}"}, timeout=20)

    def person(self, cookie: str = "") -> httpx.Client:
        """Somebody on the chat page."""
        given = cookie or httpx.get(self.bot.address).cookies["yui_conversation"]
        return httpx.Client(base_url=self.bot.address, cookies={"yui_conversation": given}, timeout=20)

    def unhindered(self) -> None:
        self.bot.app.state.throttles = Throttles(Throttle(100_000, 1), Throttle(100_000, 1))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[Api]:
    settings = Settings(data_dir=filled(tmp_path_factory.mktemp("api")), _env_file=None)
    with Running(settings, build(settings, clock=FixedClock(), embedder=FakeEmbedder())) as bot:
        for co_op, name in ((UEDA, "労協うえだ"), (SUZAKA, "労協すざか")):
            bot.yui.members.put_co_op(CoOp(co_op, name))
        yield Api(bot)


@pytest.fixture
def api(running: Api) -> Api:
    running.unhindered()
    return running


def offered(client: httpx.Client, **told: Any) -> str:
    reply = client.post("/api/tips", json={"text": LUNCH, **told})
    assert reply.status_code == 201, reply.text
    assert reply.json()["state"] == "waiting"
    tip_id: str = reply.json()["id"]
    return tip_id


def decide(client: httpx.Client, tip_id: str, action: str, version: int = 1, **told: Any) -> httpx.Response:
    return client.post(f"/api/review/{tip_id}", json={"version": version, "action": action, **told})


# keys


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    Store(database)
    members = Members(database, FixedClock())
    members.put_co_op(CoOp(UEDA, "労協うえだ"))
    return ApiKeys(database, members, FixedClock())


def test_a_key_is_kept_as_a_digest_only(keys: ApiKeys, tmp_path: Path) -> None:
    key = keys.make("web", [Scope.READ, Scope.TIPS_REVIEW], UEDA)
    assert key.startswith("yui_")
    assert len(key) == 47  # 32 bytes in letters
    holder = keys.check(key)
    assert holder is not None
    assert (holder.name, holder.scopes, holder.co_op) == ("web", {Scope.READ, Scope.TIPS_REVIEW}, UEDA)
    assert not [f for f in tmp_path.rglob("yui.db*") if key[4:].encode() in f.read_bytes()]
    assert [keys.check(k) for k in ("", "yui_", key[:-1], key + "x", key.upper(), "鍵", "\udc80")] == [None] * 7


def test_a_key_ends_on_its_day(database: Database, keys: ApiKeys) -> None:
    clock = FixedClock()
    keys = ApiKeys(database, Members(database, clock), clock)
    key = keys.make("web", [Scope.READ], expires=clock.now + dt.timedelta(hours=1))
    assert keys.check(key) is not None
    clock.now += dt.timedelta(hours=1)
    assert keys.check(key) is None


def test_a_key_has_its_roles_as_long_as_it_lives(database: Database, keys: ApiKeys) -> None:
    members = Members(database, FixedClock())
    key = keys.make("web", [Scope.TIPS_REVIEW], UEDA)
    assert members.grants("api:web") == {Grant(Role.MEMBER, UEDA), Grant(Role.COORDINATOR, UEDA)}
    assert members.may_review("api:web", UEDA)
    assert not members.may_review("api:web", SUZAKA)
    assert keys.remove("web")
    assert keys.check(key) is None
    assert members.grants("api:web") == frozenset()
    assert not keys.remove("web")
    keys.make("web", [Scope.READ], UEDA)
    assert members.grants("api:web") == {Grant(Role.MEMBER, UEDA)}


def test_a_keys_name_does_not_hand_its_tips_to_another_co_op(database: Database, keys: ApiKeys, tmp_path: Path) -> None:
    members = Members(database, FixedClock())
    members.put_co_op(CoOp(SUZAKA, "労協すざか"))
    with people(database, tmp_path) as here:
        keys.make("website", [Scope.TIPS_WRITE], UEDA)
        tip = here.offer(author="api:website", co_op=UEDA)
        keys.remove("website")
        for co_op in (SUZAKA, ""):
            with pytest.raises(UserMistake, match="another co-op"):
                keys.make("website", [Scope.TIPS_WRITE], co_op)
        keys.make("website", [Scope.TIPS_WRITE], UEDA)  # its own goes on under a new key
        keys.remove("website")
        here.curation.withdraw(tip, "api:website")
        keys.make("website", [Scope.TIPS_WRITE], SUZAKA)


def test_keys_that_cannot_be_made(keys: ApiKeys) -> None:
    keys.make("web", [Scope.READ])
    for name, scopes, co_op in (("Web!", [Scope.READ], ""), ("web", [Scope.READ], ""), ("b", [], ""), ("c", [Scope.READ], "none")):
        with pytest.raises(UserMistake):
            keys.make(name, scopes, co_op)
    assert [h.name for h in keys.holders()] == ["web"]


@pytest.mark.long
def test_keys_on_the_command_line(
    tmp_path: Path, filled: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YUI_DATA_DIR", str(filled(tmp_path / "data")))

    def told(*arguments: str) -> tuple[int, str]:
        status = cli.main(["members", *arguments])
        out = capsys.readouterr()
        return status, out.out + out.err

    assert told("co-op", UEDA, "--name", "労協うえだ")[0] == 0
    status, made = told("key", "add", "web", "--scope", "read", "--scope", "tips:review", "--co-op", UEDA, "--until", "2099-03-31")
    assert status == 0
    key = made.split()[0]
    listed = told("key", "list")[1]
    assert listed == "web: read, tips:review; ueda; until 2099-03-31\n"
    assert key not in listed
    assert told("key", "add", "web", "--scope", "read")[0] == 1
    assert told("key", "add", "old", "--scope", "read", "--until", "2020-01-01")[0] == 1
    assert told("key", "remove", "web")[0] == 0
    assert told("key", "remove", "web")[0] == 1
    assert told("key", "list")[1] == "There are no keys yet.\n"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/review", Scope.TIPS_REVIEW),
        ("POST", "/api/review/tip-0123456789abcdef", Scope.TIPS_REVIEW),
        ("POST", "/api/review/tip-0123456789abcdef/undo", Scope.TIPS_REVIEW),
        ("GET", "/api/questions", Scope.QUESTIONS_READ),
        ("GET", "/api/co-ops", Scope.MEMBERS_ADMIN),
        ("PUT", "/api/co-ops/new", Scope.MEMBERS_ADMIN),
        ("GET", "/api/tips", Scope.READ),
        ("GET", "/api/search?q=x", Scope.READ),
        ("POST", "/api/tips", Scope.TIPS_WRITE),
        ("GET", "/api/tips?mine=true", Scope.TIPS_WRITE),
        ("PATCH", "/api/tips/tip-0123456789abcdef", Scope.TIPS_WRITE),
        ("DELETE", "/api/tips/tip-0123456789abcdef", Scope.TIPS_WRITE),
    ],
)
def test_every_door_wants_its_scope(api: Api, method: str, path: str, scope: Scope) -> None:
    bodies = {
        "POST": {"text": LUNCH} if path == "/api/tips" else {"version": 1, "action": "publish"},
        "PATCH": {"version": 1},
        "PUT": {"name": "あたらしい"},
    }
    body = None if path.endswith("/undo") else bodies.get(method)
    with api.key(*(s for s in Scope if s is not scope)) as without, api.key(scope) as with_it:
        refused = without.request(method, path, json=body)
        assert refused.status_code == 403
        assert not refused.json()["error"].isascii()
        assert with_it.request(method, path, json=body).status_code in (200, 201, 404)
    nobody = httpx.request(method, api.bot.address + path, json=body)
    assert nobody.status_code == (200 if "search" in path else 401)
    wrong = httpx.request(method, api.bot.address + path, json=body, headers={"authorization": "Bearer yui_wrong"})
    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"] == "Bearer"
    assert httpx.request(method, api.bot.address + path, json=body, auth=("a", "b")).status_code == 401


# tips


def test_a_tip_from_the_chat_page(api: Api) -> None:
    with api.person() as giver, api.person("somebody else") as other:
        tip_id = offered(giver, place="食堂", outcome="よかった", consent="name", author_name="花子")
        mine = giver.get("/api/tips").json()["tips"]
        assert [(t["id"], t["place"], t["author_name"]) for t in mine] == [(tip_id, "食堂", "花子")]
        assert giver.get(f"/api/tips/{tip_id}").json() == mine[0]
        cookie = giver.cookies["yui_conversation"]
        assert api.bot.yui.curation.mine(api.bot.yui.conversations.pseudonym("web", cookie))[0].id == tip_id

        changed = giver.patch(f"/api/tips/{tip_id}", json={"version": 1, "outcome": "とてもよかった"})
        assert changed.json()["outcome"] == "とてもよかった"
        assert changed.json()["text"] == LUNCH
        assert changed.json()["audience"] == ["federation"]
        again = giver.patch(f"/api/tips/{tip_id}", json={"version": 1, "outcome": "だめ"})
        assert again.status_code == 409
        assert again.json()["tip"]["version"] == 2

        for call in (other.get, other.delete):
            assert call(f"/api/tips/{tip_id}").status_code == 404
        assert other.patch(f"/api/tips/{tip_id}", json={"version": 2}).status_code == 404
        assert other.get("/api/tips").json() == {"tips": [], "next": None}

        assert giver.delete(f"/api/tips/{tip_id}").status_code == 204
        assert giver.get(f"/api/tips/{tip_id}").status_code == 404
        assert giver.delete(f"/api/tips/{tip_id}").status_code == 404
        assert giver.get("/api/tips").json()["tips"] == []


def test_a_tip_goes_its_way_between_two_co_ops(api: Api) -> None:
    with (
        api.key(Scope.TIPS_WRITE, co_op=UEDA) as giver,
        api.key(Scope.TIPS_REVIEW, co_op=UEDA) as reviewer,
        api.key(Scope.TIPS_REVIEW, Scope.READ, co_op=SUZAKA) as stranger,
        api.key(Scope.READ) as public,
    ):
        tip_id = offered(giver, consent="co_op")
        assert stranger.get(f"/api/tips/{tip_id}").status_code == 404
        assert tip_id not in found(stranger)
        assert tip_id not in [t["id"] for t in stranger.get("/api/review").json()["tips"]]
        unseen = [decide(stranger, tip_id, "publish"), decide(stranger, "tip-0000000000000000", "publish")]
        assert unseen[0].status_code == unseen[1].status_code == 404
        assert unseen[0].content == unseen[1].content  # nothing tells that it exists
        assert stranger.post(f"/api/review/{tip_id}/undo").status_code == 404

        assert tip_id in [t["id"] for t in reviewer.get("/api/review").json()["tips"]]
        assert decide(reviewer, tip_id, "publish", audience=["public"]).status_code == 409  # not what its giver chose
        done = decide(reviewer, tip_id, "publish")
        assert (done.status_code, done.json()["verdict"], done.json()["tip"]["state"]) == (200, "done", "published")
        assert decide(reviewer, tip_id, "publish").json()["verdict"] == "already"
        assert decide(reviewer, tip_id, "decline", version=2).status_code == 409

        shown = stranger.get(f"/api/tips/{tip_id}").json()
        assert shown["who"] == "労協うえだ"
        assert "author_name" not in shown
        assert tip_id in [t["id"] for t in stranger.get("/api/tips?limit=200").json()["tips"]]
        assert found(stranger)[tip_id]["verified"] is True
        assert public.get(f"/api/tips/{tip_id}").status_code == 404
        assert tip_id not in found(public)

        assert reviewer.post(f"/api/review/{tip_id}/undo").json()["tip"]["state"] == "waiting"
        assert stranger.get(f"/api/tips/{tip_id}").status_code == 404
        giver.delete(f"/api/tips/{tip_id}")
        assert decide(reviewer, tip_id, "publish").status_code == 404


def test_a_foreign_tip_and_one_that_is_not_there_look_alike(api: Api) -> None:
    nowhere = "tip-0000000000000000"
    everywhere = {Scope.TIPS_REVIEW, Scope.QUESTIONS_READ, Scope.ANNOUNCEMENTS_WRITE}  # what such a key opens without a co-op
    with (
        api.key(Scope.TIPS_WRITE, Scope.TIPS_REVIEW, co_op=UEDA) as ueda,
        api.key(*Scope, co_op=SUZAKA) as suzaka,
        api.key(*(set(Scope) - everywhere)) as public,
        api.person() as visitor,
        httpx.Client(base_url=api.bot.address, timeout=20) as nobody,
    ):
        waiting, published = (offered(ueda, audience=["coop:ueda"]) for _ in range(2))
        assert decide(ueda, published, "publish").status_code == 200
        own = {client: offered(client) for client in (suzaka, public, visitor)}
        for client in (suzaka, public, visitor, nobody):
            missing = _everything(client, nowhere, own.get(client, nowhere))
            assert all(status >= 400 for status, _ in missing)
            for tip_id in (waiting, published):
                assert _everything(client, tip_id, own.get(client, nowhere)) == missing
            for path in ("/api/tips?limit=200", "/api/tips?mine=true", "/api/review", "/api/questions", "/api/co-ops"):
                told = client.get(path).text
                assert waiting not in told
                assert published not in told
            assert not {waiting, published} & set(found(client))


def _everything(client: httpx.Client, tip_id: str, own: str) -> list[tuple[int, str]]:
    """What comes of everything that can be tried with a tip: alone, and to merge one's own into it."""
    actions = ("publish", "ask_back", "decline", "merge", "postpone", "hand_over")
    tried = [
        client.get(f"/api/tips/{tip_id}"),
        client.patch(f"/api/tips/{tip_id}", json={"version": 1, "place": "上田市"}),
        client.delete(f"/api/tips/{tip_id}"),
        *(decide(client, tip_id, action, into=own, reason="いつですか") for action in actions),
        decide(client, tip_id, "publish", audience=["public"]),
        client.post(f"/api/review/{tip_id}/undo"),
        decide(client, own, "merge", into=tip_id),
    ]
    return [(reply.status_code, reply.text) for reply in tried]


def found(client: httpx.Client) -> dict[str, Any]:
    reply = client.get("/api/search", params={"q": ASKED, "limit": 20})
    assert reply.status_code == 200
    return {r["id"]: r for r in reply.json()["results"]}


def test_a_tip_is_merged_only_into_one_that_may_be_seen(api: Api) -> None:
    with (
        api.key(Scope.TIPS_WRITE, Scope.TIPS_REVIEW, co_op=UEDA) as ueda,
        api.key(Scope.TIPS_WRITE, co_op=SUZAKA) as suzaka,
    ):
        one, other, hidden = offered(ueda), offered(ueda), offered(suzaka)
        for into in ("", "tip-0000000000000000", hidden):
            assert decide(ueda, one, "merge", into=into).status_code == 404
        assert decide(ueda, one, "hand_over", into="line:nobody").status_code == 404
        assert decide(ueda, one, "merge", into=other).json()["tip"]["state"] == "merged"


def test_published_tips_come_page_by_page(api: Api) -> None:
    with api.key(Scope.TIPS_WRITE, Scope.TIPS_REVIEW, Scope.READ, co_op=UEDA) as key:
        made = [offered(key, audience=["coop:ueda"]) for _ in range(3)]
        for tip_id in made:
            decide(key, tip_id, "publish")
        listed: list[str] = []
        offset: int | None = 0
        while offset is not None:
            page = key.get("/api/tips", params={"offset": offset, "limit": 2}).json()
            assert len(page["tips"]) <= 2
            listed += [t["id"] for t in page["tips"]]
            offset = page["next"]
        assert set(made) <= set(listed)
        assert len(listed) == len(set(listed))
        assert set(made) <= {t["id"] for t in key.get("/api/tips?mine=true&limit=200").json()["tips"]}


def test_personal_data_must_be_looked_at(api: Api) -> None:
    with api.person() as giver:
        told = {"text": "困ったときは 090-1234-5678 に電話するとよいです。"}
        reply = giver.post("/api/tips", json=told)
        assert reply.status_code == 409
        assert any("090-1234-5678" in piece for piece in reply.json()["found"])
        assert giver.post("/api/tips", json={**told, "personal_data_confirmed": True}).status_code == 201
        ill = {"text": "山田さんはうつ病なので、朝の当番を外しました。", "personal_data_confirmed": True}
        assert giver.post("/api/tips", json=ill).status_code == 409


def test_what_is_told_stays_data(api: Api) -> None:
    script = '<script>alert("x")</script> @everyone <b>太字</b>'
    with api.person() as giver:
        tip_id = offered(giver, text=script, place=script[:40])
        reply = giver.get(f"/api/tips/{tip_id}")
        assert reply.json()["text"] == script
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"text": "あ"},
        {"text": " \u200b \n　 "},
        {"text": "あ" * 2_001},
        {"text": LUNCH, "place": "あ" * 201},
        {"text": LUNCH, "place": "a\x00b"},
        {"text": LUNCH, "unknown": 1},
        {"text": LUNCH, "consent": "perhaps"},
        {"text": LUNCH, "audience": []},
        {"text": LUNCH, "audience": ["chat:line:x"]},
        {"text": LUNCH, "audience": ["coop:UEDA"]},
        {"text": ["a"]},
        [],
    ],
)
def test_tips_that_cannot_be(api: Api, told: object) -> None:
    with api.person() as giver:
        reply = giver.post("/api/tips", json=told)
        assert reply.status_code == 422
        assert not reply.json()["error"].isascii()
        assert giver.get("/api/tips").json()["tips"] == []


def test_other_ways_of_sending(api: Api) -> None:
    with api.person() as giver:
        assert giver.post("/api/tips", content=b"text=x", headers={"content-type": "text/plain"}).status_code == 415
        assert giver.post("/api/tips", content=b"{", headers={"content-type": "application/json"}).status_code == 400
        surrogate = giver.post("/api/tips", content=b'{"text": "abcde\\ud800"}', headers={"content-type": "application/json"})
        assert surrogate.status_code == 422
        assert giver.post("/api/tips", json={"text": "x" * 300_000}).status_code == 413
        assert giver.get("/api/tips/" + "x" * 50).status_code == 404
        assert giver.get("/api/tips/%00").status_code == 404
        refused = giver.put("/api/tips")
        assert refused.status_code == 405
        assert refused.headers["allow"]


def test_a_null_character_is_taken_out(api: Api) -> None:
    with api.person() as giver:
        tip_id = offered(giver, text="保冷剤\x00を2枚", outcome="よ\x00い")
        assert giver.get(f"/api/tips/{tip_id}").json()["text"] == "保冷剤を2枚"


# the rest


def test_questions_go_to_the_co_op_they_came_from(api: Api) -> None:
    for co_op, text in ((UEDA, "雪かきの当番はどう決めますか"), (SUZAKA, "畑の水やりの機械はどれがよいですか")):
        api.bot.yui.questions.record(text, asker="line:a", conversation="line:g", co_op=co_op, nearest=["定款"])
    with api.key(Scope.QUESTIONS_READ, co_op=UEDA) as key:
        assert [(q["text"], q["asked"]) for q in key.get("/api/questions").json()["questions"]] == [
            ("雪かきの当番はどう決めますか", 1)
        ]


def test_everybody_may_search_what_is_public(api: Api) -> None:
    reply = httpx.get(api.bot.address + "/api/search", params={"q": "監事の任期は?", "limit": 3})
    assert reply.status_code == 200
    assert 1 <= len(reply.json()["results"]) <= 3
    assert {"id", "kind", "title", "text", "source", "article", "verified"} <= set(reply.json()["results"][0])
    assert httpx.get(api.bot.address + "/api/search", params={"q": " "}).status_code == 422


def test_co_ops(api: Api) -> None:
    profile = {"name": "労協ちの", "fields_of_work": ["清掃"], "size": 12, "findable": False}
    with api.key(Scope.MEMBERS_ADMIN) as admin, api.key(Scope.MEMBERS_ADMIN, co_op=UEDA) as own:
        assert admin.put("/api/co-ops/chino", json=profile).json()["fields_of_work"] == ["清掃"]
        assert {"chino", UEDA, SUZAKA} <= {c["id"] for c in admin.get("/api/co-ops").json()["co_ops"]}
        assert [c["id"] for c in own.get("/api/co-ops").json()["co_ops"]] == [UEDA]
        assert own.put("/api/co-ops/chino", json=profile).status_code == 403
        assert own.put("/api/co-ops/never-heard-of", json=profile).status_code == 403
        assert own.put("/api/co-ops/ueda", json={"name": "労協うえだ"}).status_code == 200
        assert admin.put("/api/co-ops/x", json={"name": " 　"}).status_code == 422
        assert admin.put("/api/co-ops/No!", json=profile).status_code == 404


def test_who_sends_too_much_is_told_to_wait(api: Api) -> None:
    usual = Throttles.usual()
    api.bot.app.state.throttles = Throttles(Throttle(3, 0.01), usual.offers)
    with api.person("busy") as busy, api.key(Scope.READ) as key:
        statuses = [busy.get("/api/tips").status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        reply = busy.get("/api/tips")
        assert int(reply.headers["retry-after"]) > 0
        assert not reply.json()["error"].isascii()
        assert key.get("/api/tips").status_code == 200  # a key has its own measure
    api.bot.app.state.throttles = usual
    with api.person() as giver:
        statuses = [giver.post("/api/tips", json={"text": LUNCH}).status_code for _ in range(11)]
        assert statuses == [201] * 10 + [429]


def test_a_bucket_fills_again_and_only_so_many_are_kept() -> None:
    now = [0.0]
    throttle = Throttle(2, 0.5, lambda: now[0])
    assert [throttle.take("a"), throttle.take("a"), throttle.take("a")] == [0, 0, 2]
    assert throttle.take("b") == 0
    now[0] = 2.0
    assert throttle.take("a") == 0
    assert throttle.take("a") > 0
    for n in range(20_000):
        throttle.take(f"caller {n}")
    assert len(throttle._buckets) <= 10_000


def test_the_page_of_the_interface_names_every_operation(api: Api) -> None:
    schema = httpx.get(api.bot.address + "/api/openapi.json").json()
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    docs = httpx.get(api.bot.address + "/api/docs").text
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in docs
            assert operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")
    assert "personal_data_confirmed" in docs
    assert "Authorization: Bearer" in docs
