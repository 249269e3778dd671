"""Whatever name a gate may have: scikit-learn's number, on all rows and on a slice, with weights and
without. A name that has no oracle here fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from mlops_ci.config.model import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import METRICS, Outputs, PairedRows, compare_fairness, compare_paired
from mlops_ci.verdict.names import ALIASES, FAIRNESS, NEGATED, TASKS, canonical_metric
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, regression_rows


@dataclass(frozen=True)
class Told:
    """Labels, predictions, scores and weights (None: none) of some rows; how many classes."""

    y: Any
    p: Any
    s: Any
    w: Any
    k: int


Oracle = Callable[[Told], float]
MAKERS: dict[str, Callable[..., PairedRows]] = {
    "binary": binary_rows,
    "multiclass": multiclass_rows,
    "regression": regression_rows,
}
COUNTED = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
ERRORS = {
    "mae": sk.mean_absolute_error,
    "mse": sk.mean_squared_error,
    "rmse": sk.root_mean_squared_error,
    "mape": sk.mean_absolute_percentage_error,
    "r2": sk.r2_score,
}


def calibration(t: Told) -> float:
    """Row by row into ten bins; of many classes the likeliest one's score (Guo 2017)."""
    sums, whole = [0.0] * 10, 0.0
    for at in range(len(t.y)):
        many = np.ndim(t.s[at]) > 0
        score = float(max(t.s[at])) if many else float(t.s[at])
        right = float(np.argmax(t.s[at]) == t.y[at]) if many else float(t.y[at])
        weight = 1.0 if t.w is None else float(t.w[at])
        sums[min(int(score * 10), 9)] += weight * (right - score)
        whole += weight
    return math.fsum(map(abs, sums)) / whole


def of_classes(name: str, task: str, label: str) -> Oracle:
    if label:
        chosen = [MAKERS[task](0).classes.index(label)]
        return lambda t: COUNTED[name](t.y, t.p, sample_weight=t.w, labels=chosen, average="macro")
    base, _, average = name.partition("_")
    average = average or ("binary" if task == "binary" else "macro")
    more = {"average": average, "zero_division": 0}
    return lambda t: COUNTED[base](t.y, t.p, sample_weight=t.w, **more)


def oracle(name: str, task: str) -> Oracle:
    plain, _, told = name.partition("@")
    if plain.partition("_")[0] in COUNTED:
        return of_classes(plain, task, told)
    if plain == "pinball_loss":
        alpha = float(told or 0.5)
        return lambda t: sk.mean_pinball_loss(t.y, t.p, sample_weight=t.w, alpha=alpha)
    if plain in ERRORS:
        return lambda t: ERRORS[plain](t.y, t.p, sample_weight=t.w)
    many = {} if task == "binary" else {"multi_class": "ovr"}
    found: dict[str, Oracle] = {
        "accuracy": lambda t: sk.accuracy_score(t.y, t.p, sample_weight=t.w),
        "balanced_accuracy": lambda t: sk.balanced_accuracy_score(t.y, t.p, sample_weight=t.w),
        "specificity": lambda t: sk.recall_score(t.y, t.p, pos_label=0, sample_weight=t.w),
        "mcc": lambda t: sk.matthews_corrcoef(t.y, t.p, sample_weight=t.w),
        "roc_auc": lambda t: sk.roc_auc_score(t.y, t.s, sample_weight=t.w, **many),
        "average_precision": lambda t: sk.average_precision_score(t.y, t.s, sample_weight=t.w),
        "log_loss": lambda t: sk.log_loss(t.y, t.s, sample_weight=t.w, labels=range(t.k)),
        "brier": lambda t: sk.brier_score_loss(
            t.y, t.s, sample_weight=t.w, labels=list(range(t.k))
        ),
        "ece": calibration,
    }
    return found[plain]


def cases() -> Iterator[tuple[str, str]]:
    for name, metric in METRICS.items():
        if name in FAIRNESS or metric.needs == "group":
            continue
        yield from ((task, name) for task in metric.tasks)
    for task, classes in (("binary", ("no", "yes")), ("multiclass", tuple("abcd"))):
        yield from ((task, f"{name}@{label}") for name in COUNTED for label in classes)
    yield from (("regression", f"pinball_loss@{quantile}") for quantile in (0.05, 0.5, 0.9))


CASES = list(cases())


@cache
def measured(task: str, *, weighed: bool) -> tuple[PairedRows, dict[Any, MetricResult]]:
    """All of a task's names at once, by name and slice."""
    rng, rows = np.random.default_rng(24), MAKERS[task](23, n=500)
    slices = {"part=a": rng.random(500) < 0.6}
    weight = np.exp(0.8 * rng.normal(size=500)) if weighed else None
    rows = replace(rows, slices=slices, weight=weight)
    found = compare_paired(rows, Policy(), [name for one, name in CASES if one == task])
    return rows, {(one.metric, one.slice): one for one in found}


