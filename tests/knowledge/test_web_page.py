"""Pages from a real server: what is read, where nobody is led, and how long anybody waits."""

from __future__ import annotations

import gzip
import re
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from knowledge.errors import InvalidDocument
from knowledge.sources import addresses, web_page
from knowledge.sources.web_page import LARGEST_PAGE, MOST_REDIRECTS, read_page
from knowledge.types import Audience, Document, Kind
from tests.knowledge import office_files
from tests.knowledge.page_server import PageServer, serving

PAGE = "<!doctype html><title>雪かき</title><main><h1>雪かき</h1><p>当番は週ごとです。</p></main>"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PageServer]:
    monkeypatch.setattr(addresses, "loopback_allowed", True)
    with serving() as found:
        yield found


def read(url: str, **options: httpx.Client) -> Document:
    return read_page(url, audience=Audience.of("coop:3"), kind=Kind.SURVEY, **options)


def refusal(url: str) -> str:
    """The one sentence, checked to be one that names the address."""
    with pytest.raises(InvalidDocument) as caught:
        read(url)
    said = str(caught.value)
    assert said.startswith(f"{url}: ")
    assert re.fullmatch(r"[^\n]+\.", said)
    return said


# what is read


def test_a_page_becomes_a_document(server: PageServer) -> None:
    url = server.page("/yuki", PAGE)
    document = read(url)
    assert (document.title, document.url, document.source) == ("雪かき", url, "127.0.0.1")
    assert [p.short for p in document.passages] == ["当番は週ごとです。"]
    assert (document.audience, document.kind) == (Audience.of("coop:3"), Kind.SURVEY)


