"""Two classifiers of two classes on the same rows, of which the truth is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.tally import Truth
from mlops_ci.verdict import Outputs, PairedRows

CELLS = 400_000
REACH = 9.0
TIED_TO = 0.5
MOOD = 0.3
SPREAD = 0.7
# What share of as many rows of equal weight such rows are worth (Kish 1965).
WORTH = math.exp(-(SPREAD**2))
HEAT = (1.4, 1.6)
BINS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """What makes scores of `z`, which is normal around 0 or, of a positive row, around `skill`."""

    share: float
    skill: float
    heat: float = 1.0
    tied: bool = False

    def score(self, z: Floats) -> Floats:
        odds = self.heat * (self.skill * z - self.skill**2 / 2)
        odds += math.log(self.share / (1 - self.share))
        if self.tied:
            odds = np.round(odds / TIED_TO) * TIED_TO
        return np.asarray(1 / (1 + np.exp(-odds)))

    def answer(self, z: Floats) -> Outputs:
        score = self.score(z)
        return Outputs((score >= self.share).astype(np.int64), score)


@dataclass(frozen=True)
class World:
    """`share` of the rarer class; `correlation` of the two models' scores within a class; their
    logits rounded to steps of `TIED_TO` when `tied`. `base`, `head`: how many standard deviations
    each model's scores set the classes apart (AUC = Φ(skill/√2)). Where they are `bold`, base's
    evidence is `HEAT[0]` times what it should be and head's `HEAT[1]` times; else scores are the
    true probabilities. With a `group` of more than one row (a user), `MOOD` of a score's variance
    is the group's. Weights are lognormal with σ = SPREAD and tell nothing of a row, so that the
    truth is that without them.
    """

    n: int
    share: float
    correlation: float
    tied: bool = False
    base: float = 1.5
    head: float = 1.45
    group: int = 1
    weighted: bool = False
    bold: bool = False

    @property
    def units(self) -> int:
        """How many independent rows of equal weight these are worth."""
        return int(self.n * WORTH) if self.weighted else self.n // self.group

    @property
    def models(self) -> tuple[Model, Model]:
        heat = HEAT if self.bold else (1.0, 1.0)
        skills = (self.base, self.head)
        base, head = (
            Model(self.share, skill, hot, tied=self.tied)
            for skill, hot in zip(skills, heat, strict=True)
        )
        return base, head


def draw(world: World, rng: np.random.Generator) -> PairedRows:
    """`share` is of the population: the number of positive rows varies, as in life."""
    label = (rng.random(world.n) < world.share).astype(np.int64)
    shared = math.sqrt(world.correlation) * _noise(world, rng)
    own = math.sqrt(1 - world.correlation)
    sides = [
        model.answer(model.skill * label + shared + own * _noise(world, rng))
        for model in world.models
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


def truths(world: World) -> dict[str, Truth]:
    base, head = (_population(model) for model in world.models)
    return {name: Truth(base[name], head[name]) for name in base}


@lru_cache(maxsize=1000)
def _population(model: Model) -> dict[str, float]:
    """Each metric on infinitely many rows: from a fine grid of z with the mass that each class has
    in its cells.
    """
    edges = np.linspace(-REACH, REACH + model.skill, CELLS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    score = model.score(middle)
    negative = (1 - model.share) * np.diff(_normal(edges))
    positive = model.share * np.diff(_normal(edges - model.skill))
    called = score >= model.share
    rates = (positive[called].sum(), negative[called].sum())
    return {
        **_of_table(*rates, model.share),
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
        "f2": 5 * hit / (4 * share + called),
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
    inside = np.minimum((score * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(inside, positive - score * (positive + negative), BINS)
    return {
        "log_loss": float(log_loss),
        "brier": float(brier),
        "ece": float(np.abs(gaps).sum()),
    }
