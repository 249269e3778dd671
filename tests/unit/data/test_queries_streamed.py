"""Rankings of queries whose rows lie anywhere in large files: what the rows in memory come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Gate, Policy
from mlops_ci.data import ColumnsRequest, joined, pair, read_predictions, room, stream_pair
from mlops_ci.data.streaming import COUNTED
from mlops_ci.records import MetricResult
from mlops_ci.steps.two_files import Files, compare_files
from mlops_ci.verdict import PairedRows, compare_merged, compare_paired
from mlops_ci.verdict.merged import NO_ROWS
from tests.unit.data.counted import take_all_for_large
from tests.unit.data.files import write

REQUEST = ColumnsRequest(slices=("region",))
ASKED = ("ndcg", "ndcg@3", "mrr")
ENDS = ("base", "head", "difference", "low", "high", "base_low", "base_high", "head_low", "n", "se")
Columns = dict[str, Any]


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    take_all_for_large(monkeypatch)
    monkeypatch.setattr(joined, "SHARE", 2)


def columns(seed: int, rows: int, queries: int, *, numbers: bool = False) -> Columns:
    """Queries of some rows each; a few find nothing, and scores are often tied."""
    same, rng = np.random.default_rng(0), np.random.default_rng(seed)
    query = same.integers(0, queries, rows)
    label = same.integers(0, 4, rows) * (same.random(rows) < 0.4) * (query % 9 > 0)
    said = np.round(0.2 * label + rng.normal(size=rows), 1)
    found = {
        "id": list(range(rows)),
        "group": [f"query {one}" for one in query],
        "region": same.choice(["north", "south", "west"], rows, p=[0.1, 0.3, 0.6]).tolist(),
    }
    if numbers:
        return found | {"label": label.astype(float).tolist(), "prediction": said.tolist()}
    answers = {"score": said.tolist(), "prediction": (said > 0.5).astype(int).tolist()}
    return found | answers | {"label": (label > 0).astype(int).tolist()}


def shuffled(side: Columns) -> Columns:
    order = np.random.default_rng(3).permutation(len(side["id"]))
    return {name: [values[at] for at in order] for name, values in side.items()}


def files(tmp_path: Path, base: Columns, head: Columns) -> tuple[Path, Path]:
    return write(tmp_path / "base.parquet", base), write(tmp_path / "head.parquet", head)


def of_queries(found: tuple[MetricResult, ...]) -> list[MetricResult]:
    return [one for one in found if one.metric in ASKED]


def check(paths: tuple[Path, Path]) -> list[MetricResult]:
    streamed = stream_pair(*paths, REQUEST, ASKED)
    assert streamed is not None
    pairing = pair(*(read_predictions(path, REQUEST) for path in paths))
    assert isinstance(pairing.rows, PairedRows)
    expected = of_queries(compare_paired(pairing.rows, Policy(), ASKED))
    found = of_queries(compare_merged(streamed.found, Policy(), ASKED))
    assert len(found) == 3 * 4
    assert streamed.notes == (COUNTED, *pairing.notes)
    for one, same in zip(found, expected, strict=True):
        assert (one.metric, one.slice, one.note) == (same.metric, same.slice, same.note)
        assert one.method == same.method
        for name in ENDS:
            value, wanted = getattr(one, name), getattr(same, name)
            assert (value is None) == (wanted is None), (one, name)
            assert value is None or value == pytest.approx(wanted, rel=1e-9, abs=1e-9), (one, name)
    return found


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("queries", [60, 2_500])
def test_they_come_to_what_their_rows_do(tmp_path: Path, queries: int, numbers: bool) -> None:
    """Of few queries and of many."""
    sides = [columns(seed, 8_000, queries, numbers=numbers) for seed in (1, 2)]
    found = check(files(tmp_path, sides[0], shuffled(sides[1])))
    assert all(one.low is not None for one in found)


def test_head_may_say_alone_which_rows_are_one_query(tmp_path: Path) -> None:
    base, head = columns(1, 8_000, 900), columns(2, 8_000, 900)
    del base["group"]
    check(files(tmp_path, base, head))


def test_rows_of_one_side_are_in_no_query(tmp_path: Path) -> None:
    base, head = columns(1, 8_000, 900), columns(2, 8_000, 900)
    check(files(tmp_path, base, {name: values[300:] for name, values in head.items()}))


def test_a_slice_where_no_query_finds_anything_says_so(tmp_path: Path) -> None:
    base, head = columns(1, 4_000, 400), columns(2, 4_000, 400)
    north = [region == "north" for region in base["region"]]
    for side in (base, head):
        side["label"] = [0 if one else y for one, y in zip(north, side["label"], strict=True)]
    found = check(files(tmp_path, base, head))
    assert {one.head for one in found if one.slice == "region=north"} == {None}


def test_what_was_not_asked_for_while_counting_is_not_assessed(tmp_path: Path) -> None:
    paths = files(tmp_path, columns(1, 4_000, 400), columns(2, 4_000, 400))
    streamed = stream_pair(*paths, REQUEST, ["mrr"])
    assert streamed is not None
    (one, *_) = of_queries(compare_merged(streamed.found, Policy(), ["ndcg"]))
    assert (one.base, one.note) == (None, NO_ROWS)


def test_chunks_leave_no_trace_and_a_gate_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path, columns(1, 6_000, 700), columns(2, 6_000, 700))
    gates = [Gate(metric="ndcg@3", kind="max-drop", limit=0.2)]
    found = []
    for chunk in (1_600, 2_500, 1 << 21):
        monkeypatch.setattr(room, "CHUNK", chunk)
        found.append(compare_files(Files(*paths, REQUEST, gates, Policy())).comparison)
    assert found[0].gates[0].verdict == "pass"
    assert COUNTED in found[0].notes
    assert of_queries(found[0].metrics) == of_queries(found[1].metrics)
    assert of_queries(found[0].metrics) == of_queries(found[2].metrics)
