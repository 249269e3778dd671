"""The tables that a model is asked with, and what it answers into."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from mlops_ci.steps.model_child import column_of, read_table, write_table


@pytest.mark.parametrize(
    "ending", [".csv", ".csv.gz", ".tsv", ".jsonl", ".ndjson", ".jsonl.gz", ".parquet"]
)
def test_what_is_written_can_be_read(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame({"id": [1, 2], "plan": ["a", "b"], "score": [0.25, 1 / 3]})
    place = str(tmp_path / f"answers{ending}")
    write_table(table, place)
    pd.testing.assert_frame_equal(read_table(place), table)


@pytest.mark.parametrize(
    ("classes", "positive", "column"),
    [
        (["churn", "stay"], "churn", 0),
        (["churn", "stay"], "stay", 1),
        ([0, 1], "1", 1),
        ([0, 1], "0", 0),
        ([False, True], "false", 0),
        ([0, 1], None, 1),
        (["a", "b"], "unknown", 1),
    ],
)
def test_the_score_is_that_of_the_positive_class(
    classes: list[object], positive: str | None, column: int
) -> None:
    assert column_of(SimpleNamespace(classes_=classes), positive) == column
