"""What the verdict rests on: the answers of one or two models on rows with labels.

Arrays only: no files, no row keys. Whoever builds these has already decided which rows are the
same; row `i` of every array belongs to one row of the evaluation set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
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
    mask [n]; a value that has no row left has a mask without any True. `identical`: both are one
    model, so that no change is a fact and not an estimate. `positive`: code of the positive class.
    `group` [n]: codes of what rows belong together (users, patients, queries); `queries` [n]: the
    same for the metrics of queries alone, where no interval may count by them. `values`: which
    values rows have by themselves, and whether more of it is better (None: not known). `weight`
    [n]: how many rows each stands for, at least 0 and not all of them; only their ratios matter.
    """

    task: Task
    classes: tuple[str, ...]
    label: NDArray[Any]
    base: Outputs
    head: Outputs
    slices: Mapping[str, Mask] = field(default_factory=dict)
    group: NDArray[Any] | None = None
    queries: NDArray[Any] | None = None
    weight: Floats | None = None
    identical: bool = False
    positive: int = 1
    values: Mapping[str, bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shared(self)
        _check_outputs(self, self.base, "base")
        _check_outputs(self, self.head, "head")

    @property
    def answered_alike(self) -> bool:
        """One file may hold two models' answers, each in a column of its own."""
        return same_answers(self.base, self.head)

    @property
    def tells_models_apart(self) -> bool:
        """Two models hardly have equal numbers; classes that these are cut into, they may have."""
        return self.task == "regression" or self.base.score is not None


@dataclass(frozen=True)
class SingleRows:
    """One model's answers: a first run, or one side of a comparison without common rows."""

    task: Task
    classes: tuple[str, ...]
    label: NDArray[Any]
    outputs: Outputs
    slices: Mapping[str, Mask] = field(default_factory=dict)
    group: NDArray[Any] | None = None
    weight: Floats | None = None
    positive: int = 1
    values: Mapping[str, bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shared(self)
        _check_outputs(self, self.outputs, "head")


@dataclass(frozen=True)
class View:
    """All rows, or those of a slice, with one side (head) or two (base, head).

    `weight`: above 0, and not all the same; None where every row counts alike.
    """

    task: Task
    classes: tuple[str, ...]
    label: NDArray[Any]
    sides: tuple[Outputs, ...]
    identical: bool
    positive: int
    group: NDArray[Any] | None = None
    queries: NDArray[Any] | None = None
    values: Mapping[str, bool | None] = field(default_factory=dict)
    weight: Floats | None = None

    @property
    def n(self) -> int:
        return len(self.label)

    def part(self, rows: slice) -> View:
        """Some of the rows, without a copy."""
        sides = tuple(_select(side, rows) for side in self.sides)
        group = None if self.group is None else self.group[rows]
        queries = None if self.queries is None else self.queries[rows]
        weight = None if self.weight is None else self.weight[rows]
        return replace(
            self,
            label=self.label[rows],
            sides=sides,
            group=group,
            queries=queries,
            weight=weight,
        )

    @cached_property
    def actual(self) -> Mask:
        """Which rows are of the positive class (binary)."""
        return np.asarray(self.label == self.positive)

    @cached_property
    def negative(self) -> Floats:
        """1 for each row of the negative class, else 0 (binary)."""
        return np.asarray(~self.actual, dtype=np.float64)

    @property
    def class_counts(self) -> Ints:
        if self.task == "binary":
            positives = int(np.count_nonzero(self.actual))
            return np.array([positives, self.n - positives])[:: -1 if self.positive else 1]
        return np.bincount(self.label, minlength=len(self.classes))


def view_of(rows: PairedRows | SingleRows, mask: Mask | None = None) -> View:
    """A row without weight is not there."""
    sides = (rows.base, rows.head) if isinstance(rows, PairedRows) else (rows.outputs,)
    if rows.weight is not None and not rows.weight.all():
        mask = rows.weight > 0 if mask is None else mask & (rows.weight > 0)
    queries = rows.group
    if isinstance(rows, PairedRows) and rows.queries is not None:
        queries = rows.queries
    return View(
        task=rows.task,
        classes=rows.classes,
        label=rows.label if mask is None else rows.label[mask],
        sides=sides if mask is None else tuple(_select(side, mask) for side in sides),
        identical=isinstance(rows, PairedRows) and rows.identical,
        positive=rows.positive,
        group=rows.group if rows.group is None or mask is None else rows.group[mask],
        queries=queries if queries is None or mask is None else queries[mask],
        values=rows.values,
        weight=unequal(rows.weight, mask),
    )


def unequal(weight: Floats | None, mask: Mask | None = None) -> Floats | None:
    """None where no row counts more than another: exact counts then know more than weights do."""
    if weight is None:
        return None
    chosen = weight if mask is None else weight[mask]
    return chosen if len(chosen) and chosen.min() < chosen.max() else None


def _select(outputs: Outputs, mask: Mask | slice) -> Outputs:
    return Outputs(
        prediction=None if outputs.prediction is None else outputs.prediction[mask],
        score=None if outputs.score is None else outputs.score[mask],
        values={name: values[mask] for name, values in outputs.values.items()},
    )


def same_answers(one: Outputs, other: Outputs) -> bool:
    pairs = [(one.prediction, other.prediction), (one.score, other.score)]
    pairs += [(values, other.values.get(name)) for name, values in one.values.items()]
    return all(
        left is right or (left is not None and right is not None and np.array_equal(left, right))
        for left, right in pairs
    )


def _check_shared(rows: PairedRows | SingleRows) -> None:
    """Raises ComparisonError for what would otherwise be ignored, or counted wrongly."""
    if rows.weight is not None:
        check_weights(rows.weight, len(rows.label), "weight")
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


def check_weights(weight: Floats, rows: int, column: str) -> None:
    """Raises ComparisonError for weights that no row can have."""
    if weight.shape != (rows,):
        raise ComparisonError(f"{weight.shape} weights for {rows} labels")
    refused = int(np.count_nonzero(~(np.isfinite(weight) & (weight >= 0))))
    if refused:
        raise ComparisonError(
            f"{column!r}: {refused:,} weights are below 0 or no finite numbers",
            fix="a weight says how many rows a row stands for: 0 leaves it out",
        )
    if rows and not weight.any():
        raise ComparisonError(
            f"{column!r}: all weights are 0, so that no row counts",
            fix="leave the column out where every row counts alike",
        )


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
