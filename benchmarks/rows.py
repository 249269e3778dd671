"""A hundred million rows from two Parquet files to verdict and report: whole process.

The files (some 2 GB) are made once, below TMPDIR, and removed in the end. `--quick` takes ten
million rows and a tenth of the time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figure import Figure, print_table
from benchmarks.process import HEADING, our_program, time_in_turn

ROWS = 100_000_000
GOAL_SECONDS = 30.0  # on two cores that do nothing else
GOAL_BYTES = 2 * 2**30
RUNS = 1  # after one that is not counted


def run(*, quick: bool = False) -> Figure:
    rows = ROWS // 10 if quick else ROWS
    goal = GOAL_SECONDS * rows / ROWS
    with tempfile.TemporaryDirectory(prefix="mlops-ci-rows-") as name:
        write_rows(Path(name), rows)
        gates = ["--max-drop", "roc_auc=0.01", "--max-drop", "log_loss=0.01"]
        whole = [our_program(), "compare", "base.parquet", "head.parquet", *gates]
        (ours,) = time_in_turn(whole, cwd=Path(name), runs=RUNS)
    print_table([HEADING, (f"mlops-ci compare, {rows:,} rows", *ours.cells)])
    return Figure(
        name="rows",
        ours=ours.seconds,
        unit="s",
        goal=f"≤ {goal:g} s on two cores; ≤ 2 GiB ({ours.peak_bytes / 2**30:.2f} GiB)",
        cpu=ours.cpu,
        holds=ours.seconds <= goal and ours.peak_bytes <= GOAL_BYTES,
    )


def write_rows(folder: Path, rows: int) -> None:
    """Two models that share most of what they know of a row; every run writes the same."""
    import duckdb

    def normal(seed: int) -> str:
        one, other = (
            f"((hash(i * 8 + {seed + at}) >> 11) + 1) / 9007199254740993.0" for at in (0, 1)
        )
        return f"sqrt(-2 * ln({one})) * cos(2 * pi() * {other})"

    label = "CAST(hash(i * 8) % 10 < 3 AS TINYINT)"
    for name, noise, seed in (("base", 1.0, 3), ("head", 0.98, 5)):
        logit = f"{normal(1)} + {label} - 0.5 + {noise} * {normal(seed)}"
        with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
            connection.execute(
                f"COPY (SELECT i AS id, {label} AS label, 1 / (1 + exp(-({logit}))) AS score "
                f"FROM range({rows}) AS rows(i)) TO '{folder / name}.parquet' (FORMAT parquet)"
            )
