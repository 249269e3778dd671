"""A gate that somebody vouches for, for a while: it is judged and shown, and does not block.

Waivers are read from where the gates are read, so a pull request cannot waive for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mlops_ci.config.model import Waiver
from mlops_ci.records.results import GateResult
from mlops_ci.value import Value
from mlops_ci.verdict.likeness import same_metric
from mlops_ci.verdict.names import last_part
from mlops_ci.verdict.structs import replaced


class Waived(Value, frozen=True):
    """`notes`: waivers that were used, and those whose day is over."""

    gates: tuple[GateResult, ...]
    notes: tuple[str, ...]


def told(waiver: Waiver) -> str:
    return f"by {waiver.owner} until {waiver.until.isoformat()}: {waiver.reason}"


def waive(gates: Sequence[GateResult], waivers: Sequence[Waiver], today: date) -> Waived:
    """A required gate that did not pass, and that a waiver covers, becomes an advisory one. The
    waiver's last day counts; afterwards it is ignored, and said to be over."""
    waivers = _resolved(waivers, gates)
    valid = [waiver for waiver in waivers if waiver.until >= today]
    over = [waiver for waiver in waivers if waiver.until < today]
    judged: list[GateResult] = []
    notes: list[str] = []
    for gate in gates:
        if gate.required and gate.verdict != "pass":
            notes += [over_said(_name(gate), waiver) for waiver in over if covers(waiver, gate)]
            waiver = next((one for one in valid if covers(one, gate)), None)
            if waiver is not None:
                notes.append(used(_name(gate), waiver))
                gate = replaced(gate, required=False, blocks=False, waived=told(waiver))  # noqa: PLW2901
        judged.append(gate)
    return Waived(tuple(judged), tuple(dict.fromkeys(notes)))


def _resolved(waivers: Sequence[Waiver], gates: Sequence[GateResult]) -> list[Waiver]:
    """A waiver of `auc` is one of `test.auc`, where the gates know one such metric alone."""
    names = list(dict.fromkeys(gate.metric for gate in gates))
    found = []
    for waiver in waivers:
        ends = [name for name in names if same_metric(last_part(name), waiver.metric)]
        alone = len(ends) == 1 and not any(same_metric(name, waiver.metric) for name in names)
        found.append(replaced(waiver, metric=ends[0]) if alone else waiver)
    return found


def covers(waiver: Waiver, gate: GateResult) -> bool:
    """`slice` is a gate's own, or `column=*`; without one it covers the gate on all rows."""
    if not same_metric(waiver.metric, gate.metric):
        return False
    if waiver.kind is not None and waiver.kind != gate.kind:
        return False
    if waiver.slice is not None and waiver.slice.endswith("=*"):
        return (gate.slice or "").startswith(waiver.slice.removesuffix("*"))
    return waiver.slice == gate.slice


def _name(gate: GateResult) -> str:
    return f"{gate.metric} of {gate.slice}" if gate.slice else gate.metric


def used(name: str, waiver: Waiver) -> str:
    return f"{name} is waived {told(waiver)}"


def over_said(name: str, waiver: Waiver) -> str:
    return (
        f"the waiver of {waiver.owner} for {name} ended on {waiver.until.isoformat()}: "
        "it is ignored"
    )
