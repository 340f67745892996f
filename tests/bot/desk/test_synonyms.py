"""The coordinators' own words: at once, on top of the shipped table, and never in circles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.bootstrap import Yui
from bot.desk.refusals import Refused
from bot.desk.synonyms import Synonyms
from bot.members import Grant, Role
from knowledge import Database, Question
from knowledge.languages.own_words import OwnWords
from tests.bot.people import FEDERATIONS, UEDAS_COORDINATOR, people

EDITOR = "desk:editor"


@pytest.fixture
def words(database: Database, tmp_path: Path) -> Iterator[Synonyms]:
    with people(database, tmp_path) as found:
        yield Synonyms(database, found.knowledge, found.members, found.clock)


@pytest.fixture
def shipped_words(shipped: Yui) -> Iterator[Synonyms]:
    shipped.members.give(EDITOR, Grant(Role.ADMIN))
    yield shipped.synonyms
    for synonym in shipped.synonyms.own():
        shipped.synonyms.remove(EDITOR, synonym.id)
    shipped.members.forget(EDITOR)


def test_they_are_listed_and_taken_away_again(words: Synonyms) -> None:
    added = words.add(FEDERATIONS, " むすび会 ", "労働者協同組合")
    assert (added.said, added.meant, added.by) == ("むすび会", "労働者協同組合", FEDERATIONS)
    assert [s.said for s in words.own()] == ["むすび会"]
    assert words.remove(FEDERATIONS, added.id).said == "むすび会"
    assert words.own() == []
    with pytest.raises(Refused):
        words.remove(FEDERATIONS, added.id)
    assert len(words.shipped()) > 100


def test_they_count_for_all_so_a_co_ops_coordinator_only_sees_them(words: Synonyms) -> None:
    with pytest.raises(Refused, match="役割"):
        words.add(UEDAS_COORDINATOR, "むすび会", "労働者協同組合")
    held = words.add(FEDERATIONS, "むすび会", "労働者協同組合")
    with pytest.raises(Refused):
        words.remove(UEDAS_COORDINATOR, held.id)


@pytest.mark.parametrize(
    ("said", "meant", "why"),
    [
        ("", "組合", "word_length"),
        ("は", "組合", "word_length"),
        ("組", "組合", "word_length"),
        ("かい", "会合", "word_short_kana"),
        ("あ" * 41, "組合", "word_length"),
        ("組合員", "員" * 41, "word_length"),
        ("!!", "組合", "word_length"),
        ("組合長", "組合長", "word_circle"),
        ("ｸﾐｱｲﾁｮｳ", "クミアイチョウ", "word_circle"),
        ("ボス", "かしら", "word_taken"),
        ("あたま", "ボス", "word_circle"),
    ],
)
def test_what_cannot_be_a_synonym(words: Synonyms, said: str, meant: str, why: str) -> None:
    words.add(FEDERATIONS, "ボス", "おかしら")
    words.add(FEDERATIONS, "おかしら", "あたま")
    with pytest.raises(Refused) as refused:
        words.add(FEDERATIONS, said, meant)
    assert refused.value.key == why
    assert len(words.own()) == 2


def test_what_the_shipped_table_says_is_not_said_again(words: Synonyms) -> None:
    with pytest.raises(Refused) as refused:
        words.add(FEDERATIONS, words.shipped()[-1][0], "なにか")
    assert refused.value.key in ("word_shipped", "word_length", "word_short_kana")


def test_a_word_nobody_has_heard_finds_what_is_meant_by_it(shipped: Yui, shipped_words: Synonyms) -> None:
    ask = lambda text: shipped.knowledge.answer(Question(text))  # noqa: E731
    before = ask("ぽんぽこは何人いるの?")
    shipped_words.add(EDITOR, "ぽんぽこ", "発起人")
    now = ask("ぽんぽこは何人いるの?")
    assert now.told != before.told or not before.answered
    assert now.told == ask("発起人は何人いるの?").told
    assert now.answered
    shipped_words.remove(EDITOR, shipped_words.own()[0].id)
    assert ask("ぽんぽこは何人いるの?").told == before.told


def test_a_word_the_texts_use_keeps_its_sense(shipped: Yui, shipped_words: Synonyms) -> None:
    about_officers = [m.passage.id for m in shipped.knowledge.retrieve("理事は何人必要?").matches][:1]
    shipped_words.add(EDITOR, "理事", "監事")  # a mistake: 理事 stands everywhere
    assert [m.passage.id for m in shipped.knowledge.retrieve("理事は何人必要?").matches][:1] == about_officers


@given(
    said=st.text("ヌネフヘポヂヅヴぺぽぢづ", min_size=4, max_size=12), meant=st.sampled_from(["監事", "創立総会", "出資", "準備金"])
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_said_finds_what_is_meant(shipped: Yui, said: str, meant: str) -> None:
    knowledge = shipped.knowledge
    knowledge.use_words([(said, meant)])
    try:
        found, wanted = (knowledge.retrieve(f"{w}について教えて") for w in (said, meant))
        assert [m.passage.id for m in found.matches] == [m.passage.id for m in wanted.matches]
        assert found.confidence == pytest.approx(wanted.confidence)
    finally:
        knowledge.use_words(())


def test_katakana_and_latin_words_stand_alone() -> None:
    words = OwnWords([("コツ", "経験"), ("wc", "労協"), ("あれこれ", "いろいろ"), ("いろいろ", "さまざま")])
    never = lambda _: False  # noqa: E731
    assert words.read("コツコツとWCと wcx", never) == "コツコツと労協と wcx"
    assert words.read("コツを聞く", never) == "経験を聞く"
    assert words.read("あれこれ", never) == "さまざま"
    assert words.read("ＡＢＣ", never) == "ＡＢＣ"
