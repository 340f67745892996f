"""Who is who: co-ops, the chats linked to them, people with their accounts and roles, and one-time codes."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.errors import UserMistake
from bot.store import metadata
from knowledge import FEDERATION, PUBLIC, Audience, Database, normalise

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
# Letters and digits that nobody takes for each other when they are read out.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 8
_VALID = dt.timedelta(days=1)
_LONGEST = {"name": 200, "place": 200, "legal_form": 80}  # characters of a profile, as the columns have room
_LARGEST = 1_000_000  # people
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TRIES, _TRIED_WITHIN = 5, dt.timedelta(minutes=15)

co_ops = sa.Table(
    "co_ops",
    metadata,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("place", sa.String(200), nullable=False),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Column("size", sa.Integer),
    sa.Column("legal_form", sa.String(80), nullable=False),
    sa.Column("partners", sa.JSON, nullable=False),
    sa.Column("findable", sa.Boolean, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
)
linked_chats = sa.Table(
    "linked_chats",
    metadata,
    sa.Column("conversation", sa.String(80), primary_key=True),
    sa.Column("co_op", sa.ForeignKey("co_ops.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
)
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account", sa.String(80), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False, index=True),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
)
roles = sa.Table(
    "roles",
    metadata,
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("role", sa.String(20), primary_key=True),
    sa.Column("co_op", sa.String(60), primary_key=True),
    sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
)
codes = sa.Table(
    "codes",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("purpose", sa.String(20), nullable=False),
    sa.Column("subject", sa.JSON, nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    sa.Column("used_at", sa.DateTime(timezone=True)),
)
code_attempts = sa.Table(
    "code_attempts",
    metadata,
    sa.Column("account", sa.String(80), primary_key=True),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
)


class Role(StrEnum):
    """What a person may do. ADMIN is not bound to a co-op; a COORDINATOR without one looks after the federation."""

    ADMIN = "admin"
    COORDINATOR = "coordinator"
    MEMBER = "member"
    PARTNER = "partner"  # 社協, a municipality, a union: sees what everybody sees


class Purpose(StrEnum):
    """What a one-time code is for."""

    LINK = "link"  # a group or channel to its co-op
    MERGE = "merge"  # two accounts of one person
    INVITE = "invite"  # a role


class Outcome(StrEnum):
    """What became of a code; also the key of the sentence that says so."""

    LINKED = "linked"
    MERGED = "merged"
    INVITED = "invited"
    WRONG = "code_wrong"  # unknown, used or expired: which of them is not said to who may be guessing
    THROTTLED = "code_throttled"
    OWN = "code_own"  # to be sent from the other account: it stays valid
    WRONG_PLACE = "code_wrong_place"  # a group's code in a talk for two, or the other way round: it stays valid


@dataclass(frozen=True, slots=True)
class CoOp:
    """A co-op's profile. `findable`: others may find it."""

    id: str  # lower-case letters, digits and hyphens
    name: str
    place: str = ""
    fields: tuple[str, ...] = ()
    size: int | None = None
    legal_form: str = ""
    partners: tuple[str, ...] = ()
    findable: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of a person; without a co-op it holds everywhere."""

    role: Role
    co_op: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a role: the accounts that are this person, and the roles."""

    accounts: tuple[str, ...]
    grants: frozenset[Grant]


