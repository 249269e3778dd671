"""The rows of two files, chunk by chunk → their statistics.

Rows in one order are read side by side, others are joined by their keys first (`joined`). What
needs to know all rows before one can be placed among them, the ROC AUC of many classes, looks at
them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.arranged import Arrangement
from mlops_ci.data.arrays import part_of
from mlops_ci.data.feed import Chunk, Feed, File, OrderError, UnlikeError
from mlops_ci.data.grouping import Regrouped
from mlops_ci.data.joined import Joined, joined
from mlops_ci.data.keys import find_doubles, rises, sum_rows
from mlops_ci.data.overlap import is_enough
from mlops_ci.data.room import chunks, room
from mlops_ci.verdict.aggregates.areas import count_areas
from mlops_ci.verdict.aggregates.sufficient import Cut, Question, Sufficient
from mlops_ci.verdict.rows import View

Names = tuple[tuple[str, ...], ...]


@dataclass
class Counted:
    """`found` of the rows that both have; `identity` of all of base's, `left_out` of its others;
    `groups`: the same rows, where they belong together or have weights. `paired`: rows that both
    have, `reweighed`: those of them that have another weight in head; `weighs`: whether any row has
    one there that is not 0. `arranged`: they have no keys, and their places tell nothing
    either."""

    found: Sufficient
    left_out: Sufficient
    identity: tuple[int, int] = (0, 0)
    groups: Regrouped | None = None
    arranged: bool = False
    paired: int = 0
    reweighed: int = 0
    weighs: bool = False

    def add(self, sides: tuple[Chunk, Chunk], cuts: Sequence[Cut], at: tuple[int, int]) -> None:
        """`at`: the identity of these rows."""
        self.identify(at)
        self.paired += len(sides[0].label)
        weight, other = (side.weight for side in sides)
        self.weighs |= other is not None and bool(other.any())
        if weight is not None and other is not None:
            self.reweighed += int(np.count_nonzero(weight != other))
        group = next((side.group for side in sides if side.group is not None), None)
        rows = sides, tuple(cut.codes for cut in cuts), group
        if weight is not None and not weight.all():  # a row without weight is not there
            rows = part_of(rows, weight > 0)
        (one, two), codes, group = rows
        view = _view(self.found.question, one, two)
        kept = [replace(cut, codes=of) for cut, of in zip(cuts, codes, strict=True)]
        self.found.add(view, kept, at)
        if self.groups is not None and (group is not None or one.weight is not None):
            self.groups.add(view, kept, group, one.weight)

    def identify(self, sums: tuple[int, int]) -> None:
        one, other = ((a + b) % 2**64 for a, b in zip(self.identity, sums, strict=True))
        self.identity = one, other


def count_pair(feeds: tuple[Feed, Feed], values: Names, question: Question) -> Counted | None:
    """`values`: of base's slices. None where there are no keys, and the labels do not agree row by
    row. Where too few rows are common, that is all that is counted for good.

    Raises UnlikeError for what is not plain.
    """
    one, other = (feed.file for feed in feeds)
    if one.table.rows == other.table.rows:
        try:
            return _count_with(_count_in_order, feeds, values, question)
        except OrderError:
            pass
    if not one.roles.id:
        return None
    return _count_with(_count_joined, feeds, values, question)


def count_side(feed: Feed, values: Names, question: Question) -> Sufficient:
    """One side's rows by themselves. `values`: of its own slices. Keys are not looked at: whether
    one occurs twice has been seen before."""
    names = [name for column in slices_of(feed.file, values) for name in column]
    found = Sufficient.empty(replace(question, sides=1), names)
    for part in chunks(feed.file.table.rows, feed.rows_at_once):
        chunk = feed.read(part)
        identity = sum_rows(chunk.key, chunk.label, feed.file.classes, part.start)
        found.add(_view(found.question, chunk), _cuts(feed.file, values, chunk), identity)

    def again() -> Iterator[tuple[View, Sequence[Cut]]]:
        plain = feed.without_keys
        for part in chunks(feed.file.table.rows, feed.rows_at_once):
            chunk = plain.read(part)
            yield _view(found.question, chunk), _cuts(feed.file, values, chunk)

    count_areas(found, again)
    return found


def _count_with(
    count: Callable[..., None],
    feeds: tuple[Feed, Feed],
    values: Names,
    question: Question,
) -> Counted:
    """What is kept of groups is gone where counting fails."""
    file = feeds[0].file
    names = [name for column in slices_of(file, values) for name in column]
    counted = Counted(
        Sufficient.empty(question, names), Sufficient.empty(replace(question, sides=1))
    )
    if file.roles.weight or any(feed.group for feed in feeds):
        step = min(feed.rows_at_once for feed in feeds)
        by_rows = not file.roles.group
        counted.groups = Regrouped(file.table.rows, step, by_rows=by_rows)
    try:
        count(feeds, counted, values)
        _refuse_weightless(feeds[1].file, counted)
    except BaseException:
        if counted.groups is not None:
            counted.groups.close()
        raise
    return counted


def _refuse_weightless(head: File, counted: Counted) -> None:
    """Raises UnlikeError where no row of head weighs anything."""
    if head.roles.weight and not counted.weighs:
        raise UnlikeError


def slices_of(file: File, values: Names) -> list[tuple[str, ...]]:
    return [
        tuple(f"{column}={value}" for value in names)
        for column, names in zip(file.roles.slices, values, strict=True)
    ]


def _cuts(file: File, values: Names, chunk: Chunk) -> list[Cut]:
    return [Cut(*cut) for cut in zip(slices_of(file, values), chunk.slices, strict=True)]


def _count_in_order(feeds: tuple[Feed, Feed], counted: Counted, values: Names) -> None:
    file = feeds[0].file
    before, rising, arrangement = None, True, Arrangement()
    for start, one, other in _side_by_side(feeds):
        if not _same(one.key, other.key):
            raise OrderError
        if not np.array_equal(one.label, other.label):
            raise OrderError if one.key is None else UnlikeError
        if one.key is not None:
            rising = rising and rises(one.key) and (before is None or before < one.key[0])
            before = one.key[-1]
        elif file.classes:
            arrangement.see(one.label, one.answers, other.answers)
        identity = sum_rows(one.key, one.label, file.classes, start)
        counted.add((one, other), _cuts(file, values, one), identity)
    counted.arranged = arrangement.found
    if before is not None and not rising:
        _refuse_doubles(feeds[0])

    def again() -> Iterator[tuple[View, Sequence[Cut]]]:
        base, head = (feed.without_keys for feed in feeds)
        for _, one, other in _side_by_side((base, head)):
            yield _view(counted.found.question, one, other), _cuts(file, values, one)

    count_areas(counted.found, again)


def _count_joined(feeds: tuple[Feed, Feed], counted: Counted, values: Names) -> None:
    with joined(feeds) as parts:
        _count_parts(feeds[0].file, parts, counted, values)


def _count_parts(
    file: File, parts: Callable[[], Iterator[Joined]], counted: Counted, values: Names
) -> None:
    for part in parts():
        one, other = part.sides
        if not np.array_equal(one.label, other.label):
            raise UnlikeError
        identity = sum_rows(one.key, one.label, file.classes)
        counted.add((one, other), _cuts(file, values, one), identity)
        alone = part.alone
        counted.identify(sum_rows(alone.key, alone.label, file.classes))
        counted.left_out.add(_view(counted.left_out.question, alone))

    def both() -> Iterator[tuple[View, Sequence[Cut]]]:
        for part in parts():
            view = _view(counted.found.question, *part.sides)
            yield view, _cuts(file, values, part.sides[0])

    if is_enough(file.table.rows, counted.paired):
        count_areas(counted.found, both)
    elif counted.groups is not None:
        raise UnlikeError
    asked = counted.left_out.question
    count_areas(counted.left_out, lambda: ((_view(asked, part.alone), ()) for part in parts()))


def _same(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype.kind == other.dtype.kind and np.array_equal(one, other)


def _view(question: Question, one: Chunk, *others: Chunk) -> View:
    return View(
        task=question.task,
        classes=question.classes,
        label=one.label,
        sides=tuple(side.answers for side in (one, *others)),
        identical=False,
        positive=question.positive,
        values={value.name: value.better for value in question.values},
    )


def _side_by_side(feeds: tuple[Feed, Feed]) -> Iterator[tuple[int, Chunk, Chunk]]:
    """The next chunks are read while these are counted."""
    parts = list(chunks(feeds[0].file.table.rows, min(feed.rows_at_once for feed in feeds)))
    with ThreadPoolExecutor(2) as threads:
        ahead = [threads.submit(feed.read, parts[0]) for feed in feeds]
        for place, part in enumerate(parts):
            one, other = (future.result() for future in ahead)
            if place + 1 < len(parts):
                ahead = [threads.submit(feed.read, parts[place + 1]) for feed in feeds]
            yield part.start, one, other


def _refuse_doubles(feed: Feed) -> None:
    """Keys that do not rise are sorted once. `read_predictions` says what is wrong with them."""
    rows = feed.file.table.rows
    keys = None
    for part in chunks(rows, feed.rows_at_once):
        found = feed.read(part).key
        if found is not None:
            keys = room(rows, found.dtype) if keys is None else keys
            keys[part] = found
    if keys is not None and find_doubles(keys)[0]:
        raise UnlikeError
