"""The terms of base's contract beside head's, and what head changes about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from mlops_ci.config.contract import Term
from mlops_ci.verdict.contract import Promised


def merge_terms(
    base: Sequence[Term], head: Sequence[Term]
) -> tuple[tuple[Promised, ...], tuple[str, ...]]:
    """Both are judged, so the stricter decides; and what head changes, in words."""
    every = [Promised(term, "both" if term in head else "base") for term in base]
    every += [Promised(term, "head") for term in head if term not in base]
    return tuple(every), tuple(_changes(base, head))


def _changes(base: Sequence[Term], head: Sequence[Term]) -> Iterable[str]:
    gone = [term for term in base if term not in head]
    new = [term for term in head if term not in base]
    for term in gone:
        partner = next((other for other in new if _same_place(term, other)), None)
        if partner is None:
            yield f"contract, {_named(term)} is removed; it holds until this is merged"
            continue
        new.remove(partner)
        looser = "looser: base's holds" if _looser(partner, term) else "both hold"
        becomes = f"{_named(term)} becomes {_terms(partner)}"
        yield f"contract, {becomes} ({looser} until this is merged)"
    for term in new:
        yield f"contract, {_named(term)} is new and already holds"


def _same_place(one: Term, other: Term) -> bool:
    return (one.file, one.column, one.kind) == (other.file, other.column, other.kind)


def _looser(new: Term, old: Term) -> bool:
    if old.required and not new.required:
        return True
    if old.allowed or new.allowed:
        return old.kind == "values" and set(new.allowed) > set(old.allowed)
    bounds: tuple[Any, Any] = (new.limit, old.limit)
    if any(bound is None for bound in bounds) or isinstance(bounds[0], date) != isinstance(
        bounds[1], date
    ):
        return False
    return bool(bounds[0] < bounds[1] if old.kind in ("min", "rows-min") else bounds[0] > bounds[1])


def _named(term: Term) -> str:
    place = term.file or "the predictions"
    return f"{f'{term.column} of ' if term.column else ''}{place}: {_terms(term)}"


def _terms(term: Term) -> str:
    kind = term.kind.replace("rows-", "rows ")
    parts = [kind if term.limit is None else f"{kind} {_shown(term.limit)}"]
    if term.allowed:
        parts = [f"{kind} {', '.join(str(value) for value in term.allowed[:10])}"]
    if term.spec is not None:
        parts = [f"{kind} {term.spec}"]
    return ", ".join([*parts, *([] if term.required else ["advisory"])])


def _shown(limit: float | date) -> str:
    return limit.isoformat() if isinstance(limit, date) else f"{limit:g}"
