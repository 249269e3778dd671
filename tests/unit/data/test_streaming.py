"""Two files counted as they are read: what the rows in memory come to, or left to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Gate, Policy
from mlops_ci.data import ColumnsRequest, pair, read_predictions, room, stream_pair
from mlops_ci.data.streaming import COUNTED
from mlops_ci.errors import ComparisonError, MlopsCiError
from mlops_ci.steps import two_files
from mlops_ci.steps.two_files import Files, compare_files
from mlops_ci.verdict import PairedRows, compare_merged
from tests.unit.data.counted import in_memory
from tests.unit.data.files import binary, write

ROWS = 257
REQUEST = ColumnsRequest(slices=("region",))
VALUED = ColumnsRequest(slices=("region",), values={"cost": False, "judge": None})
Columns = dict[str, Any]


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is large, and a chunk is small."""
    monkeypatch.setattr(room, "MANY", 10)
    monkeypatch.setattr(room, "CHUNK", 50)
    monkeypatch.setattr(two_files, "FEW_BYTES", 10)


def columns(seed: int, **more: Any) -> Columns:
    region = [("north", "south", "west")[n % 3] for n in range(ROWS)]
    return binary(ROWS, seed) | {"region": region} | more


def both(keys: list[int]) -> tuple[Columns, Columns]:
    return columns(1, id=keys), columns(2, id=keys)


def texts() -> list[str]:
    return [f"row {n * 7 % ROWS}" for n in range(ROWS)]


def classes(seed: int) -> Columns:
    said = np.random.default_rng(seed).choice(["cat", "dog", "owl"], ROWS)
    label = [("cat", "dog", "owl")[n % 3] for n in range(ROWS)]
    return columns(seed) | {"label": label, "prediction": said.tolist()}


def numbers(seed: int, rows: int = ROWS, **more: Any) -> Columns:
    """A regression whose rows have a cost and a judge's score."""
    rng = np.random.default_rng(seed)
    label = 50 + np.random.default_rng(0).normal(size=rows)
    region = [("north", "south", "west")[n % 3] for n in range(rows)]
    return {
        "id": list(range(rows)),
        "region": region,
        "label": label.tolist(),
        "prediction": (label + rng.normal(size=rows)).tolist(),
        "cost": rng.gamma(2.0, size=rows).tolist(),
        "judge": rng.integers(1, 6, rows).tolist(),
    } | more


def without(columns: Columns, *names: str) -> Columns:
    return {name: values for name, values in columns.items() if name not in names}


CASES: dict[str, tuple[Columns, Columns]] = {
    "numbers as keys": (columns(1), columns(2)),
    "keys in no order": both([n * 7 % ROWS for n in range(ROWS)]),
    "text as keys": (columns(1, id=texts()), columns(2, id=texts())),
    "no keys": (without(columns(1), "id"), without(columns(2), "id")),
    "classes of its own": (columns(1), columns(2, prediction=[n % 2 for n in range(ROWS)])),
    "a regression": (numbers(1), numbers(2)),
    "values beside classes": (
        columns(1, cost=numbers(1)["cost"], judge=numbers(1)["judge"]),
        columns(2, cost=numbers(2)["cost"], judge=numbers(2)["judge"]),
    ),
    "many classes": (without(classes(1), "score"), without(classes(2), "score")),
}
FORMS = ("parquet", "jsonl")


def files(tmp_path: Path, base: Columns, head: Columns, form: str = "parquet") -> tuple[Path, Path]:
    return write(tmp_path / f"base.{form}", base), write(tmp_path / f"head.{form}", head)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_they_come_to_what_their_rows_do(tmp_path: Path, case: str, form: str) -> None:
    paths = files(tmp_path, *CASES[case], form)
    request = VALUED if "cost" in CASES[case][0] else REQUEST
    streamed = stream_pair(*paths, request, ["pinball_loss@0.9"])
    assert streamed is not None
    read = [read_predictions(path, request) for path in paths]
    pairing = pair(*read)
    assert isinstance(pairing.rows, PairedRows)
    found = compare_merged(in_memory(pairing.rows), Policy())
    assert compare_merged(streamed.found, Policy()) == found
    assert streamed.counts == pairing.counts
    assert streamed.rows_digest == read[0].rows_digest == read[1].rows_digest
    assert streamed.digests == (read[0].digest, read[1].digest)
    assert streamed.resolution == read[1].resolution
    assert streamed.notes == (COUNTED, *pairing.notes)


def test_the_size_of_a_chunk_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path, columns(1), columns(2))
    results = []
    for rows in (50, 64, 1_000):
        monkeypatch.setattr(room, "CHUNK", rows)
        results.append(compare_files(asked(*paths)).comparison)
    assert results[0] == results[1] == results[2]
    assert COUNTED in results[0].notes
    assert {one.slice for one in results[0].metrics} == {
        None, "region=north", "region=south", "region=west",
    }  # fmt: skip


def asked(base: Path, head: Path, request: ColumnsRequest = REQUEST) -> Files:
    return Files(base, head, request, [Gate(metric="accuracy", kind="min", limit=0.2)], Policy())


def test_an_identical_file_is_no_change(tmp_path: Path) -> None:
    streamed = stream_pair(*files(tmp_path, columns(1), columns(1)), REQUEST)
    assert streamed is not None
    changes = {one.difference for one in compare_merged(streamed.found, Policy()) if one.head}
    assert changes == {0.0}
    assert {one.low for one in compare_merged(streamed.found, Policy()) if one.head} == {0.0}


