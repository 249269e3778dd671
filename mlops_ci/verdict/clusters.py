"""Rows that belong together (users, patients): the groups are what was sampled, not the rows.

Miller 2024, "Adding error bars to evals" (arXiv:2411.00640); for the ROC AUC Obuchowski 1997,
"Nonparametric analysis of clustered ROC curve data" (Biometrics 53, 567–578, doi:10.2307/2533958),
of whose variance this is the general form: a metric's change is a mean over rows of influences, so
a mean over groups of their sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.gaps import BINS, gap_of
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.moments import mean_interval
from mlops_ci.verdict.rows import Floats, Ints, View

# Whole units that sums of any rows of a group can be held in, without rounding.
BITS = 52


@dataclass(frozen=True)
class Clusters:
    """`codes` [n]: 0 … groups − 1, each of which occurs; of rows that are gone there are none, and
    `heaviest` is the share of the weight that one group has, where they had weights."""

    codes: Ints
    groups: int
    largest: int
    heaviest: float | None = None

    @property
    def rows(self) -> int:
        """0 where they are not there any more."""
        return len(self.codes)

    def sums(self, influence: Floats) -> Floats:
        """Of each group, in whole units, so that the order of the rows leaves no trace."""
        scale = float(np.abs(influence).max())
        if scale == 0:
            return np.zeros(self.groups)
        unit = scale / 2.0 ** (BITS - self.largest.bit_length())
        whole = np.bincount(self.codes, weights=np.rint(influence / unit), minlength=self.groups)
        return np.asarray(whole * unit, dtype=np.float64)

    def interval(self, influence: Floats, reach: float, level: float) -> Interval | None:
        """Around 0. `reach`: the most that one row could weigh; with G groups Student's t has G − 1
        degrees of freedom, and under 500 groups they are resampled.
        """
        of_groups = self.sums(influence) * (self.groups / len(self.codes))
        most = reach * self.largest * self.groups / len(self.codes)
        centred = of_groups - np.sort(of_groups).mean()
        found = mean_interval(centred, (-most, most), level)
        return None if found is None else replace(found, method=f"{found.method}, groups")


def clusters_of(group: NDArray[np.signedinteger]) -> Clusters:
    _, codes, counts = np.unique(group, return_inverse=True, return_counts=True)
    return Clusters(codes.reshape(-1), len(counts), int(counts.max()))


@dataclass(frozen=True)
class ClusterGaps:
    """As `Gaps`, the covariance by groups."""

    mean: Floats
    covariance: Floats


def cluster_gaps(view: View, clusters: Clusters) -> ClusterGaps:
    """Of each group the sum of its gaps in each bin, [groups, sides · BINS]."""
    tables = []
    for side in view.sides:
        inside, gap = gap_of(view, side)
        columns = [clusters.sums(np.where(inside == k, gap, 0.0)) for k in range(BINS)]
        tables.append(np.column_stack(columns))
    table = np.concatenate(tables, axis=1)
    mean = np.array([math.fsum(column) for column in table.T]) / view.n
    rows = np.bincount(clusters.codes)
    centred = table - np.outer(rows, mean)
    order = np.lexsort(centred.T)
    scatter = np.einsum("gi,gj->ij", centred[order], centred[order])
    g = clusters.groups
    # Of one group there is no variance; intervals of so few are not given out.
    return ClusterGaps(mean, scatter * (g / max(g - 1, 1) / view.n**2))
