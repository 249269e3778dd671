"""Rows that a model was trained on and is evaluated on: they flatter it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.identity import keys_of
from mlops_ci.data.keys import Hashes, alike, hash_keys, text_hashes
from mlops_ci.data.opening import open_table
from mlops_ci.data.predictions import Predictions
from mlops_ci.data.table import Table, quote
from mlops_ci.errors import DOCS, UsageError

SPLIT = "split"
TRAINING = ("train", "training", "fit")
SHOWN = 3


@dataclass(frozen=True)
class Overlap:
    """`shared` of `rows` evaluation rows are training rows too. `source`: the file or column that
    says which those are; `examples`: the first keys of them. `mains`: rows that main's model
    was trained on, of all; None: not known."""

    rows: int
    shared: int
    source: str
    examples: tuple[str, ...] = ()
    mains: int | None = None

    @property
    def share(self) -> float:
        return self.shared / self.rows


def find_overlap(predictions: Predictions, training: Sequence[Path]) -> Overlap | None:
    """By the row keys in any of the files `training`, and by the predictions' own column `split`;
    None without either. A training file may hold a key more than once.

    Raises UsageError for a file or a column that is missing, ComparisonError for a broken file.
    """
    if not training:
        return _by_split(predictions)
    ids, names = _ids(predictions)
    shared = np.zeros(len(ids), np.bool_)
    for path in training:
        shared |= _shared(ids, _training_keys(path, names))
    source = ", ".join(path.name for path in training)
    chosen = _training_split(predictions)
    if chosen is not None:
        shared |= chosen
        source += ", the column split"
    examples = ids[np.flatnonzero(shared)[:SHOWN]]
    shown = () if examples.dtype == np.uint64 else tuple(str(key) for key in examples)
    return Overlap(predictions.rows, int(shared.sum()), source, shown)


def hash_trained(predictions: Predictions, training: Path | None) -> Hashes | None:
    """The keys of the rows that the model of these predictions was trained on, sorted, each once;
    None where nothing says which they are. Raises as `find_overlap` does."""
    if training is not None:
        return np.unique(text_hashes(_training_keys(training, _ids(predictions)[1])))
    chosen = _training_split(predictions)
    if chosen is None or predictions.keys is None:
        return None
    return np.unique(text_hashes(predictions.keys[chosen]))


def count_among(predictions: Predictions, trained: Hashes) -> int | None:
    """How many rows have one of these keys; None for rows without keys."""
    if predictions.keys is None:
        return None
    return int(np.isin(text_hashes(predictions.keys), trained).sum())


def _ids(predictions: Predictions) -> tuple[NDArray[Any], tuple[str, ...]]:
    names = tuple(predictions.resolution.columns.get("id", ()))
    if predictions.keys is None or not names:
        raise UsageError(
            "`training-rows` needs row keys, and the predictions have none",
            where=str(predictions.path),
            fix="write a column `id` into both files, or name it: columns: {id: customer_id}",
            link=f"{DOCS}/predictions.md",
        )
    return predictions.keys, names


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
    chosen = _training_split(predictions)
    if chosen is None:
        return None
    source = f"{predictions.path.name}, column {SPLIT}"
    return Overlap(predictions.rows, int(chosen.sum()), source)


def has_split(path: Path) -> bool:
    table = open_table(path)
    try:
        return SPLIT in table.types
    finally:
        table.close()


def _training_split(predictions: Predictions) -> NDArray[np.bool_] | None:
    """Which rows the column `split` calls training rows, [rows]; None without such a column."""
    table = open_table(predictions.path)
    try:
        if SPLIT not in table.types:
            return None
        cell = f"lower(trim(CAST({quote(SPLIT)} AS VARCHAR)))"
        return table.read(f"coalesce({cell} IN {TRAINING!r}, false)")[0].astype(np.bool_)
    finally:
        table.close()