LEFT: dict[str, tuple[Columns, Columns]] = {
    "a weight below 0": (columns(1), columns(2, weight=[n - 1.0 for n in range(ROWS)])),
    "no probabilities": (columns(1), columns(2, score=[n - 9.5 for n in range(ROWS)])),
    "a class more": (classes(1), classes(2) | {"prediction": ["fox"] + ["cat"] * (ROWS - 1)}),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_is_not_plain_is_left_to_the_rows(tmp_path: Path, case: str) -> None:
    base, head = (without(side, "score") if "prediction" in side else side for side in LEFT[case])
    paths = files(tmp_path, base, head)
    assert stream_pair(*paths, REQUEST) is None
    if "weight" in head:
        with pytest.raises(ComparisonError, match="below 0"):
            compare_files(asked(*paths))
        return
    comparison = compare_files(asked(*paths)).comparison
    assert COUNTED not in comparison.notes
    assert comparison.rows.base == ROWS


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("make", [columns, numbers])
def test_few_rows_and_many_come_to_one_verdict(
    tmp_path: Path, make: Any, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same files, counted and as rows: the same numbers, within the bound of the steps."""
    paths = files(tmp_path, numbers(1, 2_000), numbers(2, 2_000), form)
    if make is columns:
        region = {"region": numbers(1, 2_000)["region"]}
        sides = [binary(2_000, seed) | region for seed in (1, 2)]
        for at in range(0, 2_000, 6):  # of north, where head is turned round
            sides[1]["score"][at] = 1 - sides[1]["score"][at]
        paths = files(tmp_path, sides[0], sides[1], form)
    request = VALUED if make is numbers else REQUEST
    gates = [
        Gate(metric=name, kind="max-drop", limit=limit)
        for name, limit in (
            (("accuracy", 0.1), ("roc_auc", 0.1), ("log_loss", 1e-4))
            if make is columns
            else (("rmse", 0.2), ("r2", 0.01), ("cost", 0.5), ("pinball_loss@0.9", 0.1))
        )
    ]
    found = []
    for many in (10, 1 << 22):
        monkeypatch.setattr(room, "MANY", many)
        found.append(compare_files(Files(*paths, request, gates, Policy())).comparison)
    counted, of_rows = found
    assert COUNTED in counted.notes
    assert COUNTED not in of_rows.notes
    assert counted.verdict == of_rows.verdict
    assert [one.verdict for one in counted.gates] == [one.verdict for one in of_rows.gates]
    assert [(one.metric, one.slice) for one in counted.metrics] == [
        (one.metric, one.slice) for one in of_rows.metrics
    ]
    assert counted.resolution == of_rows.resolution
    assert counted.weak_slices == of_rows.weak_slices
    assert [one.slice for one in counted.weak_slices] == ["region=north"] * (make is columns)
    for one, same in zip(counted.metrics, of_rows.metrics, strict=True):
        slack = 5e-3 if one.metric in ("roc_auc", "average_precision") else 1e-9
        for name in ("base", "head", "difference", "low", "high", "head_low", "head_high"):
            expected = getattr(same, name)
            assert getattr(one, name) == pytest.approx(expected, rel=slack, abs=slack), (one, name)


BROKEN: dict[str, tuple[Columns, Columns]] = {
    "a key twice": (columns(1, id=[0, *range(ROWS - 1)]), columns(2, id=[0, *range(ROWS - 1)])),
    "a key twice, far apart": both([*range(ROWS - 1, 0, -1), 77]),
    "another label": (columns(1), columns(2, label=[1 - v for v in columns(2)["label"]])),
    "a missing score": (columns(1), columns(2, score=[*columns(2)["score"][:-1], float("nan")])),
    "no number": (
        numbers(1),
        numbers(2, prediction=[*numbers(2)["prediction"][:-1], float("inf")]),
    ),
    "a missing value": (numbers(1), numbers(2, label=[*numbers(2)["label"][:-1], None])),
    "another number as label": (numbers(1), numbers(2, label=[1.5] * ROWS)),
    "text for numbers": (numbers(1), numbers(2, prediction=["1,5"] * ROWS)),
    "a missing label": (columns(1), columns(2, label=[*columns(2)["label"][:-1], None])),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_said_as_of_few_rows(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path, *BROKEN[case], "jsonl")
    said = [refusal(*paths)]
    monkeypatch.setattr(room, "MANY", 1 << 22)
    said.append(refusal(*paths))
    assert said[0] == said[1]


def refusal(base: Path, head: Path) -> tuple[str, str | None]:
    with pytest.raises(MlopsCiError) as caught:
        compare_files(asked(base, head))
    return caught.value.what, caught.value.fix


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    base, head = files(tmp_path, columns(1), columns(2))
    head.write_bytes(head.read_bytes()[:-200])
    with pytest.raises(ComparisonError, match=r"head\.parquet cannot be read"):
        compare_files(asked(base, head))


def test_few_rows_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MANY", ROWS)
    assert stream_pair(*files(tmp_path, columns(1), columns(2)), REQUEST) is None


def test_what_no_row_moves_is_no_proof_of_no_change(tmp_path: Path) -> None:
    label = [n % 2 for n in range(ROWS)]
    sides = [columns(1, label=label, score=[0.2 + part * y for y in label]) for part in (0.5, 0.6)]
    streamed = stream_pair(*files(tmp_path, sides[0], sides[1]), REQUEST)
    assert streamed is not None
    for one in compare_merged(streamed.found, Policy()):
        if one.metric in ("roc_auc", "average_precision"):
            assert (one.difference, one.low, one.high) == (0.0, None, None)
