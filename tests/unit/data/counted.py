"""Rows counted in one go: what counting them in chunks, files or a cluster must come to."""

from __future__ import annotations

import numpy as np

from mlops_ci.verdict import PairedRows
from mlops_ci.verdict.aggregates.losses import Value, centre_of
from mlops_ci.verdict.aggregates.sufficient import Cut, Question, Sufficient
from mlops_ci.verdict.rows import view_of


def in_memory(rows: PairedRows) -> Sufficient:
    """What rows that are all there at once come to."""
    names = tuple(sorted(rows.slices))
    codes = sum(at * rows.slices[name] for at, name in enumerate(names))
    errors = rows.task == "regression"
    question = Question(
        rows.task,
        rows.classes,
        rows.positive,
        scored=rows.base.score is not None,
        classed=not errors,
        centre=centre_of(rows.label.min(), rows.label.max()) if errors else 0.0,
        quantiles=(0.9,) if errors else (),
        values=tuple(
            Value(name, better, centre_of(values.min(), values.max()))
            for name, better in rows.values.items()
            for values in (rows.base.values[name],)
        ),
    )
    found = Sufficient.empty(question, names)
    found.add(view_of(rows), [Cut(names, np.asarray(codes))])
    found.identical = rows.identical
    return found
