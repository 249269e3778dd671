"""Which of main's records is the best at a metric, on all rows and on a slice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mlops_ci.baseline.anchor import MOST, SETS, Sought, find_records, recent
from mlops_ci.baseline.entry import Entry, Found, Header, Wanted
from mlops_ci.errors import BaselineError
from mlops_ci.records import Evaluation, Training


def header(name: str, accuracy: float, rows: str = "r", **more: object) -> Header:
    fields = {
        "address": name, "model": "m", "key": name, "rows": rows, "stored": "2026-06-01",
        "commits": (name,), "files": {"predictions.parquet": ("", 1)},
        "metrics": {"accuracy": accuracy},
    }  # fmt: skip
    return Header(**{**fields, **more})  # type: ignore[arg-type]


class Shelf:
    """Every entry but those named `broken`."""

    def __init__(self, headers: list[Header]) -> None:
        self.headers = {one.key: one for one in headers}
        self.read: list[str] = []

    def get(self, wanted: Wanted) -> Found:
        self.read.append(str(wanted.key))
        if str(wanted.key).startswith("broken"):
            raise BaselineError("no")
        training = Training(
            model="m",
            commit="c",
            run_id="1",
            started="2026-06-01",
            duration_seconds=0.0,
            command=[],
        )
        entry = Entry(training, Evaluation(model="m", commit="c", evaluated="2026-06-01"))
        return Found(self.headers[str(wanted.key)], entry)


UP = Sought("accuracy", "accuracy", up=True)
NORTH = Sought("accuracy", "accuracy", up=True, slice="region=north")


def best(
    headers: list[Header], *sought: Sought, alike: tuple[str, ...] = ()
) -> dict[str, set[str]]:
    """Metric or slice → keys of the records that are best at it."""
    found: dict[str, set[str]] = {}
    for record in find_records(Shelf(headers), headers, ("r", alike), list(sought)):  # type: ignore[arg-type]
        for one in record.best_at:
            found.setdefault(one.slice or one.metric, set()).add(record.header.key)
    return found


def test_each_slice_has_its_own_best() -> None:
    headers = [
        header("old", 0.8, sliced={"accuracy": {"region=north": 0.9}}),
        header("new", 0.9, sliced={"accuracy": {"region=north": 0.8}}),
        header("unknown", 0.7),
    ]
    assert best(headers, UP, NORTH) == {"accuracy": {"new"}, "region=north": {"old"}}
    west = Sought("accuracy", "accuracy", up=True, slice="region=west")
    assert best(headers, west) == {}
    down = Sought("accuracy", "accuracy", up=False)
    assert best(headers, down) == {"accuracy": {"unknown"}}


def test_sets_that_are_mostly_the_same_have_theirs_beside_those_of_the_same_rows() -> None:
    headers = [header("now", 0.8), header("other", 0.99, "elsewhere")]
    headers += [header(f"{at}", 0.8 + at / 100, f"set{at}") for at in range(6)]
    headers += [header("5b", 0.81, "set5")]
    alike = tuple(f"set{at}" for at in range(6))
    assert best(headers, UP) == {"accuracy": {"now"}}
    assert best(headers, UP, alike=alike) == {"accuracy": {"now", "5", "4", "3"}}
    assert len(best(headers, UP, alike=alike)["accuracy"]) == 1 + SETS


def test_what_cannot_be_read_or_was_too_large_is_no_record() -> None:
    headers = [header("broken", 0.99), header("kept", 0.5)]
    assert best(headers, UP) == {}
    assert best([header("large", 0.99, files={}), header("kept", 0.5)], UP) == {
        "accuracy": {"kept"}
    }


def test_a_number_of_a_metrics_file_needs_no_rows_and_is_not_read() -> None:
    headers = [
        header("a", 0.5, "any", files={}, points={"test.auc": 0.8}),
        header("b", 0.5, points={"test.auc": 0.7}),
    ]
    shelf = Shelf(headers)
    sought = Sought("test.auc", "test.auc", up=True, point=True)
    (found,) = find_records(shelf, headers, ("r", ()), [sought])  # type: ignore[arg-type]
    assert (found.header.key, found.found, shelf.read) == ("a", None, [])


def test_not_every_record_is_opened() -> None:
    """Beyond the most, slices make do with what is open."""
    many = range(MOST + 20)
    headers = [
        header(
            f"k{at}", 0.5, sliced={"accuracy": {f"s={n}": 0.9 if n == at else 0.5 for n in many}}
        )
        for at in many
    ]
    shelf = Shelf(headers)
    sought = [Sought("accuracy", "accuracy", up=True, slice=f"s={at}") for at in many]
    found = find_records(shelf, headers, ("r", ()), sought)  # type: ignore[arg-type]
    assert len(shelf.read) == MOST
    assert {one.place for record in found for one in record.best_at} == {s.place for s in sought}


@pytest.mark.parametrize(("stored", "there"), [("2026-05-31", True), ("2026-03-01", False)])
def test_ninety_days_count(stored: str, there: bool) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    assert bool(recent([header("a", 0.5, stored=stored)], now)) is there
