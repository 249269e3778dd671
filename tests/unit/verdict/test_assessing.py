"""One class of very many is asked for as it is among few, and averages over them have intervals."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.verdict import Outputs, PairedRows, compare_paired
from mlops_ci.verdict.aggregates.cells import count_cells
from mlops_ci.verdict.confusion import Question, averaged, bias_of, linearise
from mlops_ci.verdict.margins import margins_of
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of
from tests.unit.verdict.rows_for_tests import multiclass_rows

MANY = 10_000


def part_of(rows: PairedRows) -> Part:
    return Part(view_of(rows), Policy(), None)


def against_the_rest(rows: PairedRows, code: int) -> PairedRows:
    sides = [Outputs((np.asarray(one.prediction) == code) * 1) for one in (rows.base, rows.head)]
    return replace(
        rows,
        task="binary",
        classes=("another", "it"),
        label=(rows.label == code) * 1,
        base=sides[0],
        head=sides[1],
    )


@pytest.mark.parametrize("name", ["recall", "precision", "f1"])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_class_against_the_rest_is_that_class(name: str, weighted: bool) -> None:
    rows = multiclass_rows(3)
    if weighted:
        rows = replace(rows, weight=np.random.default_rng(1).random(len(rows.label)))
    one = measure(part_of(rows), f"{name}@{rows.classes[2]}")
    two = measure(part_of(against_the_rest(rows, 2)), name)
    assert one.values == pytest.approx(two.values, abs=1e-12)
    assert one.change is not None
    assert two.change is not None
    assert (one.change.low, one.change.high) == pytest.approx((two.change.low, two.change.high))


def many_classes(label: Any, right: tuple[float, float], **more: Any) -> PairedRows:
    rng, n = np.random.default_rng(2), len(label)
    luck, off = rng.random(n), rng.integers(1, MANY, n)
    sides = [Outputs(np.where(luck < share, label, (label + off) % MANY)) for share in right]
    names = tuple(f"c{at:04d}" for at in range(MANY))
    return PairedRows("multiclass", names, label, sides[0], sides[1], **more)


@pytest.mark.parametrize("weighted", [False, True])
def test_one_of_ten_thousand_classes_has_its_recall(weighted: bool) -> None:
    rng = np.random.default_rng(3)
    label = np.where(rng.random(4_000) < 0.1, 7, rng.integers(0, MANY, 4_000))
    more = {"weight": 1 + rng.random(4_000)} if weighted else {}
    rows = many_classes(label, (0.9, 0.5), **more)
    names = ["recall@c0007", "f1_macro"]
    found = {one.metric: one for one in compare_paired(rows, Policy(), names)}
    one = found["recall@c0007"]
    hits = np.asarray(rows.base.prediction) == 7
    weight = rows.weight if rows.weight is not None else np.ones(4_000)
    assert one.base == pytest.approx(np.average(hits[label == 7], weights=weight[label == 7]))
    assert one.high is not None
    assert one.high < -0.2
    why = "more than 1,000 classes" if weighted else "of the rarer class, fewer than 30"
    assert why in str(found["f1_macro"].note)


@pytest.mark.parametrize("name", ["f1_macro", "precision_macro", "balanced_accuracy"])
def test_averages_over_ten_thousand_classes_have_intervals(name: str) -> None:
    from sklearn import metrics

    label = np.repeat(np.arange(MANY), 60)
    rows = many_classes(label, (0.97, 0.93))
    tracemalloc.start()
    found = measure(part_of(rows), name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    said = rows.head.prediction
    expected = {
        "f1_macro": lambda: metrics.f1_score(label, said, average="macro"),
        "precision_macro": lambda: metrics.precision_score(label, said, average="macro"),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(label, said),
    }[name]()
    assert found.values[1] == pytest.approx(expected, abs=1e-12)
    assert found.change is not None
    assert found.change.high < -0.03
    assert found.change.low > -0.05
    assert peak < 250e6, "a table of all pairs of classes would take 800 MB"


@pytest.mark.parametrize("name", ["precision", "f1"])
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_an_average_is_too_high_by_its_bias(name: str, average: str) -> None:
    """Of 200,000 samples of 120 rows: their mean against the value of all rows."""
    rng, k, n = np.random.default_rng(4), 4, 120
    shares = rng.dirichlet(np.ones(k * k)).reshape(k, k) / 2 + np.eye(k) / (2 * k)
    tables = rng.multinomial(n, shares.ravel(), size=200_000).reshape(-1, k, k).astype(float)
    question = Question(name, None, average)

    def of(table: Any) -> Any:
        actual, called = table.sum(axis=2), table.sum(axis=1)
        hits = np.einsum("skk->sk", table)
        below = called if name == "precision" else (actual + called) / 2
        value = np.divide(hits, below, out=np.zeros_like(hits), where=below > 0)
        weight = (actual > 0) if average == "macro" else actual
        return (value * weight).sum(axis=1) / weight.sum(axis=1)

    codes = np.indices((k, k)).reshape(2, -1)
    counts = np.rint(shares.ravel() * 1e6).astype(int)
    label, said = np.repeat(codes, counts, axis=1)
    rows = PairedRows("multiclass", tuple("abcd"), label, Outputs(said), Outputs(said))
    margins = margins_of(count_cells(view_of(rows)), 0)
    truth = of(counts.reshape(1, k, k).astype(float))[0]
    assert averaged(margins, question)[0] == pytest.approx(truth, abs=1e-12)
    found = of(tables)
    chance = found.std() / np.sqrt(len(found))
    expected = bias_of(replace(margins, n=n), question)
    assert found.mean() - truth == pytest.approx(expected, abs=4 * chance + 0.1 * abs(expected))
    if (name, average) in (("precision", "weighted"), ("f1", "macro")):
        assert abs(expected) > 10 * chance


def test_the_interval_is_around_the_value_less_its_bias_or_not_at_all() -> None:
    rng, classes = np.random.default_rng(5), 1_500
    for rows_a_class, there in ((30, False), (200, True)):
        label = np.repeat(np.arange(classes), rows_a_class)
        said = np.where(rng.random(len(label)) < 0.5, label, rng.integers(0, classes, len(label)))
        names = tuple(f"{at:04d}" for at in range(classes))
        rows = PairedRows("multiclass", names, label, Outputs(said), Outputs(said[::-1]))
        part = part_of(rows)
        found = measure(part, "precision_weighted")
        question = Question("precision", None, "weighted")
        margins = margins_of(part.cells, 0)
        linear, own = linearise(margins, question), found.own[0]
        assert linear is not None
        assert (own is not None) == there
        if own is None:
            assert "so few rows each" in str(found.note)
            continue
        middle = (own.low + own.high) / 2
        assert middle == pytest.approx(linear[0] - bias_of(margins, question), abs=0.1 * own.se)
        assert linear[0] - middle > own.se / 4


@pytest.mark.parametrize("classes", [4, 2_000])
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
