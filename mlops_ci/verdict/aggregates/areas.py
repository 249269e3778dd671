"""ROC AUC of each class against the rest, of rows that are read again instead of kept.

After the first look at the rows (`Crowd`) a second one counts where the scores of each class lie:
that tells every placement. A third one sums what each row adds to the mean over classes. All three
merge: neither order nor chunks nor files leave a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold, together
from mlops_ci.verdict.aggregates.crowds import CountedAreas, Ladder
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.sufficient import Cut, Sufficient, chosen
from mlops_ci.verdict.aggregates.totals import Totals, total_columns
from mlops_ci.verdict.ranking import placements
from mlops_ci.verdict.rows import Floats, Ints, View

# Steps of all classes together, of all rows and of all their slices.
SHARES = 1 << 20
FEWEST, MOST = 1 << 8, 1 << 16  # of one class
ROWS = 1 << 15
Found = dict[str | None, tuple[Totals, int]]
Rows = Callable[[], Iterable[tuple[View, Sequence[Cut]]]]


@dataclass
class Standing:
    """`counts` [classes] of the rows, and where the scores of each class lie. Grows in place."""

    counts: Ints
    classes: list[Joint]

    @classmethod
    def empty(cls, ladders: Sequence[Ladder], sides: int) -> Self:
        counts = np.zeros(len(ladders), dtype=np.int64)
        return cls(counts, [Joint.empty(ladder, sides) for ladder in ladders])

    def add(self, view: View) -> None:
        self.counts += view.class_counts
        works = [partial(self._add_class, view, at) for at in range(len(self.classes))]
        for _ in together(works, view.n):
            pass

    def _add_class(self, view: View, at: int) -> None:
        for rows in _chunks(view.n, 1 << 19):
            scores = [_column(view, side, rows, at) for side in range(len(view.sides))]
            self.classes[at].add(scores, np.asarray(view.label[rows] == at))

    def merge(self, other: Standing) -> None:
        self.counts += other.counts
        for one, same in zip(self.classes, other.classes, strict=True):
            one.merge(same)

    @property
    def known(self) -> bool:
        """Whether there are two classes to tell apart."""
        return int(np.count_nonzero(self.counts)) > 1

    def tables(self, sides: int) -> Tables:
        present = np.flatnonzero(self.counts)
        found = [self._side(side, present) for side in range(sides)]
        return Tables(
            tuple(joint.scale for joint in self.classes if isinstance(joint.scale, Ladder)),
            found,
            int(self.counts[present].min()),
        )

    def _side(self, side: int, present: Ints) -> Side:
        shares = self.counts / self.counts.sum()
        found = Side({}, 0.0, 0.0, 0, constant=True)
        for at in present:
            joint, weight = self.classes[at], 1 / len(present)
            placed = placements(joint.ranking(side))
            held, area = joint.held(side), placed.area
            adds = np.zeros((joint.scale.steps, 2))
            adds[held, 0] = (placed.negative - area) / (1 - shares[at]) * weight
            adds[held, 1] = (placed.positive - area) / shares[at] * weight
            found.adds[int(at)] = adds.ravel()
            found.value += area * weight
            found.blur += placed.ranking.blur * weight
            found.placed += int(placed.ranking.positives[placed.positive != 1].sum())
            found.constant &= len(held) == 1 and not joint.mixed[side, held[0]]
        return found


@dataclass
class Side:
    """`adds`: of each class that occurs, what a row of each step adds to the mean of the areas: in
    turns one that is not of the class, and one that is."""

    adds: dict[int, Floats]
    value: float
    blur: float
    placed: int
    constant: bool


@dataclass(frozen=True)
class Tables:
    ladders: tuple[Ladder, ...]
    sides: list[Side]
    rarest: int

    def sum_up(self, view: View) -> tuple[Totals, int]:
        """Totals, and the rows that were moved."""

        def add(one: tuple[Totals, int], other: tuple[Totals, int]) -> tuple[Totals, int]:
            return one[0].merged(other[0]), one[1] + other[1]

        return fold(partial(self._sum_chunk, view), add, view.n, ROWS)

    def _sum_chunk(self, view: View, rows: slice) -> tuple[Totals, int]:
        columns = [self._influence(view, side, rows) for side in range(len(self.sides))]
        moved = 0
        if len(columns) > 1:
            columns[1] -= columns[0]
            moved = int(np.count_nonzero(columns[1]))
        return total_columns(columns, len(columns)), moved

    def _influence(self, view: View, side: int, rows: slice) -> Floats:
        label = view.label[rows]
        found = np.zeros(len(label))
        for at, adds in self.sides[side].adds.items():
            place = self.ladders[at].step_of(_column(view, side, rows, at))
            place *= 2
            place += label == at
            found += adds.take(place)
        return found

    def areas(self, found: tuple[Totals, int]) -> CountedAreas:
        return CountedAreas(
            tuple(side.value for side in self.sides),
            tuple(side.blur for side in self.sides),
            tuple(side.placed for side in self.sides),
            tuple(side.constant for side in self.sides),
            self.rarest,
            found[1],
            found[0],
        )


def _column(view: View, side: int, rows: slice, at: int) -> Floats:
    score = view.sides[side].score
    if score is None:
        raise ValueError("no score")
    return np.ascontiguousarray(score[rows, at])


@dataclass
class Look:
    """A second look at the rows: `Standing` of all of them (None) and of each slice."""

    parts: dict[str | None, Standing]

    @classmethod
    def empty(cls, found: Sufficient) -> Self:
        """`found`: the first look."""
        if found.crowd is None:
            raise ValueError("no scores of many classes were counted")
        classes, sides = len(found.question.classes), found.question.sides
        whole = found.crowd.ladders(_shares(classes))
        parts = found.crowd.ladders(_shares(classes * max(1, len(found.slices))))
        names: list[str | None] = [None, *found.slices]
        return cls(
            {name: Standing.empty(whole if name is None else parts, sides) for name in names}
        )

    def add(self, view: View, cuts: Sequence[Cut]) -> None:
        for name, part in _parts(view, cuts):
            self.parts[name].add(part)

    def merge(self, other: Look) -> None:
        for name, part in self.parts.items():
            part.merge(other.parts[name])

    def tables(self, sides: int) -> dict[str | None, Tables]:
        return {name: part.tables(sides) for name, part in self.parts.items() if part.known}


@dataclass
class Sums:
    """The third look."""

    tables: dict[str | None, Tables]
    found: Found

    def add(self, view: View, cuts: Sequence[Cut]) -> None:
        for name, part in _parts(view, cuts):
            if name in self.tables:
                self._take(name, self.tables[name].sum_up(part))

    def merge(self, found: Found) -> None:
        for name, one in found.items():
            self._take(name, one)

    def _take(self, name: str | None, one: tuple[Totals, int]) -> None:
        known = self.found.get(name)
        self.found[name] = one if known is None else (known[0].merged(one[0]), known[1] + one[1])

    def give(self, found: Sufficient) -> None:
        """To all rows and to each slice."""
        for name, one in self.found.items():
            part = found if name is None else found.slices[name]
            part.areas = self.tables[name].areas(one)


def count_areas(found: Sufficient, rows: Rows) -> None:
    """`rows`: all that `found` has counted, once more. Its `crowd` is gone then."""
    if found.crowd is None or not found.n:
        return
    look = Look.empty(found)
    for view, cuts in rows():
        look.add(view, cuts)
    sums = Sums(look.tables(found.question.sides), {})
    look.parts.clear()
    found.crowd = None
    for view, cuts in rows():
        sums.add(view, cuts)
    sums.give(found)


def _shares(parts: int) -> int:
    return min(max(SHARES // parts, FEWEST), MOST)


def _parts(view: View, cuts: Sequence[Cut]) -> Iterator[tuple[str | None, View]]:
    if not view.n:
        return
    yield None, view
    for cut in cuts:
        for name, rows in cut.rows_of():
            yield name, chosen(view, rows)


def _chunks(n: int, rows: int) -> Iterator[slice]:
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))
