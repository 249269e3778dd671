"""Do the intervals hold what they promise, and what becomes of good and bad models?

`python -m benchmarks coverage [--quick]`: minutes on two cores. Everything is seeded.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from benchmarks.coverage.decisions import (
    CHANGES,
    SIZES,
    decide,
    print_decisions,
    print_repeats,
    repeat,
    wrong_decisions,
    wrong_repeats,
)
from benchmarks.coverage.misses import (
    by_size,
    fall_short,
    print_misses,
    print_worst,
    repeats,
    simulate,
    total,
)
from benchmarks.coverage.worlds import grid
from benchmarks.figure import Figure

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def run(*, quick: bool = False) -> Figure:
    started = time.perf_counter()
    worlds = grid(quick=quick)
    sizes = SIZES[:2] if quick else SIZES
    many = 100 if quick else 300
    decisions = [(n, change) for n in sizes for change in CHANGES]
    results = _all(
        simulate,
        [(world, repeats(world.n, quick=quick), seed) for seed, world in enumerate(worlds)],
    )
    rates = _all(decide, [(n, change, many) for n, change in decisions])
    again = _all(repeat, [(n, many) for n in sizes[:3]])
    worlds_found = list(zip(worlds, results, strict=True))
    found, judged = by_size(worlds_found), dict(zip(decisions, rates, strict=True))
    aa = dict(zip(sizes, again, strict=False))
    print_misses(found)
    print_worst(worlds_found)
    print_decisions(judged)
    print_repeats(aa)
    short = [*fall_short(found), *wrong_decisions(judged), *wrong_repeats(aa)]
    print("\n" + "\n".join(short or ["All that was promised holds."]))
    print(f"{time.perf_counter() - started:.0f} s")
    whole = total(one for (_, n, group), one in found.items() if n // max(group, 1) >= 500)
    return Figure(
        name="coverage",
        ours=round(100 * whole.coverage, 2),
        unit="%",
        goal="94 … 96 % (smooth), tails ≤ 2.5 % (discrete), bad models pass ≤ 2.5 %",
        holds=not short,
    )


def _all(work: Callable[[Task], Answer], tasks: Sequence[Task]) -> list[Answer]:
    """The longest first, so that no core waits for the last one."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=os.nice, initargs=(10,)) as pool:
        return list(reversed(list(pool.map(work, reversed(tasks)))))
