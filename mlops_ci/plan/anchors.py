"""What head is held against so that many small losses stay bounded: main's best records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.baseline.anchor import ANSWERS, Record, Sought, find_records, recent
from mlops_ci.baseline.entry import Header
from mlops_ci.baseline.row_sample import share_of
from mlops_ci.baseline.store import Store
from mlops_ci.config import Gate
from mlops_ci.config.model import DROPS
from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.functions import function_keys
from mlops_ci.plan.measure import Measure
from mlops_ci.plan.noise import values_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.plan.resources import RESOURCES
from mlops_ci.plan.row_samples import sample_of
from mlops_ci.plan.stored import digests_of, open_slim
from mlops_ci.project import Project
from mlops_ci.records.comparison import Side
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import higher_is_better
from mlops_ci.verdict.creep import total_of
from mlops_ci.verdict.gates import gate_of
from mlops_ci.verdict.history import EXACT, Past, compare_resource
from mlops_ci.verdict.lookup import same_metric
from mlops_ci.verdict.names import canonical_metric, known_metric

if TYPE_CHECKING:
    from mlops_ci.data import Predictions
    from mlops_ci.steps.functions import Functions
    from mlops_ci.steps.sides import Anchor, Bests, Known

NEAR = 0.7  # of a record's rows by a sample; whether it is ENOUGH tells the pairing
UNHELD = "no limit in all (`max-total-drop`) is held"


@dataclass(frozen=True)
class Asking:
    """Who is compared, by what. `sizes`: head's, by name."""

    base: Known | None
    head: Known
    measure: Measure
    functions: Functions | None
    sizes: dict[str, float]

    @property
    def drops(self) -> list[Gate]:
        return [gate for gate in map(gate_of, self.measure.gates) if gate.kind in DROPS]


def bests_of(project: Project, outcome: ModelOutcome, asking: Asking, store: Store | None) -> Bests:
    """Main's best of 90 days at each metric on all rows and on each slice. What is best at several
    is opened once."""
    from mlops_ci.steps.sides import Bests

    if asking.base is None or not asking.drops:
        return Bests()
    try:
        listed = store.list(outcome.name) if store is not None else ()
        headers = recent(listed, project.world.now())
        if store is None or not headers:
            return Bests(notes=tuple(_say_empty(asking, store)))
        sizes = tuple(_sizes(asking, headers))
        anchors, why = _anchors(asking, store, outcome.name, headers)
    except MlopsCiError as error:
        return Bests(notes=(f"the limit on many small losses was not checked: {error.what}",))
    return Bests(anchors, sizes, there=why is None, notes=() if why is None else (why,))


def _say_empty(asking: Asking, store: Store | None) -> Iterator[str]:
    """Who asked for the limit by itself is told; it stands beside every other drop as well."""
    names = dict.fromkeys(gate.metric for gate in asking.drops if total_of(gate))
    if names:
        why = "there is no store" if store is None else "the store has no record of 90 days"
        yield f"{why}: {UNHELD} for {', '.join(names)}"


def _sizes(asking: Asking, headers: Sequence[Header]) -> Iterator[MetricResult]:
    for name in dict.fromkeys(gate.metric for gate in asking.drops if gate.metric in EXACT):
        least = least_of(headers, name)
        if least is not None:
            past = Past((), least)
            yield compare_resource(name, asking.sizes.get(name), past, asking.measure.policy.level)


def least_of(headers: Sequence[Header], name: str) -> float | None:
    values = (one.resources.get(name, 0.0) for one in headers)
    return min((value for value in values if value > 0), default=None)


def _anchors(
    asking: Asking, store: Store, name: str, headers: Sequence[Header]
) -> tuple[tuple[Anchor, ...], str | None]:
    """And why there are none, where rows are the reason."""
    from mlops_ci.steps.sides import Anchor

    head = asking.head.predictions
    sought = list(dict.fromkeys(_sought(asking)))
    same = head.rows_digest if head is not None else ""
    samples = store.samples(name) if head is not None and any(not s.point for s in sought) else {}
    ours = sample_of(head) if samples and head is not None else b""
    alike = [rows for rows, one in samples.items() if share_of(one, ours) >= NEAR]
    records = find_records(store, headers, (same, alike), sought)
    opened = [(one, _open(one, asking)) for one in records]
    anchors = tuple(
        Anchor(known, frozenset(best.place for best in one.best_at)) for one, known in opened
    )
    if records or head is None or not any(not one.point for one in sought):
        return anchors, None
    return anchors, _say_other_rows(head, headers, {same, *alike})


