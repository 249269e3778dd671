"""All paired intervals of rows in memory: ROC AUC, the confusion metrics, log loss, Brier.

Beside them all that a comparison of two classes measures if not told otherwise, average precision
and calibration too; scikit-learn's point values of both models, which have no interval; and the
loop of 1,000 resamples that gives the AUC one (three of them timed, times 1,000/3).
"""

from __future__ import annotations

import ctypes
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.coverage.worlds import World, draw
from benchmarks.figure import Figure, print_table
from mlops_ci.config.model import Policy
from mlops_ci.verdict import PairedRows, compare_paired
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of

NAMES = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "roc_auc",
    "log_loss", "brier",
)  # fmt: skip
RUNS = 5
MILLION = 1_000_000
GOALS = {MILLION: 0.15, 10 * MILLION: 1.0}
GOAL_MEMORY = 64e6
RESAMPLES, TIMED = 1_000, 3
TIMES = 10_000


@dataclass(frozen=True)
class Spent:
    """Medians: wall and CPU seconds. `memory`: how far the process grew beyond its rows, bytes."""

    wall: float
    cpu: float
    memory: float


def run(*, quick: bool = False) -> Figure:
    found = {n: _compare(n) for n in (list(GOALS)[:1] if quick else GOALS)}
    rows = _rows(MILLION)
    default = spend(lambda: compare_paired(rows, Policy()), RUNS)
    peer = spend(lambda: _points(rows), 1)
    loop = spend(lambda: _resample(rows, TIMED), 1)
    table: list[tuple[str, ...]] = [("what", "rows", "wall, s", "CPU, s", "extra memory, MB")]
    table += [_line("ours: AUC, confusion, log loss, Brier", n, one) for n, one in found.items()]
    table.append(_line("ours: all default metrics", MILLION, default))
    table.append(_line("scikit-learn: the values alone", MILLION, peer))
    scale = RESAMPLES / TIMED
    whole = Spent(loop.wall * scale, loop.cpu * scale, loop.memory)
    table.append(_line(f"AUC by 1,000 resamples (from {TIMED})", MILLION, whole))
    print_table(table)
    ours = found[MILLION]
    times = whole.cpu / ours.cpu
    print(f"CPU of the loop, extrapolated from {TIMED} of 1,000 resamples / ours: {times:,.0f}")
    return Figure(
        name="intervals",
        ours=ours.wall,
        peer=peer.wall,
        peer_name="scikit-learn, no intervals",
        unit="s",
        goal=f"1e6 rows ≤ 0.15 s, ≤ 64 MB, CPU ≤ 1/{TIMES:,} of the loop's; 1e7 ≤ 1.0 s",
        cpu=ours.cpu,
        holds=all(one.wall <= GOALS[n] for n, one in found.items())
        and ours.memory <= GOAL_MEMORY
        and times >= TIMES,
    )


def _line(what: str, n: int, spent: Spent) -> tuple[str, ...]:
    memory = f"{spent.memory / 1e6:.0f}"
    return what, f"{n:,}", f"{spent.wall:.3f}", f"{spent.cpu:.3f}", memory


def _rows(n: int) -> PairedRows:
    return draw(World(n, 0.3, 0.8), np.random.default_rng(0))


def _compare(n: int) -> Spent:
    rows = _rows(n)
    return spend(lambda: _all(rows), RUNS)


def _all(rows: PairedRows) -> Sequence[object]:
    part = Part(view_of(rows), Policy(), None)
    return [measure(part, name) for name in NAMES]


def spend(work: Callable[[], object], runs: int) -> Spent:
    """Memory is that of the first call, which is not timed where there are more."""
    gc.collect()
    # What was freed is given back, or the first call would find its memory there already.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, walls, cpus = _peak(), [], []
    for run in range(runs + (runs > 1)):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        if not run:
            memory = _peak() - before
    return Spent(statistics.median(walls[-runs:]), statistics.median(cpus[-runs:]), memory)


def _peak() -> float:
    """Of resident memory since the last reset, in bytes."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) * 1024


def _points(rows: PairedRows) -> None:
    from sklearn import metrics

    for side in (rows.base, rows.head):
        said, score = side.prediction, side.score
        metrics.precision_recall_fscore_support(rows.label, said, average="binary")
        for of_classes in ("accuracy", "balanced_accuracy"):
            getattr(metrics, f"{of_classes}_score")(rows.label, said)
        metrics.matthews_corrcoef(rows.label, said)
        for of_scores in (metrics.roc_auc_score, metrics.log_loss, metrics.brier_score_loss):
            of_scores(rows.label, score)


def _resample(rows: PairedRows, times: int) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    for _ in range(times):
        drawn = rng.integers(0, len(rows.label), len(rows.label))
        for side in (rows.base, rows.head):
            if side.score is not None:
                roc_auc_score(rows.label[drawn], side.score[drawn])
