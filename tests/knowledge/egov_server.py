"""A stand-in for e-Gov's law API on loopback: answers in turn, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    status: int = 200  # 0: none at all
    body: bytes = b"<law_data_response/>"
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0  # seconds between the bytes of the body


@dataclass
class Server:
    """Gives its answers in turn, the last one for ever."""

    answers: list[Answer]
    url: str = ""
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    stand_in: Server

    def do_GET(self) -> None:
        server = self.stand_in
        server.at_once += 1
        server.most_at_once = max(server.most_at_once, server.at_once)
        where = urlsplit(self.path)
        server.asked.append((where.path, parse_qs(where.query)))
        server.headers.append(dict(self.headers))
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        with contextlib.suppress(OSError):  # the client has hung up
            self._send(answer)
        server.at_once -= 1

    def _send(self, answer: Answer) -> None:
        if not answer.status:
            self.stand_in.stopped.wait(20)
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        step = 1 if answer.drip else len(answer.body) or 1
        for start in range(0, len(answer.body), step):
            self.wfile.write(answer.body[start : start + step])
            if self.stand_in.stopped.wait(answer.drip):
                return

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def running(*answers: Answer) -> Iterator[Server]:
    stand_in = Server(list(answers) or [Answer()])
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Handler,), {"stand_in": stand_in}))
    stand_in.url = f"http://127.0.0.1:{http.server_address[1]}/api/2"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.stopped.set()
        http.shutdown()
        http.server_close()
        thread.join(5)
