"""The statistics of paired rows, made where the rows are: by Spark, with the same numpy code.

Spark joins base's rows and head's by key and hands each partition's rows over as Arrow batches
(`mapInArrow`); every partition comes to the bytes of one `Sufficient`, and these are merged on the
executors first, so that the driver sees a few of them. Executors need mlops-ci and pyarrow.
https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.mapInArrow.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.data.aggregate import Aggregate, to_bytes, write_aggregate
from mlops_ci.data.asked import question_of, resolution_of_file
from mlops_ci.data.feed import File
from mlops_ci.data.identity import SEPARATOR
from mlops_ci.data.keys import digest_of
from mlops_ci.data.overlap import is_enough
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.sparkareas import count_areas, gather
from mlops_ci.data.sparkfile import (
    extremes_of,
    filled_text_of,
    group_of,
    slices_of,
    text_of,
    understand,
)
from mlops_ci.data.sparkgroups import sum_groups_of
from mlops_ci.data.sparkrows import Plan, Tally, count_rows, merge_rows
from mlops_ci.errors import ComparisonError
from mlops_ci.records import RowCounts
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

WIDE = 8  # so many partitions' statistics are merged on an executor before the driver sees them


def aggregate_spark(
    base: DataFrame,
    head: DataFrame,
    path: Path,
    request: ColumnsRequest | None = None,
    metrics: Iterable[str] = (),
) -> Aggregate:
    """Write what the rows of both come to into `path`, on the driver's disk (its name should end in
    `.mlops-ci-aggregate`). Columns are found as in files; an id is needed. `metrics`: those that
    are asked for; the loss of a quantile (`pinball_loss@0.9`) is summed for these alone.

    Where head has fewer than 80 % of base's rows each side is counted by itself, as in files.

    Raises UsageError and ComparisonError as a comparison of files does: for duplicate keys, labels
    that differ, cells that are missing.
    """
    request = request or ColumnsRequest()
    files = [understand(name, frame, request) for name, frame in (("base", base), ("head", head))]
    one, other = files
    if (one.task[0], one.classes, one.positive) != (other.task[0], other.classes, other.positive):
        raise ComparisonError(
            "base and head do not have the same task, or classes",
            where=" and ".join(f"{file.task[0]}: {', '.join(file.classes[:5])}" for file in files),
            fix="say the task and the positive class, and write the same names for the classes",
        )
    slices = {column: slices_of(base, column) for column in one.roles.slices}
    metrics = tuple(metrics)
    question = question_of(one, request, metrics, lambda column: extremes_of(base, column))
    plan = replace(_plan((one, other), question, slices), metrics=tuple(metrics))
    for name, frame, file in (("base", base, one), ("head", head, other)):
        _refuse_doubles(name, frame, file)
    rows = _joined(base, head, one, other)
    tally = _run(rows, plan)
    found = tally.found
    counts = RowCounts(
        base=found.n + tally.unscored,
        head=found.n + tally.added,
        paired=found.n,
        paired_by="id",
    )
    if one.roles.group and is_enough(found.n + tally.unscored, found.n):
        sum_groups_of(rows, _largest(base, one), plan, found)
    aggregate = Aggregate(
        statistics=to_bytes(found),
        counts=counts,
        resolution=resolution_of_file(other, request),
        rows_digest=digest_of(found.n, found.identity),
        unscored=tally.unscored,
        added=tally.added,
        source="Spark",
    )
    if not is_enough(counts.base or 0, found.n):
        aggregate = _as_samples(aggregate, ((base, one), (head, other)), plan)
    write_aggregate(aggregate, path)
    return aggregate


def _as_samples(
    aggregate: Aggregate, sides: tuple[tuple[DataFrame, File], ...], plan: Plan
) -> Aggregate:
    """Too few rows are common: each side by itself, as in a comparison of files."""
    alone = []
    for at, (frame, file) in enumerate(sides):
        slices = {column: slices_of(frame, column) for column in file.roles.slices}
        asked = replace(
            plan,
            question=replace(plan.question, sides=1),
            slices=tuple(slices.values()),
            columns=tuple(slices),
            sides=(at,),
        )
        rows = _side(frame, file, at, file.roles.slices, group=file.roles.group)
        tally = _run(rows, asked)
        if file.roles.group:
            sum_groups_of(rows, _largest(frame, file), asked, tally.found)
        alone.append(tally.found)
    return msgspec.structs.replace(
        aggregate,
        statistics=to_bytes(Sufficient.empty(plan.question)),
        counts=msgspec.structs.replace(aggregate.counts, paired=0, paired_by="none"),
        rows_digest=digest_of(alone[1].n, alone[1].identity),
        apart=(to_bytes(alone[0]), to_bytes(alone[1])),
    )


def _plan(files: tuple[File, File], question: Question, slices: dict[str, tuple[str, ...]]) -> Plan:
    base, head = files
    return Plan(
        replace(question, scored=bool(base.scores and head.scores)),
        tuple(slices.values()),
        tuple(slices),
        numbered=all(_numbered(file) for file in files),
        said=(not base.cut, not head.cut),
        scores=len(base.scores),
    )


def _numbered(file: File) -> bool:
    (first, *more) = file.roles.id
    return not more and file.table.kind(first) == "integer"


def _key(file: File) -> Column:
    from pyspark.sql import functions

    if _numbered(file):
        return functions.col(f"`{file.roles.id[0]}`").cast("bigint")
    # Text as it is; nothing where a part is missing, which is refused.
    parts = [text_of(column) for column in file.roles.id]
    missing = [one.isNull() for one in parts]
    whole = functions.concat(
        *[part for one in parts for part in (functions.lit(SEPARATOR), one)][1:]
    )
    return functions.when(_any(missing), functions.lit(None)).otherwise(whole)


def _any(conditions: Iterable[Column]) -> Column:
    found = list(conditions)
    whole = found[0]
    for one in found[1:]:
        whole = whole | one
    return whole


def _refuse_doubles(name: str, frame: DataFrame, file: File) -> None:
    counted = frame.select(_key(file).alias("k")).groupBy("k").count()
    twice = counted.where("count > 1 OR k IS NULL").limit(3).collect()
    if any(row["k"] is None for row in twice):
        raise ComparisonError(
            f"{name}: rows have no {', '.join(file.roles.id)}",
            where="Spark",
            fix="every row needs its key",
        )
    if twice:
        shown = ", ".join(repr(str(row["k"]).replace(SEPARATOR, ", ")) for row in twice)
        raise ComparisonError(
            f"{name}: keys occur more than once: {shown}",
            where=f"Spark, column {', '.join(file.roles.id)}",
            fix="remove the rows that are there twice, or name all columns that together identify "
            "a row",
        )


def _joined(base: DataFrame, head: DataFrame, one: File, other: File) -> DataFrame:
    first = _side(base, one, 0, one.roles.slices, group=one.roles.group)
    sides = first, _side(head, other, 1, ())
    return sides[0].join(sides[1], on="k", how="full_outer")


def _side(
    frame: DataFrame, file: File, at: int, slices: tuple[str, ...], group: str | None = None
) -> DataFrame:
    from pyspark.sql import functions

    def number(column: str) -> Column:
        return functions.col(f"`{column}`").cast("double")

    cell = text_of if file.number is None else number
    columns = [_key(file).alias("k"), functions.lit(True).alias(f"there{at}")]  # noqa: FBT003
    columns.append(cell(file.roles.label).alias(f"label{at}"))
    said = file.number or file.roles.prediction
    if said:
        columns.append(cell(said).alias(f"said{at}"))
    for what, names in (("score", file.scores), ("value", file.roles.values)):
        columns += [number(name).alias(f"{what}{at}_{place}") for place, name in enumerate(names)]
    columns += [group_of(group).alias("group")] if group else []
    columns += [filled_text_of(name).alias(f"slice{place}") for place, name in enumerate(slices)]
    return frame.select(*columns)


def _largest(frame: DataFrame, file: File) -> int:
    """Rows that no group has more of."""
    from pyspark.sql import functions

    counted = frame.groupBy(functions.col(f"`{file.roles.group}`")).count()
    (row,) = counted.agg(functions.max("count").alias("most")).collect()
    return int(row["most"])


def _run(rows: DataFrame, plan: Plan) -> Tally:
    """Raises ComparisonError for rows that cannot be judged."""
    from pyspark import StorageLevel

    ranked = plan.question.scored and plan.question.task == "multiclass"
    if ranked:  # looked at three times
        rows = rows.persist(StorageLevel.DISK_ONLY)
    try:
        tally = Tally.empty(plan)
        for data in gather(rows, count_rows(plan), merge_rows(), WIDE):
            tally.merge(Tally.from_bytes(data))
        tally.refuse()
        count_areas(rows, plan, tally.found, WIDE)
        return tally
    finally:
        if ranked:
            rows.unpersist()
