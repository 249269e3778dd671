"""Rows to measure, made from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_ci.verdict import Outputs, PairedRows, SingleRows


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def binary_rows(
    seed: int = 0, n: int = 600, share: float = 0.35, gap: float = 0.1, **more: Any
) -> PairedRows:
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < share).astype(np.int64)
    shared = rng.normal(size=n) + 1.4 * label
    # Rounded, so that scores are tied.
    base, head = (
        np.round(sigmoid(shared + g * label + 0.4 * rng.normal(size=n) - 1), 2) for g in (0.0, gap)
    )
    outputs = [Outputs((score >= 0.5).astype(np.int64), score) for score in (base, head)]
    return PairedRows("binary", ("no", "yes"), label, outputs[0], outputs[1], **more)


def multiclass_rows(seed: int = 0, n: int = 900, k: int = 4) -> PairedRows:
    rng = np.random.default_rng(seed)
    label = rng.choice(k, size=n, p=np.arange(1, k + 1) / (k * (k + 1) / 2))
    logits = rng.normal(size=(n, k)) + 1.5 * np.eye(k)[label]
    outputs = []
    for _ in range(2):
        odds = np.exp(logits + 0.5 * rng.normal(size=(n, k)))
        score = odds / odds.sum(axis=1, keepdims=True)
        outputs.append(Outputs(score.argmax(axis=1), score))
    return PairedRows("multiclass", tuple("abcdefghij"[:k]), label, outputs[0], outputs[1])


def regression_rows(seed: int = 0, n: int = 700, noise: float = 1.0) -> PairedRows:
    rng = np.random.default_rng(seed)
    label = 10 + 3 * rng.normal(size=n)
    shared = rng.normal(size=n)
    base, head = (label + noise * (shared + 0.5 * rng.normal(size=n)) for _ in range(2))
    return PairedRows("regression", (), label, Outputs(base), Outputs(head))


def side_of(rows: PairedRows, side: str) -> SingleRows:
    return SingleRows(rows.task, rows.classes, rows.label, getattr(rows, side), rows.slices)


def swapped(rows: PairedRows) -> PairedRows:
    return PairedRows(rows.task, rows.classes, rows.label, rows.head, rows.base, rows.slices)


def reordered(rows: PairedRows, order: Any) -> PairedRows:
    def take(outputs: Outputs) -> Outputs:
        return Outputs(
            None if outputs.prediction is None else outputs.prediction[order],
            None if outputs.score is None else outputs.score[order],
            {name: values[order] for name, values in outputs.values.items()},
        )

    return PairedRows(
        rows.task,
        rows.classes,
        rows.label[order],
        take(rows.base),
        take(rows.head),
        {name: mask[order] for name, mask in rows.slices.items()},
        group=None if rows.group is None else rows.group[order],
        values=rows.values,
    )
