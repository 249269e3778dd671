"""Two sets of rows that share some, answered by one model: how far its numbers on them move
together.

A number is, to first order, a mean over its rows of their influences, so the covariance of two is
that of the rows that both have: Σ ψᵢψⱼ / (n·m) over the shared ones (Hampel 1974, "The influence
curve and its role in robust estimation", JASA 69, 383–393, doi:10.1080/01621459.1974.10482962).
Where rows belong together the sums of groups take the place of rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.influence import influences_of
from mlops_ci.verdict.moments import FEW_CHANGES
from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.queries import rank_queries, relevant, values_of
from mlops_ci.verdict.rows import Floats, Ints, Mask, Outputs, SingleRows
from mlops_ci.verdict.weights import linear_of

ROUNDING = 1e-9


@dataclass(frozen=True)
class Shared:
    """Rows that two sets have in common: `before[k]` of the one is `now[k]` of the other."""

    before: Ints
    now: Ints

    def within(self, before: Mask, now: Mask) -> Shared:
        """Of the shared rows that are in both masks, their places among the rows of these."""
        kept = before[self.before] & now[self.now]
        places = [np.cumsum(mask) - 1 for mask in (before, now)]
        return Shared(places[0][self.before[kept]], places[1][self.now[kept]])


def rows_of(rows: SingleRows, slice_name: str | None) -> Mask:
    """Those that a view of the slice has."""
    mask = np.ones(len(rows.label), dtype=np.bool_)
    if slice_name is not None:
        mask &= rows.slices[slice_name]
    return mask if rows.weight is None else mask & (rows.weight > 0)


def correlation(before: Part, now: Part, metric: Metric, shared: Shared) -> float:
    """Of one metric of both. 0, which is that of two samples, where it is not known: without an
    influence, and where so few rows differ that they tell no variance.
    """
    if metric.name == "ece" or _hardly_differ(before, now, shared):
        return 0.0
    influences = [_influence(part, metric) for part in (before, now)]
    if influences[0] is None or influences[1] is None:
        return 0.0
    one, other = influences[0], influences[1]
    if _hardly_vary(one, other, shared):
        return 0.0
    if before.clusters is None or now.clusters is None:
        products = one[shared.before] * other[shared.now]
    else:
        pairs = np.column_stack(
            (before.clusters.codes[shared.before], now.clusters.codes[shared.now])
        )
        pairs = np.unique(pairs, axis=0)
        if any(len(np.unique(codes)) < len(codes) for codes in pairs.T):
            return 0.0  # the rows are grouped in another way
        one, other = before.clusters.sums(one), now.clusters.sums(other)
        products = one[pairs[:, 0]] * other[pairs[:, 1]]
    spread = math.sqrt(_sum(np.square(one)) * _sum(np.square(other)))
    return min(max(_sum(products) / spread, -1.0), 1.0) if spread > 0 else 0.0


def _sum(values: Floats) -> float:
    """In an order that the rows' own leaves no trace in."""
    return float(np.sort(values).sum())


def _influence(part: Part, metric: Metric) -> Floats | None:
    view = part.view
    if metric.needs == "group":
        return _of_queries(part, metric)
    if view.weight is not None:
        linear = linear_of(part, 0, metric)
        return None if linear is None else view.weight * linear.influence
    found = influences_of(part, metric)
    return None if found is None else found[0]


def _of_queries(part: Part, metric: Metric) -> Floats | None:
    """What a query adds stands at its first row: sums of groups are what counts."""
    view = part.view
    if view.queries is None or part.clusters is None:
        return None
    ranked = rank_queries(view, view.sides[0])
    values, chosen = values_of(ranked, metric), relevant(ranked)
    if not len(values):
        return None
    first = np.unique(view.queries, return_index=True)[1]
    influence = np.zeros(view.n)
    influence[first[chosen]] = values - math.fsum(values) / len(values)
    return influence


def _hardly_differ(before: Part, now: Part, shared: Shared) -> bool:
    """Fewer rows than tell a variance are gone, new or changed."""
    apart = before.view.n + now.view.n - 2 * len(shared.now)
    if apart >= FEW_CHANGES:
        return False
    changed = before.view.label[shared.before] != now.view.label[shared.now]
    for one, other in zip(_columns(before), _columns(now), strict=False):
        differ = one[shared.before] != other[shared.now]
        changed |= differ if differ.ndim == 1 else differ.any(axis=1)
    return apart + int(np.count_nonzero(changed)) < FEW_CHANGES


def _hardly_vary(one: Floats, other: Floats, shared: Shared) -> bool:
    """The same of what the rows add to the metric: beside a shift that all of them share."""
    moved = other[shared.now] - one[shared.before]
    scale = max(float(np.abs(one).max()), float(np.abs(other).max()))
    varies = np.abs(moved - np.median(moved)) > ROUNDING * scale
    apart = len(one) + len(other) - 2 * len(moved)
    return apart + int(np.count_nonzero(varies)) < FEW_CHANGES


def _columns(part: Part) -> list[Floats]:
    outputs: Outputs = part.view.sides[0]
    named = [outputs.values[name] for name in sorted(outputs.values)]
    return [one for one in (outputs.prediction, outputs.score, *named) if one is not None]
