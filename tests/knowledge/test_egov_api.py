"""The API's client against a stand-in server on loopback: its manners, and every way in which an answer can fail."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import gzip
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from knowledge.errors import KnowledgeError
from knowledge.sources import egov_api
from knowledge.sources.egov_api import EgovApi, EgovUnavailable, Revision
from tests.knowledge.egov_server import Answer, Server, running

LAW = "503AC0000000901"
OTHER_HOST = "http://localhost.invalid/elsewhere"


Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with contextlib.ExitStack() as servers:
        yield lambda *answers: servers.enter_context(running(*answers))


class Clock:
    """Time passes only in sleep."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds

    def time(self) -> float:
        return self.now


def api_of(server: Server, clock: Clock) -> EgovApi:
    return EgovApi(server.url, sleep=clock.sleep, clock=clock.time)


# asking


def test_the_text_in_force_is_asked_for_as_xml(serve: Serve) -> None:
    server = serve(Answer(body="<law_data_response>法</law_data_response>".encode()))
    assert api_of(server, Clock()).fetch(LAW) == "<law_data_response>法</law_data_response>".encode()
    assert server.asked == [(f"/api/2/law_data/{LAW}", {"response_format": ["xml"], "law_full_text_format": ["xml"]})]
    assert re.fullmatch(r"Yui(/[0-9.a-z]+)?", server.headers[0]["User-Agent"])
    assert server.headers[0]["Accept"] == "application/xml"


def test_the_text_of_a_day_and_that_of_a_revision(serve: Serve) -> None:
    server = serve()
    api = api_of(server, Clock())
    api.fetch(LAW, dt.date(2017, 4, 1))
    api.fetch(f"{LAW}_20220601_504AC0000000902")
    assert server.asked[0][1]["asof"] == ["2017-04-01"]
    assert server.asked[1][0].endswith("_20220601_504AC0000000902")
    assert "asof" not in server.asked[1][1]


@pytest.mark.parametrize(
    ("law_id", "day", "said"),
    [
        (LAW, dt.date(2017, 3, 31), "before 2017-04-01"),
        (f"{LAW}_20220601_504AC0000000902", dt.date(2024, 1, 1), "not both"),
        ("../laws", None, "not the id of a law"),
        (f"{LAW}?elm=x", None, "not the id of a law"),
        ("", None, "not the id of a law"),
    ],
)
def test_what_the_api_cannot_have_is_not_asked(serve: Serve, law_id: str, day: dt.date | None, said: str) -> None:
    server = serve()
    with pytest.raises(EgovUnavailable, match=said):
        api_of(server, Clock()).fetch(law_id, day)
    assert server.asked == []


def test_calls_start_a_second_apart(serve: Serve) -> None:
    clock = Clock()
    api = api_of(serve(), clock)
    api.fetch(LAW)
    clock.now += 0.25
    api.fetch(LAW)
    clock.now += 5
    api.fetch(LAW)
    api.fetch(LAW)
    assert clock.slept == [0.75, 1.0]


