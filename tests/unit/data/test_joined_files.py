"""Two files in another order, or with rows of one side only: what those in one order come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.data import (
    ColumnsRequest,
    Streamed,
    joined,
    pair,
    read_predictions,
    room,
    stream_pair,
)
from mlops_ci.data.aggregate import to_bytes
from mlops_ci.data.streaming import COUNTED
from mlops_ci.steps import two_files
from mlops_ci.steps.two_files import compare_files
from mlops_ci.verdict import PairedRows, compare_merged
from tests.unit.data.counted import in_memory
from tests.unit.data.test_streaming import (
    ROWS,
    Columns,
    asked,
    columns,
    files,
    refusal,
    texts,
    without,
)

REQUEST = ColumnsRequest(slices=("region",))


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is, and there are two parts."""
    monkeypatch.setattr(room, "MANY", 10)
    monkeypatch.setattr(room, "CHUNK", 180)
    monkeypatch.setattr(joined, "SHARE", 1)
    monkeypatch.setattr(two_files, "FEW_BYTES", 10)


def shuffled(side: Columns, seed: int = 5) -> Columns:
    order = np.random.default_rng(seed).permutation(len(side["label"]))
    return {name: [values[place] for place in order] for name, values in side.items()}


def stream(paths: tuple[Path, Path]) -> Streamed:
    found = stream_pair(*paths, REQUEST)
    assert found is not None
    return found


@pytest.mark.parametrize(("keys", "form"), [(range(-9, ROWS - 9), "parquet"), (texts(), "csv")])
def test_the_order_of_rows_leaves_no_trace(tmp_path: Path, keys: Any, form: str) -> None:
    base, head = (columns(seed, id=list(keys)) for seed in (1, 2))
    in_order = stream(files(tmp_path, base, head, form))
    found = stream(files(tmp_path, shuffled(base, 6), shuffled(head), form))
    assert to_bytes(found.found) == to_bytes(in_order.found)
    assert found.rows_digest == in_order.rows_digest
    assert (found.counts, found.notes) == (in_order.counts, in_order.notes)
    assert (found.unscored, found.added, found.left_out) == (0, 0, None)


def of_their_own() -> tuple[Columns, Columns]:
    """Base has 20 rows that head has not, head 17 of its own, and a region that only these have."""
    head = columns(2, id=[n + 20 if n < ROWS - 20 else 1_000 + n for n in range(ROWS)])
    base = columns(1)
    head["label"] = [base["label"][n + 20] if n < ROWS - 20 else 1 for n in range(ROWS)]
    base["region"] = ["gone" if n < 20 else region for n, region in enumerate(base["region"])]
    return base, {n: v[:-3] for n, v in shuffled(head).items()} | {"region": ["new"] * (ROWS - 3)}


@pytest.mark.parametrize("case", ["numbers", "texts", "numbers and texts", "several"])
def test_rows_of_one_side_are_told_as_of_few_rows(tmp_path: Path, case: str) -> None:
    base, head = of_their_own()
    if case == "texts":
        base, head = (side | {"id": [f"row {key}" for key in side["id"]]} for side in (base, head))
    if case == "numbers and texts":
        head["id"] = ["new" if key > 1_000 + ROWS - 2 else str(key) for key in head["id"]]
        head["id"][head["id"].index(str(ROWS - 1))] = "another"
    if case == "several":
        base, head = (side | {"customer": side["id"]} for side in (base, head))
    request = ColumnsRequest(id=("customer", "id")) if case == "several" else REQUEST
    paths = files(tmp_path, base, head)
    found = stream_pair(*paths, request)
    read = [read_predictions(path, request) for path in paths]
    pairing = pair(*read)
    assert found is not None
    assert isinstance(pairing.rows, PairedRows)
    whole = compare_merged(in_memory(pairing.rows), Policy()) if case != "several" else None
    assert whole is None or compare_merged(found.found, Policy()) == whole
    assert found.counts == pairing.counts
    assert (found.unscored, found.added) == (pairing.unscored, pairing.added)
    assert min(found.unscored, found.added) > 0
    assert found.rows_digest == read[0].rows_digest
    assert found.notes == (COUNTED, *pairing.notes)


def test_what_base_answered_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = files(tmp_path, *of_their_own())
    told = compare_files(asked(*paths)).comparison
    monkeypatch.setattr(room, "MANY", 1 << 22)
    of_few = compare_files(asked(*paths)).comparison
    assert COUNTED in told.notes
    assert COUNTED not in of_few.notes
    assert told.verdict == of_few.verdict
    assert [gate.reason for gate in told.gates] == [gate.reason for gate in of_few.gates]
    assert told.left_out is not None
    assert of_few.left_out is not None
    assert told.left_out.rows == of_few.left_out.rows >= 20
    assert told.drift == of_few.drift
    assert len(told.drift) == 4
    for name in ("accuracy", "log_loss"):
        assert told.left_out.metrics[name] == pytest.approx(of_few.left_out.metrics[name], 1e-12)


