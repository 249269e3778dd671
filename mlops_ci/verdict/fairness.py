"""Fairness between groups of rows: the names and the meanings are fairlearn's.

A group is a slice of a column that the project names under `fairness`. Of each group the rows are
counted by (label, base's class, head's class); that is all that the metrics need, and drawing these
counts again from the multinomial distribution is the ordinary paired bootstrap (Efron 1979).
Where rows belong together, or have weights, groups of rows or weighted rows are drawn instead.
Intervals are bias-corrected percentiles (Efron & Tibshirani 1993, 14.3), since the largest of
several differences is biased away from 0; where a rate rests on few rows, no shorter than what
those leave open (`scarcity`).
Hardt, Price & Srebro 2016, "Equality of opportunity in supervised learning" (NIPS 29); demographic
parity: Dwork et al. 2012, "Fairness through awareness" (ITCS 3, 214–226).
https://fairlearn.org/main/user_guide/assessment/common_fairness_metrics.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.intervals import EXACTLY_ZERO, Interval
from mlops_ci.verdict.names import FAIRNESS, METRICS
from mlops_ci.verdict.rows import Floats, Ints, Mask, PairedRows, SingleRows
from mlops_ci.verdict.scarcity import Rate, reach_of_change, reach_of_spread
from mlops_ci.verdict.units import Units, units_of

DRAWS = 4_000
ROUNDING = 1e-12
SEED = 20_261_121
NOT_BINARY = "it is defined for two classes"
NO_CLASSES = "it needs classes, and there are only scores"
METHOD = "bootstrap of counts"
CELLS = 8  # label × base's class × head's class, each positive or not
Counts = Ints | Floats
CODES = np.arange(CELLS)
LABEL, BASE, HEAD = ((CODES >> at & 1).astype(np.bool_) for at in (2, 1, 0))


@dataclass(frozen=True)
class Groups:
    """`counts` [groups, 8] in the order of `names`, or the weights of so many `rows`; `skipped`
    have too few. `units`: what was sampled, where it is not rows; `cell` [n]: where a row counts
    then, −1 for nowhere.
    """

    names: tuple[str, ...]
    counts: Counts
    skipped: tuple[str, ...]
    rows: int
    cell: Ints | None = None
    units: Units | None = None

    def rates(self, of: Mask, side: Mask) -> list[Rate]:
        """Each group's share of positive answers among the rows `of`, and how much it rests on."""
        counts, found = self.counts, []
        for at, share in enumerate(_rate(counts, of, side)):
            total = counts[at, of].sum()
            rows = float(total)
            if self.units is not None and self.cell is not None:
                rows = self.units.worth(np.isin(self.cell, at * CELLS + CODES[of]))
            moved = (
                counts[at, of & one & ~other].sum() for one, other in ((BASE, HEAD), (HEAD, BASE))
            )
            lost, gained = (float(one / total * rows) if total else 0.0 for one in moved)
            found.append(Rate(float(share), rows, lost, gained))
        return found

    @cached_property
    def drawn(self) -> Counts:
        """[draws, groups, 8]: all rows drawn anew, so the groups' sizes vary too."""
        if self.units is not None and self.cell is not None:
            totals = self.units.draw(self.cell, self.counts.size, DRAWS, SEED)
            return totals.reshape(DRAWS, *self.counts.shape)
        n = self.rows
        rng = np.random.default_rng(SEED)
        drawn = rng.multinomial(n, (self.counts / n).ravel(), size=DRAWS)
        return np.asarray(drawn.reshape(DRAWS, *self.counts.shape))


def compare_fairness(
    rows: PairedRows | SingleRows, policy: Policy, columns: Iterable[str]
) -> tuple[MetricResult, ...]:
    """One result for each metric and column; its `slice` is the column. Where it is not defined (no
    two classes, no two groups with enough rows, a rate without rows) it has no value and says why.
    """
    paired = isinstance(rows, PairedRows)
    asked = Asked(policy, paired, identical=isinstance(rows, PairedRows) and rows.identical)
    return tuple(
        result
        for column in columns
        for result in compare_groups(column, _groups(rows, policy, column), asked)
    )


