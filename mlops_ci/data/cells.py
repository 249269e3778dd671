"""Which rows of a file have other cells than in an older version of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.identity import keys_of
from mlops_ci.data.keys import Hashes, match, text_hashes
from mlops_ci.data.opening import open_table
from mlops_ci.data.predictions import Predictions
from mlops_ci.data.table import Table, quote

CLOSE = 1e-6  # of two scores of one model on one row


def changed_keys(before: Path, now: Path, ids: tuple[str, ...]) -> Hashes | None:
    """Hashed keys of the rows that both versions have, with other cells in a column that both have;
    None where a version has no such keys, or has one twice.

    Raises UsageError or ComparisonError for a file that is none.
    """
    tables = open_table(before), open_table(now)
    try:
        if not all(set(ids) <= set(table.types) for table in tables) or not ids:
            return None
        columns = [name for name in tables[0].types if name in tables[1].types and name not in ids]
        (keys, cells), (others, now_cells) = (_hashed(table, ids, columns) for table in tables)
    finally:
        for table in tables:
            table.close()
    if any(len(np.unique(one)) < len(one) for one in (keys, others)):
        return None
    left, right = match(keys, others)
    return np.asarray(keys[left][cells[left] != now_cells[right]])


def _hashed(
    table: Table, ids: tuple[str, ...], columns: list[str]
) -> tuple[Hashes, NDArray[np.uint64]]:
    cells = ", ".join(f"coalesce(CAST({quote(name)} AS VARCHAR), chr(0))" for name in columns)
    whole = f"hash(concat_ws(chr(31), {cells}))" if columns else "0::UBIGINT"
    table.keep((*ids, *columns))
    return text_hashes(keys_of(table, ids)), table.read(whole)[0].astype(np.uint64)


def answered_alike(before: Predictions, now: Predictions) -> tuple[Hashes, NDArray[np.bool_]]:
    """Hashed keys of the rows that both files have, and whether each has the same answer in both;
    nothing without keys."""
    if before.keys is None or now.keys is None:
        return np.empty(0, np.uint64), np.empty(0, np.bool_)
    left, right = match(before.keys, now.keys)
    keys = text_hashes(before.keys)[left]
    alike = np.ones(len(keys), np.bool_)
    for one, other in ((before.score, now.score), (before.prediction, now.prediction)):
        if one is not None and other is not None:
            alike &= _same(one[left], other[right], before, now)
    return keys, alike


def _same(one: Any, other: Any, before: Predictions, now: Predictions) -> NDArray[np.bool_]:
    if one.dtype.kind != "f":  # codes of classes
        names = np.array(before.classes), np.array(now.classes)
        return np.asarray(names[0][one] == names[1][other])
    if one.shape != other.shape:
        return np.zeros(len(one), np.bool_)
    near = np.isclose(one, other, rtol=CLOSE, atol=CLOSE)
    return np.asarray(near if near.ndim == 1 else near.all(axis=1))
