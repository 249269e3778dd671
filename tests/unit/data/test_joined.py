"""Rows in any order, or of one side alone: what a dictionary of all rows would pair."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlops_ci.data import room
from mlops_ci.data.feed import Chunk, UnlikeError
from mlops_ci.data.joined import Joined, join
from mlops_ci.data.keys import hash_texts
from mlops_ci.verdict.rows import Outputs


@dataclass
class Memory:
    """A side whose rows are made as they are asked for. `make`: places → keys."""

    rows: int
    make: Callable[[NDArray[np.int64]], NDArray[Any]]
    rows_at_once: int
    has_text_keys: bool = False

    def read(self, part: slice) -> Chunk:
        keys = self.make(np.arange(part.start, part.stop))
        number = np.array([int(key) for key in keys], np.int64) if len(keys) < 1000 else keys
        score = number / np.float64(7)
        key = hash_texts(keys) if self.has_text_keys else keys
        return Chunk(key, number % 2, Outputs(number % 3, score), (number.astype(np.int8),))


def of(keys: list[int], at_once: int, *, text: bool = False) -> Memory:
    array = np.array(keys, dtype=np.int64)
    cells = array.astype(str).astype(object) if text else array
    return Memory(len(keys), lambda places: cells[places], at_once, text)


def pairs(found: list[Joined]) -> tuple[list[tuple[float, float]], list[float]]:
    """The scores of both sides and of base's own rows, in their order."""
    both: list[tuple[float, float]] = []
    alone: list[float] = []
    for part in found:
        one, other = part.sides
        scores = [np.asarray(side.answers.score) for side in (one, other, part.alone)]
        both += list(zip(scores[0].tolist(), scores[1].tolist(), strict=True))
        alone += scores[2].tolist()
        assert np.array_equal(one.label, other.label)
        assert np.array_equal(
            one.slices[0], np.rint(scores[0] * 7).astype(np.int64).astype(np.int8)
        )
    return sorted(both), sorted(alone)


KEYS = st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=60, unique=True)


@given(KEYS, st.data(), st.integers(1, 70), st.tuples(st.booleans(), st.booleans()))
@settings(max_examples=80, deadline=None)
def test_a_row_is_paired_with_the_row_of_its_key(
    keys: list[int], data: st.DataObject, at_once: int, texts: tuple[bool, bool]
) -> None:
    shares = st.lists(st.sampled_from(keys), min_size=1, unique=True)
    base, head = data.draw(shares), data.draw(shares)
    sides = [of(side, at_once, text=text) for side, text in zip((base, head), texts, strict=True)]
    both, alone = pairs(list(join(sides)))
    assert both == sorted((key / 7, key / 7) for key in {*base} & {*head})
    assert alone == sorted(key / 7 for key in {*base} - {*head})


@given(KEYS, st.data(), st.integers(1, 70))
@settings(max_examples=40, deadline=None)
def test_a_key_that_is_there_twice_is_seen(
    keys: list[int], data: st.DataObject, at_once: int
) -> None:
    doubled = data.draw(st.permutations([*keys, data.draw(st.sampled_from(keys))]))
    sides = [of(keys, at_once), of(doubled, at_once)]
    if data.draw(st.booleans()):
        sides.reverse()
    with pytest.raises(UnlikeError):
        list(join(sides))


def test_keys_of_one_kind_do_not_fill_a_part() -> None:
    """All rows of one key lie in one part, which would not fit into memory."""
    many = Memory(50_000, lambda places: np.minimum(places, 100), 1 << 12)
    with pytest.raises(UnlikeError):
        list(join([of([1, 2], 1 << 12), many]))


def peak(rows: int) -> int:
    """Bytes at most, of both sides' rows in two other orders."""

    def shuffled(factor: int) -> Memory:
        return Memory(rows, lambda places: places * factor % rows, 1 << 14)

    tracemalloc.start()
    try:
        assert sum(len(part.sides[0].label) for part in join([shuffled(7), shuffled(11)])) == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where chunks end decides how many of them are there at once: of a few sizes the most."""
    monkeypatch.setattr(room, "CHUNK", 1 << 14)
    few = max(peak(rows) for rows in (50_021, 100_003, 150_001, 200_003))
    many = peak(600_011)
    assert many < 1.3 * few
    assert many < 300_007 * 33


def test_nothing_lies_in_a_file_with_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    found = join([of([1, 2, 3], 2), of([3, 2, 1], 2)])
    next(found)
    assert list(tmp_path.iterdir()) == []
    assert len(list(found)) > 0
