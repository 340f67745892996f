"""Fetches laws from e-Gov's law API, version 2: https://laws.e-gov.go.jp/api/2/redoc/. No key is needed.

The API states no limits. Ours are: one call at a time, a second between two of them, and few, slower calls while it is busy.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import httpx

from knowledge.errors import KnowledgeError

BASE = "https://laws.e-gov.go.jp/api/2"
LARGEST = 16 * 1024 * 1024  # bytes, unpacked
FIRST_DAY = dt.date(2017, 4, 1)  # the API has no earlier texts

_INTERVAL = 1.0  # seconds between the starts of two calls
_BUSY = {429, 500, 502, 503, 504}
_PAUSES = (2.0, 4.0, 8.0)  # seconds before each further attempt
_LONGEST_PAUSE = 120.0  # seconds; who is asked to wait longer asks again another time
_REDIRECTS = 3
_LAW = re.compile(r"\d{3}[0-9A-Z]{12}(_\d{8}_[0-9A-Z]{15})?", re.ASCII)


class EgovUnavailable(KnowledgeError):
    """e-Gov gave no law: not reached, busy, or it does not hold what was asked for."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One text of a law. Two may have the same `in_force`; only `status` tells which one counts."""

    revision_id: str
    in_force: dt.date | None  # while `status` is UnEnforced, it may be the latest possible day
    status: str  # CurrentEnforced, UnEnforced, PreviousEnforced or Repeal
    title: str = ""
    amending_law: str = ""  # 令和四年法律第百四号; empty for the law as it was made
    updated: str = ""  # RFC 3339, as the API writes it: also changes when e-Gov corrects the text