class Members:
    """Every method is one short transaction. People are known by accounts: pseudonyms on a platform."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._db = database
        self._clock = clock

    # co-ops

    def put_co_op(self, co_op: CoOp) -> None:
        """Add a co-op, or change its profile. Raises UserMistake for an id or a name that cannot be."""
        if not _ID.fullmatch(co_op.id):
            raise UserMistake(f"{co_op.id!r} cannot be a co-op's id: use lower-case letters, digits and hyphens.")
        if not co_op.name.strip():
            raise UserMistake("A co-op needs a name.")
        _check_profile(co_op)
        values = {
            **{k: getattr(co_op, k) for k in ("name", "place", "size", "legal_form", "findable")},
            "fields": list(co_op.fields),
            "partners": list(co_op.partners),
        }
        with self._db.write() as c:
            if not c.execute(sa.update(co_ops).where(co_ops.c.id == co_op.id).values(values)).rowcount:
                c.execute(sa.insert(co_ops).values(id=co_op.id, made_at=self._now(), **values))

    def co_op(self, co_op_id: str) -> CoOp | None:
        with self._db.read() as c:
            row = c.execute(sa.select(co_ops).where(co_ops.c.id == co_op_id)).mappings().first()
        return _co_op(row) if row else None

    def co_ops(self) -> list[CoOp]:
        with self._db.read() as c:
            return [_co_op(r) for r in c.execute(sa.select(co_ops).order_by(co_ops.c.id)).mappings()]

    def remove_co_op(self, co_op_id: str) -> None:
        """Remove a co-op with its links and the roles in it. What it gave stays until it is withdrawn."""
        with self._db.write() as c:
            c.execute(sa.delete(roles).where(roles.c.co_op == co_op_id))
            c.execute(sa.delete(linked_chats).where(linked_chats.c.co_op == co_op_id))
            c.execute(sa.delete(co_ops).where(co_ops.c.id == co_op_id))

    # chats

    def link(self, conversation: str, co_op_id: str) -> None:
        """A group or channel is this co-op's from now on."""
        with self._db.write() as c:
            _link(c, conversation, co_op_id, self._now())

    def unlink(self, conversation: str) -> bool:
        """A group or channel is nobody's any more. False where it was linked to no co-op."""
        with self._db.write() as c:
            return bool(c.execute(sa.delete(linked_chats).where(linked_chats.c.conversation == conversation)).rowcount)

    def co_op_of(self, conversation: str, within: Sequence[str] = ()) -> str | None:
        """The co-op a chat is linked to, itself or the channel it is a thread of."""
        places = [conversation, *within]
        query = sa.select(linked_chats.c.conversation, linked_chats.c.co_op).where(linked_chats.c.conversation.in_(places))
        with self._db.read() as c:
            found = dict(c.execute(query).all())
        return next((found[p] for p in places if p in found), None)

    def linked(self) -> dict[str, str]:
        """Every linked chat with its co-op."""
        with self._db.read() as c:
            return dict(c.execute(sa.select(linked_chats.c.conversation, linked_chats.c.co_op)).all())

    # people

    def grants(self, account: str) -> frozenset[Grant]:
        """The roles of the person behind an account."""
        query = sa.select(roles.c.role, roles.c.co_op).join(accounts, accounts.c.person == roles.c.person)
        with self._db.read() as c:
            return frozenset(Grant(Role(r.role), r.co_op) for r in c.execute(query.where(accounts.c.account == account)))

    def give(self, account: str, grant: Grant) -> None:
        """Give the person behind an account a role. Raises UserMistake for a co-op there isn't."""
        with self._db.write() as c:
            give_within(c, account, grant, self._now())

    def take(self, account: str, grant: Grant) -> bool:
        """Take a role back. False where the person did not have it."""
        with self._db.write() as c:
            person = c.scalar(sa.select(accounts.c.person).where(accounts.c.account == account))
            mine = (roles.c.person == person) & (roles.c.role == grant.role.value) & (roles.c.co_op == grant.co_op)
            return bool(c.execute(sa.delete(roles).where(mine)).rowcount)

    def accounts_of(self, account: str) -> tuple[str, ...]:
        """All accounts of the person behind one, at least that one."""
        with self._db.read() as c:
            person = c.scalar(sa.select(accounts.c.person).where(accounts.c.account == account))
            found = c.scalars(sa.select(accounts.c.account).where(accounts.c.person == person)).all() if person else ()
        return tuple(dict.fromkeys([account, *sorted(found)]))

    def with_role(self, role: Role) -> list[tuple[str, str]]:
        """(account, co-op) of everybody who has a role."""
        query = sa.select(accounts.c.account, roles.c.co_op).join(roles, roles.c.person == accounts.c.person)
        with self._db.read() as c:
            rows = c.execute(query.where(roles.c.role == role.value).order_by(accounts.c.account)).all()
        return [(r.account, r.co_op) for r in rows]

    def people(self) -> list[tuple[str, str, str]]:
        """(account, role, co-op) of everybody who has a role."""
        query = sa.select(accounts.c.account, roles.c.role, roles.c.co_op).join(roles, roles.c.person == accounts.c.person)
        with self._db.read() as c:
            return [tuple(r) for r in c.execute(query.order_by(accounts.c.account, roles.c.role, roles.c.co_op))]

    def persons(self, role: Role | None = None, co_op_id: str | None = None, account: str = "") -> list[Person]:
        """Everybody who has a role, this role, a role in this co-op ("": everywhere), or this account: each with all accounts and
        roles."""
        who = sa.select(roles.c.person)
        if role is not None:
            who = who.where(roles.c.role == role.value)
        if co_op_id is not None:
            who = who.where(roles.c.co_op == co_op_id)
        if account:
            who = who.where(roles.c.person == sa.select(accounts.c.person).where(accounts.c.account == account).scalar_subquery())
        known = sa.select(accounts.c.person, accounts.c.account).where(accounts.c.person.in_(who)).order_by(accounts.c.account)
        found: dict[str, tuple[list[str], set[Grant]]] = {}
        with self._db.read() as c:
            for person, name in c.execute(known):
                found.setdefault(person, ([], set()))[0].append(name)
            for person, held, place in c.execute(
                sa.select(roles.c.person, roles.c.role, roles.c.co_op).where(roles.c.person.in_(who))
            ):
                if person in found:
                    found[person][1].add(Grant(Role(held), place))
        return [Person(tuple(names), frozenset(grants)) for names, grants in found.values()]

    def people_by_co_op(self, leaving_out: Sequence[str] = ()) -> dict[str, int]:
        """How many people have a role in each co-op. `leaving_out`: beginnings of accounts that are no people."""
        query = sa.select(roles.c.co_op, sa.func.count(sa.distinct(roles.c.person))).join(
            accounts, accounts.c.person == roles.c.person
        )
        for beginning in leaving_out:
            query = query.where(~accounts.c.account.startswith(beginning))
        with self._db.read() as c:
            return dict(c.execute(query.group_by(roles.c.co_op)).all())

    def may_review(self, account: str, co_op_id: str) -> bool:
        """Whether a person decides about what a co-op gave (an empty id: what a chat without a co-op gave)."""
        return any(g.role is Role.ADMIN or (g.role is Role.COORDINATOR and g.co_op in ("", co_op_id)) for g in self.grants(account))

    def audience(self, conversation: str, sender: str = "", *, group: bool, within: Sequence[str] = ()) -> Audience:
        """What may be told in a chat: in a group what everybody in it may hear, alone with the bot what that person may."""
        own = {PUBLIC, chat_key(conversation)}
        if group:
            co_op = self.co_op_of(conversation, within)
            return Audience.of(*own, *({FEDERATION, co_op_key(co_op)} if co_op else ()))
        grants = self.grants(sender or conversation)
        if any(g.role in (Role.ADMIN, Role.COORDINATOR, Role.MEMBER) for g in grants):
            own.add(FEDERATION)
        return Audience.of(*own, *(co_op_key(g.co_op) for g in grants if g.co_op and g.role is not Role.PARTNER))

    def own_co_op(self, conversation: str, sender: str = "", *, group: bool, within: Sequence[str] = ()) -> str:
        """The co-op for which somebody speaks here; empty where it isn't known or there are several."""
        if group:
            return self.co_op_of(conversation, within) or ""
        mine = {g.co_op for g in self.grants(sender or conversation) if g.co_op and g.role is not Role.PARTNER}
        return mine.pop() if len(mine) == 1 else ""

    def forget(self, account: str) -> None:
        """Remove a person with all accounts and roles."""
        mine = self.accounts_of(account)
        with self._db.write() as c:
            people = c.scalars(sa.select(accounts.c.person).where(accounts.c.account.in_(mine))).all()
            c.execute(sa.delete(roles).where(roles.c.person.in_(people)))
            c.execute(sa.delete(accounts).where(accounts.c.account.in_(mine)))
            c.execute(sa.delete(code_attempts).where(code_attempts.c.account.in_(mine)))

    def drop(self, account: str) -> None:
        """Remove one account. The person's other accounts keep the roles; with the last account the roles go."""
        if len(self.accounts_of(account)) == 1:
            self.forget(account)
            return
        with self._db.write() as c:
            c.execute(sa.delete(accounts).where(accounts.c.account == account))
            c.execute(sa.delete(code_attempts).where(code_attempts.c.account == account))

    # one-time codes

    def code(self, purpose: Purpose, **subject: Any) -> str:
        """A code that works once within a day: LINK wants `co_op`, INVITE `role` and `co_op`, MERGE `account`.

        Only a keyless digest is kept: eight letters of 31 are 40 bits, guessing is throttled, and a code lives a day.
        """
        named = subject.get("co_op") or purpose is Purpose.LINK
        if purpose is not Purpose.MERGE and named and self.co_op(subject["co_op"]) is None:
            raise UserMistake(f"There is no co-op {subject['co_op']!r}: add it first.")
        if purpose is Purpose.INVITE:
            _check_grant(Grant(Role(subject["role"]), subject.get("co_op", "")))
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
        now = self._now()
        with self._db.write() as c:
            c.execute(sa.delete(codes).where(codes.c.expires_at < now))
            values = {"digest": _digest(code), "purpose": purpose.value, "subject": subject, "expires_at": now + _VALID}
            c.execute(sa.insert(codes).values(values))
        return f"{code[:4]}-{code[4:]}"

    def redeem(self, code: str, account: str, conversation: str, *, group: bool) -> tuple[Outcome, str]:
        """Use a code, once. Returns what came of it and the co-op it was about, if any."""
        now = self._now()
        with self._db.write() as c:
            if _is_throttled(c, account, now):
                return Outcome.THROTTLED, ""
            valid = (codes.c.digest == _digest(code)) & (codes.c.used_at.is_(None)) & (codes.c.expires_at > now)
            row = c.execute(sa.select(codes).where(valid).with_for_update()).mappings().first()
            if row is None:
                _failed(c, account, now)
                return Outcome.WRONG, ""
            purpose, subject = Purpose(row["purpose"]), dict(row["subject"])
            if group != (purpose is Purpose.LINK):
                return Outcome.WRONG_PLACE, ""
            co_op = str(subject.get("co_op", ""))
            if purpose is Purpose.MERGE and subject["account"] == account:
                return Outcome.OWN, ""
            if co_op and not _is_there(c, co_op):
                return Outcome.WRONG, ""  # it has been removed since
            if not c.execute(sa.update(codes).where(valid).values(used_at=now)).rowcount:
                return Outcome.WRONG, ""  # somebody else was faster
            if purpose is Purpose.LINK:
                _link(c, conversation, co_op, now)
                return Outcome.LINKED, co_op
            if purpose is Purpose.INVITE:
                give_within(c, account, Grant(Role(subject["role"]), co_op), now)
                return Outcome.INVITED, co_op
            _merge(c, str(subject["account"]), account, now)
            return Outcome.MERGED, ""

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


