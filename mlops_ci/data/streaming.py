"""Two files of many rows, read side by side and counted as they are read.

The rows are never there all at once: each chunk of both files is counted (`Sufficient`) and
forgotten. Rows in another order, or of one side only, are joined by their keys first (`joined`).
What is not plain (groups, weights, a missing cell, a label that differs) is left to
`read_predictions` and `pair`, which hold columns on disk and say what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.asked import Extremes, question_of, resolution_of_file
from mlops_ci.data.digest import digest_file
from mlops_ci.data.feed import Chunk, Feed, File, OrderError, UnlikeError, understand
from mlops_ci.data.formats import format_of
from mlops_ci.data.joined import join
from mlops_ci.data.keys import digest_of, find_doubles, rises, sum_rows
from mlops_ci.data.opening import open_table
from mlops_ci.data.overlap import is_enough, notes_uncommon, say_new_slices
from mlops_ci.data.predictions import THRESHOLD
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.room import chunks, is_many, room
from mlops_ci.data.rows import slice_of
from mlops_ci.data.table import Table, quote
from mlops_ci.records import Resolution, RowCounts
from mlops_ci.verdict.aggregates.sufficient import Cut, Question, Sufficient
from mlops_ci.verdict.rows import View

COUNTED = (
    "The rows were counted as they were read, and not kept: the intervals of ROC AUC and average "
    "precision have the bound of their steps in them, and means that few rows decide have none."
)


@dataclass(frozen=True)
class Streamed:
    """What both files come to. `rows_digest` as in `Predictions`; `resolution` is head's, `digests`
    are those of the two files. `unscored`, `added`: rows of base's and of head's only; `left_out`:
    base's answers on the former. `apart`: each side by itself, where too few rows are common:
    `found` then has none."""

    found: Sufficient
    counts: RowCounts
    resolution: Resolution
    digests: tuple[str, str]
    rows_digest: str
    notes: tuple[str, ...]
    unscored: int = 0
    added: int = 0
    apart: tuple[Sufficient, Sufficient] | None = None
    left_out: Sufficient | None = None


def stream_pair(
    base: Path, head: Path, request: ColumnsRequest, metrics: Iterable[str] = ()
) -> Streamed | None:
    """None where there are few rows, or where they have to be read to be compared. `metrics`: that
    are asked for; losses of quantiles are summed for these alone.

    Raises UsageError and ComparisonError as `read_predictions`.
    """
    paths = (base, head)
    if any(format_of(path) == "numbers" for path in paths):
        return None
    with ExitStack() as stack:
        tables = []
        for path in paths:
            tables.append(open_table(path))
            stack.callback(tables[-1].close)
        try:
            return _stream((tables[0], tables[1]), request, metrics)
        except UnlikeError:
            return None


def _stream(
    tables: tuple[Table, Table], request: ColumnsRequest, metrics: Iterable[str]
) -> Streamed | None:
    base, head = tables
    if not is_many(base.rows) or not is_enough(base.rows, head.rows):
        return None
    one, other = (understand(table, request) for table in (base, head))
    if (one.task[0], one.classes, one.positive) != (other.task[0], other.classes, other.positive):
        raise UnlikeError
    if bool(one.roles.id) != bool(other.roles.id) or bool(one.scores) != bool(other.scores):
        raise UnlikeError
    cuts = [slice_of(one.table, name, f"slice_{at}") for at, name in enumerate(one.roles.slices)]
    values = tuple(names for names, _ in cuts)
    feeds = (Feed(one, tuple(sql for _, sql in cuts)), Feed(other, ()))
    counted = _count(feeds, values, question_of(one, request, metrics, _extremes_of(base)))
    with ThreadPoolExecutor(2) as threads:
        digests = tuple(threads.map(lambda file: digest_file(file.table.path), (one, other)))
    found = counted.found
    found.identical = digests[0] == digests[1]
    for part in found.slices.values():
        part.identical = found.identical
    unscored, added = base.rows - found.n, head.rows - found.n
    return Streamed(
        found,
        RowCounts(
            base=base.rows,
            head=head.rows,
            paired=found.n,
            paired_by="id" if one.roles.id else "position",
        ),
        resolution_of_file(other, request),
        (digests[0], digests[1]),
        digest_of(base.rows, counted.identity),
        (
            *_notes(one, other),
            *notes_uncommon(base.rows, unscored, added),
            *(_new_slices(one, other, values) if added else ()),
        ),
        unscored,
        added,
        left_out=counted.left_out if unscored else None,
    )


def _new_slices(one: File, other: File, values: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """`values`: of base's slices."""
    names = [name for name in one.roles.slices if name in other.roles.slices]
    head = {name: slice_of(other.table, name)[0] for name in names}
    return say_new_slices(dict(zip(one.roles.slices, values, strict=True)), head)