def test_the_bot_says_who_it_is_and_sends_nothing_of_its_user(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    read(server.page("/", PAGE))
    ((_, headers),) = server.requests
    assert re.fullmatch(r"Yui/\d+\.\d+\.\d+", headers["User-Agent"])
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


def test_the_id_is_the_addresss_and_stays_when_the_page_changes(server: PageServer) -> None:
    first = read(server.page("/a", PAGE))
    second = read(server.page("/a", PAGE.replace("週", "月")) + "#part")
    assert first.id == second.id != read(server.page("/b", PAGE)).id


@pytest.mark.parametrize(
    ("encoding", "header", "meta"),
    [
        ("cp932", "text/html; charset=Shift_JIS", ""),
        ("cp932", "text/html", '<meta http-equiv="Content-Type" content="text/html; charset=x-sjis">'),
        ("cp932", "text/html", ""),
        ("euc_jp", "text/html", "<meta charset=EUC-JP>"),
        ("iso2022_jp", "text/html; charset=iso-2022-jp", ""),
        ("utf-8", "text/html; charset=iso-8859-1", ""),
        ("utf-16", "text/html", ""),
        ("utf-8", 'text/html; charset="utf-8"', "<meta charset=shift_jis>"),
    ],
)
def test_the_encodings_of_japanese_pages(server: PageServer, encoding: str, header: str, meta: str) -> None:
    page = PAGE.replace("<title>", f"{meta}<title>")
    assert read(server.page("/", page.encode(encoding), header)).title == "雪かき"


def test_other_types_by_their_content_and_name(server: PageServer) -> None:
    pdf = read(server.page("/a/%E6%B1%BA.pdf", office_files.pdf([["一枚目です。"]]), "application/pdf"))
    assert (pdf.title, pdf.passages[0].source) == ("127.0.0.1 決", "127.0.0.1 決.pdf 1ページ")
    word = server.page("/b", office_files.word(), "application/octet-stream")
    assert read(word).title == "就業規則"
    assert read(server.page("/c", "総会は5月です。", "text/plain")).passages[0].short == "総会は5月です。"
    table = read(server.page("/d.csv", "名前,役\n山田,理事\n", "text/plain"))
    assert table.passages[0].short == "名前: 山田、役: 理事"


def test_a_page_has_no_say_in_ids_and_audiences(server: PageServer) -> None:
    entry = "---\nid: act-23\nkind: law\ntitle: 題\nshort: 短い。\naudience: public\n---\n本文です。\n"
    document = read(server.page("/a.md", entry, "text/markdown"))
    assert document.id.startswith("doc-")
    assert (document.kind, document.audience) == (Kind.SURVEY, Audience.of("coop:3"))


def test_a_packed_page(server: PageServer) -> None:
    def packed(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Encoding", "gzip")
        request.end_headers()
        request.wfile.write(gzip.compress(PAGE.encode()))

    server.answers["/"] = packed
    assert read(server.address + "/").title == "雪かき"


# where nobody is led


NOT_PUBLIC = """
127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
192.0.2.1 198.18.0.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 2002:7f00:1:: 2002:a00:1::
64:ff9b::a00:1 2001:db8::1 ::127.0.0.1 no
"""


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_an_address_that_is_not_public(address: str) -> None:
    assert not addresses.is_allowed(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "203.104.1.1", "2404:6800:4004::1"])
def test_a_public_address(address: str) -> None:
    assert addresses.is_allowed(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fe80::1", "::ffff:10.0.0.1"])
def test_the_switch_for_tests_opens_this_machine_alone(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "loopback_allowed", True)
    assert addresses.is_allowed("127.0.0.1")
    assert addresses.is_allowed("::1")
    assert not addresses.is_allowed(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"])
def test_this_machine_is_refused_however_it_is_spelled(host: str) -> None:
    with serving() as server:
        server.page("/", PAGE)
        assert "private network" in refusal(f"http://{host}:{server.port}/")
        assert server.requests == []


@pytest.mark.parametrize(
    "to", ["http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::ffff:192.168.0.1]/", "//192.168.0.1/x"]
)
def test_a_redirect_into_a_private_network(server: PageServer, to: str) -> None:
    assert "private network" in refusal(server.redirect("/", to))


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://example.jp/", "gopher://127.0.0.1/"])
def test_a_redirect_to_something_else_than_the_web(server: PageServer, to: str) -> None:
    assert "http://" in refusal(server.redirect("/", to))


def test_a_few_redirects_are_followed_and_a_loop_is_not(server: PageServer) -> None:
    server.page("/0", PAGE)
    for n in range(1, MOST_REDIRECTS + 2):
        server.redirect(f"/{n}", f"/{n - 1}")
    assert read(f"{server.address}/{MOST_REDIRECTS}").url == f"{server.address}/0"
    assert "more than 5 times" in refusal(f"{server.address}/{MOST_REDIRECTS + 1}")
    server.requests.clear()
    assert "more than 5 times" in refusal(server.redirect("/loop", "/loop"))
    assert len(server.requests) == MOST_REDIRECTS + 1


@pytest.mark.parametrize("own_client", [True, False])
def test_a_name_is_looked_up_once_and_that_address_is_used(
    server: PageServer, monkeypatch: pytest.MonkeyPatch, own_client: bool
) -> None:
    asked: list[str] = []

    def lookup(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == "pages.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    server.page("/", PAGE)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    url = f"http://pages.example:{server.port}/"
    with httpx.Client(follow_redirects=True) as client:
        document = read(url, client=client) if own_client else read(url)
    assert asked == ["pages.example"]
    assert document.url == url
    assert server.requests[0][1]["Host"] == f"pages.example:{server.port}"


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert "private network" in refusal("http://pages.example/")


def test_the_next_address_is_tried_where_one_does_not_answer(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_page, "checked_addresses", lambda *_: ["::1", "127.0.0.1"])
    assert read(server.page("/", PAGE)).title == "雪かき"


@pytest.mark.parametrize("url", ["ftp://example.jp/", "file:///etc/passwd", "http://", "http://[", "javascript://x", "http://a b/"])
def test_what_is_no_address_on_the_web(url: str) -> None:
    refusal(url)


def test_a_password_in_an_address(server: PageServer) -> None:
    server.page("/", PAGE)
    assert "password" in refusal(server.address.replace("//", "//a:b@") + "/")
    assert server.requests == []


def test_an_unknown_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "is not known" in refusal("http://nowhere.example/")


# what is not read


def test_a_page_that_is_not_there(server: PageServer) -> None:
    assert "404" in refusal(server.page("/", PAGE, status=404))


@pytest.mark.usefixtures("server")
def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert "cannot be reached" in refusal(f"http://127.0.0.1:{unused.getsockname()[1]}/")


@pytest.mark.parametrize("content_type", ["image/png", "application/zip", "video/mp4", "application/json"])
def test_other_content(server: PageServer, content_type: str) -> None:
    assert content_type in refusal(server.page("/", PAGE, content_type))


def test_content_that_is_not_what_the_server_says(server: PageServer) -> None:
    assert "pdf" in refusal(server.page("/", PAGE, "application/pdf"))


def streaming(length: str, chunks: Iterator[bytes] | list[bytes], pause: float = 0.0) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        if length:
            request.send_header("Content-Length", length)
        request.end_headers()
        for chunk in chunks:
            request.wfile.write(chunk)
            request.wfile.flush()
            time.sleep(pause)

    return answer


def test_a_huge_page_is_not_read_to_its_end(server: PageServer) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        for n in range(2_000):
            sent.append(n)
            yield b"x" * 100_000

    server.answers["/"] = streaming("", endless())
    assert "larger than 5 MB" in refusal(server.address + "/")
    assert len(sent) < 1_000  # what is on its way is bounded by the buffers
    server.answers["/said"] = streaming(str(LARGEST_PAGE + 1), [b"x"])
    assert "larger than 5 MB" in refusal(server.address + "/said")


def test_a_page_that_unpacks_to_too_much(server: PageServer) -> None:
    def packed(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Encoding", "gzip")
        request.end_headers()
        request.wfile.write(gzip.compress(b"x" * (LARGEST_PAGE * 4)))

    server.answers["/"] = packed
    assert "larger than 5 MB" in refusal(server.address + "/")


def test_a_silent_server(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_page, "SILENCE", 0.3)
    server.answers["/"] = streaming("1000", [b"<p>"], pause=3)
    begin = time.monotonic()
    assert "too long" in refusal(server.address + "/")
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("length", ["1000", ""])
def test_a_server_that_sends_a_byte_now_and_then(server: PageServer, monkeypatch: pytest.MonkeyPatch, length: str) -> None:
    monkeypatch.setattr(web_page, "WHOLE_FETCH", 0.5)
    server.answers["/"] = streaming(length, [b"x"] * 60, pause=0.05)
    begin = time.monotonic()
    assert "too long" in refusal(server.address + "/")
    assert time.monotonic() - begin < 2


def test_a_server_that_dribbles_its_headers(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def dribbling(request: BaseHTTPRequestHandler) -> None:
        for n in range(60):
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX: " if n == 0 else b"x")
            request.wfile.flush()
            time.sleep(0.05)

    monkeypatch.setattr(web_page, "WHOLE_FETCH", 0.5)
    server.answers["/"] = dribbling
    begin = time.monotonic()
    assert "too long" in refusal(server.address + "/")
    assert time.monotonic() - begin < 2


def test_a_connection_that_breaks(server: PageServer) -> None:
    server.answers["/"] = streaming("1000", [b"<p>"])
    assert "breaks the connection" in refusal(server.address + "/")
    server.answers["/none"] = lambda request: request.wfile.write(b"nonsense\r\n\r\n") and None
    assert "breaks the connection" in refusal(server.address + "/none")
