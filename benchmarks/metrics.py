"""200 metrics from two JSON files to a diff, against `dvc metrics diff`."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from benchmarks.figure import Figure, print_table
from benchmarks.process import DVC, HEADING, our_program, peer_environment, time_in_turn

COUNT = 200


def run() -> Figure:
    dvc = peer_environment("dvc", *DVC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "base.json", 0.90)
        _write(folder / "metrics.json", 0.90)
        for command in (
            "git init -q .",
            "git config user.email a@b",
            "git config user.name a",
            f"{dvc / 'dvc'} init -q",
            "git add .",
            "git commit -qm base",
        ):
            subprocess.run(command.split(), cwd=folder, check=True)
        _write(folder / "metrics.json", 0.91)
        ours, theirs = time_in_turn(
            [our_program(), "compare", "base.json", "metrics.json", "--json"],
            [str(dvc / "dvc"), "metrics", "diff", "--targets", "metrics.json", "--json"],
            cwd=folder,
        )
    named = (("mlops-ci compare", ours), ("dvc metrics diff", theirs))
    print_table([HEADING, *((name, *timing.cells) for name, timing in named)])
    return Figure(
        name="metrics",
        ours=ours.seconds,
        peer=theirs.seconds,
        peer_name="dvc metrics diff",
        unit="s",
        goal="≤ 0.100 s",
        cpu=ours.cpu,
        holds=ours.seconds <= 0.100,
    )


def _write(path: Path, value: float) -> None:
    path.write_text(json.dumps({"test": {f"metric_{n}": value + n / 1e4 for n in range(COUNT)}}))
