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
# What seems wrong is drawn so many times as often again; its first seed.
TIMES, OTHER = 5, 100_000

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
        results = list(zip(scenes, tallies, strict=True))
        doubted = tables.wrong(results)
        second = _all(pool, simulate, _once_more(scenes, doubted, most))
        rates = _all(pool, decisions.decide, [(*one, most) for one in asked])
        again = _all(pool, decisions.repeat, [(n, most) for n in sizes[:3]])
    found, regions = tables.pool(results), tables.regions(results)
    judged = dict(zip(asked, rates, strict=True))
    aa = dict(zip(sizes, again, strict=False))
    tables.print_misses(found)
    tables.print_worst(regions)
    tables.print_judged(found)
    decisions.print_decisions(judged)
    decisions.print_repeats(aa)
    again_wrong = tables.wrong(list(zip(_of(scenes, doubted), second, strict=True)))
    print("\n" + "\n".join(f"Drawn {TIMES} times as often again: {one}" for one in doubted))
    short = [
        *map(str, tables.confirmed(doubted, again_wrong)),
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


def _of(scenes: Sequence[Scene], doubted: Sequence[tables.Wrong]) -> list[Scene]:
    asked = {(one.table, one.n) for one in doubted}
    return [scene for scene in scenes if (scene.table, scene.n) in asked]


def _once_more(
    scenes: Sequence[Scene], doubted: Sequence[tables.Wrong], most: int
) -> list[tuple[Scene, int, int]]:
    """Of some thousand rates one lies beyond any bound by chance. So what does is drawn anew, with
    other seeds and so often that the bound is nearer, and those samples alone decide.
    """
    again = _of(scenes, doubted)
    return [(one, TIMES * _drawn(one, most), OTHER + seed) for seed, one in enumerate(again)]


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
