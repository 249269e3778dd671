"""Functions of a user's, by a block jackknife: an Fβ, a weighted percentage error, a median."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchmarks.coverage.scenes.regression import Numbers
from benchmarks.coverage.tally import Truth
from benchmarks.coverage.worlds import Floats, World, draw, truths
from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import PairedRows
from mlops_ci.verdict.functions import Values, blocks_of, measure_functions
from mlops_ci.verdict.rows import Ints

# (label, prediction, block of each row, blocks) → the value of all rows, and without each block.
Jackknife = Callable[[Floats, Floats, Ints, int], Floats]


def f2(label: Floats, said: Floats, block: Ints, blocks: int) -> Floats:
    hits, actual, called = (
        _without(one, block, blocks) for one in (label * said, label * 1.0, said * 1.0)
    )
    return np.asarray(5 * hits / (4 * actual + called))


def wape(label: Floats, said: Floats, block: Ints, blocks: int) -> Floats:
    errors, labels = (_without(one, block, blocks) for one in (np.abs(said - label), label))
    return np.asarray(errors / labels)


def median_error(label: Floats, said: Floats, block: Ints, blocks: int) -> Floats:
    errors = np.abs(said - label)
    return np.array(
        [np.median(errors), *(np.median(errors[block != one]) for one in range(blocks))]
    )


def _without(column: Floats, block: Ints, blocks: int) -> Floats:
    """[1 + blocks] sums: of all rows, and of all but each block's."""
    sums = np.bincount(block, weights=column, minlength=blocks)
    return np.concatenate([[sums.sum()], sums.sum() - sums])


@dataclass(frozen=True)
class Functions:
    """`keyed`: blocks come from hashes of keys, else from what the rows hold, or by groups."""

    rows: World | Numbers
    functions: Mapping[str, Jackknife] = field(compare=False)
    keyed: bool = True

    @property
    def estimators(self) -> tuple[str, ...]:
        return tuple(self.functions)

    @property
    def table(self) -> str:
        grouped = "" if self.rows.group == 1 else ", ten rows a group"
        return f"functions of a user's, block jackknife{grouped}"

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
        blocks = blocks_of(rows, hashes)
        _, codes = np.unique(blocks, return_inverse=True)
        found: dict[tuple[str, str | None], Values] = {
            (name, None): _asked(rows, f, codes) for name, f in self.functions.items()
        }
        better = {name: name == "f2" for name in self.functions}
        return measure_functions(rows, Policy(), better, found, blocks)


def _asked(rows: PairedRows, function: Jackknife, codes: Ints) -> Values:
    sides = []
    for side in (rows.base, rows.head):
        if side.prediction is None:
            raise ValueError("no prediction")
        sides.append(function(rows.label, side.prediction, codes, int(codes.max()) + 1))
    return Values(
        tuple(float(one[0]) for one in sides), tuple(tuple(one[1:].tolist()) for one in sides)
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
    return [*of_classes, *of_numbers, *users]
