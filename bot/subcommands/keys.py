"""`yui members key`: keys to the JSON interface."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from bot.api_keys import Scope
from bot.bootstrap import running
from bot.clock import JAPAN
from bot.errors import UserMistake

_LAST = dt.date(9998, 12, 31)  # a key ends with the day after its last


def add(what: Any) -> None:
    """`what`: the sub-parsers of `yui members`."""
    key = what.add_parser("key", help="keys to the JSON interface, for other programs")
    actions = key.add_subparsers(dest="action", required=True, metavar="ACTION")

    make = actions.add_parser("add", help="make a key; it is shown this once")
    make.add_argument("name", help="lower-case letters, digits and hyphens: ueda-website")
    make.add_argument(
        "--scope",
        action="append",
        required=True,
        dest="scopes",
        choices=[s.value for s in Scope],
        help="may be given several times",
    )
    make.add_argument("--co-op", default="", metavar="COOP", help="the key acts for this co-op only")
    make.add_argument("--until", type=day, metavar="DATE", help="last day on which it works; without: until it is removed")
    make.set_defaults(run=_add)

    actions.add_parser("list", help="who holds a key, and what it opens").set_defaults(run=_list)

    remove = actions.add_parser("remove", help="take a key back")
    remove.add_argument("name")
    remove.set_defaults(run=_remove)


def day(text: str) -> dt.date:
    """A day on the command line. Raises ArgumentTypeError for what is none; the calendar's last has none after it."""
    try:
        return min(dt.date.fromisoformat(text), _LAST)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a date such as 2027-03-31") from None


def _add(options: argparse.Namespace) -> None:
    expires = None
    if options.until:
        expires = dt.datetime.combine(options.until + dt.timedelta(days=1), dt.time(), JAPAN)
    with running() as yui:
        if expires and expires <= yui.clock():
            raise UserMistake(f"{options.until} is past: give a later day.")
        key = yui.api_keys.make(options.name, [Scope(s) for s in options.scopes], options.co_op, expires)
    print(f"{key}\nKeep it now: it is not shown again. It is sent as the header  Authorization: Bearer {key[:8]}…")


def _list(_: argparse.Namespace) -> None:
    with running() as yui:
        now = yui.clock()
        holders = yui.api_keys.holders()
        if not holders:
            print("There are no keys yet.")
        for holder in holders:
            until = ""
            if holder.expires:
                last = (holder.expires.astimezone(JAPAN) - dt.timedelta(days=1)).date()
                until = f"; until {last}" + (" (over)" if holder.expires <= now else "")
            print(f"{holder.name}: {', '.join(sorted(holder.scopes))}; {holder.co_op or 'every co-op'}{until}")


def _remove(options: argparse.Namespace) -> None:
    with running() as yui:
        if not yui.api_keys.remove(options.name):
            raise UserMistake(f"There is no key {options.name}: see `yui members key list`.")
    print("The key is removed; it opens nothing any more.")
