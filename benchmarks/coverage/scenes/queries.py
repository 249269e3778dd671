"""Rankings of ten rows a query, with two grades or four."""

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
from mlops_ci.verdict.queries import ndcg, rank_queries, reciprocal_rank
from mlops_ci.verdict.rows import view_of

DEPTH = 10
SKILLS = (1.5, 1.4)
GRADES = {"two grades": (0.8, 0.2), "four grades": (0.6, 0.2, 0.15, 0.05)}
MANY = 150_000


@dataclass(frozen=True)
class Queries:
    n: int
    correlation: float
    grades: str
    estimators: tuple[str, ...] = ("ndcg@5", "ndcg", "mrr")
    table: str = "queries of ten rows (rows: queries)"

    @property
    def units(self) -> int:
        return self.n

    @property
    def region(self) -> str:
        return self.grades

    @property
    def weight(self) -> float:
        return min(1.0, 1_000 / self.n)

    def truths(self) -> dict[str, Truth]:
        return _population(self.grades)

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        size = self.n * DEPTH
        shared = math.sqrt(self.correlation) * rng.normal(size=size)
        own = math.sqrt(1 - self.correlation)
        noises = [shared + own * rng.normal(size=size) for _ in SKILLS]
        return _measured(_rows(self.grades, noises, rng))


def _measured(rows: PairedRows) -> Iterable[MetricResult]:
    part = Part(view_of(rows), Policy(), None)
    names = ("ndcg@5", "ndcg", "mrr")
    return (result_of(name, part, measure(part, name), "paired") for name in names)


def _rows(grades: str, noises: list[Floats], rng: np.random.Generator) -> PairedRows:
    size, shares = len(noises[0]), GRADES[grades]
    gain = rng.choice(len(shares), size=size, p=shares)
    group = np.arange(size) // DEPTH
    scores = [
        skill * np.minimum(gain, 2) + noise for skill, noise in zip(SKILLS, noises, strict=True)
    ]
    if len(shares) > 2:
        sides = [Outputs(score) for score in scores]
        return PairedRows("regression", (), gain * 1.0, sides[0], sides[1], group=group)
    sides = [Outputs((score > 1).astype(np.int64), score) for score in scores]
    return PairedRows("binary", ("0", "1"), gain, sides[0], sides[1], group=group)


@lru_cache(maxsize=4)
def _population(grades: str) -> dict[str, Truth]:
    """Of very many queries, both models with the same noise."""
    rng = np.random.default_rng(6)
    noise = rng.normal(size=MANY * DEPTH)
    view = view_of(_rows(grades, [noise, noise], rng))
    sides = [rank_queries(view, side) for side in view.sides]
    return {
        "ndcg@5": Truth(*(float(ndcg(one, 5).mean()) for one in sides)),
        "ndcg": Truth(*(float(ndcg(one, None).mean()) for one in sides)),
        "mrr": Truth(*(float(reciprocal_rank(one).mean()) for one in sides)),
    }


def scenes(*, quick: bool) -> list[Queries]:
    return [
        Queries(n, correlation, grades)
        for n in ((500,) if quick else (100, 500, 1_000, 5_000))
        for correlation in (0.0, 0.5, 0.95)
        for grades in GRADES
    ]
