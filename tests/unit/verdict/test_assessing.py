"""One class of very many is asked for as it is among few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.verdict import Outputs, PairedRows, compare_paired
from mlops_ci.verdict.aggregates.cells import MOST_IN_TABLE
from mlops_ci.verdict.assessing import against_the_rest
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of
from tests.unit.verdict.rows_for_tests import multiclass_rows


@pytest.mark.parametrize("name", ["recall", "precision", "f1"])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_class_against_the_rest_is_that_class(name: str, weighted: bool) -> None:
    rows = multiclass_rows(3)
    if weighted:
        rows = replace(rows, weight=np.random.default_rng(1).random(len(rows.label)))
    part, label = Part(view_of(rows), Policy(), None), rows.classes[2]
    one, two = measure(part, f"{name}@{label}"), measure(against_the_rest(part, label), name)
    assert one.values == pytest.approx(two.values, abs=1e-12)
    assert one.change is not None
    assert two.change is not None
    assert (one.change.low, one.change.high) == pytest.approx((two.change.low, two.change.high))


def test_one_of_ten_thousand_classes_has_its_recall() -> None:
    rng, classes = np.random.default_rng(2), 10 * MOST_IN_TABLE
    label = np.where(rng.random(4_000) < 0.1, 7, rng.integers(0, classes, 4_000))
    sides = [
        Outputs(np.where(rng.random(4_000) < share, label, (label + 1) % classes))
        for share in (0.9, 0.5)
    ]
    names = tuple(f"c{at}" for at in range(classes))
    rows = PairedRows("multiclass", names, label, sides[0], sides[1])
    found = {one.metric: one for one in compare_paired(rows, Policy(), ["recall@c7", "f1_macro"])}
    one = found["recall@c7"]
    hits = np.asarray(sides[0].prediction) == 7
    assert one.base == pytest.approx(hits[label == 7].mean())
    assert one.high is not None
    assert one.high < -0.2
    assert found["f1_macro"].head is None
    assert "more than 1,000 classes" in str(found["f1_macro"].note)


@pytest.mark.parametrize("classes", [4, 2 * MOST_IN_TABLE])
@pytest.mark.parametrize("scored", [True, False])
def test_one_class_on_a_slice_without_rows_is_not_assessed(classes: int, scored: bool) -> None:
    rows = multiclass_rows(4)
    more = tuple(f"other{at}" for at in range(classes - 4))
    if not scored or more:
        sides = [Outputs(one.prediction) for one in (rows.base, rows.head)]
        rows = replace(rows, classes=rows.classes + more, base=sides[0], head=sides[1])
    rows = replace(rows, slices={"region=none": np.zeros(len(rows.label), dtype=bool)})
    for name in ("f1@b", "recall@b", "precision@b", "f1_macro", "log_loss"):
        found = [one for one in compare_paired(rows, Policy(), [name]) if one.metric == name]
        none = next(one for one in found if one.slice is not None)
        assert (none.n, none.head, none.low) == (0, None, None)
        assert none.note
