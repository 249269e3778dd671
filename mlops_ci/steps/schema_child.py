"""Asks a schema of pandera's about a file, in the user's own Python.

`python schema_child.py SCHEMA DATA ANSWER`, where SCHEMA is `file.py:Name` or a file of YAML. It
imports nothing of ours, and is read by whatever Python the project has.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections import Counter
from typing import Any

MOST = 200  # different failures


def main(spec: str, data: str, answer: str) -> int:
    # The project's folder, and not the one with this file in it.
    sys.path[0] = os.getcwd()  # noqa: PTH109
    try:
        told: dict[str, Any] = {"failures": ask(load_schema(spec), read_table(data))}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        words = " ".join(str(error).split())
        told = {"refused": f"{type(error).__name__}: {words}"[:300]}
    with open(answer, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(told, file)
    return 0


def load_schema(spec: str) -> Any:
    path, _, name = spec.rpartition(":") if ".py:" in spec else (spec, "", "")
    if not name:
        return pandera().DataFrameSchema.from_yaml(path)
    found = importlib.util.spec_from_file_location("mlops_ci_schema", path)
    if found is None or found.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return getattr(module, name)


def pandera() -> Any:
    """The newer ones keep pandas' part in a module of its own."""
    try:
        return importlib.import_module("pandera.pandas")
    except ModuleNotFoundError:
        return importlib.import_module("pandera")


def read_table(path: str) -> Any:
    import pandas as pd

    name = path.lower()
    if name.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    if name.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
        return pd.read_json(path, lines=True)
    if name.endswith((".json", ".json.gz")):
        return pd.read_json(path)
    separator = "\t" if ".tsv" in name else ","
    return pd.read_csv(path, sep=separator)


def ask(schema: Any, table: Any) -> list[tuple[str | None, str, int]]:
    """(column, check, how often it failed)."""
    from pandera.errors import SchemaError, SchemaErrors

    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as error:
        return count(error.failure_cases.to_dict("records"))
    except SchemaError as error:
        return [(None, str(error.check or error)[:200], 1)]
    return []


def count(cases: list[dict[str, Any]]) -> list[tuple[str | None, str, int]]:
    found = Counter((named(case), str(case.get("check"))[:200]) for case in cases)
    return [(column, check, times) for (column, check), times in found.most_common(MOST)]


def named(case: dict[str, Any]) -> str | None:
    """A failure of the table as a whole has no column."""
    column = case.get("column")
    if column is None or column != column or case.get("schema_context") == "DataFrameSchema":  # noqa: PLR0124
        return None
    return str(column)[:100]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
