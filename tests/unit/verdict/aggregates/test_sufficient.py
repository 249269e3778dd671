"""Statistics instead of rows: whoever brings the chunks, and in whatever order, the same ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.data.aggregate import from_bytes, to_bytes
from mlops_ci.errors import ComparisonError
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import (
    Outputs,
    PairedRows,
    SingleRows,
    compare_merged,
    compare_merged_apart,
    compare_paired,
    compare_unpaired,
)
from mlops_ci.verdict.aggregates.cube import Cube
from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.losses import Value, centre_of
from mlops_ci.verdict.aggregates.scale import SLICE, WHOLE, Scale
from mlops_ci.verdict.aggregates.sufficient import Cut, Question, Sufficient
from mlops_ci.verdict.ranking import placements
from mlops_ci.verdict.rows import view_of
from tests.unit.verdict.rows_for_tests import (
    binary_rows,
    multiclass_rows,
    regression_rows,
    side_of,
)

SEEDS = st.integers(0, 2**32 - 1)
NAMES = ("region=north", "region=south", "region=west")
RANKED = ("roc_auc", "average_precision")
LOSSES = ("log_loss", "brier")
AVERAGED = ("precision", "recall", "f1")
TASKS = ["binary", "multiclass", "margins", "regression"]
PINBALL = ["pinball_loss@0.90", "pinball_loss"]


def question_of(rows: PairedRows) -> Question:
    return Question(
        rows.task,
        rows.classes,
        rows.positive,
        scored=rows.base.score is not None,
        classed=rows.base.prediction is not None and rows.task != "regression",
        centre=centre_of(rows.label.min(), rows.label.max()) if rows.task == "regression" else 0.0,
        quantiles=(0.5, 0.9) if rows.task == "regression" else (),
        values=tuple(
            Value(name, better, centre_of(*ends(rows.base.values[name], rows.head.values[name])))
            for name, better in rows.values.items()
        ),
    )


def ends(*columns: Any) -> tuple[float, float]:
    return min(one.min() for one in columns), max(one.max() for one in columns)


def counted(rows: PairedRows, *parts: Any, region: Any = None, scale: Scale = SLICE) -> Sufficient:
    names = () if region is None else NAMES
    found = Sufficient.empty(question_of(rows), names, scale)
    view = view_of(rows)
    for part in parts or (np.arange(view.n),):
        cuts = [] if region is None else [Cut(NAMES, region[part])]
        found.add(view.part(part), cuts, (len(part), 7 * len(part)))
    return found


def state(found: Sufficient) -> Any:
    """All that is in it, to the bit."""
    joint = found.joint
    tables = () if joint is None else (joint.counts, joint.example, joint.mixed, joint.bands)
    cells, gaps = found.cells, found.gaps
    return (
        found.n,
        found.counts.tolist(),
        found.improbable.tolist(),
        None if cells is None else (cells.codes.tolist(), cells.counts.tolist()),
        [table.tobytes() for table in tables],
        None if gaps is None else (gaps.n, gaps.total.tolist(), gaps.product.tolist()),
        sorted((name, one.n, one.sums, one.extent) for name, one in found.losses.items()),
        found.zeros,
        found.identity,
        {name: state(part) for name, part in found.slices.items()},
        None if found.cube is None else state_of(found.cube),
    )


def state_of(cube: Cube) -> Any:
    sums = None if cube.sums is None else cube.sums.tolist()
    return cube.columns, cube.places.tolist(), cube.counts.tolist(), sums, cube.reach, cube.lost


@given(seed=SEEDS, n=st.integers(2, 300), task=st.sampled_from(TASKS))
@settings(deadline=None, max_examples=30)
def test_neither_order_nor_chunks_nor_shards_leave_a_trace(seed: int, n: int, task: str) -> None:
    rng = np.random.default_rng(seed)
    makes = {"multiclass": multiclass_rows, "regression": numbered}
    make: Any = makes.get(task, binary_rows)
    rows = make(seed, n)
    if task == "margins":
        rows = with_scores(rows, *(9 * one - 4 for one in scores_of(rows)))
    region = rng.integers(0, 2, n)
    whole = state(counted(rows, region=region))
    order = rng.permutation(n)
    chunks = np.array_split(order, int(rng.integers(1, 7)))
    assert state(counted(rows, *chunks, region=region)) == whole
    first, second = (
        counted(rows, one, region=region) for one in (order[: n // 3], order[n // 3 :])
    )
    merged = counted(rows, order[:0], region=region)
    merged.merge(second)
    merged.merge(first)
    assert state(merged) == whole
    assert compare_merged(merged, Policy()) == compare_merged(
        counted(rows, region=region), Policy()
    )


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows])
def test_what_is_no_ranking_is_what_rows_say_to_the_bit(make: Any) -> None:
    rows = make(3, 6_000)
    region = np.arange(6_000) % 2
    rows = replace(rows, slices={name: region == at for at, name in enumerate(NAMES)})
    names = [f"{name}_{kind}" for name in AVERAGED for kind in ("macro", "weighted", "micro")]
    names += [f"{name}@{label}" for name in AVERAGED for label in rows.classes]
    of_rows = {(one.metric, one.slice): one for one in compare_paired(rows, Policy(), names)}
    found = compare_merged(counted(rows, region=region, scale=WHOLE), Policy(), names)
    assert {*names} <= {one.metric for one in found}
    assert [(one.metric, one.slice) for one in found] == list(of_rows)
    cells = [one for one in found if one.metric not in (*RANKED, "log_loss", "brier")]
    assert len(cells) >= 16
    for one in cells:
        assert one == of_rows[one.metric, one.slice]
    for one in found:
        if one.metric in ("log_loss", "brier") and one.n:
            assert_alike(one, of_rows[one.metric, one.slice])


# Of relative errors and of long tails a few rows may decide: these have to be seen then.
FEW_DECIDE = {
    "plain": {"mape"},
    "far": set(),
    "tails": {"mape", "mse", "rmse", "r2"},
    "alike": {"mape"},
    "perfect": set(),
}


@pytest.mark.parametrize("sort", FEW_DECIDE)
def test_a_regression_is_what_rows_say(sort: str) -> None:
    """Also of labels far from 0, of losses with long tails, and of models that hardly differ."""
    rows = numbered(5, 6_000, sort)
    region = np.arange(6_000) % 2
    rows = replace(rows, slices={name: region == at for at, name in enumerate(NAMES)})
    of_rows = {(one.metric, one.slice): one for one in compare_paired(rows, Policy(), PINBALL)}
    found = compare_merged(counted(rows, region=region, scale=WHOLE), Policy(), PINBALL)
    assert [(one.metric, one.slice) for one in found] == list(of_rows)
    for one in found:
        assert_alike(one, of_rows[one.metric, one.slice], unsure=one.metric in FEW_DECIDE[sort])
    sure = [one for one in found if one.n and one.metric not in FEW_DECIDE[sort]]
    assert len([one for one in sure if one.low is not None]) >= (6 if sort == "perfect" else 15)


def test_so_many_rows_that_their_spread_is_known_are_judged_alike() -> None:
    rows = numbered(1, 1 << 18)
    of_rows = {one.metric: one for one in compare_paired(rows, Policy())}
    for one in compare_merged(counted(rows, scale=WHOLE), Policy()):
        assert_alike(one, of_rows[one.metric], unsure=one.metric == "mape")


def numbered(seed: int, n: int, sort: str = "plain") -> PairedRows:
    """A regression whose rows have a cost and a score of their own."""
    rng = np.random.default_rng(seed)
    rows = regression_rows(seed, n)
    assert rows.base.prediction is not None
    assert rows.head.prediction is not None
    label, base, head = rows.label, rows.base.prediction, rows.head.prediction
    if sort == "far":
        label, base, head = (one + 1e6 for one in (label, base, head))
    if sort == "tails":
        head = head + rng.standard_t(3, n)
    if sort == "alike":
        head = base + 1e-3 * rng.normal(size=n)
    if sort == "perfect":
        base, head = label, label
    costs = [{"cost": rng.gamma(2.0, size=n) - 1, "judge": 7 + rng.random(n)} for _ in range(2)]
    outputs = [Outputs(one, None, values) for one, values in zip((base, head), costs, strict=True)]
    values = {"cost": False, "judge": None}
    return replace(rows, label=label, base=outputs[0], head=outputs[1], values=values)


def assert_alike(one: MetricResult, same: MetricResult, *, unsure: bool = False) -> None:
    if unsure and one.n and (one.low is None or None in (one.head_low, one.base_low)):
        assert numbers(one)[:3] == pytest.approx(numbers(same)[:3], rel=1e-9)
        assert "nothing bounds its variance" in (one.note or "")
        return
    expected = numbers(same)
    scale = max(map(abs, expected), default=0.0)
    assert numbers(one) == pytest.approx(expected, rel=1e-9, abs=1e-9 * scale), one.metric
    assert (one.method, one.note, one.n, one.higher_is_better) == (
        same.method, same.note, same.n, same.higher_is_better,
    )  # fmt: skip


def test_labels_that_allow_no_metric_are_told() -> None:
    rows = numbered(2, 2_000)
    label = rows.label.copy()
    label[7] = 0.0
    found = {
        one.metric: one for one in compare_merged(counted(replace(rows, label=label)), Policy())
    }
    assert (found["mape"].head, found["mape"].note) == (
        None, "a label is 0, and a percentage of it means nothing",
    )  # fmt: skip
    found = {
        one.metric: one
        for one in compare_merged(counted(replace(rows, label=0 * label + 3.5)), Policy())
    }
    assert (found["r2"].head, found["r2"].note) == (None, "all labels are equal")
    assert found["mape"].low is not None


def test_a_quantile_that_was_not_asked_for_is_not_assessed() -> None:
    asked = compare_merged(counted(numbered(2, 2_000)), Policy(), ["pinball_loss@0.25"])
    assert (asked[-1].metric, asked[-1].head) == ("pinball_loss@0.25", None)
    assert "every row" in (asked[-1].note or "")


@pytest.mark.parametrize("size", [1e80, 1e160, 1.5e308])
def test_numbers_too_large_for_their_sums_are_not_assessed(size: float) -> None:
    """Whatever holds the one row: nothing is a number that the others made up."""
    rows = numbered(4, 1_000)
    assert rows.head.prediction is not None
    said = rows.head.prediction.copy()
    said[[3, 700]] = size, -size
    rows = replace(rows, head=replace(rows.head, prediction=said))
    region = np.arange(1_000) % 2
    found = counted(rows, np.arange(500), np.arange(500, 1_000), region=region)
    assert state(found) == state(counted(rows, region=region))
    results = {one.metric: one for one in compare_merged(found, Policy()) if one.slice is None}
    assert {results[name].head for name in ("mae", "mse", "rmse", "r2")} == {None}
    assert "every row" in (results["rmse"].note or "")
    assert results["cost"].low is not None
    back = from_bytes(to_bytes(found))
    assert compare_merged(back, Policy()) == compare_merged(found, Policy())


@pytest.mark.parametrize("where", ["label", "prediction", "value"])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(where: str, number: float) -> None:
    rows = numbered(3, 100)
    question, view = question_of(rows), view_of(rows)
    head = view.sides[1]
    assert head.prediction is not None
    column = {"label": view.label, "prediction": head.prediction, "value": head.values["cost"]}
    broken = column[where].copy()
    broken[5] = number
    if where == "label":
        view = replace(view, label=broken)
    else:
        more = (
            {"prediction": broken}
            if where == "prediction"
            else {"values": {**head.values, "cost": broken}}
        )
        view = replace(view, sides=(view.sides[0], replace(head, **more)))
    with pytest.raises(ComparisonError, match="not a finite number"):
        Sufficient.empty(question).add(view)


def numbers(one: MetricResult) -> list[float]:
    found = [one.base, one.head, one.difference, one.low, one.high, one.head_low, one.head_high]
    return [number for number in found if number is not None]


@given(seed=SEEDS, noise=st.sampled_from([0.01, 0.3, 1.0]), kind=st.sampled_from(["p", "margin"]))
@settings(deadline=None, max_examples=6)
def test_the_interval_of_a_ranking_holds_that_of_the_rows(
    seed: int, noise: float, kind: str
) -> None:
    """Never shorter than DeLong's by more than what is lost to the steps, and hardly longer."""
    rows = scored(4_000, seed, noise)
    if kind == "margin":
        rows = with_scores(rows, *(np.log(one / (1 - one)) for one in scores_of(rows)))
    of_rows = {one.metric: one for one in compare_paired(rows, Policy())}
    merged = {one.metric: one for one in compare_merged(counted(rows, scale=WHOLE), Policy())}
    for name in RANKED:
        exact, found = of_rows[name], merged[name]
        low, high = bounds(exact)
        blur = 2e-3 if kind == "margin" else 5e-4
        assert found.head == pytest.approx(exact.head, abs=blur)
        assert found.difference == pytest.approx(exact.difference, abs=blur)
        assert bounds(found)[0] <= low + 0.01 * (high - low) + 1e-4
        assert bounds(found)[1] >= high - 0.01 * (high - low) - 1e-4
        assert width(found) <= 1.5 * width(exact) + (2e-2 if kind == "margin" else 4e-3)


