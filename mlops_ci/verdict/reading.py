"""What a gate reads of a metric: its distance from the limit, and the bounds of that.

Everything here is oriented: + is better, whatever the metric.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from mlops_ci.config.model import FLOORS, Gate
from mlops_ci.errors import DOCS, ConfigError
from mlops_ci.records.results import MetricResult
from mlops_ci.value import Value

# 0.90 − 0.88 is 0.02 for whoever reads it: what the rounding of floats leaves is no distance.
ROUNDING = 16 * sys.float_info.epsilon


class Reading(Value, frozen=True):
    """Estimate and bounds minus limit, + is better: what is above 0 keeps the promise."""

    estimate: float
    low: float | None
    high: float | None

    @property
    def exact(self) -> bool:
        return self.low is not None and self.low == self.high


def margin_of(gate: Gate, result: MetricResult | None) -> float | None:
    if gate.kind == "max-drop":
        return gate.limit
    if gate.kind == "max-drop-relative" and result is not None and result.base is not None:
        return gate.limit * abs(result.base)
    return None


def quantity_of(gate: Gate, result: MetricResult | None) -> dict[str, Any]:
    """What is held against the limit, and its bounds; None each where they are not known."""
    own = gate.kind in FLOORS
    told: dict[str, Any] = {"quantity": "value" if own else "difference"}
    if result is None:
        return {**told, "estimate": None, "low": None, "high": None}
    if own:
        return {**told, "estimate": result.head, "low": result.head_low, "high": result.head_high}
    low, high = result.low, result.high
    if gate.kind == "max-drop-relative" and result.evidence == "paired":
        low, high = _with_base(gate.limit, result)
    return {**told, "estimate": result.difference, "low": low, "high": high}


def _with_base(part: float, result: MetricResult) -> tuple[float | None, float | None]:
    """Bounds of the change for a margin that is `part` of base's value, which these rows only
    estimate. The standard deviation of a sum is at most the sum of both (Minkowski), so each end
    moves by what the margin may lack or have too much. Two samples need none of it: there the
    margin's own error is against that of the change. An exact change (equal models) stays exact.
    """
    low, high, base = result.low, result.high, result.base
    if low is None or high is None or base is None or low == high == 0:
        return low, high
    if result.base_low is None or result.base_high is None:
        return None, None
    ends = sorted((abs(result.base_low), abs(result.base_high)))
    least = 0.0 if result.base_low <= 0 <= result.base_high else ends[0]
    lack, excess = part * max(0.0, abs(base) - least), part * max(0.0, ends[1] - abs(base))
    if result.higher_is_better is False:
        return low - excess, high + lack
    return low - lack, high + excess


def read(gate: Gate, result: MetricResult, margin: float | None) -> Reading | None:
    """None: there is nothing to read. Raises ConfigError where more may be better or worse."""
    seen = quantity_of(gate, result)
    if seen["estimate"] is None:
        return None
    if gate.kind in FLOORS:
        upwards = gate.kind == "min"
        margin = -gate.limit if upwards else gate.limit
    else:
        upwards = _is_upwards(gate, result)
    return None if margin is None else _oriented(seen, upwards, margin, _least(margin, result))


def _is_upwards(gate: Gate, result: MetricResult) -> bool:
    if result.higher_is_better is not None:
        return result.higher_is_better
    if gate.better is None:
        raise ConfigError(
            f"whether more {gate.metric} is better or worse is not known",
            fix=f"say it, `higher` or `lower`:\n    gates:\n"
            f"      {gate.metric}: {{{gate.kind}: {gate.limit:g}, better: higher}}\n"
            f"or, of two files, --better {gate.metric}=higher",
            link=f"{DOCS}/config.md#gates",
        )
    return gate.better == "higher"


def _least(room: float, result: MetricResult) -> float:
    """The least distance from the limit that is one."""
    return ROUNDING * max(abs(one) for one in (room, result.base or 0.0, result.head or 0.0))


def _oriented(
    seen: Mapping[str, Any],
    upwards: bool,  # noqa: FBT001 - the direction
    room: float,
    least: float,
) -> Reading:
    def distance(value: float) -> float:
        found = room + value if upwards else room - value
        return found if abs(found) > least else 0.0

    low, high = (seen["low"], seen["high"]) if upwards else (seen["high"], seen["low"])
    if low is None or high is None:
        return Reading(distance(seen["estimate"]), None, None)
    return Reading(distance(seen["estimate"]), distance(low), distance(high))
