"""A process is killed while it writes the vector index; the next one mends it from the rows."""

from __future__ import annotations

import random
from pathlib import Path

from bench.soak import check, kill_once


def test_killed_while_writing(tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(2):
        kill_once(tmp_path / "chroma", chance)
        well, _ = check(tmp_path / "chroma")
        assert well
