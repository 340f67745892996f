"""`yui paper`: for members without a phone, an announcement or questions and answers as a PDF to print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.announcing.days import day_of
from bot.announcing.links import address
from bot.bootstrap import Yui, running
from bot.config import load
from bot.data_folder import new_file
from bot.errors import UserMistake
from knowledge import Audience

_LONGEST_TOPIC = 40  # characters


def add(commands: Any) -> None:
    printed = commands.add_parser("paper", help="an A4 PDF for members without a phone")
    what = printed.add_subparsers(dest="what", required=True, metavar="WHAT")

    notice = what.add_parser("announcement", help="an announcement to pin up")
    notice.add_argument("id", metavar="ID", help="as `yui announce list` shows it")
    notice.set_defaults(run=_announcement)

    topic = what.add_parser("topic", help="questions and answers about a topic to hand out")
    topic.add_argument("topic")
    topic.add_argument("--as", dest="co_op", default="", metavar="COOP", help="what this co-op may see; without: public only")
    topic.set_defaults(run=_topic)

    for command in (notice, topic):
        command.add_argument("file", type=Path)
        command.add_argument("--force", action="store_true", help="replace the file if it is there")


def _announcement(options: argparse.Namespace) -> None:
    settings = load()
    with running(settings) as yui:
        found = yui.told.whatever(options.id)
        if found is None:
            raise UserMistake(f"There is no announcement {options.id}: see `yui announce list`.")
        co_op = yui.members.co_op(found.co_op) if found.co_op else None
        page = address(settings.public_url, yui.signer, found.id)
        picture = yui.pictures.path(found.content.picture)
        pdf = _paper().notice(found, co_op.name if co_op else "", page, day_of(yui.clock()), picture)
    _write(options, pdf, with_code=bool(page))


def _topic(options: argparse.Namespace) -> None:
    topic = " ".join(options.topic.split())
    if not 0 < len(topic) <= _LONGEST_TOPIC:
        raise UserMistake(f"Give a topic of at most {_LONGEST_TOPIC} characters, for example 監事.")
    settings = load()
    with running(settings) as yui:
        if options.co_op and yui.members.co_op(options.co_op) is None:
            raise UserMistake(f"There is no co-op {options.co_op}: see `yui members list`.")
        yui.knowledge.align()
        audience = Audience.of_member(options.co_op or None)
        paper = _paper()
        entries = paper.entries_about(topic, yui.knowledge, audience, lambda ids: _verified(yui, ids))
        page = f"{settings.public_url}/" if settings.public_url else ""
        pdf = paper.handout(topic, entries, page, day_of(yui.clock()))
    _write(options, pdf, with_code=bool(page))


def _paper() -> Any:
    """What prints takes a second and 48 MB to load, so only this command does."""
    return import_module("bot.announcing.paper")


def _verified(yui: Yui, tips: Sequence[str]) -> set[str]:
    return {tip for tip, about in yui.curation.attributions(tips).items() if about.verified}


def _write(options: argparse.Namespace, pdf: bytes, *, with_code: bool) -> None:
    with new_file(options.file, replace=options.force) as out:
        out.write(pdf)
    print(f"{options.file}: {len(pdf) / 1024:.0f} KB")
    if not with_code:
        print("It has no QR code, since YUI_PUBLIC_URL is not set.", file=sys.stderr)
