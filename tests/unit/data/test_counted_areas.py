"""ROC AUC of many classes, of rows that are read three times instead of kept: what rows come to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.data import ColumnsRequest, joined, pair, read_predictions, room, stream_pair
from mlops_ci.data.aggregate import from_bytes, to_bytes
from mlops_ci.errors import ComparisonError
from mlops_ci.records import MetricResult
from mlops_ci.steps.drift import drift_between
from mlops_ci.verdict import PairedRows, compare_merged, compare_paired
from mlops_ci.verdict.aggregates import areas
from mlops_ci.verdict.aggregates.areas import count_areas
from mlops_ci.verdict.aggregates.crowds import COARSE, Crowd
from mlops_ci.verdict.aggregates.sufficient import MOST_AREAS, Cut, Question, Sufficient
from mlops_ci.verdict.merged import NO_ROWS
from mlops_ci.verdict.rows import Outputs, View
from tests.unit.data.files import write

ROWS = 900
CLASSES = ("cat", "dog", "owl")
REGIONS = ("north", "south")
REQUEST = ColumnsRequest(slices=("region",))
ENDS = ("base", "head", "difference", "low", "high", "head_low", "head_high")


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MANY", 10)
    monkeypatch.setattr(room, "CHUNK", 400)
    monkeypatch.setattr(joined, "SHARE", 1)


def scores_of(seed: int, rows: int = ROWS, classes: int = 3, digits: int = 4) -> Any:
    """Labels [rows] and scores [rows, classes] of a model that is right more often than not."""
    label = np.arange(rows) % classes
    rng = np.random.default_rng(seed)
    made = rng.normal(size=(rows, classes)) + 1.2 * (label[:, None] == np.arange(classes))
    score = np.exp(made)
    return label, np.round(score / score.sum(axis=1, keepdims=True), digits)


def columns(seed: int, keys: range = range(ROWS)) -> dict[str, Any]:
    label, score = scores_of(seed)
    return {
        "id": list(keys),
        "region": [REGIONS[n % 5 == 0] for n in keys],
        "label": [CLASSES[one] for one in label],
    } | {f"score_{name}": score[:, at].tolist() for at, name in enumerate(CLASSES)}


def shuffled(side: dict[str, Any]) -> dict[str, Any]:
    order = np.random.default_rng(5).permutation(len(side["label"]))
    return {name: [values[place] for place in order] for name, values in side.items()}


def area_of(found: tuple[MetricResult, ...]) -> list[MetricResult]:
    return [one for one in found if one.metric == "roc_auc"]


@pytest.mark.parametrize("order", ["the same", "another", "some are missing"])
def test_they_come_to_what_their_rows_do(tmp_path: Path, order: str) -> None:
    base, head = columns(1), columns(2)
    if order != "the same":
        head = shuffled(head)
    if order == "some are missing":
        head = {name: values[:-30] for name, values in head.items()}
    paths = write(tmp_path / "base.parquet", base), write(tmp_path / "head.parquet", head)
    streamed = stream_pair(*paths, REQUEST)
    assert streamed is not None
    pairing = pair(*(read_predictions(path, REQUEST) for path in paths))
    assert isinstance(pairing.rows, PairedRows)
    expected = area_of(compare_paired(pairing.rows, Policy()))
    found = area_of(compare_merged(streamed.found, Policy()))
    assert [one.slice for one in found] == [None, "region=north", "region=south"]
    same_numbers(found, expected)
    assert len(streamed.drift) == (6 if order == "some are missing" else 0)
    if streamed.drift:
        read = [read_predictions(path, REQUEST) for path in paths]
        assert streamed.drift == drift_between(*read)
    if streamed.left_out is not None:
        (left,) = area_of(compare_merged(streamed.left_out, Policy()))
        assert left.head is not None


def same_numbers(found: list[MetricResult], expected: list[MetricResult]) -> None:
    for one, same in zip(found, expected, strict=True):
        assert (one.method, one.note) == (same.method, same.note)
        for name in ENDS:
            assert getattr(one, name) == pytest.approx(getattr(same, name), rel=1e-9, abs=1e-9)


def view_of(scores: list[Any], label: Any, rows: Any) -> View:
    sides = tuple(Outputs(score[rows].argmax(axis=1), score[rows]) for score in scores)
    names = tuple(str(at) for at in range(scores[0].shape[1]))
    return View("multiclass", names, label[rows], sides, identical=False, positive=1)


def counted(scores: list[Any], label: Any, order: Any, cuts: list[int]) -> Sufficient:
    """The rows in an order, in chunks that end at `cuts`."""
    names = tuple(str(at) for at in range(scores[0].shape[1]))
    question = Question("multiclass", names, sides=len(scores))
    slices = ("half=0", "half=1")
    found = Sufficient.empty(question, slices)

    def chunks() -> Any:
        for rows in np.split(order, sorted(cuts)):
            yield view_of(scores, label, rows), [Cut(slices, rows % 2)]

    for view, parts in chunks():
        found.add(view, parts)
    count_areas(found, chunks)
    return found


@given(st.integers(0, 99), st.lists(st.integers(0, 200), max_size=4), st.sampled_from([1, 2, 6]))
@settings(max_examples=25, deadline=None)
def test_neither_order_nor_chunks_leave_a_trace(seed: int, cuts: list[int], digits: int) -> None:
    label, base = scores_of(seed, 200, 4, digits)
    head = scores_of(seed + 1, 200, 4, digits)[1]
    order = np.random.default_rng(seed).permutation(200)
    found = counted([base, head], label, order, cuts)
    whole = counted([base, head], label, np.arange(200), [])
    assert found.areas is not None
    assert found.areas == whole.areas
    for name, part in found.slices.items():
        assert part.areas == whole.slices[name].areas


@given(st.integers(0, 99), st.sampled_from([1, 3, 9]), st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_few_steps_hide_no_more_than_their_bound(seed: int, digits: int, classes: int) -> None:
    label, base = scores_of(seed, 600, classes + 1, digits)
    head = scores_of(seed + 1, 600, classes + 1, digits)[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(areas, "SHARES", 1)
        patch.setattr(areas, "FEWEST", 16)
        found = counted([base, head], label, np.arange(600), [])
    rows = PairedRows(
        "multiclass",
        found.question.classes,
        label,
        Outputs(base.argmax(axis=1), base),
        Outputs(head.argmax(axis=1), head),
    )
    (exact,) = area_of(compare_paired(rows, Policy()))
    (coarse, *_) = area_of(compare_merged(found, Policy()))
    assert found.areas is not None
    assert exact.base is not None
    assert exact.head is not None
    for value, truth, blur in zip(
        found.areas.values, (exact.base, exact.head), found.areas.blur, strict=True
    ):
        assert abs(value - truth) <= blur + 1e-12
        assert blur < 0.05
    assert coarse.low is not None
    assert exact.low is not None
    assert coarse.low <= exact.low + 2e-3


def test_a_crowd_is_told_apart_and_few_rows_are_taken_together() -> None:
    rng = np.random.default_rng(1)
    score = np.concatenate([rng.uniform(0.3, 0.301, 9_000), rng.uniform(0, 1, 1_000)])
    crowd = Crowd.empty(1)
    crowd.add([score[:, None]])
    (ladder,) = crowd.ladders(1_000)
    assert ladder.steps < 4_000
    where = ladder.step_of(np.sort(score))
    assert (np.diff(where) >= 0).all()
    assert where[0] >= 0
    assert where[-1] < ladder.steps
    assert np.bincount(where).max() <= 4 * len(score) / 1_000
    assert np.bincount(COARSE.step_of(score)).max() > 1_000


def test_models_that_answer_alike_have_not_changed() -> None:
    label, score = scores_of(1, 300, 3)
    found = counted([score, score], label, np.arange(300), [])
    (one, *_) = area_of(compare_merged(found, Policy()))
    assert one.difference == 0.0
    assert one.low is not None
    assert one.low < 0


def test_scores_that_are_all_equal_rank_nothing() -> None:
    label, _ = scores_of(1, 300, 3)
    score = np.full((300, 3), 1 / 3)
    (one, *_) = area_of(
        compare_merged(counted([score, score], label, np.arange(300), []), Policy())
    )
    assert (one.base, one.note) == (None, "all scores are equal: they rank nothing")


def test_more_classes_than_memory_bears_are_not_assessed() -> None:
    label, score = scores_of(1, 2 * MOST_AREAS + 2, MOST_AREAS + 1)
    found = counted([score, score], label, np.arange(len(label)), [])
    (one, *_) = area_of(compare_merged(found, Policy()))
    assert (one.base, one.note) == (None, NO_ROWS)


def test_areas_come_back_from_a_file_and_no_contradiction_is_believed() -> None:
    label, base = scores_of(1, 400, 3)
    found = counted([base, scores_of(2, 400, 3)[1]], label, np.arange(400), [])
    back = from_bytes(to_bytes(found))
    assert back.areas == found.areas
    assert back.crowd is None
    assert area_of(compare_merged(back, Policy())) == area_of(compare_merged(found, Policy()))
    assert found.areas is not None
    totals = found.areas.totals
    for wrong in (
        replace(found.areas, values=(0.9, 1.1)),
        replace(found.areas, blur=(0.0,)),
        replace(found.areas, rarest=401),
        replace(found.areas, totals=replace(totals, n=399)),
        replace(found.areas, totals=replace(totals, sums={})),
        replace(found.areas, totals=replace(totals, sums=totals.sums | {(0, 0): (-1, 0)})),
    ):
        with pytest.raises(
            ComparisonError, match=r"the aggregates cannot be read: its areas|squares"
        ):
            from_bytes(to_bytes(replace(found, areas=wrong)))
