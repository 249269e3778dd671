"""One promise, judged: an interval against a limit.

Everything here is oriented: + is better, whatever the metric. A promise is kept when the whole
interval lies inside the limit, broken when all of it lies beyond, undecided when it straddles: a
test of non-inferiority, and of inferiority (Blackwelder 1982, "'Proving the null hypothesis' in
clinical trials", Controlled Clinical Trials 3, 345–353, doi:10.1016/0197-2456(82)90024-1, where the
number of rows that decide is, too). All gates at one level make a test of that level (Berger 1982,
"Multiparameter hypothesis testing and acceptance sampling", Technometrics 24, 295–300,
doi:10.1080/00401706.1982.10487790).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from mlops_ci.config.model import DROPS, FLOORS, Gate, Policy
from mlops_ci.records.results import GateResult, MetricResult
from mlops_ci.value import Value
from mlops_ci.verdict.quantiles import normal_quantile, quantile
from mlops_ci.verdict.reading import Reading, margin_of, quantity_of, read
from mlops_ci.verdict.structs import replaced
from mlops_ci.verdict.uncommon import ALL_COMMON, Uncommon

POWER = 0.80
# Beyond this many times the rows there are, the number of rows is no advice any more.
CAP = 100

Source = Literal["base", "head", "both", "option"]
Against = Literal["base", "anchor"]
Reason = Literal[
    "holds",  # the interval lies inside the limit
    "broken",  # the interval lies beyond the limit
    "straddles",  # undecided; the estimate is inside the limit
    "straddles-beyond",  # undecided; the estimate is beyond the limit
    "unpaired",  # would hold, but each side was measured on rows of its own
    "unscored",  # would hold, but rows that base answered were left out, or are gone
    "relabelled",  # would hold, but rows that base answered have another label
    "unknown-rows",  # would hold, but nobody can tell which rows of base are gone
    "new-rows",  # would hold, but base has not answered the rows that are new in head
    "point",  # a number without rows; inside the limit
    "point-beyond",  # a number without rows; beyond the limit
    "not-assessed",  # there are rows, but too few to trust an interval (the metric's note)
    "missing-metric",  # no value on one side, or not a number
    "missing-slice",  # no row of this slice is left
]
# Nothing to read: these block whatever the policy on inconclusive gates.
NOTHING: tuple[Reason, ...] = ("missing-metric", "missing-slice")


class Promise(Value, frozen=True):
    """A gate, and whose file asks for it."""

    gate: Gate
    source: Source = "option"


def gate_of(gate: Gate | Promise) -> Gate:
    return gate.gate if isinstance(gate, Promise) else gate


class Circumstances(Value, frozen=True):
    """What judging needs beside the metric."""

    policy: Policy
    uncommon: Uncommon = ALL_COMMON
    against: Against = "base"


class Ruling(Value, frozen=True):
    verdict: Literal["pass", "fail", "inconclusive"]
    reason: Reason


def expand_slices(gate: Gate, known: Sequence[str]) -> list[Gate]:
    """`region=*` once for every value seen in base or head; itself when there is none."""
    if gate.slice is None or not gate.slice.endswith("=*"):
        return [gate]
    column = gate.slice.removesuffix("*")
    values = sorted(name for name in known if name.startswith(column))
    return [replaced(gate, slice=name) for name in values] or [gate]


def judge_gate(
    promise: Promise,
    result: MetricResult | None,
    at: Circumstances,
    missing: Reason = "missing-metric",
) -> GateResult:
    """`result`: None when the metric, or the slice, is not there; `missing` says which."""
    gate = promise.gate
    margin = margin_of(gate, result)
    ruling, reading = Ruling("inconclusive", missing), None
    if result is not None:
        ruling, reading = _decide(gate, result, at)
    return GateResult(
        metric=gate.metric,
        kind=gate.kind,
        limit=gate.limit,
        slice=gate.slice,
        required=gate.required,
        verdict=ruling.verdict,
        blocks=gate.required and _blocks(ruling, reading, at.policy),
        reason=ruling.reason,
        margin=margin,
        evidence=result.evidence if result else "point",
        rows_needed=_rows_needed(gate, result, reading, at.policy)
        if ruling.verdict == "inconclusive" and result and reading
        else None,
        against=at.against,
        source=promise.source,
        **quantity_of(gate, result),
    )


def _decide(gate: Gate, result: MetricResult, at: Circumstances) -> tuple[Ruling, Reading | None]:
    reading = read(gate, result, margin_of(gate, result))
    if reading is None:
        return Ruling("inconclusive", "missing-slice" if result.n == 0 else "missing-metric"), None
    return _rule(gate, reading, result, at), reading


def _rule(gate: Gate, reading: Reading, result: MetricResult, at: Circumstances) -> Ruling:
    if reading.low is None or reading.high is None:
        if result.evidence != "point":
            return Ruling("inconclusive", "not-assessed")
        if gate.accept != "point":
            inside = reading.estimate >= 0
            return Ruling("inconclusive", "point" if inside else "point-beyond")
        decided = reading.estimate >= 0, reading.estimate < 0
    elif reading.exact:
        decided = reading.estimate >= 0, reading.estimate < 0
    else:
        own = gate.kind in FLOORS
        decided = reading.low > 0 or (own and reading.low == 0), reading.high < 0
    if decided[1]:
        return Ruling("fail", "broken")
    if decided[0]:
        return _kept(gate, result, at)
    return Ruling("inconclusive", "straddles" if reading.estimate >= 0 else "straddles-beyond")


def _kept(gate: Gate, result: MetricResult, at: Circumstances) -> Ruling:
    """A pass, unless the evidence does not carry one. The candidate's own value needs no pairs, but
    base's rows: of others it may have chosen those that it knows. A size or a time needs no rows.
    """
    if result.evidence == "history":
        return Ruling("pass", "holds")
    uncommon = at.uncommon.within(gate.slice)
    if uncommon.doubt is not None:
        return Ruling("inconclusive", uncommon.doubt)
    if result.evidence == "unpaired" and (gate.kind in DROPS or uncommon.apart):
        return Ruling("inconclusive", "unpaired")
    return Ruling("pass", "holds")


def _blocks(ruling: Ruling, reading: Reading | None, policy: Policy) -> bool:
    if ruling.verdict != "inconclusive":
        return ruling.verdict == "fail"
    if ruling.reason in NOTHING or reading is None or policy.on_inconclusive == "fail":
        return True
    if policy.on_inconclusive == "warn":
        return False
    return ruling.reason == "not-assessed" or reading.estimate < 0


def _rows_needed(
    gate: Gate, result: MetricResult, reading: Reading, policy: Policy
) -> tuple[int, int] | None:
    """Rows that decide with 80 % power, for no true change and for the change as seen.

    n · (z_{α/2} + z_β)² · SE² / (d² − (z_{α/2} + z_β)² · seed_sd²), d the distance to the limit;
    at least the rows there are, at most `CAP` times as many; None when both reach the cap.
    """
    if reading.low is None or reading.high is None or not result.n or reading.exact:
        return None
    z = normal_quantile(policy.level)
    if gate.kind in FLOORS:
        se = (reading.high - reading.low) / (2 * z)
        still = reading.estimate if result.base is None else _distance_of_base(gate, result.base)
    else:
        se = result.se or (reading.high - reading.low) / (2 * z)
        still = margin_of(gate, result) or 0.0
    reach = z + quantile(POWER)
    factor = result.n * (reach * se) ** 2
    # What seeds move, rows do not mend: it is taken off the distance before they are counted.
    noise = 0.0 if gate.kind in FLOORS else (reach * (result.seed_sd or 0.0)) ** 2
    cap = CAP * result.n
    needed = [
        math.ceil(min(cap, max(result.n, factor / (distance**2 - noise))))
        if distance**2 > noise
        else cap
        for distance in (abs(still), abs(reading.estimate))
    ]
    return None if min(needed) >= cap else (needed[0], needed[1])


def _distance_of_base(gate: Gate, base: float) -> float:
    return base - gate.limit if gate.kind == "min" else gate.limit - base
