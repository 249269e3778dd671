"""Every line of the rules: what passes, fails, stays open, and what that does to the merge."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config.model import Gate, Policy
from mlops_ci.errors import ConfigError
from mlops_ci.records import GateResult, MetricResult
from mlops_ci.verdict import CAP, Judgement, Lost, Promise, Uncommon, judge
from mlops_ci.verdict.lookup import directed

BLOCKS, WARNS = True, False


def result(difference: float | None = 0.0, half: float | None = 0.004, **more: Any) -> MetricResult:
    """ROC AUC 0.9 on base; `half`: half the interval's width, None for no interval."""
    fields: dict[str, Any] = {
        "metric": "roc_auc",
        "base": 0.9,
        "head": None if difference is None else 0.9 + difference,
        "difference": difference,
        "n": 1000,
        "evidence": "paired",
        "higher_is_better": True,
    }
    if difference is not None and half is not None:
        fields |= {
            "low": difference - half,
            "high": difference + half,
            "se": half / 1.959963984540054,
        }
        fields |= {"head_low": 0.9 + difference - half, "head_high": 0.9 + difference + half}
        fields |= {"base_low": 0.9 - half, "base_high": 0.9 + half}
    return MetricResult(**{**fields, **more})


def gate(kind: Any = "max-drop", limit: float = 0.01, **more: Any) -> Gate:
    return Gate(**{"metric": "roc_auc", "kind": kind, "limit": limit, **more})


def judged(
    one: MetricResult, promise: Gate, policy: Policy | None = None, **more: Any
) -> GateResult:
    found = judge([one], [promise], policy or Policy(), **more)
    assert len(found.gates) == 1
    return found.gates[0]


@pytest.mark.parametrize(
    ("difference", "verdict", "blocks", "reason"),
    [
        (0.02, "pass", False, "holds"),
        (-0.0059, "pass", False, "holds"),  # low −0.0099 > −0.01
        (-0.0061, "inconclusive", WARNS, "straddles"),
        (-0.0099, "inconclusive", WARNS, "straddles"),
        (-0.0101, "inconclusive", BLOCKS, "straddles-beyond"),
        (-0.0139, "inconclusive", BLOCKS, "straddles-beyond"),
        (-0.0141, "fail", BLOCKS, "broken"),  # high −0.0101 < −0.01
    ],
)
def test_a_drop_is_judged_by_the_whole_interval(
    difference: float, verdict: str, blocks: bool, reason: str
) -> None:
    found = judged(result(difference), gate())
    assert (found.verdict, found.blocks, found.reason) == (verdict, blocks, reason)
    assert (found.quantity, found.margin, found.estimate) == ("difference", 0.01, difference)
    # A metric of which less is better: the mirror image.
    mirrored = result(-difference, metric="log_loss", higher_is_better=False)
    found = judged(mirrored, gate(metric="log_loss"))
    assert (found.verdict, found.blocks, found.reason) == (verdict, blocks, reason)


@given(
    base=st.integers(0, 1000),
    drop=st.integers(0, 1000),
    of=st.sampled_from([10, 100, 1000, 7]),
    upwards=st.booleans(),
)
def test_exactly_the_limit_is_inside_however_floats_round(
    base: int, drop: int, of: int, upwards: bool
) -> None:
    head = base - drop if upwards else base + drop
    before, after, limit = base / of, head / of, drop / of
    number = result(
        after - before, None, base=before, head=after, evidence="point", higher_is_better=upwards
    )
    found = judged(number, gate(limit=limit, accept="point"))
    assert (found.verdict, found.blocks) == ("pass", False)
    found = judged(number, gate("min" if upwards else "max", after, accept="point"))
    assert found.verdict == "pass"
    # With an interval whose middle is the limit nothing is decided, and nothing blocks.
    around = result(after - before, 0.01, base=before, head=after, higher_is_better=upwards)
    found = judged(around, gate(limit=limit))
    assert (found.reason, found.blocks) == ("straddles", WARNS)
    # A row more is beyond.
    worse = after - 1 / of if upwards else after + 1 / of
    number = result(
        worse - before, None, base=before, head=worse, evidence="point", higher_is_better=upwards
    )
    assert judged(number, gate(limit=limit, accept="point")).verdict == "fail"


