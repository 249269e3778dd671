"""Whether files without ids were put in an order by label and answer, such as the cells of a
confusion table written out: then a row's place does not tell which row it is, however well the
labels agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.rows import Outputs, same_answers

# Pieces of a chunk; nobody sorts by so many.
MOST = 1 << 16


def say_arranged(missing: str) -> str:
    """`missing`: which id."""
    return (
        f"{missing}, and both files are sorted by label and answer, so that a row's place does not "
        "tell which row it is: they are compared as separate samples. "
        "Add an id column to pair them."
    )


@dataclass
class _Runs:
    """Whether every value stands in one piece. `several`: there is more than one value."""

    kept: bool = True
    seen: set[int] = field(default_factory=set)
    last: int | None = None

    def see(self, values: NDArray[np.int64]) -> None:
        starts = np.flatnonzero(np.diff(values)) + 1
        if len(starts) > MOST:
            self.kept = False
            return
        found = [int(values[0]), *map(int, values[starts])]
        if found[0] == self.last:
            found = found[1:]
        self.kept = len(set(found)) == len(found) and not self.seen.intersection(found)
        self.seen.update(found)
        self.last = int(values[-1])


@dataclass
class _Side:
    """One side's answers: scores that only rise, or only fall, within every label; or classes that
    stand in one piece there. `varies`: not all answers to a label are alike."""

    rises: bool = True
    falls: bool = True
    runs: _Runs = field(default_factory=_Runs)
    varies: bool = False
    before: tuple[int, float] | None = None

    def see(self, label: NDArray[np.int64], answers: Outputs) -> None:
        if answers.score is not None and answers.score.ndim == 1:
            self._see_scores(label, answers.score)
        elif answers.prediction is not None:
            pairs = (label << 32) + answers.prediction.astype(np.int64)
            self.runs.see(pairs)
            self.varies = len(self.runs.seen) > len({pair >> 32 for pair in self.runs.seen})
            self.rises = self.falls = self.runs.kept
        else:
            self.rises = self.falls = False

    def _see_scores(self, label: NDArray[np.int64], score: NDArray[np.float64]) -> None:
        if self.before is not None:
            label = np.concatenate([[self.before[0]], label])
            score = np.concatenate([[self.before[1]], score])
        steps = np.diff(score)[np.diff(label) == 0]
        self.rises = self.rises and bool((steps >= 0).all())
        self.falls = self.falls and bool((steps <= 0).all())
        self.varies = self.varies or bool(steps.any())
        self.before = int(label[-1]), float(score[-1])

    @property
    def sorted(self) -> bool:
        return self.rises or self.falls


class Arrangement:
    """Is shown all rows in their order, in chunks of any size. A model that is always right, or two
    that answer alike, look sorted and are not: both sides must vary within a label, and they must
    differ."""

    def __init__(self) -> None:
        self._labels, self._sides = _Runs(), (_Side(), _Side())
        self._possible, self._differ = True, False

    def see(self, label: NDArray[Any], base: Outputs, head: Outputs) -> None:
        if not self._possible or not len(label):
            return
        codes = label.astype(np.int64)
        self._labels.see(codes)
        self._possible = self._labels.kept
        for side, answers in zip(self._sides, (base, head), strict=True):
            if self._possible:
                side.see(codes, answers)
                self._possible = side.sorted
        if self._possible and not self._differ:
            self._differ = not same_answers(base, head)

    @property
    def found(self) -> bool:
        return self._possible and self._differ and all(side.varies for side in self._sides)
