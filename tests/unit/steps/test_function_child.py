"""What a function is asked: all rows, all but a block, and of few rows some drawn anew."""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_ci.steps import function_child
from mlops_ci.steps.function_child import Asking, drawn_of, times_drawn, values_of
from mlops_ci.verdict import Outputs, PairedRows
from mlops_ci.verdict.functions import blocks_of, places_of

PLAN: dict[str, Any] = {
    "parts": [None], "sides": ["head"], "functions": [{}], "draws": 50, "most_rows": 1_000,
    "most_parts": 50, "seconds": 60.0,
}  # fmt: skip
N = 300


def mean_error(y: Any, prediction: Any) -> float:
    return float(np.abs(y - prediction).sum() / len(y))


def asking(function: Any = mean_error, arrays: dict[str, Any] | None = None, **plan: Any) -> Asking:
    rng = np.random.default_rng(1)
    label = np.rint(rng.normal(size=N) * 64) / 64
    given = {"y": label, "head_prediction": np.zeros(N), "place": rng.permutation(N)}
    given["block"] = given["place"] % 20
    return Asking(function, PLAN | plan, given | (arrays or {}), [])


def test_as_many_are_drawn_as_there_are_each_as_likely_as_the_others() -> None:
    drawn = np.array([times_drawn(40, number) for number in range(2_000)])
    assert (drawn.sum(axis=1) == 40).all()
    assert np.abs(drawn.mean(axis=0) - 1).max() < 4 * np.sqrt((1 - 1 / 40) / 2_000)
    assert abs((drawn == 0).mean() - (1 - 1 / 40) ** 40) < 0.01
    assert len(np.unique(drawn, axis=0)) == 2_000
    assert np.abs(np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]) < 0.02


def test_the_draws_are_of_all_rows_and_their_spread_is_that_of_the_mean() -> None:
    one = asking(draws=400)
    ((whole, *_),) = values_of(one, None)
    ((drawn,),) = drawn_of(one)
    errors = np.abs(one.arrays["y"])
    assert whole == errors.mean()
    assert abs(np.mean(drawn) - whole) < 4 * errors.std() / np.sqrt(N * 400)
    assert abs(np.std(drawn) / (errors.std() / np.sqrt(N)) - 1) < 0.12


def test_places_and_not_the_rows_order_decide() -> None:
    one, order = asking(), np.random.default_rng(2).permutation(N)
    moved = {name: array[order] for name, array in one.arrays.items()}
    assert drawn_of(one) == drawn_of(asking(arrays=moved))


def test_places_are_told_by_keys_or_by_what_rows_hold() -> None:
    rng = np.random.default_rng(3)
    label, said = rng.normal(size=N), rng.normal(size=N)
    order, hashes = rng.permutation(N), rng.integers(0, 2**63, N)
    rows = PairedRows("regression", (), label, Outputs(said), Outputs(label))
    mixed = PairedRows("regression", (), label[order], Outputs(said[order]), Outputs(label[order]))
    for keys in (hashes, None):
        places = places_of(rows, keys)
        assert sorted(places) == list(range(N))
        other = places_of(mixed, None if keys is None else keys[order])
        assert (places[order] == other).all()
        assert len(np.unique(blocks_of(rows, keys))) == 20


def test_rows_of_a_group_are_drawn_together_and_rows_without_weight_never() -> None:
    seen: list[Any] = []

    def look(y: Any, _: Any) -> float:
        seen.append(y)
        return float(len(y))

    group = np.arange(N) // 10
    drawn_of(asking(look, {"y": np.arange(N), "place": group, "weight": 1.0 * (group != 7)}))
    assert len(seen) == 50
    for rows in seen:
        counts = np.bincount(rows, minlength=N).reshape(-1, 10)
        assert (counts == counts[:, :1]).all()
        assert counts[:, 0].sum() == 29
        assert counts[7, 0] == 0


