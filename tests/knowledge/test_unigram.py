"""How texts are cut into pieces: as the tokenizer of multilingual-e5-small does it, but for one case where that one is worse."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import semantra_multilingual
from hypothesis import assume, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from knowledge import corpus
from knowledge.unigram import Unigram, normalise
from tests.knowledge.e5_model import weights

QUESTIONS = sorted((Path(__file__).parents[1] / "questions").glob("*.jsonl"))
SPACE, UNKNOWN = 6, 3


@pytest.fixture(scope="module")
def unigram() -> Unigram:
    return Unigram(*weights().vocabulary(), weights().unknown)


@pytest.fixture(scope="module")
def pieces() -> list[str]:
    text, offsets, _ = weights().vocabulary()
    return [text[a:b].decode("utf-8") for a, b in itertools.pairwise(offsets.tolist())]


@pytest.fixture(scope="module")
def reference() -> Tokenizer:
    return Tokenizer.from_file(str(Path(semantra_multilingual.get_asset_dir()) / "tokenizer.json"))


def small(**scores: float) -> Unigram:
    """A vocabulary one can reckon with by hand; `_` stands for the space, 0 is unknown, 1 ends."""
    pieces = ["<unk>", "</s>", *(p.replace("_", "▁") for p in scores)]
    encoded = [p.encode() for p in pieces]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.uint32)
    return Unigram(b"".join(encoded), offsets, np.array([0, 0, *scores.values()], np.float32), 0)


def voiced_half_width(text: str) -> bool:
    """The reference reads the two characters of a half-width ガ as カ and a mark of its own; NFKC makes one letter of them."""
    return "ﾞ" in text or "ﾟ" in text


def test_the_most_probable_cut_is_found() -> None:
    pieces = small(_=-4, a=-2, b=-2, _a=-3, ab=-3, _ab=-6.5, abb=-3.5)
    assert pieces.encode("ab") == [5, 4]  # ▁a b: -5, before ▁ab: -6.5, ▁ ab: -7
    assert pieces.encode("abb") == [5, 4, 4]  # -7, before ▁ abb: -7.5
    assert pieces.encode("bab ab") == [2, 4, 6, 5, 4]
    assert pieces.cut("bab ab") == [(2, 0, 0), (4, 0, 1), (6, 1, 3), (5, 3, 5), (4, 5, 6)]


def test_what_is_unknown_is_one_piece_however_long() -> None:
    pieces = small(_=-1, a=-2)
    assert pieces.encode("xyza") == [2, 0, 3]
    assert pieces.cut("xyza") == [(2, 0, 0), (0, 0, 3), (3, 3, 4)]
    assert pieces.encode("xy zx") == [2, 0, 2, 0]
    assert pieces.encode("") == [2]


@pytest.mark.long
def test_members_questions_are_cut_as_by_the_reference(unigram: Unigram, reference: Tokenizer) -> None:
    asked = [json.loads(line)["question"] for file in QUESTIONS for line in file.read_text("utf-8").splitlines()]
    texts = [f"query: {q}" for q in asked if not voiced_half_width(q)]
    assert len(texts) > 500
    for text in texts:
        assert unigram.encode(normalise(text)) == reference.encode(text).ids[1:-1], text


@pytest.mark.long
def test_the_corpus_is_cut_as_by_the_reference(unigram: Unigram, reference: Tokenizer) -> None:
    texts = [f"passage: {p.embeddable(d.title)}" for d in corpus.load() for p in d.passages]
    assert len(texts) > 500
    for text in texts:
        assert unigram.encode(normalise(text)) == reference.encode(text).ids[1:-1], text


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("ﾘｼﾞﾊ", "リジハ"),
        ("か\u3099", "が"),
        ("ＮＰＯ　２０２６", "NPO 2026"),
        ("  いつ\n\n\tですか \u200b", "いつ ですか"),
        ("あ\x00\x1fい", "あい"),
        ("①㈱", "1(株)"),
        ("９～５時", "9～5時"),
    ],
)
def test_one_way_of_writing(written: str, plain: str) -> None:
    assert normalise(written) == plain


@pytest.mark.parametrize("sign", ["<s>", "</s>", "<pad>", "<unk>", "<mask>"])
def test_nobody_can_write_a_sign(unigram: Unigram, sign: str) -> None:
    ids = unigram.encode(normalise(f"労協{sign}とは"))
    assert not {0, 1, 2, 3, 250_001} & set(ids)


@given(text=st.text())
def test_any_text_is_cut(unigram: Unigram, text: str) -> None:
    normalised = normalise(text)
    ids = unigram.encode(normalised)
    assert 1 <= len(ids) <= len(normalised) + 1
    assert all(SPACE - 3 <= i < 250_001 for i in ids)
    assert (UNKNOWN, UNKNOWN) not in itertools.pairwise(ids)


@given(text=st.text(st.sampled_from("労協共同組合のがはいつ出資理事カタアパーabcde 12、。?～🙏𓀀") | st.characters(codec="utf-8")))
def test_any_plain_text_is_cut_as_by_the_reference(unigram: Unigram, reference: Tokenizer, text: str) -> None:
    normalised = normalise(text)
    assume(normalised and "<" not in normalised)  # the reference lets texts write signs
    assert unigram.encode(normalised) == reference.encode(normalised).ids[1:-1]


@given(chosen=st.lists(st.integers(4, 250_000), min_size=1, max_size=8))
def test_any_pieces_in_a_row_are_cut_as_by_the_reference(
    unigram: Unigram, reference: Tokenizer, pieces: list[str], chosen: list[int]
) -> None:
    normalised = normalise("".join(pieces[i] for i in chosen))
    assume(normalised and "<" not in normalised)
    assert unigram.encode(normalised) == reference.encode(normalised).ids[1:-1]