@dataclass(frozen=True)
class Asked:
    """`paired`: whether there is a base. `identical`: that no change is a fact."""

    policy: Policy
    paired: bool
    identical: bool


def compare_groups(column: str, groups: Groups | str, asked: Asked) -> Iterator[MetricResult]:
    """`groups`: of the column, or why there are none."""
    for name in FAIRNESS:
        yield _result(name, column, _measure(name, groups, asked), asked)


@dataclass(frozen=True)
class _Found:
    """Of base and head (head alone: twice the same); None: not assessed, and `note` says why."""

    n: int = 0
    values: tuple[float, float] | None = None
    own: tuple[Interval, Interval] | None = None
    change: Interval | None = None
    note: str | None = None


def _measure(name: str, groups: Groups | str, asked: Asked) -> _Found:
    if isinstance(groups, str):
        return _Found(note=groups)
    n, policy = groups.rows, asked.policy
    estimates = [float(spread_of(name, groups.counts, side)) for side in (BASE, HEAD)]
    if not np.isfinite(estimates).all():
        return _Found(n, note="a group has no row that its rate is of")
    note = f"left out, too few rows: {', '.join(groups.skipped)}" if groups.skipped else None
    draws = [spread_of(name, groups.drawn, side) for side in (BASE, HEAD)]
    own = [_percentiles(draw, at, policy) for draw, at in zip(draws, estimates, strict=True)]
    change = _percentiles(draws[1] - draws[0], estimates[1] - estimates[0], policy)
    own = [
        _no_shorter(one, name, groups, side, policy.level)
        for one, side in zip(own, (BASE, HEAD), strict=True)
    ]
    change = _no_shorter_change(change, estimates[1] - estimates[0], name, groups, policy.level)
    if groups.units is not None:
        own = [_named(one, groups.units) for one in own]
        change = _named(change, groups.units)
    if asked.identical:
        change = EXACTLY_ZERO
    return _Found(n, (estimates[0], estimates[1]), (own[0], own[1]), change, note)


def _named(interval: Interval, units: Units) -> Interval:
    return replace(interval, method=f"{interval.method}{units.words}")


def spread_of(name: str, counts: Counts, side: Mask) -> Floats:
    """How far the groups' rates lie apart: counts [..., groups, 8] → [...]; NaN where a group has
    no row that a rate is of. Equalized odds is the worse of the two rates, as in fairlearn."""
    kind = name.rpartition("_")[2]
    spreads = [_spread(kind, _rate(counts, of, side)) for of in _rates_of(name)]
    return spreads[0] if len(spreads) == 1 else WORSE[kind](*spreads)


WORSE = {"difference": np.maximum, "ratio": np.minimum}


def _rates_of(name: str) -> tuple[Mask, ...]:
    """The rows that a metric's rates are of."""
    return {
        "demographic_parity": (np.ones(CELLS, dtype=np.bool_),),
        "equal_opportunity": (LABEL,),
        "equalized_odds": (LABEL, ~LABEL),
    }[name.rpartition("_")[0]]


def _no_shorter(own: Interval, name: str, groups: Groups, side: Mask, level: float) -> Interval:
    """Where few rows tell a rate, at least what they leave open."""
    kind = name.rpartition("_")[2]
    found = [reach_of_spread(kind, groups.rates(of, side), level) for of in _rates_of(name)]
    reach = [one for one in found if one is not None]
    if not reach:
        return own
    low, high = min(low for low, _ in reach), max(high for _, high in reach)
    return replace(own, low=min(own.low, low), high=max(own.high, high))


def _no_shorter_change(
    change: Interval, estimate: float, name: str, groups: Groups, level: float
) -> Interval:
    kind, drawn = name.rpartition("_")[2], change.high - change.low > ROUNDING
    found = [
        reach_of_change(kind, (groups.rates(of, BASE), groups.rates(of, HEAD)), level, drawn=drawn)
        for of in _rates_of(name)
    ]
    reach = [one for one in found if one is not None]
    if not reach:
        return change
    low, high = estimate - max(down for down, _ in reach), estimate + max(up for _, up in reach)
    return replace(change, low=min(change.low, low), high=max(change.high, high))