def test_a_part_has_draws_of_its_own_rows_and_many_rows_have_none() -> None:
    def largest(y: Any, _: Any) -> float:
        return float(y.max())

    slices = np.array([np.arange(N) < 80, np.arange(N) >= 80])
    arrays = {"y": np.arange(N), "slices": slices}
    whole, few, rest = drawn_of(asking(largest, arrays, parts=[None, 0, 1], most_rows=250))
    assert whole is None
    assert 60 < max(few[0]) < 80
    assert max(rest[0]) > 200


def test_a_sample_without_a_value_leaves_no_draws() -> None:
    def only_whole(y: Any, _: Any) -> float:
        if len(np.unique(y)) < N - 20:
            raise ValueError("a class is missing")
        return float(len(y))

    one = asking(only_whole, {"y": np.arange(N)})
    assert len(values_of(one, None)[0]) == 21
    assert drawn_of(one) == [None]


def test_of_many_parts_only_all_rows_are_drawn() -> None:
    arrays = {"slices": np.array([np.arange(N) < 200, np.arange(N) >= 100])}
    for most, expected in ((3, [True, True, True]), (2, [True, False, False])):
        one = asking(arrays=arrays, parts=[None, 0, 1], most_parts=most)
        assert [drawn is not None for drawn in drawn_of(one)] == expected


class Clock:
    """Each look at it takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


def ask(folder: Path, bodies: list[str], monkeypatch: pytest.MonkeyPatch, **plan: Any) -> Any:
    functions = []
    for at, body in enumerate(bodies):
        path = folder / f"f{at}.py"
        path.write_text(f"def f(y, prediction):\n    {body}\n")
        functions.append({"path": str(path), "name": "f"})
    given = asking().arrays
    for name, array in given.items():
        np.save(folder / f"{name}.npy", array)
    asked = PLAN | {"functions": functions, "arrays": list(given)} | plan
    (folder / "plan.json").write_text(json.dumps(asked))
    monkeypatch.setattr(sys, "path", list(sys.path))
    function_child.main(str(folder))
    return json.loads((folder / "answer.json").read_bytes())


def test_no_time_that_calls_take_decides_about_an_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "return float(abs(y - prediction).mean())"
    quick = ask(tmp_path, [body], monkeypatch)
    monkeypatch.setattr(function_child, "time", Clock())
    assert ask(tmp_path, [body], monkeypatch, seconds=1e6) == quick, "slow, and in time"
    (late,) = ask(tmp_path, [body], monkeypatch, seconds=60.0)
    assert list(late) == ["refused"], "blocks were answered, draws not all"
    assert "60 s" in late["refused"]
    assert "`timeout: SECONDS`" in late["refused"]


def test_who_is_out_of_time_takes_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_child, "time", Clock())
    waits = "from mlops_ci.steps.function_child import time; time.now += 100; return 1.0"
    slow, quick = ask(tmp_path, [waits, "return float(y.mean())"], monkeypatch, seconds=2_000.0)
    assert "is over" in slow["refused"]
    assert len(quick["drawn"][0][0]) == PLAN["draws"]


def test_of_many_rows_only_what_the_function_is_given_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 600_000
    arrays = {
        "y": np.arange(rows) % 2.0,
        "base_prediction": np.zeros(rows),
        "head_prediction": np.ones(rows),
        "block": (np.arange(rows) % 4).astype(np.uint8),
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    (tmp_path / "f.py").write_text("def f(y, p):\n    y += p\n    return float(y.mean())\n")
    functions = [{"path": str(tmp_path / "f.py"), "name": "f"}]
    plan = PLAN | {"functions": functions, "sides": ["base", "head"], "arrays": list(arrays)}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    monkeypatch.setattr(sys, "path", list(sys.path))
    tracemalloc.start()
    try:
        function_child.main(str(tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (told,) = json.loads((tmp_path / "answer.json").read_bytes())
    ((base, head),) = told["parts"]
    assert (base[0], head[0]) == (0.5, 1.5)
    assert np.load(tmp_path / "y.npy").sum() == rows / 2  # whatever it does to what it is given
    assert peak < 20 * rows
