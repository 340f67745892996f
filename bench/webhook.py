"""LINE's webhook under load, with both platforms on: `python -m bench.webhook [SECONDS]`.

50 events a second, of which 2 % are addressed to the bot, in groups of ten people. A whole `yui serve` runs in a process of
its own against stand-ins of LINE and Discord; the time to an acknowledgement is measured by the sender.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

from tests import line_events as events
from tests.conftest import free_port
from tests.discord_platform import DiscordPlatform
from tests.line_platform import LinePlatform

EVENTS_A_SECOND = 50
ADDRESSED = 0.02
GROUPS, PEOPLE = 20, 10
QUESTIONS = ("労協は何人から作れますか", "理事の任期は?", "監事は何人?", "総会の招集は何日前まで?", "居場所の資金はどこから?")
CHATTER = ("おはよう", "今日は寒いね", "明日の当番だれ?", "ありがとう!", "了解です")
SECRET, TOKEN = "channel-secret", "channel-token"


def resident(process: int) -> float:
    """MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Load:
    def __init__(self, line: LinePlatform, address: str) -> None:
        self.line, self.address = line, address
        self.groups = [line.new_group() for _ in range(GROUPS)]
        self.chance = random.Random(0)
        self.acknowledged: list[float] = []
        self.asked: dict[str, float] = {}  # reply token → when
        self.refused = 0

    def event(self) -> dict[str, object]:
        group, person = self.chance.choice(self.groups), f"U{self.chance.randrange(PEOPLE):032x}"
        addressed = self.chance.random() < ADDRESSED
        said = f"@ボット {self.chance.choice(QUESTIONS)}" if addressed else self.chance.choice(CHATTER)
        token = self.line.new_reply_token(group)
        if addressed:
            self.asked[token] = time.time()
        quote = self.line.new_quote_token(group)
        return events.text(said, source=events.group(group, person), reply_token=token, quote_token=quote)

    async def one(self, client: httpx.AsyncClient) -> None:
        raw = events.body([self.event()])
        headers = events.signed(raw, SECRET)
        began = time.perf_counter()
        response = await client.post(f"{self.address}/webhook/line", content=raw, headers=headers)
        self.acknowledged.append(1000 * (time.perf_counter() - began))
        self.refused += response.status_code != 200

    async def run(self, seconds: float) -> None:
        async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=100)) as client:
            sending: set[asyncio.Task[None]] = set()
            began = time.monotonic()
            for n in range(int(seconds * EVENTS_A_SECOND)):
                await asyncio.sleep(max(0.0, began + n / EVENTS_A_SECOND - time.monotonic()))
                task = asyncio.create_task(self.one(client))
                sending.add(task)
                task.add_done_callback(sending.discard)
                if n % (10 * EVENTS_A_SECOND) == 0:
                    print(f"{n / EVENTS_A_SECOND:.0f} of {seconds:.0f} s", file=sys.stderr, flush=True)
            await asyncio.gather(*sending)

    def answers(self) -> list[float]:
        """Seconds to each answer."""
        return [r.at - self.asked[r.reply_token] for r in self.line.replies if r.reply_token in self.asked]


def serve(data: Path, port: int, line: LinePlatform, discord_: DiscordPlatform) -> subprocess.Popen[bytes]:
    settings = {
        "YUI_DATA_DIR": str(data),
        "YUI_PORT": str(port),
        "YUI_LINE_CHANNEL_SECRET": SECRET,
        "YUI_LINE_CHANNEL_ACCESS_TOKEN": TOKEN,
        "YUI_LINE_API_BASE": line.base,
        "YUI_DISCORD_TOKEN": TOKEN,
        "YUI_DISCORD_API_BASE": discord_.api_base,
        "YUI_DISCORD_GATEWAY": discord_.gateway,
    }
    process = subprocess.Popen([sys.executable, "-m", "bot", "serve"], env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()["vector_index"] == "ready":
                return process
        except (httpx.HTTPError, KeyError, ValueError):
            pass
        time.sleep(0.2)


def under_load(seconds: float) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        LinePlatform(secret=SECRET, access_token=TOKEN) as line,
        DiscordPlatform(token=TOKEN) as discord_,
    ):
        discord_.add_guild()
        port = free_port()
        process = serve(Path(folder), port, line, discord_)
        load = Load(line, f"http://127.0.0.1:{port}")
        asyncio.run(load.run(seconds))
        line.wait_for(lambda: len(load.answers()) >= len(load.asked), 50)
        acknowledged, answered = np.array(load.acknowledged), np.array(load.answers())
        figures = {
            "events": len(acknowledged),
            "refused": load.refused,
            "acknowledged p50, ms": np.percentile(acknowledged, 50),
            "acknowledged p99, ms": np.percentile(acknowledged, 99),
            "asked": len(load.asked),
            "answered": len(answered),
            "answered p50, s": np.percentile(answered, 50),
            "answered last, s": answered.max(),
            "pushes": len(line.pushes),
            "violations": len(line.violations),
            "resident, MB": resident(process.pid),
        }
        process.terminate()
        process.wait(20)
    print(json.dumps({k: round(float(v), 2) for k, v in figures.items()}), flush=True)


def after_a_restart(events_waiting: int = 200) -> None:
    """Killed with unanswered events: how many are answered after it, and how often."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LinePlatform(secret=SECRET, access_token=TOKEN) as line,
        DiscordPlatform(token=TOKEN) as discord_,
    ):
        discord_.add_guild()
        port = free_port()
        process = serve(Path(folder), port, line, discord_)
        groups = [line.new_group() for _ in range(events_waiting)]
        tokens = [line.new_reply_token(g) for g in groups]
        sent = [
            events.text("@ボット 理事は何人?", source=events.group(g), reply_token=t, quote_token=line.new_quote_token(g))
            for g, t in zip(groups, tokens, strict=True)
        ]
        raw = events.body(sent)
        httpx.post(f"http://127.0.0.1:{port}/webhook/line", content=raw, headers=events.signed(raw, SECRET), timeout=10)
        process.kill()
        process.wait(20)
        before = len(line.replies)
        began = time.monotonic()
        process = serve(Path(folder), port, line, discord_)
        line.wait_for(lambda: len({r.reply_token for r in line.replies}) == events_waiting, 60)
        took = time.monotonic() - began
        time.sleep(2)
        process.terminate()
        process.wait(20)
        figures = {
            "events": events_waiting,
            "answered before the kill": before,
            "answered": len({r.reply_token for r in line.replies}),
            "replies": len(line.replies),
            "last answer after the start, s": took,
            "pushes": len(line.pushes),
        }
    print(json.dumps({k: round(float(v), 2) for k, v in figures.items()}), flush=True)


if __name__ == "__main__":
    after_a_restart()
    under_load(float(sys.argv[1]) if len(sys.argv) > 1 else 300)
