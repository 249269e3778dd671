"""Rows counted in one go: what counting them in chunks, files or a cluster must come to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mlops_ci.data import room
from mlops_ci.records.results import MetricResult
from mlops_ci.steps import two_files
from mlops_ci.verdict import PairedRows
from mlops_ci.verdict.aggregates.losses import Value, centre_of
from mlops_ci.verdict.aggregates.sufficient import Cut, Question, Sufficient
from mlops_ci.verdict.rows import view_of


def in_memory(rows: PairedRows) -> Sufficient:
    """What rows that are all there at once come to."""
    names = tuple(sorted(rows.slices))
    codes = sum(at * rows.slices[name] for at, name in enumerate(names))
    errors = rows.task == "regression"
    question = Question(
        rows.task,
        rows.classes,
        rows.positive,
        scored=rows.base.score is not None,
        classed=not errors,
        centre=centre_of(rows.label.min(), rows.label.max()) if errors else 0.0,
        quantiles=(0.9,) if errors else (),
        values=tuple(
            Value(name, better, centre_of(values.min(), values.max()))
            for name, better in rows.values.items()
            for values in (rows.base.values[name],)
        ),
    )
    found = Sufficient.empty(question, names)
    found.add(view_of(rows), [Cut(names, np.asarray(codes))])
    found.identical = rows.identical
    return found


def take_all_for_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is large, and a chunk is small."""
    monkeypatch.setattr(room, "MANY", 10)
    monkeypatch.setattr(room, "CHUNK", 1_600)
    monkeypatch.setattr(two_files, "FEW_BYTES", 10)


ENDS = ("base", "head", "difference", "low", "high", "base_low", "base_high", "head_low")


def check_alike(found: Sequence[MetricResult], expected: Sequence[MetricResult]) -> None:
    """To rounding; rankings to the steps of their scores."""
    names, wanted = ([(one.metric, one.slice) for one in every] for every in (found, expected))
    assert names == wanted
    for one, same in zip(found, expected, strict=True):
        slack = 5e-3 if one.metric in ("roc_auc", "average_precision") else 1e-9
        for name in ENDS:
            value = getattr(same, name)
            assert getattr(one, name) == pytest.approx(value, rel=slack, abs=slack), (one, same)
        assert (one.method, one.note, one.n) == (same.method, same.note, same.n)
