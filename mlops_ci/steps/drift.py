"""What base's rows and head's rows say of the data, where they are not the same rows."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_ci.data import Pairing, Predictions
from mlops_ci.data.columns import SCORE_PREFIX
from mlops_ci.data.rows import MISSING
from mlops_ci.records.findings import ColumnDrift
from mlops_ci.verdict.drift import MOST_SCORES, Column, Values, count_names, measure_drift

ANSWERS = ("prediction", "score")
SHOWN = 5  # columns in one line


def rows_differ(pairing: Pairing) -> bool:
    """The same rows have the same data: only the answers could drift, and those are compared row
    by row."""
    counts = pairing.counts
    return not counts.paired == counts.base == counts.head


def drift_between(base: Predictions, head: Predictions) -> tuple[ColumnDrift, ...]:
    return measure_drift(dict(_columns(base, head)))


def note_of(drift: tuple[ColumnDrift, ...]) -> tuple[str, ...]:
    """One line, or none where nothing drifts. Answers differ by the model as well, so they are told
    apart from the data."""
    found = sorted((one for one in drift if one.drifts), key=lambda one: -(one.psi or 0.0))
    answers = [one for one in found if is_answer(one.column)]
    data = [one for one in found if one not in answers]
    said = [f"their data drift: {_named(data)}"] if data else []
    said += (
        [f"the answers moved, by the rows or by the model: {_named(answers)}"] if answers else []
    )
    if not said:
        return ()
    return (
        f"Head's rows are other ones than base's, and {'; '.join(said)}, of {len(drift)} columns.",
    )


def is_answer(column: str) -> bool:
    return column in ANSWERS or column.startswith(SCORE_PREFIX)


def _named(found: list[ColumnDrift]) -> str:
    named = ", ".join(f"{one.column} (PSI {one.psi:.2f})" for one in found[:SHOWN])
    return f"{named} and {len(found) - SHOWN} more" if len(found) > SHOWN else named


def _columns(base: Predictions, head: Predictions) -> Iterator[tuple[str, Column]]:
    """What both sides have, by the name that a reader knows."""
    if base.task == "regression":
        yield "label", Values(base.label, head.label)
        if base.prediction is not None and head.prediction is not None:
            yield "prediction", Values(base.prediction, head.prediction)
    else:
        yield "label", _classes(base, head, "label")
        if base.prediction is not None and head.prediction is not None:
            yield "prediction", _classes(base, head, "prediction")
    yield from _scores(base, head)
    for name in base.slices:
        if name in head.slices:
            one, other = base.slices[name], head.slices[name]
            yield (
                name,
                (
                    count_names(one.codes, one.names, MISSING),
                    count_names(other.codes, other.names, MISSING),
                ),
            )
    for name, values in base.values.items():
        if name in head.values:
            yield name, Values(values, head.values[name])


def _classes(base: Predictions, head: Predictions, role: str) -> Column:
    one, other = (count_names(getattr(side, role), side.classes) for side in (base, head))
    return one, other


def _scores(base: Predictions, head: Predictions) -> Iterator[tuple[str, Column]]:
    if base.score is None or head.score is None:
        return
    if base.score.ndim == 1 and head.score.ndim == 1:
        yield "score", Values(base.score, head.score)
    elif base.score.ndim == head.score.ndim and len(base.classes) <= MOST_SCORES:
        for place, name in enumerate(base.classes):
            if name in head.classes:
                other = head.score[:, head.classes.index(name)]
                yield f"{SCORE_PREFIX}{name}", Values(base.score[:, place], other)
