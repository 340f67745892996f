"""The web adapter over real HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from bot.app import create_app
from bot.bootstrap import Yui
from knowledge import StoreUnavailable
from tests.conftest import free_port


class _Kept:
    """A running bot whose end is somebody else's."""

    def __init__(self, yui: Yui) -> None:
        self._yui = yui

    def __getattr__(self, name: str) -> object:
        return getattr(self._yui, name)

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def address(shipped: Yui) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(_Kept(shipped)), host="127.0.0.1", port=port, log_level="error", server_header=False)  # type: ignore[arg-type]
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def web(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_ask(web: httpx.Client) -> None:
    answer = web.post("/api/ask", json={"question": "労協は何人から作れますか"}).json()
    assert answer["answered"]
    assert "3人" in answer["text"]
    assert answer["citations"][0]["article"] == "第22条"
    assert "co_op" not in answer["citations"][0]


def test_a_conversation_goes_on(web: httpx.Client) -> None:
    web.post("/api/ask", json={"question": "理事の任期は?", "conversation": "c1"})
    assert "4年" in web.post("/api/ask", json={"question": "監事は?", "conversation": "c1"}).json()["text"]
    assert web.post("/api/ask", json={"question": "それは?", "conversation": "c2"}).json()["answered"] is False


def test_a_rating_is_taken_once_for_the_answer_it_carries(web: httpx.Client) -> None:
    signed = web.post("/api/ask", json={"question": "監事の任期は?"}).json()["rating"]
    assert web.post("/api/ratings", json={"answer": signed, "helpful": True}).status_code == 204
    assert web.post("/api/ratings", json={"answer": signed + "x", "helpful": True}).status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 400),
        (b'{"question": "\xff\xfe"}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"question": 3}', "application/json", 422),
        (b'{"question": ""}', "application/json", 422),
        (b'{"question": "  "}', "application/json", 422),
        (json.dumps({"question": "あ" * 20_000}).encode(), "application/json", 413),
        (b'{"question": "' + b"a" * 5_000_000 + b'"}', "application/json", 413),
        (b'{"question": "x", "conversation": "' + b"c" * 500 + b'"}', "application/json", 422),
        (b"question=x", "text/plain", 422),
    ],
)
def test_bad_input_is_one_japanese_sentence_and_the_right_status(web: httpx.Client, body: bytes, kind: str, status: int) -> None:
    reply = web.post("/api/ask", content=body, headers={"content-type": kind})
    assert reply.status_code == status
    told = reply.json()["error"]
    assert not told.isascii()
    assert "\n" not in told


def test_a_body_without_a_length_is_bounded_as_well(web: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(5_000):
            yield b"a" * 1_000

    assert web.post("/api/ask", content=endless()).status_code == 413


def test_addresses_that_are_not_there(web: httpx.Client) -> None:
    assert web.get("/nowhere").json() == {"error": "このページはありません。"}
    assert web.get("/api/ask").status_code == 405
    assert web.get("/assets/..%2froutes.py").status_code == 404


def test_everything_is_guarded(web: httpx.Client) -> None:
    for path in ("/", "/api/docs", "/nowhere", "/healthz", "/assets/page.js"):
        headers = web.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_the_page_works_without_scripts(web: httpx.Client) -> None:
    page = web.get("/")
    assert "yui_conversation" in page.cookies
    first = web.post("/", data={"question": "理事の任期は?"}).text
    assert "2年" in first
    assert "4年" in web.post("/", data={"question": "監事は?"}).text


def test_what_is_typed_is_shown_as_text(web: httpx.Client) -> None:
    page = web.post("/", data={"question": '<script>alert("x")</script>'}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert web.post("/", content=b"question=%ff%fe\xff").status_code == 200
    assert web.post("/", content=b"").status_code == 200


def test_health_readiness_and_metrics(web: httpx.Client) -> None:
    web.post("/api/ask", json={"question": "理事は何人?"})
    assert web.get("/healthz").json() == {"status": "ok"}
    assert web.get("/readyz").json()["ready"] is True
    metrics = web.get("/metrics").text
    assert 'yui_replies_total{act="answer",answered="true",platform="web"}' in metrics
    assert "理事" not in metrics


def test_the_interface_is_described(web: httpx.Client) -> None:
    assert {"/api/ask", "/api/ratings", "/api/tips"} <= set(web.get("/api/openapi.json").json()["paths"])
    docs = web.get("/api/docs").text
    assert "/api/ask" in docs
    assert "https://" not in docs.replace("https://127", "")


def test_a_database_that_refuses(
    web: httpx.Client, shipped: Yui, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("The database is locked by another program: close it and try again.")

    monkeypatch.setattr(shipped.knowledge, "answer", refuse)
    monkeypatch.setattr(shipped.knowledge, "status", refuse)
    with caplog.at_level(logging.ERROR):
        reply = web.post("/api/ask", json={"question": "ひみつの質問"})
        assert web.get("/readyz").status_code == 503
    assert reply.status_code == 503
    assert "少し待って" in reply.json()["error"]
    assert "locked" in caplog.text
    assert "ひみつ" not in caplog.text


def test_an_unforeseen_failure(
    web: httpx.Client, shipped: Yui, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("ひみつの質問")

    monkeypatch.setattr(shipped.knowledge, "answer", fail)
    reply = web.post("/api/ask", json={"question": "総会は?"})
    assert reply.status_code == 500
    assert "もう一度" in reply.json()["error"]
    assert "ひみつ" not in caplog.text


def test_many_at_once(address: str) -> None:
    async def ask_all() -> list[int]:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            replies = await asyncio.gather(
                *(client.post("/api/ask", json={"question": f"総会の招集は何日前? {n}"}) for n in range(40))
            )
            return [r.status_code for r in replies]

    assert set(asyncio.run(ask_all())) == {200}