def co_op_key(co_op_id: str) -> str:
    """The audience key of one co-op."""
    return f"coop:{co_op_id}"


def chat_key(conversation: str) -> str:
    """The audience key of one chat."""
    return f"chat:{conversation}"


def _link(c: sa.Connection, conversation: str, co_op_id: str, now: dt.datetime) -> None:
    c.execute(sa.delete(linked_chats).where(linked_chats.c.conversation == conversation))
    c.execute(sa.insert(linked_chats).values(conversation=conversation, co_op=co_op_id, linked_at=now))


def _person(c: sa.Connection, account: str, now: dt.datetime) -> str:
    found: str | None = c.scalar(sa.select(accounts.c.person).where(accounts.c.account == account))
    if found is None:
        found = secrets.token_urlsafe(12)
        c.execute(sa.insert(accounts).values(account=account, person=found, since=now))
    return found


def give_within(c: sa.Connection, account: str, grant: Grant, now: dt.datetime) -> None:
    """`Members.give` as a part of somebody else's transaction."""
    _check_grant(grant)
    if grant.co_op and not _is_there(c, grant.co_op):
        raise UserMistake(f"There is no co-op {grant.co_op}: add it first.")
    person = _person(c, account, now)
    mine = (roles.c.person == person) & (roles.c.role == grant.role.value) & (roles.c.co_op == grant.co_op)
    c.execute(sa.delete(roles).where(mine))
    c.execute(sa.insert(roles).values(person=person, role=grant.role.value, co_op=grant.co_op, given_at=now))


