"""What the documentation says is so."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.bootstrap import Yui
from bot.config import Settings
from bot.messages import IncomingMessage

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
JAPANESE = (ROOT / "README.ja.md").read_text("utf-8")


@pytest.mark.parametrize("text", [README, JAPANESE], ids=["README.md", "README.ja.md"])
def test_the_settings_table_names_every_setting_with_its_default(text: str) -> None:
    rows = dict(re.findall(r"^\| `(YUI_[A-Z_]+)` \|([^|]*)\|", text, re.MULTILINE))
    assert set(rows) == {"YUI_" + name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        told = rows["YUI_" + name.upper()].strip("` ")
        assert told == ("" if field.default in ("", None) else str(field.default)), name


def transcript() -> list[tuple[str, list[str]]]:
    """The lines of the README's transcript: what is typed after `> ` and what comes back below it."""
    block = re.search(r"```text\n(> .*?)```", README, re.DOTALL)
    assert block
    turns: list[tuple[str, list[str]]] = []
    for line in block[1].strip().splitlines():
        if line.startswith("> "):
            turns.append((line[2:], []))
        elif line.strip():
            turns[-1][1].append(line)
    return turns


def test_the_transcript_is_what_the_bot_says(shipped: Yui) -> None:
    assert len(transcript()) >= 3
    for question, expected in transcript():
        reply = asyncio.run(shipped.conversations.reply_to(IncomingMessage("readme", question)))
        assert reply is not None
        assert reply.text.splitlines() == expected


def test_the_commands_table_is_that_of_the_program() -> None:
    told = subprocess.run([sys.executable, "-m", "bot", "--help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    commands = set(re.findall(r"^    ([a-z]+) ", told, re.MULTILINE))
    assert commands == set(re.findall(r"^\| `yui ([a-z]+)", README, re.MULTILINE))


def test_links_between_the_documents_lead_somewhere() -> None:
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text("utf-8")):
            assert (file.parent / target).exists(), f"{file.name}: {target}"


def test_makefile_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        assert set(re.findall(r"`make ([a-z-]+)", file.read_text("utf-8"))) <= targets, file.name
