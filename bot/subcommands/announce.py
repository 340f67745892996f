"""`yui announce`: compose, preview, schedule, report, withdraw, correct announcements, as the operator."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import re
import tomllib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from bot.announcing.announcement import (
    Announcement,
    Content,
    Holidays,
    Means,
    Plan,
    Priority,
    Selection,
    State,
    day,
    local,
    moment,
    plain,
    read,
)
from bot.announcing.composing import Cost
from bot.announcing.ledger import Balance, month_of
from bot.announcing.reporting import Report
from bot.announcing.times import Occasion, begins, repeated
from bot.announcing.words import WHY, message
from bot.bootstrap import Yui, running
from bot.errors import UserMistake
from bot.subcommands.tips import operator

_TEXTS = ("title", "text", "easy", "link")
_FACETS = {"co_ops": "--co-op", "prefectures": "--prefecture", "fields": "--field", "partners": "--partner", "chats": "--chat"}
_REPEATS = ("daily", "weekly", "monthly", "yearly")


def add(commands: Any) -> None:
    announce = commands.add_parser("announce", help="announcements: compose, preview with cost, send, report, correct, withdraw")
    what = announce.add_subparsers(dest="what", required=True, metavar="WHAT")

    def command(name: str, told: str, run: Callable[[argparse.Namespace], None], *, of_one: bool = True) -> Any:
        parser = what.add_parser(name, help=told)
        if of_one:
            parser.add_argument("id", metavar="ID")
        parser.add_argument("--json", action="store_true", help="for scripts")
        parser.set_defaults(run=run)
        return parser

    new = command("new", "compose a draft, from options or a file; nothing is sent yet", _new, of_one=False)
    new.add_argument("--file", type=Path, metavar="FILE.toml|json", help="tables content, selection, plan; options come on top")
    _content_options(new)
    _selection_options(new)
    _plan_options(new)
    new.add_argument(
        "--as", dest="for_co_op", default="", metavar="COOP", help="the co-op that announces; it reaches its own chats only"
    )
    command("preview", "how it will read, whom it reaches, what it costs", _preview)
    for name, told in (
        ("send", "let it leave as planned; without --at at once"),
        ("propose", "let somebody else look at it first"),
        ("approve", "the second pair of eyes: let it leave"),
        ("withdraw", "nothing more leaves; where it was shown, so is its end"),
    ):
        parser = command(name, told, _step({"send": "schedule"}.get(name, name)))
        parser.add_argument("--version", type=int, metavar="N", help="only if it is still this version")
    correct = command("correct", "other words: edited on Discord, told with the next reply on LINE", _correct)
    correct.add_argument("--version", type=int, metavar="N", help="only if it is still this version")
    _content_options(correct)
    command("duplicate", "a new draft with the same words", _duplicate)
    command("list", "the latest first", _list, of_one=False)
    command("report", "delivered free, paid, waiting, failed and why", _report)
    month = command("month", "what a month cost and saved, and whether LINE counts alike", _month, of_one=False)
    month.add_argument("month", nargs="?", metavar="2027-03")
    command("missed", "what should have left while nothing ran", _missed, of_one=False)
    save = command("save", "keep a selection of readers under a name", _save, of_one=False)
    save.add_argument("name")
    _selection_options(save)
    command("selections", "the kept selections", _selections, of_one=False)
    command("chats", "the places announcements can go to", _chats, of_one=False)


def _content_options(parser: Any) -> None:
    for name, told in (
        ("title", "one line"),
        ("text", "the words"),
        ("easy", "in やさしい日本語"),
        ("link", "a public address"),
        ("place", "of an event"),
        ("who", "whom a grant is for"),
        ("amount", "of a grant"),
    ):
        parser.add_argument(f"--{name}", help=told)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="JPEG or PNG, at most 10 MB")
    for name, told in (("starts", "an event's beginning"), ("ends", "its end")):
        parser.add_argument(f"--{name}", metavar="2027-03-31T10:00", help=told)
    for name, told in (("deadline", "a grant's last day"), ("opens", "its first day")):
        parser.add_argument(f"--{name}", metavar="2027-03-31", help=told)


def _selection_options(parser: Any) -> None:
    parser.add_argument("--everyone", action="store_true")
    for name, option in _FACETS.items():
        parser.add_argument(option, dest=name, action="append", default=[], metavar="NAME")
    parser.add_argument("--platform", dest="platforms", action="append", default=[], choices=("line", "discord"))
    parser.add_argument("--saved", metavar="NAME", help="a selection kept with `yui announce save`")


def _plan_options(parser: Any) -> None:
    parser.add_argument("--means", choices=[m.value for m in Means], help="free: with the next reply in each chat (the default)")
    parser.add_argument("--at", metavar="2027-03-31T10:00", help="when; in Tokyo")
    parser.add_argument("--pay-on", metavar="2027-04-03", help="with free_then_pay: when what is left is paid for")
    parser.add_argument("--repeat", metavar="|".join(_REPEATS) + "|RRULE")
    parser.add_argument("--holidays", choices=[h.value for h in Holidays], help="where a repetition on a public holiday goes")
    parser.add_argument("--priority", choices=[p.value for p in Priority])
    parser.add_argument("--urgent", action="store_true", default=None, help="also between 22:00 and 7:00")
    parser.add_argument("--no-reminders", dest="reminders", action="store_false", default=None)


# doing


def _new(options: argparse.Namespace) -> None:
    given = _from_file(options.file) if options.file else {}
    with running() as yui:
        content = read(Content, _content(yui, options, dict(given.get("content", {}))))
        selection = _selection(yui, options, given.get("selection"))
        plan = read(Plan, _plan(yui, options, dict(given.get("plan", {}))))
        made = yui.announcements.compose(operator(yui), content, selection, plan, options.for_co_op)
        cost = yui.announcements.cost(made.id, operator(yui))
        _show(yui, made, cost, options)


def _preview(options: argparse.Namespace) -> None:
    with running() as yui:
        told = yui.announcements.get(options.id, operator(yui))
        _show(yui, told, yui.announcements.cost(options.id, operator(yui)), options)


def _step(name: str) -> Callable[[argparse.Namespace], None]:
    def run(options: argparse.Namespace) -> None:
        with running() as yui:
            by = operator(yui)
            version = yui.announcements.get(options.id, by).version if options.version is None else options.version
            done = getattr(yui.announcements, name)(options.id, version, by)
        _print_json(_bare(done)) if options.json else print(f"{done.id} is {done.state.value} now (version {done.version}).")

    return run


def _correct(options: argparse.Namespace) -> None:
    with running() as yui:
        by = operator(yui)
        held = yui.announcements.get(options.id, by)
        content = read(Content, _content(yui, options, plain(held.content)))
        version = held.version if options.version is None else options.version
        done = yui.announcements.correct(options.id, version, by, content)
    _print_json(_bare(done)) if options.json else print(f"{done.id} is corrected (version {done.version}).")


def _duplicate(options: argparse.Namespace) -> None:
    with running() as yui:
        made = yui.announcements.duplicate(options.id, operator(yui))
    _print_json(_bare(made)) if options.json else print(f"{made.id} is a new draft.")


def _save(options: argparse.Namespace) -> None:
    with running() as yui:
        saved = yui.announcements.save_selection(operator(yui), options.name, _selection(yui, options, None))
    _print_json(_bare(saved)) if options.json else print(f"The selection {saved.name} is kept.")


# looking


def _list(options: argparse.Namespace) -> None:
    with running() as yui:
        found = yui.announcements.all(operator(yui))
    if options.json:
        _print_json([_bare(told) for told in found])
        return
    for told in found:
        print(f"{told.id}  {told.state.value:9}  v{told.version}  {_minute(told.changed_at)}  {_line(told.content.title)}")
    if not found:
        print("There are no announcements yet.")


def _report(options: argparse.Namespace) -> None:
    with running() as yui:
        report = yui.announcements.report(options.id, operator(yui))
    if options.json:
        _print_json(_bare(report))
        return
    _print_report(report)


def _print_report(report: Report) -> None:
    total = max(1, report.free + report.paid + report.waiting + report.failed + report.unsure)
    for name, count in (
        ("free", report.free),
        ("paid", report.paid),
        ("waiting", report.waiting),
        ("failed", report.failed),
        ("unsure", report.unsure),
    ):
        print(f"{name:8} {count:5}  {'#' * round(40 * count / total)}")
    print(f"people charged {report.people_paid}, saved {report.saved}")
    for why, count in sorted(report.why.items()):
        print(f"  {count} × {WHY.get(why, why)}")
    for outlook in report.runs:
        run = outlook.run
        told = f": {WHY.get(run.why, run.why)}" if run.why else ""
        print(f"  {run.occasion.value:11} {_minute(run.due_at)}  {run.state.value}{told}")


def _month(options: argparse.Namespace) -> None:
    if options.month and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", options.month):
        raise UserMistake(f"There is no month {_line(options.month)}: write it like 2027-03.")
    with running() as yui:
        report = yui.announcements.month(options.month or month_of(yui.clock()))
    if options.json:
        _print_json(_bare(report))
        return
    print(f"{report.balance.month}: {report.free} chats reached free, {report.paid} paid; {report.saved} people saved.")
    print(_balance(report.balance))


def _missed(options: argparse.Namespace) -> None:
    with running() as yui:
        found = yui.announcements.missed(operator(yui))
    if options.json:
        _print_json([{"announcement": told.id, **_bare(run)} for told, run in found])
        return
    for told, run in found:
        print(f"{told.id}  {run.occasion.value:11} {_minute(run.due_at)}  {WHY.get(run.why, run.why)}  {_line(told.content.title)}")
    if not found:
        print("Nothing was missed.")


def _selections(options: argparse.Namespace) -> None:
    with running() as yui:
        found = yui.announcements.selections(operator(yui))
    if options.json:
        _print_json([_bare(saved) for saved in found])
        return
    for saved in found:
        print(f"{saved.name}: {_said_selection(saved.selection)}")
    if not found:
        print("No selection is kept.")


def _chats(options: argparse.Namespace) -> None:
    with running() as yui:
        found = yui.chats.all()
    if options.json:
        _print_json([_bare(chat) for chat in found])
        return
    for chat in found:
        people = "?" if chat.people is None else chat.people
        print(f"{chat.conversation}  {chat.shape.value:12} {chat.co_op or '-'}  {people} people  {_line(chat.title)}")
    if not found:
        print("There are no chats yet: add the bot to a LINE group, or choose a Discord channel.")


def _show(yui: Yui, told: Announcement, cost: Cost, options: argparse.Namespace) -> None:
    if options.json:
        figures = {"chats": len(cost.chats), "people": cost.people, "unknown": cost.unknown, "pays": cost.pays}
        _print_json({**_bare(told), "cost": {**figures, "left": cost.balance.left, "fits": cost.fits}})
        return
    print(f"{told.id}  {told.state.value}, version {told.version}\n")
    print(message(told.content, Occasion.FIRST, yui.clock()).text)
    print(f"\nto: {_said_selection(told.selection)}: {len(cost.chats)} chats")
    for chat in cost.chats[:20]:
        people = "?" if chat.people is None else chat.people
        print(f"  {chat.platform}  {chat.co_op or chat.title or chat.conversation}  {people} people")
    if len(cost.chats) > 20:
        print(f"  and {len(cost.chats) - 20} more")
    print(f"leaves: {_minute(cost.first)} at the earliest, {told.plan.means.value}")
    unknown = f" and of {cost.unknown} chats nobody has counted" if cost.unknown else ""
    if not cost.pays:
        print(f"cost: nothing. Pushed it would be charged for {cost.people} people{unknown}.")
    else:
        fits = "" if cost.fits else "; that does not suffice: what is left over waits for free replies"
        print(f"cost: at most {cost.people} people{unknown}, from {_minute(cost.pays_from or cost.first)}{fits}")
        print(_balance(cost.balance))
    if told.state in (State.DRAFT, State.PROPOSED):
        for hindrance in yui.announcements.hindrances(told):
            print(f"it cannot be sent like this: {hindrance}")


def _balance(balance: Balance) -> str:
    if balance.told is None:
        return f"{balance.month}: LINE has not told the quota yet; nothing is paid before."
    left = "no limit" if balance.left is None else f"{balance.left} of {balance.allowed} left"
    others = f"; LINE counts {balance.others} more than we do (sent by hand?)" if balance.differs else ""
    return f"{balance.month}: {left}; charged {balance.charged}, reserved {balance.reserved}{others}"


# from options


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8-sig")
        found = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UserMistake(f"{file} cannot be read: check the path and that it is UTF-8 text.") from error
    except ValueError as error:
        raise UserMistake(f"{file.name} is not {'TOML' if file.suffix == '.toml' else 'JSON'}: {error}") from error
    if not isinstance(found, dict) or not found.keys() <= {"content", "selection", "plan"}:
        raise UserMistake(f"{file.name} has the tables content, selection and plan, and no others.")
    if not all(isinstance(part, dict) for part in found.values()):
        raise UserMistake(f"{file.name}: content, selection and plan are tables.")
    return found


def _content(yui: Yui, options: argparse.Namespace, given: dict[str, Any]) -> dict[str, Any]:
    given |= {name: getattr(options, name) for name in _TEXTS if getattr(options, name) is not None}
    if options.picture is not None:
        try:
            given["picture"] = yui.pictures.keep(options.picture.read_bytes())
        except OSError as error:
            raise UserMistake(f"{options.picture} cannot be read: check the path.") from error
    for part, names in (("event", ("starts", "ends", "place")), ("grant", ("deadline", "opens", "who", "amount"))):
        told = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
        told |= {name: moment(told[name]).isoformat() for name in ("starts", "ends") if name in told}
        if told:
            given[part] = {**(given.get(part) or {}), **told}
            if names[0] not in given[part]:
                raise UserMistake(
                    f"--{next(iter(told))} belongs to a{'n' if part == 'event' else ''} {part}: give its --{names[0]} too."
                )
    return given


def _selection(yui: Yui, options: argparse.Namespace, given: dict[str, Any] | None) -> Selection:
    told = {name: getattr(options, name) for name in (*_FACETS, "platforms") if getattr(options, name)}
    if options.everyone:
        told["everyone"] = True
    if options.saved:
        saved = [s for s in yui.announcements.selections(operator(yui)) if s.name == options.saved]
        if not saved:
            raise UserMistake(f"There is no selection {options.saved}: see `yui announce selections`.")
        given = plain(saved[0].selection)
    return read(Selection, {**(given or {}), **told})


def _plan(yui: Yui, options: argparse.Namespace, given: dict[str, Any]) -> dict[str, Any]:
    for name in ("means", "holidays", "priority", "urgent", "reminders"):
        if getattr(options, name) is not None:
            given[name] = getattr(options, name)
    if options.at:
        given["send_at"] = moment(options.at).isoformat()
    if options.pay_on:
        given["pay_on"] = day(options.pay_on).isoformat()
    if options.repeat:
        at = dt.datetime.fromisoformat(str(given["send_at"])) if "send_at" in given else None
        first = begins(Plan(send_at=at), yui.clock()).date()
        given["rrule"] = repeated(options.repeat, first) if options.repeat in _REPEATS else options.repeat
    return given


def _said_selection(selection: Selection) -> str:
    parts = [f"{name}: {'、'.join(values)}" for name in _FACETS if (values := getattr(selection, name))]
    told = "everyone" if selection.everyone else "; ".join(parts)
    return f"{told} ({', '.join(selection.platforms)})" if selection.platforms else told


def _bare(value: Any) -> Any:
    """A dataclass as JSON takes it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dt.datetime):
        return local(value).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return {f.name: _bare(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_bare(v) for v in value]
    return {k: _bare(v) for k, v in value.items()} if isinstance(value, dict) else value


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False))


def _minute(at: dt.datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"


def _line(text: str, most: int = 60) -> str:
    told = " ".join(text.split())
    return told if len(told) <= most else told[: most - 1] + "…"
