"""Statistics as bytes: all of them come back, and no byte that is wrong is believed."""

from __future__ import annotations

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
from mlops_ci.errors import ComparisonError
from mlops_ci.records import Resolution, RowCounts
from mlops_ci.verdict.aggregates.scale import WHOLE
from mlops_ci.verdict.aggregates.sufficient import Sufficient
from tests.unit.verdict.aggregates.test_sufficient import counted, state
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows

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


@pytest.mark.parametrize("rows", [binary_rows(1, N), multiclass_rows(1, N)])
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
