"""Small counts cannot be worked out from what is told, not even by somebody who knows the rules."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.small_counts import LEAST, held_back


def told(*counts: int) -> list[int | None]:
    hidden = held_back([(n,) for n in counts])
    return [None if i in hidden else n for i, n in enumerate(counts)]


def test_large_counts_are_told_and_small_ones_are_not() -> None:
    assert told(12, 7, 5) == [12, 7, 5]
    assert told(12, 4, 3, 2, 1, 30) == [12, None, None, None, None, 30]


def test_one_small_count_takes_the_next_larger_with_it() -> None:
    assert told(40, 3, 9) == [40, None, None]  # else 52 - 40 - 9 tells it


def test_none_is_held_back_like_a_few_but_hides_nothing_else() -> None:
    assert told(40, 0, 9) == [40, None, 9]


def test_a_share_is_held_back_where_the_rest_is_small() -> None:
    # Not answered and answered of the same questions: 18 of 20 tells that 2 were answered, and so does the sum of the answered.
    assert held_back([(18, 2), (10, 40), (6, 90)]) == {0, 1}


def test_of_a_row_that_is_not_told_nothing_is() -> None:
    assert 0 in held_back([(10, 20), (30, 30)], already={0})


@pytest.mark.parametrize("size", [2, 3, 4])
def test_every_small_count_could_be_another(size: int) -> None:
    """Tables that look alike with the same total: in none of them is a small count the same in all."""
    for total in range(LEAST, 20):
        alike: dict[tuple[int | None, ...], list[tuple[int, ...]]] = defaultdict(list)
        for counts in itertools.product(range(total + 1), repeat=size):
            if sum(counts) == total:
                alike[tuple(told(*counts))].append(counts)
        for shown, tables in alike.items():
            for at in (n for n, count in enumerate(shown) if count is None):
                possible = {table[at] for table in tables}
                assert len(possible) > 1 or possible == {0}, (shown, tables)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_what_is_held_back_of_one_total_is_more_than_one_count_and_not_small(rows: list[tuple[int, int]]) -> None:
    hidden = held_back(rows)
    assert all(min(rows[n]) >= LEAST for n in range(len(rows)) if n not in hidden)
    for part in (0, 1):
        counts = [rows[n][part] for n in hidden]
        if any(0 < c < LEAST for c in counts) and len(hidden) < len(rows):
            assert len(counts) > 1
            assert sum(counts) >= 2 * LEAST
