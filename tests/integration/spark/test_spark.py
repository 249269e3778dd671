"""What Spark counts is what numpy counts, to the byte; and what it cannot count it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from mlops_ci.cli.program import run_program
from mlops_ci.config.model import Policy
from mlops_ci.data import ColumnsRequest, pair, read_predictions, room, stream_pair
from mlops_ci.data import spark as spark_module
from mlops_ci.data.aggregate import from_bytes, read_aggregate, to_bytes
from mlops_ci.data.spark import aggregate_spark
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict import PairedRows, compare_merged, compare_paired, compare_unpaired
from tests.unit.data.counted import check_alike, in_memory
from tests.unit.data.files import binary, write

pytestmark = pytest.mark.filterwarnings(
    # Spark's own: pandas 3, and sockets to its JVM that it closes at the end of the process.
    "ignore::FutureWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
ROWS = 3_000
REQUEST = ColumnsRequest(slices=("region",))
Columns = dict[str, Any]


def columns(seed: int, **more: Any) -> Columns:
    region = ["north", "south", "west"]
    return binary(ROWS, seed) | {"region": [region[n % 3] for n in range(ROWS)]} | more


def words(seed: int) -> Columns:
    said = np.random.default_rng(seed).choice(["cat", "dog", "owl"], ROWS).tolist()
    label = [("cat", "dog", "owl")[n % 3] for n in range(ROWS)]
    keys = [f"row {n}" for n in range(ROWS)]
    whole = columns(seed, id=keys, label=label, prediction=said)
    return {name: values for name, values in whole.items() if name != "score"}


def frames(spark: Any, folder: Path, base: Columns, head: Columns) -> tuple[list[Path], list[Any]]:
    """In an order and a cut of their own each."""
    paths = [write(folder / f"{n}.parquet", side) for n, side in (("base", base), ("head", head))]
    return paths, [spark.read.parquet(str(path)).repartition(3, "label") for path in paths]


def numbers(seed: int) -> Columns:
    """A regression with a column of values, and rows without a region."""
    rng, label = np.random.default_rng(seed), np.random.default_rng(0).normal(50, 1, ROWS)
    return {
        "id": list(range(ROWS)),
        "region": [("north", None, "west")[n % 3] for n in range(ROWS)],
        "label": label.tolist(),
        "prediction": (label + rng.normal(size=ROWS)).tolist(),
        "cost": rng.gamma(2.0, size=ROWS).tolist(),
    }


@pytest.mark.parametrize(("make", "wide"), [(columns, 8), (words, 1), (numbers, 1)])
def test_it_counts_what_numpy_counts_to_the_byte(
    spark: Any, tmp_path: Path, make: Any, wide: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`wide`: below the number of partitions, so that executors merge, or above it."""
    monkeypatch.setattr(spark_module, "WIDE", wide)
    paths, (base, head) = frames(spark, tmp_path, make(1), make(2))
    place = tmp_path / "nightly.mlops-ci-aggregate"
    request = replace(REQUEST, values={"cost": False}) if make is numbers else REQUEST
    aggregate = aggregate_spark(base, head, place, request, ["pinball_loss@0.9"])
    read = [read_predictions(path, request) for path in paths]
    rows = pair(*read).rows
    assert isinstance(rows, PairedRows)
    expected = in_memory(rows)
    found = read_aggregate(place)[1]
    assert aggregate.rows_digest == read[0].rows_digest
    assert aggregate.counts == pair(*read).counts
    assert compare_merged(found, Policy()) == compare_merged(expected, Policy())
    found.identity = (0, 0)
    assert to_bytes(found) == to_bytes(expected)
    gate = ["--max", "pinball_loss@0.9=9"] if make is numbers else ["--min", "accuracy=0.2"]
    assert run_program(["compare", str(place), *gate]) == 0


def classes(seed: int) -> Columns:
    """Of three classes, with a score for each."""
    label = np.arange(ROWS) % 3
    made = np.random.default_rng(seed).normal(size=(ROWS, 3)) + (label[:, None] == np.arange(3))
    score = np.exp(made) / np.exp(made).sum(axis=1, keepdims=True)
    return {
        "id": list(range(ROWS)),
        "region": [("north", None, "west")[n % 3 == n % 7] for n in range(ROWS)],
        "label": [("cat", "dog", "owl")[one] for one in label],
    } | {f"score_{name}": score[:, at].tolist() for at, name in enumerate(("cat", "dog", "owl"))}


