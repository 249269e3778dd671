"""A million rows with mlflow's evaluator: of one model, labels alone and a model of 17 columns.

Ours compares two models, with intervals; from arrays in memory, as the peer's tables are. What the
peer's model needs to answer is taken off its time, for ours has its answers. The ratio is that of
the CPU: of a run so short, a machine that others use too lengthens the wall time manifold.
"""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from dataclasses import replace
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
from mlops_ci.verdict.rows import view_of

ROWS = 1_000_000
QUICK = 100_000
COLUMNS = 17
TIMES, COLUMN_TIMES = 50, 400
OF_LABELS = NAMES[:7]
PEER = Path(__file__).with_name("peers") / "mlflow_rows.py"


def run(*, quick: bool = False) -> Figure:
    count = QUICK if quick else ROWS
    rows = draw(World(count, 0.3, 0.8), np.random.default_rng(0))
    labels = replace(rows, base=replace(rows.base, score=None), head=replace(rows.head, score=None))
    ours = [spend(lambda: _all(labels, OF_LABELS), RUNS), spend(lambda: _all(rows, NAMES), RUNS)]
    theirs = _peer(count)
    seconds = [theirs["labels"], theirs["columns"]]
    what = "labels alone", f"scores; mlflow: a model of {COLUMNS} columns"
    table: list[tuple[str, ...]] = [
        ("rows", "what", "ours, two models: wall, CPU", "mlflow, one: wall, CPU", "CPU, times")
    ]
    table += [_line(count, *one) for one in zip(what, ours, seconds, strict=True)]
    print_table(table)
    kept = [max(one.memory for one in ours), theirs["memory"]]
    print("memory beyond the rows: ours {:.0f} MB, mlflow {:.0f} MB".format(*np.divide(kept, 1e6)))
    times = [peer[1] / one.cpu for peer, one in zip(seconds, ours, strict=True)]
    return Figure(
        name="evaluate",
        ours=ours[1].wall,
        peer=seconds[1][0],
        peer_name="mlflow evaluate, one model",
        unit="s",
        goal=f"CPU: labels ≤ 1/{TIMES} of the peer (1/{times[0]:.0f}), "
        f"columns ≤ 1/{COLUMN_TIMES} (1/{times[1]:.0f})",
        cpu=ours[1].cpu,
        holds=times[0] >= TIMES and times[1] >= COLUMN_TIMES,
    )


def _line(count: int, what: str, ours: Spent, peer: list[float]) -> tuple[str, ...]:
    spent = f"{ours.wall:.3f}, {ours.cpu:.3f} s", f"{peer[0]:.1f}, {peer[1]:.1f} s"
    return f"{count:,}", what, *spent, f"{peer[1] / ours.cpu:,.0f}"


def _all(rows: PairedRows, names: tuple[str, ...]) -> None:
    part = Part(view_of(rows), Policy(), None)
    for name in names:
        found = measure(part, name)
        if found.change is None:
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
