"""Where columns lie: in memory, or, when there are many rows, in unnamed files.

The pages of such a file can leave memory at any time, so a comparison of any size stays within a
bounded amount of it. The files have no name: nothing is left behind, however the process ends.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mlops_ci.errors import ComparisonError

MANY = 1 << 22  # rows; from here on columns lie in files
CHUNK = 1 << 21  # rows read, compared or hashed at once


def is_many(rows: int) -> bool:
    return rows > MANY


def room(rows: int, dtype: DTypeLike) -> NDArray[Any]:
    """An array [rows] to be filled. Raises ComparisonError where the disk has no room for it."""
    kind = np.dtype(dtype)
    if not is_many(rows):
        return np.empty(rows, kind)
    size = rows * kind.itemsize
    with tempfile.TemporaryFile(prefix="mlops-ci-column-") as file:
        try:
            # Reserved now: a disk that is full later would end the process without a word.
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            refuse_full(error, size, "a column")
            raise
        return np.asarray(np.memmap(file, kind, "r+", shape=(rows,)))


def taken(values: NDArray[Any], rows: NDArray[np.int64] | slice) -> NDArray[Any]:
    """These rows of an array [rows] or [rows, columns]; where there are many, not in memory."""
    if isinstance(rows, slice) or not is_many(len(rows)):
        return np.asarray(values[rows])
    width = values.size // max(1, len(values))
    found = room(len(rows) * width, values.dtype).reshape(len(rows), *values.shape[1:])
    for part in chunks(len(rows)):
        found[part] = values[rows[part]]
    return found


def chosen(rows: int) -> NDArray[np.int64]:
    """Of many rows as many as lie in memory, in their order: by chance, and evenly."""
    begins = np.arange(MANY + 1) * rows // MANY
    chance = np.random.default_rng(0).random(MANY)
    return begins[:-1] + (chance * np.diff(begins)).astype(np.int64)


def refuse_full(error: OSError, size: int, what: str) -> None:
    """Raises ComparisonError where the disk was full."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise ComparisonError(
            f"there is no room for {size:,} bytes of {what} in {tempfile.gettempdir()}",
            where=tempfile.gettempdir(),
            fix="set TMPDIR to a folder on a larger disk",
        ) from error


def chunks(rows: int, step: int | None = None) -> Iterator[slice]:
    """`step`: rows of one, at most CHUNK."""
    step = min(step or CHUNK, CHUNK)
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def code_type(codes: int, rows: int) -> np.dtype[Any]:
    """Of so many different codes: as small as can be where there are many rows."""
    return np.min_scalar_type(-max(codes, 1)) if is_many(rows) else np.dtype(np.int64)