def test_ties_are_not_blurred() -> None:
    """Scores of two digits, many rows each: every step holds one score, so the AUC is exact."""
    rows = scored(5_000, 1, 0.5)
    rows = with_scores(rows, *(np.round(one, 2) for one in scores_of(rows)))
    found = counted(rows, *np.array_split(np.arange(5_000), 7), scale=WHOLE)
    assert found.joint is not None
    assert [found.joint.ranking(side).blur for side in (0, 1)] == [0.0, 0.0]
    exact = {one.metric: one for one in compare_paired(rows, Policy())}
    for one in compare_merged(found, Policy()):
        if one.metric in RANKED:
            assert one.head == pytest.approx(exact[one.metric].head, abs=1e-15)
            assert one.head_low == pytest.approx(exact[one.metric].head_low, abs=1e-9)


def test_different_scores_in_one_step_are_told_whoever_saw_them() -> None:
    joint, other = Joint.empty(SLICE, 1), Joint.empty(SLICE, 1)
    actual = np.array([True, False])
    joint.add([np.array([0.3, 0.3])], actual)
    assert joint.ranking(0).mixed is None
    other.add([np.array([0.3000001, 0.3000001])], actual)
    joint.merge(other)
    assert joint.ranking(0).blur == 0.5


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_steps_rise_with_the_scores(values: list[float]) -> None:
    score = np.sort(np.array([*values, 0.0, 0.5, 1.0, -0.0]))
    for scale in (WHOLE, SLICE):
        steps = scale.step_of(score)
        assert (np.diff(steps) >= 0).all()
        assert steps.min() >= 0
        assert steps.max() < scale.steps
        assert (np.diff(scale.band_of) >= 0).all()
        assert len(scale.band_of) == scale.steps


