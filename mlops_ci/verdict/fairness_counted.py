"""Fairness between groups of rows that are not there any more: their cells are enough."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.aggregates.sufficient import Sufficient
from mlops_ci.verdict.fairness import (
    NO_CLASSES,
    NOT_BINARY,
    Asked,
    compare_groups,
    too_few,
)
from mlops_ci.verdict.group_rates import CELLS, Groups
from mlops_ci.verdict.rows import Ints

BY_GROUPS = "not assessed: rows belong together, and they were counted as they were read"
BY_WEIGHTS = "not assessed: rows have weights, and they were counted as they were read"


def compare_counted_fairness(
    found: Sufficient, policy: Policy, columns: Iterable[str]
) -> tuple[MetricResult, ...]:
    """As `compare_fairness`, of the rows' statistics."""
    asked = Asked(policy, found.question.sides > 1, found.identical)
    return tuple(
        result
        for column in columns
        for result in compare_groups(column, _groups(found, policy, column), asked)
    )


def _groups(found: Sufficient, policy: Policy, column: str) -> Groups | str:
    if found.question.task != "binary":
        return NOT_BINARY
    if not found.question.classed:
        return NO_CLASSES
    if found.grouped is not None:
        return BY_GROUPS
    if found.unequal is not None:
        return BY_WEIGHTS
    names = [name for name in sorted(found.slices) if name.partition("=")[0] == column]
    kept = [name for name in names if found.slices[name].n >= policy.min_rows]
    if len(kept) < 2:
        return too_few(column, policy)
    counts = np.stack([_cells_of(found.slices[name]) for name in kept])
    skipped = tuple(name for name in names if name not in kept)
    return Groups(tuple(kept), counts, skipped, int(counts.sum()))


def _cells_of(found: Sufficient) -> Ints:
    """By label, base's class and head's, as a number of three bits; head alone is both."""
    counts = np.zeros(CELLS, dtype=np.int64)
    if found.cells is not None:
        positive = found.cells.codes == found.question.positive
        code = positive[:, 0] << 2 | positive[:, 1] << 1 | positive[:, -1]
        np.add.at(counts, code, found.cells.counts)
    return counts
