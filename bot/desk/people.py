"""Co-ops and people as those who look after them may see and change them: one's own co-op, or all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.desk.links import Link
from bot.desk.refusals import Refused
from bot.desk.rights import is_admin, looks_after, may_appoint, may_look_after
from bot.desk.sign_in import SignIn
from bot.members import CoOp, Grant, Members, Person, Purpose, Role

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_LONGEST_NAME, _LONGEST_TEXT, _LONGEST_FORM = 200, 200, 80  # characters
_MOST_LINES, _MOST_PEOPLE = 50, 999_999
_PROGRAMS = ("api:", "cli:", "mcp:")  # accounts that are no people


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person with a role. `account` names the person; `name` is that of the desk, if they sign in there; `grants`: the roles that
    the reader may know of."""

    account: str
    name: str
    accounts: tuple[str, ...]
    grants: tuple[Grant, ...]

    @property
    def signs_in(self) -> bool:
        return bool(self.name)


class People:
    """Synchronous. Each method takes the account that acts, and raises `Refused` for what that one may not do; what one may not see
    is not there."""

    def __init__(self, members: Members, sign_in: SignIn) -> None:
        self._members = members
        self._sign_in = sign_in

    # co-ops

    def co_ops(self, by: str) -> list[CoOp]:
        mine = looks_after(self._members, by)
        return [c for c in self._members.co_ops() if mine is None or c.id in mine]

    def co_op(self, by: str, co_op_id: str) -> CoOp:
        found = self._members.co_op(co_op_id) if may_look_after(self._members, by, co_op_id) else None
        if found is None:
            raise Refused("not_there")
        return found

    def add(self, by: str, co_op: CoOp) -> None:
        if looks_after(self._members, by) is not None:
            raise Refused("not_allowed")
        _check(co_op)
        if self._members.co_op(co_op.id):
            raise Refused("co_op_taken")
        self._members.put_co_op(co_op)

    def change(self, by: str, co_op: CoOp) -> None:
        self.co_op(by, co_op.id)
        _check(co_op)
        self._members.put_co_op(co_op)

    def remove(self, by: str, co_op_id: str) -> CoOp:
        """Remove a co-op with its links and the roles in it; for who looks after all of them."""
        found = self.co_op(by, co_op_id)
        if looks_after(self._members, by) is not None:
            raise Refused("not_allowed")
        self._members.remove_co_op(co_op_id)
        return found

    # groups and channels

    def chats(self, by: str, co_op_id: str) -> list[str]:
        self.co_op(by, co_op_id)
        return sorted(chat for chat, co_op in self._members.linked().items() if co_op == co_op_id)

    def link_code(self, by: str, co_op_id: str) -> str:
        """A code that links the group in which it is typed."""
        self.co_op(by, co_op_id)
        return self._members.code(Purpose.LINK, co_op=co_op_id)

    def unlink(self, by: str, co_op_id: str, conversation: str) -> None:
        if conversation not in self.chats(by, co_op_id):
            raise Refused("not_there")
        self._members.unlink(conversation)

    def link_again(self, by: str, co_op_id: str, conversation: str) -> None:
        """Take an unlinking back, unless the chat has become another co-op's meanwhile."""
        self.co_op(by, co_op_id)
        if self._members.co_op_of(conversation) is not None:
            raise Refused("not_there")
        self._members.link(conversation, co_op_id)

    # people

    def persons(self, by: str, co_op_id: str) -> list[Somebody]:
        """People with a role in one co-op ("": everywhere), as far as `by` may know of it. Those who sign in come first."""
        if not may_look_after(self._members, by, co_op_id):
            return []
        names = self._names()
        humans = (p for p in self._members.persons(co_op_id=co_op_id) if _is_human(p))
        found = [_somebody(p, names, [g for g in p.grants if g.co_op == co_op_id]) for p in humans]
        return sorted(found, key=lambda s: (not s.name, s.name, s.account))

    def counts(self) -> dict[str, int]:
        """How many people have a role in each co-op."""
        return self._members.people_by_co_op(_PROGRAMS)

    def person(self, by: str, account: str) -> Somebody:
        """Somebody with the roles that `by` may know of."""
        mine = looks_after(self._members, by)
        for person in self._members.persons(account=account):
            grants = [g for g in person.grants if mine is None or g.co_op in mine]
            if grants and _is_human(person):
                return _somebody(person, self._names(), grants)
        raise Refused("not_there")

    def give(self, by: str, account: str, grant: Grant) -> None:
        """Give somebody one knows of another role. Somebody new comes by an invitation."""
        self.person(by, account)
        self._may_appoint(by, grant)
        self._members.give(account, grant)

    def take(self, by: str, account: str, grant: Grant) -> None:
        somebody = self.person(by, account)
        self._may_appoint(by, grant)
        if grant not in somebody.grants:
            raise Refused("not_there")
        if grant.role is Role.ADMIN:
            self._stays_administered(somebody)
        self._members.take(account, grant)

    def give_back(self, by: str, account: str, grant: Grant) -> None:
        """Take a taking back, also where it was the only role that `by` knew of."""
        self._may_appoint(by, grant)
        if not account or (account.startswith("desk:") and account not in {u.account for u in self._sign_in.users()}):
            raise Refused("not_there")
        self._members.give(account, grant)

    def chat_code(self, by: str, grant: Grant) -> str:
        """A code that gives a role to whoever types it alone with the bot."""
        self._may_appoint(by, grant)
        return self._members.code(Purpose.INVITE, role=grant.role.value, co_op=grant.co_op)

    def invitations(self, by: str, co_op_id: str) -> list[Link]:
        """The invitations to one co-op ("": everywhere) that wait, as far as `by` could have made them."""
        waiting = self._sign_in.invitations()
        return [i for i in waiting if i.grant and i.grant.co_op == co_op_id and may_appoint(self._members, by, i.grant)]

    def end_sessions(self, by: str, account: str) -> int:
        self._administers(by)
        return self._sign_in.end_all(account)

    def remove_account(self, by: str, account: str) -> Somebody:
        """Remove an account of the desk; what the person is elsewhere stays."""
        self._administers(by)
        somebody = self.person(by, account)
        self._stays_administered(somebody)
        self._sign_in.remove(account)
        return somebody

    # inside

    def _names(self) -> dict[str, str]:
        return {u.account: u.name for u in self._sign_in.users()}

    def _may_appoint(self, by: str, grant: Grant) -> None:
        if grant.role is Role.MEMBER and not grant.co_op:
            raise Refused("no_co_op")
        if grant.co_op and (self._members.co_op(grant.co_op) is None or not may_look_after(self._members, by, grant.co_op)):
            raise Refused("not_there")
        if not may_appoint(self._members, by, grant):
            raise Refused("not_allowed")

    def _administers(self, by: str) -> None:
        if not is_admin(self._members, by):
            raise Refused("not_allowed")

    def _stays_administered(self, somebody: Somebody) -> None:
        if self._sign_in.admins() == {frozenset(somebody.accounts)}:
            raise Refused("last_admin")


def _is_human(person: Person) -> bool:
    return not all(a.startswith(_PROGRAMS) for a in person.accounts)


def _somebody(person: Person, names: dict[str, str], grants: list[Grant]) -> Somebody:
    desk = next((a for a in person.accounts if a in names), "")
    in_order = sorted(grants, key=lambda g: (list(Role).index(g.role), g.co_op))
    return Somebody(desk or person.accounts[0], names.get(desk, ""), person.accounts, tuple(in_order))


def _check(co_op: CoOp) -> None:
    if not _ID.fullmatch(co_op.id):
        raise Refused("co_op_id")
    if not co_op.name.strip() or len(co_op.name) > _LONGEST_NAME:
        raise Refused("co_op_name")
    if co_op.size is not None and not 0 <= co_op.size <= _MOST_PEOPLE:
        raise Refused("co_op_size")
    if len(co_op.legal_form) > _LONGEST_FORM or any(len(t) > _LONGEST_TEXT for t in (co_op.place, *co_op.fields, *co_op.partners)):
        raise Refused("co_op_long")
    if max(len(co_op.fields), len(co_op.partners)) > _MOST_LINES:
        raise Refused("co_op_lines")
