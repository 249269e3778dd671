"""Write the same columns in each of the forms that are read."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

Columns = Mapping[str, Sequence[Any]]
FORMS = (
    "predictions.csv",
    "predictions.csv.gz",
    "predictions.jsonl",
    "predictions.json",
    "predictions.parquet",
)


def write(path: Path, columns: Columns) -> Path:
    """By the ending of `path`. None is an empty cell."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if path.suffix == ".parquet":
        arrays = {name: np.array(list(values)) for name, values in columns.items()}
        with duckdb.connect() as connection:
            connection.register("columns", arrays)
            connection.execute(f"COPY (SELECT * FROM columns) TO '{path}' (FORMAT parquet)")
        return path
    if ".json" in path.name:
        text = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, list(columns))
        writer.writeheader()
        writer.writerows(rows)
        text = buffer.getvalue()
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def binary(n: int = 40, seed: int = 0) -> dict[str, list[Any]]:
    """id, label, score: a model that is right more often than not."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    score = np.clip(0.5 + 0.3 * (label - 0.5) + 0.2 * rng.normal(size=n), 0.001, 0.999)
    return {
        "id": list(range(n)),
        "label": [int(value) for value in label],
        "score": [round(float(value), 4) for value in score],
    }
