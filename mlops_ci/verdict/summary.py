"""A view of rows that are gone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mlops_ci.verdict.aggregates.sufficient import Sufficient
from mlops_ci.verdict.rows import Ints, Outputs, View


@dataclass(frozen=True)
class Summary(View):
    """Their number, and how many there were of each class."""

    rows: int = 0
    counts: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def n(self) -> int:
        return self.rows

    @property
    def class_counts(self) -> Ints:
        return self.counts


def summary_of(found: Sufficient) -> Summary:
    asked = found.question
    return Summary(
        task=asked.task,
        classes=asked.classes,
        label=np.zeros(0, dtype=np.int64),
        sides=(Outputs(),) * asked.sides,
        identical=found.identical,
        positive=asked.positive,
        values={value.name: value.better for value in asked.values},
        # Of weights that are gone it is known that there were some.
        weight=None if found.unequal is None else np.zeros(0),
        rows=found.n,
        counts=found.counts,
    )
