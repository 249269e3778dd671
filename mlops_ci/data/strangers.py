"""Two files without a row in common: almost surely a mistake, so an error and no comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.identity import text_key_of, whole_key_of
from mlops_ci.data.keys import match
from mlops_ci.data.opening import open_table
from mlops_ci.data.overlap import count_of, is_enough, shown_keys, spelling_of
from mlops_ci.data.predictions import Predictions
from mlops_ci.data.spelling import MOST, Spelling, compare_spelling, is_hashed
from mlops_ci.data.table import Table
from mlops_ci.errors import DOCS, ComparisonError

CHANCE = 0.01  # so few are alike by chance: numbers of two counters that overlap


@dataclass(frozen=True)
class Ids:
    """A file's: `keys` are the first of them."""

    name: str
    columns: tuple[str, ...]
    rows: int
    keys: NDArray[Any]


def ids_of(table: Table, columns: tuple[str, ...]) -> Ids:
    whole = whole_key_of(table, columns[0]) if len(columns) == 1 else None
    text = whole or text_key_of(table, columns)
    keys = np.array(table.column(f"SELECT {text} FROM rows LIMIT {MOST}"))
    return Ids(table.path.name, columns, table.rows, keys)


def refuse_strangers(base: Predictions, head: Predictions) -> None:
    """As `refuse_strange`, of two files that were read."""
    if base.keys is None or head.keys is None:
        return
    common = match(base.keys, head.keys)
    found = None
    if not (is_hashed(base.keys) or is_hashed(head.keys)):
        found = spelling_of(base, head, common)
    refuse_strange((_ids_of(base), _ids_of(head)), count_of(base, common[0]), found)


def refuse_strange(ids: tuple[Ids, Ids], paired: int, spelling: Spelling | None = None) -> None:
    """Raises ComparisonError where next to no id of base is in head, or where enough would be, were
    they written alike. In a project all rows may well have changed: there a note says the same.
    """
    base, head = ids
    if is_enough(base.rows, paired):
        return
    spelling = spelling or compare_spelling(base.keys, head.keys, head.columns)
    if spelling is None and paired >= CHANCE * min(base.rows, head.rows):
        return
    few = f"only {paired:,} of base's {base.rows:,} ids are" if paired else "no id of base is"
    raise ComparisonError(
        f"{few} in head" + (": the ids are written differently" if spelling else ""),
        where="; ".join(
            f"{one.name}, {', '.join(one.columns)}: {shown_keys(one.keys)}" for one in ids
        ),
        fix=_mend(spelling),
        link=f"{DOCS}/predictions.md#which-rows-are-compared",
    )


def _mend(spelling: Spelling | None) -> str:
    if spelling is None:
        return (
            "compare answers to the same rows, or name the column that says which row it is:\n"
            "    --id COLUMN\n"
            "(two samples of other rows, on purpose: leave the id column out of both files; that "
            "is at most inconclusive)"
        )
    lines = "".join(f"\n    {line}" for line in spelling.mend)
    where = f"; where the files are written (pandas):{lines}" if lines else ""
    return f"write the ids alike, {spelling.sentence}{where}"


def _ids_of(side: Predictions) -> Ids:
    """From the file, where it has so many rows that only hashes of its keys were kept."""
    columns = tuple(side.resolution.columns.get("id", ()))
    keys = np.zeros(0, np.int64) if side.keys is None else side.keys
    if not is_hashed(keys):
        return Ids(side.path.name, columns, side.rows, keys[:MOST])
    table = open_table(side.path)
    try:
        return ids_of(table, columns)
    finally:
        table.close()
