"""Drift between two files of many rows: one column of both at a time, which lies on disk while it
is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mlops_ci.data.classes import code_of
from mlops_ci.data.feed import File
from mlops_ci.data.predictions import THRESHOLD
from mlops_ci.data.rows import MISSING, slice_of
from mlops_ci.data.table import Table, quote
from mlops_ci.records.findings import ColumnDrift
from mlops_ci.verdict.drift import MOST_SCORES, Column, Names, Values, measure_each
from mlops_ci.verdict.rows import Floats


def drift_of(base: File, head: File) -> tuple[ColumnDrift, ...]:
    """Of all columns that both have, as of rows in memory."""
    return measure_each(_columns(base, head))


def _columns(base: File, head: File) -> Iterator[tuple[str, Column]]:
    if base.number is not None and head.number is not None:
        yield "label", _values((base, base.roles.label), (head, head.roles.label))
        yield "prediction", _values((base, base.number), (head, head.number))
    else:
        yield "label", (_labels(base), _labels(head))
        yield "prediction", (_predictions(base), _predictions(head))
    yield from _scores(base, head)
    for name in base.roles.slices:
        if name in head.roles.slices:
            yield name, (_slice(base.table, name), _slice(head.table, name))
    for name in base.roles.values:
        yield name, _values((base, name), (head, name))


def _scores(base: File, head: File) -> Iterator[tuple[str, Column]]:
    if len(base.scores) == len(head.scores) == 1:
        yield "score", _values((base, base.scores[0]), (head, head.scores[0]))
    elif len(base.scores) <= MOST_SCORES:
        for name, *pair in zip(base.classes, base.scores, head.scores, strict=False):
            yield f"score_{name}", _values((base, pair[0]), (head, pair[1]))


def _values(base: tuple[File, str], head: tuple[File, str]) -> Values:
    return Values(_numbers(*base), _numbers(*head))


def _numbers(file: File, column: str) -> Floats:
    found, _ = file.table.read(f"CAST({quote(column)} AS DOUBLE)")
    return np.asarray(found, dtype=np.float64)


def _labels(file: File) -> Names:
    return _classes(file, *code_of(file.table, file.roles.label, file.roles, file.classes))


def _predictions(file: File) -> Names:
    """Of scores that are cut the classes that follow."""
    if file.roles.prediction is not None:
        column = file.roles.prediction
        return _classes(file, *code_of(file.table, column, file.roles, file.classes))
    scores = [f"CAST({quote(one)} AS DOUBLE)" for one in file.scores]
    if len(scores) == 1:
        code = file.classes.index(str(file.positive))
        return _classes(
            file, f"CASE WHEN {scores[0]} >= {THRESHOLD} THEN {code} ELSE {1 - code} END"
        )
    each = ", ".join(scores)
    return _classes(file, f"list_position([{each}], greatest({each})) - 1")


def _classes(file: File, sql: str, make: Callable[[Any], Any] = np.asarray) -> Names:
    """`make`: codes of what is read."""
    counts = _counts(file.table, sql)
    codes = make(np.array(list(counts)))
    pairs = zip(codes, counts.values(), strict=True)
    return Names({file.classes[int(code)]: count for code, count in pairs})


def _slice(table: Table, column: str) -> Names:
    names, sql = slice_of(table, column, "drifting")
    counts = {names[code]: count for code, count in _counts(table, sql).items()}
    return Names({name: n for name, n in counts.items() if name != MISSING}, counts.get(MISSING, 0))


def _counts(table: Table, sql: str) -> dict[int, int]:
    text = f"SELECT {sql} AS code, count(*) AS rows FROM rows GROUP BY code"
    found = table.guard(lambda: table.connection.execute(text).fetchall())
    return {int(code): int(count) for code, count in found}
