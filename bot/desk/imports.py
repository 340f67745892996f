"""Files brought in at the desk: uploaded, looked at without harm, then taken in as long work that can be left."""

from __future__ import annotations

import datetime as dt
import logging
import os
import re
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from bot.desk.import_rows import ImportRow, ImportRows
from bot.desk.refusals import Refused
from bot.desk.rights import looks_after
from bot.members import Members, co_op_key
from knowledge import (
    COLUMNS,
    DESK,
    FEDERATION,
    LARGEST,
    PUBLIC,
    Audience,
    Batch,
    Database,
    EmbedderUnavailable,
    Flaw,
    IndexUnavailable,
    InvalidDocument,
    Kind,
    KnowledgeBase,
    KnowledgeError,
    RowError,
    StoreUnavailable,
    Table,
    Task,
    prepare,
    table_of,
    take_in,
)

log = logging.getLogger(__name__)

FIELDS = COLUMNS  # what a column can be
KINDS = (Kind.SURVEY.value, Kind.CASE.value, Kind.EVENT.value, Kind.LAW.value)
KEPT = dt.timedelta(days=1)  # an uploaded file that nobody took in
_REMEMBERED = dt.timedelta(days=90)
_UNHEARD = dt.timedelta(minutes=2)  # of another machine's work
_MOST_ERRORS = 200  # that a report names one by one
_NAMED = 20  # entries that a dry run names
_AT_ONCE = 2**20
_TOLD_EVERY = dt.timedelta(seconds=1)
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff/\\]+")


