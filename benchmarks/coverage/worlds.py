"""Simulated repositories: two models on the same rows, of which the truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict import Outputs, PairedRows

CELLS = 40_000
REACH = 9.0
TIED_TO = 0.5
MOOD = 0.3
SPREAD = 0.7

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """`share` of the rarer class; `correlation` of the two models' scores within a class; their
    logits rounded to steps of `TIED_TO` when `tied`. `base`, `head`: how many standard deviations
    each model's scores set the classes apart (AUC = Φ(skill/√2)). With a `group` of more than one
    row (a user), `MOOD` of a score's variance is the group's. Weights are lognormal with σ = SPREAD
    and tell nothing of a row, so that the truth is that without them.
    """

    n: int
    share: float
    correlation: float
    tied: bool = False
    base: float = 1.5
    head: float = 1.45
    group: int = 1
    weighted: bool = False

    @property
    def units(self) -> int:
        """Rows of a group; 0 where rows have weights."""
        return 0 if self.weighted else self.group


def draw(world: World, rng: np.random.Generator) -> PairedRows:
    """`share` is of the population: the number of positive rows varies, as in life."""
    label = (rng.random(world.n) < world.share).astype(np.int64)
    shared = math.sqrt(world.correlation) * _noise(world, rng)
    own = math.sqrt(1 - world.correlation)
    sides = [
        _answers(world, skill, skill * label + shared + own * _noise(world, rng))
        for skill in (world.base, world.head)
    ]
    group = np.arange(world.n) // world.group if world.group > 1 else None
    weight = rng.lognormal(0, SPREAD, world.n) if world.weighted else None
    return PairedRows("binary", ("0", "1"), label, sides[0], sides[1], group=group, weight=weight)


def _noise(world: World, rng: np.random.Generator) -> Floats:
    noise = rng.normal(size=world.n)
    if world.group == 1:
        return noise
    mood = np.repeat(rng.normal(size=-(-world.n // world.group)), world.group)[: world.n]
    return np.asarray(math.sqrt(MOOD) * mood + math.sqrt(1 - MOOD) * noise)


def _answers(world: World, skill: float, z: Floats) -> Outputs:
    score = _score(world, skill, z)
    return Outputs((score >= world.share).astype(np.int64), score)


def _score(world: World, skill: float, z: Floats) -> Floats:
    """The class's true probability given z: unit normals `skill` apart."""
    odds = skill * z - skill**2 / 2 + math.log(world.share / (1 - world.share))
    if world.tied:
        odds = np.round(odds / TIED_TO) * TIED_TO
    return np.asarray(1 / (1 + np.exp(-odds)))


@lru_cache(maxsize=1000)
def truths(world: World) -> dict[str, float]:
    """head − base of each metric on infinitely many rows."""
    base, head = (_population(world, skill) for skill in (world.base, world.head))
    return {name: head[name] - base[name] for name in base}


def _population(world: World, skill: float) -> dict[str, float]:
    """From a fine grid of z with the mass that each class has in its cells."""
    edges = np.linspace(-REACH, REACH + skill, CELLS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    score = _score(world, skill, middle)
    negative = (1 - world.share) * np.diff(_normal(edges))
    positive = world.share * np.diff(_normal(edges - skill))
    called = score >= world.share
    rates = (positive[called].sum(), negative[called].sum())
    return {
        **_of_table(*rates, world.share),
        **_of_ranking(score, positive, negative),
        **_of_scores(score, positive, negative),
    }


def _normal(z: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


def _of_table(hit: float, alarm: float, share: float) -> dict[str, float]:
    recall, specificity = hit / share, 1 - alarm / (1 - share)
    called = hit + alarm
    scale = math.sqrt(share * (1 - share) * called * (1 - called))
    return {
        "accuracy": hit + (1 - share) - alarm,
        "balanced_accuracy": (recall + specificity) / 2,
        "precision": hit / called,
        "recall": recall,
        "specificity": specificity,
        "f1": 2 * hit / (share + called),
        "mcc": (hit - share * called) / scale,
    }


def _of_ranking(score: Floats, positive: Floats, negative: Floats) -> dict[str, float]:
    _, group = np.unique(score, return_inverse=True)
    p, n = (np.bincount(group, weights=mass) for mass in (positive, negative))
    below = np.cumsum(n) - n / 2
    chosen = (p + n)[::-1].cumsum()[::-1]
    hits = p[::-1].cumsum()[::-1]
    total = p.sum()
    seen = chosen > 0
    return {
        "roc_auc": float((p * below).sum() / total / n.sum()),
        "average_precision": float((p[seen] * hits[seen] / chosen[seen]).sum() / total),
    }


def _of_scores(score: Floats, positive: Floats, negative: Floats) -> dict[str, float]:
    eps = float(np.finfo(float).eps)
    p = np.clip(score, eps, 1 - eps)
    log_loss = -(positive * np.log(p) + negative * np.log1p(-p)).sum()
    brier = (positive * (1 - score) ** 2 + negative * score**2).sum()
    return {"log_loss": float(log_loss), "brier": float(brier)}


def grid(*, quick: bool) -> list[World]:
    sizes = (200, 1_000, 5_000) if quick else (200, 500, 1_000, 5_000, 20_000, 100_000)
    shares = (0.02, 0.2, 0.5) if quick else (0.01, 0.02, 0.05, 0.2, 0.5)
    users = [
        World(n, share, correlation, group=10)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for share in (0.2, 0.5)
        for correlation in (0.5, 0.95)
    ]
    weighed = [
        World(n, share, 0.5, weighted=True)
        for n in ((1_000,) if quick else (1_000, 5_000))
        for share in (0.2, 0.5)
    ]
    return [*users, *weighed] + [
        World(n, share, correlation, tied)
        for n in sizes
        for share in shares
        for correlation in (0.0, 0.5, 0.95)
        for tied in (False, True)
        if n * share >= 40
    ]
