"""What is known of the two that are compared, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from mlops_ci.config.model import Gate, Policy, Waiver
from mlops_ci.records.comparison import Comparison, Side
from mlops_ci.records.findings import (
    ColumnDrift,
    ContractResult,
    Decomposition,
    LeftOut,
    RobustnessResult,
    WeakSlice,
)
from mlops_ci.records.results import Evidence, MetricResult, RowCounts
from mlops_ci.value import Value, field
from mlops_ci.verdict import ALL_COMMON, Noise, Promise, Uncommon

if TYPE_CHECKING:
    from mlops_ci.data import Predictions, Streamed
    from mlops_ci.steps.functions import Functions


class Known(Value, frozen=True):
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


class Anchor(Value, frozen=True):
    """One of main's records of the last 90 days, and the (metric, slice) that it may be best at."""

    known: Known
    of: frozenset[tuple[str, str | None]]


class Bests(Value, frozen=True):
    """What head is held against so that many small losses stay bounded. `sizes`: head's against
    main's least. `there`: main has records, so that what they do not have is worth a word."""

    anchors: Sequence[Anchor] = ()
    sizes: tuple[MetricResult, ...] = ()
    there: bool = False
    notes: tuple[str, ...] = ()


class Sides(Value, frozen=True):
    """`base` None: a first run. `bests`: main's in the last 90 days, for creep.

    `contract`: promises about data files, judged; `waiting`: those that need a base,
    and gates on the image, which wait for the merge.
    `changes`: what head does to the yardstick, in words. `notes` go into the report. `before`:
    main's model on rows of its own, where `base` are its answers on head's. `history`: what main's
    runs say of retraining noise, by metric. `beside`: metrics of head alone.
    """

    model: str
    base: Known | None
    head: Known
    gates: Sequence[Gate | Promise]
    policy: Policy
    bests: Bests = Bests()
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


class Outcome(Value, frozen=True):
    """The record, and both sides' rows for the plots."""

    comparison: Comparison
    base: Predictions | None = None
    head: Predictions | None = None


class Measured(Value, frozen=True):
    """Metrics of both sides, and what their rows had in common."""

    metrics: tuple[MetricResult, ...]
    rows: RowCounts
    evidence: Evidence
    uncommon: Uncommon = ALL_COMMON
    notes: tuple[str, ...] = ()
    weak: tuple[WeakSlice, ...] = ()
    drift: tuple[ColumnDrift, ...] = ()
    left_out: LeftOut | None = None


class Wanted(Value, frozen=True):
    """Names that gates and policy speak of, and columns whose groups are compared, and
    functions of the user's. `alone`: nothing is searched for beside the metrics."""

    names: frozenset[str] = frozenset()
    fairness: Sequence[str] = ()
    functions: Functions | None = None
    alone: bool = False

    def of_rows(self) -> tuple[str, ...]:
        """Metrics beside the usual ones that rows can be measured by."""
        from mlops_ci.verdict import askable

        return askable(self.names)


class Moved(Value, frozen=True):
    """What a change of the evaluation rows did. `uncommon`: what is lost of base's own ones."""

    decomposition: tuple[Decomposition, ...] = ()
    left_out: LeftOut | None = None
    drift: tuple[ColumnDrift, ...] = ()
    notes: tuple[str, ...] = ()
    uncommon: Uncommon = ALL_COMMON
