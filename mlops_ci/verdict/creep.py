"""The gates on a drop once more, against main's best records: many small losses add up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import get_args

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records.results import GateResult, MetricResult
from mlops_ci.value import Value
from mlops_ci.verdict.gates import Circumstances, Promise, expand_slices, judge_gate
from mlops_ci.verdict.history import EXACT, RESOURCES
from mlops_ci.verdict.lookup import Results
from mlops_ci.verdict.structs import replaced
from mlops_ci.verdict.uncommon import ALL_COMMON, Doubt, Uncommon

Place = tuple[str, str | None]
ORDER = ("fail", "inconclusive", "pass")
DOUBTS = get_args(Doubt)


class Compared(Value, frozen=True):
    """Head's metric against one record of main; what not both of them have answered."""

    result: MetricResult
    uncommon: Uncommon = ALL_COMMON


def judge_creep(
    promises: Iterable[Promise],
    measured: Results,
    records: Iterable[Compared],
    policy: Policy,
    notes: list[str],
) -> Iterator[GateResult]:
    """With what may be lost in all. `measured`: against base, which say what a gate speaks of.

    Of the records the one decides that head is worst against: of those of the same rows, and of
    those of rows that are mostly the same, which may fail a gate and alone pass none. Times and
    memory have a history of their own.
    """
    known = _worst(_directed(one, measured) for one in records)
    there = (s for _, s in known if s is not None)
    slices = tuple(dict.fromkeys((*there, *measured.slices)))
    for promise in promises:
        gate = promise.gate
        if gate.max_total_drop is None:
            continue
        gate = measured.resolve(replaced(gate, limit=gate.max_total_drop))
        if gate.metric in RESOURCES and gate.metric not in EXACT:
            continue
        for single in expand_slices(gate, slices):
            found = known.get((single.metric, single.slice), ())
            if not found and gate.slice != single.slice and _is_new(single, measured):
                continue  # that nobody judges it is told where base is compared
            if not found:
                where = f" of {single.slice}" if single.slice else ""
                notes.append(
                    f"main's records of 90 days have no {single.metric}{where}: no limit in all "
                    "(`max-total-drop`) is held for it"
                )
                continue
            yield _judge(Promise(single, promise.source), found, policy)


def _is_new(gate: Gate, measured: Results) -> bool:
    found = measured.find(gate.metric, gate.slice)
    return found is None or found.base is None


def _directed(one: Compared, measured: Results) -> Compared:
    """A gate may have told what is better of a number; of what was measured it is known."""
    found = measured.find(one.result.metric, one.result.slice)
    if one.result.higher_is_better is not None or found is None:
        return one
    return replaced(one, result=replaced(one.result, higher_is_better=found.higher_is_better))


def _judge(promise: Promise, found: Sequence[Compared], policy: Policy) -> GateResult:
    """`found`: at most one of the same rows, and one of others. Where both hold, the numbers are of
    the one that head is worse against."""
    judged = [(one, _against(promise, one, policy)) for one in found]
    held = [pair for pair in judged if pair[1].reason not in DOUBTS]
    worst = min(held or judged, key=lambda pair: (*_severity(pair[1]), _gained(pair[0])))[1]
    if worst.verdict != "pass" or len(held) == len(judged):
        return worst
    shown = min(judged, key=lambda pair: _gained(pair[0]))[1]
    return replaced(shown, verdict="pass", reason=worst.reason, blocks=False, rows_needed=None)


def _against(promise: Promise, one: Compared, policy: Policy) -> GateResult:
    at = Circumstances(policy, one.uncommon, "anchor")
    return judge_gate(promise, one.result, at)


def _severity(gate: GateResult) -> tuple[bool, int]:
    return not gate.blocks, ORDER.index(gate.verdict)


def _worst(records: Iterable[Compared]) -> Mapping[Place, tuple[Compared, ...]]:
    """By metric and slice: of the records of the same rows, and of the others."""
    usable = [one for one in records if one.result.base is not None]
    usable.sort(key=lambda one: (one.result.metric, one.result.slice or ""))
    found: dict[Place, tuple[Compared, ...]] = {}
    for place, ours in groupby(usable, key=lambda one: (one.result.metric, one.result.slice)):
        kinds: dict[bool, list[Compared]] = {}
        for one in ours:
            kinds.setdefault(one.uncommon.nothing, []).append(one)
        found[place] = tuple(min(some, key=_gained) for some in kinds.values())
    return found


def _gained(one: Compared) -> float:
    change = one.result.difference
    if change is None:
        return math.inf
    return -change if one.result.higher_is_better is False else change


def total_of(gate: Gate) -> bool:
    """Whether `max-total-drop` was asked for by itself."""
    return gate.max_total_drop is not None and gate.max_total_drop != 2 * gate.limit
