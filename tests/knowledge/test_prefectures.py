"""A co-op's address tells its prefecture, as people write it."""

from __future__ import annotations

import pytest

from knowledge import prefecture_in


@pytest.mark.parametrize(
    ("place", "prefecture"),
    [
        ("長野県上田市", "長野県"),
        ("長野", "長野県"),
        ("長野・上田", "長野県"),
        ("東京都府中市", "東京都"),  # 京都府 does not stand in it, though its letters nearly do
        ("京都市左京区", "京都府"),
        ("大阪", "大阪府"),
        ("北海道", "北海道"),
        ("札幌市", "北海道"),
        ("広島県と島根県", "広島県"),
        ("山形市", "山形県"),
        ("山形村", ""),  # lies in 長野県
        ("", ""),
        ("オンライン", ""),
    ],
)
def test_the_prefecture_of_a_place(place: str, prefecture: str) -> None:
    assert prefecture_in(place) == prefecture
