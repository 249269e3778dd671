"""Sufficient statistics of paired rows, made in one pass, a chunk at a time.

This is the one definition of what a comparison of classes needs of its rows. Who has rows in
memory, in files that do not fit into it, or on many machines only brings chunks; chunks that were
added anywhere merge, and neither their order nor their cut leaves a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict.aggregates.cells import Cells, count_cells
from mlops_ci.verdict.aggregates.chunks import together
from mlops_ci.verdict.aggregates.gaps import Gaps, count_gaps
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.scale import SLICE, WHOLE, Scale
from mlops_ci.verdict.aggregates.sums import Grid, Sums, extent_of, sum_chunk
from mlops_ci.verdict.losses import EPSILON, PerRow, brier_losses, log_losses
from mlops_ci.verdict.rows import Floats, Ints, Outputs, View
from mlops_ci.verdict.soundness import SUM_TOLERANCE

ROWS = 1 << 16  # of a chunk that is summed at once: it stays in a core's cache
ORDER = 3
# Losses of probabilities, and the most that one can be.
LOSSES: dict[str, tuple[PerRow, float]] = {
    "log_loss": (log_losses, float(-np.log(EPSILON))),
    "brier": (brier_losses, 2.0),
}
WIDE = 1 << 21  # and that is counted into tables of all steps
T = TypeVar("T")


@dataclass(frozen=True)
class Losses:
    """`sums` of base's losses (or the one side's) and of head's difference; `extent` of both and of
    head's own. They merge, for the grid is the same for all rows there are.
    """

    sums: Sums
    extent: Grid

    def merged(self, other: Losses) -> Losses:
        return Losses(self.sums.merged(other.sums), self.extent.merged(other.extent))


@dataclass(frozen=True)
class Question:
    """What the rows are asked: chunks that merge are asked the same. `positive`: a code. `scored`,
    `classed`: whether there are scores, and classes."""

    task: Task
    classes: tuple[str, ...]
    positive: int
    sides: int = 2
    scored: bool = True
    classed: bool = True


@dataclass(frozen=True)
class Cut:
    """The slice of every row of a chunk: `codes` [n] into `names`."""

    names: tuple[str, ...]
    codes: NDArray[np.integer]

    def rows_of(self) -> Iterator[tuple[str, Ints]]:
        """Of each slice that occurs its rows, in their order."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.names)))
        for name, rows in zip(self.names, np.split(order, ends[:-1]), strict=True):
            if len(rows):
                yield name, rows


