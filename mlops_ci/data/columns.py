"""Which column means what: by option, by configuration, else by convention."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.table import Table
from mlops_ci.errors import ComparisonError, UsageError

IDS = ("id", "row_id")
LABELS = ("label", "y_true", "target")
PREDICTIONS = ("prediction", "y_pred")
SCORES = ("score", "y_score", "probability")
SCORE_PREFIX = "score_"
REFUSED = ("group", "weight")
RESERVED = (*REFUSED, "fold", "split", "timestamp")


@dataclass(frozen=True)
class Roles:
    """`scores`: one column, or one `score_<class>` for every class. `found`: role → how."""

    id: tuple[str, ...]
    label: str
    prediction: str | None
    scores: tuple[str, ...]
    slices: tuple[str, ...]
    found: dict[str, str] = field(default_factory=dict)


def resolve_columns(table: Table, request: ColumnsRequest) -> Roles:
    """Raises UsageError for a column that is missing, ComparisonError for a refused one."""
    _refuse_unused(table)
    found: dict[str, str] = {}
    identifiers = _named(table, request, "id", request.id) or _first(table, IDS)
    label = _one(table, request, "label", request.label, LABELS)
    prediction = _one(table, request, "prediction", request.prediction, PREDICTIONS)
    score = _one(table, request, "score", request.score, SCORES)
    many = tuple(c for c in table.types if c.startswith(SCORE_PREFIX)) if not score else ()
    if label is None:
        raise _missing(table, "label", LABELS)
    if prediction is None and score is None and not many:
        raise _missing(table, "prediction", (*PREDICTIONS, *SCORES))
    slices = _named(table, request, "slice", request.slices)
    asked = {
        "id": bool(request.id),
        "label": request.label,
        "prediction": request.prediction,
        "score": request.score,
        "slice": bool(slices),
    }
    values = {
        "id": identifiers,
        "label": label,
        "prediction": prediction,
        "score": score or many,
        "slice": slices,
    }
    for role, value in values.items():
        if value:
            found[role] = request.asked if asked[role] else "convention"
    scores = (score,) if score else many
    return Roles(tuple(identifiers), label, prediction, scores, tuple(slices), found)


def _refuse_unused(table: Table) -> None:
    for name in REFUSED:
        if name in table.types:
            raise ComparisonError(
                f"{table.path.name} has a column {name!r}, which is reserved and not used yet",
                where=str(table.path),
                fix=f"rename or drop {name!r}: an interval that ignored it would be wrong",
            )


def _one(
    table: Table, request: ColumnsRequest, role: str, asked: str | None, names: Sequence[str]
) -> str | None:
    if asked is not None:
        return _named(table, request, role, (asked,))[0]
    present = [name for name in names if name in table.types]
    if len(present) > 1:
        raise UsageError(
            f"{table.path.name}: both {present[0]!r} and {present[1]!r} could be the {role}",
            where=str(table.path),
            fix=f"--{role} {present[0]}",
        )
    return present[0] if present else None


def _first(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    return next(((name,) for name in names if name in table.types), ())


def _named(
    table: Table, request: ColumnsRequest, role: str, asked: Sequence[str]
) -> tuple[str, ...]:
    for name in asked:
        if name in table.types:
            continue
        near = difflib.get_close_matches(name, table.types, n=1)
        hint = f"perhaps you meant {near[0]!r}; " if near else ""
        raise UsageError(
            f"{table.path.name} has no column {name!r} (asked for as {role} by {request.asked})",
            where=str(table.path),
            fix=f"{hint}its columns are: {', '.join(list(table.types)[:20])}",
        )
    return tuple(asked)


def _missing(table: Table, role: str, names: Sequence[str]) -> UsageError:
    columns = ", ".join(list(table.types)[:20])
    return UsageError(
        f"{table.path.name}: no column is called {' or '.join(map(repr, names))}",
        where=f"{table.path}, columns: {columns}",
        fix=f"name it: --{role} COLUMN, or in mlops-ci.yaml:\n    columns: {{{role}: COLUMN}}",
    )
