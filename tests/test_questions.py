"""The project's own questions keep their share of right answers and of honest refusals."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.bootstrap import Yui
from bot.evaluation import Outcome, judge, read_questions, summary
from bot.messages import IncomingMessage

QUESTIONS = Path(__file__).parent / "questions"
# file, at least this share right, at least this share of the unanswerable declined
FLOORS = [("members.jsonl", 0.95, 0.95), ("held_out.jsonl", 0.95, 0.95), ("languages.jsonl", 0.85, 0.85)]


def outcomes(yui: Yui, file: Path) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        found = []
        for question in read_questions(file):
            reply = await yui.conversations.reply_once(IncomingMessage("", question.text, language=question.language))
            found.append(judge(question, dict(reply.answer)))
        return found

    return asyncio.run(ask())


@pytest.mark.parametrize(("name", "right", "declined"), FLOORS)
def test_floor(shipped: Yui, name: str, right: float, declined: float) -> None:
    found = outcomes(shipped, QUESTIONS / name)
    figures = summary(found)
    told = json.dumps(figures, ensure_ascii=False)
    assert figures["right"] >= right, told
    assert figures["declined"] >= declined, told


def test_there_are_enough_questions_of_every_kind() -> None:
    questions = list(read_questions(QUESTIONS / "members.jsonl"))
    styles = {q.style for q in questions}
    assert len(questions) >= 120
    assert sum(not q.answered for q in questions) >= 25
    assert {"kana", "half-width", "dialect", "typo", "english", "easy", "long", "decline"} <= styles


def test_every_answer_fits_on_one_screen_and_cites(shipped: Yui) -> None:
    for outcome in outcomes(shipped, QUESTIONS / "members.jsonl"):
        answer = outcome.answer
        if answer["answered"] and answer["language"] == "ja":
            assert len(answer["text"].splitlines()[0]) <= 120, outcome.question.id
            assert len(answer["text"]) <= 250, outcome.question.id
        assert bool(answer["citations"]) == bool(answer["layers"]), outcome.question.id
