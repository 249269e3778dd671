"""NDCG and MRR over queries: of rows that are there, or of sums over queries that are gone.

The papers are those of `queries`; a mean over queries has the interval of a loss (`moments`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from mlops_ci.verdict import queries
from mlops_ci.verdict.aggregates.grouped import Column
from mlops_ci.verdict.aggregates.sufficient import Cut, chosen
from mlops_ci.verdict.aggregates.sums import order_for
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.moments import FEW_ROWS, few_rows_decide, large_interval, mean_interval
from mlops_ci.verdict.names import Metric, known_metric
from mlops_ci.verdict.rows import Floats, Ints, View
from mlops_ci.verdict.summed import moments_of_totals

ALONE = np.ones(1)
ROWS = 1 << 16  # queries that are summed at once


class Queried(Protocol):
    """What a report needs. `count`: queries that have anything to find."""

    @property
    def count(self) -> int: ...

    @property
    def values(self) -> tuple[float, ...]: ...

    def own(self, side: int, level: float) -> Interval | None: ...

    def change(self, level: float) -> Interval | None: ...


@dataclass(frozen=True)
class RowQueries:
    """`found` [queries] of each side."""

    found: tuple[Floats, ...]

    @classmethod
    def of(cls, view: View, metric: Metric) -> Self:
        return cls(tuple(measured(view, metric)))

    @property
    def count(self) -> int:
        return len(self.found[0])

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(math.fsum(one) / len(one) for one in self.found)

    def own(self, side: int, level: float) -> Interval | None:
        value = self.values[side]
        return _shifted(mean_interval(self.found[side] - value, (-value, 1 - value), level), value)

    def change(self, level: float) -> Interval | None:
        base, head = self.values
        moved = head - base
        centred = self.found[1] - self.found[0] - moved
        return _shifted(mean_interval(centred, (-1.0, 1.0), level), moved)


@dataclass(frozen=True)
class SummedQueries:
    """`columns`: of base, head and their difference, or of the one side. They merge."""

    columns: tuple[Column, ...]

    @classmethod
    def of(cls, found: Sequence[Floats], like: SummedQueries | None) -> Self:
        """`like`: what it will be merged with: what is not kept there is not kept here."""
        columns = [*found, found[1] - found[0]] if len(found) > 1 else list(found)
        kept = [like is None or like.columns[at].atoms is not None for at in range(len(columns))]
        pairs = zip(columns, kept, strict=True)
        return cls(tuple(Column.of(one, atoms=keep) for one, keep in pairs))

    def merged(self, other: SummedQueries) -> SummedQueries:
        pairs = zip(self.columns, other.columns, strict=True)
        return SummedQueries(tuple(one.merged(same) for one, same in pairs))

    @property
    def count(self) -> int:
        return self.columns[0].totals.n

    @property
    def values(self) -> tuple[float, ...]:
        sides = self.columns[: (len(self.columns) + 1) // 2]
        return tuple(float(moments_of_totals(one.totals, 1).mean[0]) for one in sides)

    def own(self, side: int, level: float) -> Interval | None:
        value = self.values[side]
        return _shifted(_interval(self.columns[side], (-value, 1 - value), level), value)

    def change(self, level: float) -> Interval | None:
        base, head = self.values
        return _shifted(_interval(self.columns[2], (-1.0, 1.0), level), head - base)


def measured(view: View, metric: Metric) -> list[Floats]:
    """Of every query that has anything to find, by side."""
    ranked = [queries.rank_queries(view, side) for side in view.sides]
    if not len(queries.relevant(ranked[0])):
        return [np.zeros(0)] * len(ranked)
    return [queries.values_of(one, metric) for one in ranked]


def _interval(column: Column, reach: tuple[float, float], level: float) -> Interval | None:
    """As `mean_interval`. None where few queries decide, and their numbers were not kept."""
    totals, n = column.totals, column.totals.n
    if n >= FEW_ROWS and totals.sums:
        moments = moments_of_totals(totals, order_for(n))
        mean = float(moments.mean[0])
        extreme = max(totals.extent.high[0] - mean, mean - totals.extent.low[0])
        square = moments.variance(ALONE) * (n - 1)
        if not few_rows_decide(square, extreme, reach[1] - reach[0]):
            return large_interval(moments, ALONE, reach, level)
    if column.atoms is None:
        return None
    values = column.atoms.all
    return mean_interval(values - values.mean(), reach, level)


def _shifted(found: Interval | None, by: float) -> Interval | None:
    return None if found is None else found.shifted(by)


Sums = dict[str, SummedQueries | None]  # None: no query has anything to find


def query_metrics(names: Iterable[str], task: str) -> tuple[Metric, ...]:
    """Those among the metrics that are asked for."""
    known = (known_metric(name) for name in names)
    found = {one.name: one for one in known if one is not None and one.needs == "group"}
    return tuple(one for one in found.values() if task in one.tasks)


def rank_parts(
    sums: Mapping[str | None, Sums],
    asked: Sequence[Metric],
    rows: tuple[View, Sequence[Cut], Ints],
) -> None:
    """All rows, and those of each slice. Rows: the view, its cuts, and of each row the number of
    its query, which has no other rows."""
    view, cuts, group = rows
    if not view.n:
        return
    _add(sums[None], asked, replace(view, queries=group))
    for cut in cuts:
        for name, places in cut.rows_of():
            _add(sums[name], asked, replace(chosen(view, places), queries=group[places]))


def _add(sums: Sums, asked: Sequence[Metric], view: View) -> None:
    for metric in asked:
        sums.setdefault(metric.name, None)
        found = measured(view, metric)
        for start in range(0, len(found[0]), ROWS):
            known = sums[metric.name]
            one = SummedQueries.of([side[start : start + ROWS] for side in found], known)
            sums[metric.name] = one if known is None else known.merged(one)
