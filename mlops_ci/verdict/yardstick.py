"""The yardstick cannot be moved by who is measured.

Base's gates and policy hold. Where head's file has other gates both are judged, so the stricter
decides; what head changes is told and takes effect once it is merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops_ci.config.model import Gate, Policy
from mlops_ci.verdict.gates import Promise
from mlops_ci.verdict.names import canonical_gate, known_metric
from mlops_ci.verdict.structs import fields_of

Place = tuple[str, str, str | None]


@dataclass(frozen=True)
class Yardstick:
    gates: tuple[Promise, ...]
    policy: Policy
    changes: tuple[str, ...] = ()


def merge_yardsticks(
    base: tuple[Sequence[Gate], Policy], head: tuple[Sequence[Gate], Policy]
) -> Yardstick:
    """Each side: its gates and its policy. `changes` are sentences, in the order of the files."""
    gates, changes = merge_gates(base[0], head[0])
    return Yardstick(gates, base[1], (*changes, *policy_changes(base[1], head[1])))


def merge_gates(
    base: Sequence[Gate], head: Sequence[Gate]
) -> tuple[tuple[Promise, ...], tuple[str, ...]]:
    ours, theirs = [_canonical(gate) for gate in base], [_canonical(gate) for gate in head]
    gates = [Promise(gate, "both" if gate in theirs else "base") for gate in _once(ours)]
    gates += [Promise(gate, "head") for gate in _once(theirs) if gate not in ours]
    return tuple(gates), tuple(_changes(ours, theirs))


def _canonical(gate: Gate) -> Gate:
    return canonical_gate(gate) if known_metric(gate.metric) is not None else gate


def _once(gates: Iterable[Gate]) -> list[Gate]:
    return list(dict.fromkeys(gates))


def _changes(base: Sequence[Gate], head: Sequence[Gate]) -> list[str]:
    gone = [gate for gate in _once(base) if gate not in head]
    new = [gate for gate in _once(head) if gate not in base]
    changes = []
    for gate in gone:
        partner = next((other for other in new if _place(other) == _place(gate)), None)
        if partner is None:
            changes.append(f"{_named(gate)} is removed; it holds until this is merged")
            continue
        new.remove(partner)
        effect = "looser: base's holds" if _looser(partner, gate) else "stricter: it already holds"
        changes.append(f"{_named(gate)} becomes {_terms(partner)} ({effect} until this is merged)")
    return changes + [f"{_named(gate)} is new and already holds" for gate in new]


def _looser(new: Gate, old: Gate) -> bool:
    """Whether any promise of `old` is weaker in `new`."""
    sign = -1 if old.kind == "min" else 1
    total = (old.max_total_drop, new.max_total_drop)
    total_looser = total[0] is not None and (total[1] is None or total[1] > total[0])
    weaker_terms = (old.required and not new.required) or (
        new.accept == "point" and old.accept != "point"
    )
    return sign * new.limit > sign * old.limit or total_looser or weaker_terms


def _place(gate: Gate) -> Place:
    return gate.metric, gate.kind, gate.slice


def _named(gate: Gate) -> str:
    where = f" of {gate.slice}" if gate.slice else ""
    return f"{gate.metric}{where}: {_terms(gate)}"


def _terms(gate: Gate) -> str:
    terms = [f"{gate.kind} {gate.limit:g}"]
    if gate.max_total_drop is not None and gate.max_total_drop != 2 * gate.limit:
        terms.append(f"max-total-drop {gate.max_total_drop:g}")
    if not gate.required:
        terms.append("advisory")
    if gate.accept == "point":
        terms.append("accept point")
    return ", ".join(terms)


def policy_changes(base: Policy, head: Policy) -> tuple[str, ...]:
    """Base's policy holds; each setting that differs, told."""
    return tuple(
        f"{field.replace('_', '-')} becomes {getattr(head, field)} (base's "
        f"{getattr(base, field)} holds until this is merged)"
        for field in fields_of(base)
        if getattr(base, field) != getattr(head, field)
    )


def path_changes(key: str, base: str | None, head: str | None, effect: str) -> tuple[str, ...]:
    """A file that the yardstick reads, named otherwise. `effect`: what counts until the merge."""
    if base == head:
        return ()
    if base is None:
        return (f"{key}: {head} is new and already counts",)
    if head is None:
        return (f"{key}: {base} is removed; it counts until this is merged",)
    return (f"{key}: {base} becomes {head} ({effect} until this is merged)",)


def slice_changes(base: Sequence[str], head: Sequence[str]) -> tuple[str, ...]:
    """Columns that only one file declares as slices; base's are judged, head's are shown."""
    gone = [
        f"slice {name} is removed; it is judged until this is merged"
        for name in base
        if name not in head
    ]
    return (*gone, *(f"slice {name} is new" for name in head if name not in base))
