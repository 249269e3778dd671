"""How often the 95 % interval of a change misses the truth, and on which side."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from benchmarks.coverage.worlds import World, draw, truths
from benchmarks.figure import print_table
from mlops_ci.config.model import Policy
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of

SMOOTH = ("roc_auc", "average_precision", "log_loss", "brier")
DISCRETE = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc",
)  # fmt: skip
NOMINAL = 0.025
# What chance may add to a rate: three of its standard errors.
CHANCE = 3.0


@dataclass(frozen=True)
class Misses:
    """Of `drawn` samples `assessed` got an interval; `above`: it lay above the truth (a worse model
    looks better than it is), `below` the other way; `length`: the sum of their lengths.
    """

    drawn: int = 0
    assessed: int = 0
    above: int = 0
    below: int = 0
    length: float = 0.0

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
        return CHANCE * math.sqrt(rate * (1 - rate) / max(self.assessed, 1))


def repeats(n: int, *, quick: bool) -> int:
    """Fewer where each takes longer."""
    most = 100 if quick else 400
    return max(20, min(most, int(most * 4_000 / n)))


def simulate(task: tuple[World, int, int]) -> dict[str, Misses]:
    """`task`: a world, how many samples, and a seed."""
    world, drawn, seed = task
    rng, truth = np.random.default_rng([seed, world.n]), truths(world)
    found = dict.fromkeys((*SMOOTH, *DISCRETE), Misses())
    for _ in range(drawn):
        part = Part(view_of(draw(world, rng)), Policy(), None)
        for name in found:
            found[name] += _one(part, name, truth[name])
    return found


def _one(part: Part, name: str, truth: float) -> Misses:
    change = measure(part, name).change
    if change is None:
        return Misses(1)
    return Misses(1, 1, int(change.low > truth), int(change.high < truth), change.high - change.low)


# By estimator, rows, and rows of a group (0: rows have weights).
Found = dict[tuple[str, int, int], Misses]


def by_size(results: Iterable[tuple[World, dict[str, Misses]]]) -> Found:
    """Over all shares, correlations and ties."""
    found: Found = {}
    for world, misses in results:
        for name, one in misses.items():
            key = (name, world.n, world.units)
            found[key] = found.get(key, Misses()) + one
    return found


def print_misses(found: Found) -> None:
    heading = (
        "estimator",
        "rows",
        "samples",
        "not assessed",
        "covered",
        "above",
        "below",
        "length",
    )
    titles = {
        1: "The 95 % interval of the change: how often it holds the truth, lies above or below it",
        10: "The same with ten rows a group, which the intervals know",
        0: "The same with weights",
    }
    for size, title in titles.items():
        table: list[tuple[str, ...]] = [heading]
        for (name, n, group), one in sorted(found.items()):
            share = one.assessed or 1
            if group == size:
                table.append(
                    (
                        name, f"{n:,}", f"{one.drawn:,}", f"{1 - one.assessed / one.drawn:.1%}",
                        f"{one.coverage:.1%}", f"{one.above / share:.2%}",
                        f"{one.below / share:.2%}", f"{one.length / share:.4f}",
                    )
                )  # fmt: skip
        print("\n" + title)
        print_table(table)


def print_worst(results: list[tuple[World, dict[str, Misses]]]) -> None:
    """The regions with the worst tails, over all correlations and ties."""
    pooled: dict[tuple[str, int, int, float], Misses] = {}
    for world, misses in results:
        for name, one in misses.items():
            key = (name, world.n, world.units, world.share)
            pooled[key] = pooled.get(key, Misses()) + one
    ranked = sorted(pooled.items(), key=lambda item: item[1].chance(NOMINAL) - item[1].worst_tail)
    print("\nThe ten worst regions (nominal 2.5 % a tail; chance alone: three standard errors)")
    table: list[tuple[str, ...]] = [
        ("estimator", "rows", "rows a group", "rarer class", "worst tail", "± chance")
    ]
    for (name, n, group, share), one in ranked[:10]:
        tail, chance = f"{one.worst_tail:.2%}", f"{one.chance(NOMINAL):.2%}"
        table.append((name, f"{n:,}", f"{group}", f"{share:.0%}", tail, chance))
    print_table(table)


def fall_short(found: Found) -> list[str]:
    """Sentences for what does not keep the promise: smooth estimators 94…96 % from 500 rows on,
    discrete ones at most 2.5 % a tail, each but for chance.
    """
    wrong = []
    for (name, n, group), one in found.items():
        if n // max(group, 1) < 500 or not one.assessed:
            continue
        if name in SMOOTH and not 0.94 - one.chance(0.05) <= one.coverage <= 0.96 + one.chance(
            0.05
        ):
            wrong.append(f"{name}, {n:,} rows: covers {one.coverage:.1%}")
        if name in DISCRETE and one.worst_tail > NOMINAL + one.chance(NOMINAL):
            wrong.append(f"{name}, {n:,} rows: a tail of {one.worst_tail:.2%}")
    return wrong


def total(results: Iterable[Misses]) -> Misses:
    return reduce(Misses.__add__, results, Misses())
