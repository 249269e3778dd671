"""Which column means what: by option, by configuration, else by convention."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mlops_ci.data.request import ColumnsRequest, to_say
from mlops_ci.data.table import Table
from mlops_ci.errors import DOCS, UsageError

IDS = ("id", "row_id")
LABELS = ("label", "y_true", "target")
PREDICTIONS = ("prediction", "y_pred")
DVC = {"label": "actual", "prediction": "predicted"}  # of DVC's confusion plots
SCORES = ("score", "y_score", "probability")
SCORE_PREFIX = "score_"
GROUPS = ("group",)
WEIGHTS = ("weight",)
RESERVED = (*GROUPS, *WEIGHTS, "fold", "split", "timestamp")
PAGE = f"{DOCS}/predictions.md"


@dataclass(frozen=True)
class Roles:
    """`score`: the one column of that name; `class_scores`: those named `score_<class>`. Which of
    them is used depends on the task. `found`: role → how."""

    id: tuple[str, ...]
    label: str
    prediction: str | None
    score: str | None
    class_scores: tuple[str, ...]
    slices: tuple[str, ...]
    group: str | None = None
    values: tuple[str, ...] = ()
    weight: str | None = None
    found: dict[str, str] = field(default_factory=dict)

    @property
    def has_score(self) -> bool:
        return self.score is not None or bool(self.class_scores)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are used."""
        named = (self.label, self.prediction, self.score, self.group, self.weight)
        single = tuple(name for name in named if name)
        many = (*self.class_scores, *self.slices, *self.values)
        return tuple(dict.fromkeys((*self.id, *single, *many)))


def resolve_columns(table: Table, request: ColumnsRequest) -> Roles:
    """Raises UsageError for a column that is missing."""
    identifiers = _named(table, request, "id", request.id) or _first(table, IDS)
    label = _one(table, request, "label", request.label, LABELS)
    prediction = _one(table, request, "prediction", request.prediction, PREDICTIONS)
    score = _one(table, request, "score", request.score, SCORES)
    many = _class_scores(table, request)
    if label is None and prediction is None and score is None and not many:
        label, prediction = _of_dvc(table)
    if label is None:
        raise _missing(table, "label", LABELS)
    if prediction is None and score is None and not many:
        raise _missing(table, "prediction", (*PREDICTIONS, *SCORES))
    slices = _named(table, request, "slice", request.slices)
    group = _one(table, request, "group", request.group, GROUPS)
    values = _named(table, request, "value", tuple(request.values))
    weight = _one(table, request, "weight", request.weight, WEIGHTS)
    roles = Roles(identifiers, label, prediction, score, many, slices, group, values, weight)
    _refuse_double_use(table, roles)
    return replace(roles, found=_found(roles, request))


def _of_dvc(table: Table) -> tuple[str | None, str | None]:
    """Both names or neither: in a file of ours, `actual` may be anything."""
    both = set(DVC.values()) <= set(table.types)
    return (DVC["label"], DVC["prediction"]) if both else (None, None)


def _found(roles: Roles, request: ColumnsRequest) -> dict[str, str]:
    used = {
        "id": (roles.id, request.id),
        "label": (roles.label, request.label),
        "prediction": (roles.prediction, request.prediction),
        "score": (roles.score or roles.class_scores, request.score),
        "slice": (roles.slices, request.slices),
        "group": (roles.group, request.group),
        "value": (roles.values, request.values),
        "weight": (roles.weight, request.weight),
    }
    return {
        role: request.asked if asked else "convention"
        for role, (columns, asked) in used.items()
        if columns
    }


def _class_scores(table: Table, request: ColumnsRequest) -> tuple[str, ...]:
    if request.score is not None:
        return ()
    found = tuple(name for name in table.types if name.startswith(SCORE_PREFIX))
    taken = {request.label, request.prediction, *request.id, *request.slices}
    return tuple(name for name in found if name != SCORE_PREFIX and name not in taken)


def _refuse_double_use(table: Table, roles: Roles) -> None:
    """A label that is its own prediction would be a perfect model."""
    used: dict[str, str] = {}
    for role in ("label", "prediction", "score", "group", "weight"):
        column = getattr(roles, role)
        if column is None:
            continue
        if column in used or column in roles.id:
            raise UsageError(
                f"{table.path.name}: the column {column!r} is the {used.get(column, 'id')} and "
                f"the {role} at the same time",
                where=str(table.path),
                fix=to_say(role, "COLUMN", lead="name another column: "),
            )
        used[column] = role
    reserved = next((name for name in roles.slices if name in RESERVED), None)
    if reserved is not None:
        raise UsageError(
            f"{table.path.name}: {reserved!r} is a reserved column and no slice",
            where=str(table.path),
            fix=f"rename the column if it is a part of the rows to look at: {reserved}_name",
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
            fix=to_say(role, present[0]),
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
        fix=to_say(role, "COLUMN", lead="name it: "),
        link=PAGE,
    )
