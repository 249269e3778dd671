"""Compare and report on 10,000 rows: whole process, start-up counted, without plots."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figure import Figure, print_table
from benchmarks.process import MLFLOW, our_program, peer_environment, time_in_turn

ROWS = 10_000
GOAL_SECONDS = 1.0
GOAL_BYTES = 250e6
PEER = Path(__file__).parent / "peers" / "mlflow_evaluate.py"


def run() -> Figure:
    mlflow = peer_environment("mlflow", *MLFLOW)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pair(folder)
        gates = ["--max-drop", "roc_auc=0.01", "--max-drop", "accuracy=0.01", "--min", "f1=0.1"]
        report = ["--slice", "region", "--markdown", "report.md", "--html", "report.html"]
        ours, theirs = time_in_turn(
            [our_program(), "compare", "base.csv", "head.csv", *gates, *report],
            [str(mlflow / "python"), str(PEER), "base.csv", "head.csv"],
            cwd=folder,
        )
    print_table(
        [
            ("program", "wall, ms", "peak, MB"),
            ("mlops-ci compare", f"{ours.seconds * 1000:.0f}", f"{ours.peak_bytes / 1e6:.0f}"),
            (
                "mlflow evaluate ×2",
                f"{theirs.seconds * 1000:.0f}",
                f"{theirs.peak_bytes / 1e6:.0f}",
            ),
        ]
    )
    return Figure(
        name="compare",
        ours=ours.seconds,
        peer=theirs.seconds,
        peer_name="mlflow evaluate",
        unit="s",
        goal="≤ 1.0 s and ≤ 250 MB",
        holds=ours.seconds <= GOAL_SECONDS and ours.peak_bytes <= GOAL_BYTES,
    )


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
