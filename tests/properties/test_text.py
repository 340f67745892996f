"""Text: doing it twice changes nothing, and nothing breaks it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.intents import Intent, recognise
from knowledge.languages import colloquial, ja
from knowledge.lexical import LexicalIndex, encode
from knowledge.types import Audience

# What members type, and what nobody should: kana, kanji, widths, signs, emoji, controls, broken surrogates.
TEXT = st.text(alphabet=st.one_of(st.sampled_from("総会三条十第ヶか月ｶﾞー〜、。?!0１々"), st.characters()), max_size=60)


@given(TEXT)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = ja.normalise(text)
    assert ja.normalise(once) == once


@given(TEXT)
def test_unifying_twice_changes_nothing(text: str) -> None:
    once = colloquial.unify(ja.normalise(text))
    assert colloquial.unify(once) == once


@given(TEXT)
def test_sentences_keep_every_letter(text: str) -> None:
    assert "".join("".join(ja.sentences(text)).split()) == "".join(text.split())


@given(st.integers(1, 9_999))
def test_kanji_numbers_are_read(number: int) -> None:
    digits, units = "〇一二三四五六七八九", ["", "十", "百", "千"]
    written = ""
    for power, digit in reversed(list(enumerate(reversed(str(number))))):
        if digit != "0":
            written += ("" if digit == "1" and power else digits[int(digit)]) + units[power]
    assert ja.normalise(f"第{written}条") == f"{number}条"


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, max_size=6), TEXT)
def test_scores_stay_within_bounds(texts: list[str], question: str) -> None:
    index = LexicalIndex((str(n), encode(ja.terms(ja.normalise(t))), Audience()) for n, t in enumerate(texts))
    scores = index.scores(ja.terms(ja.normalise(question)), Audience())
    for field in (scores.words, scores.bigrams, scores.readings, scores.coverage):
        assert len(field) == len(texts)
        assert ((field >= 0) & (field <= 1.6)).all()


@given(TEXT)
def test_every_message_is_recognised_as_something(text: str) -> None:
    assert recognise(text) in Intent


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_every_question_is_understood_as_something(text: str) -> None:
    assert isinstance(colloquial.understood(text).text, str)
