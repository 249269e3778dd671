"""A view of rows that are gone, and what was wrong with them."""

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


def faults_of_counts(found: Sufficient) -> dict[str, str]:
    """As `soundness.faults_of`, of all sides: use, and why these answers do not serve it."""
    told: dict[str, str] = {}
    asked = found.question
    for name, counts in zip(("base", "head")[-asked.sides :], found.improbable, strict=True):
        answered = asked.classed or asked.task == "regression"
        for what, there in (("prediction", answered), ("score", asked.scored)):
            if not there:
                told.setdefault(what, f"{name} has no {what}")
        outside, off = map(int, counts)
        if outside:
            told.setdefault("probability", f"{name}: {outside} scores lie outside 0…1")
        elif off:
            told.setdefault("probability", f"{name}: in {off} rows the scores do not sum to 1")
    return told
