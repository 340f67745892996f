"""What is wrong with this installation, and how to mend it, in sentences."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator

from bot.backup import BACKED_UP
from bot.bootstrap import Yui, build, enabled_adapters
from bot.channels import Finding
from bot.config import Settings, incomplete, unknown_names
from bot.errors import BotError
from bot.members import Role
from bot.store import Store
from bot.tips.store import TipStore
from bot.tips.tip import TipState
from knowledge import Database, KnowledgeBase, KnowledgeError, Question, create_embedder

_LEAST_SPACE = 200 * 2**20  # bytes
_REVIEWED_WITHIN = dt.timedelta(days=14)
_BACKED_UP_WITHIN = dt.timedelta(days=30)
_NOT_IN_CHAT = "cli:"  # the account of the command line


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at one thing after the other; what cannot be looked at any more is left out."""
    yield from surroundings(settings)
    yield _failing("database", "the database answers and its tables are up to date", lambda: _open(settings))
    yield _failing("embedding model", f"{settings.embedder} works", lambda: create_embedder(settings.embedder).embed_query("総会"))
    try:
        yui = build(settings)
    except (KnowledgeError, BotError) as error:
        yield Finding("knowledge", False, "the knowledge cannot be opened", str(error))
        return
    try:
        yield from examine_running(yui)
    finally:
        yui.close()


def surroundings(settings: Settings) -> Iterator[Finding]:
    """What can be said before anything is opened: the settings and the data folder."""
    yield from _settings(settings)
    yield _folder(settings)


def examine_running(yui: Yui) -> Iterator[Finding]:
    """What can be looked at in a bot that runs, also while it answers. Not from within an event loop: it may take a minute."""
    yield _failing("vector index", "the index holds what the rows say", yui.knowledge.align)
    documents = sum(yui.knowledge.status().documents.values())
    yield Finding("knowledge", documents > 0, f"{documents} documents")
    yield _question(yui.knowledge)
    yield from sharing(yui)
    for adapter in enabled_adapters(yui):
        if adapter.examine:
            yield from asyncio.run(_collected(adapter.examine()))


def _settings(settings: Settings) -> Iterator[Finding]:
    for told in incomplete(settings):
        yield Finding("settings", False, told, "Set both names in .env, or neither.")
    for name in unknown_names():
        yield Finding("settings", False, f"{name} is not a setting", "Correct the name in .env; the README lists all of them.")


def _folder(settings: Settings) -> Finding:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            free = shutil.disk_usage(settings.data_dir).free
    except OSError:
        return Finding(
            "data folder", False, f"{settings.data_dir} cannot be written", "Give this user the right, or set YUI_DATA_DIR."
        )
    if free < _LEAST_SPACE:
        return Finding("data folder", False, f"only {free // 2**20} MB are free", "Free at least 200 MB on this disk.")
    others = (
        os.name == "posix"
        and (settings.data_dir / "secret.key").exists()
        and (settings.data_dir / "secret.key").stat().st_mode & 0o077
    )
    if others:
        return Finding("data folder", False, "others can read secret.key", f"Run: chmod 600 {settings.data_dir / 'secret.key'}")
    return Finding("data folder", True, f"{settings.data_dir} can be written, {free // 2**20} MB free")


def _open(settings: Settings) -> None:
    database = Database(settings.database)
    Store(database)
    database.close()


def sharing(yui: Yui) -> Iterator[Finding]:
    """Whether what co-ops give is looked after. As long as there is nothing of theirs, there is nothing to find."""
    members, now = yui.members, yui.clock()
    given = TipStore(yui.database).find()
    if not given and not members.co_ops():
        return
    late = [t for t in given if t.state is TipState.WAITING and now - t.changed_at > _REVIEWED_WITHIN]
    told = f"{len(late)} tips have been waiting for more than {_REVIEWED_WITHIN.days} days" if late else "no tip waits for long"
    yield Finding(
        "review", not late, told, "Remind the coordinators of 「確認」 in the chat, or use `yui tips list`." if late else ""
    )
    people = [a for role in (Role.COORDINATOR, Role.ADMIN) for a, _ in members.with_role(role) if not a.startswith(_NOT_IN_CHAT)]
    yield Finding(
        "coordinators",
        bool(people),
        f"{len(set(people))} people look after tips" if people else "nobody looks after tips in the chat",
        "" if people else "Give somebody a role: `yui members invite coordinator --co-op COOP`.",
    )
    made = yui.store.mark(BACKED_UP)
    fresh = made is not None and now - dt.datetime.fromisoformat(made) < _BACKED_UP_WITHIN
    since = f"the last backup is of {made[:10]}" if made else "there has never been a backup"
    yield Finding("backup", fresh, since, "" if fresh else "Run `yui backup FILE`, best every night: see docs/operating.md.")


async def _collected(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]


def _question(knowledge: KnowledgeBase) -> Finding:
    answer = knowledge.answer(Question("労協は何人から作れますか"))
    right = any("3人" in layer.text for layer in answer.layers)
    return Finding(
        "a question",
        right,
        "a known question gets its answer" if right else "a known question got no right answer",
        "" if right else "Run `yui doctor` again; if it stays so, restore the last backup.",
    )


def _failing(name: str, told: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except (KnowledgeError, BotError) as error:
        return Finding(name, False, "not well", str(error))
    return Finding(name, True, told)
