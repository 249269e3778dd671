"""A million rows with mlflow's evaluator: labels alone, and a model of 17 columns.

The peer evaluates one model, so ours does: values and their intervals, from arrays in memory, as
the peer's tables are. Beside it ours of two models, with the intervals of the change, which the
peer has not. What the peer's model needs to answer is taken off its time, for ours has its answers.
The ratio is that of the CPU: of a run so short, a machine that others use too lengthens the wall
time manifold.
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.coverage.worlds import World, draw
from benchmarks.figure import Figure, print_table
from benchmarks.intervals import NAMES, RUNS, Spent, spend
from benchmarks.process import MLFLOW, peer_environment
from mlops_ci.config.model import Policy
from mlops_ci.verdict import PairedRows
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import SingleRows, View, view_of

ROWS = 1_000_000
QUICK = 100_000
COLUMNS = 17
TIMES, COLUMN_TIMES = 50, 400
OF_LABELS = NAMES[:7]
PEER = Path(__file__).with_name("peers") / "mlflow_rows.py"


def run(*, quick: bool = False) -> Figure:
    count = QUICK if quick else ROWS
    scored = draw(World(count, 0.3, 0.8), np.random.default_rng(0))
    said = replace(
        scored, base=replace(scored.base, score=None), head=replace(scored.head, score=None)
    )
    theirs = _peer(count)
    what = "labels alone", f"scores; mlflow: a model of {COLUMNS} columns"
    table: list[tuple[str, ...]] = [
        (
            "rows",
            "what",
            "models of ours",
            "ours: wall, CPU",
            "mlflow, one: wall, CPU",
            "CPU, times",
        )
    ]
    ours: list[tuple[Spent, Spent]] = []
    for line, rows, names, peer in zip(
        what, (said, scored), (OF_LABELS, NAMES), (theirs["labels"], theirs["columns"]), strict=True
    ):
        one, two = (spend(partial(_all, view, names), RUNS) for view in _views(rows))
        ours.append((one, two))
        table += [_line(count, line, "one", one, peer), _line(count, line, "two", two, peer)]
    print_table(table)
    kept = [max(one.memory for pair in ours for one in pair), theirs["memory"]]
    print("memory beyond the rows: ours {:.0f} MB, mlflow {:.0f} MB".format(*np.divide(kept, 1e6)))
    (labels, _), (columns, pair) = ours
    times = theirs["labels"][1] / labels.cpu, theirs["columns"][1] / columns.cpu
    return Figure(
        name="evaluate",
        ours=columns.wall,
        peer=theirs["columns"][0],
        peer_name="mlflow evaluate",
        unit="s",
        goal=f"CPU: labels ≤ 1/{TIMES} of the peer (1/{times[0]:.0f}), "
        f"columns ≤ 1/{COLUMN_TIMES} (1/{times[1]:.0f}; of two models with the change's intervals "
        f"1/{theirs['columns'][1] / pair.cpu:.0f})",
        cpu=columns.cpu,
        holds=times[0] >= TIMES and times[1] >= COLUMN_TIMES,
    )


def _views(rows: PairedRows) -> tuple[View, View]:
    """Of head alone, and of both."""
    return view_of(SingleRows(rows.task, rows.classes, rows.label, rows.head)), view_of(rows)


def _line(count: int, what: str, models: str, ours: Spent, peer: list[float]) -> tuple[str, ...]:
    spent = f"{ours.wall:.3f}, {ours.cpu:.3f} s", f"{peer[0]:.1f}, {peer[1]:.1f} s"
    return f"{count:,}", what, models, *spent, f"{peer[1] / ours.cpu:,.0f}"


def _all(view: View, names: tuple[str, ...]) -> None:
    part = Part(view, Policy(), None)
    for name in names:
        found = measure(part, name)
        if None in found.own[: part.sides] or (part.sides > 1 and found.change is None):
            raise SystemExit(f"{name} was not assessed: {found.note}")


def _peer(count: int) -> dict[str, Any]:
    python = peer_environment("mlflow", *MLFLOW) / "python"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, PEER, str(count), str(COLUMNS)],
            check=True,
            capture_output=True,
            text=True,
            cwd=folder,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if not all(math.isclose(one, found["truth"]) for one in found["accuracy"]):
        raise SystemExit(f"mlflow's accuracy is {found['accuracy']}, not {found['truth']}")
    return found
