"""Which of base's rows head has scored too: enough of them to stand for all, or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlops_ci.data.keys import Rows
from mlops_ci.data.predictions import Predictions

BY_GROUPS = "The intervals count groups of rows that belong together, not rows."
HEAD_GROUPS = "Only head has groups of rows: from the merge on the intervals count them."
SHOWN = 3
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


def notes_uncommon(rows: int | None, unscored: int, added: int) -> tuple[str, ...]:
    """`rows`: of base."""
    notes = []
    if rows is not None and unscored:
        notes.append(f"{unscored:,} of base's {rows:,} rows were not scored by head.")
    if added:
        notes.append(f"{added:,} rows of head are new: they are not compared.")
    return tuple(notes)


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


def rest_of(base: Predictions, rows: Rows) -> Rows | None:
    """The rows of base that are not among `rows`; None where there are none that weigh anything."""
    rest = np.ones(base.rows, dtype=np.bool_)
    rest[rows] = False
    found = np.flatnonzero(rest)
    weighs = len(found) > 0 and (base.weight is None or bool(base.weight[found].any()))
    return found if weighs else None