@pytest.mark.parametrize("first", [0, 800])
def test_many_classes_are_ranked_as_in_files(
    spark: Any, tmp_path: Path, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows, and as two samples of which too few are common."""
    monkeypatch.setattr(room, "MANY", 10)
    monkeypatch.setattr(spark_module, "WIDE", 1 + first)
    head = classes(2)
    head["id"] = [key + first for key in head["id"]]
    head["label"] = [("cat", "dog", "owl")[key % 3] for key in head["id"]]
    paths, (one, other) = frames(spark, tmp_path, classes(1), head)
    place = tmp_path / "x.mlops-ci-aggregate"
    aggregate = aggregate_spark(one, other, place, REQUEST)
    streamed = stream_pair(paths[0], paths[1], REQUEST)
    assert streamed is not None
    if not first:
        found = read_aggregate(place)[1]
        assert found.areas is not None
        assert to_bytes(found) == to_bytes(streamed.found)
        return
    assert aggregate.apart is not None
    assert streamed.apart is not None
    for sent, same in zip(aggregate.apart, streamed.apart, strict=True):
        alone = from_bytes(sent)
        assert alone.areas is not None
        assert to_bytes(alone) == to_bytes(same)


@pytest.mark.parametrize("make", [columns, numbers])
def test_groups_of_rows_come_to_what_their_rows_do(
    spark: Any, tmp_path: Path, make: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group's rows lie in several partitions, and on both executors."""
    together = np.random.default_rng(5).integers(0, 700, ROWS)
    group = [f"user {one}" for one in together]
    paths, (base, head) = frames(spark, tmp_path, make(1) | {"group": group}, make(2))
    place = tmp_path / "nightly.mlops-ci-aggregate"
    request = replace(REQUEST, values={"cost": False}) if make is numbers else REQUEST
    aggregate_spark(base, head, place, request)
    rows = pair(*(read_predictions(path, request) for path in paths)).rows
    assert isinstance(rows, PairedRows)
    found = read_aggregate(place)[1]
    check_alike(compare_merged(found, Policy()), compare_paired(rows, Policy()))
    assert found.grouped is not None
    assert found.grouped.groups == len(set(group))
    run_program(["compare", str(place), "--min", "mae=0.2" if make is numbers else "accuracy=0.2"])
    assert "count groups of rows that belong together" in capsys.readouterr().out


def test_a_row_without_a_group_is_refused(spark: Any, tmp_path: Path) -> None:
    group = ["user", None, *["another"] * (ROWS - 2)]
    _, (base, head) = frames(spark, tmp_path, numbers(1) | {"group": group}, numbers(2))
    with pytest.raises(ComparisonError, match="or group is missing or not finite in 1 rows: '1'"):
        aggregate_spark(base, head, tmp_path / "x.mlops-ci-aggregate", REQUEST)


BROKEN: dict[str, tuple[Columns, str]] = {
    "a key twice": (columns(2, id=[7, *range(ROWS - 1)]), "more than once: '7'"),
    "another label": (
        columns(2, label=[1 - value for value in columns(2)["label"]]),
        "3,000 rows have another label",
    ),
    "no number": (
        columns(2, score=[*columns(2)["score"][:-1], float("nan")]),
        f"not finite in 1 rows: '{ROWS - 1}'",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_said(spark: Any, tmp_path: Path, case: str) -> None:
    broken, said = BROKEN[case]
    _, (base, head) = frames(spark, tmp_path, columns(1), broken)
    place = tmp_path / "x.mlops-ci-aggregate"
    with pytest.raises(ComparisonError) as caught:
        aggregate_spark(base, head, place)
    assert said in caught.value.what
    assert not place.exists()


def test_rows_that_head_left_out_never_pass(
    spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, (base, head) = frames(spark, tmp_path, columns(1), columns(2))
    place = tmp_path / "x.mlops-ci-aggregate"
    aggregate_spark(base, head.where("id >= 10"), place)
    assert read_aggregate(place)[0].unscored == 10
    run_program(["compare", str(place), "--min", "accuracy=0.1", "--json"])
    assert '"verdict": "inconclusive"' in capsys.readouterr().out


@pytest.mark.parametrize("first", [800, ROWS - 60])
def test_with_too_few_common_rows_it_says_what_files_say(
    spark: Any, tmp_path: Path, first: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of base's rows head has 73 %, or 2 %: two samples, all rows of each. (Of two files that have
    none in common the ids are wrong: these are refused.)"""
    keys = list(range(first, first + ROWS))
    head = columns(2, id=keys)
    labels = columns(1)["label"]
    head["label"] = [labels[key] if key < ROWS else key % 2 for key in keys]
    paths, (one, other) = frames(spark, tmp_path, columns(1), head)
    place = tmp_path / "x.mlops-ci-aggregate"
    aggregate = aggregate_spark(one, other, place, REQUEST)
    pairing = pair(*(read_predictions(path, REQUEST) for path in paths))
    assert aggregate.counts == pairing.counts
    assert aggregate.rows_digest == read_predictions(paths[1], REQUEST).rows_digest
    assert isinstance(pairing.rows, tuple)
    options = ["--slice", "region", "--max-drop", "accuracy=0.9", "--json"]
    run_program(["compare", str(place), *options[2:]])
    told = json.loads(capsys.readouterr().out)
    run_program(["compare", *map(str, paths), *options])
    of_files = json.loads(capsys.readouterr().out)
    for key in ("verdict", "evidence", "rows", "gates"):
        assert told[key] == of_files[key], key
    assert set(of_files["notes"]) <= set(told["notes"])
    exact = {(m.metric, m.slice): m for m in compare_unpaired(*pairing.rows, Policy())}
    for one in told["metrics"]:
        known = exact.get((one["metric"], one.get("slice")))
        if known is None:
            assert one["slice"] == "region=(missing)"
            continue
        assert one["evidence"] == "unpaired"
        for side in ("base", "head", "difference", "low", "high"):
            assert one.get(side) == pytest.approx(getattr(known, side), abs=2e-3), one
