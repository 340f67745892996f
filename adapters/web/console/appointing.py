"""What the pages about people share: who may be appointed to what, what is shown once, and where to go on to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import quote

from fastapi import HTTPException, Query, Request

from adapters.web.console.desk import Form, Visitor
from bot.bootstrap import Yui
from bot.desk.refusals import Refused
from bot.members import Grant, Role

HOME = "/console/people"
AT_ONCE = 50
_ROLES = {r.value: r for r in Role}
T = TypeVar("T")
Offset = Annotated[int, Query(ge=0, le=100_000)]
Id = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Once:
    """Something that is shown this once: a link or a code, with the key of the sentence that says what to do with it."""

    shown: str
    kind: str  # of `people.once_…`


def there(look: Callable[[], T]) -> T:
    """What is not there, or not this person's to see or do, is one and the same to them."""
    try:
        return look()
    except Refused as refused:
        raise HTTPException(404) from refused


def link_address(request: Request, yui: Yui, token: str) -> str:
    """The whole address of a one-time link, to be sent to somebody."""
    base = yui.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{base}/console/link?token={token}"


def roles_to_give(visitor: Visitor, co_op_id: str) -> list[str]:
    """The roles this visitor may give, in one co-op or everywhere."""
    if co_op_id:
        return [Role.COORDINATOR, Role.MEMBER, Role.PARTNER]
    return [Role.ADMIN, Role.COORDINATOR, Role.PARTNER] if visitor.may_admin else [Role.PARTNER] if visitor.everywhere else []


def grant_of(form: Form) -> Grant:
    """The role that was chosen in a form. Raises Refused where none was."""
    role = _ROLES.get(form["role"])
    if role is None:
        raise Refused("no_role")
    return Grant(role, "" if role is Role.ADMIN else form["co_op"])


def told(account: str, grant: Grant) -> str:
    """What a button that gives or takes a role sends."""
    return " ".join((grant.role.value, grant.co_op or "-", account))


def untold(value: str) -> tuple[str, Grant]:
    """(account, role) of what a button sent. Raises 422 for anything else."""
    role, co_op, account = [*value.split(" ", 2), "", "", ""][:3]
    if role not in _ROLES:
        raise HTTPException(422)
    return account, Grant(_ROLES[role], "" if co_op == "-" else co_op)


def of(co_op_id: str) -> str:
    """The page of a co-op."""
    return f"{HOME}/co-op?id={quote(co_op_id)}"


def person_at(account: str) -> str:
    """The page of a person."""
    return f"{HOME}/person?account={quote(account)}"


def said(wrong: Refused | None, visitor: Visitor) -> str:
    return wrong.said(visitor.language) if wrong else ""
