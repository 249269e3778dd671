"""A report of 500 metrics in 40 slices each, in one process: markdown and page, then six plots."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.figure import Figure, print_table
from mlops_ci.config.model import Gate, Policy
from mlops_ci.data import Predictions
from mlops_ci.records import Comparison, MetricResult, Resolution, RowCounts
from mlops_ci.records.comparison import Side
from mlops_ci.verdict import judge

METRICS, SLICES, ROWS = 500, 40, 100_000
TURNS = 5
GOAL_WORDS, GOAL_PLOTS = 0.3, 2.5  # seconds


def run() -> Figure:
    from mlops_ci.report.plots import draw_plots

    comparison = _comparison()
    sides = _predictions(0.8), _predictions(0.6)
    plots = draw_plots(*sides, comparison=comparison)  # imports and fonts, once a process
    words = _median(lambda: _write(comparison))
    drawn = _median(lambda: draw_plots(*sides, comparison=comparison))
    rows = f"{METRICS} metrics × {SLICES} slices"
    print_table(
        [
            ("what", "median, CPU", "goal"),
            (f"comment and page of {rows}", f"{words:.3f} s", f"≤ {GOAL_WORDS} s"),
            (f"with {len(plots)} plots of {ROWS:,} rows", f"{words + drawn:.3f} s",
             f"≤ {GOAL_PLOTS} s"),
        ]
    )  # fmt: skip
    return Figure(
        name="report",
        ours=words + drawn,
        cpu=words + drawn,
        unit="s",
        goal=f"≤ {GOAL_PLOTS} s, without plots ≤ {GOAL_WORDS} s ({words:.3f} s)",
        holds=len(plots) >= 6 and words + drawn <= GOAL_PLOTS and words <= GOAL_WORDS,
    )


def _write(comparison: Comparison) -> tuple[str, str]:
    from mlops_ci.report import render_html, render_markdown, report_of, section_of

    report = report_of([section_of(comparison)])
    return render_markdown(report), render_html(report)


def _median(work: Callable[[], object]) -> float:
    """Of CPU: all of it is one thread's work, and whatever else runs does not count."""
    took = []
    for _ in range(TURNS):
        started = time.process_time()
        work()
        took.append(time.process_time() - started)
    return float(np.median(took))


def _comparison() -> Comparison:
    random = np.random.default_rng(3)
    names = ["roc_auc", "recall", "accuracy", *(f"metric_{n}" for n in range(METRICS - 3))]
    found = [
        _metric(name, where, float(change))
        for name in names
        for where, change in zip(
            [None, *(f"region=r{n}" for n in range(SLICES))],
            random.normal(0.002, 0.004, SLICES + 1),
            strict=True,
        )
    ]
    gates = [Gate(metric=name, kind="max-drop", limit=0.02) for name in names[:20]]
    policy = Policy()
    judged = judge(found, gates, policy)
    return Comparison(
        model="churn",
        base=Side(name="main", commit="a" * 40),
        head=Side(name="head", commit="b" * 40),
        rows=RowCounts(head=ROWS, base=ROWS, paired=ROWS, paired_by="id"),
        level=policy.level,
        policy=policy.on_inconclusive,
        verdict=judged.verdict,
        blocks=judged.blocks,
        metrics=judged.metrics,
        gates=judged.gates,
        primary=judged.primary,
        evidence="paired",
    )


def _metric(name: str, where: str | None, change: float) -> MetricResult:
    half = 0.006
    return MetricResult(
        metric=name,
        slice=where,
        base=0.9,
        head=0.9 + change,
        difference=change,
        low=change - half,
        high=change + half,
        n=ROWS,
        se=half / 1.96,
        method="DeLong",
        evidence="paired",
        higher_is_better=True,
        head_low=0.9 + change - half,
        head_high=0.9 + change + half,
    )


def _predictions(noise: float) -> Predictions:
    from pathlib import Path

    label = np.random.default_rng(7).integers(0, 2, ROWS)
    shown = label + noise * np.random.default_rng(9).normal(0, 1, ROWS)
    return Predictions(
        path=Path("predictions.parquet"),
        digest="sha256:0",
        rows_digest="sha256:0",
        task="binary",
        classes=("0", "1"),
        positive="1",
        keys=None,
        label=label,
        prediction=(shown > 0.5).astype(np.int64),
        score=1 / (1 + np.exp(-3 * (shown - 0.5))),
        slices={},
        resolution=Resolution(task="binary", task_from="given"),
    )
