"""お知らせ: written once, shown as it will be read, priced before it leaves, accounted for afterwards."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from adapters.web.callers import Service
from adapters.web.console.desk import Filled, Form, Signed, Visitor, done, render, say, told
from bot.announcing import links, paper, words
from bot.announcing.announcement import (
    Announcement,
    Changed,
    Content,
    Holidays,
    Means,
    NotThere,
    Plan,
    Priority,
    Selection,
    State,
    plain,
    read,
)
from bot.announcing.ledger import month_of
from bot.announcing.reporting import Report
from bot.announcing.times import Occasion
from bot.bootstrap import Yui
from bot.errors import UserMistake

_LIST = "/console/announcements"
_ONE = "/console/announcements/one"
_REPEATS = {"": "", "weekly": "FREQ=WEEKLY", "monthly": "FREQ=MONTHLY", "yearly": "FREQ=YEARLY"}
_LANGUAGES = ("en", "zh", "ko", "pt", "vi")
_PLATFORMS = ("line", "discord")
_STEPS = ("schedule", "propose", "approve", "withdraw")

router = APIRouter(prefix="/announcements")
Id = Annotated[str, Query(max_length=40)]


@router.get("")
def announcements(request: Request, visitor: Signed, yui: Service) -> HTMLResponse:
    held = yui.announcements.all(visitor.account)
    month = yui.announcements.month(month_of(yui.clock())) if visitor.everywhere else None
    missed = yui.announcements.missed(visitor.account)
    kept = [(s, _selected(yui, s.selection, visitor.language)) for s in yui.announcements.selections(visitor.account)]
    return render(request, visitor, "announcements.html", held=held, month=month, missed=missed, why=words.WHY, kept=kept)


@router.get("/new")
def new(request: Request, visitor: Signed, yui: Service) -> HTMLResponse:
    return _form(request, visitor, yui, {"means": Means.FREE.value, "reminders": "yes", "everyone": "yes"})


@router.get("/edit")
def edit(request: Request, visitor: Signed, yui: Service, id: Id) -> HTMLResponse:  # noqa: A002
    return _form(request, visitor, yui, _typed(_held(yui, visitor, id)), id)


@router.post("/save")
async def save(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """A draft, or other words for one; what has left is corrected."""
    file = form.file("picture_file")
    data = await file.read() if file else b""
    return await run_in_threadpool(_save, request, visitor, yui, form, data)


def _save(request: Request, visitor: Visitor, yui: Yui, form: Form, picture: bytes) -> Response:
    typed: dict[str, Any] = {
        **form.typed(),
        "co_ops": form.all("co_ops"),
        "platforms": form.all("platforms"),
        "chats": form.all("chats"),
    }
    held = _held(yui, visitor, form["id"]) if form["id"] else None
    try:
        typed["picture"] = yui.pictures.keep(picture) if picture else "" if form["no_picture"] else form["picture"]
        content = _content(form, typed["picture"])
        saved = _saved(yui, visitor, form, content, held)
    except Changed as changed:
        return _form(request, visitor, yui, typed, form["id"], told(changed, visitor.language), changed.now)
    except UserMistake as mistake:
        return _form(request, visitor, yui, typed, form["id"], told(mistake, visitor.language))
    yui.audit.note(visitor.account, "announcement.save", saved.id, saved.co_op)
    return done(request, f"{_ONE}?{urlencode({'id': saved.id})}", "announcing.saved")


def _saved(yui: Yui, visitor: Visitor, form: Form, content: Content, held: Announcement | None) -> Announcement:
    version = _version(form)
    if held is not None and held.state in (State.SENDING, State.DONE):
        return yui.announcements.correct(held.id, version, visitor.account, content)
    selection, plan = _kept(yui, visitor, form["kept"]) or _selection(form), _plan(form)
    if held is None:
        return yui.announcements.compose(visitor.account, content, selection, plan, form["co_op"])
    return yui.announcements.change(held.id, version, visitor.account, content, selection, plan)


@router.get("/one")
def one(request: Request, visitor: Signed, yui: Service, id: Id) -> HTMLResponse:  # noqa: A002
    return _page(request, visitor, yui, _held(yui, visitor, id))


@router.post("/step")
def step(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Send, propose, approve, withdraw: exactly the version that was seen."""
    held, action = _held(yui, visitor, form["id"]), form["action"]
    if action not in _STEPS:
        raise HTTPException(422)
    try:
        getattr(yui.announcements, action)(held.id, _version(form), visitor.account)
    except UserMistake as mistake:
        return _page(request, visitor, yui, _held(yui, visitor, held.id), told(mistake, visitor.language))
    yui.audit.note(visitor.account, f"announcement.{action}", held.id, held.co_op)
    return done(request, f"{_ONE}?{urlencode({'id': held.id})}", f"announcing.done_{action}")


