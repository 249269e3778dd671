"""Statistics of paired rows as bytes, and the file in which a cluster's job hands them over.

The form is MessagePack in the layout of the structs below, arrays deflated. It holds counts and
sums, and no row: `mlops-ci compare FILE.mlops-ci-aggregate` judges it anywhere.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.errors import ComparisonError
from mlops_ci.records import Resolution, RowCounts
from mlops_ci.verdict.aggregates.cells import Cells
from mlops_ci.verdict.aggregates.gaps import BINS, Gaps
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.scale import SLICE, WHOLE, Scale
from mlops_ci.verdict.aggregates.sufficient import Losses, Question, Sufficient
from mlops_ci.verdict.aggregates.sums import Grid, Sums

SCHEMA = "mlops-ci/aggregate/1"
ENDING = ".mlops-ci-aggregate"
MAX_BYTES = 512 * 1024 * 1024
MAX_CELLS = 1 << 24  # bytes of one array of cells, unpacked
FAST = 1  # zlib's level: most of a table is zeros


class _Asked(Struct, frozen=True):
    task: str
    classes: list[str]
    positive: int
    sides: int
    scored: bool
    classed: bool


class _Sums(Struct, frozen=True):
    """Whole numbers as text: they may be longer than 64 bits."""

    n: int
    low: list[float]
    high: list[float]
    totals: list[tuple[list[int], str]]
    lowest: list[float]
    highest: list[float]


class _Gaps(Struct, frozen=True):
    n: int
    total: list[str]
    product: list[str]


class _Part(Struct, frozen=True):
    n: int
    counts: list[int]
    improbable: list[int]
    cells: tuple[bytes, bytes] | None
    joint: tuple[bytes, bytes, bytes, bytes] | None
    gaps: _Gaps | None
    losses: dict[str, _Sums]


class _Stored(Struct, frozen=True, tag_field="schema", tag=SCHEMA):
    asked: _Asked
    identity: tuple[int, int]
    identical: bool
    whole: _Part
    slices: dict[str, _Part]


class Aggregate(Struct, frozen=True, kw_only=True):
    """What a job leaves: `statistics` as of `to_bytes`, and what the record of a comparison says of
    the rows. `apart`: of base's rows and of head's, each by themselves, where too few are common;
    `statistics` are then of no row."""

    statistics: bytes
    counts: RowCounts
    resolution: Resolution
    rows_digest: str
    unscored: int = 0
    added: int = 0
    source: str = ""
    apart: tuple[bytes, bytes] | None = None


def to_bytes(found: Sufficient) -> bytes:
    asked = found.question
    stored = _Stored(
        _Asked(
            asked.task,
            list(asked.classes),
            asked.positive,
            asked.sides,
            asked.scored,
            asked.classed,
        ),
        found.identity,
        found.identical,
        _part_of(found),
        {name: _part_of(part) for name, part in found.slices.items()},
    )
    return msgspec.msgpack.encode(stored)


def from_bytes(data: bytes) -> Sufficient:
    """Raises ComparisonError for bytes that are not of this form, or contradict themselves."""
    try:
        stored = msgspec.msgpack.decode(data, type=_Stored)
        asked = Question(
            msgspec.convert(stored.asked.task, Task),
            tuple(stored.asked.classes),
            stored.asked.positive,
            stored.asked.sides,
            stored.asked.scored,
            stored.asked.classed,
        )
        _check_asked(asked)
        found = _sufficient_of(asked, stored.whole, WHOLE)
        found.identity = stored.identity
        found.slices = {
            name: _sufficient_of(asked, part, SLICE) for name, part in stored.slices.items()
        }
    except (msgspec.MsgspecError, zlib.error, ValueError, TypeError, OverflowError) as error:
        raise _refused(str(error)) from error
    for one in (found, *found.slices.values()):
        one.identical = stored.identical
    return found


def write_aggregate(aggregate: Aggregate, path: Path) -> None:
    """Atomically."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(msgspec.msgpack.encode(aggregate))
    part.replace(path)


