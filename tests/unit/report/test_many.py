"""Pictures of many rows show some of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlops_ci.data import room
from mlops_ci.data.predictions import read_predictions, sample_of
from mlops_ci.report.charts import draw_charts
from tests.unit.data.files import binary, write


def test_a_picture_of_many_rows_is_that_of_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = read_predictions(write(tmp_path / "rows.parquet", binary(4_000)))
    assert sample_of(rows) is rows
    whole = draw_charts(None, rows)
    monkeypatch.setattr(room, "MANY", 1_000)
    some = sample_of(rows)
    assert some.rows == 1_000
    assert some.keys is not None
    assert rows.keys is not None
    assert some.score is not None
    assert rows.score is not None
    assert np.array_equal(some.score, rows.score[some.keys])
    assert [chart.name for chart in draw_charts(None, rows)] == [chart.name for chart in whole]
    assert draw_charts(None, rows) == draw_charts(None, some) != whole
