"""Random histories of co-ops that tell each other things: is anybody ever told what is not for them? Part of `make soak`.

The histories and the rules are those of tests/properties. Prints one line of JSON; a dated copy is kept in bench/results.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.properties.audience_histories import run
from tests.properties.audience_world import world

HISTORIES, STEPS = 10_000, 8
_AT_ONCE = 250  # histories on one database


def batch(first: int, number: int, steps: int) -> Counter[str]:
    """Some histories one after the other. Raises Leak at the first one that tells somebody too much."""
    with tempfile.TemporaryDirectory() as scratch, world(Path(scratch)) as here:
        return Counter(run(here, range(first, first + number), steps))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--histories", type=int, default=HISTORIES)
    parser.add_argument("--first", type=int, default=1_000_000, help="seed of the first history")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    started = time.perf_counter()
    counts: Counter[str] = Counter()
    firsts = range(options.first, options.first + options.histories, _AT_ONCE)
    with ProcessPoolExecutor(options.processes) as pool:
        for done in pool.map(batch, firsts, [_AT_ONCE] * len(firsts), [STEPS] * len(firsts)):
            counts += done
            print(json.dumps({**counts, "seconds": round(time.perf_counter() - started)}), flush=True)
    print(json.dumps({**counts, "leaks": 0, "seconds": round(time.perf_counter() - started)}))


if __name__ == "__main__":
    main()
