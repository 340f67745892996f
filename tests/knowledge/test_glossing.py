"""Questions in other languages, in the words of the Japanese documents."""

from __future__ import annotations

import pytest

from knowledge.languages.glossing import gloss


@pytest.mark.parametrize(
    ("language", "question", "held"),
    [
        ("vi", "Cần ít nhất mấy người để thành lập hợp tác xã người lao động?", ["何人", "労働者協同組合"]),
        ("vi", "can it nhat may nguoi de thanh lap hop tac xa nguoi lao dong", ["何人", "労働者協同組合"]),
        ("ko", "이사는 몇 명 필요해요?", ["理事", "何人"]),
        ("pt", "Quantos diretores (理事) precisa ter a cooperativa?", ["何人", "理事"]),
        ("zh", "监事的任期是几年?", ["監事", "任期"]),
        ("ko", "2026년 5월 1일에 협동조합이 몇 개 있었어요?", ["2026年5月1日"]),
        ("pt", "quantas cooperativas havia em 1 de outubro de 2025?", ["2025年10月1日"]),
        ("vi", "ngày 1 tháng 5 năm 2026 có bao nhiêu hợp tác xã", ["2026年5月1日"]),
    ],
)
def test_gloss(language: str, question: str, held: list[str]) -> None:
    told = gloss(question, language)
    assert all(word in told for word in held), told


def test_what_is_not_known_stays() -> None:
    assert gloss("理事は何人?", "ja") == "理事は何人?"
    assert gloss("hello there", "en") == "hello there"
    assert gloss("xin chào", "vi") == "xin chào"


def test_english_keeps_its_own_words_beside_the_japanese_ones() -> None:
    told = gloss("How many directors must a co-op have?", "en")
    assert told.startswith("How many directors must a co-op have? ")
    assert all(word in told for word in ("理事", "何人", "組合"))
