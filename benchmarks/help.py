"""`--help`, whole process."""

from __future__ import annotations

from benchmarks.figure import Figure, print_table
from benchmarks.process import DVC, HEADING, MLFLOW, our_program, peer_environment, time_in_turn

GOAL_SECONDS = 0.130


def run() -> Figure:
    mlflow = peer_environment("mlflow", *MLFLOW)
    dvc = peer_environment("dvc", *DVC)
    ours, theirs, other = time_in_turn(
        [our_program(), "--help"], [str(mlflow / "mlflow"), "--help"], [str(dvc / "dvc"), "--help"]
    )
    named = (("mlops-ci", ours), ("mlflow", theirs), ("dvc", other))
    print_table([HEADING, *((name, *timing.cells) for name, timing in named)])
    return Figure(
        name="help",
        ours=ours.seconds,
        peer=theirs.seconds,
        peer_name="mlflow --help",
        unit="s",
        goal="≤ 0.130 s",
        cpu=ours.cpu,
        holds=ours.seconds <= GOAL_SECONDS,
    )
