"""Transcripts that a co-op member can read and write: each file is one conversation with the shipped corpus."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.bootstrap import Yui
from bot.messages import IncomingMessage

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_dialogue(file: Path, shipped: Yui) -> None:
    said = ""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        where = f"{file.name}, line {number}: {said!r}"
        if line.startswith(">"):
            reply = asyncio.run(shipped.conversations.reply_to(IncomingMessage(f"dialogue-{file.stem}", line[1:].strip())))
            assert reply is not None, where
            said = reply.text
        elif line.startswith("! "):
            assert line[2:] not in said, where
        elif line and not line.startswith("#"):
            assert line in said, where