def twice(side: Columns, place: int, times: int = 2) -> Columns:
    """The key of row `place` stands there so often."""
    keys = list(side["id"])
    keys[place : place + times] = [keys[place]] * times
    return side | {"id": keys}


def with_row(side: Columns, key: int | None, label: int | None, score: float) -> Columns:
    more = {"id": key, "label": label, "score": score, "region": "north"}
    return {name: [*side[name], cell] for name, cell in more.items()}


ODD = columns(2)["label"]
BROKEN: dict[str, tuple[Columns, Columns]] = {
    "a key twice in head": (columns(1), shuffled(twice(columns(2), 9))),
    "a key twice in base": (twice(columns(1), 9), shuffled(columns(2))),
    "a key often in both": (twice(columns(1), 0, 200), shuffled(twice(columns(2), 0, 200))),
    "a key twice in new rows": (
        columns(1), shuffled(with_row(with_row(columns(2), 900, 1, 0.5), 900, 1, 0.5)),
    ),
    "another label": (columns(1), shuffled(columns(2, label=[1 - ODD[0], *ODD[1:]]))),
    "no score in a new row": (columns(1), shuffled(with_row(columns(2), 900, 1, float("nan")))),
    "no key": (columns(1), shuffled(with_row(columns(2), None, 1, 0.5))),
    "no label": (columns(1), shuffled(with_row(columns(2), 900, None, 0.5))),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_said_as_of_few_rows(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = files(tmp_path, *BROKEN[case], "jsonl")
    said = [refusal(*paths)]
    monkeypatch.setattr(room, "MANY", 1 << 22)
    said.append(refusal(*paths))
    assert said[0] == said[1]


def half_new(tmp_path: Path) -> tuple[Path, Path]:
    """Half of base's rows are head's, too."""
    head = columns(2, id=[n + ROWS // 2 for n in range(ROWS)])
    head["label"] = [n % 2 for n in head["id"]]
    head["region"] = ["new" if n > ROWS else "south" for n in head["id"]]
    return files(tmp_path, columns(1), shuffled(head))


def other_labels(tmp_path: Path) -> tuple[Path, Path]:
    base, head = (without(side, "id") for side in (columns(1), columns(2)))
    return files(tmp_path, base, {name: v[1:] + v[:1] for name, v in head.items()})


def fewer_rows(tmp_path: Path) -> tuple[Path, Path]:
    base, head = (without(side, "id") for side in (columns(1), columns(2)))
    return files(tmp_path, base, {name: v[:-100] for name, v in head.items()})


@pytest.mark.parametrize("make", [half_new, other_labels, fewer_rows])
def test_too_few_rows_in_common_are_two_samples(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same files, counted and as rows."""
    paths = make(tmp_path)
    found = stream(paths)
    read = [read_predictions(path, REQUEST) for path in paths]
    pairing = pair(*read)
    assert found.apart is not None
    assert found.counts == pairing.counts
    assert (found.unscored, found.added) == (pairing.unscored, pairing.added)
    assert found.notes == (COUNTED, *pairing.notes)
    assert found.rows_digest == read[1].rows_digest
    told = compare_files(asked(*paths)).comparison
    monkeypatch.setattr(room, "MANY", 1 << 22)
    of_few = compare_files(asked(*paths)).comparison
    assert told.evidence == of_few.evidence == "unpaired"
    assert told.drift == of_few.drift
    assert len(told.drift) == 4
    assert told.notes[1:] == of_few.notes
    assert (told.verdict, told.rows) == (of_few.verdict, of_few.rows)
    assert told.left_out == (None if make is not half_new else told.left_out)
    assert (told.left_out is None) == (of_few.left_out is None)
    for one, same in zip(told.metrics, of_few.metrics, strict=True):
        assert (one.metric, one.slice) == (same.metric, same.slice)
        slack = 5e-3 if one.metric in ("roc_auc", "average_precision") else 1e-9
        ends = ("low", "high") if one.metric in ("accuracy", "recall", "f1", "mcc") else ()
        for name in ("base", "head", "difference", *ends):
            found_end, expected = getattr(one, name), getattr(same, name)
            assert (found_end is None) == (expected is None), (one, name)
            assert found_end is None or abs(found_end - expected) <= slack, (one, name)


def test_a_key_that_stands_twice_is_refused_in_two_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [n + 2 * ROWS for n in range(ROWS)]
    paths = files(tmp_path, columns(1), columns(2, id=[*keys[:-1], keys[0]]))
    said = [refusal(*paths)]
    monkeypatch.setattr(room, "MANY", 1 << 22)
    said.append(refusal(*paths))
    assert said[0] == said[1]
