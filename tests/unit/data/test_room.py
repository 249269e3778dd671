"""Files of many rows are read by another road: it must lead to the same place."""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.data import ColumnsRequest, Predictions, pair, read_predictions, room
from mlops_ci.data.room import room as make_room
from mlops_ci.errors import ComparisonError
from tests.unit.data.files import binary, write

ROWS = 257
REQUEST = ColumnsRequest(slices=("region",))
FORMS = ("x.parquet", "x.csv", "x.csv.gz", "x.jsonl")


def columns(seed: int, **more: Any) -> dict[str, Any]:
    region = [("north", "south", "")[n % 3] for n in range(ROWS)]
    return binary(ROWS, seed) | {"region": region} | more


def multiclass() -> dict[str, Any]:
    names = [("cat", "dog", "owl")[n % 3] for n in range(ROWS)]
    scores = {
        f"score_{c}": [0.2 + 0.1 * (n % 7) for n in range(ROWS)] for c in ("cat", "dog", "owl")
    }
    return columns(1) | {"label": names, **scores}


CASES = {
    "numbers as keys": columns(1),
    "text as keys": columns(1, id=[f"row {n * 7 % ROWS}" for n in range(ROWS)]),
    "no keys": {name: values for name, values in columns(1).items() if name != "id"},
    "many classes": {name: values for name, values in multiclass().items() if name != "score"},
    "a regression": {
        "id": [(n * 3) % ROWS for n in range(ROWS)],
        "label": [n / 7 for n in range(ROWS)],
        "prediction": [n / 8 for n in range(ROWS)],
        "region": ["a"] * ROWS,
    },
}  # fmt: skip


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Everything is large, and a chunk is small."""
    monkeypatch.setattr(room, "MANY", 10)
    monkeypatch.setattr(room, "CHUNK", 50)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_the_large_road_ends_where_the_small_one_does(
    tmp_path: Path, case: str, form: str, request: pytest.FixtureRequest
) -> None:
    path = write(tmp_path / form, CASES[case])
    small = read_predictions(path, REQUEST)
    scratch = request.getfixturevalue("many")
    large = read_predictions(path, REQUEST)
    for field in fields(Predictions):
        if field.name not in ("keys", "slices"):
            left, right = getattr(small, field.name), getattr(large, field.name)
            np.testing.assert_array_equal(left, right, err_msg=field.name)
    assert small.slices["region"].text().tolist() == large.slices["region"].text().tolist()
    assert large.label.dtype == (np.int8 if large.task != "regression" else np.float64)
    if case == "text as keys":
        assert large.keys is not None
        assert large.keys.dtype == np.uint64
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("key", ["numbers", "text"])
def test_pairs_are_the_same(
    tmp_path: Path, key: str, turned: bool, request: pytest.FixtureRequest
) -> None:
    both = []
    for name, seed in (("base", 1), ("head", 2)):
        ids = [f"k{n}" if key == "text" else n for n in range(ROWS)]
        rows = columns(seed, id=ids)
        if turned and name == "head":
            rows = {column: values[::-1] for column, values in rows.items()}
        both.append(write(tmp_path / f"{name}.parquet", rows))
    small = pair(*(read_predictions(path, REQUEST) for path in both))
    request.getfixturevalue("many")
    large = pair(*(read_predictions(path, REQUEST) for path in both))
    assert small.counts == large.counts
    assert small.counts.paired == ROWS
    one, other = small.rows, large.rows
    assert not isinstance(one, tuple)
    assert not isinstance(other, tuple)
    np.testing.assert_array_equal(one.label, other.label)
    np.testing.assert_array_equal(one.base.score, other.base.score)
    np.testing.assert_array_equal(one.head.score, other.head.score)
    np.testing.assert_array_equal(one.slices["region=south"], other.slices["region=south"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"score": [None if n == 123 else 0.5 for n in range(ROWS)]}, "row 124"),
        ({"label": [None if n == 200 else n % 2 for n in range(ROWS)]}, "row 201"),
        ({"id": [n - n % 2 for n in range(ROWS)]}, "128 keys occur more than once: '0', '2', '4'"),
        ({"id": [f"a{n - n % 2}" for n in range(ROWS)]}, "128 keys occur more than once"),
        ({"id": [None if n == 60 else n for n in range(ROWS)]}, "row 61"),
    ],
)
@pytest.mark.usefixtures("many")
def test_what_is_wrong_far_down_is_found(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    path = write(tmp_path / "x.csv", columns(1, **change))
    with pytest.raises(ComparisonError) as error:
        read_predictions(path, REQUEST)
    assert words in str(error.value)


@pytest.mark.usefixtures("many")
def test_a_column_lies_in_a_file_without_a_name(many: Path) -> None:
    found = make_room(1000, np.float64)
    found[:] = 1.5
    assert isinstance(found.base, np.memmap)
    assert found.sum() == 1500
    assert list(many.iterdir()) == []


@pytest.mark.usefixtures("many")
def test_a_full_disk_is_said_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ComparisonError, match="no room") as error:
        make_room(1000, np.float64)
    assert "TMPDIR" in error.value.fix
