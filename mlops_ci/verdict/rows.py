"""What the verdict rests on: the answers of one or two models on rows with labels.

Arrays only: no files, no row keys. Whoever builds these has already decided which rows are the
same; row `i` of every array belongs to one row of the evaluation set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.errors import ComparisonError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Outputs:
    """One model's answers on n rows.

    `prediction`: class codes (int64 [n]) or values (float64 [n], regression); None when there are
    only scores and no threshold for them. `score`: float64 [n] of the positive class (binary) or
    [n, k] (multiclass), in the order of `classes`. `values`: float64 [n] by name, whatever a row is
    worth by itself: a judge's score, a cost.
    """

    prediction: NDArray[Any] | None = None
    score: Floats | None = None
    values: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class PairedRows:
    """The same n rows, answered by base and by head.

    `label`: class codes (int64) or values (float64). `slices`: a name such as `region=north` to a
    mask [n]; a value that has no row left has a mask without any True. `identical`: the digests of
    the two models or of their predictions are equal, so that no change is a fact and not an
    estimate. `positive`: code of the positive class. `group` [n]: codes of what rows belong
    together (users, patients, queries). `values`: which values rows have by themselves, and whether
    more of it is better (None: not known). `weight` has its place here and is refused until it is
    used.
    """

    task: Task
    classes: tuple[str, ...]
    label: NDArray[Any]
    base: Outputs
    head: Outputs
    slices: Mapping[str, Mask] = field(default_factory=dict)
    group: NDArray[Any] | None = None
    weight: NDArray[Any] | None = None
    identical: bool = False
    positive: int = 1
    values: Mapping[str, bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shared(self)
        _check_outputs(self, self.base, "base")
        _check_outputs(self, self.head, "head")


@dataclass(frozen=True)
class SingleRows:
    """One model's answers: a first run, or one side of a comparison without common rows."""

    task: Task
    classes: tuple[str, ...]
    label: NDArray[Any]
    outputs: Outputs
    slices: Mapping[str, Mask] = field(default_factory=dict)
    group: NDArray[Any] | None = None
    weight: NDArray[Any] | None = None
    positive: int = 1
    values: Mapping[str, bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shared(self)
        _check_outputs(self, self.outputs, "head")


@dataclass(frozen=True)
class View:
    """All rows, or those of a slice, with one side (head) or two (base, head)."""

    task: Task
    classes: tuple[str, ...]
    label: NDArray[Any]
    sides: tuple[Outputs, ...]
    identical: bool
    positive: int
    group: NDArray[Any] | None = None
    values: Mapping[str, bool | None] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.label)

    def part(self, rows: slice) -> View:
        """Some of the rows, without a copy."""
        sides = tuple(_select(side, rows) for side in self.sides)
        group = None if self.group is None else self.group[rows]
        return replace(self, label=self.label[rows], sides=sides, group=group)

    @property
    def actual(self) -> Mask:
        """Which rows are of the positive class (binary)."""
        return np.asarray(self.label == self.positive)

    @property
    def class_counts(self) -> Ints:
        return np.bincount(self.label, minlength=len(self.classes))


def view_of(rows: PairedRows | SingleRows, mask: Mask | None = None) -> View:
    sides = (rows.base, rows.head) if isinstance(rows, PairedRows) else (rows.outputs,)
    return View(
        task=rows.task,
        classes=rows.classes,
        label=rows.label if mask is None else rows.label[mask],
        sides=sides if mask is None else tuple(_select(side, mask) for side in sides),
        identical=isinstance(rows, PairedRows) and rows.identical,
        positive=rows.positive,
        group=rows.group if rows.group is None or mask is None else rows.group[mask],
        values=rows.values,
    )


def _select(outputs: Outputs, mask: Mask | slice) -> Outputs:
    return Outputs(
        prediction=None if outputs.prediction is None else outputs.prediction[mask],
        score=None if outputs.score is None else outputs.score[mask],
        values={name: values[mask] for name, values in outputs.values.items()},
    )


def _check_shared(rows: PairedRows | SingleRows) -> None:
    """Raises ComparisonError for what would otherwise be ignored, or counted wrongly."""
    if rows.weight is not None:
        raise ComparisonError(
            "the column `weight` is not used yet, and must not be ignored",
            fix="leave `weight` out of the predictions file, or rename it",
        )
    if rows.group is not None:
        if rows.group.shape != rows.label.shape:
            raise ComparisonError(f"{rows.group.shape} groups for {len(rows.label)} labels")
        _check_codes(rows.group, max(1, len(rows.label)), "group")
    for name, mask in rows.slices.items():
        if mask.shape != (len(rows.label),):
            raise ComparisonError(f"slice {name!r}: {mask.shape} is not one flag per row")
    if rows.task == "regression":
        if not np.isfinite(rows.label).all():
            raise ComparisonError("a label is not a finite number", fix="remove or mend these rows")
        return
    _check_codes(rows.label, len(rows.classes), "label")
    if rows.task == "binary" and (len(rows.classes) != 2 or rows.positive not in (0, 1)):
        raise ComparisonError(f"a binary task needs two classes, not {len(rows.classes)}")


def _check_outputs(rows: PairedRows | SingleRows, outputs: Outputs, side: str) -> None:
    n, k = len(rows.label), len(rows.classes)
    if outputs.prediction is not None:
        if outputs.prediction.shape != (n,):
            raise ComparisonError(f"{side}: {outputs.prediction.shape} predictions for {n} labels")
        if rows.task != "regression":
            _check_codes(outputs.prediction, k, f"{side}'s prediction")
    for name in rows.values:
        if name not in outputs.values or outputs.values[name].shape != (n,):
            raise ComparisonError(f"{side} has not one value of {name!r} for each of {n} rows")
    wanted = (n, k) if rows.task == "multiclass" else (n,)
    if outputs.score is not None and outputs.score.shape != wanted:
        raise ComparisonError(f"{side}: scores of shape {outputs.score.shape}, not {wanted}")


def _check_codes(codes: NDArray[Any], classes: int, what: str) -> None:
    if codes.dtype.kind not in "iu":
        raise ComparisonError(f"{what}: class codes must be integers, not {codes.dtype}")
    if codes.size and (codes.min() < 0 or codes.max() >= classes):
        raise ComparisonError(f"{what}: a class code lies outside 0…{classes - 1}")
