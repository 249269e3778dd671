"""Where the candidate got worse: a search over the declared slices and their pairs.

A search finds something in any noise, so its p-values are adjusted for all the slices looked at
(Benjamini & Hochberg 1995, "Controlling the false discovery rate", JRSS B 57, 289–300,
doi:10.1111/j.2517-6161.1995.tb02031.x). The tests: McNemar 1947 (Psychometrika 12, 153–157,
doi:10.1007/BF02295996) and Welch 1947 (Biometrika 34, 28–35, doi:10.1093/biomet/34.1-2.28). It
informs and does not judge: a promise about a slice is a gate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.records.findings import WeakSlice
from mlops_ci.verdict.aggregates.cube import Cube
from mlops_ci.verdict.aggregates.sufficient import Sufficient
from mlops_ci.verdict.intervals import upper_t, upper_tail
from mlops_ci.verdict.multiplicity import benjamini_hochberg
from mlops_ci.verdict.rows import Floats, Mask, PairedRows
from mlops_ci.verdict.units import Mean, Units, mean_of_part, units_of

ALPHA = 0.05  # of what is told, at most this share is expected to be noise
MOST_TOLD = 3
MOST_TRIED = 2_000  # slices and pairs; of more, the larger ones
EXACT = 1_000  # changed answers
SAME_ROWS = 0.8  # two findings that share so many of the rows that got worse are one


@dataclass(frozen=True)
class Moments:
    """Of the loss changes of some rows: how many, how many above and below 0, sum, squares."""

    n: int
    worse: int
    better: int
    sum: float
    squares: float

    @property
    def mean(self) -> float:
        return self.sum / self.n

    @property
    def variance(self) -> float:
        """With n − 1; 0 for a single row."""
        return max(self.squares - self.sum**2 / self.n, 0.0) / max(self.n - 1, 1)

    def without(self, part: Moments) -> Moments:
        return Moments(
            self.n - part.n,
            self.worse - part.worse,
            self.better - part.better,
            self.sum - part.sum,
            self.squares - part.squares,
        )


@dataclass(frozen=True)
class Change:
    """Loss of head − loss of base by row [n]: above 0 is worse. `signs`: it is −1, 0 or 1."""

    values: Floats
    worse: Mask
    better: Mask
    signs: bool

    def size(self, mask: Mask) -> int:
        return int(np.count_nonzero(mask))

    def moments(self, mask: Mask) -> Moments:
        n, worse, better = (
            int(np.count_nonzero(mask if part is None else mask & part))
            for part in (None, self.worse, self.better)
        )
        if self.signs:
            return Moments(n, worse, better, worse - better, worse + better)
        inside = self.values[mask]
        return Moments(n, worse, better, float(inside.sum()), float(inside @ inside))


@dataclass(frozen=True)
class Counted:
    """The same of rows that are gone: masks are of the cells of `cube`."""

    cube: Cube
    signs: bool

    def size(self, mask: Mask) -> int:
        return int(self.cube.counts[mask, 0].sum())

    def moments(self, mask: Mask) -> Moments:
        n, worse, better = map(int, self.cube.counts[mask].sum(axis=0))
        first, second = (float(one[mask].sum()) for one in self.cube.changes)
        return Moments(n, worse, better, first, second)


@dataclass(frozen=True)
class _Tried:
    name: str
    mask: Mask
    inside: Moments
    p: float


def find_weak_slices(rows: PairedRows, policy: Policy) -> tuple[WeakSlice, ...]:
    """Slices in which the rows' losses rose, and more than elsewhere, the surest first; empty when
    none can be told from noise. The loss of a row is 1 for a wrong class, the squared error of a
    score where there are no classes, the absolute error of a value. Where rows belong together, or
    have weights, its tests count groups, or weights."""
    if rows.identical or not rows.slices:
        return ()
    change = change_of(rows)
    if change is None or not change.worse.any():
        return ()
    units = units_of(rows)
    if units is None:
        return _search(change, rows.slices, policy)
    tried = [
        _Tried(name, mask, *try_units(units, change, mask))
        for name, mask in _candidates(change, rows.slices, policy)
        if units.worth(mask) >= policy.min_rows and units.worth(~mask) > 1
    ]
    return _told(change, tried, change.moments(np.ones(len(change.values), dtype=np.bool_)))


def find_weak_merged(found: Sufficient, policy: Policy) -> tuple[WeakSlice, ...]:
    """As `find_weak_slices`, of the rows' statistics."""
    cube = found.cube
    if cube is None or cube.lost or found.identical or not cube.counts[:, 1].any():
        return ()
    if found.grouped or found.unequal:  # its tests would count rows
        return ()
    change = Counted(cube, signs=found.question.task != "regression")
    return _search(change, cube.masks(), policy)


def _search(
    change: Change | Counted, slices: Mapping[str, Mask], policy: Policy
) -> tuple[WeakSlice, ...]:
    total = change.moments(_all(slices))
    tried = [_try(name, mask, change, total) for name, mask in _candidates(change, slices, policy)]
    return _told(change, tried, total)


def _all(slices: Mapping[str, Mask]) -> Mask:
    return np.ones(len(next(iter(slices.values()))), dtype=np.bool_)