@dataclass
class Sufficient:
    """Of n rows. `counts` [classes]. `improbable` [sides, 2]: scores outside 0…1, and rows whose
    scores do not sum to 1; with any of them, `gaps` and `losses` are None. `identity`: two sums
    modulo 2⁶⁴ over the rows' keys and labels. `slices`: the same of parts of the rows.

    Grows in place.
    """

    question: Question
    scale: Scale
    n: int
    counts: Ints
    improbable: Ints
    cells: Cells | None = None
    joint: Joint | None = None
    gaps: Gaps | None = None
    losses: dict[str, Losses] = field(default_factory=dict)
    identity: tuple[int, int] = (0, 0)
    identical: bool = False
    slices: dict[str, Sufficient] = field(default_factory=dict)

    @classmethod
    def empty(
        cls, question: Question, slices: Iterable[str] = (), scale: Scale = WHOLE
    ) -> Sufficient:
        ranked = question.scored and question.task == "binary"
        return cls(
            question,
            scale,
            0,
            np.zeros(len(question.classes), dtype=np.int64),
            np.zeros((question.sides, 2), dtype=np.int64),
            joint=Joint.empty(scale, question.sides) if ranked else None,
            slices={name: cls.empty(question, (), SLICE) for name in slices},
        )

    def add(self, view: View, cuts: Sequence[Cut] = (), identity: tuple[int, int] = (0, 0)) -> None:
        """Raises ComparisonError for a score that is not finite."""
        if not view.n:
            return
        self._identify(identity)
        for cut in cuts:
            for name, rows in cut.rows_of():
                self.slices[name].add(_chosen(view, rows))
        scores = [side.score for side in view.sides if side.score is not None]
        if not all(np.isfinite(score).all() for score in scores):
            raise ComparisonError("a score is not a finite number", fix="mend or remove these rows")
        works = [lambda: self._count(view)]
        if self.joint is not None:
            works.append(lambda: self._rank(view, scores))
        if self.question.scored:
            improbable = np.array([_improbable(score) for score in scores], dtype=np.int64)
            self.improbable += improbable
            if not self.improbable.any():
                works.append(lambda: self._take(count_gaps(view), {}))
                works += [partial(self._lose, name, view) for name in LOSSES]
        self.n += view.n
        for _ in together(works, view.n):
            pass
        self._take(None, {})

    def merge(self, other: Sufficient) -> None:
        """Raises ValueError for statistics of another question."""
        if self.question != other.question or self.slices.keys() != other.slices.keys():
            raise ValueError("these statistics answer different questions")
        self.n += other.n
        self.counts += other.counts
        self.improbable += other.improbable
        self.cells = _both(self.cells, other.cells, Cells.merged)
        if self.joint is not None and other.joint is not None:
            self.joint.merge(other.joint)
        self._take(other.gaps, other.losses)
        self._identify(other.identity)
        for name, part in self.slices.items():
            part.merge(other.slices[name])

    def _count(self, view: View) -> None:
        self.counts += view.class_counts
        if self.question.classed:
            self.cells = _both(self.cells, count_cells(view), Cells.merged)

    def _rank(self, view: View, scores: list[Floats]) -> None:
        if self.joint is not None:
            for part in _chunks(view.n, WIDE):
                self.joint.add([score[part] for score in scores], view.actual[part])

    def _lose(self, name: str, view: View) -> None:
        found = reduce(Losses.merged, (lose(name, view.part(p)) for p in _chunks(view.n, ROWS)))
        self.losses[name] = _both(self.losses.get(name), found, Losses.merged) or found

    def _take(self, gaps: Gaps | None, losses: dict[str, Losses]) -> None:
        if self.improbable.any():
            self.gaps, self.losses = None, {}
            return
        self.gaps = _both(self.gaps, gaps, Gaps.merged)
        for name, found in losses.items():
            self.losses[name] = _both(self.losses.get(name), found, Losses.merged) or found

    def _identify(self, identity: tuple[int, int]) -> None:
        one, other = ((a + b) % 2**64 for a, b in zip(self.identity, identity, strict=True))
        self.identity = one, other


def _chosen(view: View, rows: Ints) -> View:
    sides = tuple(
        Outputs(
            None if side.prediction is None else side.prediction[rows],
            None if side.score is None else side.score[rows],
        )
        for side in view.sides
    )
    return replace(view, label=view.label[rows], sides=sides)


def lose(name: str, view: View) -> Losses:
    """Of at most 2¹⁷ rows."""
    per_row, most = LOSSES[name]
    columns = [per_row(view, side) for side in view.sides]
    head = columns[1:]
    if head:
        columns[1] = columns[1] - columns[0]
    grid = Grid((0.0, -most)[: len(columns)], (most, most)[: len(columns)])
    return Losses(sum_chunk(grid, columns, ORDER), extent_of([*columns, *head]))


def _improbable(score: Floats) -> tuple[int, int]:
    outside = int(np.count_nonzero((score < 0) | (score > 1)))
    if score.ndim == 1:
        return outside, 0
    return outside, int(np.count_nonzero(np.abs(score.sum(axis=1) - 1) > SUM_TOLERANCE))


def _both(one: T | None, other: T | None, merge: Callable[[T, T], T]) -> T | None:
    if one is None or other is None:
        return other if one is None else one
    return merge(one, other)


def _chunks(n: int, rows: int) -> Iterator[slice]:
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))
