"""Who may come to the desk: accounts with name and password, one-time links, sessions. `bot.members` says what they may do."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.desk import passwords
from bot.desk.links import Link, LinkPurpose, Links
from bot.desk.refusals import Refused
from bot.desk.rights import is_admin, may_appoint
from bot.desk.sessions import OpenSession, Sessions
from bot.members import Grant, Members, Role, give_within
from bot.store import metadata
from knowledge import Database

PREFIX = "desk:"
_WRONG_BY_NAME, _WRONG_BY_ADDRESS = 5, 20  # within a quarter of an hour; a whole office may share one address

users = sa.Table(
    "desk_users",
    metadata,
    sa.Column("account", sa.String(80), primary_key=True),
    sa.Column("name", sa.String(40), nullable=False, unique=True),
    sa.Column("password", sa.String(200), nullable=False),
    sa.Column("language", sa.String(20), nullable=False),
    sa.Column("guided", sa.Boolean, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class LinkOffer:
    """What a link is for. `name`: of the account whose password a reset sets; `by`: of whoever made the link, if it is known."""

    purpose: LinkPurpose
    role: str = ""
    co_op: str = ""
    name: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. `guided`: has seen the first guide."""

    account: str
    name: str
    language: str
    guided: bool
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class User:
    """An account of the desk. `seen_at`: None for somebody who has not been here for a while."""

    account: str
    name: str
    made_at: dt.datetime
    seen_at: dt.datetime | None


