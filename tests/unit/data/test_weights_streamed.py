"""Rows with weights, counted as they are read: what the rows in memory come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.data import ColumnsRequest, pair, read_predictions, room, stream_pair
from mlops_ci.records.results import MetricResult
from mlops_ci.steps.measure import WEIGHED
from mlops_ci.steps.two_files import Files, compare_files
from mlops_ci.verdict import PairedRows, compare_merged, compare_paired
from tests.unit.data import test_grouping
from tests.unit.data.counted import take_all_for_large
from tests.unit.data.files import write

REQUEST = ColumnsRequest(slices=("region",), values={"cost": False})
ASKED = {
    "binary": ("f1_weighted", "recall_micro", "ndcg"),
    "multiclass": ("f1_weighted", "recall@cat", "recall_micro"),
    "regression": ("pinball_loss@0.9", "mse"),
}
ALL = tuple({name for names in ASKED.values() for name in names})
Columns = dict[str, Any]


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    take_all_for_large(monkeypatch)


def weights(rows: int, seed: int = 7) -> list[float]:
    """Some are 0."""
    rng = np.random.default_rng(seed)
    found = rng.gamma(2.0, size=rows)
    found[rng.random(rows) < 0.1] = 0
    return found.tolist()  # type: ignore[no-any-return]


def sides(make: Any, rows: int, weight: list[float], *, groups: int = 0) -> tuple[Columns, Columns]:
    found = [make(rows, groups or 50, seed) | {"weight": weight} for seed in (1, 2)]
    if not groups:
        for side in found:
            del side["group"]
    return found[0], found[1]


def both(tmp_path: Path, base: Columns, head: Columns) -> tuple[Path, Path]:
    return write(tmp_path / "base.parquet", base), write(tmp_path / "head.parquet", head)


def of_stream(paths: tuple[Path, Path]) -> tuple[MetricResult, ...]:
    streamed = stream_pair(*paths, REQUEST, ALL)
    assert streamed is not None
    return compare_merged(streamed.found, Policy(), ASKED[streamed.found.question.task])


def of_rows(paths: tuple[Path, Path]) -> tuple[MetricResult, ...]:
    pairing = pair(*(read_predictions(path, REQUEST) for path in paths))
    assert isinstance(pairing.rows, PairedRows)
    return compare_paired(pairing.rows, Policy(), ASKED[pairing.rows.task])


def sums_of(paths: tuple[Path, Path]) -> list[Any]:
    """All that intervals are made of."""
    streamed = stream_pair(*paths, REQUEST, ALL)
    assert streamed is not None
    found: list[Any] = []
    for part in (streamed.found, *streamed.found.slices.values()):
        one = part.weighed
        assert one is not None
        assert one.grouped is not None
        found += [part.n, one.least / one.most, one.worth, one.scale * one.most]
        found += [one.means(name).tolist() for name in sorted(part.losses)]
        found += [] if part.gaps is None else [one.gaps.tolist()]
        for name, sums in sorted(one.grouped.sums.items()):
            found += [name, sums.reach, [column.totals for column in sums.columns]]
    return found


ENDS = ("low", "high", "base_low", "base_high", "head_low", "head_high", "se")


def check(found: tuple[MetricResult, ...], expected: tuple[MetricResult, ...]) -> None:
    """To rounding: scores of three digits have steps of their own."""
    names, wanted = ([(one.metric, one.slice) for one in every] for every in (found, expected))
    assert names == wanted
    for one, same in zip(found, expected, strict=True):
        for name in ("base", "head", "difference", *ENDS):
            value, wanted_value = getattr(one, name), getattr(same, name)
            slack = 1e-9 if name in ENDS else 1e-12
            assert (value is None) == (wanted_value is None), (name, one, same)
            if value is not None:
                assert value == pytest.approx(wanted_value, rel=slack, abs=slack), (name, one, same)
        assert (one.method, one.note, one.n) == (same.method, same.note, same.n)


MAKERS = [test_grouping.binary, test_grouping.numbers, test_grouping.classes]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("groups", [0, 700])
def test_they_come_to_what_their_rows_do(tmp_path: Path, groups: int, make: Any) -> None:
    paths = both(tmp_path, *sides(make, 4_000, weights(4_000), groups=groups))
    check(of_stream(paths), of_rows(paths))


def test_a_slice_of_equal_weights_is_what_it_is_without_them(tmp_path: Path) -> None:
    """Its rows are counted, and may be ranked."""
    for groups in (0, 700):
        base, head = sides(test_grouping.binary, 4_000, weights(4_000), groups=groups)
        north = np.array(base["region"]) == "north"
        weight = np.where(north, 2.5, base["weight"]).tolist()
        (tmp_path / str(groups)).mkdir()
        paths = both(tmp_path / str(groups), base | {"weight": weight}, head | {"weight": weight})
        methods = {one.slice: one.method for one in of_stream(paths) if one.metric == "f1"}
        assert "weighted" not in methods["region=north"]
        assert "weighted" in methods["region=south"]
        if groups:  # without them the change of a ranking has the bound of its bands
            check(of_stream(paths), of_rows(paths))


@pytest.mark.parametrize("make", MAKERS)
def test_equal_weights_are_none(tmp_path: Path, make: Any) -> None:
    base, head = sides(make, 2_000, [3.0] * 2_000)
    found = of_stream(both(tmp_path, base, head))
    for side in (base, head):
        del side["weight"]
    assert found == of_stream(both(tmp_path, base, head))


def test_a_row_without_weight_is_not_there(tmp_path: Path) -> None:
    base, head = sides(test_grouping.binary, 3_000, weights(3_000))
    found = sums_of(both(tmp_path, base, head))
    there = np.flatnonzero(base["weight"])
    assert len(there) < 3_000
    left = [
        {name: [column[at] for at in there] for name, column in side.items()}
        for side in (base, head)
    ]
    assert found == sums_of(both(tmp_path, left[0], left[1]))


def test_a_row_of_weight_three_has_the_value_of_three_rows(tmp_path: Path) -> None:
    weight = [float(row % 4) for row in range(2_000)]
    base, head = sides(test_grouping.binary, 2_000, weight)
    found = of_stream(both(tmp_path, base, head))
    rows = np.repeat(np.arange(2_000), np.array(weight, dtype=int))
    more = [
        {name: [column[at] for at in rows] for name, column in side.items()}
        | {"id": list(range(len(rows)))}
        for side in (base, head)
    ]
    for side in more:
        del side["weight"]
    for one, same in zip(found, of_stream(both(tmp_path, more[0], more[1])), strict=True):
        if one.base is not None:
            assert (one.base, one.head) == pytest.approx((same.base, same.head), rel=1e-12)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32 - 1),
    chunk=st.sampled_from([300, 1_000, 1 << 21]),
    groups=st.sampled_from([0, 40, 400]),
    make=st.sampled_from(MAKERS),
    power=st.sampled_from([-40, 0, 40]),
)
def test_order_and_chunks_and_units_of_weight_leave_no_trace(
    tmp_path: Path, seed: int, chunk: int, groups: int, make: Any, power: int
) -> None:
    found = []
    base, head = sides(make, 1_200, weights(1_200, seed), groups=groups)
    with pytest.MonkeyPatch.context() as patch:
        for rows, mix, unit in ((1 << 21, False, 0), (chunk, True, power)):
            patch.setattr(room, "CHUNK", rows)
            weight = np.ldexp(base["weight"], unit).tolist()
            pair_of = [side | {"weight": weight} for side in (base, head)]
            if mix:
                pair_of = [
                    test_grouping.shuffled(side, seed + at) for at, side in enumerate(pair_of)
                ]
            found.append(sums_of(both(tmp_path, pair_of[0], pair_of[1])))
    assert found[0] == found[1]


def test_what_the_steps_hide_is_in_the_interval(tmp_path: Path) -> None:
    """Scores far closer together than the steps of a slice are."""
    base, head = sides(test_grouping.binary, 4_000, weights(4_000))
    for at, side in enumerate((base, head)):
        score = np.array(side["score"]) + np.random.default_rng(at).normal(size=4_000) * 1e-5
        side["score"] = np.clip(score, 0, 1).tolist()
        side["prediction"] = [int(one >= 0.5) for one in side["score"]]
    paths = both(tmp_path, base, head)
    wider = 0
    for one, same in zip(of_stream(paths), of_rows(paths), strict=True):
        if one.metric not in ("roc_auc", "average_precision") or same.low is None:
            continue
        assert None not in (one.low, one.high)
        assert one.difference == pytest.approx(same.difference, abs=2e-3)
        assert float(one.low or 0) <= same.low + 1e-6
        assert float(one.high or 0) >= float(same.high or 0) - 1e-6
        wider += one.low != pytest.approx(same.low, abs=1e-9)
    assert wider


def test_heads_weights_alone_do_not_count(tmp_path: Path) -> None:
    base, head = sides(test_grouping.numbers, 500, weights(500))
    del base["weight"]
    streamed = stream_pair(*both(tmp_path, base, head), REQUEST)
    assert streamed is not None
    assert streamed.found.weighed is None
    assert any(note.startswith("Only head has weights") for note in streamed.notes)


def test_notes_say_whose_weights_count(tmp_path: Path) -> None:
    base, head = sides(test_grouping.numbers, 500, weights(500))
    changed = [one + (at < 3) for at, one in enumerate(head["weight"])]
    paths = both(tmp_path, base, head | {"weight": changed})
    streamed = stream_pair(*paths, REQUEST)
    pairing = pair(*(read_predictions(path, REQUEST) for path in paths))
    assert streamed is not None
    said = [note for note in pairing.notes if "weight" in note]
    assert len(said) == 2
    assert said == [note for note in streamed.notes if "weight" in note]
    assert streamed.counts.paired == 500


def test_weak_slices_are_not_told_by_rows(tmp_path: Path) -> None:
    base, head = sides(test_grouping.binary, 1_500, weights(1_500))
    found = compare_files(Files(*both(tmp_path, base, head), REQUEST, (), Policy())).comparison
    assert WEIGHED in found.notes
    assert found.weak_slices == ()


LEFT: dict[str, Columns] = {
    "a weight below 0": {"weight": [-1.0] + [1.0] * 499},
    "a weight that is not finite": {"weight": [float("inf")] + [1.0] * 499},
    "a weight that is missing": {"weight": [None] + [1.0] * 499},
    "no row that weighs anything": {"weight": [0.0] * 500},
    "weights that are texts": {"weight": ["1"] * 500},
}


@pytest.mark.parametrize("case", LEFT)
def test_weights_that_no_row_can_have_are_left_to_the_rows(tmp_path: Path, case: str) -> None:
    base, head = sides(test_grouping.numbers, 500, weights(500))
    assert stream_pair(*both(tmp_path, base | LEFT[case], head), REQUEST) is None
    assert stream_pair(*both(tmp_path, base, head | LEFT[case]), REQUEST) is None
    del base["weight"]
    assert stream_pair(*both(tmp_path, base, head | LEFT[case]), REQUEST) is None


def test_what_needs_the_rows_is_left_to_them(tmp_path: Path) -> None:
    base, head = sides(test_grouping.binary, 500, weights(500))
    fewer = {name: column[:450] for name, column in head.items()}
    assert stream_pair(*both(tmp_path, base, fewer), REQUEST) is None
    other = head | {"id": [7_000 + one if one < 20 else one for one in head["id"]]}
    assert stream_pair(*both(tmp_path, base, other), REQUEST) is None
    several = test_grouping.classes(500, 50, 1)
    several |= {f"score_{name}": [1 / 3] * 500 for name in ("cat", "dog", "owl")}
    del several["group"]
    assert stream_pair(*both(tmp_path, several, several), REQUEST) is not None
    several["weight"] = weights(500)
    assert stream_pair(*both(tmp_path, several, several), REQUEST) is None


def test_a_group_of_most_weight_is_told_as_in_memory(tmp_path: Path) -> None:
    base, head = sides(test_grouping.numbers, 900, weights(900), groups=200)
    weight = [99.0 if row < 20 else one for row, one in enumerate(base["weight"])]
    group = ["nobody"] * 20 + base["group"][20:]
    more = {"weight": weight, "group": group}
    paths = both(tmp_path, base | more, head | more)
    found, expected = of_stream(paths), of_rows(paths)
    assert "of all weight" in str(found[0].note)
    check(found, expected)