def test_scores_that_are_no_probabilities_are_named_and_ranked() -> None:
    rows = scored(3_000, 2, 0.5)
    score = scores_of(rows)[1].copy()
    score[[5, 2_900]] = 1.5
    rows = with_scores(rows, scores_of(rows)[0], score)
    found = counted(rows, np.arange(1_500), np.arange(1_500, 3_000))
    results = {one.metric: one for one in compare_merged(found, Policy())}
    assert results["log_loss"].note == "head: 2 scores lie outside 0…1"
    assert results["log_loss"].head is None
    assert results["roc_auc"].low is not None


def test_nothing_is_certain_of_models_that_answer_alike() -> None:
    rows = scored(5_000, 4, 0.5)
    rows = replace(rows, head=rows.base)
    for one in compare_merged(counted(rows, scale=WHOLE), Policy()):
        if one.low is not None:
            low, high = bounds(one)
            assert low < 0 < high, one.metric
    found = counted(rows, scale=WHOLE)
    found.identical = True
    assert {one.low for one in compare_merged(found, Policy())} == {0.0}


def test_more_pairs_than_64_bits_hold_are_counted() -> None:
    """Merged with itself, a hundred thousand million rows: the AUC is that of the first ones."""
    found = counted(scored(1_000, 1, 0.5))
    assert found.joint is not None
    area = placements(found.joint.ranking(0)).area
    found.joint.counts *= 10**8
    assert placements(found.joint.ranking(0)).area == pytest.approx(area, abs=1e-15)


