"""The command `yui`: parse, one call, print."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import importlib
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot import doctor, evaluation, logs
from bot.bootstrap import Yui, running
from bot.clock import JAPAN, Clock
from bot.config import load
from bot.conversations import LONGEST_MESSAGE
from bot.errors import BotError, UserMistake
from bot.messages import IncomingMessage, Reply
from bot.replay import Replay, moment
from bot.rows import read_rows
from bot.subcommands import announce, backup, export, mcp, members, paper, tips
from knowledge import ACT, Audience, EgovApi, Kind, KnowledgeError, benchmark, create_embedder, ingest

# What is due is looked for twice a second: much faster, and starting up alone would make a run days late.
_FASTEST = 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 failed with one sentence on stderr, 2 wrong usage."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    options = _parser().parse_args(arguments)
    if options.command == "serve":
        logs.to_stderr()
    else:
        logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        return int(options.run(options) or 0)
    except (BotError, KnowledgeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        # The class alone: the message of an unforeseen error may carry what a member wrote.
        print(
            f"Yui failed unexpectedly ({type(error).__name__}): run `yui doctor`, and report it if that finds nothing.",
            file=sys.stderr,
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yui", description="Yui (結): what worker co-operatives know, in chat")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run everything that is configured")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.add_argument("--now", type=_moment, metavar="ISO", help="start the clock at this date, for trials")
    serve.add_argument(
        "--speed", type=_speed, default=1.0, metavar="N", help="run the clock N times as fast, a month in two minutes"
    )
    serve.set_defaults(run=_serve)

    chat = commands.add_parser("chat", help="talk in the terminal")
    chat.set_defaults(run=_chat)

    ask = commands.add_parser("ask", help="one answer")
    ask.add_argument("question", nargs="?")
    ask.add_argument("--batch", type=Path, metavar="FILE.jsonl", help="rows {id, question, lang?, now?}, one JSON answer a line")
    ask.add_argument("--json", action="store_true")
    ask.add_argument("--lang", metavar="ja|ja-easy|en|…")
    ask.add_argument("--as", dest="co_op", metavar="COOP", help="ask as a member of this co-op")
    ask.set_defaults(run=_ask)

    replay = commands.add_parser("replay", help="what the bot would say in a written conversation")
    replay.add_argument("file", type=Path)
    replay.set_defaults(run=_replay)

    evaluate = commands.add_parser("evaluate", help="the project's own question file: right, wrong, abstained")
    evaluate.add_argument("file", type=Path, nargs="+")
    evaluate.add_argument("--show", action="store_true", help="also print every question that was not right")
    evaluate.set_defaults(run=_evaluate)

    bench = commands.add_parser("bench", help="measure").add_subparsers(dest="what", required=True, metavar="WHAT")
    retrieval = bench.add_parser("retrieval", help="how well passages are found")
    retrieval.add_argument("--passages", type=Path, nargs="+", required=True, metavar="F")
    retrieval.add_argument("--queries", type=Path, required=True, metavar="F")
    retrieval.add_argument("--without-gold", choices=("passage", "article"))
    retrieval.add_argument("--vectors", type=Path, metavar="DIR", help="keeps vectors by embedder and text")
    retrieval.set_defaults(run=_bench_retrieval)

    ingest_ = commands.add_parser("ingest", help="bring documents in: files, folders, web addresses")
    ingest_.add_argument("target", nargs="+", metavar="PATH|URL")
    ingest_.add_argument("--for", dest="audience", default="public", metavar="AUDIENCE", help="public, federation or coop:ID")
    ingest_.add_argument(
        "--kind", choices=("law", "survey", "case", "tip", "event"), default="survey", help="which voice it speaks with"
    )
    ingest_.set_defaults(run=_ingest)

    law = commands.add_parser("law", help="the official text of the Act").add_subparsers(dest="what", required=True, metavar="WHAT")
    taken = law.add_parser("import", help="bring the official text in, from a file or from e-Gov")
    taken.add_argument("file", type=Path, nargs="?")
    taken.add_argument("--law-id", metavar="ID")
    taken.add_argument("--as-of", type=dt.date.fromisoformat, metavar="DATE")
    taken.set_defaults(run=_law_import)
    law.add_parser("check", help="whether e-Gov has a newer version, and what it changes").set_defaults(run=_law_check)

    forget = commands.add_parser("forget", help="remove everything that is kept of a person")
    forget.add_argument("person", metavar="PLATFORM:ID", help="for example line:U… or discord:123…")
    forget.set_defaults(run=_forget)

    tips.add(commands)
    announce.add(commands)
    members.add(commands)
    paper.add(commands)
    export.add(commands)
    backup.add(commands)
    mcp.add(commands)

    commands.add_parser("doctor", help="what is wrong and how to mend it").set_defaults(run=_doctor)
    return parser


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not an ISO date such as 2026-06-01T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=JAPAN)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= _FASTEST:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0 and up to {_FASTEST:,} (a month in about two minutes)")
    return speed


def _serve(options: argparse.Namespace) -> int:
    settings = load()
    given = {k: v for k, v in (("host", options.host), ("port", options.port)) if v is not None}
    # The only other module that knows an adapter by name is bot.app; both load it when it is needed.
    app = importlib.import_module("bot.app")
    return int(app.serve(settings.model_copy(update=given), Clock(options.now, options.speed)))


def _chat(_: argparse.Namespace) -> None:
    with running() as yui:
        asyncio.run(importlib.import_module("adapters.console").talk(yui.conversations))


def _ask(options: argparse.Namespace) -> int:
    if (options.question is None) == (options.batch is None):
        print("yui ask: give a question, or --batch FILE.jsonl", file=sys.stderr)
        return 2
    if options.batch:
        return asyncio.run(_ask_batch(options))
    if not options.question.strip():
        raise UserMistake("The question is empty: write what you want to know.")
    if len(options.question) > LONGEST_MESSAGE:
        raise UserMistake(f"The question is longer than {LONGEST_MESSAGE} characters: shorten it.")
    with running() as yui:
        yui.knowledge.align()
        reply = asyncio.run(_one(yui, options.question, options.lang, options.co_op))
    print(json.dumps(reply.answer, ensure_ascii=False) if options.json else reply.text)
    return 0


async def _ask_batch(options: argparse.Namespace) -> int:
    rows = list(read_rows(options.batch))
    with running() as yui:
        await asyncio.to_thread(yui.knowledge.align)
        for number, row in enumerate(rows, 1):
            if "question" not in row:
                raise UserMistake(f"{options.batch.name}, row {number} has no question.")
            language = row.get("lang") or options.lang
            reply = await _one(yui, str(row["question"]), language, options.co_op, moment(row.get("now")))
            print(json.dumps({"id": row.get("id"), **reply.answer}, ensure_ascii=False), flush=True)
    return 0


async def _one(yui: Yui, question: str, language: str | None, co_op: str | None = None, at: dt.datetime | None = None) -> Reply:
    """A question that belongs to no conversation."""
    message = IncomingMessage("", question, language=language, co_op=co_op, at=at)
    return await yui.conversations.reply_once(message)


def _replay(options: argparse.Namespace) -> None:
    async def play() -> None:
        with running() as yui:
            await asyncio.to_thread(yui.knowledge.align)
            async for row in Replay(yui.conversations, yui.settings.names).play(read_rows(options.file)):
                print(json.dumps(row, ensure_ascii=False), flush=True)

    asyncio.run(play())


def _evaluate(options: argparse.Namespace) -> None:
    async def outcomes(file: Path, yui: Yui) -> list[evaluation.Outcome]:
        found = []
        for question in evaluation.read_questions(file):
            reply = await _one(yui, question.text, question.language)
            found.append(evaluation.judge(question, dict(reply.answer)))
        return found

    with running() as yui:
        yui.knowledge.align()
        for file in options.file:
            found = asyncio.run(outcomes(file, yui))
            for outcome in found if options.show else ():
                if outcome.verdict != "right":
                    told = outcome.answer["text"].replace("\n", " / ")
                    print(f"{outcome.verdict}: {outcome.question.id} {outcome.question.text}\n    {told}", file=sys.stderr)
            print(json.dumps({"file": file.name, **evaluation.summary(found)}, ensure_ascii=False))


def _bench_retrieval(options: argparse.Namespace) -> None:
    for file in (*options.passages, options.queries):
        if not file.is_file():
            raise UserMistake(f"{file} is not there: the benchmark's data do not ship with the project, give the path to them.")
    figures: dict[str, Any] = benchmark(
        options.passages,
        options.queries,
        create_embedder(load().embedder),
        without_gold=options.without_gold,
        vectors=options.vectors,
        progress=lambda told: print(told, file=sys.stderr, flush=True),
    )
    print(json.dumps(figures, ensure_ascii=False))


def _ingest(options: argparse.Namespace) -> int:
    def progress(done: int, total: int, name: str) -> None:
        print(f"\r{done} of {total}  {name[:60]:60}", end="" if done < total else "\n", file=sys.stderr, flush=True)

    with running() as yui:
        audience = Audience(frozenset({options.audience}))
        report = ingest(yui.knowledge, options.target, audience=audience, kind=Kind(options.kind), progress=progress)
        for name, told in report.errors:
            print(f"{name}: {told}", file=sys.stderr)
        yui.knowledge.align(lambda done: print(f"\r{done} passages embedded", end="", file=sys.stderr, flush=True))
    print(f"{report.documents} documents, {report.passages} passages, {report.changed} changed, {len(report.errors)} not read")
    return 1 if report.errors else 0


def _law_import(options: argparse.Namespace) -> None:
    if (options.file is None) == (options.law_id is None):
        raise UserMistake("Give a file, or --law-id 502AC1000000078 to fetch the Act from e-Gov.")
    settings = load()
    if options.file is not None:
        try:
            raw, revision = options.file.read_bytes(), options.file.stem
        except OSError as error:
            raise UserMistake(f"{options.file} cannot be read: check the path.") from error
    else:
        raw, revision = EgovApi(settings.egov_api_base).fetch(options.law_id, options.as_of), ""
    with running(settings) as yui:
        title, version, changed = yui.knowledge.import_law(raw, dt.datetime.now(JAPAN).date(), revision)
    print(f"{title}, version {version or 'unknown'}, is imported; {len(changed)} articles differ from the one before.")
    for change in changed:
        print(f"  {change.kind}: {change.name}")


def _law_check(_: argparse.Namespace) -> int:
    settings = load()
    with running(settings) as yui:
        mine = yui.knowledge.law_revision()
        if mine is None:
            raise UserMistake("The Act has not been imported: run `yui law import --law-id 502AC1000000078`.")
        api = EgovApi(settings.egov_api_base)
        current = api.current(api.revisions(ACT))
        if current.revision_id == mine:
            print(f"The imported version {mine} is the current one.")
            return 0
        print(f"e-Gov's current version is {current.revision_id}; imported is {mine}. What it changes:")
        for change in yui.knowledge.law_differences(api.fetch(ACT)):
            paragraphs = "、".join(f"第{n}項" for n in change.paragraphs)
            print(f"  {change.kind}: {change.name} {paragraphs}".rstrip())
        print("Run `yui law import --law-id 502AC1000000078` to take it in; guides to these articles are then marked 要確認.")
    return 0


def _forget(options: argparse.Namespace) -> None:
    with running() as yui:
        asyncio.run(yui.conversations.forget(members.account(yui, options.person)))
    print("Everything that was kept of this person is removed.")


def _doctor(_: argparse.Namespace) -> int:
    well = True
    for finding in doctor.examine(load()):
        well &= finding.well
        print(
            f"{'ok  ' if finding.well else 'BAD '} {finding.name}: {finding.told}{' → ' + finding.remedy if finding.remedy else ''}"
        )
    return 0 if well else 1