@pytest.mark.parametrize("weighed", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize(("task", "name"), CASES)
def test_the_number_is_scikit_learns(task: str, name: str, weighed: bool) -> None:
    rows, found = measured(task, weighed=weighed)
    truth = oracle(name, task)
    for where, mask in ((None, np.ones(500, dtype=bool)), *rows.slices.items()):
        one = found[name, where]
        for side, value in ((rows.base, one.base), (rows.head, one.head)):
            columns: tuple[Any, ...] = (rows.label, side.prediction, side.score, rows.weight)
            y, p, s, w = (None if column is None else column[mask] for column in columns)
            wanted = truth(Told(y, p, s, w, len(rows.classes)))
            assert value == pytest.approx(wanted, rel=1e-12, abs=1e-12), where


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows])
@pytest.mark.parametrize("name", ["log_loss", "brier", "ece"])
def test_scores_at_the_edges_count_as_scikit_learn_has_them(name: str, make: Any) -> None:
    """0 and 1, right and wrong, are cut where scikit-learn cuts them; what is near them is not."""
    rows: PairedRows = make(29, n=400)
    score = np.array(rows.head.score)
    edges = np.array([0.0, 1.0, 1e-9, 1 - 1e-9, 1e-5, 0.1, 0.5, 0.9])
    places = edges[np.arange(80) % 8]
    if make is multiclass_rows:
        rest = (1 - places) / 3
        score[:80] = np.column_stack((places, rest, rest, rest))
    else:
        score[:80] = places
    rows = replace(rows, head=replace(rows.head, score=score))
    found = {one.metric: one for one in compare_paired(rows, Policy(), [name])}[name]
    told = Told(rows.label, rows.head.prediction, score, None, len(rows.classes))
    assert found.head == pytest.approx(oracle(name, rows.task)(told), rel=1e-12)


def queries(seed: int, n: int = 60, graded: bool = False) -> PairedRows:
    """Queries of eight rows each, of which one is relevant, or more; scores are tied."""
    rng = np.random.default_rng(seed)
    group, label = np.repeat(np.arange(n), 8), np.zeros((n, 8))
    label[np.arange(n), rng.integers(0, 8, n)] = 1
    if graded:
        label *= rng.integers(1, 4, (n, 1))
        label[:, 0] += rng.integers(0, 3, n)
    scores = [np.round(label + rng.normal(size=(n, 8)), 1).ravel() for _ in range(2)]
    if graded:
        sides = [Outputs(one) for one in scores]
        return PairedRows("regression", (), label.ravel(), sides[0], sides[1], group=group)
    sides = [Outputs(None, one) for one in scores]
    said = label.ravel().astype(np.int64)
    return PairedRows("binary", ("0", "1"), said, sides[0], sides[1], group=group)


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("name", ["ndcg", "ndcg@1", "ndcg@3", "ndcg@20"])
def test_ndcg_is_scikit_learns(name: str, graded: bool) -> None:
    rows = queries(25, graded=graded)
    found = {one.metric: one for one in compare_paired(rows, Policy(), [name])}[name]
    k = int(name.partition("@")[2] or 8)
    for side, value in ((rows.base, found.base), (rows.head, found.head)):
        score = side.prediction if graded else side.score
        wanted = sk.ndcg_score(rows.label.reshape(-1, 8), np.asarray(score).reshape(-1, 8), k=k)
        assert value == pytest.approx(wanted, abs=1e-12)


def test_mrr_is_scikit_learns_where_one_row_is_relevant() -> None:
    rows = queries(26)
    found = {one.metric: one for one in compare_paired(rows, Policy(), ["mrr"])}["mrr"]
    for side, value in ((rows.base, found.base), (rows.head, found.head)):
        score = np.asarray(side.score).reshape(-1, 8)
        wanted = sk.label_ranking_average_precision_score(rows.label.reshape(-1, 8), score)
        assert value == pytest.approx(wanted, abs=1e-12)


def test_no_name_is_without_an_oracle() -> None:
    assert {*METRICS} - {name for _, name in CASES} == {*FAIRNESS, "ndcg", "mrr"}
    assert {*TASKS} == {*MAKERS} == {task for task, _ in CASES}


NOT_OURS = ("auc", "ndcg_score")  # the area of points; a table of queries
FUNCTIONS = {
    name: function
    for name in (*ALIASES, *NEGATED)
    for plain in (name.removeprefix("neg_"),)
    for function in [getattr(sk, plain, None) or getattr(sk, f"{plain}_loss", None)]
    if function is not None and name not in NOT_OURS
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_scikit_learns_own_names_mean_scikit_learns_functions(name: str) -> None:
    ours = canonical_metric(name)
    task = METRICS[ours].tasks[0]
    rows, found = measured(task, weighed=False)
    said = rows.head.score if METRICS[ours].needs == "score" else rows.head.prediction
    assert found[ours, None].head == pytest.approx(FUNCTIONS[name](rows.label, said), abs=1e-12)
    assert len(FUNCTIONS) > 20


@pytest.mark.parametrize("name", [*ALIASES, *NEGATED])
def test_every_other_name_leads_to_one_of_ours(name: str) -> None:
    assert canonical_metric(name) in METRICS


@pytest.mark.parametrize("name", ["recall", "precision", "accuracy"])
def test_the_least_of_all_groups_is_fairlearns(name: str) -> None:
    """fairlearn's `…_group_min` is what gates on every slice hold: each group has its own number."""
    from fairlearn.metrics import make_derived_metric

    rows = binary_rows(27, n=900)
    group = np.random.default_rng(28).integers(0, 3, 900)
    rows = replace(rows, slices={f"sex={at}": group == at for at in range(3)})
    least = make_derived_metric(metric=getattr(sk, f"{name}_score"), transform="group_min")
    found = [one for one in compare_paired(rows, Policy()) if one.metric == name and one.slice]
    for side in ("base", "head"):
        said = getattr(rows, side).prediction
        wanted = least(rows.label, said, sensitive_features=group)
        assert min(getattr(one, side) for one in found) == pytest.approx(wanted, abs=1e-12)
    assert {one.slice for one in compare_fairness(rows, Policy(), ["sex"])} == {"sex"}
