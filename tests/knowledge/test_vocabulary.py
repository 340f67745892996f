"""The readings that come with the corpus are those that reading it would give."""

from __future__ import annotations

from knowledge import corpus
from knowledge.languages import vocabulary
from knowledge.types import wordings


def test_the_shipped_readings_are_those_of_the_shipped_wordings() -> None:
    """Where this fails, `make vectors` makes them anew."""
    texts = {t for d in corpus.load() for p in d.passages for t in wordings(d.title, p.heading, p.asks, d.facets)}
    shipped = vocabulary.shipped()
    assert len(shipped) == len(texts)
    for text in texts:
        assert [tuple(pair) for pair in vocabulary.readings(text)] == list(shipped[vocabulary.digest(text)]), text


def test_a_file_of_readings_holds_what_was_put_in() -> None:
    texts = ["理事は何人", "監事の任期", "hello", "ワーカーズコープ"]
    packed = vocabulary.unpacked(vocabulary.packed(texts))
    assert packed == {vocabulary.digest(t): list(vocabulary.readings(t)) for t in texts}


def test_texts_that_are_not_shipped_are_read_among_those_that_are() -> None:
    texts = [t for d in corpus.load()[:40] for p in d.passages for t in p.asks]
    assert len(texts) > 400
    assert vocabulary.Vocabulary([*texts, "饂飩打ちの当番"]).restore("うどんうちのとうばん").startswith("饂飩打ち")