def test_what_was_measured_comes_before_what_a_file_says_of_it() -> None:
    cheap = result(0.0, None, metric="training_seconds", head=0.001, evidence="point")
    took = result(0.0, None, metric="training_seconds", head=9.0, evidence="point")
    ceiling = gate("max", 0.01, metric="training_seconds", accept="point")
    assert judge([took, cheap], [ceiling], Policy()).gates[0].verdict == "fail"
    assert judge([cheap, took], [ceiling], Policy()).gates[0].verdict == "pass"
    # Not where there was nothing to measure.
    none = result(None, None, metric="training_seconds", evidence="point")
    assert judge([none, cheap], [ceiling], Policy()).gates[0].estimate == 0.001


def test_a_gate_tells_what_is_better_of_a_number_that_does_not() -> None:
    profit = result(-0.5, None, metric="profit", higher_is_better=None, evidence="point")
    drop = gate(metric="profit", limit=0.1, accept="point")
    with pytest.raises(ConfigError, match="whether more profit is better") as refused:
        judged(profit, drop)
    assert "better: higher" in str(refused.value.fix)
    for better, verdict in (("higher", "fail"), ("lower", "pass")):
        told = gate(metric="profit", limit=0.1, accept="point", better=better)
        assert judged(profit, told).verdict == verdict
        (found,) = directed([profit], [told])
        assert found.higher_is_better is (better == "higher")
    # Of two gates that differ the first tells what the report draws.
    first, second = (gate(metric="profit", better=better) for better in ("lower", "higher"))
    assert directed([profit], [first, second])[0].higher_is_better is False
    with pytest.raises(ConfigError, match="of roc_auc higher is better"):
        directed([result()], [gate(better="lower")])


def test_a_relative_drop_is_a_part_of_base() -> None:
    found = judged(result(-0.02), gate("max-drop-relative", 0.05))
    assert found.margin == pytest.approx(0.045)
    assert found.verdict == "pass"
    assert judged(result(-0.02), gate("max-drop-relative", 0.01)).verdict == "fail"
    negative = result(-0.02, base=-0.9, base_low=-0.95, base_high=-0.88)
    assert judged(negative, gate("max-drop-relative", 0.05)).margin == pytest.approx(0.045)


@pytest.mark.parametrize("better", [True, False])
def test_what_base_is_is_estimated_too(better: bool) -> None:
    """The interval that is shown is the one that decides: of a relative drop it holds what the
    margin may lack."""
    sign = 1 if better else -1
    told = {"base": 0.9, "base_low": 0.8, "base_high": 0.94, "higher_is_better": better}
    found = judged(result(sign * -0.02, half=0.01, **told), gate("max-drop-relative", 0.1))
    bad, good = found.low, found.high
    if not better:
        bad, good = found.high, found.low
    assert bad == pytest.approx(sign * (-0.03 - 0.1 * 0.1))
    assert good == pytest.approx(sign * (-0.01 + 0.1 * 0.04))
    around = {**told, "base": 0.05, "base_low": -0.02, "base_high": 0.12}
    found = judged(result(0.0, half=0.01, **around), gate("max-drop-relative", 0.1))
    assert (found.high if not better else found.low) == pytest.approx(sign * (-0.01 - 0.1 * 0.05))


def test_without_bounds_of_base_a_part_of_it_is_not_assessed() -> None:
    one = result(0.02, base_low=None, base_high=None)
    found = judged(one, gate("max-drop-relative", 0.5))
    assert (found.verdict, found.reason, found.blocks) == ("inconclusive", "not-assessed", BLOCKS)
    same = result(0.0, half=0.0, base_low=None, base_high=None)
    assert judged(same, gate("max-drop-relative", 0.5)).verdict == "pass"


@pytest.mark.parametrize("part", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.9])
def test_who_loses_exactly_that_part_hardly_ever_passes(part: float, correlation: float) -> None:
    """An error, of which base's value is known to 5 % and the change to 3 %."""
    draws, z = 2_000, 1.959963984540054
    rng = np.random.default_rng(4)
    of_base, of_change = 0.05, 0.03
    noise = rng.normal(size=(2, draws))
    base = 1 + of_base * noise[0]
    mixed = correlation * noise[0] + math.sqrt(1 - correlation**2) * noise[1]
    passed = 0
    for one, change in zip(base, part + of_change * mixed, strict=True):
        told = {"base": one, "base_low": one - z * of_base, "base_high": one + z * of_base}
        found = result(change, half=z * of_change, higher_is_better=False, **told)
        passed += judged(found, gate("max-drop-relative", part)).verdict == "pass"
    assert passed / draws <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / draws)


