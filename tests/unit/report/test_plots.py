from __future__ import annotations

import io
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from mlops_ci.report import render_html, report_of
from mlops_ci.report.curves import (
    Curve,
    bands,
    calibration,
    confusion,
    difference_curve,
    precision_recall_curve,
    roc_curve,
    thin,
)
from mlops_ci.report.forest_plot import gate_forest
from mlops_ci.report.plots import MAX_BYTES, draw_plots
from tests.unit.report.pictures import plots, predictions
from tests.unit.report.states import SECTIONS, better, compared, drop, first, metric, worse
from tests.unit.report.test_ladder import wide

NAMES = {
    "binary": ["roc", "precision-recall", "calibration", "confusion"],
    "multiclass": ["confusion"],
    "regression": ["residuals", "residual-bands"],
}


@pytest.mark.parametrize("task", NAMES)
def test_pictures_of_each_task(task: str) -> None:
    classes = 5 if task == "multiclass" else 2
    pair = [predictions(task, noise, classes=classes) for noise in (0.8, 0.6)]
    made = draw_plots(pair[0], pair[1])
    assert [plot.name for plot in made] == NAMES[task]
    for plot in made:
        for picture in (plot.light, plot.dark):
            assert picture.startswith(b"\x89PNG")
            assert len(picture) <= MAX_BYTES
        assert plot.light != plot.dark
        assert plot.title
    assert draw_plots(pair[0], pair[1]) == made


def inked(picture: bytes) -> tuple[int, ...]:
    """Where anything is drawn: first and last row, first and last column."""
    from matplotlib.image import imread

    pixels = imread(io.BytesIO(picture))
    drawn = np.argwhere((pixels != pixels[0, 0]).any(axis=2))
    return (*drawn.min(axis=0), *drawn.max(axis=0))


def test_light_and_dark_are_the_same_picture_in_other_colours() -> None:
    for plot in draw_plots(predictions("binary", 0.8), predictions("binary", 0.6)):
        assert inked(plot.light) == inked(plot.dark)
        assert inked(plot.light)[0] > 0, "nothing is cut off"


def test_pictures_tell_base_from_head() -> None:
    one, other = predictions("binary", 0.8), predictions("binary", 0.6)
    assert draw_plots(one, other)[0].light != draw_plots(other, one)[0].light


def test_first_run_shows_head_alone() -> None:
    assert [plot.name for plot in draw_plots(None, predictions("binary", 0.8))] == NAMES["binary"]


def test_many_classes_and_hostile_names_stay_a_picture() -> None:
    made = draw_plots(
        predictions("multiclass", 1.0, classes=40),
        predictions("multiclass", 0.5, classes=40),
        ("$\\frac{1}{0}$", "_hidden" * 30),
    )
    assert all(len(plot.light) <= MAX_BYTES for plot in made)


def test_one_class_alone_has_no_curve() -> None:
    from dataclasses import replace

    rows = predictions("binary", 0.8)
    single = replace(rows, label=np.ones_like(rows.label))
    assert [plot.name for plot in draw_plots(single, single)] == ["confusion"]


def test_four_plots_are_quick() -> None:
    draw_plots(predictions("binary", 0.8, rows=50), predictions("binary", 0.6, rows=50))
    pair = predictions("binary", 0.8, rows=100_000), predictions("binary", 0.6, rows=100_000)

    def seconds() -> float:
        started = time.process_time()
        draw_plots(*pair)
        return time.process_time() - started

    assert any(seconds() < 2.0 for _ in range(3)), "a busy machine's core is slower at times"


def test_page_holds_the_pictures_itself() -> None:
    from dataclasses import replace

    page = render_html(report_of([replace(better(), plots=plots())]))
    assert page.count("data:image/png;base64,") == 2 * 6
    assert 'alt="ROC, and the difference"' in page
    assert "(prefers-color-scheme: dark)" in page


def test_roc_by_hand() -> None:
    curve = roc_curve(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]))
    assert curve.x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.y.tolist() == [0, 0.5, 0.5, 1, 1]


