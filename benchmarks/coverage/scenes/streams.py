"""Rows that are counted as they are read, and rows so many that scores are ranked in bins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.coverage.scenes.of_world import OfWorld
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
from mlops_ci.verdict.rows import view_of

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
        view, scale = view_of(draw(self.world, rng)), SLICE if self.slice else WHOLE
        whole = Sufficient.empty(QUESTION, scale=scale)
        cuts = np.linspace(0, view.n, SHARDS + 1).astype(int).tolist()
        for start, stop in pairwise(cuts):
            if self.slice:
                shard = Sufficient.empty(QUESTION, scale=scale)
                shard.add(view.part(slice(start, stop)))
                whole.merge(shard)
            else:
                whole.add(view.part(slice(start, stop)))
        part = MergedPart(whole, Policy(), None)
        return (result_of(name, part, measure(part, name), "paired") for name in self.estimators)


@dataclass(frozen=True)
class Binned(OfWorld):
    estimators: tuple[str, ...] = RANKED
    table: str = "scores in bins"
    weight: float = 0.4

    def truths(self) -> dict[str, Truth]:
        return truths(self.world)

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        part = Part(view_of(draw(self.world, rng)), Policy(), None)
        return (result_of(name, part, measure(part, name), "paired") for name in self.estimators)


def scenes(*, quick: bool) -> list[Stream | Binned]:
    slices = [
        Stream(World(n, share, correlation, bold=bold), slice=True)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for share in (0.05, 0.5)
        for correlation, bold in ((0.0, False), (0.5, True), (0.95, False))
    ]
    if quick:
        return [*slices]
    whole = [
        Stream(World(100_000, share, correlation, bold=bold))
        for share, correlation, bold in ((0.05, 0.5, True), (0.5, 0.95, False))
    ]
    return [*slices, *whole, Binned(World(BINNED, 0.05, 0.9, head=1.49))]
