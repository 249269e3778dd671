"""One file's rows in parts by the hash of their keys, so that a part fits into memory.

What the two sides of a join have of one key lies in their parts of one number (Grace hash join:
Kitsuregawa, Tanaka & Moto-oka 1983, doi:10.1007/BF03037022). The parts lie in a file below TMPDIR
that has no name: nothing is left behind, however the process ends.
"""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.arrays import arrays_of, part_of, with_arrays
from mlops_ci.data.feed import UnlikeError
from mlops_ci.data.keys import Hashes, number_of
from mlops_ci.data.room import refuse_full

MOST = (1 << 16) - 1  # parts
UNEVEN = 2  # times the rows of an even share: only keys that occur often make a part so large
SPREAD = 1_000
Part = TypeVar("Part")  # a struct of arrays, one entry a row in each


@dataclass(frozen=True)
class _Column:
    start: int  # bytes before it
    dtype: np.dtype[Any]
    shape: tuple[int, ...]  # of a row


@dataclass(frozen=True)
class _Block:
    """A chunk's rows in the order of their parts. `ends` [parts]: the rows up to a part's end."""

    columns: tuple[_Column, ...]
    ends: NDArray[np.int64]

    def rows(self, part: int) -> tuple[int, int]:
        return (int(self.ends[part - 1]) if part else 0), int(self.ends[part])


class Partitions(Generic[Part]):
    """`rows`: of the file. Raises ComparisonError where the disk has no room, UnlikeError where one
    part would have far more rows than its share, and more than `least`."""

    def __init__(self, parts: int, rows: int, least: int = 0) -> None:
        self.parts = parts
        self._rows = rows
        self._most = max(UNEVEN * rows / parts + SPREAD, least)
        self._counts = np.zeros(parts, dtype=np.int64)
        self._blocks: list[_Block] = []
        self._like: Part | None = None
        self._end = 0
        # Closed by `close`.
        self._file = tempfile.TemporaryFile(prefix="mlops-ci-join-", buffering=0)  # noqa: SIM115

    def add(self, chunk: Part, hashes: Hashes) -> None:
        """`hashes` [rows]: of their keys, one number a key on both sides."""
        place = number_of(hashes, self.parts)
        counts = np.bincount(place, minlength=self.parts)
        self._counts += counts
        if self._counts.max() > self._most:
            raise UnlikeError
        order = np.argsort(place, kind="stable")
        arrays = [narrow(array)[order] for array in arrays_of(chunk)]
        if self._like is None:
            self._like = part_of(chunk, slice(0, 0))
            self._reserve(sum(array.nbytes for array in arrays) * self._rows // len(order))
        self._blocks.append(_Block(tuple(map(self._write, arrays)), np.cumsum(counts)))

    def _reserve(self, size: int) -> None:
        try:
            os.posix_fallocate(self._file.fileno(), 0, max(size, 1))
        except OSError as error:
            refuse_full(error, size, "joined rows")
            raise

    def _write(self, array: NDArray[Any]) -> _Column:
        column = _Column(self._end, array.dtype, array.shape[1:])
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            refuse_full(error, self._end + len(data), "joined rows")
            raise
        self._end += array.nbytes
        return column

    def read(self, part: int) -> Part:
        if self._like is None:
            raise UnlikeError
        likes = arrays_of(self._like)
        rows = int(self._counts[part])
        found = [np.empty((rows, *like.shape[1:]), like.dtype) for like in likes]
        at = 0
        for block in self._blocks:
            start, stop = block.rows(part)
            for array, column in zip(found, block.columns, strict=True):
                array[at : at + stop - start] = self._read(column, start, stop)
            at += stop - start
        return with_arrays(self._like, found)

    def _read(self, column: _Column, start: int, stop: int) -> NDArray[Any]:
        width = column.dtype.itemsize * math.prod(column.shape)
        data = os.pread(self._file.fileno(), (stop - start) * width, column.start + start * width)
        return np.frombuffer(data, column.dtype).reshape(stop - start, *column.shape)

    def close(self) -> None:
        self._file.close()


def narrow(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in fewer bytes, where they fit."""
    if array.dtype.kind in "iu" and array.dtype.itemsize > 1 and len(array):
        low, high = array.min(), array.max()
        kind = np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high))
        return array.astype(kind) if kind.itemsize < array.dtype.itemsize else array
    if array.dtype == np.float64:
        with np.errstate(over="ignore"):
            short = array.astype(np.float32)
        return short if np.array_equal(short, array) else array
    return array
