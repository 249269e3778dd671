"""The rows of two files joined by their keys: in whatever order they come, and whoever lacks some.

Both are cut into parts by the hash of their keys; then part after part is joined in memory. Files
of any size take the memory of a chunk, and below TMPDIR about 20 bytes a row and file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data import room
from mlops_ci.data.arrays import part_of
from mlops_ci.data.feed import Chunk, UnlikeError
from mlops_ci.data.keys import Hashes, hash_keys, hash_texts
from mlops_ci.data.partitions import MOST, Partitions

SHARE = 4  # of a chunk's rows has a part: what joins it takes memory, too


@dataclass(frozen=True)
class Joined:
    """`sides`: the rows of a part that both files have, in one order; `alone`: base's others."""

    sides: tuple[Chunk, Chunk]
    alone: Chunk


class Source(Protocol):
    """One file's rows, chunk by chunk: a Feed. `rows_at_once`: so many may be read."""

    rows: int
    rows_at_once: int
    has_text_keys: bool

    def read(self, part: slice) -> Chunk: ...


def join(feeds: Sequence[Source]) -> Iterator[Joined]:
    """Every row once. Raises as `joined`."""
    with joined(feeds) as parts:
        yield from parts()


@contextmanager
def joined(feeds: Sequence[Source]) -> Iterator[Callable[[], Iterator[Joined]]]:
    """All parts, as often as they are wanted. The next one is joined while one is counted.

    Raises UnlikeError where keys are missing or occur twice, ComparisonError where the disk has no
    room.
    """
    step = min(room.CHUNK, *(feed.rows_at_once for feed in feeds))
    most = max(feed.rows for feed in feeds)
    parts = min(MOST, -(-most // max(1, step // SHARE)))
    texts = any(feed.has_text_keys for feed in feeds)
    with ExitStack() as stack:
        sides = [_Side(feed, Partitions(parts, feed.rows), texts) for feed in feeds]
        for side in sides:
            stack.callback(side.rows.close)
        _cut(sides, step)
        yield lambda: _matched(sides, parts)


def _matched(sides: Sequence[_Side], parts: int) -> Iterator[Joined]:
    with ThreadPoolExecutor(1) as threads:
        ahead = threads.submit(_match, sides, 0)
        for part in range(1, parts + 1):
            found = ahead.result()
            if part < parts:
                ahead = threads.submit(_match, sides, part)
            yield found


@dataclass(frozen=True)
class _Side:
    """`texts`: whether keys are compared as texts."""

    feed: Source
    rows: Partitions[Chunk]
    texts: bool

    def hashes(self, chunk: Chunk) -> Hashes:
        if chunk.key is None:
            raise UnlikeError
        as_text = self.texts and chunk.key.dtype.kind == "i"
        return hash_texts(chunk.key) if as_text else hash_keys(chunk.key)


def _cut(sides: Sequence[_Side], step: int) -> None:
    stop = Event()

    def cut(side: _Side) -> None:
        for part in room.chunks(side.feed.rows, step):
            if stop.is_set():
                return
            chunk = side.feed.read(part)
            side.rows.add(chunk, side.hashes(chunk))

    with ThreadPoolExecutor(len(sides)) as threads:
        works = [threads.submit(cut, side) for side in sides]
        try:
            for work in as_completed(works):
                work.result()
        finally:
            stop.set()


def _match(sides: Sequence[_Side], part: int) -> Joined:
    base, head = (side.rows.read(part) for side in sides)
    left, one = _in_order(sides[0].hashes(base))
    right, other = _in_order(sides[1].hashes(head))
    if np.array_equal(one, other):
        return Joined((part_of(base, left), part_of(head, right)), part_of(base, left[:0]))
    place = np.searchsorted(other, one)
    place[place == len(other)] = 0
    common = other[place] == one if len(other) else np.zeros(len(one), np.bool_)
    pair = part_of(base, left[common]), part_of(head, right[place[common]])
    return Joined(pair, part_of(base, left[~common]))


def _in_order(hashes: Hashes) -> tuple[NDArray[np.int64], Hashes]:
    """The rows in the order of their hashes, and these."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    if (ordered[1:] == ordered[:-1]).any():
        raise UnlikeError
    return order, ordered
