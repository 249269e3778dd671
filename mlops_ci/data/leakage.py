"""Rows that a model was trained on and is evaluated on: they flatter it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.keys import alike, hash_keys
from mlops_ci.data.opening import open_table
from mlops_ci.data.predictions import Predictions
from mlops_ci.data.rows import keys_of
from mlops_ci.data.table import Table, quote
from mlops_ci.errors import DOCS, UsageError

SPLIT = "split"
TRAINING = ("train", "training", "fit")
SHOWN = 3


@dataclass(frozen=True)
class Overlap:
    """`shared` of `rows` evaluation rows are training rows too. `source`: the file or column that
    says which those are; `examples`: the first keys of them."""

    rows: int
    shared: int
    source: str
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        return self.shared / self.rows


def find_overlap(predictions: Predictions, training: Path | None) -> Overlap | None:
    """By the row keys in the file `training`, else by the predictions' own column `split`; None
    without either. The training file may hold a key more than once.

    Raises UsageError for a file or a column that is missing, ComparisonError for a broken file.
    """
    if training is None:
        return _by_split(predictions)
    names = tuple(predictions.resolution.columns.get("id", ()))
    if predictions.keys is None or not names:
        raise UsageError(
            "`training-rows` needs row keys, and the predictions have none",
            where=str(predictions.path),
            fix="write a column `id` into both files, or name it: columns: {id: customer_id}",
            link=f"{DOCS}/predictions.md",
        )
    keys = _training_keys(training, names)
    shared = _shared(predictions.keys, keys)
    examples = predictions.keys[np.flatnonzero(shared)[:SHOWN]]
    shown = () if examples.dtype == np.uint64 else tuple(str(key) for key in examples)
    return Overlap(predictions.rows, int(shared.sum()), training.name, shown)


def _training_keys(path: Path, names: tuple[str, ...]) -> NDArray[Any]:
    table = open_table(path)
    try:
        _require(table, names)
        table.keep(names)
        keys = keys_of(table, names)
    finally:
        table.close()
    return keys


def _require(table: Table, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in table.types:
            near = difflib.get_close_matches(name, table.types, n=1)
            hint = f"perhaps {near[0]!r} is it: rename it; " if near else ""
            raise UsageError(
                f"{table.path.name} has no column {name!r}, by which the predictions name rows",
                where=str(table.path),
                fix=f"{hint}its columns are: {', '.join(list(table.types)[:20])}",
            )


def _shared(evaluated: NDArray[Any], trained: NDArray[Any]) -> NDArray[np.bool_]:
    """Which evaluated rows were trained on, [rows]."""
    if evaluated.dtype.kind != trained.dtype.kind:
        evaluated, trained = alike(evaluated, trained)
    elif evaluated.dtype.kind == "U":
        evaluated, trained = hash_keys(evaluated), hash_keys(trained)
    return np.isin(evaluated, trained)


def _by_split(predictions: Predictions) -> Overlap | None:
    table = open_table(predictions.path)
    try:
        if SPLIT not in table.types:
            return None
        cell = f"lower(trim(CAST({quote(SPLIT)} AS VARCHAR)))"
        (count,) = table.one(f"SELECT count_if({cell} IN {TRAINING!r}) FROM rows")
    finally:
        table.close()
    return Overlap(predictions.rows, int(count or 0), f"{predictions.path.name}, column {SPLIT}")
