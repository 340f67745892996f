"""設定と安全: the keys' state, keys of the interface, checks, backups, and who did what. For admins."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import shutil
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from adapters.web.callers import Service
from adapters.web.console.desk import Admin, Filled, Visitor, done, render
from adapters.web.console.log import say_or
from bot import doctor
from bot.api_keys import Scope
from bot.backup import BACKED_UP, Restored, back_up, rehearse
from bot.bootstrap import Yui
from bot.channels import Finding
from bot.clock import JAPAN
from bot.config import Settings
from bot.desk.work import Work
from bot.errors import UserMistake

AT_ONCE = 50
KEPT = dt.timedelta(hours=1)  # how long a backup waits to be fetched
_HOME = "/console/safety"
_FOLDER, _MADE, _GIVEN = "desk", "backup.zip", "given.zip"  # in the data folder
_DAYS = (90, 365, 30, 0)  # a key's life; 0: without end

router = APIRouter()
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Word = Annotated[str, Query(max_length=100)]
Told = tuple[str, int, int]  # what is being done, how much is done, of how much


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that waits to be fetched."""

    at: dt.datetime
    rows: int
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Works:
    """The long work of this page, one of each kind at a time in this process."""

    checks: Work[Finding, bool] = field(default_factory=Work)
    backup: Work[Told, Made] = field(default_factory=lambda: Work(1))
    rehearsal: Work[Told, Restored] = field(default_factory=lambda: Work(1))
    lock: threading.Lock = field(default_factory=threading.Lock)


# what is shown


@router.get("/safety")
def overview(request: Request, visitor: Admin, yui: Service) -> HTMLResponse:
    return _overview(request, visitor, yui)


@router.get("/safety/checks")
def checks_page(request: Request, visitor: Admin) -> HTMLResponse:
    return _work_page(request, visitor, "safety_checks.html", _works(request).checks)


@router.get("/safety/checks/progress")
def checks_progress(request: Request, visitor: Admin) -> HTMLResponse:
    return _work_page(request, visitor, "safety_checks_part.html", _works(request).checks)


@router.get("/safety/backup")
def backup_page(request: Request, visitor: Admin, yui: Service) -> HTMLResponse:
    return _work_page(request, visitor, "safety_backup.html", _works(request).backup, ready=_waiting(request, yui) is not None)


@router.get("/safety/backup/progress")
def backup_progress(request: Request, visitor: Admin, yui: Service) -> HTMLResponse:
    return _work_page(request, visitor, "safety_backup_part.html", _works(request).backup, ready=_waiting(request, yui) is not None)


@router.get("/safety/restore")
def rehearsal_page(request: Request, visitor: Admin) -> HTMLResponse:
    return _work_page(request, visitor, "safety_restore.html", _works(request).rehearsal)


@router.get("/safety/restore/progress")
def rehearsal_progress(request: Request, visitor: Admin) -> HTMLResponse:
    return _work_page(request, visitor, "safety_restore_part.html", _works(request).rehearsal)


# keys of the interface


@router.post("/safety/keys/make")
def make_key(request: Request, visitor: Admin, form: Filled, yui: Service) -> Response:
    """A new key, shown this once."""
    name, scopes = form["name"].strip(), [Scope(s) for s in form.all("scope") if s in set(Scope)]
    wrong = _wrong_key(yui, name, scopes, form["co_op"])
    days = int(form["days"]) if form["days"] in map(str, _DAYS) else _DAYS[0]
    expires = yui.clock() + dt.timedelta(days=days) if days else None
    if not wrong:
        try:
            key = yui.api_keys.make(name, scopes, form["co_op"], expires)
        except UserMistake:
            wrong = "key_name_wrong"
    if wrong:
        return _overview(request, visitor, yui, wrong=wrong, typed={**form.typed(), "scope": form.all("scope")})
    yui.audit.note(visitor.account, "key.make", name, form["co_op"], " ".join(scopes))
    return _overview(request, visitor, yui, key=key)


@router.post("/safety/keys/revoke")
def revoke_key(request: Request, visitor: Admin, form: Filled, yui: Service) -> Response:
    if not yui.api_keys.remove(form["name"]):
        raise HTTPException(404)
    yui.audit.note(visitor.account, "key.revoke", form["name"])
    return done(request, _HOME, "safety.key_revoked")


# long work


@router.post("/safety/checks")
def start_checks(request: Request, visitor: Admin, form: Filled, yui: Service) -> Response:  # noqa: ARG001
    def examine(told: Callable[[Finding], None]) -> bool:
        well = True
        for finding in itertools.chain(doctor.surroundings(yui.settings), doctor.examine_running(yui)):
            told(finding)
            well &= finding.well
        return well

    if _works(request).checks.start(examine):
        yui.audit.note(visitor.account, "checks.start")
    return RedirectResponse(f"{_HOME}/checks", 303)


@router.post("/safety/backup")
def start_backup(request: Request, visitor: Admin, form: Filled, yui: Service) -> Response:  # noqa: ARG001
    file, now = _folder(yui) / _MADE, yui.clock()

    def make(told: Callable[[Told], None]) -> Made:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        manifest = back_up(yui.settings, file, now, replace=True, progress=lambda *step: told(step))
        return Made(now, sum(p.rows for name, p in manifest.parts.items() if name.startswith("tables/")), file.stat().st_size)

    if _works(request).backup.start(make):
        yui.audit.note(visitor.account, "backup.make")
    return RedirectResponse(f"{_HOME}/backup", 303)


