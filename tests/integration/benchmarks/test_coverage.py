"""The simulated repositories: what is said to be true of them is, and a miss is counted as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.coverage.scenes import every_scene
from benchmarks.coverage.scenes.binary import Binary
from benchmarks.coverage.scenes.fairness import Groups
from benchmarks.coverage.scenes.functions import Functions, f2, median_error, wape
from benchmarks.coverage.scenes.queries import Queries
from benchmarks.coverage.scenes.regression import Numbers
from benchmarks.coverage.scenes.streams import Stream
from benchmarks.coverage.tables import (
    TOO_OFTEN,
    bad_models,
    bad_regions,
    confirmed,
    fall_short,
    pool,
    regions,
    wrong,
)
from benchmarks.coverage.tally import Misses, Scene, Tally, Truth, simulate
from benchmarks.coverage.worlds import World
from mlops_ci.records import MetricResult

MANY = 60_000
SCENES: list[Scene] = [
    Binary(World(MANY, 0.2, 0.5, tied=True, bold=True)),
    Binary(World(MANY, 0.05, 0.5, group=10)),
    Binary(World(MANY, 0.5, 0.5, weighted=True)),
    Numbers(MANY, 0.5),
    Numbers(MANY, 0.5, tailed=True),
    Queries(6_000, 0.5, "two grades"),
    Functions(World(MANY, 0.1, 0.5), {"f2": f2}),
    Functions(Numbers(MANY, 0.5, tailed=True), {"wape": wape, "median_error": median_error}),
    Stream(World(MANY, 0.05, 0.5, bold=True), slice=True),
    Groups(MANY, 0.5, "four groups"),
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"{scene.table}, {scene.region}")
def test_the_truth_is_that_of_many_rows(scene: Scene) -> None:
    truths = scene.truths()
    found = {one.metric: one for one in scene.sample(np.random.default_rng(3))}
    assert set(found) >= set(scene.estimators) - {"ece"}
    for name, one in found.items():
        assert one.low is not None, one
        assert one.high is not None
        assert one.head_low is not None
        assert one.head_high is not None
        # Twice as wide as the interval: 4 standard errors.
        half, middle = one.high - one.low, (one.high + one.low) / 2
        assert abs(truths[name].change - middle) < half, (name, truths[name], one)
        own, middle = one.head_high - one.head_low, (one.head_high + one.head_low) / 2
        assert abs(truths[name].head - middle) < own, (name, truths[name], one)


def test_every_family_is_there_in_every_size() -> None:
    found = {(scene.table.partition(",")[0], scene.n) for scene in every_scene(quick=False)}
    sizes = {n for _, n in found}
    assert {200, 500, 1_000, 5_000, 20_000, 100_000} < sizes
    assert {table for table, _ in found} >= {
        "two classes", "four classes", "numbers", "fairness", "counted as they are read",
        "scores in bins", "functions of a user's", "queries of ten rows (rows: queries)",
    }  # fmt: skip


def result(low: float, high: float) -> MetricResult:
    return MetricResult(
        metric="accuracy",
        base=0.8,
        head=0.78,
        difference=(low + high) / 2,
        low=low,
        high=high,
        head_low=0.78 + low,
        head_high=0.78 + high,
        n=1_000,
        se=(high - low) / 4,
        evidence="paired",
        higher_is_better=True,
    )


def test_a_miss_is_counted_on_its_side_and_a_pass_of_a_bad_model_is_seen() -> None:
    tally, truth = Tally(), Truth(0.80, 0.78)
    for low in (-0.03, -0.01, -0.06):  # holds it, lies above it, lies below it
        tally.note(result(low, low + 0.02), truth, gates=True)
    assert (tally.change.assessed, tally.change.above, tally.change.below) == (3, 1, 1)
    assert tally.change.length == pytest.approx(0.06)
    margin = tally.judged["just the margin"]
    assert {word: margin.counts.get(word, 0) for word in ("pass", "inconclusive", "fail")} == {
        "pass": 1, "inconclusive": 1, "fail": 1,
    }  # fmt: skip
    assert tally.judged["half of it"].counts["pass"] == 2
    key = ("two classes", "accuracy", 1_000, 1_000)
    assert any(one.why == "passes 33.3%" for one in bad_models({key: tally}))


def test_what_is_not_assessed_is_neither_hit_nor_miss() -> None:
    none = Misses.of(None, None, 0.0)
    assert (none.drawn, none.assessed, none.above, none.below) == (1, 0, 0, 0)


def test_too_short_intervals_fall_short() -> None:
    scene = Numbers(1_000, 0.5)
    honest = simulate((scene, 40, 1))
    assert not fall_short(pool([(scene, honest)]))
    short = {
        name: replace(one, change=replace(one.change, above=20)) for name, one in honest.items()
    }
    assert len(fall_short(pool([(scene, short)]))) == len(scene.estimators)
    assert len(bad_regions(regions([(scene, short)]))) == len(scene.estimators)
    doubted = wrong([(scene, short)])
    assert len(doubted) == 2 * len(scene.estimators)
    assert confirmed(doubted, doubted) == doubted
    assert not confirmed(doubted, wrong([(scene, honest)]))
    assert not confirmed(doubted[:1], [one for one in doubted if one.estimator != "mae"])
    certain = [doubted[0]._replace(why=TOO_OFTEN)]
    assert confirmed(certain, []) == certain


def test_what_leaves_a_group_out_has_another_truth() -> None:
    rng, scene = np.random.default_rng(4), Groups(1_000, 0.5, "four groups", 10)
    found = [one for _ in range(4) for one in scene.sample(rng)]
    left_out = [one for one in found if one.note and "left out" in one.note]
    assert left_out
    assert {one.low for one in left_out} == {one.head_high for one in left_out} == {None}
    assert all(one.head is not None for one in left_out)
