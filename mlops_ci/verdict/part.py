"""All rows or a slice, with what several metrics share computed once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial

import numpy as np

from mlops_ci.config.model import Average, Policy
from mlops_ci.verdict import calibration, confusion, precision, ranking
from mlops_ci.verdict.aggregates.bins import bin_rank
from mlops_ci.verdict.aggregates.cells import Cells, count_cells
from mlops_ci.verdict.aggregates.chunks import together
from mlops_ci.verdict.aggregates.exact import effective_rows, sum_by
from mlops_ci.verdict.aggregates.gaps import count_gaps
from mlops_ci.verdict.aggregates.order import Ranking, rank
from mlops_ci.verdict.clusters import Clusters, cluster_gaps, clusters_of
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.losses import loss_of
from mlops_ci.verdict.means import Means
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.multiclass import ManyAreas, RowAreas, areas
from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.queried import Queried, RowQueries
from mlops_ci.verdict.rows import Floats, Ints, View
from mlops_ci.verdict.soundness import faults_of

# From here on scores are ranked in bins; the bound of what they hide is part of the interval.
BINNED = 1 << 19


class Part:
    def __init__(self, view: View, policy: Policy, slice_name: str | None) -> None:
        self.view = view
        self.policy = policy
        self.level = policy.level
        self.slice = slice_name

    @property
    def sides(self) -> int:
        return len(self.view.sides)

    @cached_property
    def cells(self) -> Cells:
        return count_cells(self.view)

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        actual = self.view.actual
        works = [
            partial(rank, side.score, actual) for side in self.view.sides if side.score is not None
        ]
        return tuple(together(works, self.view.n))

    @property
    def groups(self) -> tuple[Ranking, ...]:
        """By bins where rows are many: a sort is then most of the work of all metrics."""
        return self.rankings if self.view.n < BINNED else self.bins

    @cached_property
    def constant(self) -> tuple[bool, ...]:
        """Of each side whether all rows have the same score; empty where there are none."""
        scores = [side.score for side in self.view.sides if side.score is not None]
        return tuple(bool((one == one[:1]).all()) for one in scores)

    @cached_property
    def placements(self) -> tuple[ranking.Placements, ...]:
        return tuple(ranking.placements(one) for one in self.groups)

    @cached_property
    def bins(self) -> tuple[Ranking, ...]:
        actual, sides = self.view.actual, self.view.sides
        return tuple(bin_rank(side.score, actual) for side in sides if side.score is not None)

    @cached_property
    def calibration(self) -> tuple[list[float], list[Interval]]:
        gaps = (
            cluster_gaps(self.view, self.clusters)
            if self.clusters is not None
            else count_gaps(self.view)
        )
        seen = [calibration.calibration_error(gaps, side) for side in range(self.sides)]
        sampled = calibration.sampled_of(self.view, self.clusters)
        found = calibration.calibration_intervals(gaps, self.sides, self.level, sampled)
        return seen, found

    def beyond(self, metric: Metric) -> str | None:  # noqa: ARG002 - rows know every metric
        """Why this part knows too little for a metric."""
        return None

    def means(self, metric: Metric) -> Means:
        return Means(loss_of(metric), self.view)

    @property
    def zero_label(self) -> bool:
        """Of a regression: whether a label is 0, and whether all are equal (`one_label`)."""
        return bool((self.view.label == 0).any())

    @property
    def one_label(self) -> bool:
        return bool((self.view.label == self.view.label[0]).all())

    @cached_property
    def area(self) -> ranking.Area:
        """Of scores of two classes."""
        return ranking.area_of(self.placements, self.view.actual)

    @property
    def has_queries(self) -> bool:
        return self.view.queries is not None

    def queried(self, metric: Metric) -> Queried | None:
        """A metric of queries. None where no query has anything to find."""
        return RowQueries.of(self.view, metric)

    @property
    def areas(self) -> ManyAreas:
        """Of scores of many classes."""
        return RowAreas(tuple(areas(self.view, side) for side in self.view.sides))

    def precision_change(self, found: Sequence[precision.Precision]) -> Interval | None:
        """`found`: of base and of head."""
        actual = self.view.actual
        return precision.precision_change_interval(found[0], found[1], actual, self.level)

    @cached_property
    def class_counts(self) -> Ints:
        return self.view.class_counts

    @cached_property
    def faults(self) -> dict[str, str]:
        """Why an array of a side cannot be used (`prediction`, `score`), or its scores not as
        probabilities (`probability`); only what is wrong.
        """
        names = ("base", "head")[-self.sides :]
        found: dict[str, str] = {}
        for name, outputs in zip(names, self.view.sides, strict=True):
            for what, why in faults_of(outputs, self.view.task, name):
                found.setdefault(what, why)
        return found

    @cached_property
    def effective(self) -> float:
        """How many rows of equal weight these are worth (Kish 1965, see `exact`)."""
        weight = self.view.weight
        return float(self.view.n) if weight is None else effective_rows(weight)

    @cached_property
    def worth(self) -> Ints:
        """The same of each class, rounded down."""
        weight = self.view.weight
        if weight is None:
            return self.class_counts
        weight, k = weight / weight.max(), len(self.view.classes)
        sums = sum_by(self.view.label, weight, k)
        squares = sum_by(self.view.label, np.square(weight), k)
        return worth_of(sums, squares)

    def rarest_of(self, metric: Metric) -> int:
        """Rows of the rarest class that a metric rests on."""
        if metric.label is not None:
            return int(self.worth[self.view.classes.index(metric.label)])
        return self.rarest

    @cached_property
    def rarest(self) -> int:
        """Rows of the rarest class: of all classes, or in a slice of those that occur in it."""
        counts = self.worth
        if self.view.task == "multiclass":
            counts = counts[counts > 0]
        return int(counts.min()) if len(counts) else 0

    def by_groups(self, metric: Metric) -> list[Interval | None] | None:  # noqa: ARG002
        """Around 0, of each side and of the change, where sums over groups are all there is."""
        return None

    def weighed(self, metric: Metric) -> Measured | None:  # noqa: ARG002
        """A metric of rows with weights, where sums over them are all there is."""
        return None

    @cached_property
    def clusters(self) -> Clusters | None:
        return None if self.view.group is None else clusters_of(self.view.group)

    def average(self, metric: Metric) -> Average | str | None:
        """How classes are averaged: by the metric's name, else by the policy."""
        if metric.average is not None:
            return metric.average
        if metric.name == "roc_auc" and self.view.task == "multiclass":
            return "macro"
        multiclass = metric.averaged and self.view.task == "multiclass"
        return self.policy.average if multiclass else None

    def question(self, metric: Metric) -> confusion.Question:
        if metric.label is not None:
            code = self.view.classes.index(metric.label)
            return confusion.Question(metric.name.partition("@")[0], code)
        average = self.average(metric)
        positive = self.view.positive if self.view.task == "binary" else None
        name = metric.name.removesuffix(f"_{metric.average}") if metric.average else metric.name
        return confusion.Question(name, positive, average)


def worth_of(sums: Floats, squares: Floats) -> Ints:
    """Of the weights of each class."""
    # A little more, so that rounding makes no 29 of 30 rows that weigh alike.
    return np.asarray(sums**2 / np.where(squares > 0, squares, 1.0) + 1e-9, dtype=np.int64)
