"""Rows in chunks that stay in a core's cache, on as many threads as there are cores.

numpy lets go of the interpreter while it works on an array, so threads are enough.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import TypeVar

ROWS = 1 << 16
# Below this many rows a thread costs more than it brings; with chunks, between which threads wait
# for the interpreter, below these.
MANY, MANY_CHUNKS = 1 << 17, 1 << 21
THREADS = min(4, os.cpu_count() or 1)

T = TypeVar("T")


def fold(
    work: Callable[[slice], T], merge: Callable[[T, T], T], n: int, rows: int | None = None
) -> T:
    """`work` of every chunk of n > 0 rows, merged. `rows`: of a chunk; None: `ROWS`."""
    step = rows or ROWS
    parts = [slice(start, min(start + step, n)) for start in range(0, n, step)]
    if n < MANY_CHUNKS or THREADS < 2:
        return reduce(merge, map(work, parts))
    share = -(-len(parts) // THREADS)
    # Each thread takes neighbouring chunks: handing every chunk over would cost more than its work.
    shares = [parts[start : start + share] for start in range(0, len(parts), share)]
    works = [lambda own=own: reduce(merge, map(work, own)) for own in shares]
    return reduce(merge, together(works, n))


def together(works: Iterable[Callable[[], T]], n: int) -> Iterator[T]:
    """Each of `works`, all at once where `n` rows are worth it, in their order."""
    if n < MANY or THREADS < 2:
        yield from (work() for work in works)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(THREADS) as threads:
        yield from threads.map(lambda work: work(), works)
