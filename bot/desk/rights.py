"""Who may appoint whom, and look after which co-op: one rule for invitations, roles and pages."""

from __future__ import annotations

from collections.abc import Collection

from bot.members import Grant, Members, Role


def is_admin(members: Members, account: str) -> bool:
    return any(g.role is Role.ADMIN for g in members.grants(account))


def looks_after(members: Members, account: str) -> frozenset[str] | None:
    """The co-ops somebody looks after; None: all of them."""
    return looked_after(members.grants(account))


def everybody(members: Members) -> dict[str, frozenset[str] | None]:
    """The same of every account that has a role, in one question."""
    held: dict[str, set[Grant]] = {}
    for account, role, co_op in members.people():
        held.setdefault(account, set()).add(Grant(Role(role), co_op))
    return {account: looked_after(grants) for account, grants in held.items()}


def looked_after(held: Collection[Grant]) -> frozenset[str] | None:
    if any(g.role is Role.ADMIN or g == Grant(Role.COORDINATOR) for g in held):
        return None
    return frozenset(g.co_op for g in held if g.role is Role.COORDINATOR)


def may_look_after(members: Members, account: str, co_op: str) -> bool:
    mine = looks_after(members, account)
    return mine is None or co_op in mine


def may_appoint(members: Members, account: str, grant: Grant) -> bool:
    """Admins give every role; only they make admins and coordinators of the federation. A coordinator gives the roles of the co-ops
    they look after."""
    if is_admin(members, account):
        return True
    if grant.role is Role.ADMIN or grant == Grant(Role.COORDINATOR):
        return False
    return may_look_after(members, account, grant.co_op)
