"""Who is signed in at the desk, and in which browser."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.store import metadata
from knowledge import Database

IDLE, LONGEST = dt.timedelta(hours=12), dt.timedelta(days=14)
_SEEN_EVERY = dt.timedelta(minutes=1)  # how often it is written down that a session is used
_REMEMBERED = dt.timedelta(days=1)  # after its end, so that its holder is told why
_ELSEWHERE = ""  # instead of a browser: it has appeared in another one

sessions = sa.Table(
    "desk_sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(80), nullable=False, index=True),
    sa.Column("browser", sa.String(64), nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its holder, or an admin, sees it."""

    made_at: dt.datetime
    seen_at: dt.datetime
    current: bool


class Sessions:
    """Only digests of tokens are kept. Every method is one or two short transactions."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._clock = clock

    def open(self, account: str, browser: str) -> tuple[str, dt.datetime]:
        """A new session's token, and when it was made."""
        token, now = secrets.token_urlsafe(32), self._now()
        values = {"digest": _digest(token), "account": account, "browser": _digest(browser), "made_at": now, "seen_at": now}
        with self._db.write() as c:
            c.execute(sa.delete(sessions).where(sessions.c.expires_at < now - _REMEMBERED))
            c.execute(sa.insert(sessions).values(**values, expires_at=now + IDLE))
        return token, now

    def holder(self, token: str, browser: str) -> tuple[str, dt.datetime] | None:
        """Whose session it is and since when. In another browser than the one it was opened in, it ends."""
        row = self._row(token)
        now = self._now()
        if row is None or row["browser"] == _ELSEWHERE or _utc(row["expires_at"]) <= now:
            return None
        mine = sessions.c.digest == row["digest"]
        if not hmac.compare_digest(row["browser"], _digest(browser)):
            with self._db.write() as c:
                c.execute(sa.update(sessions).where(mine).values(browser=_ELSEWHERE))
            return None
        made = _utc(row["made_at"])
        if now - _utc(row["seen_at"]) >= _SEEN_EVERY:
            with self._db.write() as c:
                c.execute(sa.update(sessions).where(mine).values(seen_at=now, expires_at=min(now + IDLE, made + LONGEST)))
        return row["account"], made

    def ended(self, token: str) -> str:
        """Why a token opens nothing: `elsewhere` (it appeared in another browser), `expired`, or `gone`."""
        row = self._row(token)
        if row is None:
            return "gone"
        return "elsewhere" if row["browser"] == _ELSEWHERE else "expired"

    def end(self, token: str) -> None:
        with self._db.write() as c:
            c.execute(sa.delete(sessions).where(sessions.c.digest == _digest(token)))

    def end_all(self, account: str, but: str = "") -> int:
        """End all sessions of an account, but one if its token is given. Returns how many there were."""
        with self._db.write() as c:
            others = (sessions.c.account == account) & (sessions.c.digest != _digest(but))
            return c.execute(sa.delete(sessions).where(others)).rowcount

    def of(self, account: str, token: str = "") -> list[OpenSession]:
        """The open sessions of an account, the one used last first."""
        alive = (sessions.c.account == account) & (sessions.c.browser != _ELSEWHERE) & (sessions.c.expires_at > self._now())
        with self._db.read() as c:
            rows = c.execute(sa.select(sessions).where(alive).order_by(sessions.c.seen_at.desc())).mappings().all()
        return [OpenSession(_utc(r["made_at"]), _utc(r["seen_at"]), r["digest"] == _digest(token)) for r in rows]

    def last_seen(self) -> dict[str, dt.datetime]:
        """When each account was here last, as far as a session tells."""
        query = sa.select(sessions.c.account, sa.func.max(sessions.c.seen_at).label("seen")).group_by(sessions.c.account)
        with self._db.read() as c:
            return {r.account: _utc(r.seen) for r in c.execute(query)}

    def _row(self, token: str) -> sa.RowMapping | None:
        with self._db.read() as c:
            return c.execute(sa.select(sessions).where(sessions.c.digest == _digest(token))).mappings().first()

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)  # SQLite gives times back without their zone
