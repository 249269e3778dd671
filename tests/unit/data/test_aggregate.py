"""Statistics as bytes: all of them come back, and no byte that is wrong is believed."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mlops_ci.cli.program import run_program
from mlops_ci.data.aggregate import (
    Aggregate,
    from_bytes,
    read_aggregate,
    to_bytes,
    write_aggregate,
)
from mlops_ci.data.packing import pack
from mlops_ci.errors import ComparisonError
from mlops_ci.records import Resolution, RowCounts
from mlops_ci.verdict.aggregates.scale import WHOLE
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient
from mlops_ci.verdict.rows import SingleRows, view_of
from tests.unit.verdict.aggregates.test_sufficient import counted, numbered, state
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, side_of

N = 600
REGION = np.arange(N) % 3


def statistics() -> Sufficient:
    return counted(binary_rows(1, N), region=REGION, scale=WHOLE)


def aggregate(found: Sufficient, paired: int = N) -> Aggregate:
    return Aggregate(
        statistics=to_bytes(found),
        counts=RowCounts(base=paired, head=paired, paired=paired, paired_by="id"),
        resolution=Resolution(task="binary", task_from="a test"),
        rows_digest="sha256:0",
        source="a test",
    )


@pytest.mark.parametrize("rows", [binary_rows(1, N), multiclass_rows(1, N), numbered(1, N)])
def test_all_of_it_comes_back_and_merges_on(rows: object) -> None:
    found = counted(rows, region=REGION, scale=WHOLE)  # type: ignore[arg-type]
    back = from_bytes(to_bytes(found))
    assert state(back) == state(found)
    assert to_bytes(back) == to_bytes(found)
    back.merge(found)
    assert back.n == 2 * N


def test_nothing_counted_yet_comes_back() -> None:
    empty = Sufficient.empty(statistics().question)
    assert from_bytes(to_bytes(empty)).n == 0


def test_every_truncation_is_refused() -> None:
    data = to_bytes(statistics())
    for size in (0, 1, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(ComparisonError, match="cannot be read"):
            from_bytes(data[:size])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("n", N + 1, "do not count 601 rows"),
        ("counts", [1, 2], "classes do not count"),
        ("counts", [N], "do not count"),
        ("cells", [b"", b""], "cannot be read"),
        ("joint", None, "its scores are missing"),
        ("gaps", None, "gaps do not count"),
        ("improbable", [0], "cannot be read"),
    ],
)
def test_what_contradicts_itself_is_refused(field: str, value: object, said: str) -> None:
    plain = msgspec.msgpack.decode(to_bytes(statistics()))
    place = {"n": 0, "counts": 1, "improbable": 2, "cells": 3, "joint": 4, "gaps": 5}[field]
    whole = plain["whole"]
    if isinstance(whole, dict):
        whole[field] = value
    else:
        whole[place] = value
    with pytest.raises(ComparisonError, match=said):
        from_bytes(msgspec.msgpack.encode(plain))


def changed(found: Sufficient, *path: object, value: object) -> bytes:
    """The bytes with another value at a place of their layout."""
    plain = msgspec.msgpack.decode(to_bytes(found))
    place = plain
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return msgspec.msgpack.encode(plain)


def test_counts_below_0_are_refused_though_their_sum_is_right() -> None:
    found = statistics()
    assert found.cells is not None
    assert found.joint is not None
    for counts in (found.cells.counts, found.counts, found.joint.bands.reshape(-1)):
        before = counts.copy()
        some = np.flatnonzero(counts)[:2]
        counts[some] += [-N, N]
        with pytest.raises(ComparisonError, match="below 0"):
            from_bytes(to_bytes(found))
        counts[:] = before
    from_bytes(to_bytes(found))


SUM = ("whole", "losses", "r2", "sums")
WRONG = {
    "a loss is missing": (("whole", "losses"), {}, "not those of the task"),
    "a sum is missing": (SUM, [], "not all of its sums"),
    "a square below 0": ((*SUM, 1), [[0, 0], "-7", "0"], "sum of squares"),
    "no number": ((*SUM, 1), [[0, 0], "many", "0"], "cannot be read"),
    "no extremes": (("whole", "losses", "r2", "low"), [9e9] * 5, "no extremes"),
    "no number at an end": (("whole", "losses", "r2", "low"), [None] * 5, "cannot be read"),
    "a column is missing": (("whole", "losses", "r2", "low"), [0.0] * 4, "5 columns"),
    "fewer rows": (("whole", "losses", "r2", "n"), N - 1, "losses do not count"),
    "zeros below 0": (("whole", "zeros"), -1, "below 0"),
    "more zeros than rows": (("whole", "zeros"), N + 1, "more than the 600 rows"),
    "no centre": (("asked", "centre"), float("nan"), "a regression task"),
    "a class": (("asked", "classes"), ["cat"], "a regression task"),
}


CUBE = {
    "other slices": ("columns", [["region=north"]], "not those of its slices"),
    "no counts": ("counts", b"", "cannot be read"),
    "no changes": ("sums", None, "changes of its losses are missing"),
    "no reach": ("reach", -1.0, "no reach"),
    "places twice": ("places", np.zeros(3, dtype=np.int64), "do not rise"),
    "a place that there is not": ("places", np.arange(1, 4), "do not rise"),
    "counts below 0": ("counts", np.array([[-1, 0, 0], [2, 0, 0], [9, 0, 0]]), "below 0"),
    "more changes than rows": ("counts", np.array([[1, 1, 1], [2, 0, 0], [9, 0, 0]]), "below 0"),
    "other rows": ("counts", np.array([[N, 0, 0], [0, 0, 0], [0, 0, 0]]), "rows of its slices"),
}


@pytest.mark.parametrize("case", CUBE)
def test_combinations_that_contradict_the_slices_are_refused(case: str) -> None:
    name, value, said = CUBE[case]
    found = counted(numbered(1, N), region=REGION, scale=WHOLE)
    given = pack(value) if isinstance(value, np.ndarray) else value
    with pytest.raises(ComparisonError, match=said):
        from_bytes(changed(found, "cube", name, value=given))


@pytest.mark.parametrize("case", WRONG)
def test_sums_that_contradict_themselves_are_refused(case: str) -> None:
    path, value, said = WRONG[case]
    found = counted(numbered(1, N), scale=WHOLE)
    with pytest.raises(ComparisonError, match=said):
        from_bytes(changed(found, *path, value=value))


def test_a_regression_is_judged_anywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "nightly.mlops-ci-aggregate"
    found = aggregate(counted(numbered(1, N), region=REGION, scale=WHOLE))
    write_aggregate(found, place)
    assert run_program(["compare", str(place), "--max-drop", "rmse=0.5"]) == 0
    assert run_program(["compare", str(place), "--max", "rmse=0.1"]) == 1
    assert run_program(["compare", str(place), "--max", "pinball_loss@0.9=9"]) == 0
    assert run_program(["compare", str(place), "--max", "pinball_loss@0.8=9"]) == 1
    assert "every row" in capsys.readouterr().out


def test_a_file_is_judged_like_its_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "nightly.mlops-ci-aggregate"
    write_aggregate(aggregate(statistics()), place)
    assert run_program(["compare", str(place), "--min", "accuracy=0.5"]) == 0
    assert run_program(["compare", str(place), "--min", "accuracy=0.99"]) == 1
    assert "the same 600 rows" in capsys.readouterr().out
    assert state(read_aggregate(place)[1]) == state(statistics())


def test_a_file_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "x.mlops-ci-aggregate"
    assert run_program(["compare", str(place)]) == 2
    place.write_bytes(b"id,label\n1,2\n")
    assert run_program(["compare", str(place)]) == 3
    assert "cannot be read" in capsys.readouterr().err
    write_aggregate(aggregate(statistics(), paired=N + 5), place)
    assert run_program(["compare", str(place)]) == 3
    assert "605 rows were paired and 600 counted" in capsys.readouterr().err


def test_columns_are_not_chosen_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "x.mlops-ci-aggregate"
    write_aggregate(aggregate(statistics()), place)
    assert run_program(["compare", str(place), "--slice", "region"]) == 2
    assert "where the rows are counted" in capsys.readouterr().err


def counted_alone(rows: SingleRows) -> Sufficient:
    found = Sufficient.empty(Question(rows.task, rows.classes, rows.positive, sides=1))
    found.add(view_of(rows))
    return found


@pytest.mark.parametrize("base", [N, N + 1])
def test_two_samples_are_judged_and_never_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], base: int
) -> None:
    """`base`: how many rows the file says that base has."""
    rows = binary_rows(1, N)
    alone = [counted_alone(side_of(rows, side)) for side in ("base", "head")]
    nothing = Sufficient.empty(Question(rows.task, rows.classes, rows.positive))
    whole = msgspec.structs.replace(
        aggregate(nothing, 0),
        counts=RowCounts(base=base, head=N, paired=0, paired_by="none"),
        unscored=N,
        added=N,
        apart=(to_bytes(alone[0]), to_bytes(alone[1])),
    )
    place = tmp_path / "x.mlops-ci-aggregate"
    write_aggregate(whole, place)
    code = run_program(["compare", str(place), "--max-drop", "accuracy=0.9", "--json"])
    told = capsys.readouterr()
    if base != N:
        assert code == 3
        assert "contradict themselves: two samples of 600 and 600 rows" in told.err
        return
    found = json.loads(told.out)
    assert (found["verdict"], found["evidence"]) == ("inconclusive", "unpaired")
    assert found["gates"][0]["low"] > -0.9
    assert any("No id occurs in both files" in note for note in found["notes"])