class EgovApi:
    """Every method waits for its turn, so one object may be used by several threads. Raises EgovUnavailable.

    `timeout` is in seconds, for connecting, for each read and for an answer as a whole.
    """

    def __init__(
        self,
        base: str = BASE,
        *,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = base.rstrip("/")
        self._timeout = timeout
        self._sleep = sleep
        self._clock = clock
        self._turn = threading.Lock()
        self._last: float | None = None

    def fetch(self, law_id: str, as_of: dt.date | None = None) -> bytes:
        """The API's answer with a law's text, XML in XML, for `read_law`. At most 16 MiB.

        `law_id` may also be a revision's id, without `as_of`. Without both it is the text in force today.
        """
        path = f"law_data/{_checked(law_id)}"
        query = {"response_format": "xml", "law_full_text_format": "xml"}
        if as_of is not None:
            if as_of < FIRST_DAY:
                raise EgovUnavailable(f"e-Gov has no texts from before {FIRST_DAY}; {as_of} was asked for.")
            if "_" in law_id:
                raise EgovUnavailable("A revision is one text for good: ask for it by its id or for a law by date, not both.")
            query["asof"] = as_of.isoformat()
        return self._get(path, query, "application/xml")

    def revisions(self, law_id: str) -> tuple[Revision, ...]:
        """All texts of a law, in the order of the API, which means nothing."""
        raw = self._get(f"law_revisions/{_checked(law_id)}", {}, "application/json")
        try:
            return tuple(_revision(item) for item in json.loads(raw)["revisions"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise EgovUnavailable("e-Gov's list of revisions is not written as its description says.") from error

    @staticmethod
    def current(revisions: Sequence[Revision]) -> Revision:
        """The one in force by its status; dates do not tell."""
        found = [r for r in revisions if r.status == "CurrentEnforced"]
        if len(found) != 1:
            raise EgovUnavailable(f"Of {len(revisions)} revisions e-Gov calls {len(found)} current, where one was expected.")
        return found[0]

    def _get(self, path: str, query: Mapping[str, str], accept: str) -> bytes:
        with self._turn:
            url = httpx.URL(f"{self._base}/{path}", params=query)
            pauses = iter(_PAUSES)
            while True:
                status, headers, body = self._follow(url, accept)
                if status == 200:
                    return body
                usual = next(pauses, None)
                if status not in _BUSY or usual is None:
                    raise EgovUnavailable(_told(status, body))
                self._sleep(_pause(headers.get("Retry-After", ""), usual))

    def _follow(self, url: httpx.URL, accept: str) -> tuple[int, httpx.Headers, bytes]:
        for _ in range(_REDIRECTS + 1):
            status, headers, body = self._call(url, accept)
            if status not in (301, 302, 303, 307, 308):
                return status, headers, body
            try:
                there = url.join(headers.get("Location", ""))
            except httpx.InvalidURL as error:
                raise EgovUnavailable("e-Gov sends on to an address that is none.") from error
            if (there.scheme, there.host, there.port) != (url.scheme, url.host, url.port):
                raise EgovUnavailable(f"e-Gov sends on to another host ({there.host[:100]}); it is not asked.")
            url = there
        raise EgovUnavailable("e-Gov sends from one address to the next without end.")

    def _call(self, url: httpx.URL, accept: str) -> tuple[int, httpx.Headers, bytes]:
        """One call, not before its time."""
        if self._last is not None and (wait := self._last + _INTERVAL - self._clock()) > 0:
            self._sleep(wait)
        self._last = started = self._clock()
        headers = {"User-Agent": _product(), "Accept": accept}
        body = bytearray()
        try:
            with httpx.stream("GET", url, headers=headers, timeout=self._timeout, follow_redirects=False) as answer:
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise EgovUnavailable(f"e-Gov's answer is larger than {LARGEST:,} bytes.")
                    if self._clock() - started > self._timeout:
                        raise EgovUnavailable(f"e-Gov's answer was not whole after {self._timeout:g} seconds.")
                return answer.status_code, answer.headers, bytes(body)
        except httpx.TimeoutException as error:
            raise EgovUnavailable(f"e-Gov did not answer within {self._timeout:g} seconds.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # the last two: a machine's TLS or proxy settings
            raise EgovUnavailable(f"e-Gov cannot be reached ({type(error).__name__}).") from error


def _checked(law_id: str) -> str:
    if not _LAW.fullmatch(law_id):
        raise EgovUnavailable(f"{law_id[:60]!r} is not the id of a law or of a revision, such as 502AC1000000078.")
    return law_id


def _product() -> str:
    try:
        return f"Yui/{metadata.version('yui')}"
    except metadata.PackageNotFoundError:
        return "Yui"


def _pause(retry_after: str, usual: float) -> float:
    """Seconds until the next attempt: what the answer asks for, as seconds or as a date, but no less than usual."""
    if re.fullmatch(r"\d{1,9}", retry_after.strip(), re.ASCII):
        asked = float(retry_after)
    else:
        try:
            asked = email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            asked = 0.0
    if asked > _LONGEST_PAUSE:
        raise EgovUnavailable(f"e-Gov asks to be left alone for {asked:.0f} seconds.")
    return max(asked, usual)


def _told(status: int, body: bytes) -> str:
    """An error's answer as one sentence."""
    try:
        found = json.loads(body)
        code, message = str(found["code"])[:20], " ".join(str(found["message"]).split())[:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        code = message = ""
    if code == "404001":
        return f"e-Gov knows no such law or revision: {message}"
    if code:
        return f"e-Gov answered with status {status} and error {code}: {message}"
    return f"e-Gov answered with status {status}" + (", as it does during maintenance." if status == 403 else ".")


def _revision(item: Mapping[str, Any]) -> Revision:
    day = item.get("amendment_enforcement_date")
    return Revision(
        revision_id=str(item["law_revision_id"]),
        in_force=dt.date.fromisoformat(day) if day else None,
        status=str(item["current_revision_status"]),
        title=str(item.get("law_title") or ""),
        amending_law=str(item.get("amendment_law_num") or ""),
        updated=str(item.get("updated") or ""),
    )