def test_curves_agree_with_scikit_learn() -> None:
    from sklearn import metrics

    random = np.random.default_rng(3)
    actual = random.random(500) < 0.3
    score = np.round(random.random(500) + 0.4 * actual, 2).astype(np.float64)  # with ties
    curve = roc_curve(actual, score)
    expected = metrics.roc_curve(actual, score, drop_intermediate=False)
    assert np.allclose(curve.x, expected[0])
    assert np.allclose(curve.y, expected[1])
    precision, recall, _ = metrics.precision_recall_curve(actual, score)
    found = precision_recall_curve(actual, score)
    assert np.allclose(found.x, recall[:-1][::-1])
    assert np.allclose(found.y, precision[:-1][::-1])
    table = metrics.confusion_matrix(actual, score > 0.5, normalize="true")
    assert np.allclose(confusion(actual.astype(int), (score > 0.5).astype(int), 2), table)


def test_difference_is_head_less_base_at_equal_x() -> None:
    base = roc_curve(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]))
    head = roc_curve(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.7, 0.2]))
    change = difference_curve(base, head, 5)
    assert change.x.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert change.y.tolist() == [0.5, 0.25, 0, 0, 0]
    assert (difference_curve(base, base).y == 0).all()


def test_forest_of_the_gates_agrees_with_the_verdict() -> None:
    for made in SECTIONS.values():
        section = made()
        rows = gate_forest(section.gates, [section.metric_of(gate) for gate in section.gates])
        for row in rows:
            low, high = (row.low, row.high) if row.low is not None else (None, None)
            if row.word == "pass" and row.solid:
                assert low is not None
                assert low >= -1
            if row.word == "fail":
                assert high is not None
                assert high < -1


def test_forest_of_slices_is_of_the_metric_that_was_stopped() -> None:
    made = draw_plots(None, None, comparison=worse().comparison)
    assert [plot.name for plot in made] == ["gates", "slices"]
    assert "recall" in made[1].title
    assert "ROC AUC" in draw_plots(None, None, comparison=better().comparison)[1].title


def test_forests_stay_pictures_whatever_their_size_and_names() -> None:
    for comparison in (wide(500, 0).comparison, wide(1, 500, "$x_").comparison):
        for plot in draw_plots(None, None, comparison=comparison):
            for picture in (plot.light, plot.dark):
                assert len(picture) <= MAX_BYTES
                assert struct.unpack(">II", picture[16:24])[1] < 800


IN_PICTURES = (
    "line\nbreak", "\x1b[31mred\x1b[0m\x07", "$x$ $$y$$", "$\\frac{1}{0}$", "$", "_", " ", "x" * 5000,
    "😀" * 40, "漢字", "سلام",
)  # fmt: skip


@pytest.mark.parametrize("name", IN_PICTURES)
def test_a_hostile_name_stays_a_name_in_every_picture(name: str) -> None:
    found = [
        metric(name, 0.5, 0.4, 0.01),
        metric(name, 0.5, 0.4, 0.01, slice=name, n=50),
    ]
    comparison = compared(found, (drop(name, 0.02), drop(name, 0.02, name)))
    made = draw_plots(
        predictions("binary", 0.8, 200), predictions("binary", 0.6, 200), (name, name), comparison
    )
    assert [plot.name for plot in made] == ["gates", "slices", *NAMES["binary"]]
    assert all(len(plot.light) <= MAX_BYTES for plot in made)


def test_first_run_and_files_have_no_forest() -> None:
    assert draw_plots(None, None, comparison=first().comparison) == ()


def test_thinned_curve_keeps_its_ends() -> None:
    x = np.linspace(0, 1, 5000)
    found = thin(Curve(x, x**2), 50)
    assert len(found.x) <= 50
    assert (found.x[0], found.x[-1]) == (0, 1)


def test_calibration_and_bands_hold_their_middles() -> None:
    random = np.random.default_rng(4)
    score = random.random(3000)
    found = calibration(random.random(3000) < score, score)
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()
    assert np.abs(found.share - found.score).max() < 0.1
    spread = bands(score, random.normal(size=3000))
    assert (spread.low < spread.middle).all()
    assert (spread.middle < spread.high).all()


def test_report_room_draws_without_a_window() -> None:
    """pyplot keeps figures and chooses a window system: it is never imported."""
    room = Path(__file__).parents[3] / "mlops_ci" / "report"
    assert not [path.name for path in room.glob("*.py") if "pyplot" in path.read_text("utf-8")]


def test_size_of_a_picture() -> None:
    picture = plots()[2].light
    width, height = struct.unpack(">II", io.BytesIO(picture[16:24]).read())
    assert (width, height) == (460, 360)
