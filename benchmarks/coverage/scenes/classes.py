"""Four classes, even or one of them rare."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmarks.coverage.tally import Truth
from benchmarks.coverage.worlds import Floats
from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import Outputs, PairedRows
from mlops_ci.verdict.comparing import result_of
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import Ints, view_of

SKILLS = (2.0, 1.9)
NAMES = ("a", "b", "c", "d")
SHARES = {"even": (0.25, 0.25, 0.25, 0.25), "rare": (0.6, 0.25, 0.1, 0.05)}
SMOOTH = ("roc_auc", "log_loss", "brier")
DISCRETE = (
    "accuracy", "balanced_accuracy", "mcc", "f1_macro", "f1_weighted", "precision_macro", "f1@d",
)  # fmt: skip
# The truth is that of so many rows, both models with the same noise: then their difference is
# known some ten times better than any sample here knows it.
ROWS, CHUNKS = 1 << 17, 24


@dataclass(frozen=True)
class Classes:
    n: int
    correlation: float
    shares: str
    estimators: tuple[str, ...] = (*SMOOTH, *DISCRETE, "ece")
    table: str = "four classes"

    @property
    def units(self) -> int:
        return self.n

    @property
    def region(self) -> str:
        return f"{self.shares} classes"

    @property
    def weight(self) -> float:
        return min(1.0, float((2_000 / self.n) ** 0.75))

    def truths(self) -> dict[str, Truth]:
        return _population(self.shares)

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        return _measured(_draw(self, rng), self.estimators)


def _measured(rows: PairedRows, names: Iterable[str]) -> Iterable[MetricResult]:
    part = Part(view_of(rows), Policy(), None)
    return (result_of(name, part, measure(part, name), "paired") for name in names)


def _draw(scene: Classes, rng: np.random.Generator) -> PairedRows:
    label = rng.choice(len(NAMES), size=scene.n, p=SHARES[scene.shares])
    shape = (scene.n, len(NAMES))
    shared = math.sqrt(scene.correlation) * rng.normal(size=shape)
    own = math.sqrt(1 - scene.correlation)
    noises = (shared + own * rng.normal(size=shape) for _ in SKILLS)
    return _rows(label, scene.shares, list(noises))


def _rows(label: Ints, shares: str, noises: list[Floats]) -> PairedRows:
    """Scores are the classes' true probabilities given evidence that is normal around `skill` for
    the class that it is, and around 0 for the others.
    """
    sides = []
    for skill, noise in zip(SKILLS, noises, strict=True):
        odds = skill * noise
        odds[np.arange(len(label)), label] += skill**2
        odds += np.log(SHARES[shares])
        odds -= odds.max(axis=1, keepdims=True)
        score = np.exp(odds)
        score /= score.sum(axis=1, keepdims=True)
        sides.append(Outputs(score.argmax(axis=1), score))
    return PairedRows("multiclass", NAMES, label, sides[0], sides[1])


@lru_cache(maxsize=4)
def _population(shares: str) -> dict[str, Truth]:
    rng = np.random.default_rng(5)
    label = np.repeat(np.arange(len(NAMES)), np.rint(np.array(SHARES[shares]) * ROWS).astype(int))
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(CHUNKS):
        noise = rng.normal(size=(len(label), len(NAMES)))
        rows = _rows(label, shares, [noise, noise])
        for one in _measured(rows, (*SMOOTH, *DISCRETE)):
            found.setdefault(one.metric, []).append((one.base or 0.0, one.head or 0.0))
    truths = {
        name: Truth(*(math.fsum(side) / CHUNKS for side in zip(*values, strict=True)))
        for name, values in found.items()
    }
    # Probabilities that are true are calibrated.
    return truths | {"ece": Truth(0.0, 0.0)}


def scenes(*, quick: bool) -> list[Classes]:
    return [
        Classes(n, correlation, shares)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for correlation in (0.5, 0.95)
        for shares in SHARES
    ]
