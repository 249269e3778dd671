"""Sufficient statistics of paired rows, made in one pass, a chunk at a time.

This is the one definition of what a comparison of classes needs of its rows. Who has rows in
memory, in files that do not fit into it, or on many machines only brings chunks; chunks that were
added anywhere merge, and neither their order nor their cut leaves a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict.aggregates.cells import Cells, count_cells
from mlops_ci.verdict.aggregates.chunks import together
from mlops_ci.verdict.aggregates.crowds import CountedAreas, Crowd
from mlops_ci.verdict.aggregates.cube import Cube, count_cube
from mlops_ci.verdict.aggregates.gaps import Gaps, count_gaps
from mlops_ci.verdict.aggregates.grouped import Grouped
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.losses import (
    PROBABILITIES,
    Scheme,
    Value,
    of_errors,
    of_probabilities,
    of_values,
)
from mlops_ci.verdict.aggregates.scale import SLICE, WHOLE, Scale
from mlops_ci.verdict.aggregates.totals import Totals
from mlops_ci.verdict.rows import Floats, Ints, Outputs, View
from mlops_ci.verdict.soundness import SUM_TOLERANCE

if TYPE_CHECKING:
    from mlops_ci.verdict.aggregates.weighed import Weighed
    from mlops_ci.verdict.queried import SummedQueries

ROWS = 1 << 14  # of a chunk that is summed at once: it stays in a core's cache
WIDE = 1 << 21  # and that is counted into tables of all steps
MOST_AREAS = 100  # classes whose scores are ranked: each takes memory
T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """What the rows are asked: chunks that merge are asked the same. `positive`: a code. `scored`,
    `classed`: whether there are scores, and classes. `centre`: amid the labels of a regression,
    and `quantiles` whose pinball loss is asked for. `values`: columns of numbers."""

    task: Task
    classes: tuple[str, ...]
    positive: int = 1
    sides: int = 2
    scored: bool = True
    classed: bool = True
    centre: float = 0.0
    quantiles: tuple[float, ...] = ()
    values: tuple[Value, ...] = ()

    @cached_property
    def schemes(self) -> Mapping[str, Scheme]:
        """Of all losses that are summed, by `key_of` a metric."""
        errors = self.task == "regression"
        return {
            **(of_probabilities() if self.scored else {}),
            **(of_errors(self.centre, self.quantiles) if errors else {}),
            **of_values(self.values),
        }


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
    scores do not sum to 1; with any of them, there are no `gaps` and no losses of probabilities.
    `losses`: by `key_of` a metric. `zeros`: rows of a regression whose label is 0. `identity`: two
    sums modulo 2⁶⁴ over the rows' keys and labels. `slices`: the same of parts of the rows;
    `cube`: rows by the combination of their slices, of two sides with predictions. `grouped`: where
    rows belong together, what a second pass (`adds`) has summed over their groups. `crowd`: of the
    scores of many classes, until the rows have been looked at again for their `areas`, which do not
    merge. `queries`: by metric what a look at whole queries has summed; None where there are none.
    `weighed`: where rows have weights, what another look has summed.

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
    losses: dict[str, Totals] = field(default_factory=dict)
    zeros: int = 0
    identity: tuple[int, int] = (0, 0)
    identical: bool = False
    slices: dict[str, Sufficient] = field(default_factory=dict)
    cube: Cube | None = None
    grouped: Grouped | None = None
    crowd: Crowd | None = None
    areas: CountedAreas | None = None
    queries: dict[str, SummedQueries | None] | None = None
    weighed: Weighed | None = None

    @classmethod
    def empty(
        cls, question: Question, slices: Iterable[str] = (), scale: Scale = WHOLE
    ) -> Sufficient:
        ranked = question.scored and question.task == "binary"
        several = question.scored and question.task == "multiclass" and scale == WHOLE
        many = several and len(question.classes) <= MOST_AREAS
        return cls(
            question,
            scale,
            0,
            np.zeros(len(question.classes), dtype=np.int64),
            np.zeros((question.sides, 2), dtype=np.int64),
            joint=Joint.empty(scale, question.sides) if ranked else None,
            crowd=Crowd.empty(len(question.classes)) if many else None,
            slices={name: cls.empty(question, (), SLICE) for name in slices},
        )

    def add(self, view: View, cuts: Sequence[Cut] = (), identity: tuple[int, int] = (0, 0)) -> None:
        """Raises ComparisonError for a number that is not finite."""
        if not view.n:
            return
        _refuse(view)
        self._identify(identity)
        for cut in cuts:
            for name, rows in cut.rows_of():
                self.slices[name].add(chosen(view, rows))
        works = [lambda: self._count(view)]
        if self.joint is not None:
            works.append(lambda: self._rank(view))
        if self.crowd is not None:
            self.crowd.add([side.score for side in view.sides if side.score is not None])
        if self.question.scored:
            improbable = [_improbable(side.score) for side in view.sides if side.score is not None]
            self.improbable += np.array(improbable, dtype=np.int64)
            if not self.improbable.any():
                works.append(lambda: self._take(count_gaps(view), {}))
        if cuts and all(side.prediction is not None for side in view.sides) and self.paired:
            works.append(lambda: self._cross(view, cuts))
        works += [partial(self._lose, name, view) for name in self._summed]
        self.n += view.n
        for _ in together(works, view.n):
            pass
        self._take(None, {})

    def merge(self, other: Sufficient) -> None:
        """Raises ValueError for statistics of another question."""
        if self.question != other.question or self.slices.keys() != other.slices.keys():
            raise ValueError("these statistics answer different questions")
        if any(one.grouped or one.weighed for one in (self, other)):
            raise ValueError("what rows add rests on all of them: sum over groups once merged")
        self.n += other.n
        self.counts += other.counts
        self.improbable += other.improbable
        self.zeros += other.zeros
        self.cells = _both(self.cells, other.cells, Cells.merged)
        self.cube = _both(self.cube, other.cube, Cube.merged)
        if self.joint is not None and other.joint is not None:
            self.joint.merge(other.joint)
        if self.crowd is not None and other.crowd is not None:
            self.crowd.merge(other.crowd)
        self.areas = None
        self._take(other.gaps, other.losses)
        self._identify(other.identity)
        for name, part in self.slices.items():
            part.merge(other.slices[name])

    @property
    def unequal(self) -> Weighed | None:
        """Where rows count more than others."""
        return self.weighed if self.weighed is not None and self.weighed.unequal else None

    @property
    def paired(self) -> bool:
        return self.question.sides > 1

    def _cross(self, view: View, cuts: Sequence[Cut]) -> None:
        columns = tuple(cut.names for cut in cuts)
        for part in _chunks(view.n, WIDE):
            codes = [cut.codes[part] for cut in cuts]
            found = count_cube(view.part(part), columns, codes)
            self.cube = _both(self.cube, found, Cube.merged)

    @property
    def _summed(self) -> list[str]:
        """The losses that are, as far as it is known."""
        improbable = self.improbable.any()
        return [
            name for name in self.question.schemes if not (improbable and name in PROBABILITIES)
        ]

    def _count(self, view: View) -> None:
        if view.task == "regression":
            self.zeros += int(np.count_nonzero(view.label == 0))
            return
        self.counts += view.class_counts
        if self.question.classed:
            self.cells = _both(self.cells, count_cells(view), Cells.merged)

    def _rank(self, view: View) -> None:
        scores = [side.score for side in view.sides if side.score is not None]
        if self.joint is not None:
            for part in _chunks(view.n, WIDE):
                self.joint.add([score[part] for score in scores], view.actual[part])

    def _lose(self, name: str, view: View) -> None:
        scheme = self.question.schemes[name]
        found = reduce(Totals.merged, (scheme.total(view.part(p)) for p in _chunks(view.n, ROWS)))
        self.losses[name] = _both(self.losses.get(name), found, Totals.merged) or found

    def _take(self, gaps: Gaps | None, losses: Mapping[str, Totals]) -> None:
        self.gaps = _both(self.gaps, gaps, Gaps.merged)
        for name, found in losses.items():
            self.losses[name] = _both(self.losses.get(name), found, Totals.merged) or found
        if self.improbable.any():
            self.gaps = None
            for name in PROBABILITIES:
                self.losses.pop(name, None)

    def _identify(self, identity: tuple[int, int]) -> None:
        one, other = ((a + b) % 2**64 for a, b in zip(self.identity, identity, strict=True))
        self.identity = one, other


def chosen(view: View, rows: Ints) -> View:
    sides = tuple(
        Outputs(
            None if side.prediction is None else side.prediction[rows],
            None if side.score is None else side.score[rows],
            {name: values[rows] for name, values in side.values.items()},
        )
        for side in view.sides
    )
    return replace(view, label=view.label[rows], sides=sides)


def _refuse(view: View) -> None:
    """What is not finite has no place in any sum."""
    found: list[tuple[str, NDArray[Any] | None]] = [("label", view.label)]
    for side in view.sides:
        found += [("prediction", side.prediction), ("score", side.score), *side.values.items()]
    for what, column in found:
        if column is not None and column.dtype.kind == "f" and not np.isfinite(column).all():
            raise ComparisonError(
                f"a {what} is not a finite number", fix="mend or remove these rows"
            )


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
