"""Sums over groups in a file of aggregates: they come back, or are refused."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.data.aggregate import from_bytes, to_bytes
from mlops_ci.data.grouping import sum_parts
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict import compare_merged
from mlops_ci.verdict.adds import asked_of
from mlops_ci.verdict.aggregates.grouped import Grouped
from mlops_ci.verdict.aggregates.sufficient import Cut, Question, Sufficient
from mlops_ci.verdict.rows import Outputs, View

N, NAMES = 900, ("region=north", "region=south")


def statistics(rows_of_a_group: int = 3) -> Sufficient:
    rng = np.random.default_rng(3)
    label = rng.normal(size=N)
    sides = tuple(Outputs(label + rng.normal(size=N)) for _ in (0, 1))
    view = View("regression", (), label, sides, identical=False, positive=1)
    cut = Cut(NAMES, np.arange(N) % 2)
    found = Sufficient.empty(Question("regression", (), scored=False, classed=False), NAMES)
    found.add(view, [cut])
    asked = asked_of(found, (), rows_of_a_group)
    sums = {name: Grouped() for name in asked}
    sum_parts(sums, asked, view, [cut], np.arange(N) // rows_of_a_group)
    found.grouped = sums[None]
    for name, part in found.slices.items():
        part.grouped = sums[name]
    return found


@pytest.mark.parametrize("rows", [1, 3, 30])
def test_they_come_back(rows: int) -> None:
    found = statistics(rows)
    again = from_bytes(to_bytes(found))
    assert compare_merged(again, Policy()) == compare_merged(found, Policy())
    assert to_bytes(again) == to_bytes(found)


GROUPED = ("whole", "grouped")
MAE = (*GROUPED, "sums", "mae", "columns", 0)
WRONG = {
    "more groups than rows": ((*GROUPED, "groups"), N + 1, "901 groups of 900 rows"),
    "other rows": ((*GROUPED, "rows"), N - 1, "300 groups of 899 rows"),
    "too few rows": ((*GROUPED, "largest"), 2, "300 groups of at most 2 rows"),
    "none": (GROUPED, None, "groups are not those of its slices"),
    "no groups": ((*GROUPED, "groups"), 0, "0 groups"),
    "a side is missing": ((*GROUPED, "sums", "mae", "reach"), [1.0], "are not of 2 sides"),
    "no reach": ((*GROUPED, "sums", "mae", "reach"), [1.0, -1.0], "are not of 2 sides"),
    "of other groups": ((*MAE, "totals", "n"), 299, "not of 300 groups"),
    "two columns": ((*MAE, "totals", "low"), [0.0, 0.0], "not of 300 groups"),
    "a sum is missing": ((*MAE, "totals", "sums"), [], "not all sums over groups"),
    "a square below 0": ((*MAE, "totals", "sums", 1), [[0, 0], "-7", "0"], "sum of squares over"),
    "atoms of others": ((*MAE, "atoms"), [b"", b""], "cannot be read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_contradicts_itself_is_refused(case: str) -> None:
    path, value, said = WRONG[case]
    plain = msgspec.msgpack.decode(to_bytes(statistics()))
    place = plain
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ComparisonError, match=said):
        from_bytes(msgspec.msgpack.encode(plain))


def test_they_do_not_merge_with_those_of_other_rows() -> None:
    with pytest.raises(ValueError, match="sum over groups once merged"):
        statistics().merge(statistics())


def test_what_was_not_summed_is_not_assessed() -> None:
    found = statistics()
    of_quantile = compare_merged(found, Policy(), ["mrr"])[-1]
    assert of_quantile.low is None
    assert found.grouped is not None
    del found.grouped.sums["mae"]
    mae = next(one for one in compare_merged(found, Policy()) if one.metric == "mae")
    assert mae.base is not None
    assert (mae.low, mae.high, mae.head_low) == (None, None, None)
    assert mae.note is not None
    assert "not summed over their groups" in mae.note
