"""Files of JSON objects, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.errors import UserMistake


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """JSON objects, one a line. Raises UserMistake with the number of the line that is none."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserMistake(f"{file} cannot be read: check the path and that it is UTF-8 text.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserMistake(f"{file.name}, line {number} is not JSON.") from error
        if not isinstance(row, dict):
            raise UserMistake(f"{file.name}, line {number} is not a JSON object.")
        yield row
