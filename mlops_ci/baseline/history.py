"""Trainings of one key, side by side: what main's history says of retraining noise."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_ci.baseline.entry import Entry, Header
from mlops_ci.records import Evaluation

MOST = 20  # repeats of one entry

Values = dict[str, float]


def values_of(entry: Entry) -> Values:
    """On all rows."""
    whole = (one for one in entry.evaluation.metrics if one.slice is None)
    return dict(entry.measured) | {one.metric: one.head for one in whole if one.head is not None}


def other_seeds(evaluation: Evaluation) -> tuple[Values, ...]:
    """Values on all rows of each training beside the one that counts."""
    seeds = evaluation.seeds
    if seeds is None:
        return ()
    whole = [one for one in seeds.values if one.slice is None]
    return tuple(
        {one.metric: one.values[seed] for one in whole} for seed in range(1, seeds.trainings)
    )[: MOST if whole else 0]


def repeats_of(new: Header, old: Header | None) -> tuple[Values, ...]:
    """Runs of the same key that came to other values. One that repeats another to the last digit
    had the same seed: it says nothing of what another seed would do."""
    if old is None:
        return new.repeats
    found: list[Values] = []
    for values in (*new.repeats, old.metrics, *old.repeats):
        if values and not _repeated(values, [new.metrics, *found]):
            found.append(values)
    return tuple(found[:MOST])


def _repeated(values: Values, among: Iterable[Values]) -> bool:
    """By the metrics that both have: gates ask for more or fewer from time to time."""
    for other in among:
        both = values.keys() & other.keys()
        if both and all(values[name] == other[name] for name in both):
            return True
    return False


def runs_by_key(headers: Iterable[Header], rows: str) -> dict[str, list[list[float]]]:
    """Metric → for every training key its values on the same evaluation rows, `rows`."""
    found: dict[str, list[list[float]]] = {}
    for header in headers:
        if header.rows != rows or not rows:
            continue
        runs = (header.metrics, *header.repeats)
        for metric in header.metrics:
            group = [values[metric] for values in runs if metric in values]
            found.setdefault(metric, []).append(group)
    return found
