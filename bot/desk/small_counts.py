"""Small counts, held back where they are told to more people than may read what is counted.

A count below `LEAST` may point at a person. It is held back, and so are as many others as it takes that no total minus what
is told gives it away, not even to somebody who knows these rules. What is held back looks the same whatever the reason, and a
zero is a small count like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

LEAST = 5
_TOGETHER = 2 * LEAST  # what is held back of one total comes to this much at least


def held_back(rows: Sequence[Sequence[int]], already: Collection[int] = ()) -> frozenset[int]:
    """The positions of rows that may not be told. Their totals are taken to be known.

    A row is what its count divides into: (asked,), or (not answered, answered), of which telling one tells the other.
    `already`: rows of which not even the whole is told.
    """
    hidden = {n for n, parts in enumerate(rows) if min(parts) < LEAST} | set(already)
    while (part := _given_away(rows, hidden)) is not None and (told := [n for n in range(len(rows)) if n not in hidden]):
        # The smallest ones cost least. All that are equally small: else their order would tell which of them it is.
        smallest = min(rows[n][part] for n in told)
        hidden |= {n for n in told if rows[n][part] == smallest}
    return frozenset(hidden)


def _given_away(rows: Sequence[Sequence[int]], hidden: Collection[int]) -> int | None:
    """The part of which a small count follows from the total and from what is told; None where none does."""
    for part in range(len(rows[0])) if rows else ():
        counts = [rows[n][part] for n in hidden]
        all_at_the_limit = min(counts, default=0) == max(counts, default=0) == LEAST - 1
        too_few = len(counts) < 2 or sum(counts) < _TOGETHER or all_at_the_limit
        if too_few and any(0 < count < LEAST for count in counts):
            return part
    return None
