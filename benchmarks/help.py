"""`--help`, whole process."""

from __future__ import annotations

from benchmarks.figure import Figure, print_table
from benchmarks.process import DVC, MLFLOW, our_program, peer_environment, time_in_turn

GOAL_SECONDS = 0.130


def run() -> Figure:
    mlflow = peer_environment("mlflow", *MLFLOW)
    dvc = peer_environment("dvc", *DVC)
    ours, theirs, other = time_in_turn(
        [our_program(), "--help"], [str(mlflow / "mlflow"), "--help"], [str(dvc / "dvc"), "--help"]
    )
    print_table(
        [
            ("program", "wall, ms", "peak, MB"),
            *(
                (name, f"{t.seconds * 1000:.0f}", f"{t.peak_bytes / 1e6:.0f}")
                for name, t in (("mlops-ci", ours), ("mlflow", theirs), ("dvc", other))
            ),
        ]
    )
    return Figure(
        name="help",
        ours=ours.seconds,
        peer=theirs.seconds,
        peer_name="mlflow --help",
        unit="s",
        goal="≤ 0.130 s",
        holds=ours.seconds <= GOAL_SECONDS,
    )
