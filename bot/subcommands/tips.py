"""`yui tips`: offer, review, look after tips from the command line, as the operator."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from enum import Enum
from typing import Any

from bot.bootstrap import Yui, running
from bot.clock import JAPAN
from bot.errors import UserMistake
from bot.members import Grant, Role, co_op_key
from bot.search import personal_data
from bot.subcommands.keys import day
from bot.tips.mistakes import TipMistake
from bot.tips.tip import Action, Consent, Decided, Draft, Tip, TipState, Verdict
from knowledge import FEDERATION, PUBLIC, Audience

OPERATOR = "cli:operator"
_TOLD = {
    Verdict.ALREADY: "This had been decided so before; nothing was changed.",
    Verdict.CHANGED: "The tip has changed, or was decided otherwise: look at it again with `yui tips show ID`.",
    Verdict.GONE: "There is no such tip: see `yui tips list`.",
    Verdict.NOT_ALLOWED: "This is not for the operator to decide.",
}


def operator(yui: Yui) -> str:
    """The account of whoever may run commands here: that person has the database, and so may decide everything."""
    if Grant(Role.ADMIN) not in yui.members.grants(OPERATOR):
        yui.members.give(OPERATOR, Grant(Role.ADMIN))
    return OPERATOR


def add(commands: Any) -> None:
    tips = commands.add_parser("tips", help="offer, review, undo, withdraw tips; see what is asked and not answered")
    what = tips.add_subparsers(dest="what", required=True, metavar="WHAT")

    def command(name: str, told: str, run: Callable[[argparse.Namespace], None], *, of_tip: bool = True) -> Any:
        parser = what.add_parser(name, help=told)
        if of_tip:
            parser.add_argument("id", metavar="ID")
        parser.add_argument("--json", action="store_true", help="for scripts")
        parser.set_defaults(run=_in_english(run))
        return parser

    listed = command("list", "what waits for a decision, first things first", _list, of_tip=False)
    listed.add_argument("--all", action="store_true", help="every tip that is not withdrawn, oldest first")
    command("show", "everything about one tip", _show)
    command("history", "its versions and decisions", _history)
    command("questions", "what is asked and not answered, first things first", _questions, of_tip=False)

    publish = command("publish", "let its audience find it", _decision(Action.PUBLISH))
    publish.add_argument("--for", action="append", dest="audience", metavar="AUDIENCE", help="public, federation or coop:ID")
    publish.add_argument("--expires", type=day, metavar="DATE", help="the last day it is shown")
    command("decline", "do not publish it", _decision(Action.DECLINE)).add_argument("--reason", required=True)
    command("ask-back", "ask its giver something", _decision(Action.ASK_BACK)).add_argument("--reason", required=True)
    command("merge", "it says the same as another", _decision(Action.MERGE)).add_argument("--into", required=True, metavar="ID")
    command("postpone", "decide in a week", _decision(Action.POSTPONE))
    for name in ("publish", "decline", "ask-back", "merge", "postpone"):
        what.choices[name].add_argument("--version", type=int, metavar="N", help="only if it is still this version")
    command("undo", "take the last decision back", _undo)
    command("withdraw", "take it out everywhere and for good", _withdraw).add_argument("--reason", default="")

    offer = command("offer", "offer a tip", _offer, of_tip=False)
    offer.add_argument("text")
    for name, told in (
        ("place", "where"),
        ("happened", "when"),
        ("outcome", "how it went"),
        ("question", "which question it answers"),
    ):
        offer.add_argument(f"--{name}", default="", help=told)
    offer.add_argument("--co-op", default="", metavar="COOP", help="whose experience it is")
    offer.add_argument("--for", action="append", dest="audience", metavar="AUDIENCE", help="public, federation or coop:ID")
    offer.add_argument("--consent", choices=[c.value for c in Consent], default=Consent.ANONYMOUS.value)
    offer.add_argument("--name", default="", help="the giver's name, with --consent name")
    offer.add_argument("--confirmed", action="store_true", help="names, addresses and telephone numbers in it may stand")


def _in_english(run: Callable[[argparse.Namespace], None]) -> Callable[[argparse.Namespace], None]:
    """The services refuse in the words of the chat; here everything is English."""

    def said(options: argparse.Namespace) -> None:
        try:
            run(options)
        except TipMistake as mistake:
            raise UserMistake(mistake.said("en")) from mistake

    return said


def _list(options: argparse.Namespace) -> None:
    with running() as yui:
        if options.all:
            found = yui.curation.all_tips(operator(yui))
        else:
            found = [waiting.tip for waiting in yui.curation.queue(operator(yui))]
    if options.json:
        _print_json([_plain(tip) for tip in found])
        return
    for tip in found:
        print(f"{tip.id}  {tip.state.value:10} {_day(tip.offered_at)}  {tip.co_op or '-'}  {_line(tip.draft.text, 60)}")
    if not found:
        print("Nothing waits." if not options.all else "There are no tips yet.")


def _show(options: argparse.Namespace) -> None:
    with running() as yui:
        tip = _tip(yui, options.id)
        verifier = yui.curation.verifier_of(tip)
    if options.json:
        _print_json({**_plain(tip), "looked_after_by": verifier})
        return
    draft = tip.draft
    told = {
        "state": f"{tip.state.value}, version {tip.version}",
        "place": draft.place,
        "happened": draft.happened,
        "outcome": draft.outcome,
        "question": draft.question,
        "articles": ", ".join(tip.articles),
        "co-op": tip.co_op,
        "named": f"{draft.consent.value} {draft.author_name}".strip(),
        "audience": ", ".join(sorted(draft.audience.keys)),
        "offered": _day(tip.offered_at),
        "published": _day(tip.published_at),
        "check again": str(tip.check_at or ""),
        "expires": str(tip.expires_at or ""),
        "looked after by": verifier,
        "reason": tip.reason,
        "merged into": tip.merged_into,
    }
    print(f"{tip.id}\n{draft.text}\n")
    print("\n".join(f"{name}: {_line(value, 200)}" for name, value in told.items() if value))


def _history(options: argparse.Namespace) -> None:
    with running() as yui:
        history = yui.curation.history(options.id, operator(yui))
    if history is None:
        raise UserMistake(_TOLD[Verdict.GONE])
    if options.json:
        _print_json({"versions": [_plain(v) for v in history.versions], "decisions": [_plain(d) for d in history.decisions]})
        return
    for version in history.versions:
        print(f"{_day(version.at)}  version {version.version} by {version.by}: {_line(version.content['text'], 200)}")
    for decision in history.decisions:
        undone = f", undone {_day(decision.undone_at)}" if decision.undone_at else ""
        about = f"{decision.action.value} version {decision.version} by {decision.by or 'its day'}{undone}"
        print(f"{_day(decision.at)}  {about}{': ' + _line(decision.reason, 200) if decision.reason else ''}")


def _questions(options: argparse.Namespace) -> None:
    with running() as yui:
        topics = yui.questions.topics(operator(yui))
    if options.json:
        _print_json([_plain(topic) for topic in topics])
        return
    for topic in topics:
        print(f"{topic.asked:3} × {_day(topic.first)}..{_day(topic.last)}  {topic.co_op or '-'}  {_line(topic.text, 100)}")
        if topic.nearest:
            print(f"      near: {_line('、'.join(topic.nearest), 100)}")
    if not topics:
        print("Nothing is open.")


def _decision(action: Action) -> Callable[[argparse.Namespace], None]:
    def run(options: argparse.Namespace) -> None:
        given = vars(options)
        if given.get("reason", "-").strip() == "":
            raise UserMistake("Its giver hears the --reason: write one.")
        with running() as yui:
            if (last := given.get("expires")) and last < yui.clock().astimezone(JAPAN).date():
                raise UserMistake(f"{last} is past: give a later day.")
            wanted = given.get("audience")
            decided = yui.curation.decide(
                options.id,
                _tip(yui, options.id).version if options.version is None else options.version,
                action,
                operator(yui),
                reason=given.get("reason") or "",
                into=given.get("into") or "",
                audience=_audience(yui, wanted) if wanted else None,
                expires_at=given.get("expires"),
            )
        _report(decided, options)

    return run


def _undo(options: argparse.Namespace) -> None:
    with running() as yui:
        undone = yui.agenda.undo(options.id, operator(yui))
    if undone.verdict is Verdict.ALREADY:
        raise UserMistake("There is no decision about it to take back.")
    _report(undone, options)


def _withdraw(options: argparse.Namespace) -> None:
    with running() as yui:
        _tip(yui, options.id)
        yui.curation.remove(options.id, operator(yui), options.reason)
    _print_json({"id": options.id, "state": TipState.WITHDRAWN.value}) if options.json else print(f"{options.id} is withdrawn.")


def _offer(options: argparse.Namespace) -> None:
    if options.consent == Consent.NAME and not options.name.strip():
        raise UserMistake("--consent name wants the giver's --name.")
    if options.consent == Consent.CO_OP and not options.co_op:
        raise UserMistake("--consent co_op wants the --co-op that is named.")
    with running() as yui:
        if options.co_op and yui.members.co_op(options.co_op) is None:
            raise UserMistake(f"There is no co-op {options.co_op}: see `yui members list`.")
        draft = Draft(
            **{name: getattr(options, name) for name in ("text", "place", "happened", "outcome", "question")},
            consent=Consent(options.consent),
            author_name=options.name,
            audience=_audience(yui, options.audience or [co_op_key(options.co_op) if options.co_op else FEDERATION]),
        )
        if found := personal_data(draft, confirmed=options.confirmed):
            raise UserMistake(
                f"Take this out, it is about a person (--confirmed lets names and addresses stand): {'、'.join(found)}"
            )
        account = operator(yui)
        tip = yui.curation.offer(draft, author=account, conversation=account, co_op=options.co_op)
    _print_json(_plain(tip)) if options.json else print(f"{tip.id} is offered; publish it with `yui tips publish {tip.id}`.")


def _audience(yui: Yui, keys: list[str]) -> Audience:
    for key in keys:
        kind, _, co_op = key.partition(":")
        if key not in (PUBLIC, FEDERATION) and not (kind == "coop" and yui.members.co_op(co_op)):
            raise UserMistake(f"{key} is no audience: use public, federation, or coop:ID of a co-op in `yui members list`.")
    return Audience.of(*keys)


def _tip(yui: Yui, tip_id: str) -> Tip:
    tip = yui.curation.tip(tip_id, operator(yui))
    if tip is None:
        raise UserMistake(_TOLD[Verdict.GONE])
    return tip


def _report(decided: Decided, options: argparse.Namespace) -> None:
    """Say what came of it. Raises UserMistake for everything but DONE, so that scripts notice."""
    if decided.verdict is not Verdict.DONE or decided.tip is None:
        raise UserMistake(_TOLD.get(decided.verdict, _TOLD[Verdict.GONE]))
    _print_json(_plain(decided.tip)) if options.json else print(f"{decided.tip.id} is {decided.tip.state.value} now.")


def _plain(thing: Any) -> dict[str, Any]:
    """A dataclass as JSON takes it."""
    told: dict[str, Any] = json.loads(json.dumps(_bare(thing), default=str))
    return told


def _bare(value: Any) -> Any:
    if isinstance(value, Audience):
        return sorted(value.keys)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if dataclasses.is_dataclass(value):
        return {f.name: _bare(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False))


def _day(moment: dt.datetime | None) -> str:
    return moment.astimezone(JAPAN).date().isoformat() if moment else ""


def _line(text: str, most: int) -> str:
    """What fits one line: people's words shall not look like the program's."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"
