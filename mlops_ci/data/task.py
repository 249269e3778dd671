"""Binary, multiclass or regression: from what the columns hold."""

from __future__ import annotations

from mlops_ci.config.model import Task
from mlops_ci.data.columns import SCORE_PREFIX, Roles
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.table import Table
from mlops_ci.errors import UsageError

FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")
INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
CLASSES = ("VARCHAR", "BOOLEAN", "ENUM")


def resolve_task(table: Table, roles: Roles, request: ColumnsRequest) -> tuple[Task, str]:
    """The task, and how it was found. Raises UsageError where integers could be both."""
    if request.task is not None:
        return request.task, request.asked
    kind = table.types[roles.label]
    if any(name.startswith(SCORE_PREFIX) for name in roles.scores):
        return "multiclass", "a score column for every class"
    if kind.startswith(CLASSES):
        return _by_classes(table, roles), f"{roles.label!r} holds classes ({kind.lower()})"
    if kind.startswith(FLOATS) and not roles.scores:
        return "regression", f"{roles.label!r} holds floats"
    if kind.startswith(INTEGERS) and roles.scores:
        return _by_classes(table, roles), f"{roles.label!r} holds integers, and there is a score"
    what = "integers" if kind.startswith(INTEGERS) else kind.lower()
    raise UsageError(
        f"{table.path.name}: {roles.label!r} holds {what}"
        f"{' and there is a score' if roles.scores else ''}: classes or a regression?",
        where=str(table.path),
        fix="say which: --task binary, --task multiclass or --task regression\n"
        "or in mlops-ci.yaml, below the model:\n    task: multiclass",
    )


def _by_classes(table: Table, roles: Roles) -> Task:
    return "binary" if table.distinct(roles.label, roles.prediction) <= 2 else "multiclass"
