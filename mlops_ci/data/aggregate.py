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

from mlops_ci.config.model import Task
from mlops_ci.data.contradictions import check_counted, check_cube, check_groups, check_question
from mlops_ci.data.packing import (
    PackedAreas,
    PackedCube,
    PackedTotals,
    pack,
    pack_areas,
    pack_cube,
    pack_totals,
    unpack,
    unpack_areas,
    unpack_cube,
    unpack_totals,
)
from mlops_ci.data.packing_groups import PackedGrouped, pack_grouped, unpack_grouped
from mlops_ci.errors import ComparisonError
from mlops_ci.records import Resolution, RowCounts
from mlops_ci.verdict.aggregates.cells import Cells
from mlops_ci.verdict.aggregates.crowds import Crowd
from mlops_ci.verdict.aggregates.gaps import BINS, Gaps
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.losses import Value
from mlops_ci.verdict.aggregates.scale import SLICE, WHOLE, Scale
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient

SCHEMA = "mlops-ci/aggregate/2"
ENDING = ".mlops-ci-aggregate"
MAX_BYTES = 512 * 1024 * 1024
MAX_CELLS = 1 << 24  # bytes of one array of cells, unpacked


class _Asked(Struct, frozen=True):
    task: str
    classes: list[str]
    positive: int
    sides: int
    scored: bool
    classed: bool
    centre: float
    quantiles: list[float]
    values: list[tuple[str, bool | None, float]]


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
    losses: dict[str, PackedTotals]
    zeros: int
    crowd: bytes | None = None
    areas: PackedAreas | None = None
    grouped: PackedGrouped | None = None


class _Stored(Struct, frozen=True, tag_field="schema", tag=SCHEMA):
    asked: _Asked
    identity: tuple[int, int]
    identical: bool
    whole: _Part
    slices: dict[str, _Part]
    cube: PackedCube | None


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
            asked.centre,
            list(asked.quantiles),
            [(value.name, value.better, value.centre) for value in asked.values],
        ),
        found.identity,
        found.identical,
        _part_of(found),
        {name: _part_of(part) for name, part in found.slices.items()},
        None if found.cube is None else pack_cube(found.cube),
    )
    return msgspec.msgpack.encode(stored)


def from_bytes(data: bytes) -> Sufficient:
    """Raises ComparisonError for bytes that are not of this form, or contradict themselves."""
    try:
        stored = msgspec.msgpack.decode(data, type=_Stored)
        asked = _question_of(stored.asked)
        check_question(asked)
        found = _sufficient_of(asked, stored.whole, WHOLE)
        found.identity = stored.identity
        found.slices = {
            name: _sufficient_of(asked, part, SLICE) for name, part in stored.slices.items()
        }
        found.cube = None if stored.cube is None else unpack_cube(asked, stored.cube)
        check_cube(found)
        check_groups(found)
    except (msgspec.MsgspecError, zlib.error, ValueError, TypeError, OverflowError) as error:
        raise _refused(str(error)) from error
    for one in (found, *found.slices.values()):
        one.identical = stored.identical
    return found


def _question_of(asked: _Asked) -> Question:
    return Question(
        msgspec.convert(asked.task, Task),
        tuple(asked.classes),
        asked.positive,
        asked.sides,
        asked.scored,
        asked.classed,
        asked.centre,
        tuple(asked.quantiles),
        tuple(Value(*value) for value in asked.values),
    )


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
    if min(aggregate.unscored, aggregate.added) < 0:
        raise _refused("a number of rows is negative", path)
    return aggregate, found


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
        cells=None if cells is None else (pack(cells.codes), pack(cells.counts)),
        joint=None
        if joint is None
        else (pack(joint.counts), pack(joint.example), pack(joint.mixed), pack(joint.bands)),
        gaps=None
        if gaps is None
        else _Gaps(gaps.n, list(map(str, gaps.total)), list(map(str, gaps.product.ravel()))),
        losses={name: pack_totals(one) for name, one in sorted(found.losses.items())},
        zeros=found.zeros,
        crowd=None if found.crowd is None else pack(found.crowd.counts),
        areas=None if found.areas is None else pack_areas(found.areas),
        grouped=None if found.grouped is None else pack_grouped(found.grouped),
    )


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
    found.losses = {name: unpack_totals(one) for name, one in part.losses.items()}
    found.zeros = part.zeros
    if found.crowd is not None:
        found.crowd = None if part.crowd is None else _crowd_of(found.crowd, part.crowd)
    found.areas = None if part.areas is None else unpack_areas(part.areas)
    found.grouped = None if part.grouped is None else unpack_grouped(part.grouped)
    check_counted(found, ranked=part.joint is not None)
    return found


def _crowd_of(empty: Crowd, packed: bytes) -> Crowd:
    return Crowd(unpack(packed, np.int64, empty.counts.shape))


def _cells_of(asked: Question, packed: tuple[bytes, bytes]) -> Cells:
    counts = zlib.decompressobj().decompress(packed[1], MAX_CELLS)
    rows = len(counts) // 8
    codes = unpack(packed[0], np.int64, (rows, 1 + asked.sides))
    if rows and not (0 <= codes.min() <= codes.max() < len(asked.classes)):
        raise ValueError("a class that there is not")
    return Cells(len(asked.classes), codes, unpack(packed[1], np.int64, (rows,)))


def _joint_of(asked: Question, packed: tuple[bytes, ...], scale: Scale) -> Joint:
    sides, width = asked.sides, scale.bands if asked.sides > 1 else 0
    shapes: tuple[tuple[Any, tuple[int, ...]], ...] = (
        (np.int64, (sides, scale.steps, 2)),
        (np.float64, (sides, scale.steps)),
        (np.bool_, (sides, scale.steps)),
        (np.int64, (2, width, width)),
    )
    counts, example, mixed, bands = (
        unpack(data, kind, shape) for data, (kind, shape) in zip(packed, shapes, strict=True)
    )
    return Joint(scale, counts, example, mixed, bands)
