"""Nobody is ever told what is outside their audience, whatever happened before. `make soak` runs 10,000 histories and more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.desk.asked import Asked
from bot.members import Members
from bot.notices import Notices
from bot.questions import OpenQuestions
from knowledge import Audience, KnowledgeBase
from knowledge.index import VectorIndex
from tests.properties.audience_histories import Leak, run
from tests.properties.audience_world import world

pytestmark = pytest.mark.long

HISTORIES = 200
STEPS = 8


def test_nobody_is_told_what_is_not_for_them(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        counts = run(here, range(HISTORIES), STEPS)
    assert counts["histories"] == HISTORIES
    assert counts["told"] > 5 * HISTORIES  # there was something to be told, and it came


def test_the_same_with_the_real_index(tmp_path: Path) -> None:
    with world(tmp_path, VectorIndex) as here:
        assert run(here, range(10_000_000, 10_000_008), STEPS)["told"] > 40


def _everybody_meets(_: Audience, __: Audience) -> bool:
    return True


def _everybody_reviews(_: Members, __: str, ___: str) -> bool:
    return True


def _notices_everywhere(self: Notices, people: Sequence[str], most: int = 20, **_: Any) -> object:
    return _TAKE(self, people, most)


def _nothing_is_deleted(_: KnowledgeBase, __: Sequence[str]) -> None:
    return None


def _every_question(self: OpenQuestions, _: str, condition: Any) -> object:
    return _VISIBLE(self, "line:admin", condition)


def _topics_of_all(self: OpenQuestions, reviewer: str, **_: str) -> object:
    return _TOPICS(self, reviewer)


def _every_record(_: Asked, __: str) -> object:
    return sa.true()


def _a_group_hears_all_of_its_co_ops(self: Members, conversation: str, sender: str = "", *, group: bool, **_: Any) -> Audience:
    own = _AUDIENCE(self, conversation, sender, group=False)
    return Audience(own.keys | _AUDIENCE(self, conversation, group=True).keys) if group else own


_TAKE, _VISIBLE, _TOPICS, _AUDIENCE = Notices.take, OpenQuestions._visible, OpenQuestions.topics, Members.audience
BROKEN = [
    (Audience, "meets", _everybody_meets),
    (Members, "may_review", _everybody_reviews),
    (Members, "audience", _a_group_hears_all_of_its_co_ops),
    (Notices, "take", _notices_everywhere),
    (OpenQuestions, "_visible", _every_question),
    (OpenQuestions, "topics", _topics_of_all),
    (Asked, "_reviewed", _every_record),
    (KnowledgeBase, "delete", _nothing_is_deleted),
]


@pytest.mark.parametrize(("owner", "rule", "broken"), BROKEN, ids=lambda v: v if isinstance(v, str) else "")
def test_a_broken_rule_is_noticed(owner: type, rule: str, broken: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, rule, broken)
    with world(tmp_path) as here, pytest.raises(AssertionError) as caught:
        run(here, range(400), STEPS)
    assert isinstance(caught.value, Leak) or rule == "may_review"
