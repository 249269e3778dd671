"""Four classes, even or one of them rare; and very many."""

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
ALIKE = 0.85


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


@dataclass(frozen=True)
class ManyClasses:
    """So many that rows' luck in each of them adds up: an average over classes is biased. Some are
    right more often than others; what is wrong is another class by chance. Head is wrong where base
    is in most rows.
    """

    classes: int
    rows_a_class: int
    estimators: tuple[str, ...] = (
        "f1_macro", "f1_weighted", "precision_macro", "precision_weighted", "balanced_accuracy",
        "mcc",
    )  # fmt: skip

    @property
    def table(self) -> str:
        return f"{self.classes:,} classes"

    @property
    def n(self) -> int:
        return self.classes * self.rows_a_class

    units = n

    @property
    def region(self) -> str:
        return f"{self.rows_a_class} rows a class"

    @property
    def weight(self) -> float:
        return min(1.0, 10_000 / self.n)

    def _right(self) -> tuple[Floats, Floats]:
        """By class, how often each model is."""
        rng = np.random.default_rng(self.classes)
        base = rng.uniform(0.4, 0.95, self.classes)
        return base, np.clip(base - 0.02 + 0.02 * rng.normal(size=self.classes), 0.05, 0.99)

    def truths(self) -> dict[str, Truth]:
        base, head = (_of_right(right) for right in self._right())
        return {name: Truth(base[name], head[name]) for name in base}

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        n, k = self.n, self.classes
        label = rng.integers(0, k, n)
        luck = rng.random(n)
        other = np.where(rng.random(n) < ALIKE, luck, rng.random(n))
        off = rng.integers(1, k, n)
        offs = (off, np.where(rng.random(n) < 0.5, off, rng.integers(1, k, n)))
        sides = [
            Outputs(np.where(one < right[label], label, (label + away) % k))
            for one, right, away in zip((luck, other), self._right(), offs, strict=True)
        ]
        names = tuple(f"{at:05d}" for at in range(k))
        return _measured(
            PairedRows("multiclass", names, label, sides[0], sides[1]), self.estimators
        )


def _of_right(right: Floats) -> dict[str, float]:
    k = len(right)
    wrong = (1 - right) / k
    hits, called = right / k, right / k + (wrong.sum() - wrong) / (k - 1)
    precision, f1 = hits / called, 2 * hits / (1 / k + called)
    covariance = hits.sum() - called.sum() / k
    return {
        "f1_macro": float(f1.mean()),
        "f1_weighted": float(f1.mean()),
        "precision_macro": float(precision.mean()),
        "precision_weighted": float(precision.mean()),
        "balanced_accuracy": float(right.mean()),
        "mcc": float(covariance / math.sqrt((1 - 1 / k) * (1 - (called * called).sum()))),
    }


def scenes(*, quick: bool) -> list[Classes | ManyClasses]:
    many = [ManyClasses(200, 60)] + ([] if quick else [ManyClasses(2_000, 60)])
    return [*_four(quick=quick), *many]


def _four(*, quick: bool) -> list[Classes]:
    return [
        Classes(n, correlation, shares)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for correlation in (0.5, 0.95)
        for shares in SHARES
    ]