@dataclass
class _Counted:
    """`found` of the rows that both have; `identity` of all of base's, `left_out` of its others."""

    found: Sufficient
    left_out: Sufficient
    identity: tuple[int, int] = (0, 0)

    def identify(self, sums: tuple[int, int]) -> None:
        one, other = ((a + b) % 2**64 for a, b in zip(self.identity, sums, strict=True))
        self.identity = one, other


def _extremes_of(table: Table) -> Extremes:
    def found(column: str) -> tuple[float | None, float | None]:
        cell = f"CAST({quote(column)} AS DOUBLE)"
        low, high = table.one(f"SELECT min({cell}), max({cell}) FROM rows")
        return low, high

    return found


def _count(
    feeds: tuple[Feed, Feed], values: tuple[tuple[str, ...], ...], question: Question
) -> _Counted:
    one, other = (feed.file for feed in feeds)
    if one.table.rows == other.table.rows:
        try:
            return _count_in_order(feeds, _empty(one, values, question), values)
        except OrderError:
            pass
    if not one.roles.id:
        raise UnlikeError
    return _count_joined(feeds, _empty(one, values, question), values)


def _empty(file: File, values: tuple[tuple[str, ...], ...], question: Question) -> _Counted:
    names = [name for column in _slices(file, values) for name in column]
    alone = Sufficient.empty(replace(question, sides=1))
    return _Counted(Sufficient.empty(question, names), alone)


def _slices(file: File, values: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
    return [
        tuple(f"{column}={value}" for value in names)
        for column, names in zip(file.roles.slices, values, strict=True)
    ]


def _count_in_order(
    feeds: tuple[Feed, Feed], counted: _Counted, values: tuple[tuple[str, ...], ...]
) -> _Counted:
    file = feeds[0].file
    before, rising = None, True
    for start, one, other in _side_by_side(feeds):
        if not _same(one.key, other.key):
            raise OrderError
        if not np.array_equal(one.label, other.label):
            raise UnlikeError
        if one.key is not None:
            rising = rising and rises(one.key) and (before is None or before < one.key[0])
            before = one.key[-1]
        identity = sum_rows(one.key, one.label, file.classes, start)
        counted.identify(identity)
        cuts = [Cut(*cut) for cut in zip(_slices(file, values), one.slices, strict=True)]
        counted.found.add(_view(counted.found.question, one, other), cuts, identity)
    if before is not None and not rising:
        _refuse_doubles(feeds[0])
    return counted


def _count_joined(
    feeds: tuple[Feed, Feed], counted: _Counted, values: tuple[tuple[str, ...], ...]
) -> _Counted:
    file = feeds[0].file
    for part in join(feeds):
        one, other = part.sides
        if not np.array_equal(one.label, other.label):
            raise UnlikeError
        cuts = [Cut(*cut) for cut in zip(_slices(file, values), one.slices, strict=True)]
        identity = sum_rows(one.key, one.label, file.classes)
        counted.identify(identity)
        counted.found.add(_view(counted.found.question, one, other), cuts, identity)
        alone = part.alone
        counted.identify(sum_rows(alone.key, alone.label, file.classes))
        counted.left_out.add(_view(counted.left_out.question, alone))
    if not is_enough(file.table.rows, counted.found.n):
        raise UnlikeError
    return counted


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


def _notes(base: File, head: File) -> tuple[str, ...]:
    notes = [COUNTED]
    if not base.roles.id:
        notes.append(
            "There is no id column: rows are paired by position; their labels agree row by row."
        )
    for name, one, other in (("base", base, head), ("head", head, base)):
        if one.cut and not other.cut and one.task[0] == "binary":
            notes.append(
                f"Classes of {name} are its scores cut at {THRESHOLD:g}; the other side brings its "
                "own."
            )
    return tuple(notes)
