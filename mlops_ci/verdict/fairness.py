"""Fairness between groups of rows: the names and the meanings are fairlearn's.

A group is a slice of a column that the project names under `fairness`. Of each group the rows are
counted by (label, base's class, head's class); that is all that the metrics need, and drawing these
counts again from the multinomial distribution is the ordinary paired bootstrap (Efron 1979, Annals
of Statistics 7, 1–26, doi:10.1214/aos/1176344552).
Where rows belong together, or have weights, groups of rows or weighted rows are drawn instead.
Intervals are those of the largest of several differences (`extremes`), which is biased away from 0:
Berger 1982 (doi:10.1080/00401706.1982.10487790), Westfall & Young 1993 (ISBN 978-0-471-55761-6),
Chernozhukov, Lee & Rosen 2013 (doi:10.3982/ECTA8718); where a rate rests on few rows, no shorter
than what those leave open (`scarcity`).
Hardt, Price & Srebro 2016, "Equality of opportunity in supervised learning" (NIPS 29,
arXiv:1610.02413); demographic parity: Dwork et al. 2012, "Fairness through awareness" (ITCS 3,
214–226, doi:10.1145/2090236.2090255).
https://fairlearn.org/main/user_guide/assessment/common_fairness_metrics.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.extremes import Estimates, largest_rose
from mlops_ci.verdict.group_rates import BASE, CELLS, HEAD, Groups, rate_of, rates_of, spread_of
from mlops_ci.verdict.intervals import EXACTLY_ZERO, Interval
from mlops_ci.verdict.names import FAIRNESS, METRICS
from mlops_ci.verdict.rows import Floats, Ints, Mask, PairedRows, SingleRows
from mlops_ci.verdict.scarcity import reach_of_change, reach_of_spread
from mlops_ci.verdict.units import Units, units_of

ROUNDING = 1e-12
NOT_BINARY = "it is defined for two classes"
NO_CLASSES = "it needs classes, and there are only scores"
METHOD = "bootstrap of counts"
Apart = Callable[[Floats, Floats], Floats]  # of two groups' rates


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
    own, change = _bounds(name, groups, (estimates[0], estimates[1]), policy.level)
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


def _bounds(
    name: str, groups: Groups, values: tuple[float, float], level: float
) -> tuple[list[Interval], Interval]:
    """Own intervals of base and head, and that of the change. A ratio is the least of its pairs',
    and by itself bounded by its logarithm."""
    ratio = name.endswith("ratio")
    apart, own_apart = (_turned_ratio, _log_ratio) if ratio else (np.subtract, np.subtract)
    draws = [spread_of(name, groups.drawn, side) for side in (BASE, HEAD)]
    own = []
    for side, draw, value in zip((BASE, HEAD), draws, values, strict=True):
        low, high = _pairs(name, groups, side, own_apart).largest(level)
        ends = (math.exp(-high), math.exp(-max(low, 0.0))) if ratio else (max(low, 0.0), high)
        own.append(_interval(ends, draw, value))
    before, after = (_pairs(name, groups, side, apart) for side in (BASE, HEAD))
    low, high = largest_rose(before, after, level)
    low, high = max(-1.0, low), min(1.0, high)
    ends = (-high, -low) if ratio else (low, high)
    return own, _interval(ends, draws[1] - draws[0], values[1] - values[0])


def _turned_ratio(one: Floats, other: Floats) -> Floats:
    return np.asarray(-other / one)


def _log_ratio(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.log(one) - np.log(other))


def _interval(ends: tuple[float, float], draws: Floats, value: float) -> Interval:
    draws = draws[np.isfinite(draws)]
    return Interval(min(ends[0], value), max(ends[1], value), float(draws.std(ddof=1)), METHOD)


def _pairs(name: str, groups: Groups, side: Mask, apart: Apart) -> Estimates:
    """Of each ordered pair of groups how far their rates lie apart."""
    seen, errors = [], []
    one, other = (~np.eye(len(groups.counts), dtype=np.bool_)).nonzero()
    for of in rates_of(name):
        rate, drawn = (rate_of(counts, of, side) for counts in (groups.counts, groups.drawn))
        with np.errstate(invalid="ignore", divide="ignore"):
            seen.append(apart(rate[one], rate[other]))
            errors.append(apart(drawn[:, one], drawn[:, other]) - seen[-1])
    known = np.isfinite(found := np.concatenate(seen))
    off = np.concatenate(errors, axis=1)[:, known]
    return Estimates(found[known], np.where(np.isfinite(off), off, 0.0))


def _named(interval: Interval, units: Units) -> Interval:
    return replace(interval, method=f"{interval.method}{units.words}")


def _no_shorter(own: Interval, name: str, groups: Groups, side: Mask, level: float) -> Interval:
    """Where few rows tell a rate, at least what they leave open."""
    kind = name.rpartition("_")[2]
    found = [reach_of_spread(kind, groups.rates(of, side), level) for of in rates_of(name)]
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
        for of in rates_of(name)
    ]
    reach = [one for one in found if one is not None]
    if not reach:
        return change
    low, high = estimate - max(down for down, _ in reach), estimate + max(up for _, up in reach)
    return replace(change, low=min(change.low, low), high=max(change.high, high))


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
    counts: Ints | Floats = np.bincount(cell[cell >= 0], minlength=size)
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
