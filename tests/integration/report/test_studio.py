"""The process that draws: the same bytes, and no end of a report when it dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_ci.data import Predictions, read_predictions
from mlops_ci.report.plots import draw_plots
from mlops_ci.report.studio import MOST_ROWS, Rows, Studio, open_studio
from tests.unit.data.files import binary, write
from tests.unit.report.states import SECTIONS

NAMES = ("main", "this PR")


@pytest.fixture
def studio() -> Iterator[Studio]:
    found = open_studio(NAMES[1])
    assert found is not None
    yield found
    found.close()


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    paths = (write(tmp_path / f"{seed}.csv", binary(300, seed)) for seed in (1, 2))
    base, head = (read_predictions(path) for path in paths)
    return base, head


def test_another_process_draws_the_same_bytes(studio: Studio, rows: Rows) -> None:
    comparison = SECTIONS["worse"]().comparison
    drawing = studio.begin(rows, NAMES[0])
    assert drawing is not None
    assert drawing.plots(comparison) == draw_plots(*rows, NAMES, comparison)


def test_a_first_run_has_no_base(studio: Studio, rows: Rows) -> None:
    drawing = studio.begin((None, rows[1]), NAMES[0])
    assert drawing is not None
    assert drawing.plots(None) == draw_plots(None, rows[1], NAMES)


def test_who_died_is_replaced_by_ourselves(studio: Studio, rows: Rows) -> None:
    drawing = studio.begin(rows, NAMES[0])
    assert drawing is not None
    for number in list(studio.executor._processes):
        os.kill(number, signal.SIGKILL)
    assert drawing.plots(None) == draw_plots(*rows, NAMES)


def test_many_rows_stay_where_they_are(studio: Studio, rows: Rows) -> None:
    class Many(Predictions):
        rows = MOST_ROWS + 1

    fields = {name: getattr(rows[1], name) for name in rows[1].__dataclass_fields__}
    assert studio.begin((rows[0], Many(**fields)), NAMES[0]) is None
