"""One page from the web that an operator asks for: fetched within limits, from public addresses only."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any
from urllib.parse import unquote

import httpx

from knowledge.errors import InvalidDocument
from knowledge.sources.addresses import checked_addresses
from knowledge.sources.files import read_bytes
from knowledge.sources.recognising import Format
from knowledge.sources.sections import Origin
from knowledge.types import Audience, Document, Kind

LARGEST_PAGE = 5_000_000  # bytes, unpacked
MOST_REDIRECTS = 5
SILENCE = 10.0  # seconds without a byte
WHOLE_FETCH = 30.0  # seconds, redirects included: a server may send a byte now and then for ever

_OFFICE = "application/vnd.openxmlformats-officedocument."
_TYPES: dict[str, Format | None] = {
    "text/html": Format.HTML,
    "application/xhtml+xml": Format.HTML,
    "text/plain": Format.TEXT,
    "text/markdown": Format.MARKDOWN,
    "text/csv": Format.CSV,
    "application/pdf": Format.PDF,
    f"{_OFFICE}wordprocessingml.document": Format.DOCX,
    f"{_OFFICE}spreadsheetml.sheet": Format.XLSX,
    f"{_OFFICE}presentationml.presentation": Format.PPTX,
    # Servers that do not know say this; then the content and the name tell.
    "application/octet-stream": None,
    "": None,
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)


def is_address(target: str) -> bool:
    """Whether a target is an address on the web and not a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", target) is not None


def place_of(url: str) -> str:
    """The address as ids are made from it: without the part of the page that it points at."""
    return url.strip().partition("#")[0]


def read_page(url: str, *, audience: Audience, kind: Kind, client: httpx.Client | None = None) -> Document:
    """The page, PDF or Office file at an address, as a document with the address that it was found at in the end.

    Raises InvalidDocument, one sentence that begins with the address. With a `client`, its certificates and proxies are used.
    """
    try:
        with _client(client) as used:
            page = _fetch(used, url)
        place = place_of(url)
        origin = Origin(place, _name(page.url), str(page.url.copy_with(fragment=None)))
        return read_bytes(page.body, origin, audience=audience, kind=kind, declared=page.declared, charset=page.charset)
    except InvalidDocument as error:
        raise InvalidDocument(f"{url}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Page:
    url: httpx.URL
    body: bytes
    declared: Format | None
    charset: str


@dataclass(slots=True)
class _Deadline:
    """Ends a fetch that takes too long, also between two bytes of a header: the socket is shut down."""

    passed: bool = False
    _socket: socket.socket | None = None
    _timer: threading.Timer | None = None

    def watch(self, event: str, details: dict[str, Any]) -> None:
        """Told by httpx what happens on the connection."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = details["return_value"].get_extra_info("socket")
            if self.passed:
                self._end()

    def __enter__(self) -> _Deadline:
        self._timer = threading.Timer(WHOLE_FETCH, self._end)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self.passed = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS, whose state another thread uses

    def check(self) -> None:
        if self.passed:
            raise InvalidDocument("its server takes too long to answer; try again later.")


@contextmanager
def _client(given: httpx.Client | None) -> Iterator[httpx.Client]:
    if given is not None:
        yield given
        return
    # Without the environment: no proxy and no passwords of whoever runs this.
    with httpx.Client(timeout=SILENCE, trust_env=False) as own:
        yield own


def _fetch(client: httpx.Client, url: str) -> _Page:
    here = _parsed(url)
    with _Deadline() as deadline:
        for _ in range(MOST_REDIRECTS + 1):
            deadline.check()
            found = _one(client, here, deadline)
            if isinstance(found, _Page):
                return found
            here = found
    raise InvalidDocument(f"it leads on more than {MOST_REDIRECTS} times; give the address that it ends at.")


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise InvalidDocument("it is not an address; check it.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidDocument("only addresses with http:// or https:// can be fetched; check it, or save the page in a file.")
    if parsed.userinfo:
        raise InvalidDocument("it holds a password, which members would see; save the page in a file.")
    return parsed


def _one(client: httpx.Client, url: httpx.URL, deadline: _Deadline) -> _Page | httpx.URL:
    """The page, or where its server sends on to."""
    host = url.raw_host.decode("ascii")
    error: Exception | None = None
    for address in checked_addresses(host.strip("[]"), url.port or (443 if url.scheme == "https" else 80)):
        try:
            return _from(client, url, address, deadline)
        except (httpx.ConnectError, httpx.ConnectTimeout) as failed:  # the next address may be reached, over IPv4 after IPv6
            error = failed
        except httpx.TimeoutException as failed:
            raise InvalidDocument("its server takes too long to answer; try again later.") from failed
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as failed:
            deadline.check()
            raise InvalidDocument("its server breaks the connection or its rules; try again later.") from failed
    why = "its certificate is not valid" if "certificate" in str(error).lower() else "its server cannot be reached"
    raise InvalidDocument(f"{why}; check the address, or try again later.") from error


def _from(client: httpx.Client, url: httpx.URL, address: str, deadline: _Deadline) -> _Page | httpx.URL:
    """The page from this one address: the name is not looked up again, and the certificate still has to be the name's."""
    request = client.build_request(
        "GET",
        url.copy_with(host=address, fragment=None),
        headers={
            "Host": url.netloc.decode("ascii"),
            "User-Agent": f"Yui/{metadata.version('yui')}",
            "Accept": "text/html, application/pdf, text/plain, */*;q=0.5",
            "Accept-Language": "ja, en;q=0.5",
            "Connection": "close",
        },
        timeout=SILENCE,
        extensions={"sni_hostname": url.raw_host.decode("ascii"), "trace": deadline.watch},
    )
    request.headers.pop("Cookie", None)
    response = client.send(request, stream=True, auth=None, follow_redirects=False)
    try:
        if response.has_redirect_location:
            return _parsed(str(url.join(response.headers["Location"])))
        return _page(url, response, deadline)
    finally:
        response.close()


def _page(url: httpx.URL, response: httpx.Response, deadline: _Deadline) -> _Page:
    if response.status_code != 200:
        raise InvalidDocument(
            f"its server answers {response.status_code} {response.reason_phrase}".rstrip() + "; check the address."
        )
    header = response.headers.get("Content-Type", "")
    media_type = header.partition(";")[0].strip().lower()
    if media_type not in _TYPES:
        raise InvalidDocument(f"it is {media_type[:60]}; pages, text, PDF and Office files can be read.")
    charset = _CHARSET.search(header)
    return _Page(url, _body(response, deadline), _TYPES[media_type], charset[1] if charset else "")


def _body(response: httpx.Response, deadline: _Deadline) -> bytes:
    said = response.headers.get("Content-Length", "")
    body = bytearray()
    too_large = said.isdigit() and int(said) > LARGEST_PAGE
    for chunk in () if too_large else response.iter_bytes(65_536):
        body += chunk
        too_large = len(body) > LARGEST_PAGE
        if too_large:
            break
    if too_large:
        raise InvalidDocument(f"it is larger than {LARGEST_PAGE // 1_000_000} MB; save the part that members ask about in a file.")
    deadline.check()  # a body without a length ends where the socket was shut down
    return bytes(body)


def _name(url: httpx.URL) -> str:
    """How sources name a page: its host, and for a file its name."""
    last = unquote(url.path.rpartition("/")[2])
    host = url.host.removeprefix("www.")
    return f"{host} {last}" if re.search(r"\.[A-Za-z0-9]{2,5}$", last) and not last.endswith((".html", ".htm", ".php")) else host
