"""Classes as codes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.columns import SCORE_PREFIX, Roles
from mlops_ci.data.table import Table, require_present
from mlops_ci.errors import ComparisonError, UsageError

MAX_CLASSES = 10_000
POSITIVE = ("1", "true", "True")


@dataclass(frozen=True)
class Encoded:
    """`label`, `prediction`: int64 codes into `classes`, which are in their natural order."""

    classes: tuple[str, ...]
    label: NDArray[Any]
    prediction: NDArray[Any] | None

    def label_names(self) -> NDArray[Any]:
        return np.asarray(np.array(self.classes)[self.label])


def encode(table: Table, roles: Roles, task: Task) -> Encoded:
    label = _read(table, roles.label)
    prediction = _read(table, roles.prediction) if roles.prediction else None
    seen = set(np.unique(label)) | (set(np.unique(prediction)) if prediction is not None else set())
    seen |= {c.removeprefix(SCORE_PREFIX) for c in roles.scores if c.startswith(SCORE_PREFIX)}
    if task == "binary" and len(seen) == 1:
        seen |= _other_of({str(name) for name in seen})
    classes = order_classes({str(name) for name in seen})
    if len(classes) > MAX_CLASSES:
        raise ComparisonError(
            f"{table.path.name}: {roles.label!r} has {len(classes):,} classes",
            where=str(table.path),
            fix="is it a regression? Then say --task regression; else name the right --label",
        )
    if task == "binary" and len(classes) > 2:
        raise UsageError(
            f"{table.path.name}: {len(classes)} classes in a binary task: {', '.join(classes[:5])}",
            where=str(table.path),
            fix="--task multiclass",
        )
    codes = {name: code for code, name in enumerate(classes)}
    return Encoded(
        classes, _encode(label, codes), None if prediction is None else _encode(prediction, codes)
    )


def _other_of(lone: set[str]) -> set[str]:
    """A file where only one class occurs still has two."""
    pairs = ({"0", "1"}, {"false", "true"})
    return next((pair - lone for pair in pairs if lone < pair), {"(other)"})


def order_classes(names: set[str]) -> tuple[str, ...]:
    """Integers by value, everything else by name."""
    if all(name.lstrip("-").isdigit() for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))


def _read(table: Table, column: str) -> NDArray[Any]:
    if table.types[column].startswith(("FLOAT", "DOUBLE", "DECIMAL")):
        values, missing = table.read(column, "DOUBLE")
        require_present(table, column, missing, values)
        if (values == np.rint(values)).all():  # pandas writes 0.0 and 1.0 where a cell was missing
            return values.astype(np.int64).astype(str)
        return values.astype(str)
    values, missing = table.read(column, "VARCHAR")
    require_present(table, column, missing, values)
    return values.astype(str)


def _encode(names: NDArray[Any], codes: dict[str, int]) -> NDArray[np.int64]:
    unique, place = np.unique(names, return_inverse=True)
    return np.array([codes[str(name)] for name in unique], dtype=np.int64)[place]


def positive_class(classes: tuple[str, ...], asked: str | None, path: Path) -> str:
    """Raises UsageError when neither option nor convention names one."""
    if asked is not None:
        match = next((c for c in classes if c.lower() == str(asked).lower()), None)
        if match is not None:
            return match
        raise UsageError(
            f"{path.name}: the positive class {asked!r} is none of {', '.join(classes)}",
            where=str(path),
            fix=f"--positive {classes[-1]}",
        )
    found = [name for name in classes if name in POSITIVE]
    if found:
        return found[0]
    raise UsageError(
        f"{path.name}: which class is the positive one, {' or '.join(classes)}?",
        where=str(path),
        fix=f"--positive {classes[-1]}\nor in mlops-ci.yaml, below the model:\n"
        f"    positive: {classes[-1]}",
    )
