"""`yui backup` and `yui restore`: one file out, one file in."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from pathlib import Path
from typing import Any

from bot.backup import back_up, rehearse, restore
from bot.bootstrap import running
from bot.clock import JAPAN
from bot.config import Settings, load


def add(commands: Any) -> None:
    out = commands.add_parser("backup", help="everything into one file, while Yui may run")
    out.add_argument("file", type=Path)
    out.add_argument("--force", action="store_true", help="replace the file if it is there")
    out.set_defaults(run=_backup)

    back = commands.add_parser("restore", help="put a backup in the place of what is there; Yui must be stopped")
    back.add_argument("file", type=Path)
    back.add_argument("--check", action="store_true", help="only find out whether it could be restored; Yui may run")
    back.set_defaults(run=_restore)


def _backup(options: argparse.Namespace) -> None:
    manifest = back_up(load(), options.file, dt.datetime.now(JAPAN), replace=options.force, progress=_progress)
    rows = sum(part.rows for name, part in manifest.parts.items() if name.startswith("tables/"))
    size = options.file.stat().st_size / 2**20
    print(
        f"{options.file}: {rows:,} rows, {size:.1f} MB.", "It is as private as the data folder: keep it where only you can read it."
    )


def _restore(options: argparse.Namespace) -> None:
    settings = load()
    if options.check:
        _check(settings, options.file)
        return
    done = restore(settings, options.file, _progress)
    with running(settings) as yui:  # takes out what was withdrawn, brings shipped knowledge and the index up to date
        yui.knowledge.align()
    made = done.manifest.made_at.astimezone(JAPAN)
    print(f"The backup of {made:%Y-%m-%d %H:%M} is restored: {done.rows:,} rows.")
    if done.withdrawn_since:
        print(f"{done.withdrawn_since} tips that were withdrawn after it was made are not brought back.")


def _check(settings: Settings, file: Path) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as scratch:
        found = rehearse(settings, file, Path(scratch), _progress)
    made = found.manifest.made_at.astimezone(JAPAN)
    print(f"{file} is whole and could be restored: the backup of {made:%Y-%m-%d %H:%M}, {found.rows:,} rows. Nothing was changed.")


def _progress(what: str, done: int, of: int) -> None:
    """Tells on a terminal what is being done, in one line that changes."""
    if sys.stderr.isatty():
        print(f"\r{what} {done:,} of {of:,}\x1b[K", end="\n" if done >= of else "", file=sys.stderr, flush=True)
