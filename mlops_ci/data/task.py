"""Binary, multiclass or regression: from what the columns hold."""

from __future__ import annotations

from mlops_ci.config.model import Task
from mlops_ci.data.columns import PAGE, Roles
from mlops_ci.data.foreign.dvc_plot import DVC_PLOT
from mlops_ci.data.request import OR, ColumnsRequest, to_say
from mlops_ci.data.rows import read_numbers_of
from mlops_ci.data.table import Table, quote
from mlops_ci.errors import ComparisonError, UsageError

LONE = ({"0"}, {"false"})  # the positive class is known, though it does not occur
FEW = 20  # more different integers than this look like counts, not classes


def resolve_task(table: Table, roles: Roles, request: ColumnsRequest) -> tuple[Task, str]:
    """The task, and how it was found. Raises UsageError where the numbers could be both,
    ComparisonError where one is missing: pandas turns integers into floats then.
    """
    if request.task == "classes":
        return _classes(table, roles, request), f"classes ({request.asked})"
    if request.task is not None:
        return request.task, request.asked
    if table.written_by is not None and table.written_by.startswith(DVC_PLOT.name):
        return _classes(table, roles, request), f"a {table.written_by}"
    kind = table.kind(roles.label)
    if kind == "text" and not roles.class_scores:
        _refuse_text_among_numbers(table, roles.label)
    if kind in ("text", "boolean"):
        return _by_classes(table, roles), f"{roles.label!r} holds classes ({kind})"
    if kind == "integer" and roles.has_score:
        return _by_classes(table, roles), f"{roles.label!r} holds integers, and there is a score"
    if kind == "float" and not roles.has_score:
        return "regression", f"{roles.label!r} holds floats"
    if kind in ("integer", "float"):
        read_numbers_of(table, roles.label)
        raise _which(table, roles, kind)
    _refuse_several(table, roles.label)
    raise ComparisonError(
        f"{table.path.name}: {roles.label!r} holds neither classes nor numbers",
        where=f"{table.path}, type {table.types[roles.label].lower()}",
        fix=to_say("label", "COLUMN", lead="is it the right column? Say "),
    )


def _which(table: Table, roles: Roles, kind: str) -> UsageError:
    """With the line to paste that is most likely meant on top."""
    count = distinct(table, roles.label)
    likely: list[Task] = ["binary", "multiclass", "regression"]
    if count > FEW:
        likely = ["regression", "multiclass"]
    elif count > 2:
        likely = ["multiclass", "regression"]
    options = "   or   ".join(f"--task {task}" for task in likely)
    score = ", and there is a score" if roles.has_score else ", and there is no score"
    return UsageError(
        f"{table.path.name}: {roles.label!r} holds {kind}s ({count:,} different){score}: "
        "classes or a regression?",
        where=str(table.path),
        fix=f"{options}{OR}    task: {likely[0]}  # or {', '.join(likely[1:])}",
        link=PAGE,
    )


def _refuse_several(table: Table, column: str) -> None:
    """Of JSON, where one cell is a text and another a number."""
    if table.types[column] != "JSON":
        return
    cell = quote(column)
    found = table.column(
        f"SELECT min(CAST({cell} AS VARCHAR)) FROM rows GROUP BY json_type({cell})"
    )
    examples = " and ".join(sorted(str(one)[:40] for one in found if one is not None)[:3])
    raise ComparisonError(
        f"{table.path.name}: {column!r} holds values of several kinds, such as {examples}",
        where=str(table.path),
        fix="write all of them as text, or all as numbers",
    )


def _refuse_text_among_numbers(table: Table, column: str) -> None:
    """`NA` in a column of numbers must not turn a regression into hundreds of classes."""
    if table.format != "csv":
        return
    cell = quote(column)
    numbers, filled = table.one(
        f"SELECT count(TRY_CAST({cell} AS DOUBLE)), count({cell}) FROM rows"
    )
    if not numbers or 2 * numbers < filled:
        return
    example = table.one(
        f"SELECT {cell} FROM rows WHERE {cell} IS NOT NULL AND TRY_CAST({cell} AS DOUBLE) IS NULL"
    )[0]
    raise UsageError(
        f"{table.path.name}: {column!r} holds numbers, but also text such as {example[:40]!r}",
        where=f"{table.path}, {filled - numbers:,} of {filled:,} cells are text",
        fix=to_say("task", "multiclass", lead="mend these cells; if they are classes indeed: "),
    )


def distinct(table: Table, *columns: str | None) -> int:
    """How many different values these columns hold together."""
    parts = [f"SELECT CAST({quote(c)} AS VARCHAR) AS value FROM rows" for c in columns if c]
    found = table.one(f"SELECT count(DISTINCT value) FROM ({' UNION ALL '.join(parts)})")
    return int(found[0])


def _classes(table: Table, roles: Roles, request: ColumnsRequest) -> Task:
    """Binary where two classes occur and it is known which one is positive, else multiclass."""
    from mlops_ci.data.classes import POSITIVE, names_of

    names = names_of(table, roles)
    known = request.positive is not None or not names.isdisjoint(POSITIVE) or names in LONE
    return "binary" if len(names) <= 2 and known else "multiclass"


def _by_classes(table: Table, roles: Roles) -> Task:
    from mlops_ci.data.classes import names_of

    return "binary" if len(names_of(table, roles)) <= 2 else "multiclass"