def test_of_two_drops_the_stricter_decides() -> None:
    found = judge(
        [result(-0.02)], [gate("max-drop", 0.05), gate("max-drop-relative", 0.001)], Policy()
    )
    assert [one.verdict for one in found.gates] == ["pass", "fail"]
    assert (found.verdict, found.blocks) == ("fail", True)


@pytest.mark.parametrize(
    ("kind", "limit", "verdict", "blocks"),
    [
        ("min", 0.89, "pass", False),
        ("min", 0.898, "inconclusive", WARNS),
        ("min", 0.902, "inconclusive", BLOCKS),
        ("min", 0.91, "fail", BLOCKS),
        ("max", 0.91, "pass", False),
        ("max", 0.902, "inconclusive", WARNS),
        ("max", 0.898, "inconclusive", BLOCKS),
        ("max", 0.89, "fail", BLOCKS),
    ],
)
def test_bounds_are_judged_on_the_candidates_own_interval(
    kind: str, limit: float, verdict: str, blocks: bool
) -> None:
    # The change's interval is far away: it must not be the one that is read.
    one = result(0.0, low=-0.5, high=-0.4)
    found = judged(one, gate(kind, limit))
    assert (found.verdict, found.blocks, found.quantity) == (verdict, blocks, "value")
    assert (found.estimate, found.low, found.high) == (0.9, 0.896, 0.904)


@pytest.mark.parametrize(
    ("policy", "difference", "blocks"),
    [
        ("estimate", -0.0099, WARNS),
        ("estimate", -0.0101, BLOCKS),
        ("warn", -0.0101, WARNS),
        ("warn", -0.0099, WARNS),
        ("fail", -0.0099, BLOCKS),
        ("fail", -0.0101, BLOCKS),
    ],
)
def test_what_an_inconclusive_gate_does(policy: Any, difference: float, blocks: bool) -> None:
    found = judge([result(difference)], [gate()], Policy(on_inconclusive=policy))
    assert (found.gates[0].verdict, found.verdict) == ("inconclusive", "inconclusive")
    assert (found.gates[0].blocks, found.blocks) == (blocks, blocks)


@pytest.mark.parametrize("policy", ["estimate", "warn", "fail"])
def test_a_failed_gate_blocks_under_every_policy(policy: Any) -> None:
    assert judge([result(-0.1)], [gate()], Policy(on_inconclusive=policy)).blocks


@pytest.mark.parametrize(
    ("one", "reason", "under_warn"),
    [
        (result(0.05, half=None, note="not assessed: few rows"), "not-assessed", WARNS),
        (result(None), "missing-metric", BLOCKS),
        (result(None, base=None, head=0.9), "missing-metric", BLOCKS),
        (result(None, n=0), "missing-slice", BLOCKS),
        (result(0.05, metric="accuracy"), "missing-metric", BLOCKS),
    ],
)
def test_what_could_not_be_assessed_never_passes(
    one: MetricResult, reason: str, under_warn: bool
) -> None:
    found = judged(one, gate())
    assert (found.verdict, found.blocks, found.reason) == ("inconclusive", BLOCKS, reason)
    assert judged(one, gate(), Policy(on_inconclusive="warn")).blocks is under_warn
    assert judged(one, gate(), Policy(on_inconclusive="fail")).blocks


@pytest.mark.parametrize(
    ("difference", "reason", "blocks"), [(-0.005, "point", WARNS), (-0.02, "point-beyond", BLOCKS)]
)
def test_a_number_without_rows_is_at_most_inconclusive(
    difference: float, reason: str, blocks: bool
) -> None:
    one = result(difference, half=None, evidence="point", n=None)
    found = judged(one, gate())
    assert (found.verdict, found.reason, found.blocks) == ("inconclusive", reason, blocks)
    assert found.rows_needed is None
    accepted = judged(one, gate(accept="point"))
    assert accepted.verdict == ("fail" if blocks else "pass")


def test_different_rows_are_at_most_inconclusive() -> None:
    one = result(0.05, evidence="unpaired")
    found = judged(one, gate())
    assert (found.verdict, found.reason, found.blocks) == ("inconclusive", "unpaired", WARNS)
    assert judged(one, gate(accept="point")).verdict == "inconclusive"
    assert judged(result(-0.05, evidence="unpaired"), gate()).verdict == "fail"
    # A floor reads the candidate alone, of a first run; beside a base, on base's rows.
    assert judged(one, gate("min", 0.8)).verdict == "pass"
    found = judged(one, gate("min", 0.8), uncommon=Uncommon(apart=True))
    assert (found.verdict, found.reason, found.blocks) == ("inconclusive", "unpaired", WARNS)
    assert judged(one, gate("min", 0.99), uncommon=Uncommon(apart=True)).verdict == "fail"


