"""Sums over groups: in whatever order rows come, wherever groups are summed, the same to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.verdict import compare_merged, compare_paired
from mlops_ci.verdict.adds import asked_of
from mlops_ci.verdict.aggregates import grouped
from mlops_ci.verdict.aggregates.grouped import Asked, Grouped
from mlops_ci.verdict.aggregates.losses import centre_of
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient
from mlops_ci.verdict.rows import Floats, Ints, Outputs, PairedRows, View, view_of

ENDS = ("base", "head", "low", "high", "base_low", "base_high", "head_low", "head_high")


def rows_of(seed: int, n: int, groups: int, skew: float = 2.0) -> PairedRows:
    """Errors in one group have much in common. `skew`: from 1 on, some groups are large."""
    rng = np.random.default_rng(seed)
    group = (groups * rng.random(n) ** skew).astype(np.int64)
    label = rng.normal(50, 3, n)
    errors = rng.normal(size=groups)[group]
    base, head = (Outputs(label + errors + rng.normal(size=n)) for _ in (0, 1))
    codes = np.unique(group, return_inverse=True)[1].reshape(-1)
    return PairedRows("regression", (), label, base, head, group=codes)


def counted(rows: PairedRows) -> tuple[Sufficient, Asked]:
    centre = centre_of(rows.label.min(), rows.label.max())
    found = Sufficient.empty(Question("regression", (), scored=False, classed=False, centre=centre))
    view = view_of(rows)
    found.add(view)
    return found, asked_of(found, (), len(rows.label))[None]


def some(view: View, places: Ints) -> tuple[View, Ints]:
    """These rows, brought together by group."""
    group: Ints = np.asarray(view.group)
    places = places[np.argsort(group[places], kind="stable")]
    return chosen(view, places), group[places]


def chosen(view: View, places: Ints) -> View:
    sides = tuple(
        Outputs(None if s.prediction is None else s.prediction[places]) for s in view.sides
    )
    return View("regression", (), view.label[places], sides, identical=False, positive=1)


def summed(rows: PairedRows, asked: Asked, order: Ints, shards: int) -> Grouped:
    """Groups by turns in `shards`, each rows in this order."""
    view, found = view_of(rows), Grouped()
    group: Ints = np.asarray(view.group)[order]
    for shard in range(shards):
        alone = Grouped()
        part, of_part = some(view, order[group % shards == shard])
        alone.add(part, of_part, asked)
        found.merge(alone)
    return found


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    groups=st.integers(2, 400),
    shards=st.integers(1, 5),
    chunk=st.sampled_from([1, 7, 64, 1 << 16]),
)
def test_order_shards_and_chunks_leave_no_trace(
    seed: int, groups: int, shards: int, chunk: int
) -> None:
    rows = rows_of(seed, 600, groups)
    _, asked = counted(rows)
    at_once = summed(rows, asked, np.arange(600), 1)
    order = np.random.default_rng(seed).permutation(600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouped, "ROWS", chunk)
        parts = summed(rows, asked, order, shards)
    counts = [(one.groups, one.rows, one.largest) for one in (parts, at_once)]
    assert counts[0] == counts[1]
    for name, sums in at_once.sums.items():
        assert parts.sums[name].reach == sums.reach
        for one, other in zip(parts.sums[name].columns, sums.columns, strict=True):
            assert one.totals == other.totals
            assert values(one.atoms) == values(other.atoms)


def values(atoms: grouped.Atoms | None) -> list[tuple[float, int]] | None:
    if atoms is None:
        return None
    found: Floats = atoms.values
    return list(zip(found.tolist(), atoms.counts.tolist(), strict=True))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), groups=st.sampled_from([35, 450, 1_800]))
def test_the_intervals_are_those_of_the_rows(seed: int, groups: int) -> None:
    rows = rows_of(seed, 3_000, groups, 1.0)  # so that no three groups decide
    found, asked = counted(rows)
    found.grouped = summed(rows, asked, np.arange(3_000), 3)
    expected = compare_paired(rows, Policy())
    for one, same in zip(compare_merged(found, Policy()), expected, strict=True):
        assert (one.metric, one.method, one.note) == (same.metric, same.method, same.note)
        for end in ENDS:
            assert getattr(one, end) == pytest.approx(getattr(same, end), rel=1e-9, abs=1e-9)