@router.post("/copy")
def copy(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    made = yui.announcements.duplicate(_held(yui, visitor, form["id"]).id, visitor.account)
    yui.audit.note(visitor.account, "announcement.copy", made.id, made.co_op)
    return done(request, f"{_LIST}/edit?{urlencode({'id': made.id})}", "announcing.copied")


@router.post("/try")
def try_out(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """To one's own chat with the bot; on LINE it comes with the next free reply there."""
    held = _held(yui, visitor, form["id"])
    own = {chat.conversation for chat in yui.chats.all()} & set(yui.members.accounts_of(visitor.account))
    try:
        if not own:
            raise UserMistake(say("announcing.nowhere_to_try", visitor.language))
        for conversation in own:
            yui.announcements.try_out(held.id, visitor.account, conversation)
    except UserMistake as mistake:
        return _page(request, visitor, yui, held, told(mistake, visitor.language))
    yui.audit.note(visitor.account, "announcement.try", held.id, held.co_op)
    return done(request, f"{_ONE}?{urlencode({'id': held.id})}", "announcing.tried")


@router.post("/selection")
def keep_selection(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    """Keep an announcement's audience under a name, for who announces there; the same name again replaces it."""
    held = _held(yui, visitor, form["id"])
    try:
        kept = yui.announcements.save_selection(visitor.account, form["name"], held.selection, held.co_op)
    except UserMistake as mistake:
        return _page(request, visitor, yui, held, told(mistake, visitor.language))
    yui.audit.note(visitor.account, "announcement.selection", kept.id, kept.co_op)
    return done(request, f"{_ONE}?{urlencode({'id': held.id})}", "announcing.kept")


@router.post("/selection/drop")
def drop_selection(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    if not yui.announcements.drop_selection(visitor.account, form["id"]):
        raise HTTPException(404)
    yui.audit.note(visitor.account, "announcement.selection_drop", form["id"])
    return done(request, _LIST, "announcing.dropped")


@router.get("/paper")
def sheet(visitor: Signed, yui: Service, id: Id) -> Response:  # noqa: A002
    """The A4 notice to pin up."""
    held = _held(yui, visitor, id)
    issuer = yui.members.co_op(held.co_op) if held.co_op else None
    page = links.address(yui.settings.public_url, yui.signer, held.id)
    picture = yui.pictures.path(held.content.picture) if held.content.picture else None
    pdf = paper.notice(held, issuer.name if issuer else "", page, yui.clock().date(), picture)
    name = f'attachment; filename="{held.id}.pdf"'
    return Response(pdf, media_type="application/pdf", headers={"content-disposition": name, "cache-control": "no-store"})


# what is shown


def _page(request: Request, visitor: Visitor, yui: Yui, held: Announcement, wrong: str = "") -> HTMLResponse:
    out = held.state in (State.SENDING, State.DONE, State.WITHDRAWN)
    languages = [code for code, text in (("ja-easy", held.content.easy), *held.content.texts.items()) if text]
    shown = {code: words.message(held.content, Occasion.FIRST, yui.clock(), code) for code in ("ja", *languages)}
    report = yui.announcements.report(held.id, visitor.account) if out else None
    values: dict[str, Any] = {
        "one": held,
        "shown": shown,
        "picture": _picture(yui, held.content.picture),
        "picture_travels": bool(yui.pictures.address(held.content.picture)),
        "cost": None if out else yui.announcements.cost(held.id, visitor.account),
        "report": report,
        "bars": _shares(report) if report else (),
        "why": words.WHY,
        "own": held.by in yui.members.accounts_of(visitor.account),
        "selected": _selected(yui, held.selection, visitor.language),
        "wrong": wrong,
    }
    return render(request, visitor, "announcement.html", 422 if wrong else 200, **values)


def _form(
    request: Request, visitor: Visitor, yui: Yui, typed: dict[str, Any], announcement_id: str = "", wrong: str = "",
    now: Announcement | None = None,
) -> HTMLResponse:  # fmt: skip
    """The form, filled with what was typed. `now`: what somebody else has saved meanwhile; sending again puts this over it."""
    held = now or (_held(yui, visitor, announcement_id) if announcement_id else None)
    co_ops = [(c.id, c.name) for c in yui.members.co_ops() if visitor.everywhere or c.id in visitor.co_ops]
    values: dict[str, Any] = {
        "typed": typed,
        "id": announcement_id,
        "version": now.version if now else typed.get("version", held.version if held else 0),
        "out": held is not None and held.state in (State.SENDING, State.DONE),
        "theirs": _typed(now) if now else None,
        "co_ops": co_ops,
        "kept": [(s.id, s.name) for s in yui.announcements.selections(visitor.account)],
        "chats": [(c, _name_of(yui, c, visitor.language)) for c in typed.get("chats", ())],
        "picture": _picture(yui, typed.get("picture", "")),
        "languages": _LANGUAGES,
        "platforms": _PLATFORMS,
        "means": [m.value for m in Means],
        "repeats": tuple(_REPEATS),
        "holidays": [h.value for h in Holidays],
        "priorities": [p.value for p in Priority],
        "wrong": wrong,
    }
    return render(request, visitor, "announcement_form.html", (409 if now else 422) if wrong else 200, **values)


def _held(yui: Yui, visitor: Visitor, announcement_id: str) -> Announcement:
    try:
        return yui.announcements.get(announcement_id, visitor.account)
    except NotThere:
        raise HTTPException(404) from None


def _selected(yui: Yui, selection: Selection, language: str) -> str:
    """Whom it is for, in words."""
    if selection.everyone:
        parts = [say("announcing.everyone", language)]
    else:
        names = {c.id: c.name for c in yui.members.co_ops()}
        parts = [*(names.get(c, c) for c in selection.co_ops), *selection.prefectures, *selection.fields, *selection.partners]
    if selection.chats:
        parts.append(say("announcing.chats", language, count=len(selection.chats)))
    return "、".join([*parts, *(say(f"announcing.platform_{p}", language) for p in selection.platforms)])


def _picture(yui: Yui, name: str) -> str:
    """Where this desk shows a picture; empty where there is none."""
    return f"/pictures/{name}" if yui.pictures.path(name) else ""


def _name_of(yui: Yui, conversation: str, language: str) -> str:
    """A chat as people know it: by its title, else by its co-op."""
    chat = next((chat for chat in yui.chats.all() if chat.conversation == conversation), None)
    co_op = yui.members.co_op(chat.co_op) if chat and chat.co_op else None
    return (chat.title if chat else "") or (co_op.name if co_op else "") or say("announcing.one_chat", language)


def _kept(yui: Yui, visitor: Visitor, selection_id: str) -> Selection | None:
    """The audience that was chosen by its name; None where none was. Raises UserMistake for one that has gone since."""
    if not selection_id:
        return None
    found = next((s for s in yui.announcements.selections(visitor.account) if s.id == selection_id), None)
    if found is None:
        raise UserMistake(say("announcing.kept_gone", visitor.language))
    return found.selection


# forms to data and back


def _content(form: Form, picture: str) -> Content:
    given: dict[str, Any] = {k: form[k].strip() for k in ("title", "text", "easy", "link")} | {"picture": picture}
    given["texts"] = {code: form[f"text_{code}"].strip() for code in _LANGUAGES if form[f"text_{code}"].strip()}
    if form["starts"]:
        given["event"] = {"starts": form["starts"], "ends": form["ends"] or None, "place": form["place"].strip()}
    if form["deadline"]:
        grant = {k: form[k].strip() for k in ("who", "amount")} | {"deadline": form["deadline"], "opens": form["opens"] or None}
        given["grant"] = grant | {"places": _listed(form["places"]), "fields": _listed(form["grant_fields"])}
    return read(Content, given)


def _selection(form: Form) -> Selection:
    facets = {k: _listed(form[k]) for k in ("prefectures", "fields", "partners")}
    several = {k: tuple(form.all(k)) for k in ("co_ops", "chats", "platforms")}
    return Selection(bool(form["everyone"]), **several, **facets)


def _plan(form: Form) -> Plan:
    given = {k: form[k] for k in ("means", "holidays", "priority") if form[k]}
    rule = form["rrule"].strip() or _REPEATS.get(form["repeat"], "")
    marked = {"urgent": bool(form["urgent"]), "reminders": bool(form["reminders"])}
    return read(Plan, {**given, **marked, "send_at": form["send_at"] or None, "pay_on": form["pay_on"] or None, "rrule": rule})


def _typed(held: Announcement) -> dict[str, Any]:
    """The form's fields as an announcement fills them."""
    content, plan, selection = plain(held.content), plain(held.plan), held.selection
    event, grant = content["event"] or {}, content["grant"] or {}
    repeat = next((name for name, rule in _REPEATS.items() if rule == plan["rrule"]), None)
    return {
        **{k: content[k] for k in ("title", "text", "easy", "link", "picture")},
        **{f"text_{code}": text for code, text in content["texts"].items()},
        **{k: (event.get(k) or "")[:16] for k in ("starts", "ends")},
        "place": event.get("place", ""),
        **{k: grant.get(k) or "" for k in ("deadline", "opens", "who", "amount")},
        "places": "、".join(grant.get("places", ())),
        "grant_fields": "、".join(grant.get("fields", ())),
        "everyone": "yes" if selection.everyone else "",
        "co_ops": list(selection.co_ops),
        "platforms": list(selection.platforms),
        "chats": list(selection.chats),
        **{k: "、".join(getattr(selection, k)) for k in ("prefectures", "fields", "partners")},
        **{k: plan[k] for k in ("means", "holidays", "priority")},
        "send_at": (plan["send_at"] or "")[:16],
        "pay_on": plan["pay_on"] or "",
        "repeat": repeat or "",
        "rrule": "" if repeat is not None else plan["rrule"],
        "urgent": "yes" if plan["urgent"] else "",
        "reminders": "yes" if plan["reminders"] else "",
        "co_op": held.co_op,
    }


def _listed(text: str) -> tuple[str, ...]:
    """What stands in a line with commas between."""
    return tuple(dict.fromkeys(part.strip() for part in text.replace(",", "、").replace("，", "、").split("、") if part.strip()))


def _version(form: Form) -> int:
    return int(form["version"]) if form["version"].isdigit() else 0


def _shares(report: Report) -> list[tuple[str, int, float]]:
    """(name, count, percent) of what became of the deliveries, as a chart shows it."""
    parts = {k: getattr(report, k) for k in ("free", "paid", "waiting", "unsure", "failed")}
    every = max(sum(parts.values()), 1)
    return [(name, count, round(100 * count / every, 1)) for name, count in parts.items()]