def _is_there(c: sa.Connection, co_op_id: str) -> bool:
    return bool(c.scalar(sa.select(sa.func.count()).where(co_ops.c.id == co_op_id)))


def _check_grant(grant: Grant) -> None:
    """An admin of one co-op would be thought to have its rights only, and have all."""
    if grant.role is Role.ADMIN and grant.co_op:
        raise UserMistake("An admin looks after every co-op: leave the co-op out, or make the person its coordinator.")


def _check_profile(co_op: CoOp) -> None:
    """Raises UserMistake for what does not fit its column, or its line in a list."""
    lines = [*(getattr(co_op, k) for k in _LONGEST), *co_op.fields, *co_op.partners]
    if any(_CONTROL.search(line) for line in lines):
        raise UserMistake("A co-op's profile is written without line breaks.")
    for name, most in _LONGEST.items():
        if len(getattr(co_op, name)) > most:
            raise UserMistake(f"The {name.replace('_', ' ')} is too long: {most} characters at most.")
    if co_op.size is not None and not 0 <= co_op.size <= _LARGEST:
        raise UserMistake(f"The size is a number of people: 0 to {_LARGEST:,}.")


def _merge(c: sa.Connection, one: str, other: str, now: dt.datetime) -> None:
    """Two accounts become one person, with the roles of both."""
    kept, gone = _person(c, one, now), _person(c, other, now)
    if kept == gone:
        return
    c.execute(sa.update(accounts).where(accounts.c.person == gone).values(person=kept))
    held = {(r.role, r.co_op) for r in c.execute(sa.select(roles.c.role, roles.c.co_op).where(roles.c.person == kept))}
    for row in c.execute(sa.select(roles).where(roles.c.person == gone)).mappings().all():
        if (row["role"], row["co_op"]) not in held:
            c.execute(sa.insert(roles).values({**row, "person": kept}))
    c.execute(sa.delete(roles).where(roles.c.person == gone))


def _digest(code: str) -> str:
    letters = re.sub(r"[^A-Z0-9]", "", normalise(code).upper())
    return hashlib.sha256(letters.encode()).hexdigest()


def _is_throttled(c: sa.Connection, account: str, now: dt.datetime) -> bool:
    recent = (code_attempts.c.account == account) & (code_attempts.c.since > now - _TRIED_WITHIN)
    return int(c.scalar(sa.select(code_attempts.c.failed).where(recent)) or 0) >= _TRIES


def _failed(c: sa.Connection, account: str, now: dt.datetime) -> None:
    c.execute(sa.delete(code_attempts).where(code_attempts.c.since <= now - _TRIED_WITHIN))
    mine = code_attempts.c.account == account
    if not c.execute(sa.update(code_attempts).where(mine).values(failed=code_attempts.c.failed + 1)).rowcount:
        c.execute(sa.insert(code_attempts).values(account=account, failed=1, since=now))


def _co_op(row: sa.RowMapping) -> CoOp:
    plain = {k: row[k] for k in ("id", "name", "place", "size", "legal_form", "findable")}
    return CoOp(**plain, fields=tuple(row["fields"]), partners=tuple(row["partners"]))