def test_few_rows_are_not_judged_by_sums() -> None:
    results = {one.metric: one for one in compare_merged(counted(scored(200, 1, 0.5)), Policy())}
    assert results["log_loss"].low is None
    assert results["log_loss"].note


def test_a_metric_that_needs_rows_says_so() -> None:
    rows = multiclass_rows(1, 3_000)
    results = {one.metric: one for one in compare_merged(counted(rows), Policy())}
    assert results["roc_auc"].head is None
    assert "every row" in (results["roc_auc"].note or "")


def test_what_is_not_finite_is_refused() -> None:
    rows = scored(10, 1, 0.5)
    scores_of(rows)[0][3] = np.nan
    with pytest.raises(ComparisonError, match="finite"):
        counted(rows)


def test_other_questions_do_not_merge() -> None:
    with pytest.raises(ValueError, match="questions"):
        counted(binary_rows(1, 10)).merge(counted(multiclass_rows(1, 10)))


def scored(n: int, seed: int, noise: float) -> PairedRows:
    """A score like a model's, and one that differs from it by `noise`."""
    rng = np.random.default_rng(seed)
    rows = binary_rows(seed, n)
    signal = rng.standard_normal(n) + rows.label
    base, head = (
        1 / (1 + np.exp(-(signal - 0.5 + by * rng.standard_normal(n)))) for by in (0, noise)
    )
    return with_scores(rows, base, head)