@pytest.mark.parametrize("promise", [gate(), gate("min", 0.8), gate("max-drop-relative", 0.1)])
def test_rows_that_head_left_out_are_at_most_inconclusive(promise: Gate) -> None:
    found = judged(result(0.05), promise, uncommon=Uncommon(unscored=1))
    assert (found.verdict, found.reason) == ("inconclusive", "unscored")
    assert judged(result(-0.5), promise, uncommon=Uncommon(unscored=1)).verdict == "fail"
    found = judged(result(0.05), promise, uncommon=Uncommon(added=1))
    assert (found.verdict, found.reason) == ("inconclusive", "new-rows")
    assert judged(result(-0.5), promise, uncommon=Uncommon(added=1)).verdict == "fail"
    assert not any(
        one.better
        for one in judge([result(0.05)], [promise], Policy(), uncommon=Uncommon(1)).metrics
    )


@pytest.mark.parametrize(
    ("uncommon", "reason"),
    [
        (Uncommon(relabelled=1), "relabelled"),
        (Uncommon(unknown=True), "unknown-rows"),
        (Uncommon(1, relabelled=1), "unscored"),
        (Uncommon(1).joined(Uncommon(relabelled=1)), "unscored"),
        (Uncommon().joined(Uncommon(relabelled=1)), "relabelled"),
    ],
)
def test_an_edited_test_set_is_at_most_inconclusive(uncommon: Uncommon, reason: str) -> None:
    for promise in (gate(), gate("min", 0.8)):
        found = judged(result(0.05), promise, uncommon=uncommon)
        assert (found.verdict, found.reason, found.blocks) == ("inconclusive", reason, WARNS)
        assert judged(result(-0.5), promise, uncommon=uncommon).verdict == "fail"
    told = judge([result(0.05)], [gate()], Policy(), uncommon=uncommon)
    assert not any(one.better for one in told.metrics)


def test_a_gate_of_a_slice_asks_for_the_rows_of_that_slice() -> None:
    lost = {"region=north": Lost(2), "region=south": Lost(), "region=west": Lost(0, 1)}
    uncommon = Uncommon(2, relabelled=1, slices=lost)
    reasons = {
        "region=north": "unscored",
        "region=south": "holds",
        "region=west": "relabelled",
        "region=new": "holds",  # base has no row of it that could be gone
        "size=large": "unscored",  # nobody has counted by size
        None: "unscored",
    }
    for name, reason in reasons.items():
        one = msgspec.structs.replace(result(0.05), slice=name)
        found = judged(one, msgspec.structs.replace(gate(), slice=name), uncommon=uncommon)
        assert found.reason == reason, name


def test_what_two_looks_miss_is_added_up() -> None:
    one = Uncommon(2, slices={"region=north": Lost(2)})
    other = Uncommon(
        1, 5, relabelled=3, slices={"region=north": Lost(0, 3), "region=west": Lost(1)}
    )
    both = one.joined(other)
    assert (both.unscored, both.added, both.relabelled) == (3, 5, 3)
    assert both.slices == {"region=north": Lost(2, 3), "region=west": Lost(1)}
    assert one.joined(Uncommon(added=1)).slices == one.slices
    assert one.joined(Uncommon(1)).slices is None, "who has not counted may have lost all"
    assert Uncommon().joined(Uncommon()).nothing


def test_identical_models_lose_nothing() -> None:
    exact = result(0.0, low=0.0, high=0.0, se=0.0)
    for limit in (0.0, 0.01):
        assert judged(exact, gate(limit=limit)).verdict == "pass"
    # Without that fact, no change seen is not no change.
    assert judged(result(0.0), gate(limit=0.0)).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("gates", "verdict", "blocks"),
    [
        ([], "ungated", False),
        ([gate(required=False)], "ungated", False),
        ([gate(limit=0.1)], "pass", False),
        ([gate(limit=0.1), gate(limit=0.02)], "inconclusive", False),
        ([gate(limit=0.1), gate(limit=0.02), gate(limit=0.001)], "fail", True),
        ([gate(limit=0.1), gate(limit=0.001, required=False)], "pass", False),
    ],
)
def test_the_models_verdict_is_the_worst_of_the_required(
    gates: list[Gate], verdict: str, blocks: bool
) -> None:
    found = judge([result(-0.019)], gates, Policy())
    assert (found.verdict, found.blocks) == (verdict, blocks)