@dataclass(frozen=True, slots=True)
class Report:
    """What a file would change, or has changed. `titles`: some of what is added, changed, removed.

    `failed`: rows or documents left out; `errors`: the first of them. `told`: a reader's one sentence on a file it cannot read.
    """

    documents: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0
    failed: int = 0
    errors: tuple[RowError, ...] = ()
    titles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way in. `state`: uploaded, checking, checked, running, done, failed, interrupted, cancelled.

    `phase` of a running one: writing (entries), learning (their meaning). `co_op` is empty where it is for more than one co-op.
    """

    id: str
    name: str
    by: str
    co_op: str
    state: str
    done: int
    total: int
    phase: str
    audience: str
    kind: str
    columns: Mapping[str, int] | None
    report: Report
    made_at: dt.datetime
    has_file: bool


class Imports:
    """Synchronous; the long work is one thread. What somebody may not see is refused like what isn't there."""

    def __init__(
        self, database: Database, knowledge: KnowledgeBase, members: Members, clock: Callable[[], dt.datetime], folder: Path
    ) -> None:
        self._rows = ImportRows(database)
        self._knowledge = knowledge
        self._members = members
        self._clock = clock
        self._folder = folder
        self._process = secrets.token_hex(8)
        self._busy = threading.Lock()
        self._worker: threading.Thread | None = None
        self._closing = False

    def audiences(self, account: str) -> tuple[str, ...]:
        """For whom somebody may bring something in."""
        mine = looks_after(self._members, account)
        if mine is None:
            return (PUBLIC, FEDERATION, *(co_op_key(c.id) for c in self._members.co_ops()))
        return tuple(co_op_key(c) for c in sorted(mine))

    def upload(self, account: str, name: str, source: BinaryIO, audience: str, kind: str) -> Job:
        """Keep a file until it is taken in, a day at most. Raises Refused for one that is too large or for others."""
        if audience not in self.audiences(account) or kind not in KINDS:
            raise Refused("import_audience")
        self.tidy()
        job_id = secrets.token_urlsafe(18)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._store(job_id, source)
        now = self._now()
        co_op = audience.removeprefix("coop:") if audience.startswith("coop:") else ""
        about = {"audience": audience, "kind": kind}
        self._rows.add(ImportRow(job_id, _plain_name(name), account, co_op, "uploaded", 0, 0, about, now, _real_now()))
        return self._named(job_id)

    def jobs(self, account: str, limit: int = 20) -> list[Job]:
        """The newest first."""
        return [self._job(r) for r in self._rows.newest(looks_after(self._members, account), limit)]

    def job(self, account: str, job_id: str) -> Job:
        """Raises Refused."""
        row = self._rows.get(job_id)
        mine = looks_after(self._members, account)
        if row is None or (mine is not None and row.co_op not in mine):
            raise Refused("not_there")
        return self._job(row)

    def table(self, account: str, job_id: str) -> Table | None:
        """The columns and first rows of a CSV or Excel file; None for another kind of file, or one that cannot be read."""
        job = self.job(account, job_id)
        try:
            return table_of(self._bytes(job), job.name) if job.has_file else None
        except InvalidDocument:
            return None

    def start(self, account: str, job_id: str, columns: Mapping[str, int] | None, *, dry: bool) -> Job:
        """Begin to look at a file (`dry`), or to take it in. Raises Refused: one at a time, and while the file is here."""
        job = self.job(account, job_id)
        if job.audience not in self.audiences(account):
            raise Refused("import_audience")
        if not job.has_file:
            raise Refused("import_file_gone")
        if columns is not None and not ({"short", "detail"} & columns.keys() and columns.keys() <= set(COLUMNS)):
            raise Refused("import_columns")
        if any(self._is_alive(r) for r in self._rows.under_way()) or not self._busy.acquire(blocking=False):
            raise Refused("import_busy")
        about = {"columns": dict(columns) if columns is not None else None, "process": self._mark()}
        self._rows.change(job_id, _real_now(), state="checking" if dry else "running", done=0, total=0, about=about)
        self._worker = threading.Thread(target=self._work, args=(job_id, account, dry), name="import", daemon=True)
        self._worker.start()
        return self._named(job_id)

    def cancel(self, account: str, job_id: str) -> None:
        """Let go of a file that is not being taken in."""
        job = self.job(account, job_id)
        if job.state in ("checking", "running"):
            raise Refused("import_busy")
        self._file(job_id).unlink(missing_ok=True)
        if job.state != "done":
            self._rows.change(job_id, _real_now(), state="cancelled")

    def wait(self, seconds: float = 60.0) -> None:
        """Until what is under way in this process has ended."""
        if self._worker is not None:
            self._worker.join(seconds)

    def close(self) -> None:
        """Stop after the documents in hand; the next start says that it was interrupted."""
        self._closing = True
        self.wait(10)

    def tidy(self) -> None:
        """Remove files that nobody took in, and reports that nobody will read."""
        self._rows.drop(self._now() - _REMEMBERED)
        if not self._folder.is_dir():
            return
        known = {r.id: r for r in self._rows.newest(None, 1_000)}
        for file in self._folder.iterdir():
            row = known.get(file.name)
            if row is None or (row.made_at < self._now() - KEPT and not self._is_alive(row)):
                file.unlink(missing_ok=True)

    def forget(self, person: str) -> None:
        """What was brought in stays, without telling who did it."""
        self._rows.forget(self._members.accounts_of(person))

    # the long work

    def _work(self, job_id: str, account: str, dry: bool) -> None:
        try:
            self._check(job_id, account) if dry else self._take_in(job_id, account)
        except InvalidDocument as error:
            self._end(job_id, "failed", Report(failed=1, told=str(error)))
        except _Stopped:
            log.info("an import was stopped with the program")
        except Exception as error:  # whatever it was: the file stays, and it can be run again
            log.error("An import failed with %s%s", type(error).__name__, f": {error}" if isinstance(error, KnowledgeError) else "")
            self._rows.change(job_id, _real_now(), state="interrupted")
        finally:
            self._busy.release()

    def _check(self, job_id: str, account: str) -> None:
        batch = self._prepared(job_id, account)
        self._end(job_id, "checked", self._report(batch))

    def _take_in(self, job_id: str, account: str) -> None:
        batch = self._prepared(job_id, account)
        total = len(batch.added) + len(batch.changed)
        report = self._report(batch)
        told = _Progress(self, job_id, "writing", total)
        take_in(self._knowledge, batch, self._task(self._named(job_id), account).origin, told)
        told = _Progress(
            self, job_id, "learning", sum(len(d.passages) for d in batch.documents if d.id in {*batch.added, *batch.changed})
        )
        try:
            self._knowledge.align(told)
        except (EmbedderUnavailable, IndexUnavailable, StoreUnavailable) as error:
            log.error("%s What was brought in is found by its words until it is mended.", error)
        self._end(job_id, "done", report)
        self._file(job_id).unlink(missing_ok=True)

    def _prepared(self, job_id: str, account: str) -> Batch:
        job = self._named(job_id)
        return prepare(self._knowledge, self._bytes(job), self._task(job, account), DESK)

    def _task(self, job: Job, account: str) -> Task:
        mine = looks_after(self._members, account)
        scope = job.co_op or "all"
        allowed = frozenset(self.audiences(account)) if not job.co_op else frozenset({co_op_key(job.co_op)})
        origin = f"desk:{scope}:{job.name}"
        own_ids = mine is None and not job.co_op
        return Task(job.name, origin[:400], Audience.of(job.audience), Kind(job.kind), allowed, job.columns, own_ids)

    def _report(self, batch: Batch) -> Report:
        names = {d.id: d.title for d in batch.documents}
        gone = {i: d.title for i, d in self._knowledge.listing.named(batch.removed[:_NAMED]).items()}
        some = {k: tuple((names | gone).get(i, i) for i in getattr(batch, k)[:_NAMED]) for k in ("added", "changed", "removed")}
        counts: dict[str, Any] = {k: len(getattr(batch, k)) for k in ("added", "changed", "same", "removed")}
        errors = tuple(batch.errors[:_MOST_ERRORS])
        return Report(len(batch.documents), **counts, failed=len(batch.errors), errors=errors, titles=some)

    def _end(self, job_id: str, state: str, report: Report) -> None:
        self._rows.change(job_id, _real_now(), state=state, about={"report": _packed(report), "phase": ""})

    def progressed(self, job_id: str, phase: str, done: int, total: int) -> None:
        """Let whoever looks know how far it is. Raises when the program is to end."""
        if self._closing:
            raise _Stopped
        self._rows.change(job_id, _real_now(), done=done, total=total, about={"phase": phase})

    # inside

    def _store(self, job_id: str, source: BinaryIO) -> None:
        taken = 0
        descriptor = os.open(self._file(job_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            while part := source.read(_AT_ONCE):
                taken += len(part)
                if taken > LARGEST:
                    break
                out.write(part)
        if taken > LARGEST or not taken:
            self._file(job_id).unlink(missing_ok=True)
            raise Refused("import_large" if taken else "import_empty")

    def _file(self, job_id: str) -> Path:
        return self._folder / job_id

    def _bytes(self, job: Job) -> bytes:
        try:
            return self._file(job.id).read_bytes()
        except OSError:
            raise Refused("import_file_gone") from None

    def _named(self, job_id: str) -> Job:
        row = self._rows.get(job_id)
        if row is None:
            raise Refused("not_there")
        return self._job(row)

    def _job(self, row: ImportRow) -> Job:
        state = row.state if row.state not in ("checking", "running") or self._is_alive(row) else "interrupted"
        about = row.about
        return Job(
            id=row.id,
            name=row.name,
            by=row.by,
            co_op=row.co_op,
            state=state,
            done=row.done,
            total=row.total,
            phase=str(about.get("phase", "")),
            audience=str(about.get("audience", "")),
            kind=str(about.get("kind", "")),
            columns=about.get("columns"),
            report=_unpacked(about.get("report") or {}),
            made_at=row.made_at,
            has_file=self._file(row.id).is_file(),
        )

    def _mark(self) -> list[Any]:
        return [socket.gethostname(), os.getpid(), self._process]

    def _is_alive(self, row: ImportRow) -> bool:
        """Whether somebody works on it: this process, another one of this machine, or one elsewhere that was heard of lately."""
        host, pid, process = (*row.about.get("process", ()), "", 0, "")[:3]
        if row.state not in ("checking", "running"):
            return False
        if process == self._process:
            return self._busy.locked()
        if host == socket.gethostname() and sys.platform != "win32":
            return pid != os.getpid() and _is_running(int(pid))
        return row.seen_at > _real_now() - _UNHEARD

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)


class _Stopped(Exception):
    """The program ends."""


class _Progress:
    """Tells how far a phase is, at most once a second and at its end."""

    def __init__(self, imports: Imports, job_id: str, phase: str, total: int) -> None:
        self._imports, self._job, self._phase, self._total = imports, job_id, phase, total
        self._told_at = dt.datetime.min.replace(tzinfo=dt.UTC)
        self(0)

    def __call__(self, done: int) -> None:
        now = _real_now()
        if done >= self._total or now - self._told_at >= _TOLD_EVERY:
            self._told_at = now
            self._imports.progressed(self._job, self._phase, min(done, self._total), self._total)


def _real_now() -> dt.datetime:
    """Of the machine, whatever day a trial's clock shows: it tells who is alive."""
    return dt.datetime.now(dt.UTC)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _plain_name(name: str) -> str:
    """The name of a file as it is shown and cited, without its folders."""
    plain = " ".join(_NO_NAME.sub(" ", name.replace("\\", "/").rpartition("/")[2]).split())
    stem, dot, ending = plain.rpartition(".")
    return f"{stem[:150]}{dot}{ending[:12]}" if stem else (plain[:150] or "file")


def _packed(report: Report) -> dict[str, Any]:
    counts = {k: getattr(report, k) for k in ("documents", "added", "changed", "same", "removed", "failed", "told")}
    errors = [[e.row, [[f.what, f.field, f.passage, f.value[:200]] for f in e.flaws[:5]]] for e in report.errors]
    return {**counts, "errors": errors, "titles": {k: list(v) for k, v in report.titles.items()}}


def _unpacked(raw: Mapping[str, Any]) -> Report:
    counts: dict[str, Any] = {k: raw[k] for k in ("documents", "added", "changed", "same", "removed", "failed", "told") if k in raw}
    errors = tuple(RowError(row, tuple(Flaw(*flaw) for flaw in found)) for row, found in raw.get("errors", ()))
    return Report(**counts, errors=errors, titles={k: tuple(v) for k, v in raw.get("titles", {}).items()})
