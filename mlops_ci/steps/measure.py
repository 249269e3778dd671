"""Both sides' rows → metrics with intervals, weak slices, drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from msgspec import structs

from mlops_ci.config.model import Policy
from mlops_ci.data import Pairing, Streamed, pair, single_rows
from mlops_ci.records.results import Evidence, MetricResult, RowCounts
from mlops_ci.steps.drift import drift_between, note_of, rows_differ
from mlops_ci.steps.identity import is_one_model
from mlops_ci.steps.sides import Known, Measured, Wanted
from mlops_ci.steps.turnover import left_out_of
from mlops_ci.verdict import (
    Lost,
    Uncommon,
    askable,
    compare_counted_fairness,
    compare_fairness,
    compare_merged,
    compare_merged_apart,
    compare_paired,
    compare_single,
    compare_unpaired,
    find_weak_merged,
    find_weak_slices,
)
from mlops_ci.verdict.aggregates.sufficient import Sufficient
from mlops_ci.verdict.decomposition import measure_left_out

TOO_MANY = (
    "Weak slices were not searched for: the columns of slices have too many combinations to be "
    "counted, or errors are too large for their squares to be summed."
)
TOGETHER = (
    "Weak slices were not searched for: rows belong together, and they were counted as they were "
    "read."
)
WEIGHED = (
    "Weak slices were not searched for: rows have weights, and they were counted as they were read."
)


def measure_rows(base: Known | None, head: Known, policy: Policy, wanted: Wanted) -> Measured:
    if head.counted is not None:
        counted = _measure_counted(head.counted, policy, wanted)
        drift = head.counted.drift
        return structs.replace(counted, drift=drift, notes=(*counted.notes, *note_of(drift)))
    if head.predictions is None:
        return Measured((), RowCounts(), "point")
    if base is None or base.predictions is None:
        rows = single_rows(head.predictions)
        fair = compare_fairness(rows, policy, wanted.fairness)
        metrics = (*compare_single(rows, policy, wanted.of_rows()), *fair)
        if wanted.functions is not None:
            metrics += wanted.functions.of_head(head.predictions, rows, policy)
        notes = () if base is None else ("Base has no predictions: only numbers are compared.",)
        counts = RowCounts(head=head.predictions.rows)
        return Measured(metrics, counts, "unpaired" if base is None else "point", notes=notes)
    pairing = pair(base.predictions, head.predictions)
    measured = _measure_pair((base, head), pairing, policy, wanted)
    if wanted.alone or not rows_differ(pairing):
        return measured
    drift = drift_between(base.predictions, head.predictions)
    return structs.replace(measured, drift=drift, notes=(*measured.notes, *note_of(drift)))


def _measure_counted(counted: Streamed, policy: Policy, wanted: Wanted) -> Measured:
    names = askable(wanted.names)
    uncommon = Uncommon(
        counted.unscored,
        counted.added,
        counted.apart is not None,
        slices=_lost({name: part.n for name, part in counted.left_out.slices.items()})
        if counted.left_out is not None
        else None,
    )
    if counted.apart is not None:
        fair = compare_counted_fairness(counted.apart[1], policy, wanted.fairness)
        metrics = (*compare_merged_apart(*counted.apart, policy, names), *fair)
        left_out = None
        if counted.left_out is not None:
            left_out = measure_left_out(counted.left_out, (), policy)
        return Measured(
            metrics, counted.counts, "unpaired", uncommon, counted.notes, left_out=left_out
        )
    fair = compare_counted_fairness(counted.found, policy, wanted.fairness)
    metrics = (*compare_merged(counted.found, policy, names), *fair)
    left_out = None
    if counted.left_out is not None:
        left_out = measure_left_out(counted.left_out, metrics, policy)
    notes = (*counted.notes, *_say_unsearched(counted.found))
    measured = Measured(metrics, counted.counts, "paired", uncommon, notes, left_out=left_out)
    return structs.replace(measured, weak=find_weak_merged(counted.found, policy))


def _say_unsearched(found: Sufficient) -> tuple[str, ...]:
    """Why weak slices could not be searched for."""
    if found.cube is not None and found.grouped is not None:
        return (TOGETHER,)
    if found.cube is not None and found.unequal is not None:
        return (WEIGHED,)
    return (TOO_MANY,) if found.cube is not None and found.cube.lost else ()


def _measure_pair(
    sides: tuple[Known, Known], pairing: Pairing, policy: Policy, wanted: Wanted
) -> Measured:
    names = () if sides[1].predictions is None else wanted.of_rows()
    if isinstance(pairing.rows, tuple):
        fair = compare_fairness(pairing.rows[1], policy, wanted.fairness)
        metrics = (*compare_unpaired(*pairing.rows, policy, names), *fair)
        metrics += _of_functions(sides, pairing, policy, wanted)
        return _measured(metrics, pairing, "unpaired", policy)
    rows = replace(pairing.rows, identical=is_one_model(sides, pairing.rows))
    fair = compare_fairness(rows, policy, wanted.fairness)
    metrics = (*compare_paired(rows, policy, names), *fair)
    metrics += _of_functions(sides, replace(pairing, rows=rows), policy, wanted)
    measured = _measured(metrics, pairing, "paired", policy)
    weak = () if wanted.alone else find_weak_slices(rows, policy)
    return structs.replace(measured, weak=weak)


def _of_functions(
    sides: tuple[Known, Known], pairing: Pairing, policy: Policy, wanted: Wanted
) -> tuple[MetricResult, ...]:
    base, head = (known.predictions for known in sides)
    if wanted.functions is None or base is None or head is None:
        return ()
    return wanted.functions.of_pair(base, head, pairing, policy)


def _measured(
    metrics: tuple[MetricResult, ...], pairing: Pairing, evidence: Evidence, policy: Policy
) -> Measured:
    apart = isinstance(pairing.rows, tuple)
    rest = pairing.left_out
    slices = {name: int(mask.sum()) for name, mask in rest.slices.items()} if rest else None
    uncommon = Uncommon(pairing.unscored, pairing.added, apart, slices=_lost(slices))
    left_out = left_out_of(pairing, metrics, policy)
    counts, notes = pairing.counts, pairing.notes
    return Measured(metrics, counts, evidence, uncommon, notes, left_out=left_out)


def _lost(rows: Mapping[str, int] | None) -> dict[str, Lost] | None:
    """`rows`: of each slice, those of base that head did not score."""
    return {name: Lost(number) for name, number in rows.items()} if rows is not None else None
