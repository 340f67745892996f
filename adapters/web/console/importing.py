"""まとめて入れる: a file is chosen, looked at without harm, and taken in as long work that can be left."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from adapters.web.callers import Service
from adapters.web.console.desk import Filled, Form, Signed, Visitor, done, render, say
from adapters.web.console.knowledge import audience_names
from bot.bootstrap import Yui
from bot.desk.entry_words import field_name, told
from bot.desk.import_words import told as reader_told
from bot.desk.imports import FIELDS, KINDS, Job
from bot.desk.refusals import Refused

_HERE = "/console/knowledge/import"
_NO_COLUMN = "-"

router = APIRouter()
Id = Annotated[str, Query(max_length=100)]


@router.get("/knowledge/import")
def imports(request: Request, visitor: Signed, yui: Service) -> HTMLResponse:
    return _list(request, visitor, yui)


@router.post("/knowledge/import")
def upload(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    file = form.file("file")
    if file is None:
        return _list(request, visitor, yui, say("knowledge.no_file", visitor.language), form.typed())
    try:
        job = yui.imports.upload(visitor.account, file.filename or "", file.file, form["audience"], form["kind"])
    except Refused as refused:
        return _list(request, visitor, yui, refused.said(visitor.language), form.typed())
    yui.audit.note(visitor.account, "import.upload", job.id, job.co_op, job.name)
    return RedirectResponse(_address(job.id), 303)


@router.get("/knowledge/import/job")
def job(request: Request, visitor: Signed, yui: Service, id: Id) -> HTMLResponse:  # noqa: A002
    return _job(request, visitor, yui, yui.imports.job(visitor.account, id))


@router.get("/knowledge/import/state")
def state(request: Request, visitor: Signed, yui: Service, id: Id) -> HTMLResponse:  # noqa: A002
    """The part of the page that tells how far it is."""
    return render(request, visitor, "knowledge_import_state.html", **_told(yui, visitor, yui.imports.job(visitor.account, id)))


@router.post("/knowledge/import/start")
def start(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    dry = form["action"] != "take"
    try:
        columns = _columns(form)
        job = yui.imports.start(visitor.account, form["id"], columns, dry=dry)
    except Refused as refused:
        held = yui.imports.job(visitor.account, form["id"])
        return _job(request, visitor, yui, held, refused.said(visitor.language), form.typed())
    yui.audit.note(visitor.account, "import.check" if dry else "import.take", job.id, job.co_op, job.name)
    return RedirectResponse(_address(job.id), 303)


@router.post("/knowledge/import/cancel")
def cancel(request: Request, visitor: Signed, form: Filled, yui: Service) -> Response:
    job = yui.imports.job(visitor.account, form["id"])
    yui.imports.cancel(visitor.account, job.id)
    yui.audit.note(visitor.account, "import.cancel", job.id, job.co_op, job.name)
    return done(request, _HERE, "knowledge.import_cancelled")


def _list(request: Request, visitor: Visitor, yui: Yui, wrong: str = "", typed: dict[str, str] | None = None) -> HTMLResponse:
    names = audience_names(yui, visitor)
    return render(
        request,
        visitor,
        "knowledge_import.html",
        422 if wrong else 200,
        jobs=yui.imports.jobs(visitor.account),
        audiences=[(k, names.get(k, k)) for k in yui.imports.audiences(visitor.account)],
        names=names,
        kinds=[(k, say(f"knowledge.kind_{k}", visitor.language)) for k in KINDS],
        wrong=wrong,
        typed=typed or {},
    )


def _job(
    request: Request, visitor: Visitor, yui: Yui, job: Job, wrong: str = "", typed: dict[str, str] | None = None
) -> HTMLResponse:
    table = yui.imports.table(visitor.account, job.id) if job.state not in ("checking", "running", "done", "cancelled") else None
    chosen = job.columns if job.columns is not None else dict(table.guessed) if table else {}
    typed = typed or {}
    columns = [
        (name, "", field_name(name, visitor.language), typed.get(f"c_{name}", str(chosen[name]) if name in chosen else _NO_COLUMN))
        for name in FIELDS
    ]
    return render(
        request,
        visitor,
        "knowledge_import_job.html",
        422 if wrong else 200,
        wrong=wrong,
        table=table,
        columns=columns,
        options=[(_NO_COLUMN, say("knowledge.no_column", visitor.language)), *_headers(table)],
        rows=typed.get("rows", "yes" if job.columns is not None or (table and chosen) else "no"),
        **_told(yui, visitor, job),
    )


def _headers(table: Any) -> list[tuple[str, str]]:
    return [(str(i), name or f"({i + 1})") for i, name in enumerate(table.header)] if table else []


def _told(yui: Yui, visitor: Visitor, job: Job) -> dict[str, Any]:
    """What a template needs to tell how far it is and what came of it."""
    errors = [(e.row, [told(f, visitor.language) for f in e.flaws]) for e in job.report.errors]
    names = audience_names(yui, visitor)
    return {
        "job": job,
        "errors": errors,
        "audience": names.get(job.audience, job.audience),
        "told": reader_told(job.report.told, visitor.language) if job.report.told else "",
        "changes": [(k, job.report.titles.get(k, ())) for k in ("added", "changed", "removed")],
    }


def _columns(form: Form) -> dict[str, int] | None:
    """Which column is what; None: the file is one document."""
    if form["rows"] != "yes":
        return None
    chosen = {name: form[f"c_{name}"] for name in FIELDS}
    return {name: int(at) for name, at in chosen.items() if at.isdigit() and len(at) < 5}


def _address(job_id: str) -> str:
    return f"{_HERE}/job?{urlencode({'id': job_id})}"