@router.get("/safety/backup/file")
def fetch_backup(request: Request, visitor: Admin, yui: Service) -> Response:
    made = _waiting(request, yui)
    if made is None:
        return RedirectResponse(f"{_HOME}/backup", 303)
    yui.audit.note(visitor.account, "backup.fetch")
    name = f"yui-{made.at.astimezone(JAPAN):%Y%m%d-%H%M}.yui"  # not .zip: some browsers take those apart by themselves
    return FileResponse(
        _folder(yui) / _MADE, media_type="application/octet-stream", filename=name, headers={"cache-control": "no-store"}
    )


@router.post("/safety/restore")
def start_rehearsal(request: Request, visitor: Admin, form: Filled, yui: Service) -> Response:
    """Find out whether a backup could be restored: one that is sent, or the one just made. Nothing is restored."""
    works, folder, sent = _works(request), _folder(yui), form.file("file")
    just_made = form["which"] == "made" and _waiting(request, yui) is not None
    if not just_made and sent is None:
        return _work_page(request, visitor, "safety_restore.html", works.rehearsal, status=422, wrong="no_file")
    if works.rehearsal.going_on:
        return RedirectResponse(f"{_HOME}/restore", 303)
    file = folder / (_MADE if just_made else _GIVEN)
    if sent is not None and not just_made:
        with works.lock:
            folder.mkdir(mode=0o700, exist_ok=True)
            with file.open("wb") as out:
                file.chmod(0o600)
                shutil.copyfileobj(sent.file, out, 2**20)

    def rehearsed(told: Callable[[Told], None]) -> Restored:
        try:
            return rehearse(yui.settings, file, folder, lambda *step: told(step))
        finally:
            (folder / _GIVEN).unlink(missing_ok=True)

    if works.rehearsal.start(rehearsed):
        yui.audit.note(visitor.account, "backup.check")
    return RedirectResponse(f"{_HOME}/restore", 303)


# pages


def _overview(
    request: Request, visitor: Visitor, yui: Yui, *, wrong: str = "", key: str = "", typed: dict[str, Any] | None = None
) -> HTMLResponse:
    made = yui.store.mark(BACKED_UP)
    return render(
        request,
        visitor,
        "safety.html",
        422 if wrong else 200,
        settings=[
            (n, say_or(f"safety.setting_{n[4:].lower()}", visitor.language, about), s) for n, about, s in _settings(yui.settings)
        ],
        keys=yui.api_keys.holders(),
        now=yui.clock(),
        co_ops=[(c.id, c.name) for c in yui.members.co_ops()],
        names={c.id: c.name for c in yui.members.co_ops()},
        scopes=[s.value for s in Scope],
        opens=lambda s: say_or(f"safety.scope_{s.replace(':', '_')}", visitor.language, s),
        days=_DAYS,
        backed_up=dt.datetime.fromisoformat(made) if made else None,
        works=_works(request),
        wrong=f"safety.{wrong}" if wrong else "",
        key=key,
        typed={"name": "", "co_op": "", "days": "90", "scope": [], **(typed or {})},
    )


def _work_page(
    request: Request, visitor: Visitor, template: str, work: Work[Any, Any], status: int = 200, ready: bool = False, wrong: str = ""
) -> HTMLResponse:
    language = visitor.language
    return render(
        request,
        visitor,
        template,
        status,
        work=work,
        ready=ready,
        wrong=f"safety.{wrong}" if wrong else "",
        waiting=_works(request).backup.result,
        label=lambda name: _label(name, language),
        remedy=lambda name: _remedy(name, language),
    )


def _settings(settings: Settings) -> Iterable[tuple[str, str, bool]]:
    """(name, what it is for, whether it is set) of each setting; never a value."""
    for name, about in Settings.model_fields.items():
        value = getattr(settings, name)
        default = about.get_default()
        yield "YUI_" + name.upper(), about.description or "", bool(value) and value != default


# inside


def _works(request: Request) -> Works:
    state = request.app.state
    if not hasattr(state, "works"):
        state.works = Works()
    works: Works = state.works
    return works


def _folder(yui: Yui) -> Path:
    return yui.settings.data_dir / _FOLDER


def _waiting(request: Request, yui: Yui) -> Made | None:
    """The backup that can be fetched. What has waited for too long, or was left by a process before, goes."""
    work, file = _works(request).backup, _folder(yui) / _MADE
    if work.going_on:
        return None
    made = work.result
    if made is not None and yui.clock() - made.at <= KEPT and file.is_file():
        return made
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
    return None


def _wrong_key(yui: Yui, name: str, scopes: list[Scope], co_op: str) -> str:
    if any(h.name == name for h in yui.api_keys.holders()):
        return "key_taken"
    if not scopes:
        return "key_scopes"
    return "key_co_op" if co_op and yui.members.co_op(co_op) is None else ""


def _label(name: str, language: str) -> str:
    return say_or(f"safety.check_{_slug(name)}", language, name)


def _remedy(name: str, language: str) -> str:
    return say_or(f"safety.mend_{_slug(name)}", language, "")


def _slug(name: str) -> str:
    """Which sentence tells of a finding: all servers on Discord have the same."""
    slug = name.lower().replace(" ", "_")
    return "discord_server" if slug.startswith("discord_server_") else slug
