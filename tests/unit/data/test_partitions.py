"""Rows go into their parts, and come out of them as they were."""

from __future__ import annotations

import errno
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from numpy.typing import NDArray

from mlops_ci.data.arrays import arrays_of, part_of
from mlops_ci.data.feed import Chunk
from mlops_ci.data.keys import hash_keys, number_of
from mlops_ci.data.partitions import Partitions, narrow
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict.rows import Outputs

KINDS = st.sampled_from([np.int64, np.int32, np.uint8, np.uint64, np.float64, np.float32, np.bool_])


@given(
    KINDS.flatmap(
        lambda kind: hn.arrays(
            kind,
            st.integers(0, 9),
            elements={"allow_nan": False} if kind().dtype.kind == "f" else None,
        )
    )
)
def test_fewer_bytes_hold_the_same_numbers(array: NDArray[Any]) -> None:
    found = narrow(array)
    assert found.nbytes <= array.nbytes
    assert np.array_equal(found.astype(array.dtype), array)


def chunk(start: int, stop: int) -> Chunk:
    key = np.arange(start, stop)
    score = np.column_stack([key / 7, key / 3])
    answers = Outputs(None, score, {"cost": key * np.float64(0.5)})
    return Chunk(key, key % 2, answers, (np.full(len(key), 3, np.uint8), key % 5))


def test_every_row_comes_out_of_its_part() -> None:
    rows, parts = 2_000, 7
    side = Partitions[Chunk](parts, rows)
    for start in range(0, rows, 300):
        some = chunk(start, min(start + 300, rows))
        assert some.key is not None
        side.add(some, hash_keys(some.key))
    seen = []
    for number in range(parts):
        found = side.read(number)
        assert found.key is not None
        assert set(number_of(hash_keys(found.key), parts).tolist()) == {number}
        whole = part_of(chunk(0, rows), found.key)
        for one, other in zip(arrays_of(found), arrays_of(whole), strict=True):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
        seen += found.key.tolist()
    side.close()
    assert sorted(seen) == list(range(rows))


def full(*_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    some = chunk(0, 100)
    assert some.key is not None
    side = Partitions[Chunk](2, 10_000)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ComparisonError, match="no room for 240,000 bytes of joined rows") as error:
        side.add(some, hash_keys(some.key))
    assert "TMPDIR" in error.value.fix
    side.close()
