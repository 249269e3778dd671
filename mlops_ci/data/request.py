"""What the caller says about the columns; the rest is found by convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlops_ci.config.model import AskedTask, Average, Columns

Asked = Literal["option", "config"]


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
