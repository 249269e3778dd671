"""What the rows of a file that is counted are asked, and how its columns were understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from mlops_ci.data.feed import File
from mlops_ci.data.predictions import THRESHOLD, Answers, resolution_of
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.records import Resolution
from mlops_ci.verdict.aggregates.losses import Value, centre_of, quantiles_of
from mlops_ci.verdict.aggregates.sufficient import Question

Extremes = Callable[[str], tuple[float | None, float | None]]


def question_of(
    file: File, request: ColumnsRequest, metrics: Iterable[str], extremes: Extremes
) -> Question:
    """`file`: base's. `extremes`: of one of its columns of numbers."""
    errors, columns = file.task[0] == "regression", file.roles.values

    def centre(column: str) -> float:
        low, high = extremes(column)
        return 0.0 if low is None or high is None else centre_of(low, high)

    return Question(
        task=file.task[0],
        classes=file.classes,
        positive=file.classes.index(file.positive) if file.positive else 1,
        scored=bool(file.scores),
        classed=not errors,
        centre=centre(file.roles.label) if errors else 0.0,
        quantiles=quantiles_of(metrics) if errors else (),
        values=tuple(Value(name, request.values[name], centre(name)) for name in columns),
    )


def resolution_of_file(file: File, request: ColumnsRequest) -> Resolution:
    nothing = np.zeros(0, dtype=np.int64)
    cut = file.cut and file.task[0] == "binary"
    scores = (file.number,) if file.number and file.cut else file.scores
    answers = Answers(
        nothing, nothing, None, scores, file.classes, file.positive, THRESHOLD if cut else None
    )
    return resolution_of(file.table, file.roles, file.task, answers, request)
