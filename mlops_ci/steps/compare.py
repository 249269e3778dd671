"""`compare`: two sides in, one verdict out; leaves a Comparison record where there is a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.config import Gate, Policy, Waiver
from mlops_ci.data import (
    ColumnsRequest,
    Pairing,
    Predictions,
    SideFile,
    Streamed,
    pair,
    read_sides,
    single_rows,
    stream_pair,
)
from mlops_ci.errors import ComparisonError
from mlops_ci.records import Comparison, LeftOut, MetricResult, Resolution, RowCounts
from mlops_ci.records.comparison import Side
from mlops_ci.records.findings import (
    ColumnDrift,
    ContractResult,
    Retraining,
    RobustnessResult,
    WeakSlice,
)
from mlops_ci.records.results import Evidence
from mlops_ci.steps.drift import drift_between, note_of, rows_differ
from mlops_ci.steps.numbers import compare_known
from mlops_ci.steps.turnover import explain, left_out_of
from mlops_ci.verdict import (
    ALL_COMMON,
    Noise,
    Promise,
    Trainings,
    Uncommon,
    askable,
    compare_fairness,
    compare_merged,
    compare_paired,
    compare_single,
    compare_unpaired,
    find_weak_slices,
    judge,
    verdict_of,
    waive,
    widen_all,
)
from mlops_ci.verdict.contract import join_verdict

if TYPE_CHECKING:
    from mlops_ci.steps.functions import Functions

FLOORS = ("min", "max")
SHORT = 8  # letters of a run's id


@dataclass(frozen=True)
class Known:
    """What is known of one side: its rows, its numbers without rows, or both. `refused`: why a
    value of its metrics files is no number. `counted`: of head, what its rows and base's come to,
    where they are too many to be held. `seeds`: (metric, slice) → its value in every training,
    where there were several."""

    side: Side
    predictions: Predictions | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[tuple[str, str | None], Sequence[float]] = field(default_factory=dict)
    counted: Streamed | None = None


@dataclass(frozen=True)
class Sides:
    """`base` None: a first run. `anchors`: metric → main's best at it in the last 90 days, for
    creep.

    `contract`: promises about data files, judged; `waiting`: those that need a base.
    `changes`: what head does to the yardstick, in words. `notes` go into the report. `before`:
    main's model on rows of its own, where `base` are its answers on head's. `history`: what main's
    runs say of retraining noise, by metric. `beside`: metrics of head alone.
    """

    model: str
    base: Known | None
    head: Known
    gates: Sequence[Gate | Promise]
    policy: Policy
    anchors: Mapping[str, Known] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    before: Known | None = None
    fairness: tuple[str, ...] = ()
    functions: Functions | None = None
    resources: tuple[MetricResult, ...] = ()
    waivers: Sequence[Waiver] = ()
    history: Mapping[str, Noise] = field(default_factory=dict)
    evaluations: int | None = None
    beside: tuple[MetricResult, ...] = ()
    contract: Sequence[ContractResult] = ()
    robustness: Sequence[RobustnessResult] = ()
    waiting: int = 0
    today: date = date.max

    @property
    def promises(self) -> tuple[ContractResult | RobustnessResult, ...]:
        return (*self.contract, *self.robustness)


@dataclass(frozen=True)
class Files:
    """Two files outside of any project."""

    base: Path
    head: Path
    columns: ColumnsRequest
    gates: Sequence[Gate]
    policy: Policy


@dataclass(frozen=True)
class Outcome:
    """The record, and both sides' rows for the plots."""

    comparison: Comparison
    base: Predictions | None = None
    head: Predictions | None = None


@dataclass(frozen=True)
class _Measured:
    metrics: tuple[MetricResult, ...]
    rows: RowCounts
    evidence: Evidence
    uncommon: Uncommon = ALL_COMMON
    notes: tuple[str, ...] = ()
    weak: tuple[WeakSlice, ...] = ()
    drift: tuple[ColumnDrift, ...] = ()
    left_out: LeftOut | None = None


def compare_files(files: Files) -> Outcome:
    """Predictions or metrics files, by their content.

    Raises UsageError for what the caller must say, ComparisonError for what cannot be compared.
    """
    streamed = stream_pair(files.base, files.head, files.columns)
    if streamed is not None:
        return compare_sides(_sides_of(files, streamed))
    read = read_sides((files.base, files.head), files.columns)
    known = [_known(path, side) for path, side in zip((files.base, files.head), read, strict=True)]
    by_rows = [side.predictions is not None for side in known]
    if by_rows[0] != by_rows[1] and not all(side.numbers for side in known):
        raise ComparisonError(
            "one file holds predictions and the other metrics",
            where=f"{files.base} and {files.head}",
            fix="give two predictions files (for intervals), or two metrics files",
        )
    model = files.head.name.split(".", 1)[0]
    notes = tuple(dict.fromkeys(note for side in read for note in side.notes))
    return compare_sides(Sides(model, known[0], known[1], files.gates, files.policy, notes=notes))


