"""What the caller says about the columns; the rest is found by convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlops_ci.config.model import AskedTask, Average, Columns

Asked = Literal["option", "config"]
COLUMNS = ("id", "label", "prediction", "score", "group")
IN_CONFIG = "in mlops-ci.yaml, below the model:\n"
OR = f"\nor {IN_CONFIG}"


@dataclass(frozen=True)
class ColumnsRequest:
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
    )


def to_say(key: str, *values: str, lead: str = "") -> str:
    """What a reader pastes to say it: an option of `compare`, or a line of the configuration."""
    options = " ".join(f"--{key} {value}" for value in values)
    told = f"[{', '.join(values)}]" if len(values) > 1 else values[0]
    line = f"columns: {{{key}: {told}}}" if key in COLUMNS else f"{key}: {told}"
    return f"{lead}{options}{OR}    {line}"


def in_project(fix: str) -> str:
    """Its commands have no such options: of what `to_say` wrote the configuration's line is left."""
    said, found, line = fix.partition(OR)
    return f"{said[: said.index('--')]}{IN_CONFIG}{line}" if found else fix