def _rate(counts: Counts, of: Mask, side: Mask) -> Floats:
    """Share of the positive answers among the rows `of`, by group."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = counts[..., of & side].sum(axis=-1) / counts[..., of].sum(axis=-1)
    return np.asarray(rate, dtype=np.float64)


def _spread(kind: str, rates: Floats) -> Floats:
    lowest, highest = rates.min(axis=-1), rates.max(axis=-1)
    if kind == "difference":
        return np.asarray(highest - lowest)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(lowest / highest)


def _groups(rows: PairedRows | SingleRows, policy: Policy, column: str) -> Groups | str:
    """A string says why there is nothing to compare."""
    outputs = (rows.base, rows.head) if isinstance(rows, PairedRows) else (rows.outputs,) * 2
    if rows.task != "binary":
        return NOT_BINARY
    if outputs[0].prediction is None or outputs[1].prediction is None:
        return NO_CLASSES
    sides = (rows.label, outputs[0].prediction, outputs[1].prediction)
    codes = np.zeros(len(rows.label), dtype=np.int64)
    for side in sides:
        codes = codes << 1 | (side == rows.positive)
    masks = {n: rows.slices[n] for n in sorted(rows.slices) if n.partition("=")[0] == column}
    units = units_of(rows)
    kept = tuple(name for name, mask in masks.items() if _worth(mask, units) >= policy.min_rows)
    if len(kept) < 2:
        return too_few(column, policy, _what(units))
    cell = np.full(len(codes), -1)
    for at, name in enumerate(kept):
        cell[masks[name]] = at * CELLS + codes[masks[name]]
    skipped = tuple(name for name in masks if name not in kept)
    size = CELLS * len(kept)
    counts: Counts = np.bincount(cell[cell >= 0], minlength=size)
    n = int(counts.sum())
    if units is not None:
        counts = units.totals(cell, size)
    return Groups(kept, counts.reshape(-1, CELLS), skipped, n, cell, units)


def too_few(column: str, policy: Policy, what: str = "rows") -> str:
    return f"{column} has not two groups with at least {policy.min_rows} {what}"


def _worth(mask: Mask, units: Units | None) -> float:
    return float(mask.sum()) if units is None else units.worth(mask)


def _what(units: Units | None) -> str:
    if units is None:
        return "rows"
    return "rows of equal weight" if units.clusters is None else "groups of rows"


def _percentiles(draws: Floats, estimate: float, policy: Policy) -> Interval:
    """Bias-corrected; draws without a value are left out."""
    from scipy.special import ndtr, ndtri

    draws = draws[np.isfinite(draws)]
    below = (np.count_nonzero(draws < estimate) + np.count_nonzero(draws <= estimate)) / 2
    shift = float(ndtri(np.clip(below / len(draws), 1 / len(draws), 1 - 1 / len(draws))))
    tail = (1 - policy.level) / 2
    ends = [float(ndtr(2 * shift + ndtri(share))) for share in (tail, 1 - tail)]
    low, high = (float(one) for one in np.quantile(draws, ends))
    return Interval(min(low, estimate), max(high, estimate), float(draws.std(ddof=1)), METHOD)


def _result(name: str, column: str, found: _Found, asked: Asked) -> MetricResult:
    told: dict[str, Any] = {"metric": name, "slice": column, "evidence": "paired"}
    told |= {"higher_is_better": METRICS[name].higher_is_better, "note": found.note}
    if found.values is None or found.own is None or found.change is None:
        return MetricResult(n=found.n or None, **told)
    told |= {
        "n": found.n,
        "method": found.own[1].method,
        "head": found.values[1],
        "se": found.own[1].se,
    }
    told |= {"head_low": found.own[1].low, "head_high": found.own[1].high}
    if not asked.paired:
        return MetricResult(**{**told, "evidence": "unpaired"})
    base, change = found.own[0], found.change
    return MetricResult(
        **{**told, "se": change.se},
        base=found.values[0],
        base_low=base.low,
        base_high=base.high,
        difference=found.values[1] - found.values[0],
        low=change.low,
        high=change.high,
    )
