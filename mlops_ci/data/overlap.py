"""Which of base's rows head has scored too: enough of them to stand for all, or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.keys import Rows
from mlops_ci.data.predictions import Predictions
from mlops_ci.data.request import to_say
from mlops_ci.data.spelling import MOST, Spelling, compare_spelling, show_keys
from mlops_ci.errors import ComparisonError

BY_GROUPS = "The intervals count groups of rows that belong together, not rows."
HEAD_GROUPS = "Only head has groups of rows: from the merge on the intervals count them."
SHOWN = 3
MANY_DIFFER = 0.1  # of the labels: rows that were not mended, but are others
ENOUGH = 0.8  # of base's rows: fewer may be a choice, and no longer base's test set


def is_enough(rows: int, paired: int) -> bool:
    """`rows`: all of base's."""
    return paired > 0 and paired >= ENOUGH * rows


def say_too_few(rows: int, paired: int) -> str:
    if not paired:
        return "No id occurs in both files: they are compared as separate samples."
    return (
        f"Of base's {rows:,} rows head scored {paired:,}, fewer than {ENOUGH:.0%}: the two "
        "files are compared as separate samples."
    )


def say_unlike(missing: str, rows: tuple[int, int]) -> str:
    """Of rows that nothing pairs. `missing`: which id; `rows`: of base and of head."""
    why = (
        "the labels do not agree row by row"
        if rows[0] == rows[1]
        else f"base has {rows[0]:,} rows and head {rows[1]:,}"
    )
    return (
        f"{missing}, and {why}: the two files are compared as separate samples. "
        "Add an id column to pair them."
    )


def say_no_key(base: Predictions, head: Predictions) -> str:
    if base.keys is None and head.keys is None:
        return "There is no id column"
    return f"Only {'head' if base.keys is None else 'base'} has an id column"


def say_apart(base: Predictions, head: Predictions, common: tuple[Rows, Rows]) -> str:
    """Why they are two samples, with ids of both where none is common."""
    paired = count_of(base, common[0])
    said = [say_too_few(base.rows, paired), *_notes_spelling(base, head, common)]
    shown = [shown_keys(side.keys) for side in (base, head)]
    if not paired and len(said) == 1 and all(shown):
        said.append(f"Base's are {shown[0]}, head's {shown[1]}.")
    return " ".join(said)


def notes_paired(
    base: Predictions, head: Predictions, common: tuple[Rows, Rows]
) -> tuple[str, ...]:
    """Rows that one side alone has."""
    unscored, added = base.rows - count_of(base, common[0]), head.rows - count_of(head, common[1])
    return (
        *notes_uncommon(base.rows, unscored, added),
        *_notes_spelling(base, head, common),
        *notes_new_slices(base, head),
    )


def _notes_spelling(
    base: Predictions, head: Predictions, common: tuple[Rows, Rows]
) -> tuple[str, ...]:
    found = spelling_of(base, head, common)
    if found is None:
        return ()
    return (f"Ids without a partner differ in how they are written: {found.sentence}.",)


def spelling_of(base: Predictions, head: Predictions, common: tuple[Rows, Rows]) -> Spelling | None:
    """Of the keys that have no partner. None for hashes, as they are kept of many rows."""
    if base.keys is None or head.keys is None:
        return None
    if {base.keys.dtype.kind, head.keys.dtype.kind} not in ({"U"}, {"U", "i"}):
        return None
    sides = (base, head)
    if any(count_of(side, rows) == side.rows for side, rows in zip(sides, common, strict=True)):
        return None
    one, other = rest_of(base, common[0]), rest_of(head, common[1])
    if one is None or other is None:
        return None
    names = head.resolution.columns.get("id", [])
    return compare_spelling(base.keys[one[:MOST]], head.keys[other[:MOST]], names)


def shown_keys(keys: NDArray[Any] | None) -> str:
    """The first few; nothing of hashes."""
    if keys is None or keys.dtype == np.uint64:
        return ""
    return ", ".join(show_keys(keys)) + (", …" if len(keys) > SHOWN else "")


def count_of(side: Predictions, rows: Rows) -> int:
    return side.rows if isinstance(rows, slice) else len(rows)


def notes_uncommon(rows: int | None, unscored: int, added: int) -> tuple[str, ...]:
    """`rows`: of base."""
    notes = []
    if rows is not None and unscored:
        notes.append(f"{unscored:,} of base's {rows:,} rows were not scored by head.")
    if added:
        notes.append(f"{added:,} rows of head are new: they are not compared.")
    return tuple(notes)


def other_labels(
    base: Predictions, head: Predictions, keys: NDArray[Any], rows: int
) -> ComparisonError:
    """`keys`: of the rows whose labels differ, among so many."""
    many = "1 row has" if len(keys) == 1 else f"{len(keys):,} rows have"
    shown = ", ".join(repr(str(key)) for key in keys[:SHOWN])
    lead = "\nor, where an id is no more than a row's place, name a column that tells the row: "
    return ComparisonError(
        f"{many} another label in head than in base" + (f": {shown}" if shown_keys(keys) else ""),
        where=f"{base.path} and {head.path}",
        fix="the yardstick must not move with the model: evaluate both on the same labels "
        "(if the labels were mended, merge that change first, by itself)"
        + (to_say("id", "COLUMN", lead=lead) if len(keys) > MANY_DIFFER * rows else ""),
    )


def notes_new_slices(base: Predictions, head: Predictions) -> tuple[str, ...]:
    names = [{name: values.names for name, values in one.slices.items()} for one in (base, head)]
    return say_new_slices(names[0], names[1])


def say_new_slices(
    base: Mapping[str, Sequence[str]], head: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Of slices that base has no row of no gate can speak, `column=*` included."""
    new = [
        f"{column}={value}"
        for column, values in head.items()
        if column in base
        for value in values
        if value not in base[column]
    ]
    if not new:
        return ()
    shown = ", ".join(new[:SHOWN]) + (", …" if len(new) > SHOWN else "")
    which = "it" if len(new) == 1 else "them"
    return (f"Base has no row of {shown}: no gate judges {which}.",)


def rest_of(base: Predictions, rows: Rows) -> NDArray[np.int64] | None:
    """The rows of base that are not among `rows`; None where there are none that weigh anything."""
    rest = np.ones(base.rows, dtype=np.bool_)
    rest[rows] = False
    found = np.flatnonzero(rest)
    weighs = len(found) > 0 and (base.weight is None or bool(base.weight[found].any()))
    return found if weighs else None
