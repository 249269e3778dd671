"""Intervals by groups of rows that are not there any more: from the sums over groups.

As `Clusters.interval`: Miller 2024, "Adding error bars to evals" (arXiv 2411.00640); Obuchowski
1997 (Biometrics 53, 567–578).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlops_ci.verdict.aggregates.gaps import BINS
from mlops_ci.verdict.aggregates.grouped import Column, Grouped, GroupSums, gap_pairs
from mlops_ci.verdict.aggregates.sums import order_for
from mlops_ci.verdict.aggregates.totals import WIDTH, Totals, top_of
from mlops_ci.verdict.clusters import ClusterGaps
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.moments import (
    FEW_ROWS,
    Moments,
    few_rows_decide,
    large_interval,
    mean_interval,
)
from mlops_ci.verdict.rows import Floats
from mlops_ci.verdict.summed import moments_of_totals

ALONE = np.ones(1)


@dataclass(frozen=True)
class Units:
    """`rows` in `groups`, the largest of which has `largest`."""

    groups: int
    rows: int
    largest: int

    @property
    def scale(self) -> float:
        """Sums over groups, times this, have the mean over rows for theirs."""
        return self.groups / self.rows


def intervals_by_groups(found: Grouped, name: str, level: float) -> list[Interval | None] | None:
    """Around 0: of each side, and of two the change. None where nothing was summed."""
    sums = found.sums.get(name)
    if sums is None:
        return None
    intervals = intervals_of(sums, units_of(found), sums.reach, level)
    return [one and replace(one, method=f"{one.method}, groups") for one in intervals]


def units_of(found: Grouped) -> Units:
    return Units(found.groups, found.rows, found.largest)


def intervals_of(
    sums: GroupSums, units: Units, reach: Sequence[float], level: float
) -> list[Interval | None]:
    """`reach`: the most that a row could add to each side."""
    pairs = zip(sums.columns, [*reach, sum(reach)], strict=False)
    return [_interval(column, units, most, level) for column, most in pairs]


def _interval(column: Column, units: Units, reach: float, level: float) -> Interval | None:
    """None where few groups decide, and their sums were not kept."""
    most = reach * units.largest * units.scale
    known = _large(column.totals, units, most, level) if units.groups >= FEW_ROWS else None
    if known is None and column.atoms is not None:
        values = column.atoms.all * units.scale
        known = mean_interval(values - values.mean(), (-most, most), level)
    return known


def _large(totals: Totals, units: Units, most: float, level: float) -> Interval | None:
    """None where few groups decide."""
    if not totals.sums:
        return None
    found = moments_of_totals(totals, order_for(units.groups))
    scaled = {key: one * units.scale ** len(key) for key, one in found.centred.items()}
    moments = Moments(units.groups, np.zeros(1), scaled)
    mean = float(found.mean[0])
    extreme = max(totals.extent.high[0] - mean, mean - totals.extent.low[0]) * units.scale
    square = moments.variance(ALONE) * (units.groups - 1)
    if few_rows_decide(square, extreme, 2 * most):
        return None
    return large_interval(moments, ALONE, (-most, most), level)


def gaps_by_groups(
    found: Grouped, mean: Floats, sides: int, total: float | None = None
) -> ClusterGaps:
    """As `cluster_gaps`. `mean`: of a row's gaps [sides · BINS]. `total`: what all rows weigh."""
    if found.gaps is None:
        raise ValueError("no gaps were counted")
    size = 1 + sides * BINS
    products = np.zeros((size, size))
    for at, (i, j) in enumerate(gap_pairs(sides)):
        products[i, j] = products[j, i] = _number(found.gaps, at)
    parts = products[0, 0], products[0, 1:], products[1:, 1:]
    return gaps_of_products(parts, mean, (found.groups, total or found.rows))


def gaps_of_products(
    products: tuple[float, Floats, Floats], mean: Floats, size: tuple[int, float]
) -> ClusterGaps:
    """`products`: over units (groups, rows) the sums of their squared weights, of weights times
    gaps and of gaps times gaps. `size`: how many units there are, and what they weigh."""
    squares, lined, scatter = products
    units, total = size
    scatter = scatter - np.outer(lined, mean) - np.outer(mean, lined)
    scatter += squares * np.outer(mean, mean)
    return ClusterGaps(mean, scatter * (units / max(units - 1, 1) / total**2))


def _number(totals: Totals, column: int) -> float:
    whole = totals.whole((column,))
    lowest = WIDTH * (top_of(totals.extent, (column,)) - 1)
    return float(whole << lowest) if lowest > 0 else whole / (1 << -lowest)
