from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from mlops_ci.data import (
    ColumnsRequest,
    Predictions,
    digest_file,
    pair,
    read_predictions,
    read_slim,
    write_slim,
)
from mlops_ci.errors import ComparisonError, MlopsCiError
from mlops_ci.verdict import PairedRows
from tests.unit.data.files import binary, write

EMAIL = ["a@example.org"] * 40


def stored(folder: Path, columns: dict[str, Any], **asked: Any) -> tuple[Predictions, Path]:
    found = read_predictions(write(folder / "x.csv", columns), ColumnsRequest(**asked))
    path = folder / "slim.parquet"
    write_slim(found, path)
    return found, path


CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (binary(), {}),
    (binary() | {"prediction": [1, 0] * 20}, {}),
    ({k: v for k, v in binary().items() if k != "id"}, {}),
    (binary() | {"score": [float(n) for n in range(40)]}, {}),
    ({"label": ["no", "yes"], "prediction": ["no", "no"]}, {"positive": "no"}),
    ({"label": ["no", "no"], "prediction": ["no", "no"]}, {"positive": "yes"}),
    ({"label": ["1", "1"], "score": [0.2, 0.7]}, {}),
    ({"label": ["a", "b", "c"], "prediction": ["a", "b", "b"]}, {"average": "weighted"}),
    ({"label": ["01", "2", "x"], "score_01": [0.5, 0.1, 0.2], "score_2": [0.3, 0.1, 0.2],
      "score_x": [0.2, 0.8, 0.6]}, {}),
    ({"id": ["a", "b"], "y_true": [0.1, 1 / 3], "y_pred": [0.2, 1e-300]}, {}),
    ({"id": [1, 2], "y_true": [1, 2], "y_pred": [2, 2]}, {"task": "regression"}),
    ({"id": [1, 2], "label": [0, 1], "score": [0.2, 0.7], "weight": [0.1, 3.0]}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "asked"), CASES)
def test_what_comes_back_is_what_went_in(
    tmp_path: Path, columns: dict[str, Any], asked: dict[str, Any]
) -> None:
    found, path = stored(tmp_path, columns, **asked)
    again = read_slim(path, found.resolution, (), digest_file(path))
    assert again.rows_digest == found.rows_digest
    assert (again.task, again.positive) == (found.task, found.positive)
    assert again.resolution == found.resolution
    for name in ("keys", "score", "prediction", "label", "weight"):
        left, right = getattr(found, name), getattr(again, name)
        assert (left is None) == (right is None), name
        if left is not None:
            np.testing.assert_array_equal(left, right)
    rows = pair(again, found).rows
    assert isinstance(rows, PairedRows)
    assert rows.classes == found.classes


def test_only_what_a_comparison_needs_is_stored(tmp_path: Path) -> None:
    columns = binary() | {"email": EMAIL, "region": ["north"] * 40, "split": ["test"] * 40}
    _, path = stored(tmp_path, columns, slices=("region",))
    found = duckdb.read_parquet(str(path)).columns
    assert found == ["id", "label", "score", "slice:region"]
    query = f"SELECT DISTINCT compression FROM parquet_metadata('{path}')"
    codec = duckdb.execute(query).fetchall()
    assert codec == [("ZSTD",)]
    assert b"example.org" not in path.read_bytes()
    assert [found.name for found in tmp_path.iterdir() if found.is_dir()] == []


def test_slices_come_back_under_their_names(tmp_path: Path) -> None:
    columns = binary(4) | {"region": ["n", "s", "n", "s"], "plan": ["a"] * 4}
    found, path = stored(tmp_path, columns, slices=("region", "plan", "label"))
    again = read_slim(path, found.resolution, ("region", "label", "new"))
    assert {name: values.text().tolist() for name, values in again.slices.items()} == {
        "region": ["n", "s", "n", "s"],
        "label": ["0", "1", "0", "1"],
    }
    assert again.label.tolist() == [0, 1, 0, 1]


def forged(folder: Path, text: str) -> Path:
    path = folder / "forged.parquet"
    duckdb.sql(f"COPY ({text}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 'x' AS label, 'x' AS prediction, 1 AS email", "a column 'email'"),
        ("SELECT [1] AS label, 'x' AS prediction", "of type integer"),
        ("SELECT 'x' AS label, {'a': 1} AS prediction", "of type struct"),
        ("SELECT 'x' AS prediction", "has no column 'label'"),
        ("SELECT 'x' AS label, 'x' AS prediction WHERE false", "has no rows"),
        ("SELECT 'x' AS label, 'y' AS prediction, 'a' AS id FROM range(2)", "more than once"),
        ("SELECT 'x' AS label, 'z' AS prediction UNION ALL SELECT 'y', 'y'", "3 classes"),
    ],
)
def test_a_forged_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    found, _ = stored(tmp_path, binary())
    with pytest.raises(MlopsCiError, match=words) as error:
        read_slim(forged(tmp_path, text), found.resolution)
    assert error.value.exit_code in (2, 3)


def test_the_digest_and_the_size_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, path = stored(tmp_path, binary())
    digest = digest_file(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"PAR1", b"PAR1 ", 1))
    with pytest.raises(ComparisonError, match="not the file that its record describes"):
        read_slim(path, found.resolution, (), digest)
    path.write_bytes(content)
    monkeypatch.setattr("mlops_ci.data.slim.MAX_UNPACKED", 100)
    with pytest.raises(ComparisonError, match="unpacks to"):
        read_slim(path, found.resolution, (), digest)
    monkeypatch.setattr("mlops_ci.data.slim.MAX_BYTES", 100)
    with pytest.raises(ComparisonError, match="larger than 100 bytes"):
        read_slim(path, found.resolution, (), digest)


def test_groups_and_values_come_back(tmp_path: Path) -> None:
    columns = binary() | {"group": ["a", "b"] * 20, "judge": [0.25, 1.0] * 20}
    found, path = stored(tmp_path, columns, values={"judge": True})
    again = read_slim(path, found.resolution)
    assert again.group is not None
    assert found.group is not None
    assert again.group.tolist() == found.group.tolist()
    assert again.values["judge"].tolist() == [0.25, 1.0] * 20
    paired = pair(again, found)
    rows = paired.rows
    assert isinstance(rows, PairedRows)
    assert rows.values == {"judge": True}
    assert any("count groups" in note for note in paired.notes)
    assert rows.group is not None
    np.testing.assert_array_equal(rows.base.values["judge"], rows.head.values["judge"])


def test_a_value_that_the_store_has_not_is_told(tmp_path: Path) -> None:
    _, path = stored(tmp_path, binary())
    columns = binary() | {"judge": [0.25] * 40}
    head = read_predictions(
        write(tmp_path / "head.csv", columns), ColumnsRequest(values={"judge": True})
    )
    found = pair(read_slim(path, None), head)
    assert isinstance(found.rows, PairedRows)
    assert found.rows.values == {}
    assert any("no column judge" in note for note in found.notes)
