"""Tables row by row: what is broken is named by its number, and the rest is read."""

from __future__ import annotations

import pytest

from knowledge.errors import InvalidDocument
from knowledge.sources.tables import table_of


def numbers(text: str | bytes) -> tuple[list[int], list[int]]:
    """Rows that were read, rows that could not be."""
    table = table_of(text.encode() if isinstance(text, str) else text, "a.csv")
    assert table
    return [r.number for r in table.rows if r.cells], [r.number for r in table.rows if r.cells is None]


def test_cells_may_have_several_lines_and_quotation_marks() -> None:
    table = table_of('題,答え\n"一つ\n目","「""はい""」です"\n二つ目,いいえ\n'.encode(), "a.csv")
    assert table
    assert [r.cells for r in table.rows] == [("一つ\n目", '「"はい"」です'), ("二つ目", "いいえ")]
    assert [r.number for r in table.rows] == [2, 3]


@pytest.mark.parametrize("broken", ['三つ目,"開いた', '"三つ目,開いた', "三つ\0目,x"])
def test_one_broken_row(broken: str) -> None:
    rows = [f"{n}つ目,答え{n}" for n in range(2, 400)]
    rows[100] = broken
    read, failed = numbers("題,答え\n" + "\n".join(rows))
    assert failed == [102]
    assert len(read) == 397


def test_a_broken_row_before_quoted_ones() -> None:
    rows = [f'"{n}つ目","答え{n}"' for n in range(2, 200)]
    rows[50] = '"51つ目","開いた'
    read, failed = numbers("題,答え\n" + "\n".join(rows))
    assert 52 in failed
    assert len(read) >= 196


@pytest.mark.parametrize(("text", "name"), [("ただの文です。", "a.csv"), ("題,答え\n一,二", "a.txt")])
def test_what_is_no_table(text: str, name: str) -> None:
    assert table_of(text.encode(), name) is None


def test_what_is_in_another_encoding_altogether() -> None:
    table = table_of("題,答え\n配達,朝8時\n".encode("cp932"), "a.csv")
    assert table
    assert table.rows[0].cells == ("配達", "朝8時")
    with pytest.raises(InvalidDocument):
        table_of(b"\xff\x81\x00\xfe\n" * 50, "a.csv")
