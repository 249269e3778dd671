"""Predictions for pictures, drawn once and always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlops_ci.data import Predictions
from mlops_ci.records import Resolution
from mlops_ci.report import Plot
from tests.unit.report.states import better


def predictions(task: Any, noise: float, rows: int = 2000, classes: int = 2) -> Predictions:
    random = np.random.default_rng(7)
    names: tuple[str, ...] = tuple(str(code) for code in range(classes))
    score: Any = None
    if task == "regression":
        label: Any = random.normal(50, 10, rows)
        answer: Any = label + noise * np.random.default_rng(8).normal(0, 5, rows)
        names = ()
    else:
        label = random.integers(0, classes, rows)
        shown = label + noise * np.random.default_rng(9).normal(0, 1, rows)
        answer = np.clip(np.round(shown), 0, classes - 1).astype(np.int64)
        if task == "binary":
            score = 1 / (1 + np.exp(-3 * (shown - 0.5)))
    return Predictions(
        path=Path("predictions.csv"),
        digest="sha256:0",
        rows_digest="sha256:0",
        task=task,
        classes=names,
        positive="1" if task == "binary" else None,
        keys=None,
        label=label,
        prediction=answer,
        score=score,
        slices={},
        resolution=Resolution(task=task, task_from="given"),
    )


def plots() -> tuple[Plot, ...]:
    from mlops_ci.report.plots import draw_plots

    return draw_plots(
        predictions("binary", 0.8), predictions("binary", 0.65), comparison=better().comparison
    )
