"""Rows that belong together, counted as they are read: what the rows in memory come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.data import ColumnsRequest, pair, read_predictions, room, stream_pair
from mlops_ci.data.overlap import BY_GROUPS, HEAD_GROUPS
from mlops_ci.records.results import MetricResult
from mlops_ci.steps.measure import TOGETHER
from mlops_ci.steps.two_files import Files, compare_files
from mlops_ci.verdict import PairedRows, compare_merged, compare_paired
from tests.unit.data.counted import check_alike, take_all_for_large
from tests.unit.data.files import write

REQUEST = ColumnsRequest(slices=("region",), values={"cost": False})
ASKED = ("pinball_loss@0.9", "f1_weighted")
Columns = dict[str, Any]


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    take_all_for_large(monkeypatch)


def shared(rows: int, groups: int, seed: int = 0) -> Columns:
    """What both sides have: groups of 1 to some 6 times the mean number of rows."""
    rng = np.random.default_rng(seed)
    group = (groups * rng.random(rows) ** 1.5).astype(int)
    region = rng.choice(["north", "south", "west"], rows, p=[0.2, 0.3, 0.5])
    names = [f"user {one}" for one in group]
    return {"id": list(range(rows)), "group": names, "region": region.tolist()}


def cost(rows: int, seed: int) -> list[float]:
    return np.random.default_rng(seed).gamma(2.0, size=rows).tolist()  # type: ignore[no-any-return]


def binary(rows: int, groups: int, seed: int) -> Columns:
    """Rows of one group have much in common."""
    columns = shared(rows, groups)
    rng, same = np.random.default_rng(seed), np.random.default_rng(99)
    of_group = dict(zip(sorted(set(columns["group"])), same.normal(size=groups), strict=False))
    effect = np.array([of_group[one] for one in columns["group"]])
    label = (effect + same.normal(size=rows) > 0.5).astype(int)
    score = 1 / (1 + np.exp(-(effect + rng.normal(size=rows) + label - 0.5)))
    said = {"label": label.tolist(), "score": score.round(3).tolist()}
    return {**columns, **said, "cost": cost(rows, seed)}


def numbers(rows: int, groups: int, seed: int) -> Columns:
    columns = shared(rows, groups)
    label = 50 + np.random.default_rng(0).normal(size=rows)
    said = label + np.random.default_rng(seed).normal(size=rows)
    values = {"label": label.tolist(), "prediction": said.tolist()}
    return {**columns, **values, "cost": cost(rows, seed)}


def classes(rows: int, groups: int, seed: int) -> Columns:
    columns = shared(rows, groups)
    label = np.random.default_rng(0).choice(["cat", "dog", "owl"], rows)
    other = np.random.default_rng(seed).choice(["cat", "dog", "owl"], rows)
    said = np.where(np.random.default_rng(seed + 9).random(rows) < 0.7, label, other)
    values = {"label": label.tolist(), "prediction": said.tolist()}
    return {**columns, **values, "cost": cost(rows, seed)}


def shuffled(columns: Columns, seed: int) -> Columns:
    order = np.random.default_rng(seed).permutation(len(columns["id"]))
    return {name: [values[at] for at in order] for name, values in columns.items()}


def both(tmp_path: Path, base: Columns, head: Columns) -> tuple[Path, Path]:
    return write(tmp_path / "base.parquet", base), write(tmp_path / "head.parquet", head)


def of_stream(paths: tuple[Path, Path], policy: Policy) -> tuple[MetricResult, ...]:
    streamed = stream_pair(*paths, REQUEST, ASKED)
    assert streamed is not None
    assert BY_GROUPS in streamed.notes
    return compare_merged(streamed.found, policy, asked_for(streamed.found.question.task))


def of_rows(paths: tuple[Path, Path], policy: Policy) -> tuple[MetricResult, ...]:
    pairing = pair(*(read_predictions(path, REQUEST) for path in paths))
    assert isinstance(pairing.rows, PairedRows)
    return compare_paired(pairing.rows, policy, asked_for(pairing.rows.task))


def asked_for(task: str) -> tuple[str, ...]:
    return ASKED[:1] if task == "regression" else ASKED[1:]


SIZES = {"few groups": (900, 40), "many groups": (3_000, 900)}


@pytest.mark.parametrize("make", [binary, numbers, classes])
@pytest.mark.parametrize("size", SIZES)
def test_they_come_to_what_their_rows_do(tmp_path: Path, size: str, make: Any) -> None:
    paths = both(tmp_path, make(*SIZES[size], 1), make(*SIZES[size], 2))
    check_alike(of_stream(paths, Policy()), of_rows(paths, Policy()))


@pytest.mark.parametrize("make", [binary, numbers])
def test_order_and_chunks_leave_no_trace(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, head = (make(2_000, 600, seed) for seed in (1, 2))
    found = []
    for at, (rows, mix) in enumerate([(1 << 21, False), (900, True)]):
        monkeypatch.setattr(room, "CHUNK", rows)
        (tmp_path / str(at)).mkdir()
        sides = (shuffled(base, 3), shuffled(head, 4)) if mix else (base, head)
        found.append(of_stream(both(tmp_path / str(at), *sides), Policy()))
    assert found[0] == found[1]


def test_rows_in_another_order_and_rows_of_one_side_are_joined_first(tmp_path: Path) -> None:
    base, head = (numbers(2_000, 300, seed) for seed in (1, 2))
    head = {name: values[100:] for name, values in shuffled(head, 5).items()}
    paths = both(tmp_path, base, head)
    streamed = stream_pair(*paths, REQUEST, ASKED)
    assert streamed is not None
    assert streamed.found.n == 1_900
    check_alike(of_stream(paths, Policy()), of_rows(paths, Policy()))


def test_groups_of_heads_alone_do_not_count(tmp_path: Path) -> None:
    base, head = (numbers(500, 50, seed) for seed in (1, 2))
    del base["group"]
    streamed = stream_pair(*both(tmp_path, base, head), REQUEST)
    assert streamed is not None
    assert HEAD_GROUPS in streamed.notes
    assert streamed.found.grouped is None


LEFT: dict[str, Columns] = {
    "a row without a group": {"group": [None] + ["user"] * 499},
}


@pytest.mark.parametrize("case", LEFT)
def test_what_needs_the_rows_is_left_to_them(tmp_path: Path, case: str) -> None:
    paths = both(tmp_path, numbers(500, 50, 1) | LEFT[case], numbers(500, 50, 2))
    assert stream_pair(*paths, REQUEST) is None


def test_one_group_that_decides_is_looked_at_where_few_differ(tmp_path: Path) -> None:
    """A group far larger than all others: no mean of groups is normal."""
    rows = 3_000
    group = [f"user {max(0, row - 900)}" for row in range(rows)]
    base, head = (numbers(rows, 10, seed) | {"group": group} for seed in (1, 2))
    head["prediction"] = base["label"][:900] + head["prediction"][900:]
    paths = both(tmp_path, base, head)
    found = of_stream(paths, Policy())
    expected = of_rows(paths, Policy())
    for one, same in zip(found, expected, strict=True):
        assert one.difference == pytest.approx(same.difference, rel=1e-9)
        if one.low is None:
            assert one.note == "not assessed: nothing bounds its variance on these rows"
        else:
            assert one.low == pytest.approx(same.low, rel=1e-9, abs=1e-9)
    of_mae = next(one for one in found if (one.metric, one.slice) == ("mae", None))
    assert (of_mae.low, of_mae.high) == (None, None)


def test_weak_slices_are_not_told_by_rows(tmp_path: Path) -> None:
    base = binary(1_500, 600, 1)
    north = np.array(base["region"]) == "north"
    score = np.where(north, 1 - np.array(base["score"]), base["score"])
    head = base | {"score": score.tolist()}
    found = compare_files(Files(*both(tmp_path, base, head), REQUEST, (), Policy())).comparison
    assert TOGETHER in found.notes
    assert found.weak_slices == ()


def test_a_group_of_most_rows_is_told_as_in_memory(tmp_path: Path) -> None:
    sides = []
    for name, seed in (("base", 1), ("head", 2)):
        columns = binary(4_000, 300, seed)
        columns["group"] = ["nobody"] * 1_600 + columns["group"][1_600:]
        sides.append(write(tmp_path / f"{name}.parquet", columns))
    streamed = stream_pair(sides[0], sides[1], REQUEST, ())
    assert streamed is not None
    found = compare_merged(streamed.found, Policy())
    pairing = pair(*(read_predictions(side, REQUEST) for side in sides))
    assert isinstance(pairing.rows, PairedRows)
    for results in (found, compare_paired(pairing.rows, Policy())):
        told = {one.metric: str(one.note) for one in results if one.slice is None}
        assert "one group has 1,600 of 4,000 rows, over a third" in told["log_loss"]
        assert "one group has 1,600" in told["roc_auc"]