def _sides_of(files: Files, streamed: Streamed) -> Sides:
    base, head = (
        Side(name=path.name, predictions_digest=digest)
        for path, digest in zip((files.base, files.head), streamed.digests, strict=True)
    )
    model = files.head.name.split(".", 1)[0]
    return Sides(model, Known(base), Known(head, counted=streamed), files.gates, files.policy)


def _known(path: Path, side: SideFile) -> Known:
    digest = side.predictions.digest if side.predictions is not None else None
    described = Side(
        name=path.name[:SHORT] if path.is_dir() else path.name,
        predictions_digest=digest,
        source="; ".join(f"a {words}" for _, words in side.numbers.written_by) or None,
    )
    return Known(described, side.predictions, side.numbers.values, side.numbers.refused)


def compare_sides(sides: Sides) -> Outcome:
    """Measure, then judge. Writes nothing."""
    head = sides.head
    wanted = _Wanted(_asked(sides), sides.fairness, sides.functions)
    measured = _measure(sides.base, head, sides.policy, wanted)
    gates = sides.gates if sides.base else [g for g in sides.gates if _kind(g) in FLOORS]
    metrics, retraining = _with_noise(measured.metrics, sides.base, sides)
    metrics = (*metrics, *sides.beside)
    anchor = _against_best(sides, measured)
    judged = judge(
        (*metrics, *sides.resources),
        gates,
        sides.policy,
        uncommon=measured.uncommon,
        anchor=anchor or None,
    )
    moved = explain((sides.before, sides.base), measured.metrics, sides.policy)
    waived = waive(judged.gates, sides.waivers, sides.today)
    comparison = Comparison(
        model=sides.model,
        base=sides.base.side if sides.base else None,
        head=head.side,
        rows=measured.rows,
        level=sides.policy.level,
        policy=sides.policy.on_inconclusive,
        verdict=join_verdict(verdict_of(waived.gates), sides.promises),
        blocks=any(gate.blocks for gate in waived.gates)
        or any(one.blocks for one in sides.promises),
        metrics=judged.metrics[: len(metrics)],
        gates=waived.gates,
        primary=judged.primary,
        evidence=measured.evidence,
        resolution=_understood(head),
        changes=sides.changes,
        weak_slices=measured.weak,
        drift=(*moved.drift, *measured.drift),
        resources=sides.resources,
        decomposition=moved.decomposition,
        left_out=moved.left_out or measured.left_out,
        retraining=retraining,
        evaluations=sides.evaluations,
        contract=tuple(sides.contract),
        robustness=tuple(sides.robustness),
        waiting=len(sides.gates) - len(gates) + sides.waiting,
        notes=(*waived.notes, *moved.notes, *sides.notes, *measured.notes, *judged.notes),
    )
    return Outcome(comparison, sides.base.predictions if sides.base else None, head.predictions)


def _against_best(sides: Sides, measured: _Measured) -> list[MetricResult]:
    """Head against main's best, metric by metric. Who is best at several is measured once, and not
    at all where it is base."""
    names: dict[int, list[str]] = {}
    for name, known in sides.anchors.items():
        names.setdefault(id(known), []).append(name)
    found: list[MetricResult] = []
    for wanted in names.values():
        known = sides.anchors[wanted[0]]
        asked = _of_names(measured, wanted)
        same = sides.base is not None and known.predictions is sides.base.predictions
        if not same or any(metric.evidence == "point" for metric in asked):
            names_of = _Wanted(frozenset(wanted))
            asked = _of_names(_measure(known, sides.head, sides.policy, names_of), wanted)
        found += _with_noise(tuple(asked), known, sides)[0]
    return found


def _of_names(measured: _Measured, names: Sequence[str]) -> list[MetricResult]:
    return [metric for metric in measured.metrics if metric.metric in names]


def _with_noise(
    metrics: tuple[MetricResult, ...], base: Known | None, sides: Sides
) -> tuple[tuple[MetricResult, ...], Retraining | None]:
    if base is None:
        return metrics, None
    trainings = Trainings(sides.head.seeds, base.seeds, sides.history)
    return widen_all(metrics, trainings, sides.policy.level)


def _understood(head: Known) -> Resolution | None:
    read = head.predictions or head.counted
    return None if read is None else read.resolution


