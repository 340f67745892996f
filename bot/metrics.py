"""What can be counted from outside: no text, no names, no tokens."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry for one running bot."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._messages = Counter("yui_messages", "Messages the bot was addressed with", ["platform"], registry=self._registry)
        self._replies = Counter(
            "yui_replies", "Replies by what they were", ["platform", "act", "answered"], registry=self._registry
        )
        self._seconds = Histogram(
            "yui_reply_seconds",
            "Time to a reply",
            ["platform"],
            registry=self._registry,
            buckets=(0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.3, 2.6, 5),
        )
        self._received = Counter(
            "yui_events_received",
            "What platforms sent, addressed to the bot or not",
            ["platform", "addressed"],
            registry=self._registry,
        )
        self._late = Counter(
            "yui_late", "Answers that came too late and wait for the next reply", ["platform"], registry=self._registry
        )
        self._refused = Counter(
            "yui_refused",
            "Calls a platform refused or did not answer, by its status (0: none)",
            ["platform", "status"],
            registry=self._registry,
        )
        self._index = Gauge("yui_vector_index_ready", "1 when the vector index is in step with the rows", registry=self._registry)

    def replied(self, platform: str, act: str, *, answered: bool, seconds: float) -> None:
        self._messages.labels(platform).inc()
        self._replies.labels(platform, act, str(answered).lower()).inc()
        self._seconds.labels(platform).observe(seconds)

    def received(self, platform: str, *, addressed: bool) -> None:
        self._received.labels(platform, str(addressed).lower()).inc()

    def late(self, platform: str) -> None:
        self._late.labels(platform).inc()

    def refused(self, platform: str, status: int) -> None:
        self._refused.labels(platform, str(status)).inc()

    def exposition(self, *, index_ready: bool) -> bytes:
        self._index.set(index_ready)
        return generate_latest(self._registry)
