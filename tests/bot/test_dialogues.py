"""Talks over several messages as rows: one for each conversation and person, for seven days."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from bot.dialogues import KEPT, Dialogue, Dialogues
from bot.store import Store
from knowledge import Database
from tests.fakes import FixedClock

NOW = FixedClock()()


@pytest.fixture
def dialogues(database: Database) -> Dialogues:
    Store(database)
    return Dialogues(database)


def talk(conversation: str = "group", person: str = "one", text: str = "保冷剤を", at: dt.datetime = NOW) -> Dialogue:
    return Dialogue(conversation, person, "tip", "place", {"draft": {"text": text}}, at)


def test_a_talk_comes_back_as_it_was_kept(dialogues: Dialogues) -> None:
    dialogues.keep(talk())
    found = dialogues.find("group", "one", "tip", NOW)
    assert found == talk()
    assert found is not None
    assert found.changed_at.tzinfo is not None


def test_each_person_has_one_in_each_conversation(dialogues: Dialogues) -> None:
    for conversation, person in (("group", "one"), ("group", "two"), ("other", "one")):
        dialogues.keep(talk(conversation, person, f"{conversation} {person}"))
    dialogues.keep(talk("group", "one", "later"))
    drafts = [dialogues.find(c, p, "tip", NOW) for c, p in (("group", "one"), ("group", "two"), ("other", "one"))]
    assert [d.draft["draft"]["text"] for d in drafts if d] == ["later", "group two", "other one"]
    assert dialogues.find("other", "two", "tip", NOW) is None
    assert dialogues.find("group", "one", "another kind", NOW) is None


def test_what_is_too_old_is_not_found_and_goes(dialogues: Dialogues) -> None:
    dialogues.keep(talk())
    assert dialogues.find("group", "one", "tip", NOW + KEPT - dt.timedelta(seconds=1)) is not None
    assert dialogues.find("group", "one", "tip", NOW + KEPT) is None
    dialogues.keep(talk("other", "two", at=NOW + KEPT))
    assert dialogues.find("group", "one", "tip", NOW) is None


def test_a_step_is_taken_once(dialogues: Dialogues) -> None:
    dialogues.keep(talk())
    first = dialogues.find("group", "one", "tip", NOW)
    assert first is not None
    assert dialogues.advance(first, replace(first, step="sent"))
    assert not dialogues.advance(first, replace(first, step="sent"))
    found = dialogues.find("group", "one", "tip", NOW)
    assert found is not None
    assert found.step == "sent"


def test_a_person_and_a_group_can_be_forgotten(dialogues: Dialogues) -> None:
    for conversation, person in (("group", "one"), ("group", "two"), ("one", "one"), ("other", "two")):
        dialogues.keep(talk(conversation, person))
    dialogues.forget("one")
    assert dialogues.find("group", "one", "tip", NOW) is None
    assert dialogues.find("one", "one", "tip", NOW) is None
    dialogues.left("group")
    assert dialogues.find("group", "two", "tip", NOW) is None
    assert dialogues.find("other", "two", "tip", NOW) is not None
    dialogues.end("other", "two")
    assert dialogues.find("other", "two", "tip", NOW) is None
