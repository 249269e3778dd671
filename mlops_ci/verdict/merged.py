"""Metrics of rows that are not there any more: from their sufficient statistics alone.

Counts and sums are those that rows would give; a ranking has the steps of a scale for its groups,
and the bound of what they hide is part of the interval, as with the bins of many rows. Estimators
and papers are those of rows: `confusion`, `ranking`, `precision`, `means`, `calibration`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.records.results import Evidence, MetricResult
from mlops_ci.verdict import calibration, ranking
from mlops_ci.verdict.aggregates.cells import Cells
from mlops_ci.verdict.aggregates.gaps import Gaps
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.losses import Scheme, key_of
from mlops_ci.verdict.aggregates.order import Ranking
from mlops_ci.verdict.aggregates.scale import SLICE
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient
from mlops_ci.verdict.by_groups import gaps_by_groups, intervals_by_groups
from mlops_ci.verdict.by_weights import measure_weighed
from mlops_ci.verdict.clusters import ClusterGaps, Clusters
from mlops_ci.verdict.comparing import joined, result_of
from mlops_ci.verdict.intervals import Interval, skewed_interval, student_quantile
from mlops_ci.verdict.losses import is_of_losses, loss_of
from mlops_ci.verdict.means import Means
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.moments import FEW_CHANGES, few_rows_decide
from mlops_ci.verdict.moved import Banded, Counted, Moved
from mlops_ci.verdict.multiclass import SummedAreas
from mlops_ci.verdict.names import DEFAULT, Metric, canonical_metric
from mlops_ci.verdict.part import Part, worth_of
from mlops_ci.verdict.precision import Precision, average_precision
from mlops_ci.verdict.queried import Queried
from mlops_ci.verdict.rows import Floats, Ints
from mlops_ci.verdict.summary import faults_of_counts, summary_of
from mlops_ci.verdict.summed import SummedMeans

NO_ROWS = "not assessed: it needs every row, and these were counted as they were read"


def compare_merged(
    found: Sufficient, policy: Policy, metrics: Sequence[str] | None = None
) -> tuple[MetricResult, ...]:
    """As `compare_paired` and, of one side, `compare_single`."""
    names = wanted_of(found.question, metrics or ())
    evidence: Evidence = "paired" if found.question.sides > 1 else "unpaired"
    parts = [MergedPart(found, policy, None)]
    parts += [MergedPart(found.slices[name], policy, name) for name in sorted(found.slices)]
    return tuple(
        result_of(name, part, measure(part, name), evidence) for part in parts for name in names
    )


def compare_merged_apart(
    base: Sufficient, head: Sufficient, policy: Policy, metrics: Sequence[str] | None = None
) -> tuple[MetricResult, ...]:
    """As `compare_unpaired`, of statistics of one side each."""
    slices = sorted({*base.slices, *head.slices})
    pairs = [(MergedPart(base, policy, None), MergedPart(head, policy, None))]
    for name in slices:
        empty = Sufficient.empty(head.question, scale=SLICE)
        theirs, ours = (side.slices.get(name, empty) for side in (base, head))
        pairs.append((MergedPart(theirs, policy, name), MergedPart(ours, policy, name)))
    return tuple(
        result_of(name, ours, joined(measure(theirs, name), measure(ours, name)), "unpaired")
        for theirs, ours in pairs
        for name in wanted_of(head.question, metrics or ())
    )


def wanted_of(asked: Question, metrics: Sequence[str]) -> tuple[str, ...]:
    """The task's metrics, the columns of values, then those asked for."""
    default = [
        one.name
        for one in DEFAULT
        if asked.task in one.tasks and (one.needs == "prediction" or asked.scored)
    ]
    values = [value.name for value in asked.values]
    more = [name if name in values else canonical_metric(name) for name in metrics]
    return tuple(dict.fromkeys([*default, *values, *more]))


