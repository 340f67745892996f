"""Two versions of a text, word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.differences import Piece, differences

TEXT = st.text("月曜火は組合員が。、\n 123ab", max_size=40)


@given(TEXT, TEXT)
def test_the_pieces_make_both_texts(old: str, new: str) -> None:
    found = differences(old, new)
    assert "".join(p.text for p in found if p.what != "new") == old
    assert "".join(p.text for p in found if p.what != "gone") == new
    assert all(p.text for p in found)


def test_a_changed_word_is_told_and_nothing_else() -> None:
    old = "総会は年に1回です。鍵当番は毎週月曜に交代します。会費は500円です。"
    found = differences(old, old.replace("月曜", "木曜"))
    assert [p for p in found if p.what != "same"] == [Piece("gone", "月曜"), Piece("new", "木曜")]


def test_an_other_sentence_is_told_whole() -> None:
    found = differences("倉庫は北です。", "配達は朝8時に出発して昼に戻ります。")
    assert [p.what for p in found] == ["gone", "new"]
    assert differences("", "") == ()