def test_an_advisory_gate_never_blocks() -> None:
    for one in (result(-0.5), result(None), result(-0.011)):
        assert not judged(one, gate(required=False), Policy(on_inconclusive="fail")).blocks


def test_rows_that_would_decide() -> None:
    se, n = 0.0087, 1000
    one = result(-0.004, half=1.959963984540054 * se)
    needed = judged(one, gate()).rows_needed
    power = (1.959963984540054 + 0.8416212335729143) ** 2
    assert needed == (
        math.ceil(n * power * (se / 0.01) ** 2),
        math.ceil(n * power * (se / 0.006) ** 2),
    )
    # The chance of a pass with that many rows, were the change 0: 80 %.
    assert judged(one, gate(limit=0.004000001)).rows_needed is not None
    capped = judged(one, gate(limit=0.0040000001)).rows_needed
    assert capped is not None
    assert capped[1] == CAP * n
    assert judged(result(0.0), gate(limit=0.0)).rows_needed is None
    assert judged(result(0.0), gate()).rows_needed is None  # it passed


def slices(**by_name: MetricResult | None) -> list[MetricResult]:
    import msgspec

    return [
        result()
        if name == "all"
        else msgspec.structs.replace(one or result(None, n=0), slice=f"region={name}")
        for name, one in by_name.items()
    ]


def test_a_wildcard_is_a_gate_for_every_value_seen() -> None:
    metrics = slices(all=None, north=result(0.05), south=result(-0.5), gone=None)
    found = judge(metrics, [gate(slice="region=*")], Policy())
    assert [(one.slice, one.verdict, one.reason) for one in found.gates] == [
        ("region=gone", "inconclusive", "missing-slice"),
        ("region=north", "pass", "holds"),
        ("region=south", "fail", "broken"),
    ]
    assert found.gates[0].blocks


def test_a_slice_that_nobody_has_blocks() -> None:
    for name in ("region=*", "region=west"):
        found = judge([result(0.05)], [gate(slice=name)], Policy(on_inconclusive="warn"))
        assert [(one.reason, one.blocks) for one in found.gates] == [("missing-slice", True)]


def test_the_anchor_bounds_many_small_losses() -> None:
    now, since = result(-0.005), result(-0.03, base=0.93)
    promise = gate(max_total_drop=0.02)
    found = judge([now], [promise], Policy(), anchor=[since])
    assert [(one.against, one.verdict, one.limit) for one in found.gates] == [
        ("base", "pass", 0.01),
        ("anchor", "fail", 0.02),
    ]
    assert found.blocks
    assert len(judge([now], [gate()], Policy(), anchor=[since]).gates) == 1
    assert judge([now], [promise], Policy(), anchor=[result(-0.01)]).verdict == "pass"
    # Known by its number alone, the anchor cannot pass a gate, but can stop one.
    point = result(-0.03, half=None, evidence="point")
    found = judge([now], [promise], Policy(), anchor=[point])
    assert (found.gates[1].verdict, found.gates[1].blocks) == ("inconclusive", True)


def test_relative_drops_add_up_as_well() -> None:
    now, since = result(-0.005), result(-0.1, base=1.0)
    promise = gate("max-drop-relative", 0.02, max_total_drop=0.04)
    found = judge([now], [promise], Policy(), anchor=[since])
    assert [(one.against, one.verdict) for one in found.gates] == [
        ("base", "pass"),
        ("anchor", "fail"),
    ]
    assert [one.margin for one in found.gates] == pytest.approx([0.018, 0.04])


def test_an_anchor_without_the_metric_is_told_and_does_not_block() -> None:
    found = judge([result(0.0)], [gate(max_total_drop=0.02)], Policy(), anchor=[])
    assert (found.verdict, len(found.gates), len(found.notes)) == ("pass", 1, 1)


