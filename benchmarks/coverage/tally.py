"""How often intervals miss the truth and on which side, and what gates make of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Protocol

import numpy as np

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import judge

# How many margins a model loses.
LOSSES = {"half of it": 0.5, "just the margin": 1.0, "1.45 margins": 1.45}
# Gates are judged where a scene has so many rows; elsewhere the intervals say it.
JUDGED = (1_000, 20_000)


@dataclass(frozen=True)
class Truth:
    """A metric on infinitely many rows, of both sides."""

    base: float
    head: float

    @property
    def change(self) -> float:
        return self.head - self.base


class Scene(Protocol):
    """Two models on rows of which the truth is known. `table`: where its figures are printed,
    pooled over scenes with as many rows `n`; `region`: what sets it apart from those. `units`: how
    many independent ones of equal weight these are worth. `estimators`: those that it is for.
    `weight`: how many samples it is worth beside others, 1 for most.
    """

    @property
    def table(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def units(self) -> int: ...
    @property
    def region(self) -> str: ...
    @property
    def estimators(self) -> tuple[str, ...]: ...
    @property
    def weight(self) -> float: ...
    def truths(self) -> Mapping[str, Truth]: ...
    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]: ...


@dataclass
class Rates:
    """Counts over samples, by what a person would read or be able to do."""

    drawn: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, *words: str) -> None:
        self.drawn += 1
        for word in words:
            self.counts[word] = self.counts.get(word, 0) + 1

    def add(self, other: Rates) -> None:
        self.drawn += other.drawn
        for word, count in other.counts.items():
            self.counts[word] = self.counts.get(word, 0) + count

    def rate(self, word: str) -> float:
        return self.counts.get(word, 0) / max(self.drawn, 1)


@dataclass(frozen=True)
class Misses:
    """Of `drawn` samples `assessed` got an interval; `above`: it lay above the truth, `below` the
    other way; `length`: the sum of their lengths.
    """

    drawn: int = 0
    assessed: int = 0
    above: int = 0
    below: int = 0
    length: float = 0.0

    @classmethod
    def of(cls, low: float | None, high: float | None, truth: float) -> Misses:
        if low is None or high is None:
            return cls(1)
        # What only rounding sets apart is no miss.
        slack = 1e-9 * max(abs(truth), 1e-3)
        return cls(1, 1, int(low > truth + slack), int(high < truth - slack), high - low)

    def __add__(self, other: Misses) -> Misses:
        return Misses(
            self.drawn + other.drawn,
            self.assessed + other.assessed,
            self.above + other.above,
            self.below + other.below,
            self.length + other.length,
        )

    @property
    def coverage(self) -> float:
        return 1 - (self.above + self.below) / max(self.assessed, 1)

    @property
    def worst_tail(self) -> float:
        return max(self.above, self.below) / max(self.assessed, 1)

    def chance(self, rate: float) -> float:
        """One standard error of a rate over the assessed samples."""
        return math.sqrt(rate * (1 - rate) / max(self.assessed, 1))


@dataclass
class Tally:
    """Of one estimator: the interval of the change, head's own, and gates by how much is lost."""

    change: Misses = field(default_factory=Misses)
    own: Misses = field(default_factory=Misses)
    judged: dict[str, Rates] = field(default_factory=dict)

    def note(self, result: MetricResult, truth: Truth, *, gates: bool) -> None:
        self.change += Misses.of(result.low, result.high, truth.change)
        self.own += Misses.of(result.head_low, result.head_high, truth.head)
        worse = -truth.change if result.higher_is_better else truth.change
        if gates and worse > 0:
            for name, lost in LOSSES.items():
                rates = self.judged.setdefault(name, Rates())
                rates.note(*_words(result, worse / lost))

    def add(self, other: Tally) -> None:
        self.change += other.change
        self.own += other.own
        for name, rates in other.judged.items():
            self.judged.setdefault(name, Rates()).add(rates)


def _words(result: MetricResult, margin: float) -> list[str]:
    gate = Gate(metric=result.metric, kind="max-drop", limit=margin, slice=result.slice)
    found = judge([result], [gate], Policy())
    words = [str(found.verdict)]
    if result.difference is None:
        return words
    seen = result.difference if result.higher_is_better else -result.difference
    words += ["mergeable"] if not found.blocks else []
    words += ["any drop"] if seen >= 0 else []
    words += ["tolerance"] if seen >= -margin else []
    words += ["too often"] if not found.blocks and seen < -margin else []
    return words


def simulate(task: tuple[Scene, int, int]) -> dict[str, Tally]:
    """`task`: a scene, how many samples, and a seed."""
    scene, drawn, seed = task
    rng, truths = np.random.default_rng([seed, scene.n]), scene.truths()
    found = {name: Tally() for name in scene.estimators}
    for _ in range(drawn):
        for result in scene.sample(rng):
            if result.metric in found:
                truth = truths[result.metric]
                found[result.metric].note(result, truth, gates=scene.n in JUDGED)
    return found


def total(results: Iterable[Misses]) -> Misses:
    return reduce(Misses.__add__, results, Misses())
