"""A million rows, and a hundred million, from two Parquet files to verdict and report: whole
process.

mlflow's evaluator on both files of a million stands beside: labels alone, no intervals. The large
files (some 2 GB) are made once, below TMPDIR, and removed in the end. `--quick` takes ten million
rows and a tenth of the time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.compare import PEER
from benchmarks.figure import Figure, print_table
from benchmarks.process import HEADING, MLFLOW, our_program, peer_environment, time_in_turn

FEWER, ROWS = 1_000_000, 100_000_000
FEWER_SECONDS = 1.5
GOAL_SECONDS = 30.0  # on two cores that do nothing else
GOAL_BYTES = 2 * 2**30
FILES = ["base.parquet", "head.parquet"]
GATES = ["--max-drop", "roc_auc=0.01", "--max-drop", "log_loss=0.01"]


def run(*, quick: bool = False) -> Figure:
    rows = ROWS // 10 if quick else ROWS
    goal = GOAL_SECONDS * rows / ROWS
    python = str(peer_environment("mlflow", *MLFLOW) / "python")
    ours = [our_program(), "compare", *FILES, *GATES]
    with tempfile.TemporaryDirectory(prefix="mlops-ci-rows-") as name:
        folder = Path(name)
        write_rows(folder, FEWER)
        few, peer = time_in_turn(ours, [python, str(PEER), *FILES], cwd=folder)
        write_rows(folder, rows)
        (many,) = time_in_turn(ours, cwd=folder, runs=1)
    named = (
        (f"mlops-ci compare, {FEWER:,} rows", few),
        (f"mlflow evaluate ×2, labels of {FEWER:,} rows", peer),
        (f"mlops-ci compare, {rows:,} rows", many),
    )
    print_table([HEADING, *((what, *timing.cells) for what, timing in named)])
    return Figure(
        name="rows",
        ours=few.seconds,
        peer=peer.seconds,
        peer_name="mlflow evaluate ×2, labels alone",
        unit="s",
        goal=f"1e6 ≤ {FEWER_SECONDS} s; {rows:,} ≤ {goal:g} s on two cores "
        f"({many.seconds:.1f} s), ≤ 2 GiB ({many.peak_bytes / 2**30:.2f} GiB)",
        cpu=few.cpu,
        holds=few.seconds <= FEWER_SECONDS
        and many.seconds <= goal
        and many.peak_bytes <= GOAL_BYTES,
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
                f"COPY (SELECT i AS id, {label} AS label, 1 / (1 + exp(-({logit}))) AS score, "
                "CAST(score > 0.5 AS TINYINT) AS prediction "
                f"FROM range({rows}) AS rows(i)) TO '{folder / name}.parquet' (FORMAT parquet)"
            )
