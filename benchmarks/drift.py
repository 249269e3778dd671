"""Drift of 20 columns: all distances and their tests, beside Evidently's preset, which has one
distance for each column. Both start from arrays in memory; imports are not counted.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figure import Figure, print_table
from benchmarks.intervals import RUNS, Spent, spend
from benchmarks.process import EVIDENTLY, peer_environment
from mlops_ci.verdict.drift import Values, measure_drift
from mlops_ci.verdict.rows import Floats

ROWS = 1_000_000
QUICK = 100_000
COLUMNS = 20
TIMES = 300
MEMORY = 50e6
PEER = Path(__file__).with_name("peers") / "evidently_drift.py"


def run(*, quick: bool = False) -> Figure:
    rows = QUICK if quick else ROWS
    sides = _draw(rows)
    columns = {f"x{n}": Values(sides[0, n], sides[1, n]) for n in range(COLUMNS)}
    ours = spend(lambda: measure_drift(columns), RUNS)
    theirs = _peer(sides)
    _check(sides, [one.wasserstein for one in measure_drift(columns)], theirs["distances"])
    memory = f"{theirs['memory'] / 1e6:.0f}"
    print_table(
        [
            ("what", "rows", "wall, s", "CPU, s", "memory, MB"),
            _line("ours: KS, PSI, Wasserstein, Jensen–Shannon, q", rows, ours),
            ("Evidently: Wasserstein", f"{rows:,}", f"{theirs['seconds']:.1f}", "–", memory),
        ]
    )
    print(f"Evidently / ours: {theirs['seconds'] / ours.wall:,.0f}")
    return Figure(
        name="drift",
        ours=ours.wall,
        peer=theirs["seconds"],
        peer_name="Evidently's preset",
        unit="s",
        goal=f"≤ 1/{TIMES} of the peer and ≤ 50 MB",
        cpu=ours.cpu,
        holds=ours.wall * TIMES <= theirs["seconds"] and ours.memory <= MEMORY,
    )


def _line(what: str, rows: int, spent: Spent) -> tuple[str, ...]:
    memory = f"{spent.memory / 1e6:.0f}"
    return what, f"{rows:,}", f"{spent.wall:.3f}", f"{spent.cpu:.3f}", memory


def _draw(rows: int) -> Floats:
    """[2, columns, rows]: normal, skewed and whole numbers; every third column drifts a little."""
    rng = np.random.default_rng(0)
    sides = rng.normal(size=(2, COLUMNS, rows))
    sides[1, ::3] += 0.2
    sides[:, 14:18] = np.exp(sides[:, 14:18])
    sides[:, 18:] = np.rint(10 * sides[:, 18:])
    return np.asarray(sides)


def _peer(sides: Floats) -> dict[str, Any]:
    python = peer_environment("evidently", *EVIDENTLY) / "python"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sides.npy"
        np.save(file, sides)
        done = subprocess.run(
            [python, PEER, file], check=True, capture_output=True, text=True, cwd=folder
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _check(sides: Floats, ours: list[float | None], theirs: list[float]) -> None:
    """Evidently divides by base's standard deviation. A fast run with another answer is none."""
    spread = np.std(sides[0], axis=1)
    own = [(one or 0.0) / float(by) for one, by in zip(ours, spread, strict=True)]
    if not np.allclose(own, theirs, rtol=0.01, atol=1e-3):
        raise SystemExit(f"ours {own} and Evidently's {theirs} are not the same distances")
