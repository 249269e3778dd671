"""Two classes: with ties, rare classes, scores that are too bold, groups of rows and weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.coverage.scenes.of_world import OfWorld
from benchmarks.coverage.tally import Truth
from benchmarks.coverage.worlds import World, draw, truths
from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.comparing import result_of
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of

SMOOTH = ("roc_auc", "average_precision", "log_loss", "brier")
DISCRETE = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc",
)  # fmt: skip
# Rows of the rarer class, at least: with fewer most samples are not assessed.
FEWEST = 40
CALIBRATED = 0.4


@dataclass(frozen=True)
class Binary(OfWorld):
    estimators: tuple[str, ...] = (*SMOOTH, *DISCRETE, "ece")

    @property
    def table(self) -> str:
        if self.world.weighted:
            return "two classes, rows with weights"
        return "two classes" if self.world.group == 1 else "two classes, ten rows a group"

    @property
    def weight(self) -> float:
        return min(1.0, float((3_000 / self.n) ** 0.75))

    def truths(self) -> dict[str, Truth]:
        return truths(self.world)

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        part = Part(view_of(draw(self.world, rng)), Policy(), None)
        # The calibration error takes as long as all others.
        names = self.estimators if rng.random() < CALIBRATED else (*SMOOTH, *DISCRETE)
        return (result_of(name, part, measure(part, name), "paired") for name in names)


def scenes(*, quick: bool) -> list[Binary]:
    sizes = (200, 1_000, 5_000) if quick else (200, 500, 1_000, 5_000, 20_000, 100_000)
    shares = (0.02, 0.2, 0.5) if quick else (0.01, 0.02, 0.05, 0.2, 0.5)
    plain = [
        World(n, share, correlation, tied, bold=bold)
        for n in sizes
        for share in shares
        for correlation, bold in ((0.0, False), (0.5, True), (0.95, False))
        for tied in (False, True)
        if n * share >= FEWEST
    ]
    users = [
        World(n, share, correlation, group=10)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for share in (0.2, 0.5)
        for correlation in (0.5, 0.95)
    ]
    weighed = [
        World(n, share, 0.5, weighted=True)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for share in (0.2, 0.5)
    ]
    return [Binary(world) for world in (*plain, *users, *weighed)]