def _told(change: Change | Counted, tried: list[_Tried], total: Moments) -> tuple[WeakSlice, ...]:
    adjusted = benjamini_hochberg([one.p for one in tried])
    found = sorted(zip(adjusted, tried, strict=True), key=lambda one: (one[0], one[1].p))
    told: list[tuple[float, _Tried]] = []
    for q, one in found:
        if q <= ALPHA and not any(_overlap(change, one, other) for _, other in told):
            told.append((q, one))
    return tuple(_record(one, total, q, len(tried)) for q, one in told[:MOST_TOLD])


def change_of(rows: PairedRows) -> Change | None:
    """None where the rows have no loss: scores of many classes without a class."""
    losses = []
    for side in (rows.base, rows.head):
        if rows.task == "regression" and side.prediction is not None:
            losses.append(np.abs(side.prediction - rows.label))
        elif side.prediction is not None:
            losses.append((side.prediction != rows.label).astype(np.int8))
        elif side.score is not None and rows.task == "binary":
            losses.append(np.square(side.score - (rows.label == rows.positive)))
        else:
            return None
    values = losses[1] - losses[0]
    signs = rows.task != "regression" and rows.head.prediction is not None
    return Change(values, values > 0, values < 0, signs and rows.base.prediction is not None)


def _try(name: str, mask: Mask, change: Change | Counted, total: Moments) -> _Tried:
    inside = change.moments(mask)
    p = max(worse_p(inside, signs=change.signs), apart_p(inside, total.without(inside)))
    return _Tried(name, mask, inside, p)


def try_units(units: Units, change: Change, mask: Mask) -> tuple[Moments, float]:
    """As `_try`, by sums over units: Student's t for a mean and for the difference of two, in which
    a unit may have a part on both sides; for classes the sign test on units as well, since few of
    them may have changed."""
    inside, outside = (mean_of_part(units, change.values, part) for part in (mask, ~mask))
    counted = change.moments(mask)
    moments = replace(counted, sum=inside.value * counted.n)
    if inside.variance == 0.0 or inside.units < 2:
        return moments, 1.0
    apart = Mean(inside.value - outside.value, inside.parts - outside.parts, inside.units)
    p = [
        upper_t(one.value / math.sqrt(one.variance), inside.units - 1)
        for one in (inside, apart)
        if one.variance
    ]
    if change.signs:
        moved = units.sums(np.where(mask, units.weight * change.values, 0.0))
        worse, better = (int(np.count_nonzero(part)) for part in (moved > 0, moved < 0))
        p.append(sign_p(worse, worse + better))
    return moments, max(p)


def worse_p(inside: Moments, *, signs: bool) -> float:
    """One-sided: how likely so much worse is by luck. For classes the sign test on the rows whose
    answer changed (McNemar 1947), else Student's t."""
    if signs:
        return sign_p(inside.worse, inside.worse + inside.better)
    if inside.variance == 0.0 or inside.n < 2:
        return 1.0
    t = inside.mean / math.sqrt(inside.variance / inside.n)
    return upper_t(t, inside.n - 1)


def sign_p(worse: int, changed: int) -> float:
    """P(at least `worse` of `changed` by the toss of a coin): exact for up to EXACT of them, then
    normal with the correction for continuity."""
    if changed <= EXACT:
        ways = sum(math.comb(changed, k) for k in range(worse, changed + 1))
        return ways / (1 << changed)
    return upper_tail((worse - 0.5 - changed / 2) / math.sqrt(changed / 4))


def apart_p(inside: Moments, outside: Moments) -> float:
    """One-sided: how likely the mean inside exceeds the one outside by so much by luck. Welch's
    test (1947), by the normal distribution."""
    variance = inside.variance / inside.n + outside.variance / outside.n
    gap = inside.mean - outside.mean
    if variance == 0.0:
        return 0.0 if gap > 0 else 1.0
    return upper_tail(gap / math.sqrt(variance))


def _candidates(
    change: Change | Counted, slices: Mapping[str, Mask], policy: Policy
) -> Iterator[tuple[str, Mask]]:
    """Single slices, then pairs of two columns; with enough rows, and never all rows."""
    sizes = {name: change.size(mask) for name, mask in slices.items()}
    most, least = change.size(_all(slices)), policy.min_rows
    singles = {name: mask for name, mask in slices.items() if least <= sizes[name] < most}
    ordered = sorted(singles, key=lambda name: (-sizes[name], name))[:MOST_TRIED]
    yield from ((name, singles[name]) for name in ordered)
    left = MOST_TRIED - len(ordered)
    for one, other in combinations(ordered, 2):
        if left <= 0:
            return
        if one.partition("=")[0] == other.partition("=")[0]:
            continue
        mask = singles[one] & singles[other]
        size = change.size(mask)
        if least <= size < min(sizes[one], sizes[other]):
            left -= 1
            yield " & ".join(sorted((one, other))), mask


def _overlap(change: Change | Counted, one: _Tried, other: _Tried) -> bool:
    shared = change.moments(one.mask & other.mask).worse
    return shared >= SAME_ROWS * min(one.inside.worse, other.inside.worse)


def _record(found: _Tried, total: Moments, q: float, tried: int) -> WeakSlice:
    inside = found.inside
    return WeakSlice(
        slice=found.name,
        n=inside.n,
        loss=inside.mean,
        worse=inside.worse,
        worse_of_all=total.worse,
        better=inside.better,
        q=q,
        tried=tried,
    )
