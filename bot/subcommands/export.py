"""`yui export`: published tips, and open questions, as a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bot.bootstrap import running
from bot.data_folder import new_file
from bot.errors import UserMistake
from bot.exporting import Exporting, Format, render
from bot.search import audience_of_member
from bot.subcommands.tips import operator


def add(commands: Any) -> None:
    export = commands.add_parser("export", help="published tips as a file: JSON lines, Markdown or CSV")
    export.add_argument("file", type=Path)
    export.add_argument("--as", dest="co_op", default="", metavar="COOP", help="what this co-op may see; without: public only")
    export.add_argument("--format", choices=[f.value for f in Format], default=Format.JSONL.value)
    export.add_argument("--questions", action="store_true", help="also the open questions that came from this co-op")
    export.add_argument("--force", action="store_true", help="replace the file if it is there")
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    if options.questions and not options.co_op:
        raise UserMistake("Open questions are seen by the co-op they came from: name it with --as COOP.")
    with running() as yui:
        if options.co_op and yui.members.co_op(options.co_op) is None:
            raise UserMistake(f"There is no co-op {options.co_op}: see `yui members list`.")
        exporting = Exporting(yui.search, yui.curation, yui.questions)
        tips = exporting.tips(audience_of_member(options.co_op))
        topics = exporting.topics(operator(yui), options.co_op) if options.questions else []
        with new_file(options.file, replace=options.force) as out:
            out.write(render(Format(options.format), tips, topics))
    print(f"{options.file}: {len(tips)} tips" + (f", {len(topics)} open questions" if options.questions else ""))
