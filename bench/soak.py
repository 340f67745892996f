"""Kill a process again and again while it writes the vector index, and see that the next start mends it. `make soak`.

Prints one line of JSON; a dated copy of a run is kept in bench/results.md.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from knowledge.index import VectorIndex
from knowledge.types import Audience

PASSAGES, LENGTH = 3_000, 64
EVERYONE = Audience()


def vector(number: int, version: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    made = np.random.default_rng([number, version]).normal(size=LENGTH).astype(np.float32)
    return made / np.float32(np.linalg.norm(made))


def write_forever(folder: Path) -> None:
    """The victim: changes the index, a part of it at a time, until it is killed."""
    index = VectorIndex(folder, "soak")
    version = 0
    while True:
        version += 1
        state = {f"p{n}": (str(version if n % 3 == version % 3 else 0), EVERYONE) for n in range(PASSAGES)}
        index.align(state, lambda ids, state=state: {i: vector(int(i[1:]), int(state[i][0])) for i in ids})  # type: ignore[misc]


def kill_once(folder: Path, chance: random.Random) -> None:
    process = subprocess.Popen([sys.executable, "-m", "bench.soak", "--victim", str(folder)], cwd=Path(__file__).parents[1])
    time.sleep(chance.uniform(1.5, 5.0))
    process.send_signal(signal.SIGKILL)
    process.wait()


def check(folder: Path) -> tuple[bool, float]:
    """Open what is left, mend it, and ask for every fiftieth passage. Whether all are found, and how long mending took."""
    state = {f"p{n}": ("0", EVERYONE) for n in range(PASSAGES)}
    index = VectorIndex(folder, "soak")
    start = time.perf_counter()
    index.align(state, lambda ids: {i: vector(int(i[1:]), 0) for i in ids})
    seconds = time.perf_counter() - start
    found = all(f"p{n}" in index.query(vector(n, 0), EVERYONE, 5) for n in range(0, PASSAGES, 50))
    index.close()
    return found, seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--victim", type=Path)
    options = parser.parse_args()
    if options.victim:
        write_forever(options.victim)
    chance = random.Random(1)
    mended, times = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.kills):
            kill_once(Path(scratch) / "chroma", chance)
            well, seconds = check(Path(scratch) / "chroma")
            mended += well
            times.append(seconds)
            print(f"kill {number + 1}: {'mended' if well else 'NOT MENDED'} in {seconds:.1f} s", file=sys.stderr, flush=True)
    print(
        json.dumps(
            {"kills": options.kills, "mended": mended, "seconds_to_mend": {"p50": float(np.median(times)), "max": max(times)}}
        )
    )
    sys.exit(mended != options.kills)


if __name__ == "__main__":
    main()
