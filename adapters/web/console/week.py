"""今週の15分: one list of what needs a person, one press each, and everything can be taken back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from adapters.web.callers import Service
from adapters.web.console.desk import (
    LANGUAGE_COOKIE,
    LANGUAGES,
    Filled,
    Form,
    Signed,
    Visitor,
    done,
    inside,
    render,
    say,
    told,
)
from bot.bootstrap import Yui
from bot.desk.agenda import Item, ItemKind
from bot.desk.asked import AskedQuestion
from bot.errors import UserMistake
from bot.questions import Topic
from bot.search import personal_data
from bot.tips.tip import Action, Decided, Draft, Tip, Verdict

AT_ONCE = 20
_HOME = "/console/"
_CHECKED_AGAIN = dt.timedelta(days=365)
_A_YEAR = 365 * 24 * 60 * 60
_TIP_ACTIONS = {Action.PUBLISH, Action.MERGE, Action.ASK_BACK, Action.DECLINE, Action.POSTPONE, Action.HAND_OVER}
_NEEDS_WORDS = {Action.ASK_BACK, Action.DECLINE}

router = APIRouter()
Offset = Annotated[int, Query(ge=0, le=100_000)]
Id = Annotated[str, Query(max_length=300)]


@dataclass(frozen=True, slots=True)
class Card:
    """An item with what stands beside it. `personal`: what may be personal data, in a tip or in an answer that was typed."""

    item: Item
    co_op: str = ""
    personal: tuple[str, ...] = ()
    changed: tuple[Any, ...] = ()  # pieces of what a new version changed
    articles: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = ()  # (id, title) of what an answer told
    reviewers: tuple[tuple[str, str], ...] = ()  # (account, name) of whom it can be handed to


# what is shown


@router.get("/")
def week(request: Request, visitor: Signed, yui: Service, offset: Offset = 0) -> HTMLResponse:
    items = yui.agenda.items(visitor.account)
    cards = [_card(yui, visitor, item) for item in items[offset : offset + AT_ONCE]]
    guide = not visitor.session.guided
    more = len(items) > offset + AT_ONCE
    return render(
        request, visitor, "week.html", cards_shown=cards, count=len(items), offset=offset, at_once=AT_ONCE, more=more, guide=guide
    )


@router.get("/week/item")
def one(request: Request, visitor: Signed, yui: Service, kind: ItemKind, id: Id) -> HTMLResponse:  # noqa: A002
    return _item_page(request, visitor, yui, kind, id)


@router.get("/week/similar")
def similar(request: Request, visitor: Signed, yui: Service, id: Id) -> HTMLResponse:  # noqa: A002
    """The part of a card that takes a moment to find: tips that say nearly the same."""
    tip = yui.curation.tip(id, visitor.account)
    if tip is None:
        raise HTTPException(404)
    return render(request, visitor, "similar.html", tip=tip, near=_near(yui, visitor, tip))


def _item_page(
    request: Request,
    visitor: Visitor,
    yui: Yui,
    kind: ItemKind,
    item_id: str,
    wrong: str = "",
    typed: str = "",
    personal: Sequence[str] = (),
) -> HTMLResponse:
    item = next((i for i in yui.agenda.items(visitor.account) if i.kind is kind and i.id == item_id), None)
    if item is None:
        raise HTTPException(404)
    near = _near(yui, visitor, item.about) if isinstance(item.about, Tip) else ()
    card = _card(yui, visitor, item)
    if personal:
        card = replace(card, personal=tuple(personal))
    return render(request, visitor, "item.html", 422 if wrong else 200, card=card, near=near, wrong=wrong, typed=typed)


def _card(yui: Yui, visitor: Visitor, item: Item) -> Card:
    about: Any = item.about
    co_op = yui.members.co_op(about.co_op) if getattr(about, "co_op", "") else None
    name = co_op.name if co_op else ""
    if isinstance(about, Tip):
        return Card(
            item,
            name,
            tuple(personal_data(about.draft)),
            tuple(yui.agenda.changes(about, visitor.account)),
            about.articles,
            reviewers=_reviewers(yui, visitor, about.co_op),
        )
    if item.kind is ItemKind.UNHELPFUL:
        return Card(item, name, told=_told(yui, visitor, about))
    if item.kind is ItemKind.ENTRY:
        named = {u.account: u.name for u in yui.sign_in.users()}
        others = (a for a in yui.entries.verifiers(about.document) if a != visitor.account)
        return Card(item, name, articles=about.articles, reviewers=tuple((a, named[a]) for a in others if a in named))
    return Card(item, name)


def _told(yui: Yui, visitor: Visitor, asked: AskedQuestion) -> tuple[tuple[str, str], ...]:
    """The entries an answer told, as far as this reviewer may see them."""
    scope = yui.members.audience(visitor.account, visitor.account, group=False)
    found = (yui.search.get(d, scope) for d in dict.fromkeys(p.partition("#")[0] for p in asked.passages))
    return tuple((e.id, e.title) for e in found if e)


def _near(yui: Yui, visitor: Visitor, tip: Tip) -> list[tuple[Tip, str]]:
    scope = yui.members.audience(visitor.account, visitor.account, group=False)
    return [(t, r.relation.value) for t, r in yui.curation.similar(tip.draft.text, scope) if t.id != tip.id]


def _reviewers(yui: Yui, visitor: Visitor, co_op: str) -> tuple[tuple[str, str], ...]:
    others = [u for u in yui.sign_in.users() if u.account != visitor.account]
    return tuple((u.account, u.name) for u in others if yui.members.may_review(u.account, co_op))


# what is decided


@router.post("/week/tip")
def tip(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    action, words = form["action"], form["reason"].strip()
    if action not in {a.value for a in _TIP_ACTIONS} or not form["version"].isdigit():
        raise HTTPException(422)
    if Action(action) in _NEEDS_WORDS and not words:
        wrong = say(f"week.words_for_{action}", visitor.language)
        return _item_page(request, visitor, yui, ItemKind.TIP, form["id"], wrong)
    into = form["to"] if action == Action.HAND_OVER else form["into"]
    try:
        decided = yui.curation.decide(form["id"], int(form["version"]), Action(action), visitor.account, reason=words, into=into)
    except UserMistake as mistake:
        return _item_page(request, visitor, yui, ItemKind.TIP, form["id"], told(mistake, visitor.language), words)
    return _decided(request, visitor, yui, decided, action, form["id"])


@router.post("/week/question")
def question(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    topic = yui.questions.topic(form["id"], visitor.account)
    if topic is None:
        return done(request, _back(form), "week.already")
    if form["action"] == "answer":
        return _answer(request, visitor, yui, topic, form)
    if form["action"] not in ("close", "postpone"):
        raise HTTPException(422)
    change = yui.questions.close if form["action"] == "close" else yui.questions.postpone
    mark = change(topic.id, visitor.account)
    if not mark:
        return done(request, _back(form), "week.already")
    yui.audit.note(visitor.account, f"question.{form['action']}", topic.id, topic.co_op)
    return done(request, _back(form), f"week.done_question_{form['action']}", ("/console/week/undo", f"question:{topic.id}.{mark}"))


@router.post("/week/unhelpful")
def unhelpful(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    if form["action"] not in ("settle", "postpone"):
        raise HTTPException(422)
    change = yui.asked.settle if form["action"] == "settle" else yui.asked.postpone
    co_op = next((a.co_op for a in yui.asked.unhelpful(visitor.account) if a.answer_id == form["id"]), "")
    if not change(form["id"], visitor.account):
        return done(request, _back(form), "week.already")
    yui.audit.note(visitor.account, f"answer.{form['action']}", form["id"], co_op)
    return done(request, _back(form), f"week.done_unhelpful_{form['action']}", ("/console/week/undo", f"unhelpful:{form['id']}"))


@router.post("/week/entry")
def entry(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    document, action, before = form["id"], form["action"], ""
    try:
        match action:
            case "checked":
                yui.entries.checked(visitor.account, document, yui.clock().date() + _CHECKED_AGAIN)
            case "postpone":
                yui.entries.postpone(visitor.account, document)
            case "hand_over":
                before = yui.entries.hand_over(visitor.account, document, form["to"])
            case _:
                raise HTTPException(422)
    except UserMistake as mistake:
        return _item_page(request, visitor, yui, ItemKind.ENTRY, document, told(mistake, visitor.language))
    yui.audit.note(visitor.account, f"entry.{action}", document)
    undo = ("/console/week/undo", f"entry:{json.dumps([action, document, before])}")
    return done(request, _back(form), f"week.done_entry_{action}", undo)


@router.post("/week/undo")
def undo(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    kind, _, item_id = form["value"].partition(":")
    match kind:
        case "tip":
            well = yui.agenda.undo(item_id, visitor.account).verdict is Verdict.DONE
        case "question":
            topic, _, mark = item_id.partition(".")
            well = yui.questions.reopen(topic, mark, visitor.account) > 0
        case "unhelpful":
            well = yui.asked.reopen(item_id, visitor.account)
        case "entry":
            well, item_id = _entry_undone(yui, visitor, item_id)
        case _:
            raise HTTPException(422)
    if well:
        yui.audit.note(visitor.account, f"{kind}.undo", item_id)
    return done(request, _HOME, "week.undone" if well else "week.cannot_undo")


def _entry_undone(yui: Yui, visitor: Visitor, value: str) -> tuple[bool, str]:
    try:
        action, document, before = json.loads(value)
        match action:
            case "checked":
                yui.entries.uncheck(visitor.account, document)
            case "postpone":
                yui.entries.resume(visitor.account, document)
            case _:
                yui.entries.hand_over(visitor.account, document, before)
    except UserMistake:
        return False, document
    except (ValueError, TypeError):
        raise HTTPException(422) from None
    return True, document


def _answer(request: Request, visitor: Visitor, yui: Yui, topic: Topic, form: Form) -> Response:
    """The answer becomes an entry, published for everybody who asked; what may be personal data in it is asked about first."""
    if found := personal_data(Draft(form["text"]), confirmed=bool(form["confirmed"])):
        wrong = say("week.personal_in_answer", visitor.language)
        return _item_page(request, visitor, yui, ItemKind.QUESTION, topic.id, wrong, form["text"], found)
    try:
        decided = yui.agenda.answer(topic.id, form["text"], visitor.account)
    except UserMistake as mistake:
        return _item_page(request, visitor, yui, ItemKind.QUESTION, topic.id, told(mistake, visitor.language), form["text"])
    if decided is None or decided.tip is None:
        return done(request, _back(form), "week.already")
    return _decided(request, visitor, yui, decided, "answer", decided.tip.id)


def _decided(request: Request, visitor: Visitor, yui: Yui, decided: Decided, action: str, tip_id: str) -> Response:
    if decided.verdict in (Verdict.GONE, Verdict.NOT_ALLOWED):
        raise HTTPException(404)
    if decided.verdict is not Verdict.DONE:
        return done(request, _HOME, f"week.{decided.verdict.value}")
    yui.audit.note(visitor.account, f"tip.{action}", tip_id, decided.tip.co_op if decided.tip else "")
    return done(request, _HOME, f"week.done_{action}", ("/console/week/undo", f"tip:{tip_id}"))


def _back(form: Form) -> str:
    return inside(form["back"] or _HOME)


# the first visit, and the language


@router.post("/guided")
def guided(visitor: Signed, form: Filled, yui: Service) -> Response:  # noqa: ARG001
    yui.sign_in.set_guided(visitor.account)
    return RedirectResponse(_HOME, 303)


@router.post("/language")
def choose_language(visitor: Signed, form: Filled, yui: Service) -> Response:
    if form["language"] in LANGUAGES:
        yui.sign_in.set_language(visitor.account, form["language"])
    return RedirectResponse(inside(form["to"]), 303)


@router.get("/language")
def language_before_sign_in(to: str = _HOME, language: str = "ja") -> Response:
    """Before anybody has signed in: a cookie keeps it."""
    answer = RedirectResponse(inside(to), 303)
    answer.set_cookie(LANGUAGE_COOKIE, language if language in LANGUAGES else "ja", max_age=_A_YEAR, httponly=True, samesite="lax")
    return answer
