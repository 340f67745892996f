"""Who did what: for an admin everything, for a coordinator what concerns their co-ops or was done by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from adapters.web.callers import Service
from adapters.web.console.desk import Signed, render, say
from bot.desk.audit import Deed

AT_ONCE = 50

router = APIRouter()
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Word = Annotated[str, Query(max_length=100)]


@router.get("/log")
def deeds(request: Request, visitor: Signed, yui: Service, offset: Offset = 0, by: Word = "", action: Word = "") -> HTMLResponse:
    found = yui.audit.entries(visitor.account, offset, AT_ONCE + 1, by, action)
    people, actions = yui.audit.known(visitor.account)
    names = {u.account: u.name for u in yui.sign_in.users()}
    co_ops = {c.id: c.name for c in yui.members.co_ops()}
    return render(
        request,
        visitor,
        "log.html",
        deeds=found[:AT_ONCE],
        more=len(found) > AT_ONCE,
        offset=offset,
        at_once=AT_ONCE,
        by=by,
        action=action,
        people=[(a, names.get(a, _short(a))) for a in people],
        actions=sorted(((a, _doing(a, visitor.language)) for a in actions), key=lambda pair: pair[1]),
        names=names,
        about=lambda deed: _about(deed, names, co_ops, visitor.language),
        doing=lambda a: _doing(a, visitor.language),
        short=_short,
    )


def _doing(action: str, language: str) -> str:
    """An action in words."""
    return say_or(f"safety.did_{action.replace('.', '_')}", language, action)


def _about(deed: Deed, names: Mapping[str, str], co_ops: Mapping[str, str], language: str) -> str:
    """To what something was done: each thing once, by its name where it has one."""
    thing = co_ops.get(deed.about) or names.get(deed.about) or _short(deed.about)
    co_op = co_ops.get(deed.co_op, deed.co_op)
    detail = say_or(f"people.role_{deed.detail}", language, deed.detail)
    return " / ".join(dict.fromkeys(part for part in (thing, co_op, detail) if part))


def _short(account: str) -> str:
    """An account without a name, as far as it tells two apart."""
    platform, _, rest = account.partition(":")
    return f"{platform}:…{rest[-4:]}" if len(rest) > 12 else account


def say_or(key: str, language: str, otherwise: str) -> str:
    """A sentence of the catalogues, where there is one: what is named by other parts may have none yet."""
    try:
        return say(key, language)
    except KeyError:
        return otherwise
