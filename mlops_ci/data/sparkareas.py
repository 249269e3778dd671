"""ROC AUC of many classes in Spark: two more looks at the joined rows, by the same numpy code.

What the first look found travels to the executors, what each of them finds comes back as bytes and
merges there first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mlops_ci.data.packing import PackedTotals, pack, pack_totals, unpack, unpack_totals
from mlops_ci.data.sparkrows import Plan, Work, batch_of, rows_of
from mlops_ci.verdict.aggregates.areas import Found, Look, Standing, Sums
from mlops_ci.verdict.aggregates.crowds import Crowd
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.sufficient import Sufficient

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame

_Joint = tuple[bytes, bytes, bytes]
Merge = Callable[[Iterable[bytes]], bytes]


class _Standing(msgspec.Struct, frozen=True):
    counts: list[int]
    classes: list[_Joint]


class _Sum(msgspec.Struct, frozen=True):
    slice: str | None
    totals: PackedTotals
    moved: int


def count_areas(rows: DataFrame, plan: Plan, found: Sufficient, wide: int) -> None:
    """Of all rows and each slice; `found`: the first look, whose `crowd` is gone then."""
    if found.crowd is None or not found.n:
        found.crowd = None
        return
    seen = pack(found.crowd.counts)
    look = _look_of(plan, seen)
    for data in gather(rows, _looking(plan, seen), _merging(_merge_looks(plan, seen)), wide):
        look.merge(_to_look(plan, seen, data))
    placed, sides = _look_bytes(look), plan.question.sides
    sums = Sums(look.tables(sides), {})
    found.crowd = None
    look.parts.clear()
    for data in gather(rows, _summing(plan, seen, placed), _merging(_merge_sums), wide):
        sums.merge(_to_sums(data))
    sums.give(found)


def gather(rows: DataFrame, work: Work, merge: Work, wide: int) -> Iterator[bytes]:
    """What each partition comes to, merged where there are more than `wide` of them."""
    counted = rows.mapInArrow(work, "tally binary")
    if int(rows.sparkSession.conf.get("spark.sql.shuffle.partitions") or wide) > wide:
        counted = counted.repartition(wide).mapInArrow(merge, "tally binary")
    for row in counted.collect():
        yield bytes(row["tally"])


def _first(plan: Plan, seen: bytes) -> Sufficient:
    found = Sufficient.empty(plan.question, [name for one in plan.names for name in one])
    if found.crowd is None:
        raise ValueError("no scores of many classes")
    found.crowd = Crowd(unpack(seen, np.int64, found.crowd.counts.shape))
    return found


def _look_of(plan: Plan, seen: bytes) -> Look:
    return Look.empty(_first(plan, seen))


def _looking(plan: Plan, seen: bytes) -> Work:
    def work(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        look = None
        for batch in batches:
            look = look or _look_of(plan, seen)
            read = rows_of(plan, batch)
            if read is not None:
                look.add(*read)
        if look is not None:
            yield batch_of(_look_bytes(look))

    return work


def _summing(plan: Plan, seen: bytes, placed: bytes) -> Work:
    def work(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        sums = None
        for batch in batches:
            sums = sums or Sums(_to_look(plan, seen, placed).tables(plan.question.sides), {})
            read = rows_of(plan, batch)
            if read is not None:
                sums.add(*read)
        if sums is not None:
            yield batch_of(_sums_bytes(sums.found))

    return work


def _merging(merge: Merge) -> Work:
    def work(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        sent = [cell.as_py() for batch in batches for cell in batch.column("tally")]
        if sent:
            yield batch_of(merge(sent))

    return work


def _merge_looks(plan: Plan, seen: bytes) -> Merge:
    def merge(sent: Iterable[bytes]) -> bytes:
        look = _look_of(plan, seen)
        for data in sent:
            look.merge(_to_look(plan, seen, data))
        return _look_bytes(look)

    return merge


def _merge_sums(sent: Iterable[bytes]) -> bytes:
    sums = Sums({}, {})
    for data in sent:
        sums.merge(_to_sums(data))
    return _sums_bytes(sums.found)


def _look_bytes(look: Look) -> bytes:
    return msgspec.msgpack.encode([_standing_of(part) for part in look.parts.values()])


def _standing_of(part: Standing) -> _Standing:
    joints = [(pack(one.counts), pack(one.example), pack(one.mixed)) for one in part.classes]
    return _Standing(part.counts.tolist(), joints)


def _to_look(plan: Plan, seen: bytes, data: bytes) -> Look:
    """Its parts are in the order of `_look_of`."""
    look = _look_of(plan, seen)
    sent = msgspec.msgpack.decode(data, type=list[_Standing])
    for part, one in zip(look.parts.values(), sent, strict=True):
        part.counts = np.array(one.counts, dtype=np.int64)
        part.classes = [
            _to_joint(empty, packed)
            for empty, packed in zip(part.classes, one.classes, strict=True)
        ]
    return look


def _to_joint(empty: Joint, packed: _Joint) -> Joint:
    likes = (empty.counts, empty.example, empty.mixed)
    arrays: list[Any] = [
        unpack(data, like.dtype, like.shape) for data, like in zip(packed, likes, strict=True)
    ]
    return Joint(empty.scale, arrays[0], arrays[1], arrays[2], empty.bands)


def _sums_bytes(found: Found) -> bytes:
    sent = [_Sum(name, pack_totals(totals), moved) for name, (totals, moved) in found.items()]
    return msgspec.msgpack.encode(sent)


def _to_sums(data: bytes) -> Found:
    sent = msgspec.msgpack.decode(data, type=list[_Sum])
    return {one.slice: (unpack_totals(one.totals), one.moved) for one in sent}
