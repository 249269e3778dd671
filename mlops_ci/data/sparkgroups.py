"""Rows that belong together, summed where they are: Spark brings each group's rows to one task.

Once all rows are counted, what each of them adds to each metric is known (`adds`) and sent to the
executors; each task sums it over its groups, which are whole, and the sums of all tasks merge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mlops_ci.data.arrays import arrays_of, with_arrays
from mlops_ci.data.grouping import Kept, in_order, sum_parts
from mlops_ci.data.packing_groups import PackedGrouped, pack_grouped, unpack_grouped
from mlops_ci.data.sparkrows import Plan, Work, joined_of, rows_of
from mlops_ci.verdict.adds import asked_of
from mlops_ci.verdict.aggregates.grouped import Asked, Grouped
from mlops_ci.verdict.aggregates.sufficient import Cut, Sufficient
from mlops_ci.verdict.rows import View

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame

Parts = dict[str | None, Grouped]


class _Sent(msgspec.Struct, frozen=True):
    whole: PackedGrouped
    slices: dict[str, PackedGrouped]


def sum_groups_of(rows: DataFrame, largest: int, plan: Plan, found: Sufficient) -> None:
    """`rows`: as they were counted, with their `group`; `largest`: rows that none has more of.
    Sets `grouped` of `found` and of its slices."""
    asked = asked_of(found, plan.metrics, largest)
    sent = rows.sparkSession.sparkContext.broadcast(asked)
    together = rows.repartition("group").mapInArrow(_sum_groups(plan, sent), "sums binary")
    sums: Parts = {name: Grouped() for name in asked}
    for row in together.collect():
        _merge(sums, bytes(row["sums"]))
    sent.unpersist()
    found.grouped = sums[None]
    for name, part in found.slices.items():
        part.grouped = sums[name]


def _sum_groups(plan: Plan, sent: Any) -> Work:
    """`sent`: a broadcast of what is asked of each part."""

    def work(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        import pyarrow as pa

        asked: dict[str | None, Asked] = sent.value
        found = _rows_of(plan, batches)
        if found is None:
            return
        kept, like = found
        kept, group = in_order(kept)
        sums: Parts = {name: Grouped() for name in asked}
        cuts = [Cut(*cut) for cut in zip(plan.names, kept.slices, strict=True)]
        view = replace(like, label=kept.label, sides=kept.sides)
        sum_parts(sums, asked, view, cuts, group)
        yield pa.RecordBatch.from_pydict({"sums": [_to_bytes(sums)]})

    return work


def _rows_of(plan: Plan, batches: Iterator[RecordBatch]) -> tuple[Kept, View] | None:
    """All rows of a task, and a view like theirs; None where there are none."""
    every, like = [], None
    for batch in batches:
        joined = joined_of(plan, batch)
        found = rows_of(plan, joined)
        if found is not None:
            like, cuts = found
            group = joined.column("group").to_numpy(zero_copy_only=False).view(np.uint64)
            slices = tuple(cut.codes for cut in cuts)
            every.append(Kept(group, like.label, like.sides, slices))
    if like is None:
        return None
    arrays = zip(*map(arrays_of, every), strict=True)
    return with_arrays(every[0], map(np.concatenate, arrays)), like


def _to_bytes(sums: Parts) -> bytes:
    slices = {name: pack_grouped(one) for name, one in sums.items() if name is not None}
    return msgspec.msgpack.encode(_Sent(pack_grouped(sums[None]), slices))


def _merge(sums: Parts, data: bytes) -> None:
    sent = msgspec.msgpack.decode(data, type=_Sent)
    sums[None].merge(unpack_grouped(sent.whole))
    for name, one in sent.slices.items():
        sums[name].merge(unpack_grouped(one))
