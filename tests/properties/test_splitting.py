"""Long text in pieces: nothing is lost, nothing is too long, no character is cut in two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.splitting import shorten, split, utf16

TEXT = st.text(st.sampled_from("あ総会。、\n a9😀👨\u200d👩\u200d👧🇯🇵が\u3099é\u0301👍🏽"), max_size=300)


@given(TEXT, st.integers(40, 90))
def test_pieces_join_to_the_text_and_fit(text: str, limit: int) -> None:
    for length in (len, utf16):
        pieces = split(text, limit, length)
        assert "".join(pieces) == text
        assert all(length(p) <= limit for p in pieces)
        assert all(pieces[:-1])


@given(TEXT, st.integers(40, 90))
def test_a_shortened_text_fits_and_begins_alike(text: str, limit: int) -> None:
    short = shorten(text, limit, utf16)
    assert utf16(short) <= limit
    assert short == text or text.startswith(short[:-1])


@pytest.mark.parametrize("whole", ["👨‍👩‍👧‍👦", "🇯🇵", "👍🏽", "が", "❤️"])
def test_what_is_seen_as_one_character_stays_whole(whole: str) -> None:
    for piece in split(whole * 40, 50):
        assert piece == whole * (len(piece) // len(whole))


def test_it_is_cut_where_a_reader_would_pause() -> None:
    text = "理事は3人以上です。監事は1人以上です。任期は2年です。"
    assert split(text, 20) == ["理事は3人以上です。監事は1人以上です。", "任期は2年です。"]
    assert split("一つめの話\nつづき\n二つめの話は、もう少し長い", 14) == ["一つめの話\nつづき\n", "二つめの話は、もう少し長い"]