class MergedPart(Part):
    """All rows or a slice, as its statistics have it."""

    def __init__(self, found: Sufficient, policy: Policy, slice_name: str | None) -> None:
        super().__init__(summary_of(found), policy, slice_name)
        self.found = found
        self.weights = found.unequal

    @cached_property
    def cells(self) -> Cells:
        if self.found.cells is None:
            raise ValueError("no classes were counted")
        return self.found.cells

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        joint = self.found.joint
        return () if joint is None else tuple(joint.ranking(side) for side in range(self.sides))

    @property
    def groups(self) -> tuple[Ranking, ...]:
        return self.rankings

    @cached_property
    def constant(self) -> tuple[bool, ...]:
        if self.found.areas is not None:
            return self.found.areas.constant
        return tuple(np.count_nonzero(one.positives + one.negatives) == 1 for one in self.rankings)

    @cached_property
    def calibration(self) -> tuple[list[float], list[Interval]]:
        gaps: Gaps | ClusterGaps | None = self.found.gaps
        if gaps is None:
            raise ValueError("no gaps were counted")
        seen = [calibration.calibration_error(gaps, side) for side in range(self.sides)]
        sampled = calibration.Sampled(self.view.n)
        grouped = self.found.grouped
        if grouped is not None:
            gaps = gaps_by_groups(grouped, gaps.mean, self.sides)
            heaviest = grouped.largest * grouped.groups / grouped.rows
            sampled = calibration.Sampled(grouped.groups, heaviest)
        found = calibration.calibration_intervals(gaps, self.sides, self.level, sampled)
        return seen, found

    @cached_property
    def faults(self) -> dict[str, str]:
        return faults_of_counts(self.found)

    def beyond(self, metric: Metric) -> str | None:
        """Why a metric cannot be had of statistics."""
        if metric.name == "ece":
            return None
        if metric.needs == "group":
            if self.weights is not None:
                return None
            return None if metric.name in (self.found.queries or {}) else NO_ROWS
        if is_of_losses(metric):
            known = self.found.losses.get(key_of(metric))
            return None if known is not None and known.sums else NO_ROWS
        if self.view.task == "multiclass" and metric.needs == "score":
            return NO_ROWS if self.found.areas is None else None
        return NO_ROWS if metric.needs == "score" and self.found.joint is None else None

    def means(self, metric: Metric) -> Means:
        sums, scheme = self.found.losses[key_of(metric)], self.scheme_of(metric)
        return SummedMeans(loss_of(metric), self.view, sums, scheme)

    def scheme_of(self, metric: Metric) -> Scheme:
        return self.found.question.schemes[key_of(metric)]

    @cached_property
    def clusters(self) -> Clusters | None:
        """Of groups that are gone: how many there were, and how large they could be."""
        grouped = self.found.grouped
        if grouped is None:
            return None
        share = grouped.heaviest / self.weights.total if self.weights else None
        return Clusters(np.zeros(0, dtype=np.int64), grouped.groups, grouped.largest, share)

    def weighed(self, metric: Metric) -> Measured | None:
        return None if self.weights is None else measure_weighed(self, self.weights, metric)

    @cached_property
    def effective(self) -> float:
        return super().effective if self.weights is None else self.weights.worth

    @cached_property
    def worth(self) -> Ints:
        if self.weights is None:
            return super().worth
        sums, squares = self.weights.of_classes
        return worth_of(sums, squares)

    def key_of(self, metric: Metric) -> str:
        """Under which name sums over groups are kept."""
        return f"{metric.name} {self.average(metric) or ''}".rstrip()

    def by_groups(self, metric: Metric) -> list[Interval | None] | None:
        grouped = self.found.grouped
        found = grouped and intervals_by_groups(grouped, self.key_of(metric), self.level)
        if not found or metric.name not in ("roc_auc", "average_precision"):
            return found or None
        pairs = zip(found, self._blurs(metric), strict=True)
        return [None if one is None else one.widened(blur) for one, blur in pairs]

    def _blurs(self, metric: Metric) -> list[float]:
        """What the steps hide of each side, and of their difference."""
        if metric.name == "roc_auc":
            blurs = [one.blur for one in self.rankings]
        else:
            blurs = [average_precision(one).blur for one in self.rankings]
        return [*blurs, sum(blurs)][: 2 * self.sides - 1]

    @property
    def zero_label(self) -> bool:
        return self.found.zeros > 0

    @property
    def one_label(self) -> bool:
        sums = self.found.losses.get("r2")
        return sums is not None and sums.extent.low[self.sides] == sums.extent.high[self.sides]

    @cached_property
    def area(self) -> ranking.Area:
        placed = self.placements
        kinds = (1, "positive"), (0, "negative")
        classes = [self._class_of(placed, name, at) for at, name in kinds]
        return MergedArea(
            values=tuple(one.area for one in placed),
            positive=classes[0],
            negative=classes[1],
            blur=tuple(one.ranking.blur for one in placed),
            moved=_forgotten,
        )

    def _class_of(self, placed: Sequence[ranking.Placements], name: str, at: int) -> Counted:
        adds = [np.asarray(getattr(one, name)) for one in placed]
        return self._counted(adds, [getattr(one.ranking, f"{name}s") for one in placed], at)

    def _counted(self, adds: Sequence[Floats], rows: Sequence[Ints], at: int) -> Counted:
        joint = self.joint
        sides = [
            Banded.of(joint, side, n, one)
            for side, (n, one) in enumerate(zip(rows, adds, strict=True))
        ]
        if len(sides) == 1:
            return Counted({(1.0,): sides[0]})
        moved = Moved.of((sides[0], sides[1], joint.bands[at]))
        return Counted({(1.0, 0.0): sides[0], (1.0, 1.0): sides[1], (0.0, 1.0): moved})

    @property
    def has_queries(self) -> bool:
        return self.found.queries is not None

    def queried(self, metric: Metric) -> Queried | None:
        return None if self.found.queries is None else self.found.queries[metric.name]

    @property
    def areas(self) -> SummedAreas:
        if self.found.areas is None:
            raise ValueError("the scores of many classes were not counted")
        return SummedAreas(self.found.areas)

    @property
    def joint(self) -> Joint:
        if self.found.joint is None:
            raise ValueError("no scores were counted")
        return self.found.joint

    def precision_change(self, found: Sequence[Precision]) -> Interval | None:
        """The infinitesimal jackknife over pairs of bands. None where hardly a row moved it."""
        joint, (base, head) = self.joint, found
        change = head.value - base.value
        held = np.zeros((2, joint.scale.steps))
        for side, one in enumerate(found):
            held[side, joint.held(side)] = one.ranking.positives
        across = joint.bands[1].sum() - np.trace(joint.bands[1])
        if max(float(across), float(np.abs(held[1] - held[0]).sum()) / 2) < FEW_CHANGES:
            return None
        pairs = []
        for at, rows, adds in ((1, "positives", "of_positive"), (0, "negatives", "of_negative")):
            sides = [
                Banded.of(joint, side, getattr(one.ranking, rows), getattr(one, adds))
                for side, one in enumerate(found)
            ]
            pairs.append((sides[0], sides[1], joint.bands[at]))
        moved = Moved.of(*pairs)
        variance = moved.power(2)
        if few_rows_decide(variance * moved.n, moved.farthest, 2.0):
            return None
        se = math.sqrt(variance / (moved.n - 1))
        skew = moved.power(3) / variance**1.5 / math.sqrt(moved.n) if variance else 0.0
        quantile = student_quantile(self.level, min(head.positives, moved.n) - 1)
        bounds = skewed_interval(se, skew, quantile, "infinitesimal jackknife")
        return bounds.shifted(change).widened(base.blur + head.blur)


class MergedArea(ranking.Area):
    def change(self, level: float) -> Interval | None:
        return None if self._few_decide((0.0, 1.0)) else super().change(level)


def _forgotten() -> tuple[Floats, Floats]:
    raise ValueError("the rows themselves were not kept")
