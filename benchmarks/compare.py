"""Compare and report on 10,000 rows: whole process, start-up counted, without plots."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from benchmarks.figure import Figure, print_table
from benchmarks.process import HEADING, MLFLOW, our_program, peer_environment, time_in_turn

ROWS = 10_000
METRICS = 20
GOAL_SECONDS = 1.0
GOAL_BYTES = 250e6
PEER = Path(__file__).parent / "peers" / "mlflow_evaluate.py"


def run() -> Figure:
    mlflow = peer_environment("mlflow", *MLFLOW)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pair(folder)
        gates = ["--max-drop", "roc_auc=0.01", "--max-drop", "accuracy=0.01", "--min", "f1=0.1"]
        whole = [our_program(), "compare", "base.csv", "head.csv", *gates, "--slice", "region"]
        count = _count([*whole, "--json"], folder)
        ours, page, theirs = time_in_turn(
            [*whole, "--markdown", "report.md"],
            [*whole, "--html", "report.html"],
            [str(mlflow / "python"), str(PEER), "base.csv", "head.csv"],
            cwd=folder,
        )
    named = (
        (f"mlops-ci compare, {count} metrics with intervals", ours),
        ("the same, with its page and plots", page),
        ("mlflow evaluate ×2", theirs),
    )
    print_table([HEADING, *((what, *timing.cells) for what, timing in named)])
    peak = max(ours.peak_bytes, page.peak_bytes)
    return Figure(
        name="compare",
        ours=ours.seconds,
        peer=theirs.seconds,
        peer_name="mlflow evaluate ×2",
        unit="s",
        goal=f"≤ {GOAL_SECONDS} s; ≤ 250 MB, with plots too",
        cpu=ours.cpu,
        holds=ours.seconds <= GOAL_SECONDS and peak <= GOAL_BYTES and count >= METRICS,
    )


def _count(argv: list[str], folder: Path) -> int:
    done = subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return len(json.loads(done.stdout)["metrics"])


def write_pair(folder: Path, rows: int = ROWS) -> None:
    """Two models' answers on the same rows, the second a little better."""
    import csv

    import numpy as np

    rng = np.random.default_rng(0)
    label = (rng.random(rows) < 0.3).astype(int)
    signal = rng.normal(size=rows) + label
    region = rng.choice(["north", "south", "west"], rows)
    for name, noise in (("base", 1.0), ("head", 0.9)):
        score = 1 / (1 + np.exp(-(signal - 0.5 + noise * rng.normal(size=rows))))
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "label", "prediction", "score", "region"])
            writer.writerows(
                zip(range(rows), label, (score > 0.5).astype(int), score, region, strict=True)
            )
