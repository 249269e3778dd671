"""A metric of the user's own, f(y, prediction), by a delete-block jackknife or a bootstrap.

Nothing is known of the function but its values, so blocks of rows are left out one after the other,
and of few rows samples are drawn anew (`redrawn`), which decide then.
The blocks are of unequal size: Busing, Meijer & van der Leeden 1999, "Delete-m jackknife for
unequal m" (Statistics and Computing 9, 3–8, doi:10.1023/A:1008800423698). Where rows have weights a
block is as large as these come to, and the function is given them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.records.results import Evidence, MetricResult
from mlops_ci.verdict.aggregates.exact import sum_by
from mlops_ci.verdict.assessing import too_few
from mlops_ci.verdict.comparing import result_of
from mlops_ci.verdict.intervals import EXACTLY_ZERO, Interval, mover, student_quantile
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.moments import FEW_CHANGES
from mlops_ci.verdict.names import TASKS, Metric
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.redrawn import DRAWS, redrawn_interval, units_of
from mlops_ci.verdict.rows import Floats, Ints, Mask, PairedRows, SingleRows, unequal, view_of

FEWEST_BLOCKS, MOST_BLOCKS = 20, 100
# Blocks of 2·√n rows: leaving out fewer than some √n tells nothing of a median or a quantile, which
# jumps from row to row (Shao & Wu 1989, "A general theory for jackknife variance estimation",
# Annals of Statistics 17, 1176–1197, doi:10.1214/aos/1176347263).
ROOTS_A_BLOCK = 2
ROWS = 1 << 20  # of a chunk
SEED = 20_261_122
Rows = PairedRows | SingleRows
# What a metric needs of which nothing is known.
ANY = Metric("function", None, TASKS, needs="value")


@dataclass(frozen=True)
class Values:
    """Of one function on one part of the rows: by side `whole`, and `without` one block after the
    other [blocks], in the order of the blocks' codes; `drawn` anew [draws], or nothing where that
    was not asked or not answered. `refused`: why there are none.
    """

    whole: tuple[float, ...] = ()
    without: tuple[tuple[float, ...], ...] = ()
    drawn: tuple[tuple[float, ...], ...] = ()
    refused: str | None = None


def blocks_of(rows: Rows, hashes: Ints | None) -> Ints:
    """Each row's block [n]. `hashes` [n]: of the row keys, never of places; rows that belong
    together share a block. Without keys, rows are dealt out in an order that only what they hold
    decides.
    """
    n = len(rows.label)
    there = n if rows.weight is None else int(np.count_nonzero(rows.weight))
    count = min(MOST_BLOCKS, max(FEWEST_BLOCKS, math.isqrt(there) // ROOTS_A_BLOCK))
    if rows.group is not None:
        groups = int(rows.group.max()) + 1 if n else 0
        count = min(count, max(FEWEST_BLOCKS, groups // 2))
        return np.asarray(_dealt(groups, count)[rows.group])
    if hashes is not None:
        return _remainders(hashes, count)
    blocks = np.empty(n, dtype=np.int64)
    blocks[_canonical_order(rows)] = _dealt(n, count)
    return blocks


def _remainders(hashes: Ints, count: int) -> Ints:
    """One byte each: there may be many."""
    found = np.empty(len(hashes), np.uint8)
    for start in range(0, len(hashes), ROWS):
        part = slice(start, start + ROWS)
        found[part] = hashes[part].astype(np.uint64) % np.uint64(count)
    return np.asarray(found)


def places_of(rows: Rows, hashes: Ints | None) -> Ints:
    """Where each row stands [n] among those that can be drawn, in an order that only keys or what
    rows hold decide; rows that belong together stand in one place.
    """
    if rows.group is not None:
        return np.asarray(rows.group, dtype=np.int64)
    order = _canonical_order(rows) if hashes is None else np.argsort(hashes, kind="stable")
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return places


def _dealt(n: int, count: int) -> Ints:
    return np.asarray(np.random.default_rng(SEED).permutation(n) % count, dtype=np.int64)


def _canonical_order(rows: Rows) -> Ints:
    sides = (rows.base, rows.head) if isinstance(rows, PairedRows) else (rows.outputs,)
    columns = [rows.label]
    for side in sides:
        if side.prediction is not None:
            columns.append(side.prediction)
        if side.score is not None:
            columns += [side.score] if side.score.ndim == 1 else list(side.score.T)
    return np.asarray(np.lexsort(columns))


def parts_of(rows: Rows) -> Iterator[tuple[str | None, Mask | None]]:
    yield None, None
    for name in sorted(rows.slices):
        yield name, rows.slices[name]


def measure_functions(
    rows: Rows,
    policy: Policy,
    better: Mapping[str, bool],
    found: Mapping[tuple[str, str | None], Values],
    blocks: Ints,
) -> tuple[MetricResult, ...]:
    """One result for each function (name → whether more is better) and part of the rows."""
    evidence: Evidence = "paired" if isinstance(rows, PairedRows) else "unpaired"
    weight = unequal(rows.weight)
    alike = isinstance(rows, PairedRows) and rows.answered_alike and rows.tells_models_apart
    results = []
    for at, mask in parts_of(rows):
        view = view_of(rows, mask)
        part = Part(replace(view, values={**view.values, **better}), policy, at)
        sizes = _sizes(blocks, weight, mask)
        for name in better:
            measured = _measured(part, found.get((name, at), Values()), sizes)
            if alike and not part.view.identical and None not in measured.values:
                measured = _unmoved(measured)
            results.append(result_of(name, part, measured, evidence))
    return tuple(results)


def _unmoved(found: Measured) -> Measured:
    """Of numbers that are equal to the last bit a function makes one value. What it would make of
    rows that tell the two models apart nothing bounds, as it does for metrics of ours."""
    own = found.own if None not in found.own else (None, None)
    note = found.note if None in own else None
    return Measured(found.values, own, replace(EXACTLY_ZERO, method="equal answers"), note)


def _sizes(blocks: Ints, weight: Floats | None, mask: Mask | None) -> Floats:
    """Of the blocks that occur, in the order of their codes: their rows, or what these weigh."""
    if weight is None:
        counts = np.zeros(MOST_BLOCKS, np.int64)
        for start in range(0, len(blocks), ROWS):
            part = slice(start, start + ROWS)
            counts += np.bincount(
                blocks[part] if mask is None else blocks[part][mask[part]], minlength=MOST_BLOCKS
            )
        return counts[counts > 0].astype(np.float64)
    chosen = weight > 0 if mask is None else mask & (weight > 0)
    sizes = sum_by(blocks[chosen], weight[chosen], int(blocks.max(initial=0)) + 1)
    return sizes[sizes > 0]


def _measured(part: Part, values: Values, sizes: Floats) -> Measured:
    nothing: tuple[float | None, ...] = (None,) * part.sides
    why = _refusal(part)
    if why is None and (values.refused is not None or len(values.whole) != part.sides):
        why = f"not assessed: {values.refused or 'the function gave no answer'}"
    if why is None and not np.isfinite([*values.whole]).all():
        why = "not assessed: the function gave NaN or no finite number"
    if why is not None:
        return Measured(nothing, note=why)
    whole = values.whole
    if any(len(one) != len(sizes) or not np.isfinite(one).all() for one in values.without):
        return Measured(whole, note="not assessed: the function has no value without some rows")
    own = tuple(_interval(part, values, sizes, side) for side in range(part.sides))
    change = None
    if part.sides > 1:
        change = _interval(part, values, sizes, None)
        change = EXACTLY_ZERO if part.view.identical else change
    shown = [change, *own] if part.sides > 1 else own
    note = "not assessed: it changes in too few blocks of rows" if None in shown else None
    return Measured(whole, own, change, note)


def _interval(part: Part, values: Values, sizes: Floats, side: int | None) -> Interval | None:
    """Of one side's value, or (None) of the change. Where too few blocks tell anything nothing is
    known, whatever the draws say.
    """

    def of(column: Sequence[float] | Floats) -> float:
        return float(column[1] - column[0] if side is None else column[side])

    value = of(values.whole)
    spread = _pseudo(value, np.array([of(one) for one in zip(*values.without, strict=True)]), sizes)
    left_out = _jackknife(value, spread, sizes, part.level)
    if left_out is None or not _are_drawn(values):
        return left_out
    drawn = np.array([of(one) for one in zip(*values.drawn, strict=True)])
    return redrawn_interval(value, drawn, units_of(part), part.level)


def _are_drawn(values: Values) -> bool:
    """Whether each draw has a value: of those that have none, nobody knows where it would lie."""
    whole = len(values.drawn) == len(values.whole)
    return whole and all(len(one) == DRAWS and np.isfinite(one).all() for one in values.drawn)


def refusal(rows: Rows, policy: Policy, part: tuple[str | None, Mask | None]) -> str | None:
    """Why a part of the rows is not asked about at all."""
    return _refusal(Part(view_of(rows, part[1]), policy, part[0]))


def _refusal(part: Part) -> str | None:
    if part.view.n == 0:
        return "no row is left"
    why = too_few(part, ANY)
    return None if why is None else f"not assessed: {why}"


def _pseudo(whole: float, without: Floats, sizes: Floats) -> Floats:
    """Pseudo-values minus the value, each over √(h − 1), with h = n / the block's size: their mean
    of squares is the variance."""
    h = sizes.sum() / sizes
    pseudo = h * whole - (h - 1) * without
    centre = float(((1 - 1 / h) * (whole - without)).sum()) + whole
    return np.asarray((pseudo - centre) / np.sqrt(h - 1))


def _jackknife(value: float, spread: Floats, sizes: Floats, level: float) -> Interval | None:
    """None where too few blocks tell anything: no variance is no certainty."""
    scale = float(np.abs(spread).max(initial=0.0))
    varying = int((np.abs(spread - np.median(spread)) > 1e-9 * scale).sum()) if scale else 0
    if len(sizes) < FEWEST_BLOCKS // 2 or varying < min(FEW_CHANGES, len(sizes)):
        return None
    se = math.sqrt(float(np.sort(np.square(spread)).sum()) / len(sizes))
    half = student_quantile(level, len(sizes) - 1) * se
    return Interval(value - half, value + half, se, f"delete-block jackknife, {len(sizes)} blocks")


def join_unpaired(
    base: Sequence[MetricResult], head: Sequence[MetricResult]
) -> tuple[MetricResult, ...]:
    """Two samples: at most inconclusive."""
    from mlops_ci.verdict.structs import replaced

    theirs = {(one.metric, one.slice): one for one in base}
    joined = []
    for ours in head:
        other = theirs.get((ours.metric, ours.slice))
        if other is None or other.head is None or ours.head is None:
            note = ours.note or (other.note if other else None) or "base has no value"
            joined.append(replaced(ours, note=note))
            continue
        told = {"base": other.head, "base_low": other.head_low, "base_high": other.head_high}
        intervals = [_own_of(one) for one in (other, ours)]
        change = None
        if intervals[0] is not None and intervals[1] is not None:
            change = mover((other.head, intervals[0]), (ours.head, intervals[1]))
        joined.append(
            replaced(
                ours,
                **told,
                difference=ours.head - other.head,
                low=change.low if change else None,
                high=change.high if change else None,
                se=change.se if change else None,
                method=change.method if change else "",
            )
        )
    return tuple(joined)


def _own_of(one: MetricResult) -> Interval | None:
    if one.head_low is None or one.head_high is None or one.se is None:
        return None
    return Interval(one.head_low, one.head_high, one.se, one.method)