class SignIn:
    """Synchronous and safe from several threads. What a person does wrong raises `Refused`."""

    def __init__(self, database: Database, members: Members, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._members = members
        self._clock = clock
        self._links = Links(database, clock)
        self._sessions = Sessions(database, clock)
        self._attempts = passwords.Attempts(database, clock)
        self._naming = threading.Lock()

    # links

    def first_link(self) -> str | None:
        """A token for the first admin, as long as there is none who can sign in; the one of the start before dies."""
        if self.admins():
            self._links.cancel_all(LinkPurpose.FIRST)
            return None
        return self._links.make(LinkPurpose.FIRST, grant=Grant(Role.ADMIN))

    def invite(self, by: str, role: Role, co_op: str = "") -> str:
        """A token that gives whoever follows it a role, for a week."""
        grant = Grant(role, co_op)
        if not may_appoint(self._members, by, grant):
            raise Refused("not_allowed")
        if co_op and self._members.co_op(co_op) is None:
            raise Refused("not_there")
        return self._links.make(LinkPurpose.INVITE, by, grant)

    def reset(self, by: str, account: str) -> str:
        """A token by which the holder of an account sets a new password, for a day."""
        if not is_admin(self._members, by):
            raise Refused("not_allowed")
        if self._user(account) is None:
            raise Refused("not_there")
        return self._links.make(LinkPurpose.RESET, by, account=account)

    def link(self, token: str) -> LinkOffer | None:
        """What a token is for; None for one that is unknown, used, expired, or whose maker may no longer give this."""
        found = self._links.find(token)
        return self._offer(found) if found and self._is_good(found) else None

    def past(self, token: str) -> LinkOffer | None:
        """What a token was for that opens nothing any more: so its holder is told whom to ask."""
        found = self._links.find(token)
        return self._offer(found) if found else None

    def invitations(self) -> list[Link]:
        """Those that wait for somebody. Who may see which is for the caller to say."""
        return [link for link in self._links.waiting() if self._is_good(link)]

    def cancel(self, by: str, link_id: str) -> Link:
        """Take an invitation back, which is for those who may make it."""
        found = next((link for link in self._links.waiting() if link.id == link_id and link.grant), None)
        if found is None or found.grant is None or not may_appoint(self._members, by, found.grant):
            raise Refused("not_there")
        self._links.cancel(link_id)
        return found

    def redeem(self, token: str, name: str, password: str, language: str = "ja") -> str:
        """Make an account with the role of an invitation, or set a new password. Returns the account. A reset needs no name."""
        found = self._links.find(token)
        if found is None or not self._is_good(found):
            raise Refused("link_gone")
        if found.purpose is LinkPurpose.RESET:
            self._reset(token, found.account, password)
            return found.account
        kept_name = passwords.tidy_name(name)
        if self._taken(kept_name):
            raise Refused("name_taken")
        passwords.check(password, kept_name)
        return self._join(token, found, kept_name, passwords.kept(password), language)

    def accept(self, token: str, account: str) -> LinkOffer:
        """Take an invitation for an account there is already."""
        found = self._links.find(token)
        if found is None or not self._is_good(found) or found.grant is None:
            raise Refused("link_gone")
        with self._db.write() as c:
            if not self._links.use(c, token):
                raise Refused("link_gone")
            give_within(c, account, found.grant, self._now())
        return self._offer(found)

    # sessions

    def sign_in(self, name: str, password: str, browser: str, address: str) -> tuple[str, Session]:
        """A session's token and the session. `browser`: what tells one browser from another; `address`: where it comes from."""
        by_name, by_address = f"name:{passwords.folded(name)}", f"address:{address}"
        if not self._attempts.begin({by_name: _WRONG_BY_NAME, by_address: _WRONG_BY_ADDRESS}):
            raise Refused("throttled")
        row = self._named(name)
        if not passwords.matches(row["password"] if row else None, password) or row is None:
            raise Refused("wrong")
        self._attempts.end(by_name, by_address)
        if passwords.outdated(row["password"]):
            self._change(row["account"], password=passwords.kept(password))
        token, made = self._sessions.open(row["account"], browser)
        return token, _session(row, made)

    def session(self, token: str, browser: str) -> Session | None:
        """Who holds a session; None where it has ended. One that appears in another browser ends there and here."""
        held = self._sessions.holder(token, browser) if token else None
        row = self._user(held[0]) if held else None
        return _session(row, held[1]) if held and row else None

    def ended(self, token: str) -> str:
        """Why a session is none: `elsewhere`, `expired` or `gone`."""
        return self._sessions.ended(token)

    def sign_out(self, token: str) -> None:
        self._sessions.end(token)

    def sessions_of(self, account: str, token: str = "") -> list[OpenSession]:
        """The open sessions of an account; `token` tells which is the current one."""
        return self._sessions.of(account, token)

    def end_all(self, account: str, but: str = "") -> int:
        """End all sessions of an account, but the one whose token is given."""
        return self._sessions.end_all(account, but)

    # accounts

    def change_password(self, account: str, old: str, new: str, token: str = "") -> None:
        """Set another password; all other sessions end."""
        row = self._user(account)
        subject = f"change:{account}"
        if not self._attempts.begin({subject: _WRONG_BY_NAME}):
            raise Refused("throttled")
        if row is None or not passwords.matches(row["password"], old):
            raise Refused("password_wrong")
        self._attempts.end(subject, "")
        passwords.check(new, row["name"])
        if passwords.matches(row["password"], new):
            raise Refused("password_same")
        self._change(account, password=passwords.kept(new))
        self._sessions.end_all(account, token)

    def set_language(self, account: str, language: str) -> None:
        self._change(account, language=language)

    def set_guided(self, account: str) -> None:
        self._change(account, guided=True)

    def users(self) -> list[User]:
        """Everybody with an account, by name."""
        seen = self._sessions.last_seen()
        with self._db.read() as c:
            rows = c.execute(sa.select(users).order_by(users.c.name)).mappings().all()
        return [User(r["account"], r["name"], _utc(r["made_at"]), seen.get(r["account"])) for r in rows]

    def admins(self) -> set[frozenset[str]]:
        """The people who administer and can sign in, each as the set of their accounts."""
        with self._db.read() as c:
            known = set(c.scalars(sa.select(users.c.account)))
        return {frozenset(p.accounts) for p in self._members.persons(Role.ADMIN) if known & set(p.accounts)}

    def remove(self, account: str) -> None:
        """Remove an account of the desk. The person's other accounts keep what they may; with the last one the roles go."""
        self._clear(account)
        self._members.drop(account)

    def forget(self, person: str) -> None:
        """Remove what is kept here of a person, by any of their accounts."""
        for account in self._members.accounts_of(person):
            if account.startswith(PREFIX):
                self._clear(account)

    # inside

    def _clear(self, account: str) -> None:
        self._sessions.end_all(account)
        self._links.forget(account)
        with self._db.write() as c:
            c.execute(sa.delete(users).where(users.c.account == account))

    def _is_good(self, link: Link) -> bool:
        """Alive, and its maker may still give what it gives."""
        if not link.alive(self._links.now()):
            return False
        if link.purpose is LinkPurpose.FIRST:
            return not self.admins()
        if link.purpose is LinkPurpose.RESET:
            return is_admin(self._members, link.made_by) and self._user(link.account) is not None
        assert link.grant  # noqa: S101 - an invitation always has one
        gone = link.grant.co_op and self._members.co_op(link.grant.co_op) is None
        return not gone and may_appoint(self._members, link.made_by, link.grant)

    def _offer(self, link: Link) -> LinkOffer:
        holder, maker = self._user(link.account), self._user(link.made_by)
        role, co_op = (link.grant.role.value, link.grant.co_op) if link.grant else ("", "")
        return LinkOffer(link.purpose, role, co_op, holder["name"] if holder else "", maker["name"] if maker else "")

    def _join(self, token: str, link: Link, name: str, password: str, language: str) -> str:
        assert link.grant  # noqa: S101
        account, now = PREFIX + secrets.token_urlsafe(12), self._now()
        values = {"account": account, "name": name, "password": password, "language": language, "guided": False, "made_at": now}
        with self._naming, self._db.write() as c:
            if not self._links.use(c, token):
                raise Refused("link_gone")
            if not self._db.is_sqlite:  # which lets one write at a time anyway
                c.execute(sa.text("LOCK TABLE desk_users IN SHARE ROW EXCLUSIVE MODE"))
            if any(passwords.folded(n) == passwords.folded(name) for n in c.scalars(sa.select(users.c.name))):
                raise Refused("name_taken")
            c.execute(sa.insert(users).values(values))
            give_within(c, account, link.grant, now)
        return account

    def _reset(self, token: str, account: str, password: str) -> None:
        row = self._user(account)
        if row is None:
            raise Refused("link_gone")
        passwords.check(password, row["name"])
        digest = passwords.kept(password)
        with self._db.write() as c:
            if not self._links.use(c, token):
                raise Refused("link_gone")
            c.execute(sa.update(users).where(users.c.account == account).values(password=digest))
        self._sessions.end_all(account)
        self._attempts.end(f"name:{passwords.folded(row['name'])}", "")

    def _change(self, account: str, **values: Any) -> None:
        with self._db.write() as c:
            c.execute(sa.update(users).where(users.c.account == account).values(values))

    def _user(self, account: str) -> sa.RowMapping | None:
        with self._db.read() as c:
            return c.execute(sa.select(users).where(users.c.account == account)).mappings().first()

    def _named(self, name: str) -> sa.RowMapping | None:
        wanted = passwords.folded(name)
        with self._db.read() as c:
            found = {r.account: r.name for r in c.execute(sa.select(users.c.account, users.c.name))}
        account = next((a for a, known in found.items() if passwords.folded(known) == wanted), None)
        return self._user(account) if account else None

    def _taken(self, name: str) -> bool:
        return self._named(name) is not None

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def _session(row: sa.RowMapping, made: dt.datetime) -> Session:
    return Session(row["account"], row["name"], row["language"], row["guided"], made)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)  # SQLite gives times back without their zone