def test_one_call_at_a_time(serve: Serve) -> None:
    server = serve(Answer(body=b"<a/>", drip=0.02))
    api = api_of(server, Clock())
    threads = [threading.Thread(target=api.fetch, args=(LAW,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(server.asked), server.most_at_once) == (4, 1)


# again


def test_a_busy_server_is_asked_again_ever_later(serve: Serve) -> None:
    clock = Clock()
    server = serve(Answer(500), Answer(502), Answer(503), Answer(200, b"<done/>"))
    assert api_of(server, clock).fetch(LAW) == b"<done/>"
    assert clock.slept == [2.0, 4.0, 8.0]


def test_three_further_attempts_are_all(serve: Serve) -> None:
    server = serve(Answer(504, b"busy"))
    with pytest.raises(EgovUnavailable, match=r"^e-Gov answered with status 504\.$"):
        api_of(server, Clock()).fetch(LAW)
    assert len(server.asked) == 4


def test_retry_after_is_kept(serve: Serve) -> None:
    clock = Clock()
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    busy = [Answer(429, headers={"Retry-After": value}) for value in ("30", date, "soon")]
    api_of(serve(*busy, Answer()), clock).fetch(LAW)
    assert (clock.slept[0], clock.slept[2]) == (30.0, 8.0)
    assert 50 < clock.slept[1] <= 60


def test_a_shorter_retry_after_does_not_hurry(serve: Serve) -> None:
    clock = Clock()
    api_of(serve(Answer(503, headers={"Retry-After": "0"}), Answer()), clock).fetch(LAW)
    assert clock.slept == [2.0]


def test_who_asks_to_be_left_alone_for_long_is(serve: Serve) -> None:
    clock = Clock()
    server = serve(Answer(429, headers={"Retry-After": "3600"}))
    with pytest.raises(EgovUnavailable, match="for 3600 seconds"):
        api_of(server, clock).fetch(LAW)
    assert (len(server.asked), clock.slept) == (1, [])


# failures


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, '{"code": "404001", "message": "見つかりません。"}', "knows no such law or revision: 見つかりません。"),
        (400, '{"code": "400004", "message": "日付\\nが違います。"}', "status 400 and error 400004: 日付 が違います。"),
        (400, "[" * 100_000, "status 400."),
        (403, "<html>maintenance</html>", "status 403, as it does during maintenance."),
        (501, '{"code": 1}', "status 501."),
        (204, "", "status 204."),
    ],
)
def test_an_error_is_told_in_one_sentence_and_not_tried_again(serve: Serve, status: int, body: str, said: str) -> None:
    server = serve(Answer(status, body.encode()))
    with pytest.raises(EgovUnavailable, match=re.escape(said)) as refused:
        api_of(server, Clock()).fetch(LAW)
    assert isinstance(refused.value, KnowledgeError)
    assert "\n" not in str(refused.value)
    assert len(server.asked) == 1


def test_a_server_that_says_nothing(serve: Serve) -> None:
    server = serve(Answer(0))
    with pytest.raises(EgovUnavailable, match=r"did not answer within 0\.2 seconds"):
        EgovApi(server.url, timeout=0.2).fetch(LAW)


def test_a_server_that_talks_without_end(serve: Serve) -> None:
    server = serve(Answer(body=b"<" * 100, drip=0.05))
    started = time.monotonic()
    with pytest.raises(EgovUnavailable, match=r"not whole after 0\.3 seconds"):
        EgovApi(server.url, timeout=0.3).fetch(LAW)
    assert time.monotonic() - started < 3


def test_nobody_there() -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{s.getsockname()[1]}"
        with pytest.raises(EgovUnavailable, match="cannot be reached"):
            EgovApi(url).fetch(LAW)


def test_an_answer_that_breaks_off(serve: Serve) -> None:
    with pytest.raises(EgovUnavailable, match="cannot be reached"):
        EgovApi(serve(Answer(headers={"Content-Length": "1000"})).url).fetch(LAW)


