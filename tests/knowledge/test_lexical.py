import numpy as np
import pytest

from knowledge.languages import ja
from knowledge.lexical import LexicalIndex, encode
from knowledge.types import PUBLIC, Audience

EVERYONE = Audience()
TEXTS = {
    "a": "創立総会の公告は2週間前まで",
    "b": "理事は3人以上、監事は1人以上",
    "c": "総会の招集は10日前まで",
    "d": "出資は1口以上",
}


def index(audience: Audience = EVERYONE) -> LexicalIndex:
    return LexicalIndex((i, encode(ja.terms(t)), audience) for i, t in TEXTS.items())


def best(question: str, audience: Audience = EVERYONE) -> str:
    built = index()
    scores = built.scores(ja.terms(question), audience)
    return built.ids[int(np.argmax(scores.words + scores.bigrams + scores.readings))]


def test_the_passage_with_the_telling_words_wins() -> None:
    assert best("監事は何人") == "b"
    assert best("創立総会の公告") == "a"
    assert best("招集の期限") == "c"


def test_readings_find_kana() -> None:
    assert best("しょうしゅう") == "c"


def test_scores_lie_between_zero_and_about_one() -> None:
    scores = index().scores(ja.terms(TEXTS["a"]), EVERYONE)
    for field in (scores.words, scores.bigrams, scores.readings, scores.coverage):
        assert float(field.min()) >= 0
        assert float(field.max()) <= 1.2


def test_coverage_is_the_share_of_the_questions_words() -> None:
    built = index()
    coverage = built.scores(ja.terms("監事 宇宙船"), EVERYONE).coverage
    assert 0 < coverage[built.positions["b"]] < 1


def test_who_may_not_see_it_finds_nothing() -> None:
    built = LexicalIndex((i, encode(ja.terms(t)), Audience.of("coop:9")) for i, t in TEXTS.items())
    scores = built.scores(ja.terms("監事"), Audience.of_member("3"))
    assert not scores.words.any()
    assert built.scores(ja.terms("監事"), Audience.of(PUBLIC, "coop:9")).words.any()


def test_an_empty_index_answers() -> None:
    built = LexicalIndex(())
    assert len(built.scores(ja.terms("総会"), EVERYONE).words) == 0
    assert built.word_weights(["総会"]) == {"総会": 0.0}


def test_what_a_passage_lacks() -> None:
    built = index()
    weights = built.noun_weights(["監事", "宇宙船"])
    assert weights["宇宙船"] == 1.0
    assert built.missing(weights, ["b", "nowhere", "a"]) == [1.0, 0.0, 1.0]
    auditor = {"監事": weights["監事"]}
    assert built.missing(auditor, ["a", "b"]) == pytest.approx([weights["監事"], 0.0])


def test_the_share_of_the_nouns_that_a_passage_holds() -> None:
    built = index()
    weights = built.noun_weights(["監事", "宇宙船"])
    holding, lacking = built.shares_held(weights, ["b", "a"])
    assert 0 < holding < 1
    assert lacking == 0
    assert built.shares_held(weights, ["nowhere"]) == [1.0]
