"""Rows without ids that were sorted by label and answer are not the same rows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.data import read_predictions
from mlops_ci.data.arranged import Arrangement
from mlops_ci.data.pairing import pair
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.streaming import stream_pair
from mlops_ci.verdict.rows import Outputs, SingleRows


def answers(label: Any, seed: int, *, scored: bool) -> Outputs:
    rng = np.random.default_rng(seed)
    score = np.clip(0.5 + 0.2 * (label - 0.5) + rng.normal(0, 0.2, len(label)), 0, 1)
    return Outputs((score > 0.5).astype(np.int64), score if scored else None)


def by(order: Any, side: Outputs) -> Outputs:
    return Outputs(side.prediction[order], None if side.score is None else side.score[order])  # type: ignore[index]


def order_of(label: Any, side: Outputs, *, falls: bool = False) -> Any:
    key = side.prediction if side.score is None else side.score
    assert key is not None
    return np.lexsort((-key if falls else key, label))


def told(label: Any, base: Outputs, head: Outputs, cuts: list[int]) -> bool:
    arrangement = Arrangement()
    ends = sorted({0, len(label), *(cut % (len(label) + 1) for cut in cuts)})
    for start, stop in pairwise(ends):
        part = slice(start, stop)
        arrangement.see(label[part], by(part, base), by(part, head))
    return arrangement.found


@given(st.integers(0, 50), st.booleans(), st.booleans(), st.lists(st.integers(0, 500), max_size=6))
def test_sorted_files_are_told_in_chunks_of_any_size(
    seed: int, scored: bool, falls: bool, cuts: list[int]
) -> None:
    label = np.random.default_rng(seed).integers(0, 3 if not scored else 2, 200)
    base, head = (answers(label, seed + at, scored=scored) for at in (1, 2))
    rank = np.sort(label)
    sides = [by(order_of(label, side, falls=falls), side) for side in (base, head)]
    assert told(rank, sides[0], sides[1], cuts)
    # Rows that stand as they were answered, also where they are sorted by their label alone.
    assert not told(label, base, head, cuts)
    stable = np.argsort(label, kind="stable")
    assert not told(rank, by(stable, base), by(stable, head), cuts)
    # By base's answers: the rows are still the same ones.
    same = order_of(label, base)
    assert not told(rank, by(same, base), by(same, head), cuts)
    # Two models that answer alike, and one that is always right.
    assert not told(rank, sides[0], sides[0], cuts)
    right = Outputs(rank, rank.astype(float) if scored else None)
    assert not told(rank, right, sides[1], cuts)


def written(place: Path, label: Any, side: Outputs, *, scored: bool) -> Path:
    assert side.prediction is not None
    column = side.score if scored else side.prediction
    assert column is not None
    name = "score" if scored else "prediction"
    rows = "\n".join(f"{a},{b!r}" for a, b in zip(label.tolist(), column.tolist(), strict=True))
    place.write_text(f"label,{name}\n{rows}\n")
    return place


@pytest.mark.parametrize("scored", [True, False])
def test_sorted_files_are_two_samples(
    tmp_path: Path, scored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = np.arange(400) % 2
    sides = [answers(label, at, scored=scored) for at in (1, 2)]
    plain, ordered = [], []
    for name, side in zip(("base", "head"), sides, strict=True):
        plain.append(written(tmp_path / f"{name}.csv", label, side, scored=scored))
        order = order_of(label, side)
        ordered.append(
            written(tmp_path / f"{name}-s.csv", label[order], by(order, side), scored=scored)
        )
    request = ColumnsRequest(task="binary")
    found = pair(*(read_predictions(path, request) for path in ordered))
    assert isinstance(found.rows, tuple)
    assert isinstance(found.rows[0], SingleRows)
    assert found.counts.paired_by == "none"
    assert "both files are sorted by label and answer" in found.notes[0]
    assert pair(*(read_predictions(path, request) for path in plain)).counts.paired == 400
    monkeypatch.setattr("mlops_ci.data.room.MANY", 50)
    monkeypatch.setattr("mlops_ci.data.room.CHUNK", 64)
    for paths, apart in ((ordered, True), (plain, False)):
        streamed = stream_pair(paths[0], paths[1], request)
        assert streamed is not None
        assert (streamed.apart is not None) is apart
        assert any("sorted by label and answer" in note for note in streamed.notes) is apart
