"""`yui mcp`: the shared memory for assistants, over the Model Context Protocol."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from bot.bootstrap import running
from bot.errors import UserMistake


def add(commands: Any) -> None:
    mcp = commands.add_parser("mcp", help="let an assistant search and propose tips (MCP over standard input and output)")
    mcp.add_argument("--as", dest="co_op", default="", metavar="COOP", help="for a member of this co-op; without: public only")
    mcp.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    with running() as yui:
        if options.co_op and yui.members.co_op(options.co_op) is None:
            raise UserMistake(f"There is no co-op {options.co_op}: see `yui members list`.")
        # Loaded by name, here alone: the library takes a second and 50 MB, which nothing else shall pay for.
        import_module("adapters.mcp").serve(yui, options.co_op)
