"""What was sampled, where that is not rows that all count alike: groups of rows, rows with weights.

Sums over units take the place of counts of rows, in the bootstrap (Davison & Hinkley 1997,
"Bootstrap methods and their application", 3.8, doi:10.1017/CBO9780511802843) and in tests of means
(Miller 2024, arXiv:2411.00640).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlops_ci.verdict.aggregates.exact import effective_rows, sum_by, sum_of
from mlops_ci.verdict.clusters import Clusters, clusters_of
from mlops_ci.verdict.rows import Floats, Ints, Mask, PairedRows, SingleRows, unequal

# Up to here units are drawn again one by one; their sums of more are as good as normal.
FEW_UNITS = 2_000


@dataclass(frozen=True)
class Units:
    """`weight` [n], `clusters` of the rows; not both None."""

    weight: Floats
    clusters: Clusters | None

    @cached_property
    def words(self) -> str:
        """For a method's name."""
        grouped = ", groups" if self.clusters is not None else ""
        return grouped if self.weight.min() == self.weight.max() else f"{grouped}, weighted"

    def worth(self, mask: Mask) -> float:
        """How many units there are in a part of the rows, at most so many as its weights tell."""
        weight = self.weight[mask]
        if not weight.any():
            return 0.0
        rows = effective_rows(weight)
        if self.clusters is None:
            return rows
        return min(rows, float(len(np.unique(self.clusters.codes[mask]))))

    def sums(self, values: Floats) -> Floats:
        """Of each unit [units]."""
        return values if self.clusters is None else self.clusters.sums(values)

    def totals(self, cell: Ints, size: int) -> Floats:
        """Weight of the rows in each of `size` cells; a cell below 0 is none."""
        inside = cell >= 0
        return sum_by(cell[inside], self.weight[inside], size)

    def draw(self, cell: Ints, size: int, draws: int, seed: int) -> Floats:
        """`totals` of units drawn anew [draws, size]."""
        rng = np.random.default_rng(seed)
        inside = np.flatnonzero(cell >= 0)
        units = len(inside)
        if self.clusters is not None:
            codes = np.unique(self.clusters.codes[inside], return_inverse=True)[1].reshape(-1)
            units = int(codes.max()) + 1
        elif units > FEW_UNITS:
            return _draw_rows(cell[inside], self.weight[inside], (draws, size), rng)
        else:
            codes = np.arange(units)
        table = sum_by(codes * size + cell[inside], self.weight[inside], units * size)
        # In canonical order: draws know places.
        kinds, counts = np.unique(table.reshape(units, size), axis=0, return_counts=True)
        if units <= FEW_UNITS:
            drawn = rng.multinomial(units, counts / units, size=draws)
            return np.asarray(np.einsum("du,uc->dc", drawn, kinds, optimize=True))
        total = np.einsum("u,uc->c", counts, kinds)
        centred = (kinds - total / units) * np.sqrt(counts)[:, None]
        scatter = np.einsum("ui,uj->ij", centred, centred, optimize=True)
        return _normal(total, scatter * (units / (units - 1)), draws, rng)


def _normal(mean: Floats, covariance: Floats, draws: int, rng: np.random.Generator) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = np.einsum("dk,jk->dj", rng.standard_normal((draws, len(mean))), root, optimize=True)
    return np.asarray(np.maximum(mean + noise, 0.0))


def _draw_rows(
    cell: Ints, weight: Floats, shape: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """Many rows, each in one cell, so that the products of two cells are 0."""
    (draws, size), n = shape, len(cell)
    total = sum_by(cell, weight, size)
    scatter = np.diag(sum_by(cell, np.square(weight), size)) - np.outer(total, total) / n
    return _normal(total, scatter * (n / (n - 1)), draws, rng)


def units_of(rows: PairedRows | SingleRows) -> Units | None:
    """None where rows are what was sampled, and all count alike."""
    weight = unequal(rows.weight)
    if weight is None and rows.group is None:
        return None
    clusters = None if rows.group is None else clusters_of(rows.group)
    return Units(np.ones(len(rows.label)) if weight is None else weight, clusters)


@dataclass(frozen=True)
class Mean:
    """Of some rows: weighted mean, and every unit's part in its error."""

    value: float
    parts: Floats
    units: int

    @property
    def variance(self) -> float:
        squares = float(np.sort(np.square(self.parts)).sum())
        return squares * self.units / max(self.units - 1, 1)


def mean_of_part(units: Units, values: Floats, mask: Mask) -> Mean:
    """A ratio of sums over units, linearised (Hájek 1971, see `weights`)."""
    weight = np.where(mask, units.weight, 0.0)
    total = sum_of(weight)
    mean = sum_of(weight * values) / total
    count = int(np.count_nonzero(units.sums(weight)))
    return Mean(mean, units.sums(weight * (values - mean) / total), count)
