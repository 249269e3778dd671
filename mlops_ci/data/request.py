"""What the caller says about the columns; the rest is found by convention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mlops_ci.config.model import AskedTask, Average, Columns
from mlops_ci.value import Value, field

Asked = Literal["option", "config"]
COLUMNS = ("id", "label", "prediction", "score", "group", "weight")
IN_CONFIG = "in mlops-ci.yaml, below the model:\n"
OR = f"\nor {IN_CONFIG}"


class ColumnsRequest(Value, frozen=True):
    """`asked` names who said it, for the record. `id` may be several columns. `values`: columns of
    numbers, and whether more is better.
    """

    id: tuple[str, ...] = ()
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    slices: tuple[str, ...] = ()
    group: str | None = None
    values: Mapping[str, bool | None] = field(default_factory=dict)
    task: AskedTask | None = None
    positive: str | None = None
    average: Average = "macro"
    asked: Asked = "option"
    weight: str | None = None


def request_from_config(
    columns: Columns, *, slices: tuple[str, ...], task: AskedTask | None, positive: str | None
) -> ColumnsRequest:
    identifiers = (columns.id,) if isinstance(columns.id, str) else tuple(columns.id or ())
    return ColumnsRequest(
        identifiers,
        columns.label,
        columns.prediction,
        columns.score,
        slices,
        columns.group,
        columns.directions,
        task,
        positive,
        asked="config",
        weight=columns.weight,
    )


def to_say(key: str, *values: str, lead: str = "") -> str:
    """What a reader pastes to say it: an option of `compare`, or a line of the configuration."""
    options = " ".join(f"--{key} {value}" for value in values)
    written = [_written(value) for value in values]
    told = f"[{', '.join(written)}]" if len(written) > 1 else written[0]
    line = f"columns: {{{key}: {told}}}" if key in COLUMNS else f"{key}: {told}"
    return f"{lead}{options}{OR}    {line}"


def in_project(fix: str) -> str:
    """Its commands have no such options: the configuration's line is left of `to_say`."""
    said, found, line = fix.partition(OR)
    return f"{said[: said.index('--')]}{IN_CONFIG}{line}" if found else fix


def _written(value: str) -> str:
    """As YAML reads it back: a class called `yes` would be a truth value."""
    import yaml

    try:
        (read,) = yaml.safe_load(f"[{value}]")
    except (yaml.YAMLError, ValueError):
        read = None
    if str(read) == value and isinstance(read, str | int) and not isinstance(read, bool):
        return value
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
