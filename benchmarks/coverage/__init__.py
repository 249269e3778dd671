"""Do the intervals hold what they promise, and what becomes of good and bad models?

`python -m benchmarks coverage [--quick]`: minutes on two cores. Everything is seeded.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from benchmarks.coverage import decisions, tables
from benchmarks.coverage.scenes import every_scene
from benchmarks.coverage.tally import Scene, simulate, total
from benchmarks.figure import Figure

SAMPLES, QUICK_SAMPLES, FEWEST = 200, 60, 40

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def run(*, quick: bool = False) -> Figure:
    started = time.perf_counter()
    scenes, most = every_scene(quick=quick), QUICK_SAMPLES if quick else SAMPLES
    sizes = decisions.SIZES[:2] if quick else decisions.SIZES
    asked = [(n, change) for n in sizes for change in decisions.CHANGES]
    with _workers() as pool:
        tallies = _all(
            pool, simulate, [(one, _drawn(one, most), seed) for seed, one in enumerate(scenes)]
        )
        rates = _all(pool, decisions.decide, [(*one, most) for one in asked])
        again = _all(pool, decisions.repeat, [(n, most) for n in sizes[:3]])
    results = list(zip(scenes, tallies, strict=True))
    found, regions = tables.pool(results), tables.regions(results)
    judged = dict(zip(asked, rates, strict=True))
    aa = dict(zip(sizes, again, strict=False))
    tables.print_misses(found)
    tables.print_worst(regions)
    tables.print_judged(found)
    decisions.print_decisions(judged)
    decisions.print_repeats(aa)
    short = [
        *tables.fall_short(found),
        *tables.bad_regions(regions),
        *tables.bad_models(found),
        *decisions.wrong_decisions(judged),
        *decisions.wrong_repeats(aa),
    ]
    print("\n" + "\n".join(short or ["All that was promised holds."]))
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = time.perf_counter() - started
    print(f"{took:.0f} s, {spent.ru_utime + spent.ru_stime:.0f} s of CPU")
    covered = total(tables.whole(found)).coverage
    return Figure(
        name="coverage",
        ours=round(100 * covered, 2),
        unit="%",
        goal="94 … 96 % (smooth), tails ≤ 2.5 % (discrete), bad models pass ≤ 2.5 %",
        holds=not short,
    )


def _drawn(scene: Scene, most: int) -> int:
    return max(FEWEST, round(most * scene.weight))


def _workers() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(os.cpu_count(), context, initializer=os.nice, initargs=(10,))


def _all(
    pool: ProcessPoolExecutor, work: Callable[[Task], Answer], tasks: Sequence[Task]
) -> list[Answer]:
    """The longest first, so that no core waits for the last one."""
    return list(reversed(list(pool.map(work, reversed(tasks)))))
