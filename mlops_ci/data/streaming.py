"""Two files of many rows, read side by side and counted as they are read.

The rows are never there all at once: each chunk of both files is counted (`counting`) and
forgotten. Where too few rows are common, each file is counted by itself.
Where rows belong together or have weights, they are kept on disk until these are summed
(`grouping`). What is not plain (a missing cell, a label that differs) is left to
`read_predictions` and `pair`, which hold columns on disk and say what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from msgspec import structs

from mlops_ci.data.arranged import say_arranged
from mlops_ci.data.asked import Extremes, question_of, resolution_of_file
from mlops_ci.data.counting import Counted, Names, count_pair, count_side, slices_of
from mlops_ci.data.digest import digest_file
from mlops_ci.data.drifting import drift_of
from mlops_ci.data.feed import Feed, File, UnlikeError, understand
from mlops_ci.data.formats import format_of
from mlops_ci.data.keys import digest_of
from mlops_ci.data.opening import open_table
from mlops_ci.data.overlap import (
    BY_GROUPS,
    HEAD_GROUPS,
    is_enough,
    notes_uncommon,
    say_new_slices,
    say_too_few,
    say_unlike,
)
from mlops_ci.data.predictions import THRESHOLD
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.room import is_many
from mlops_ci.data.rows import slice_of
from mlops_ci.data.strangers import ids_of, refuse_strange
from mlops_ci.data.table import Table, quote
from mlops_ci.data.weighing import say_weights, say_whose
from mlops_ci.records import Resolution, RowCounts
from mlops_ci.records.findings import ColumnDrift
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient
from mlops_ci.verdict.queried import query_metrics

COUNTED = (
    "The rows were counted as they were read, and not kept: the intervals of ROC AUC and average "
    "precision have the bound of their steps in them, and means that few rows decide have none."
)


@dataclass(frozen=True)
class Streamed:
    """What both files come to. `rows_digest` as in `Predictions`; `resolution` is head's, `digests`
    are those of the two files. `unscored`, `added`: rows of base's and of head's only; `left_out`:
    base's answers on the former. `apart`: each side by itself, where too few rows are common:
    `found` then has none. `drift`: where not all rows are common."""

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
    drift: tuple[ColumnDrift, ...] = ()


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
    if not is_many(max(base.rows, head.rows)):
        return None
    one, other = (understand(table, request) for table in (base, head))
    if (one.task[0], one.classes, one.positive) != (other.task[0], other.classes, other.positive):
        raise UnlikeError
    if bool(one.roles.id) != bool(other.roles.id) or bool(one.scores) != bool(other.scores):
        raise UnlikeError
    if one.roles.group and not is_enough(base.rows, head.rows):
        raise UnlikeError
    values, base_feed = _feed_of(one)
    metrics = tuple(metrics)
    _refuse_beyond((one, other))
    question = question_of(one, request, metrics, _extremes_of(base))
    counted = count_pair((base_feed, _head_feed((one, other), metrics)), values, question)
    if counted is not None and counted.groups is not None:
        with closing(counted.groups):
            _look_again(counted, one, slices_of(one, values), metrics)
    with ThreadPoolExecutor(2) as threads:
        digests = tuple(threads.map(lambda file: digest_file(file.table.path), (one, other)))
    streamed = Streamed(
        Sufficient.empty(question),
        RowCounts(base=base.rows, head=head.rows, paired=0, paired_by="none"),
        resolution_of_file(other, request),
        (digests[0], digests[1]),
        "",
        (),
    )
    if counted is None or not base.rows == head.rows == counted.paired:
        streamed = replace(streamed, drift=drift_of(one, other))
    if counted is None or counted.arranged or not is_enough(base.rows, counted.paired):
        return _as_samples(streamed, (one, other), question, counted)
    return _as_pairs(streamed, (one, other), values, counted)


def _refuse_beyond(files: tuple[File, File]) -> None:
    """Raises UnlikeError for what groups and weights need the rows for."""
    base, head = files
    weight = base.roles.weight
    if (base.roles.group or weight) and base.task[0] == "multiclass" and base.scores:
        raise UnlikeError  # the ROC AUC of many classes
    if weight and base.table.rows != head.table.rows:
        raise UnlikeError


def _look_again(
    counted: Counted, base: File, names: Sequence[tuple[str, ...]], metrics: Iterable[str]
) -> None:
    groups, weight = counted.groups, base.roles.weight
    if groups is None:
        return
    if weight and counted.paired < base.table.rows:
        raise UnlikeError
    if weight:
        groups.weigh_into(counted.found, names)
    if weight or base.roles.group:
        groups.sum_into(counted.found, names, metrics)
    groups.rank_into(counted.found, names, metrics)


def _feed_of(file: File) -> tuple[Names, Feed]:
    """With the values of its slices."""
    cuts = [slice_of(file.table, name, f"slice_{at}") for at, name in enumerate(file.roles.slices)]
    values = tuple(names for names, _ in cuts)
    return values, Feed(file, tuple(sql for _, sql in cuts), file.roles.group)


def _head_feed(files: tuple[File, File], metrics: Iterable[str]) -> Feed:
    """Where only head says which rows are one query, they are for rankings alone."""
    base, head = files
    ranked = not base.roles.group and query_metrics(metrics, base.task[0])
    return Feed(head, (), head.roles.group if ranked else None)


def _as_pairs(
    streamed: Streamed, files: tuple[File, File], values: Names, counted: Counted
) -> Streamed:
    found, (one, other) = counted.found, files
    numbers = found.question.scored or found.question.task == "regression"
    found.identical = numbers and streamed.digests[0] == streamed.digests[1]
    for part in found.slices.values():
        part.identical = found.identical
    rows, paired = one.table.rows, counted.paired
    unscored, added = rows - paired, other.table.rows - paired
    by: Literal["id", "position"] = "id" if one.roles.id else "position"
    return replace(
        streamed,
        found=found,
        counts=structs.replace(streamed.counts, paired=paired, paired_by=by),
        rows_digest=digest_of(rows, counted.identity),
        notes=(
            *_notes(one, other),
            *_notes_weights(one, other, counted),
            *notes_uncommon(rows, unscored, added),
            *(_new_slices(one, other, values) if added else ()),
        ),
        unscored=unscored,
        added=added,
        left_out=counted.left_out if unscored else None,
    )


def _as_samples(
    streamed: Streamed, files: tuple[File, File], question: Question, counted: Counted | None
) -> Streamed:
    """Each side by itself, as `pair` has them. `counted`: by key, None where there are none."""
    if any(file.roles.group or file.roles.weight for file in files):
        raise UnlikeError
    if counted is not None and not counted.arranged:
        ids = tuple(ids_of(file.table, file.roles.id) for file in files)
        refuse_strange((ids[0], ids[1]), counted.paired)
    base, head = (count_side(feed, values, question) for values, feed in map(_feed_of, files))
    streamed = replace(streamed, rows_digest=digest_of(head.n, head.identity), apart=(base, head))
    if counted is None or counted.arranged:
        missing = "There is no id column"
        note = say_arranged(missing) if counted else say_unlike(missing, (base.n, head.n))
        return replace(streamed, notes=(COUNTED, note))
    paired = counted.paired
    return replace(
        streamed,
        notes=(COUNTED, say_too_few(base.n, paired)),
        unscored=base.n - paired,
        added=head.n - paired,
        left_out=counted.left_out if 0 < paired < base.n else None,
    )


def _new_slices(one: File, other: File, values: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """`values`: of base's slices."""
    names = [name for name in one.roles.slices if name in other.roles.slices]
    head = {name: slice_of(other.table, name)[0] for name in names}
    return say_new_slices(dict(zip(one.roles.slices, values, strict=True)), head)


def _extremes_of(table: Table) -> Extremes:
    def found(column: str) -> tuple[float | None, float | None]:
        cell = f"CAST({quote(column)} AS DOUBLE)"
        low, high = table.one(f"SELECT min({cell}), max({cell}) FROM rows")
        return low, high

    return found


def _notes(base: File, head: File) -> tuple[str, ...]:
    notes = [COUNTED]
    if base.roles.group:
        notes.append(BY_GROUPS)
    elif head.roles.group:
        notes.append(HEAD_GROUPS)
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


def _notes_weights(base: File, head: File, counted: Counted) -> Iterator[str]:
    weighed = counted.found.weighed
    if weighed is not None and base.roles.weight:
        yield say_weights(base.roles.weight, weighed.n, weighed.worth)
    differ = None if head.roles.weight is None else counted.reweighed
    yield from say_whose(base=base.roles.weight is not None, differ=differ)
