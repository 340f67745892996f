"""The command, as a program of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    filled(folder / "data")
    return folder


def run(data: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "YUI_DATA_DIR": str(data / "data"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=given,
        capture_output=True,
        cwd=data,
        env=environment,
        timeout=120,
        check=False,
    )


def test_ask(data: Path) -> None:
    done = run(data, "ask", "労協は何人から作れますか")
    assert done.returncode == 0
    assert "3人" in done.stdout.decode()
    assert done.stderr == b""


def test_ask_json(data: Path) -> None:
    answer = json.loads(run(data, "ask", "--json", "--lang", "en", "How many directors does a worker co-op need?").stdout)
    assert answer["language"] == "en"
    assert answer["question"].startswith("How many")


@pytest.mark.long
def test_batch_keeps_order_and_ids(data: Path) -> None:
    rows = [
        {"id": 7, "question": "監事の任期は?"},
        {"id": "x", "question": ""},
        {"id": None, "question": "天気は?", "lang": "ja-easy"},
    ]
    (data / "batch.jsonl").write_text("\n".join(json.dumps(r) for r in rows) + "\n\n", "utf-8")
    done = run(data, "ask", "--batch", "batch.jsonl")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["id"] for a in answers] == [7, "x", None]
    assert [a["answered"] for a in answers] == [True, False, False]
    assert answers[2]["language"] == "ja-easy"


@pytest.mark.long
def test_replay(data: Path) -> None:
    row = {"conversation": "a", "n": 1, "speaker": "A", "text": "@ボット 監事の任期は?", "addressed": True, "group": True}
    (data / "talk.jsonl").write_text(json.dumps(row), "utf-8")
    (out,) = [json.loads(line) for line in run(data, "replay", "talk.jsonl").stdout.splitlines()]
    assert out["act"] == "answer"
    assert "4年" in out["reply"]["text"]


@pytest.mark.long
def test_chat(data: Path) -> None:
    done = run(data, "chat", given="監事の任期は?\nくわしく\n".encode())
    assert done.returncode == 0
    assert "4年" in done.stdout.decode()


@pytest.mark.long
def test_doctor_finds_nothing_and_finds_a_wrong_name(data: Path) -> None:
    assert run(data, "doctor").returncode == 0
    (data / ".env").write_text("YUI_PROT=1\n")
    done = run(data, "doctor")
    (data / ".env").unlink()
    assert done.returncode == 1
    assert "YUI_PROT (YUI_PORT?)" in done.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "COMMAND"),
        (("ask",), 2, "--batch"),
        (("ask", ""), 1, "empty"),
        (("ask", "あ" * 20_000), 1, "4000"),
        (("ask", "--batch", "nowhere.jsonl"), 1, "cannot be read"),
        (("ask", "--batch", "broken.jsonl"), 1, "line 2 is not JSON"),
        (("ask", "--batch", "latin.jsonl"), 1, "UTF-8"),
        (("serve", "--now", "tomorrow"), 2, "ISO date"),
        (("serve", "--speed", "0"), 2, "up to 20,000"),
        (("serve", "--speed", "86400"), 2, "up to 20,000"),
        (("serve", "--speed", "nan"), 2, "up to 20,000"),
        (("bench", "retrieval", "--passages", "x", "--queries", "y"), 1, "is not there"),
        (("evaluate", "broken.jsonl"), 1, "line"),
        (("evaluate", "nowhere.jsonl"), 1, "cannot be read"),
    ],
)
def test_wrong_input_is_one_sentence_and_the_right_code(
    data: Path,
    arguments: tuple[str, ...],
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(data)
    monkeypatch.setenv("YUI_DATA_DIR", str(data / "data"))
    (data / "broken.jsonl").write_text('{"id": 1, "question": "監事の任期は?"}\n{"id": \n', "utf-8")
    (data / "latin.jsonl").write_bytes(b'{"id": 1, "question": "\xe9"}')
    try:
        found = cli.main(arguments)
    except SystemExit as ended:
        found = int(ended.code or 0)
    said = capsys.readouterr().err
    assert found == code
    assert told in said
    assert "Traceback" not in said
    if code == 1:
        assert said.count("\n") == 1


def test_a_wrong_setting(data: Path) -> None:
    (data / ".env").write_text("YUI_PORT=eighty\n")
    done = run(data, "ask", "総会は?")
    (data / ".env").unlink()
    assert done.returncode == 1
    assert "YUI_PORT" in done.stderr.decode()


def test_a_port_that_is_taken(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(data, "serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "YUI_PORT" in done.stderr.decode()
    assert done.stderr.decode().count("\n") == 1


def test_serve_answers_over_http_and_stops(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "YUI_DATA_DIR": str(data / "data"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "bot", "serve", "--port", str(port)], cwd=data, env=environment)
    try:
        for _ in range(300):
            try:
                ready = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        assert ready.json()["ready"] is True
        answer = httpx.post(f"http://127.0.0.1:{port}/api/ask", json={"question": "監事の任期は?"}, timeout=30).json()
        assert "4年" in answer["text"]
    finally:
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)


def test_a_damaged_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "yui.db").write_bytes(b"no database at all" * 300)
    done = run(tmp_path, "ask", "総会は?")
    assert done.returncode == 1
    assert "damaged" in done.stderr.decode()


def test_an_unforeseen_failure_tells_its_kind_and_no_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("ひみつ")

    monkeypatch.setattr(cli, "running", fail)
    assert cli.main(["ask", "総会は?"]) == 1
    told = capsys.readouterr().err
    assert "RuntimeError" in told
    assert "ひみつ" not in told
