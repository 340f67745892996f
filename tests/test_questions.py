"""The project's own questions keep their share of right answers and of honest refusals."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.bootstrap import Yui
from bot.evaluation import Outcome, judge, read_questions, summary
from bot.messages import IncomingMessage

pytestmark = pytest.mark.long

QUESTIONS = Path(__file__).parent / "questions"
# file, at least this share right, at least this share of the unanswerable declined
FLOORS = [
    ("members.jsonl", 0.97, 0.97),
    ("held_out.jsonl", 0.97, 0.97),
    ("practice_act.jsonl", 0.97, 0.98),
    ("practice_survey.jsonl", 0.98, 0.98),
    ("languages.jsonl", 0.96, 0.97),
    ("fresh.jsonl", 0.98, 0.97),
    ("premises.jsonl", 0.98, 0.0),
    ("declines.jsonl", 0.0, 0.97),
    ("declines_held_out.jsonl", 0.0, 0.97),
    # Written without a look at the bot: 0.892 and 0.85 at first sight; the causes of what it missed have been mended since.
    ("blind.jsonl", 0.97, 0.97),
    # The same: 0.73 of the first 30 and 0.88 of the last 17 at first sight.
    ("declines_fresh.jsonl", 0.0, 0.95),
    ("declines_blind.jsonl", 0.0, 0.95),  # the same: 0.74 at first sight
    # Nothing has been mended for these: they tell how it stands with questions nobody has looked at.
    ("declines_unseen.jsonl", 0.0, 0.55),
]


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


def test_a_wrong_premise_is_corrected_first_and_a_right_one_is_not_denied(shipped: Yui) -> None:
    found = outcomes(shipped, QUESTIONS / "premises.jsonl")
    denied = {o.question.id for o in found if o.answer["text"].startswith("いいえ")}
    wrong = {o.question.id for o in found if o.question.style == "wrong-premise"}
    assert wrong <= denied, wrong - denied
    assert not denied - wrong


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
