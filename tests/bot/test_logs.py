"""One JSON object a line; of an exception its class alone."""

from __future__ import annotations

import json
import logging

from bot.logs import JsonLines


def test_a_line() -> None:
    record = logging.makeLogRecord({"name": "bot.x", "levelname": "INFO", "msg": "event %d", "args": (1,), "act": "answer"})
    told = json.loads(JsonLines().format(record))
    assert (told["from"], told["level"], told["told"], told["act"]) == ("bot.x", "info", "event 1", "answer")
    assert set(told) == {"at", "level", "from", "told", "act"}


def test_an_exception_shows_its_class_alone() -> None:
    try:
        raise ValueError("ひみつ")
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, error, None)})
    line = JsonLines().format(record)
    assert json.loads(line)["error"] == "ValueError"
    assert "ひみつ" not in line