def _say_other_rows(head: Predictions, headers: Sequence[Header], fitting: set[str]) -> str | None:
    ours = [one for one in headers if one.rows in fitting]
    if any(ANSWERS in one.files for one in ours):
        return None
    if ours:
        kept = "The store has no predictions with main's records of the last 90 days (too large)"
        return f"{kept}: {UNHELD}."
    why = (
        "they share fewer than 80 % of them with head"
        if head.keys is not None
        else "without an id column nobody can tell which of them head has, too"
    )
    return f"Main's records of the last 90 days are of other evaluation rows, and {why}: {UNHELD}."


def _sought(asking: Asking) -> Iterator[Sought]:
    """Of the gates on drops: by rows, and of numbers that metrics files call so."""
    functions = function_keys(asking.functions)
    better = {one: told.better == "higher" for one, told in asking.measure.model.functions.items()}
    for gate in asking.drops:
        if gate.metric in RESOURCES:
            continue
        if gate.slice is None:
            for number in asking.head.numbers:
                if same_metric(number, gate.metric):
                    known = higher_is_better(number)
                    up = gate.better != "lower" if known is None else known
                    yield Sought(number, number, up, point=True)
        if asking.head.predictions is None:
            continue
        found = _by_rows(gate.metric, asking.head.predictions, functions, better)
        if found is not None:
            yield from (Sought(*found, where) for where in _slices(gate, asking))


def _by_rows(
    metric: str, head: Predictions, functions: dict[str, str], better: dict[str, bool]
) -> tuple[str, str, bool] | None:
    """Its name, its key in the store, and whether more is better."""
    if metric in functions:
        return metric, functions[metric], better.get(metric, True)
    if metric in head.values:
        told = head.directions.get(metric)
        return metric, metric, (higher_is_better(metric) if told is None else told) is not False
    if known_metric(metric) is None:
        return None
    plain = canonical_metric(metric)
    return plain, plain, higher_is_better(plain) is not False


def _slices(gate: Gate, asking: Asking) -> Sequence[str | None]:
    if gate.slice is None or not gate.slice.endswith("=*"):
        return (gate.slice,)
    column = gate.slice.removesuffix("=*")
    sides = [one.predictions for one in (asking.base, asking.head) if one is not None]
    values = {
        name
        for side in sides
        if side is not None and column in side.slices
        for name in side.slices[column].names
    }
    return [f"{column}={name}" for name in sorted(values)]


def _open(record: Record, asking: Asking) -> Known:
    """Base's own rows where they are the same file, or its answers to head's rows where it is the
    same model: nothing is read, nothing measured again."""
    from mlops_ci.steps.sides import Known

    header, base = record.header, asking.base
    if record.found is None:
        numbers = {one.metric: header.points[one.key] for one in record.best_at}
        return Known(Side(name="main's best", commit=header.commits[-1]), None, numbers)
    evaluation = record.found.entry.evaluation
    side = Side(name="main's best", commit=evaluation.commit, **digests_of(evaluation))
    digest, seeds = side.predictions_digest, values_of(evaluation.seeds)
    if base is not None and digest is not None and digest == base.side.predictions_digest:
        return Known(side, base.predictions, seeds=seeds)
    if base is not None and _has_answered(base, header, asking.head):
        return base
    from mlops_ci.data.scratch import Scratch

    with Scratch() as scratch:
        place = Path(scratch.name) / "predictions.parquet"
        place.write_bytes(record.found.entry.predictions or b"")
        return Known(side, open_slim(place, asking.measure.model, evaluation), seeds=seeds)


def _has_answered(base: Known, header: Header, head: Known) -> bool:
    if base.predictions is None or head.predictions is None:
        return False
    same_rows = base.predictions.rows_digest == head.predictions.rows_digest
    same_model = base.side.commit in header.commits or base.side.training_key == header.key
    return same_rows and same_model
