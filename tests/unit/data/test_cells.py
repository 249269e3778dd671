"""Rows whose features changed, and answers that did not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_ci.data import ColumnsRequest, Predictions, read_predictions
from mlops_ci.data.cells import answered_alike, changed_keys
from mlops_ci.data.keys import text_hashes
from mlops_ci.errors import UsageError


def table(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    place = folder / name
    frame.to_parquet(place) if name.endswith(".parquet") else frame.to_csv(place, index=False)
    return place


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("keys", [[1, 2, 3, 4], ["a", "b", "c", "d"]])
def test_rows_with_another_cell(tmp_path: Path, ending: str, keys: list[object]) -> None:
    """In any order; a column that is new, and a row that is, change nothing."""
    before = pd.DataFrame({"id": keys, "x": [0.5, 1.5, None, 3.5], "plan": list("pqrs")})
    now = before.iloc[::-1].copy()
    now.loc[1, "x"], now.loc[3, "plan"] = 1.25, None
    now["new"] = 1
    paths = table(tmp_path, f"a.{ending}", before.iloc[1:]), table(tmp_path, f"b.{ending}", now)
    found = changed_keys(*paths, ("id",))
    assert found is not None
    assert set(found) == set(text_hashes(np.array([keys[1], keys[3]])))


def test_without_keys_nobody_knows(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 1], "x": [1, 2]})
    place = table(tmp_path, "a.csv", frame)
    assert changed_keys(place, place, ("id",)) is None
    assert changed_keys(place, place, ("key",)) is None
    assert changed_keys(place, place, ()) is None
    with pytest.raises(UsageError):
        changed_keys(tmp_path / "none.csv", place, ("id",))


def read(folder: Path, name: str, lines: list[str]) -> Predictions:
    (folder / name).write_text("\n".join(lines) + "\n")
    return read_predictions(folder / name, ColumnsRequest(task="classes"))


def test_answers_are_alike_row_by_row(tmp_path: Path) -> None:
    one = read(tmp_path, "a.csv", ["id,label,score", "1,0,0.25", "2,1,0.75", "3,1,0.5"])
    two = read(tmp_path, "b.csv", ["id,label,score", "3,1,0.5", "2,1,0.7", "9,0,0.1"])
    keys, alike = answered_alike(one, two)
    assert dict(zip(keys, alike, strict=True)) == dict(
        zip(text_hashes(np.array([2, 3])), [False, True], strict=True)
    )


def test_classes_are_compared_by_their_names(tmp_path: Path) -> None:
    """The code of a class is another one where a file has other classes."""
    one = read(tmp_path, "a.csv", ["id,label,prediction", "1,b,b", "2,c,c", "3,c,b"])
    two = read(tmp_path, "b.csv", ["id,label,prediction", "1,b,b", "2,c,a", "3,c,b"])
    assert answered_alike(one, two)[1].tolist() == [True, False, True]
