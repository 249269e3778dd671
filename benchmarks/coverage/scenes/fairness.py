"""Groups of people: rates that lie apart, or not at all, with two groups or four."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.coverage.tally import Truth
from benchmarks.coverage.worlds import MOOD, Floats
from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, compare_fairness
from mlops_ci.verdict.names import FAIRNESS
from mlops_ci.verdict.structs import replaced

CUT = 0.8  # a score above it is a yes
LEFT_OUT = "left out, too few rows"


@dataclass(frozen=True)
class People:
    """Of each group: its share of the rows, how many of them are positive, and how far base's and
    head's scores of these lie above those of the others.
    """

    shares: tuple[float, ...]
    positive: tuple[float, ...]
    base: tuple[float, ...]
    head: tuple[float, ...]


PEOPLE = {
    "two groups": People((0.7, 0.3), (0.4, 0.3), (1.8, 1.6), (1.8, 1.4)),
    "four groups": People(
        (0.4, 0.3, 0.2, 0.1), (0.5, 0.45, 0.4, 0.3), (1.9, 1.8, 1.7, 1.6), (1.9, 1.8, 1.6, 1.3)
    ),
    "four even groups": People(
        (0.25,) * 4, (0.5, 0.45, 0.4, 0.35), (1.9, 1.8, 1.7, 1.6), (1.9, 1.8, 1.6, 1.3)
    ),
    "equal groups": People((0.6, 0.4), (0.4, 0.4), (1.7, 1.7), (1.6, 1.6)),
}


@dataclass(frozen=True)
class Groups:
    n: int
    correlation: float
    people: str
    group: int = 1
    estimators: tuple[str, ...] = tuple(FAIRNESS)

    @property
    def table(self) -> str:
        return "fairness" if self.group == 1 else "fairness, ten rows a group"

    @property
    def units(self) -> int:
        return self.n // self.group

    @property
    def region(self) -> str:
        return self.people

    @property
    def weight(self) -> float:
        most = 0.6 if self.group == 1 else 0.4
        return most * min(1.0, float((5_000 / self.group / self.n) ** 0.5))

    def truths(self) -> dict[str, Truth]:
        people = PEOPLE[self.people]
        base, head = (_population(people, skills) for skills in (people.base, people.head))
        return {name: Truth(base[name], head[name]) for name in base}

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        people, n = PEOPLE[self.people], self.n
        where = rng.choice(len(people.shares), size=n, p=people.shares)
        if self.group > 1:
            # All rows of a person are the person's.
            where = np.repeat(where[: -(-n // self.group)], self.group)[:n]
        label = (rng.random(n) < np.array(people.positive)[where]).astype(np.int64)
        shared = np.sqrt(self.correlation) * self._noise(rng)
        own = np.sqrt(1 - self.correlation)
        sides = [
            Outputs((np.array(skill)[where] * label + shared + own * self._noise(rng) > CUT) * 1)
            for skill in (people.base, people.head)
        ]
        rows = PairedRows(
            "binary",
            ("0", "1"),
            label,
            sides[0],
            sides[1],
            {f"group={code}": where == code for code in range(len(people.shares))},
            group=np.arange(n) // self.group if self.group > 1 else None,
        )
        return map(_of_all, compare_fairness(rows, Policy(), ["group"]))

    def _noise(self, rng: np.random.Generator) -> Floats:
        noise = rng.normal(size=self.n)
        if self.group == 1:
            return noise
        mood = np.repeat(rng.normal(size=-(-self.n // self.group)), self.group)[: self.n]
        return np.asarray(np.sqrt(MOOD) * mood + np.sqrt(1 - MOOD) * noise)


def _of_all(one: MetricResult) -> MetricResult:
    """Where a group has too few rows the others alone are compared: another truth than this."""
    if one.note is None or LEFT_OUT not in one.note:
        return one
    return replaced(one, low=None, high=None, head_low=None, head_high=None)


def _population(people: People, skills: tuple[float, ...]) -> dict[str, float]:
    from scipy.special import ndtr

    positive = np.array(people.positive)
    hits, alarms = ndtr(np.array(skills) - CUT), np.full(len(skills), ndtr(-CUT))
    yes = positive * hits + (1 - positive) * alarms
    rates = {"demographic_parity": [yes], "equal_opportunity": [hits]}
    rates["equalized_odds"] = [hits, alarms]
    found = {}
    for name, several in rates.items():
        found[f"{name}_difference"] = float(max(np.ptp(one) for one in several))
        found[f"{name}_ratio"] = float(min(one.min() / one.max() for one in several))
    return found


# Rows → rows a group. 1,600 are 40 people in each of four even groups.
SIZES = {1_000: (1, 10), 1_600: (10,), 5_000: (1, 10), 20_000: (1,)}


def scenes(*, quick: bool) -> list[Groups]:
    return [
        Groups(n, correlation, people, group)
        for n in ((1_000,) if quick else (1_000, 1_600, 5_000, 20_000))
        for group in SIZES[n]
        for correlation in ((0.5, 0.95) if group == 1 else (0.5,))
        for people in PEOPLE
    ]
