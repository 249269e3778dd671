"""Functions of a user's, by bootstrap or jackknife: Fβ, weighted percentage error, a median."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.coverage.scenes.regression import Numbers
from benchmarks.coverage.tally import Truth
from benchmarks.coverage.worlds import Floats, World, draw, truths
from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.steps.function_child import Asking, drawn_of, values_of
from mlops_ci.verdict import PairedRows
from mlops_ci.verdict.functions import Values, blocks_of, measure_functions, places_of
from mlops_ci.verdict.redrawn import DRAWS, MOST_ROWS

# (labels, predictions) of some rows → a function's value.
Function = Callable[[Floats, Floats], float]


def f2(label: Floats, said: Floats) -> float:
    return float(5 * (label * said).sum() / (4 * label.sum() + said.sum()))


def wape(label: Floats, said: Floats) -> float:
    return float(np.abs(said - label).sum() / label.sum())


def median_error(label: Floats, said: Floats) -> float:
    return float(np.median(np.abs(said - label)))


@dataclass(frozen=True)
class Functions:
    """`keyed`: rows are told apart by hashes of keys, else by what they hold, or by groups. `slow`:
    too slow for rows to be drawn anew.
    """

    rows: World | Numbers
    functions: Mapping[str, Function] = field(compare=False)
    keyed: bool = True
    slow: bool = False

    @property
    def estimators(self) -> tuple[str, ...]:
        return tuple(self.functions)

    @property
    def table(self) -> str:
        grouped = "" if self.rows.group == 1 else ", ten rows a group"
        how = "block jackknife" if self.slow or self.n >= MOST_ROWS else "bootstrap"
        return f"functions of a user's, {how}{grouped}"

    @property
    def n(self) -> int:
        return self.rows.n

    @property
    def units(self) -> int:
        return self.rows.units

    @property
    def region(self) -> str:
        if isinstance(self.rows, World):
            return f"rarer class {self.rows.share:.0%}"
        return self.rows.region

    @property
    def weight(self) -> float:
        return min(1.0, float((5_000 / self.n) ** 0.75))

    def truths(self) -> dict[str, Truth]:
        if isinstance(self.rows, World):
            return truths(self.rows)
        return self.rows.truths() | {"median_error": self.rows.median_error()}

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        rows = draw(self.rows, rng) if isinstance(self.rows, World) else self.rows.draw(rng)
        hashes = rng.integers(0, 2**63, self.n) if self.keyed else None
        marks = {"block": blocks_of(rows, hashes), "place": places_of(rows, hashes)}
        plan = {"parts": [None], "sides": ["base", "head"], "functions": [None], "draws": DRAWS}
        plan |= {"most_rows": 0 if self.slow else MOST_ROWS, "most_parts": 1}
        found: dict[tuple[str, str | None], Values] = {
            (name, None): _asked(f, plan, _arrays(rows) | marks)
            for name, f in self.functions.items()
        }
        better = {name: name == "f2" for name in self.functions}
        return measure_functions(rows, Policy(), better, found, marks["block"])


def _arrays(rows: PairedRows) -> dict[str, Any]:
    return {
        "y": rows.label,
        "base_prediction": rows.base.prediction,
        "head_prediction": rows.head.prediction,
    }


def _asked(function: Function, plan: dict[str, Any], arrays: dict[str, Any]) -> Values:
    """As the child process asks."""
    asking = Asking(function, plan, arrays, [])
    sides = values_of(asking, None)
    (drawn,) = drawn_of(asking)
    return Values(
        tuple(one[0] for one in sides),
        tuple(tuple(one[1:]) for one in sides),
        tuple(tuple(one) for one in drawn or ()),
    )


def scenes(*, quick: bool) -> list[Functions]:
    sizes = (1_000,) if quick else (500, 1_000, 5_000, 20_000)
    of_classes = [
        Functions(World(n, share, correlation), {"f2": f2})
        for n in sizes
        for share in (0.1, 0.5)
        for correlation in (0.5, 0.95)
    ]
    of_numbers = [
        Functions(
            Numbers(n, correlation, tailed), {"wape": wape, "median_error": median_error}, keyed
        )
        for n in sizes
        for correlation, keyed in ((0.5, True), (0.95, False))
        for tailed in (False, True)
    ]
    users = [Functions(World(n, 0.5, 0.5, group=10), {"f2": f2}) for n in sizes if n >= 1_000]
    # Of a median it is known, and said, that blocks of so few rows tell too little.
    slow = [Functions(Numbers(n, 0.5), {"wape": wape}, slow=True) for n in sizes if n < MOST_ROWS]
    return [*of_classes, *of_numbers, *users, *slow]
