"""`yui members`: co-ops, the chats linked to them, roles, one-time codes."""

from __future__ import annotations

import argparse
from typing import Any

from bot.bootstrap import Yui, running
from bot.errors import UserMistake
from bot.members import CoOp, Grant, Purpose, Role
from bot.subcommands import keys

_ACCOUNT = "PLATFORM:ID"


def add(commands: Any) -> None:
    members = commands.add_parser("members", help="co-ops, linked groups, roles, one-time codes, keys of the interface")
    what = members.add_subparsers(dest="what", required=True, metavar="WHAT")

    what.add_parser("list", help="co-ops, linked chats, people with roles").set_defaults(run=_list)

    put = what.add_parser("co-op", help="add a co-op, or change its profile")
    put.add_argument("id", help="lower-case letters, digits and hyphens: ueda")
    put.add_argument("--name")
    put.add_argument("--place")
    put.add_argument("--field", action="append", dest="fields", metavar="FIELD", help="may be given several times")
    put.add_argument("--size", type=int)
    put.add_argument("--legal-form")
    put.add_argument("--partner", action="append", dest="partners", metavar="PARTNER", help="may be given several times")
    put.add_argument("--findable", action=argparse.BooleanOptionalAction, default=None, help="whether others may find it")
    put.set_defaults(run=_co_op)

    remove = what.add_parser("remove-co-op", help="remove a co-op with its links and roles")
    remove.add_argument("id")
    remove.set_defaults(run=_remove)

    link = what.add_parser("link-code", help="a code that links a group or channel to a co-op; typed there: 連携 CODE")
    link.add_argument("co_op", metavar="COOP")
    link.set_defaults(run=_link_code)

    unlink = what.add_parser("unlink", help="a group or channel is no co-op's any more")
    unlink.add_argument("chat", metavar="CHAT", help="as `yui members list` shows it")
    unlink.set_defaults(run=_unlink)

    invite = what.add_parser("invite", help="a code that gives whoever types it, alone with the bot, a role: 連携 CODE")
    invite.add_argument("role", choices=[r.value for r in Role])
    invite.add_argument("--co-op", default="", metavar="COOP")
    invite.set_defaults(run=_invite)

    for name, told, run in (("give", "give a person a role", _give), ("take", "take a role from a person", _take)):
        change = what.add_parser(name, help=told)
        change.add_argument("person", metavar=_ACCOUNT, help="for example line:U… or discord:123…")
        change.add_argument("role", choices=[r.value for r in Role])
        change.add_argument("--co-op", default="", metavar="COOP")
        change.set_defaults(run=run)

    keys.add(what)


def account(yui: Yui, person: str) -> str:
    """The pseudonym of a person named as PLATFORM:ID. Raises UserMistake for anything else."""
    platform, _, identifier = person.partition(":")
    if platform not in ("line", "discord", "web") or not identifier:
        raise UserMistake(f"Name the person as {_ACCOUNT}, for example line:U0123… or discord:8061…")
    return yui.conversations.pseudonym(platform, identifier)


def _list(_: argparse.Namespace) -> None:
    with running() as yui:
        chats = yui.members.linked()
        co_ops = yui.members.co_ops()
        if not co_ops:
            print("There are no co-ops yet: add one with `yui members co-op ID --name NAME`.")
        for c in co_ops:
            linked = sum(co_op == c.id for co_op in chats.values())
            about = ", ".join(filter(None, [c.name, c.place, *c.fields, c.legal_form, f"{c.size} members" if c.size else ""]))
            print(f"{c.id}: {about}; {linked} chats linked{'' if c.findable else '; not to be found by others'}")
        for chat, co_op in sorted(chats.items()):
            print(f"{chat}  linked to {co_op}")
        for who, role, co_op in yui.members.people():
            print(f"{who}  {role}  {co_op or '(everywhere)'}")


def _co_op(options: argparse.Namespace) -> None:
    with running() as yui:
        held = yui.members.co_op(options.id)
        if held is None and not options.name:
            raise UserMistake(f"There is no co-op {options.id} yet: give its --name to add it.")
        held = held or CoOp(options.id, options.name)
        told = {k: getattr(options, k) for k in ("name", "place", "fields", "size", "legal_form", "partners", "findable")}
        given = {k: tuple(filter(str.strip, v)) if isinstance(v, list) else v for k, v in told.items() if v is not None}
        changed = {k: given.get(k, getattr(held, k)) for k in told}
        yui.members.put_co_op(CoOp(options.id, **changed))
    print(f"{options.id} is kept.")


def _remove(options: argparse.Namespace) -> None:
    with running() as yui:
        if yui.members.co_op(options.id) is None:
            raise UserMistake(f"There is no co-op {options.id}: see `yui members list`.")
        yui.members.remove_co_op(options.id)
    print(f"{options.id} is removed, with its links and roles.")


def _link_code(options: argparse.Namespace) -> None:
    with running() as yui:
        code = yui.members.code(Purpose.LINK, co_op=options.co_op)
    print(f"{code}\nType in the group or channel, within a day:  @ボット 連携 {code}")


def _unlink(options: argparse.Namespace) -> None:
    with running() as yui:
        if not yui.members.unlink(options.chat):
            raise UserMistake(f"{options.chat} is not linked: see `yui members list`.")
    print(f"{options.chat} is linked to no co-op any more.")


def _invite(options: argparse.Namespace) -> None:
    with running() as yui:
        code = yui.members.code(Purpose.INVITE, role=options.role, co_op=options.co_op)
    print(f"{code}\nTo be typed by that person alone with the bot, within a day:  連携 {code}")


def _give(options: argparse.Namespace) -> None:
    with running() as yui:
        yui.members.give(account(yui, options.person), Grant(Role(options.role), options.co_op))
    print("The role is given.")


def _take(options: argparse.Namespace) -> None:
    with running() as yui:
        if not yui.members.take(account(yui, options.person), Grant(Role(options.role), options.co_op)):
            raise UserMistake(f"{options.person} does not have this role: see `yui members list`.")
    print("The role is taken back.")
