"""DVC's plots files: rows below one name. The rows of a confusion plot are predictions.

(A list of rows, CSV and TSV are read as any other table; `data/columns.py` knows the names.)
https://dvc.org/doc/user-guide/experiment-management/visualizing-plots
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_ci.data.foreign.declaration import Foreign, Row

ACTUAL, PREDICTED = "actual", "predicted"
MARKER = rf'\A\s*\{{[^{{]*\[\s*\{{[^}}]*"{ACTUAL}"'


def recognise(document: Any) -> str | None:
    if not isinstance(document, Mapping) or len(document) != 1:
        return None
    rows = next(iter(document.values()))
    if not isinstance(rows, list) or not rows:
        return None
    whole = all(isinstance(row, Mapping) and {ACTUAL, PREDICTED} <= set(row) for row in rows)
    return f"rows of `{ACTUAL}` and `{PREDICTED}`" if whole else None


def rows(document: Mapping[str, list[Row]]) -> list[Row]:
    return next(iter(document.values()))


DVC_PLOT = Foreign("confusion plot of DVC", "document", recognise, MARKER, rows=rows)