def with_scores(rows: PairedRows, base: Any, head: Any) -> PairedRows:
    return replace(rows, base=replace(rows.base, score=base), head=replace(rows.head, score=head))


def scores_of(rows: PairedRows) -> tuple[Any, Any]:
    assert rows.base.score is not None
    assert rows.head.score is not None
    return rows.base.score, rows.head.score


def bounds(one: MetricResult) -> tuple[float, float]:
    assert one.low is not None, one.note
    assert one.high is not None
    return one.low, one.high


def width(one: MetricResult) -> float:
    low, high = bounds(one)
    return high - low


@pytest.mark.parametrize("rows", [binary_rows(3, 2_000), multiclass_rows(3, 2_000)])
def test_two_samples_are_what_rows_of_two_samples_are(rows: PairedRows) -> None:
    """The intervals of scores have the bound of their steps in them; counts are the same."""
    samples = [cut(side_of(rows, side), part) for side, part in (("base", 1_200), ("head", -900))]
    of_rows = {
        (one.metric, one.slice): one for one in compare_unpaired(samples[0], samples[1], Policy())
    }
    merged = [single(one) for one in samples]
    found = compare_merged_apart(merged[0], merged[1], Policy(), ["f1"])
    assert {(one.metric, one.slice) for one in found} == set(of_rows)
    for one in found:
        known = of_rows[one.metric, one.slice]
        assert one.evidence == "unpaired"
        assert one.n == known.n
        if one.metric in LOSSES and one.slice is not None:
            assert "nothing bounds its variance" in str(one.note), "few rows are resampled"
            continue
        if rows.task == "multiclass" and one.metric == "roc_auc":
            assert "it needs every row" in str(one.note)
            continue
        slack = 2e-3 if one.metric in (*RANKED, *LOSSES) else 1e-12
        for name in ("base", "head", "difference", "low", "high", "head_low", "base_high"):
            assert getattr(one, name) == pytest.approx(getattr(known, name), abs=slack), one


def cut(rows: SingleRows, at: int) -> SingleRows:
    """The first rows, or the last; only the first have a slice `region=west`."""
    part = slice(0, at) if at > 0 else slice(at, None)
    names = NAMES if at > 0 else NAMES[:2]
    region = np.arange(abs(at)) % len(names)
    prediction, score = rows.outputs.prediction, rows.outputs.score
    assert prediction is not None
    assert score is not None
    outputs = Outputs(prediction[part], score[part])
    slices = {name: region == code for code, name in enumerate(names)}
    return replace(rows, label=rows.label[part], outputs=outputs, slices=slices)


def single(rows: SingleRows) -> Sufficient:
    asked = Question(rows.task, rows.classes, rows.positive, sides=1)
    found = Sufficient.empty(asked, tuple(rows.slices), SLICE)
    names = tuple(rows.slices)
    codes = np.argmax([rows.slices[name] for name in names], axis=0)
    found.add(view_of(rows), [Cut(names, codes)])
    return found
