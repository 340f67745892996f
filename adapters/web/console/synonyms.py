"""言いかえ: what members say and what the texts call it; the coordinators' own rows above the shipped table."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from adapters.web.callers import Service
from adapters.web.console.desk import Filled, Signed, Visitor, done, render
from bot.bootstrap import Yui
from bot.desk.refusals import Refused

AT_ONCE = 100
_HERE = "/console/knowledge/words"

router = APIRouter()


@router.get("/knowledge/words")
def words(
    request: Request,
    visitor: Signed,
    yui: Service,
    text: Annotated[str, Query(max_length=80)] = "",
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> HTMLResponse:
    return _page(request, visitor, yui, text=text, offset=offset)


@router.post("/knowledge/words")
def add(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    try:
        added = yui.synonyms.add(visitor.account, form["said"], form["meant"])
    except Refused as refused:
        return _page(request, visitor, yui, wrong=refused.said(visitor.language), said=form["said"], meant=form["meant"])
    yui.audit.note(visitor.account, "word.add", str(added.id), detail=f"{added.said} → {added.meant}")
    return done(request, _HERE, "knowledge.word_added", ("/console/knowledge/words/remove", str(added.id)))


@router.post("/knowledge/words/remove")
def remove(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    if not form["value"].isdigit():
        raise HTTPException(422)
    gone = yui.synonyms.remove(visitor.account, int(form["value"]))
    yui.audit.note(visitor.account, "word.remove", form["value"], detail=f"{gone.said} → {gone.meant}")
    undo = ("/console/knowledge/words/again", f"{gone.said}\n{gone.meant}")
    return done(request, _HERE, "knowledge.word_removed", undo)


@router.post("/knowledge/words/again")
def again(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Takes a removal back."""
    said, _, meant = form["value"].partition("\n")
    added = yui.synonyms.add(visitor.account, said, meant)
    yui.audit.note(visitor.account, "word.add", str(added.id), detail=f"{added.said} → {added.meant}")
    return done(request, _HERE, "knowledge.word_added")


def _page(
    request: Request,
    visitor: Visitor,
    yui: Yui,
    *,
    text: str = "",
    offset: int = 0,
    wrong: str = "",
    said: str = "",
    meant: str = "",
) -> HTMLResponse:
    own, shipped = yui.synonyms.own(), yui.synonyms.shipped()
    if text.strip():
        own = [s for s in own if text.strip() in f"{s.said} {s.meant}"]
        shipped = [row for row in shipped if text.strip() in f"{row[0]} {row[1]}"]
    return render(
        request,
        visitor,
        "knowledge_words.html",
        422 if wrong else 200,
        own=own,
        shipped=shipped[offset : offset + AT_ONCE],
        count=len(shipped),
        offset=offset,
        at_once=AT_ONCE,
        more=len(shipped) > offset + AT_ONCE,
        text=text,
        wrong=wrong,
        said_word=said,
        meant=meant,
        may_change=yui.synonyms.may_change(visitor.account),
        people={u.account: u.name for u in yui.sign_in.users()},
    )
