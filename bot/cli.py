"""The command `yui`: parse, one call, print."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import importlib
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot import doctor, evaluation, logs
from bot.bootstrap import Yui, build
from bot.clock import JAPAN, Clock
from bot.config import Settings, load
from bot.conversations import LONGEST_MESSAGE
from bot.errors import BotError, UserMistake
from bot.messages import IncomingMessage, Reply
from bot.replay import Replay, moment
from bot.rows import read_rows
from knowledge import KnowledgeError, benchmark, create_embedder


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
    serve.add_argument("--speed", type=float, default=1.0, metavar="N", help="run the clock N times as fast")
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

    forget = commands.add_parser("forget", help="remove everything that is kept of a person")
    forget.add_argument("person", metavar="PLATFORM:ID", help="for example line:U… or discord:123…")
    forget.set_defaults(run=_forget)

    commands.add_parser("doctor", help="what is wrong and how to mend it").set_defaults(run=_doctor)
    return parser


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not an ISO date such as 2026-06-01T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=JAPAN)


@contextmanager
def _running(settings: Settings | None = None, now: dt.datetime | None = None) -> Iterator[Yui]:
    yui = build(settings or load(), clock=Clock(now))
    try:
        yield yui
    finally:
        yui.close()


def _serve(options: argparse.Namespace) -> int:
    settings = load()
    given = {k: v for k, v in (("host", options.host), ("port", options.port)) if v is not None}
    # The only other module that knows an adapter by name is bot.app; both load it when it is needed.
    app = importlib.import_module("bot.app")
    return int(app.serve(settings.model_copy(update=given), Clock(options.now, options.speed)))


def _chat(_: argparse.Namespace) -> None:
    with _running() as yui:
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
    with _running() as yui:
        yui.knowledge.align()
        reply = asyncio.run(_one(yui, options.question, options.lang, options.co_op))
    print(json.dumps(reply.answer, ensure_ascii=False) if options.json else reply.text)
    return 0


async def _ask_batch(options: argparse.Namespace) -> int:
    rows = list(read_rows(options.batch))
    with _running() as yui:
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
        with _running() as yui:
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

    with _running() as yui:
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


def _forget(options: argparse.Namespace) -> None:
    platform, _, identifier = options.person.partition(":")
    if platform not in ("line", "discord", "web") or not identifier:
        raise UserMistake("Name the person as PLATFORM:ID, for example line:U0123… or discord:8061…")
    with _running() as yui:
        asyncio.run(yui.conversations.forget(yui.conversations.pseudonym(platform, identifier)))
    print("Everything that was kept of this person is removed.")


def _doctor(_: argparse.Namespace) -> int:
    well = True
    for finding in doctor.examine(load()):
        well &= finding.well
        print(
            f"{'ok  ' if finding.well else 'BAD '} {finding.name}: {finding.told}{' → ' + finding.remedy if finding.remedy else ''}"
        )
    return 0 if well else 1