@pytest.mark.parametrize("packed", [False, True])
def test_a_huge_answer_is_not_kept(serve: Serve, monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    monkeypatch.setattr(egov_api, "LARGEST", 100_000)
    body = b" " * 100_001
    answer = Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Answer(body=body)
    with pytest.raises(EgovUnavailable, match="larger than 100,000 bytes"):
        api_of(serve(answer), Clock()).fetch(LAW)


def test_a_redirect_stays_with_the_host(serve: Serve) -> None:
    clock = Clock()
    server = serve(Answer(307, headers={"Location": "/api/2/moved"}), Answer(200, b"<here/>"))
    assert api_of(server, clock).fetch(LAW) == b"<here/>"
    assert server.asked[1][0] == "/api/2/moved"
    assert clock.slept == [1.0]


@pytest.mark.parametrize("place", [OTHER_HOST, "//localhost.invalid/", "https://127.0.0.1:{port}/api/2", "http://127.0.0.1:1/"])
def test_a_redirect_elsewhere_is_not_followed(serve: Serve, place: str) -> None:
    server = serve(Answer(302))
    server.answers[0].headers["Location"] = place.format(port=urlsplit(server.url).port)
    with pytest.raises(EgovUnavailable, match="another host"):
        api_of(server, Clock()).fetch(LAW)
    assert len(server.asked) == 1


def test_a_redirect_in_circles_ends(serve: Serve) -> None:
    server = serve(Answer(301, headers={"Location": "/round"}))
    with pytest.raises(EgovUnavailable, match="without end"):
        api_of(server, Clock()).fetch(LAW)
    assert len(server.asked) == 4


# revisions

LISTED = [
    {"law_revision_id": f"{LAW}_20220601_504AC0000000902", "current_revision_status": "CurrentEnforced", "law_title": "法"},
    {"law_revision_id": f"{LAW}_20220601_000000000000000", "current_revision_status": "PreviousEnforced"},
    {"law_revision_id": f"{LAW}_20300601_507AC0000000903", "current_revision_status": "UnEnforced"},
    {"law_revision_id": f"{LAW}_20210505_000000000000000", "current_revision_status": "PreviousEnforced"},
]
DATES = ["2022-06-01", "2022-06-01", "2030-06-01", None]


def listed() -> bytes:
    items = [{**item, "amendment_enforcement_date": day, "updated": None} for item, day in zip(LISTED, DATES, strict=True)]
    items[0] |= {"updated": "2022-06-02T09:00:00+09:00", "amendment_law_num": "令和四年法律第九百二号"}
    return json.dumps({"law_info": {"law_id": LAW}, "revisions": items}).encode()


def test_revisions_and_the_current_one_of_two_on_one_day(serve: Serve) -> None:
    server = serve(Answer(body=listed()))
    found = api_of(server, Clock()).revisions(LAW)
    assert server.asked[0][0] == f"/api/2/law_revisions/{LAW}"
    assert server.headers[0]["Accept"] == "application/json"
    assert found[0] == Revision(
        f"{LAW}_20220601_504AC0000000902",
        dt.date(2022, 6, 1),
        "CurrentEnforced",
        "法",
        "令和四年法律第九百二号",
        "2022-06-02T09:00:00+09:00",
    )
    assert [(r.in_force, r.status) for r in found[1:]] == [
        (dt.date(2022, 6, 1), "PreviousEnforced"),
        (dt.date(2030, 6, 1), "UnEnforced"),
        (None, "PreviousEnforced"),
    ]
    assert EgovApi.current(found) == EgovApi.current(found[::-1]) == found[0]


@pytest.mark.parametrize("statuses", [(), ("Repeal", "PreviousEnforced"), ("CurrentEnforced", "CurrentEnforced")])
def test_no_current_revision_is_guessed(statuses: tuple[str, ...]) -> None:
    with pytest.raises(EgovUnavailable, match=f"Of {len(statuses)} revisions"):
        EgovApi.current([Revision(str(n), dt.date(2022, 1, 1), status) for n, status in enumerate(statuses)])


@pytest.mark.parametrize(
    "body",
    ["<html/>", "{}", "[]", '{"revisions": [3]}', '{"revisions": [{}]}', '{"revisions": null}', "[" * 100_000]
    + [json.dumps({"revisions": [{**LISTED[0], "amendment_enforcement_date": day}]}) for day in ("soon", 20220601)],
)
def test_an_odd_list_of_revisions_is_refused(serve: Serve, body: str) -> None:
    with pytest.raises(EgovUnavailable, match="list of revisions"):
        api_of(serve(Answer(body=body.encode())), Clock()).revisions(LAW)
