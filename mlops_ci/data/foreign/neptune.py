"""Parquet files of Neptune's exporter: one row an attribute, or a step of one; one run a file.

https://github.com/neptune-ai/neptune-exporter
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_ci.data.foreign.declaration import Foreign, Named
from mlops_ci.data.formats import escape_glob, literal
from mlops_ci.errors import UsageError

NEEDED = ("run_id", "attribute_path", "attribute_type", "step", "int_value", "float_value")
OWN = ("sys/", "monitoring/")  # Neptune's own namespaces
SHOWN = 5
PART = r"(.+)_part_\d+\.parquet"


def recognise(columns: Any) -> str | None:
    if not set(NEEDED) <= set(columns):
        return None
    return "the columns `run_id`, `attribute_path`, `attribute_type` and the values"


def numbers(path: Path) -> Iterator[Named]:
    """Single values, and the last step of every series. Raises UsageError for several runs, and
    for one part of several.
    """
    from mlops_ci.data.connection import connect, guarded

    _refuse_part(path)
    rows = f"read_parquet({literal(escape_glob(path))}, hive_partitioning = false)"
    with connect(path) as connection:
        runs = guarded(
            path, lambda: connection.execute(f"SELECT DISTINCT run_id FROM {rows}").fetchall()
        )
        if len(runs) > 1:
            raise _many(path, sorted(str(run[0]) for run in runs))
        yield from guarded(path, lambda: connection.execute(_query(rows)).fetchall())


def _refuse_part(path: Path) -> None:
    """The exporter cuts a long run into parts, and the last steps may be in any of them."""
    match = re.fullmatch(PART, path.name)
    name = match.group(1) if match else ""
    found = [one for one in path.parent.iterdir() if re.fullmatch(PART, one.name) and name]
    parts = [one for one in found if one.name.startswith(f"{name}_part_")]
    if len(parts) > 1:
        raise UsageError(
            f"{path.name} is one of {len(parts)} parts of a run exported from Neptune",
            where=str(path),
            fix=f"duckdb -c \"COPY (FROM '{name}_part_*.parquet') TO '{name}.parquet'\"",
        )


def _query(rows: str) -> str:
    own = " AND ".join(f"NOT starts_with(attribute_path, '{prefix}')" for prefix in OWN)
    value = "coalesce(float_value, CAST(int_value AS DOUBLE))"
    return (
        f"SELECT attribute_path, arg_max({value}, coalesce(step, 0)) FROM {rows} "
        f"WHERE attribute_type IN ('float', 'int', 'float_series') AND {own} "
        "GROUP BY attribute_path ORDER BY attribute_path"
    )


def _many(path: Path, runs: list[str]) -> UsageError:
    shown = ", ".join(runs[:SHOWN]) + (", …" if len(runs) > SHOWN else "")
    return UsageError(
        f"{path.name} holds {len(runs):,} runs of Neptune, and only one can be compared: {shown}",
        where=str(path),
        fix=f"duckdb -c \"COPY (FROM '{path.name}' WHERE run_id = '{runs[0]}') "
        f"TO '{runs[0]}.parquet'\"",
    )


NEPTUNE = Foreign(
    "run exported from Neptune", "columns", recognise, "attribute_path",
    numbers=numbers,
)  # fmt: skip