def _kind(gate: Gate | Promise) -> str:
    return gate.gate.kind if isinstance(gate, Promise) else gate.kind


def _asked(sides: Sides) -> frozenset[str]:
    """The names that gates and policy speak of."""
    gates = (gate.gate if isinstance(gate, Promise) else gate for gate in sides.gates)
    return frozenset({*(gate.metric for gate in gates), sides.policy.primary or ""})


@dataclass(frozen=True)
class _Wanted:
    """Names that gates and policy speak of, and columns whose groups are compared, and
    functions of the user's."""

    names: frozenset[str] = frozenset()
    fairness: Sequence[str] = ()
    functions: Functions | None = None

    def of_rows(self, head: Predictions) -> tuple[str, ...]:
        """Metrics beside the usual ones that rows can be measured by."""
        return askable(self.names, grouped=head.group is not None)


def _measure(base: Known | None, head: Known, policy: Policy, wanted: _Wanted) -> _Measured:
    by_rows = _measure_rows(base, head, policy, wanted)
    measured = {metric.metric for metric in by_rows.metrics}
    numbers = compare_known(base, head, wanted.names)
    others = tuple(one for one in numbers if one.metric not in measured)
    return replace(by_rows, metrics=(*by_rows.metrics, *others))


def _measure_rows(base: Known | None, head: Known, policy: Policy, wanted: _Wanted) -> _Measured:
    if head.counted is not None:
        names = askable(wanted.names, grouped=False)
        metrics = compare_merged(head.counted.found, policy, names)
        uncommon = Uncommon(head.counted.unscored, head.counted.added)
        return _Measured(metrics, head.counted.counts, "paired", uncommon, head.counted.notes)
    if head.predictions is None:
        return _Measured((), RowCounts(), "point")
    if base is None or base.predictions is None:
        rows = single_rows(head.predictions)
        fair = compare_fairness(rows, policy, wanted.fairness)
        metrics = (*compare_single(rows, policy, wanted.of_rows(head.predictions)), *fair)
        if wanted.functions is not None:
            metrics += wanted.functions.of_head(head.predictions, rows, policy)
        notes = () if base is None else ("Base has no predictions: only numbers are compared.",)
        counts = RowCounts(head=head.predictions.rows)
        return _Measured(metrics, counts, "unpaired" if base is None else "point", notes=notes)
    pairing = pair(base.predictions, head.predictions)
    measured = _measure_pair((base, head), pairing, policy, wanted)
    if not rows_differ(pairing):
        return measured
    drift = drift_between(base.predictions, head.predictions)
    return replace(measured, drift=drift, notes=(*measured.notes, *note_of(drift)))


def _measure_pair(
    sides: tuple[Known, Known], pairing: Pairing, policy: Policy, wanted: _Wanted
) -> _Measured:
    names = () if sides[1].predictions is None else wanted.of_rows(sides[1].predictions)
    if isinstance(pairing.rows, tuple):
        fair = compare_fairness(pairing.rows[1], policy, wanted.fairness)
        metrics = (*compare_unpaired(*pairing.rows, policy, names), *fair)
        metrics += _of_functions(sides, pairing, policy, wanted)
        return _measured(metrics, pairing, "unpaired", policy)
    digests = [known.side.predictions_digest for known in sides]
    rows = pairing.rows
    if digests[0] is not None and digests[0] == digests[1] and rows.answered_alike:
        rows = replace(rows, identical=True)
    fair = compare_fairness(rows, policy, wanted.fairness)
    metrics = (*compare_paired(rows, policy, names), *fair)
    metrics += _of_functions(sides, replace(pairing, rows=rows), policy, wanted)
    measured = _measured(metrics, pairing, "paired", policy)
    return replace(measured, weak=find_weak_slices(rows, policy))


def _of_functions(
    sides: tuple[Known, Known], pairing: Pairing, policy: Policy, wanted: _Wanted
) -> tuple[MetricResult, ...]:
    base, head = (known.predictions for known in sides)
    if wanted.functions is None or base is None or head is None:
        return ()
    return wanted.functions.of_pair(base, head, pairing, policy)


def _measured(
    metrics: tuple[MetricResult, ...], pairing: Pairing, evidence: Evidence, policy: Policy
) -> _Measured:
    apart = isinstance(pairing.rows, tuple)
    uncommon = Uncommon(pairing.unscored, pairing.added, apart)
    left_out = left_out_of(pairing, metrics, policy)
    counts, notes = pairing.counts, pairing.notes
    return _Measured(metrics, counts, evidence, uncommon, notes, left_out=left_out)