def read_aggregate(path: Path) -> tuple[Aggregate, Sufficient]:
    """Raises ComparisonError for a file that is not of this form."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise _refused(f"it has {size:,} bytes, more than {MAX_BYTES:,}", path)
    try:
        aggregate = msgspec.msgpack.decode(path.read_bytes(), type=Aggregate)
        found = from_bytes(aggregate.statistics)
    except msgspec.MsgspecError as error:
        raise _refused(str(error), path) from error
    except ComparisonError as error:
        error.where = str(path)
        raise
    if aggregate.counts.paired != found.n:
        raise _refused(f"{aggregate.counts.paired} rows were paired and {found.n} counted", path)
    return aggregate, found


def is_aggregate(path: Path) -> bool:
    return path.name.endswith(ENDING)


def _refused(why: str, path: Path | None = None) -> ComparisonError:
    return ComparisonError(
        f"the aggregates cannot be read: {why}",
        where="" if path is None else str(path),
        fix="write them anew, with the version of mlops-ci that reads them",
    )


def _part_of(found: Sufficient) -> _Part:
    cells, joint, gaps = found.cells, found.joint, found.gaps
    return _Part(
        n=found.n,
        counts=found.counts.tolist(),
        improbable=found.improbable.ravel().tolist(),
        cells=None if cells is None else (_pack(cells.codes), _pack(cells.counts)),
        joint=None
        if joint is None
        else (_pack(joint.counts), _pack(joint.example), _pack(joint.mixed), _pack(joint.bands)),
        gaps=None
        if gaps is None
        else _Gaps(gaps.n, list(map(str, gaps.total)), list(map(str, gaps.product.ravel()))),
        losses={name: _losses_of(one) for name, one in sorted(found.losses.items())},
    )


def _losses_of(found: Losses) -> _Sums:
    sums, grid = found.sums, found.sums.grid
    totals = [(list(key), str(total)) for key, total in sorted(sums.totals.items())]
    extent = found.extent
    return _Sums(
        sums.n, list(grid.low), list(grid.high), totals, list(extent.low), list(extent.high)
    )


def _pack(array: NDArray[Any]) -> bytes:
    return zlib.compress(np.ascontiguousarray(array).tobytes(), FAST)


def _unpack(data: bytes, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Never more bytes than the shape says: a small file must not fill the memory."""
    size = int(np.prod([max(one, 0) for one in shape])) * np.dtype(dtype).itemsize
    unpacker = zlib.decompressobj()
    found = unpacker.decompress(data, size + 1)
    if len(found) != size:
        raise ValueError(f"a table of {size} bytes has {len(found)}")
    return np.frombuffer(found, dtype).reshape(shape).copy()


def _check_asked(asked: Question) -> None:
    classes = len(asked.classes)
    fits = asked.task in ("binary", "multiclass") and asked.sides in (1, 2) and classes >= 2
    if not fits or not 0 <= asked.positive < classes or (asked.task == "binary" and classes != 2):
        raise ValueError(f"a {asked.task} task of {classes} classes")


def _sufficient_of(asked: Question, part: _Part, scale: Scale) -> Sufficient:
    found = Sufficient.empty(asked, (), scale)
    found.n = part.n
    found.counts = np.array(part.counts, dtype=np.int64)
    found.improbable = np.array(part.improbable, dtype=np.int64).reshape(asked.sides, 2)
    found.cells = None if part.cells is None else _cells_of(asked, part.cells)
    if found.joint is not None and part.joint is not None:
        found.joint = _joint_of(asked, part.joint, scale)
    if part.gaps is not None:
        size = BINS * asked.sides
        total = np.array([int(one) for one in part.gaps.total], dtype=object)
        product = np.array([int(one) for one in part.gaps.product], dtype=object)
        found.gaps = Gaps(part.gaps.n, total.reshape(size), product.reshape(size, size))
    found.losses = {name: _to_losses(one) for name, one in part.losses.items()}
    _check(found, ranked=part.joint is not None)
    return found


def _cells_of(asked: Question, packed: tuple[bytes, bytes]) -> Cells:
    counts = zlib.decompressobj().decompress(packed[1], MAX_CELLS)
    rows = len(counts) // 8
    codes = _unpack(packed[0], np.int64, (rows, 1 + asked.sides))
    if rows and not (0 <= codes.min() <= codes.max() < len(asked.classes)):
        raise ValueError("a class that there is not")
    return Cells(len(asked.classes), codes, _unpack(packed[1], np.int64, (rows,)))


def _joint_of(asked: Question, packed: tuple[bytes, ...], scale: Scale) -> Joint:
    sides, width = asked.sides, scale.bands if asked.sides > 1 else 0
    shapes: tuple[tuple[Any, tuple[int, ...]], ...] = (
        (np.int64, (sides, scale.steps, 2)),
        (np.float64, (sides, scale.steps)),
        (np.bool_, (sides, scale.steps)),
        (np.int64, (2, width, width)),
    )
    counts, example, mixed, bands = (
        _unpack(data, kind, shape) for data, (kind, shape) in zip(packed, shapes, strict=True)
    )
    return Joint(scale, counts, example, mixed, bands)


def _to_losses(stored: _Sums) -> Losses:
    grid = Grid(tuple(stored.low), tuple(stored.high))
    totals = {tuple(key): int(total) for key, total in stored.totals}
    return Losses(Sums(stored.n, grid, totals), Grid(tuple(stored.lowest), tuple(stored.highest)))


def _check(found: Sufficient, *, ranked: bool) -> None:
    """What was counted in several ways must agree."""
    n, asked = found.n, found.question
    counts: list[tuple[str, int]] = [("classes", int(found.counts.sum()))]
    if asked.classed:
        counts.append(("cells", 0 if found.cells is None else found.cells.n))
    if found.joint is not None:
        if not ranked:
            raise ValueError("its scores are missing")
        if (found.joint.counts < 0).any() or (found.joint.bands < 0).any():
            raise ValueError("a count is below 0")
        counts += [("scores", int(one.sum())) for one in found.joint.counts]
        counts += [("bands", int(found.joint.bands.sum()))] if asked.sides > 1 else []
    if asked.scored and not found.improbable.any() and n:
        counts.append(("gaps", 0 if found.gaps is None else found.gaps.n))
        counts += [("losses", one.sums.n) for one in found.losses.values()]
    wrong = next((what for what, count in counts if count != n), None)
    if wrong is not None or n < 0 or len(found.counts) != len(asked.classes):
        raise ValueError(f"its {wrong or 'classes'} do not count {n} rows")
