"""One order for the same rows, however they were read: sums then round alike, draws fall alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.rows import Ints, Outputs, PairedRows, SingleRows

Rows = TypeVar("Rows", PairedRows, SingleRows)
Bits = NDArray[np.uint64]


def canonical(rows: Rows) -> Rows:
    """The rows in an order that depends on their content alone; slices by name.

    Rows that are equal in label and answers may change places: nothing here can tell them apart,
    but for their slices, which are masks of the same order.
    """
    order = np.argsort(_digest(rows), kind="stable")
    changed: dict[str, Any] = {
        "label": rows.label[order],
        "slices": {name: rows.slices[name][order] for name in sorted(rows.slices)},
    }
    for name in ("base", "head", "outputs"):
        if hasattr(rows, name):
            changed[name] = _reordered(getattr(rows, name), order)
    return replace(rows, **changed)


def _reordered(outputs: Outputs, order: Ints) -> Outputs:
    return Outputs(
        None if outputs.prediction is None else outputs.prediction[order],
        None if outputs.score is None else outputs.score[order],
    )


def _digest(rows: PairedRows | SingleRows) -> Bits:
    """64 bits of each row's label and answers."""
    digest = np.zeros(len(rows.label), dtype=np.uint64)
    for column in _columns(rows):
        digest = _mixed(digest ^ _bits(column))
    return digest


def _columns(rows: PairedRows | SingleRows) -> Iterator[NDArray[Any]]:
    yield rows.label
    sides = (rows.base, rows.head) if isinstance(rows, PairedRows) else (rows.outputs,)
    for side in sides:
        if side.prediction is not None:
            yield side.prediction
        if side.score is not None:
            yield from side.score.T if side.score.ndim > 1 else (side.score,)


def _bits(column: NDArray[Any]) -> Bits:
    if column.dtype.kind == "f":
        # + 0.0: −0 and 0 are one value.
        return (column.astype(np.float64) + 0.0).view(np.uint64)
    return np.ascontiguousarray(column, dtype=np.int64).view(np.uint64)


def _mixed(bits: Bits) -> Bits:
    """SplitMix64's finaliser (Steele, Lea & Flood 2014); every step is one to one."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
