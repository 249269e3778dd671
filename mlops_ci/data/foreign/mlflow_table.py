"""Tables that MLflow writes: `eval_results_table.json`, and what `log_table` was given.

pandas calls this form `split`. https://mlflow.org/docs/latest/ml/evaluation/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_ci.data.foreign.declaration import Foreign, Row
from mlops_ci.errors import ComparisonError

COLUMNS, DATA = "columns", "data"
MARKER = r'"columns"\s*:\s*\['


def recognise(document: Any) -> str | None:
    if not isinstance(document, Mapping) or set(document) - {"index"} != {COLUMNS, DATA}:
        return None
    names, rows = document[COLUMNS], document[DATA]
    if not isinstance(names, list) or not isinstance(rows, list) or not names:
        return None
    whole = all(isinstance(name, str) for name in names) and all(isinstance(r, list) for r in rows)
    return f"`{COLUMNS}` and rows of `{DATA}`" if whole else None


def rows(document: Mapping[str, list[Any]]) -> Iterator[Row]:
    """Raises ComparisonError for a row with too few or too many cells."""
    names = document[COLUMNS]
    for place, row in enumerate(document[DATA], 1):
        if len(row) != len(names):
            raise ComparisonError(
                f"row {place:,} has {len(row)} cells, and there are {len(names)} columns",
                fix="write the table again",
            )
        yield dict(zip(names, row, strict=True))


MLFLOW_TABLE = Foreign("table of MLflow", "document", recognise, MARKER, rows=rows)
