"""How far two samples lie apart, from counts alone; and how likely that is by luck.

Counts of base and head [k] are in one order. Kolmogorov 1933 (Giornale dell'Istituto Italiano degli
Attuari 4, 83–91) and Smirnov 1948 (Annals Math. Statistics 19, 279–281,
doi:10.1214/aoms/1177730256), of finite samples Stephens 1970 (JRSS B 32, 115–122,
doi:10.1111/j.2517-6161.1970.tb00821.x); χ²: Pearson 1900 (Philosophical Magazine 50, 157–175,
doi:10.1080/14786440009463897), rare cells: Cochran 1954 (Biometrics 10, 417–451,
doi:10.2307/3001616); Lin 1991, "Divergence measures based on the Shannon entropy" (IEEE Trans.
Information Theory 37, 145–151, doi:10.1109/18.61115), of which the root is a distance: Endres &
Schindelin 2003 (the same 49, 1858–1860, doi:10.1109/TIT.2003.813506); Siddiqi 2006, "Credit risk
scorecards" (Wiley, ISBN 978-0-471-75451-0: the population stability index, PSI, which is the
divergence of Jeffreys 1946, Proc. Royal Society A 186, 453–461, doi:10.1098/rspa.1946.0056);
Vallender 1974 (Wasserstein's distance on a line: Theory of Probability and its Applications 18,
784–786, doi:10.1137/1118101).
"""

from __future__ import annotations

import math

import numpy as np

from mlops_ci.verdict.rows import Floats, Ints

CELLS = 10
EXPECTED = 5.0  # rows in a cell, at least, for χ² to hold (Cochran 1954)


def kolmogorov_smirnov(base: Ints, head: Ints) -> float:
    """The largest distance of the two cumulated shares; marks rise from left to right."""
    return float(np.abs(_cumulated(base) - _cumulated(head)).max())


def kolmogorov_smirnov_p(distance: float, base: int, head: int) -> float:
    """Of samples of so many values, with the correction of Stephens 1970 for finite ones. Ties,
    bins and rows in common make it too large, never too small."""
    from scipy.special import kolmogorov

    root = math.sqrt(base * head / (base + head))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def wasserstein(places: Floats, base: Ints, head: Ints) -> float:
    """In the unit of `places` [k], which rise: how far a value has moved, in the mean."""
    apart = np.abs(_cumulated(base) - _cumulated(head))[:-1]
    return float((apart * np.diff(places)).sum())


def population_stability(base: Ints, head: Ints) -> float:
    """Σ (p − q) ln(p/q). Where a side has an empty cell, each cell of both gets half a row more."""
    p, q = _shares(base, head)
    if not (p > 0).all() or not (q > 0).all():
        used = base + head > 0
        p, q = _shares(2 * base[used] + 1, 2 * head[used] + 1)
    return float(((p - q) * np.log(p / q)).sum())


def jensen_shannon(base: Ints, head: Ints) -> float:
    """The distance, the root of the divergence, with logarithms to base 2: from 0 to 1."""
    p, q = _shares(base, head)
    middle = (p + q) / 2
    divergence = sum(
        float((one[one > 0] * np.log2(one[one > 0] / middle[one > 0])).sum()) for one in (p, q)
    )
    return math.sqrt(max(divergence / 2, 0.0))


def chi_square(base: Ints, head: Ints) -> tuple[float, int]:
    """Pearson's statistic of homogeneity, and its degrees of freedom; empty cells do not count."""
    table = np.stack([base, head]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    expected = np.multiply.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float((np.square(table - expected) / expected).sum()), table.shape[1] - 1


def chi_square_p(statistic: float, freedom: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(freedom, statistic)) if freedom > 0 else 1.0


def pool_rare(base: Ints, head: Ints) -> tuple[Ints, Ints]:
    """The cells in which the smaller side expects too few rows, in one, and the rarest other cell
    with them where they are still too few."""
    both = base + head
    share = min(int(base.sum()), int(head.sum())) / int(both.sum())
    order = np.argsort(both, kind="stable")
    rare = int(np.count_nonzero(both * share < EXPECTED))
    while 0 < rare < len(both) and both[order[:rare]].sum() * share < EXPECTED:
        rare += 1
    if rare < 2:
        return base, head
    base, head = (np.append(side[order[rare:]], side[order[:rare]].sum()) for side in (base, head))
    return base, head


def tenths(base: Ints, head: Ints) -> tuple[Ints, Ints]:
    """Both sides' counts in at most ten cells, about as many rows in each, both sides weighing the
    same: base's own tenths could not see a value beyond all of base's."""
    reached = (_cumulated(base) + _cumulated(head)) / 2
    before = np.concatenate([[0.0], reached[:-1]])
    cell = np.minimum((before * CELLS).astype(np.int64), CELLS - 1)
    sides = (np.bincount(cell, weights=side, minlength=CELLS) for side in (base, head))
    first, second = (side.astype(np.int64) for side in sides)
    used = first + second > 0
    return first[used], second[used]


def _cumulated(counts: Ints) -> Floats:
    return np.asarray(np.cumsum(counts) / counts.sum(), dtype=np.float64)


def _shares(base: Ints, head: Ints) -> tuple[Floats, Floats]:
    used = base + head > 0
    p, q = (np.asarray(side[used] / side.sum(), dtype=np.float64) for side in (base, head))
    return p, q
