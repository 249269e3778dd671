"""Rows that are counted as they are read, and rows so many that scores are ranked in bins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.coverage.scenes.of_world import OfWorld
from benchmarks.coverage.scenes.regression import HIGH, LOW, Numbers
from benchmarks.coverage.tally import Truth
from benchmarks.coverage.worlds import World, draw, truths
from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.aggregates.scale import SLICE, WHOLE
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient
from mlops_ci.verdict.comparing import result_of
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.merged import MergedPart
from mlops_ci.verdict.part import BINNED, Part
from mlops_ci.verdict.rows import View, view_of

SHARDS = 3
RANKED = ("roc_auc", "average_precision")
QUESTION = Question("binary", ("0", "1"), 1)


@dataclass(frozen=True)
class Stream(OfWorld):
    """In shards that are merged. A slice of the rows has the coarser scale."""

    slice: bool = False
    estimators: tuple[str, ...] = (*RANKED, "log_loss", "brier", "f1", "ece")

    @property
    def table(self) -> str:
        return f"counted as they are read, {'a slice' if self.slice else 'all rows'}"

    @property
    def weight(self) -> float:
        return min(1.0, float((5_000 / self.n) ** 0.75)) if self.slice else 0.2

    def truths(self) -> dict[str, Truth]:
        return truths(self.world)

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        whole = Sufficient.empty(QUESTION, scale=SLICE if self.slice else WHOLE)
        _count(view_of(draw(self.world, rng)), whole, apart=self.slice)
        return _measured(MergedPart(whole, Policy(), None), self.estimators)


@dataclass(frozen=True)
class CountedNumbers:
    """Numbers in shards that are merged: sums are all that is left of them."""

    rows: Numbers
    estimators: tuple[str, ...] = ("mae", "mse", "rmse", "mape", "r2", "pinball_loss@0.9")
    table: str = "numbers, counted as they are read"

    @property
    def n(self) -> int:
        return self.rows.n

    @property
    def units(self) -> int:
        return self.rows.units

    @property
    def region(self) -> str:
        return self.rows.region

    @property
    def weight(self) -> float:
        return min(1.0, float((5_000 / self.n) ** 0.75))

    def truths(self) -> dict[str, Truth]:
        return self.rows.truths()

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        question = Question(
            "regression", (), scored=False, classed=False, centre=(LOW + HIGH) / 2, quantiles=(0.9,)
        )
        whole = Sufficient.empty(question, scale=SLICE)
        _count(view_of(self.rows.draw(rng)), whole, apart=True)
        return _measured(MergedPart(whole, Policy(), None), self.estimators)


def _count(view: View, whole: Sufficient, *, apart: bool) -> None:
    """In shards, each counted by itself and merged where they are read `apart`."""
    cuts = np.linspace(0, view.n, SHARDS + 1).astype(int).tolist()
    for start, stop in pairwise(cuts):
        if apart:
            shard = Sufficient.empty(whole.question, scale=whole.scale)
            shard.add(view.part(slice(start, stop)))
            whole.merge(shard)
        else:
            whole.add(view.part(slice(start, stop)))


def _measured(part: Part, names: Iterable[str]) -> Iterable[MetricResult]:
    return (result_of(name, part, measure(part, name), "paired") for name in names)


@dataclass(frozen=True)
class Binned(OfWorld):
    estimators: tuple[str, ...] = RANKED
    table: str = "scores in bins"
    weight: float = 0.4

    def truths(self) -> dict[str, Truth]:
        return truths(self.world)

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        return _measured(Part(view_of(draw(self.world, rng)), Policy(), None), self.estimators)


def scenes(*, quick: bool) -> list[Stream | CountedNumbers | Binned]:
    slices = [
        Stream(World(n, share, correlation, bold=bold), slice=True)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for share in (0.05, 0.5)
        for correlation, bold in ((0.0, False), (0.5, True), (0.95, False))
    ]
    numbers = [
        CountedNumbers(Numbers(n, correlation, tailed))
        for n in ((1_000,) if quick else (500, 1_000, 5_000, 20_000))
        for correlation, tailed in ((0.0, True), (0.5, False), (0.95, True), (0.95, False))
    ]
    if quick:
        return [*slices, *numbers]
    whole = [
        Stream(World(100_000, share, correlation, bold=bold))
        for share, correlation, bold in ((0.05, 0.5, True), (0.5, 0.95, False))
    ]
    return [*slices, *numbers, *whole, Binned(World(BINNED, 0.05, 0.9, head=1.49))]