def test_what_an_anchor_never_has_stops_nothing() -> None:
    """A time has a history of its own; a function that is new has no anchor yet."""
    base = result(0.0)
    others = [
        result(0.0, metric=name, evidence=evidence, higher_is_better=name == "profit")
        for name, evidence in (("latency_ms", "history"), ("profit", "paired"))
    ]
    gates = [
        gate(max_total_drop=0.02),
        gate("max-drop-relative", 0.2, metric="latency_ms", max_total_drop=0.4),
        gate(metric="profit", max_total_drop=0.02),
    ]
    found = judge([base, *others], gates, Policy(), anchor=[result(0.0)])
    assert [(one.metric, one.against) for one in found.gates] == [
        ("roc_auc", "base"),
        ("latency_ms", "base"),
        ("profit", "base"),
        ("roc_auc", "anchor"),
    ]
    (said,) = found.notes
    assert said.startswith("main's records of 90 days have no profit: no limit in all")
    assert found.primary == "roc_auc"
    last = judge([base, *others], gates[1:], Policy())
    assert last.primary == "profit"


def names_of_better(found: Judgement) -> list[str]:
    return [one.metric for one in found.metrics if one.better]


def test_better_is_said_of_the_primary_metric_by_its_interval() -> None:
    found = judge([result(0.005)], [gate()], Policy())
    assert (found.primary, names_of_better(found)) == ("roc_auc", ["roc_auc"])
    assert names_of_better(judge([result(0.003)], [gate()], Policy())) == []
    assert names_of_better(judge([result(0.005, evidence="unpaired")], [gate()], Policy())) == []


def test_better_is_said_of_others_after_holm() -> None:
    se = 0.01
    others = [
        result(z * se, half=1.959963984540054 * se, metric=name)
        for name, z in (
            ("accuracy", 2.6),
            ("f1", 2.3),
            ("recall", 2.0),
            ("precision", -1.0),
            ("mcc", 0.0),
        )
    ]
    found = judge([result(0.0), *others], [gate()], Policy())
    # 0.05/5 = 0.0100 ≥ p(2.6) = 0.0093; 0.05/4 = 0.0125 < p(2.3) = 0.0214: there it stops.
    assert names_of_better(found) == ["accuracy"]
    assert names_of_better(judge([result(0.0), *others], [gate()], Policy(primary="f1"))) == [
        "accuracy",
        "f1",
    ]
    worse = [
        result(-0.05, metric="accuracy"),
        result(-0.05, metric="log_loss", higher_is_better=False),
    ]
    assert names_of_better(judge(worse, [], Policy())) == ["log_loss"]


def test_an_unknown_metric_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="roc_acu") as caught:
        judge([result()], [gate(metric="roc_acu")], Policy())
    assert "`roc_auc`" in caught.value.fix


def test_a_direction_that_nobody_knows_is_an_error() -> None:
    one = result(metric="banana", higher_is_better=None)
    with pytest.raises(ConfigError, match="banana"):
        judge([one], [gate(metric="banana")], Policy())
    assert judged(one, gate("min", 0.8, metric="banana")).verdict == "pass"


def test_a_negated_scorer_is_turned_round() -> None:
    one = result(metric="log_loss", higher_is_better=False)
    found = judged(one, gate("min", -0.95, metric="neg_log_loss"))
    assert (found.metric, found.kind, found.limit, found.verdict) == (
        "log_loss",
        "max",
        0.95,
        "pass",
    )


def test_a_gate_finds_a_nested_number() -> None:
    one = result(metric="test.roc_auc", evidence="point", half=None)
    assert judged(one, gate(accept="point")).metric == "test.roc_auc"
    assert (
        judged(result(metric="test/auc", evidence="point", half=None), gate()).metric == "test/auc"
    )
    both = [one, result(metric="train.roc_auc")]
    with pytest.raises(ConfigError, match=r"train\.roc_auc"):
        judge(both, [gate()], Policy())


def test_rows_are_stronger_evidence_than_a_number() -> None:
    for order in (1, -1):
        metrics = [result(0.0), result(-0.5, half=None, evidence="point")][::order]
        assert judge(metrics, [gate()], Policy()).gates[0].evidence == "paired"


def test_a_gate_says_whose_it_is() -> None:
    found = judge([result()], [Promise(gate(), "both"), gate("min", 0.1)], Policy())
    assert [one.source for one in found.gates] == ["both", "option"]


def test_a_primary_metric_that_was_not_measured_is_told() -> None:
    gates = [Gate(metric="roc_auc", kind="max-drop", limit=0.1)]
    found = judge([result()], gates, Policy(primary="rmse"))
    assert found.primary == "roc_auc"
    assert found.notes == ("`primary: rmse` was not measured: nothing is said of it",)
    with pytest.raises(ConfigError, match="rsme"):
        judge([result()], gates, Policy(primary="rsme"))
