"""One question through the whole core at 10,000 passages; memory; time to start. `python -m bench.whole FOLDER VECTORS`."""

from __future__ import annotations

import asyncio
import json
import resource
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


def main(folder: Path, vectors: Path) -> None:
    figures: dict[str, float] = {}
    questions = [
        json.loads(line)["question"] for line in (folder / "jaquad_dev_queries.jsonl").read_text("utf-8").splitlines()[:QUESTIONS]
    ]
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(data_dir=Path(scratch), _env_file=None)
        start = time.perf_counter()
        yui = build(settings)
        figures["first start, s"] = time.perf_counter() - start
        yui.knowledge.align()
        # Passages of the benchmark beside the shipped corpus; their vectors come from the cache, so that this takes a minute.
        cached = CachedEmbedder(create_embedder(settings.embedder), vectors)
        yui.knowledge._embedder = cached
        rows = [d for f in sorted(folder.glob("*_passages*.jsonl")) for d in documents(f)]
        yui.knowledge.upsert(rows, "benchmark")
        yui.knowledge.align()
        yui.close()
        if len(sys.argv) > 3:
            return
        start = time.perf_counter()
        yui = build(settings)
        figures["start at 10k, s"] = time.perf_counter() - start
        yui.knowledge.align()
        asyncio.run(ask(yui.conversations.reply_once, questions, figures))
        figures["resident, MB"] = resident()
        yui.close()
    print(json.dumps({k: round(v, 2) for k, v in figures.items()}))


async def ask(reply_once: object, questions: list[str], figures: dict[str, float]) -> None:
    times = []
    for question in questions:
        start = time.perf_counter()
        await reply_once(IncomingMessage("", question))  # type: ignore[operator]
        times.append(1000 * (time.perf_counter() - start))
    figures["p50, ms"], figures["p95, ms"] = np.percentile(times, [50, 95])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
