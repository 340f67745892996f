"""The vector index, embedded and on a Chroma server alike; what happens when it is damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding import Vectors
from knowledge.errors import IndexUnavailable
from knowledge.index import VectorIndex
from knowledge.types import Audience

PUBLIC = Audience()
OWN = Audience.of("coop:3")
RANDOM = np.random.default_rng(7)


def unit(*values: float) -> Vectors:
    vector = np.zeros(8, dtype=np.float32)
    vector[: len(values)] = values
    scaled: Vectors = vector / np.linalg.norm(vector)
    return scaled


class Rows:
    """The truth an index is filled from."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, Audience, Vectors]] = {}

    def put(self, passage_id: str, vector: Vectors, audience: Audience = PUBLIC, digest: str = "1") -> None:
        self.rows[passage_id] = (digest, audience, vector)

    def state(self) -> Mapping[str, tuple[str, Audience]]:
        return {i: (d, a) for i, (d, a, _) in self.rows.items()}

    def load(self, ids: Sequence[str]) -> Mapping[str, Vectors]:
        return {i: self.rows[i][2] for i in ids if i in self.rows}


@pytest.fixture
def rows() -> Rows:
    rows = Rows()
    rows.put("a", unit(1))
    rows.put("b", unit(1, 1))
    rows.put("c", unit(0, 0, 1), OWN)
    return rows


@pytest.fixture(params=["embedded", "server"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], VectorIndex]]:
    location: Path | str = tmp_path / "chroma" if request.param == "embedded" else request.getfixturevalue("chroma_server")
    made: list[VectorIndex] = []

    def make(name: str) -> VectorIndex:
        made.append(VectorIndex(location, f"{name}-{tmp_path.name}"))
        return made[-1]

    yield make
    for index in made:
        index.close()


def test_the_nearest_first_and_no_more_than_asked_for(make: Callable[[str], VectorIndex], rows: Rows) -> None:
    index = make("nearest")
    assert index.align(rows.state(), rows.load) == 3
    found = index.query(unit(1, 0.1), PUBLIC, 5)
    assert list(found) == ["a", "b"]
    assert found["a"] == pytest.approx(float(unit(1, 0.1) @ unit(1)), abs=1e-3)
    assert list(index.query(unit(1, 0.1), PUBLIC, 1)) == ["a"]


def test_nobody_finds_what_is_not_for_them(make: Callable[[str], VectorIndex], rows: Rows) -> None:
    index = make("audience")
    index.align(rows.state(), rows.load)
    assert "c" not in index.query(unit(0, 0, 1), Audience.of_member("4"), 5)
    assert next(iter(index.query(unit(0, 0, 1), Audience.of_member("3"), 5))) == "c"


def test_it_follows_the_rows(make: Callable[[str], VectorIndex], rows: Rows) -> None:
    index = make("follows")
    index.align(rows.state(), rows.load)
    rows.put("a", unit(0, 0, 0, 1), digest="2")
    rows.put("c", unit(0, 0, 1), PUBLIC)
    del rows.rows["b"]
    index.align(rows.state(), rows.load)
    assert set(index.query(unit(1), PUBLIC, 5)) == {"a", "c"}
    assert next(iter(index.query(unit(0, 0, 0, 1), PUBLIC, 5))) == "a"
    assert index.align(rows.state(), rows.load) == 0


def test_two_embedders_do_not_meet(make: Callable[[str], VectorIndex], rows: Rows) -> None:
    one, other = make("one"), make("other")
    one.align(rows.state(), rows.load)
    assert other.query(unit(1), PUBLIC, 5) == {}
    other.align({}, rows.load)
    assert one.query(unit(1), PUBLIC, 1) != {}


def many(rows: Rows, count: int) -> None:
    for n in range(count):
        vector = RANDOM.normal(size=8).astype(np.float32)
        rows.put(f"p{n}", vector / np.linalg.norm(vector))


def test_a_folder_removed_by_hand_is_rebuilt(tmp_path: Path, rows: Rows) -> None:
    many(rows, 2_500)  # so many that Chroma writes its index to files
    index = VectorIndex(tmp_path / "chroma", "removed")
    index.align(rows.state(), rows.load)
    index.close()
    for folder in (p for p in (tmp_path / "chroma").iterdir() if p.is_dir()):
        shutil.rmtree(folder)
    again = VectorIndex(tmp_path / "chroma", "removed")
    again.align(rows.state(), rows.load)
    for probe in ("p3", "p1200", "p2499", "a"):
        assert probe in again.query(rows.rows[probe][2], PUBLIC, 3)
    again.close()


@pytest.mark.parametrize("damage", ["garbage", "empty", "gone"])
def test_a_damaged_database_is_rebuilt(tmp_path: Path, rows: Rows, damage: str) -> None:
    index = VectorIndex(tmp_path / "chroma", "damaged")
    index.align(rows.state(), rows.load)
    index.close()
    file = tmp_path / "chroma" / "chroma.sqlite3"
    match damage:
        case "garbage":
            file.write_bytes(b"\x00garbage" * 4_000)
        case "empty":
            file.write_bytes(b"")
        case _:
            shutil.rmtree(tmp_path / "chroma")
    again = VectorIndex(tmp_path / "chroma", "damaged")
    again.align(rows.state(), rows.load)
    assert list(again.query(unit(1), PUBLIC, 1)) == ["a"]
    again.close()


def test_a_server_that_is_not_there(rows: Rows) -> None:
    index = VectorIndex("http://127.0.0.1:1", "nowhere")
    with pytest.raises(IndexUnavailable):
        index.query(unit(1), PUBLIC, 5)
    with pytest.raises(IndexUnavailable):
        index.align(rows.state(), rows.load)
