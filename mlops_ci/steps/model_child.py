"""Asks a model in MLflow's format about rows, in the user's own Python.

`python model_child.py MODEL FEATURES PREDICTIONS COLUMNS`, COLUMNS: those that PREDICTIONS gets, by
role, as JSON. The row's key and label come out of FEATURES and are hidden from the model; slices,
group and weight come from there too, where it has them. It imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(model: str, features: str, predictions: str, columns: str) -> int:
    # The project's folder, and not the one with this file in it.
    sys.path[0] = os.getcwd()  # noqa: PTH109
    import pandas as pd

    roles = json.loads(columns)
    rows = read_table(features)
    hidden = [*roles["id"], *roles["label"]]
    missing = [name for name in hidden if name not in rows]
    if missing:
        sys.stderr.write(f"{os.path.basename(features)} has no column {missing[0]!r}\n")  # noqa: PTH119
        return 1
    beside = [name for role in ("slice", "group", "weight") for name in roles[role]]
    carried = list(dict.fromkeys([*hidden, *(name for name in beside if name in rows)]))
    answered = answer(model, rows.drop(columns=hidden), roles)
    write_table(pd.concat([rows[carried], answered.set_index(rows.index)], axis=1), predictions)
    return 0


def answer(place: str, features: Any, roles: dict[str, Any]) -> Any:
    """Under the names that the predictions have; scores where the model tells those of two
    classes."""
    import mlflow.pyfunc
    import pandas as pd

    model = mlflow.pyfunc.load_model(place)
    inner: Any = model.get_raw_model() if "sklearn" in model.metadata.flavors else None
    schema = model.metadata.get_input_schema()
    if schema is not None and schema.has_input_names():
        features = features[schema.input_names()]
    elif hasattr(inner, "feature_names_in_"):
        features = features[list(inner.feature_names_in_)]
    made = {}
    if len(roles["score"]) == 1 and roles["classes"] == 2 and hasattr(inner, "predict_proba"):
        scores = inner.predict_proba(features)
        made[roles["score"][0]] = scores[:, column_of(inner, roles["positive"])]
    if roles["prediction"] or not made:
        name = roles["prediction"][0] if roles["prediction"] else "prediction"
        made[name] = list(model.predict(features))
    return pd.DataFrame(made)


def column_of(inner: Any, positive: str | None) -> int:
    """Of the positive class in the scores: by its name, else the second."""
    names = [str(name).lower() for name in getattr(inner, "classes_", ())]
    return names.index(positive.lower()) if positive and positive.lower() in names else 1


def read_table(path: str) -> Any:
    import pandas as pd

    if path.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    if path.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
        return pd.read_json(path, lines=True)
    return pd.read_csv(path, sep="\t" if ".tsv" in path else ",")


def write_table(table: Any, path: str) -> None:
    if path.endswith((".parquet", ".pq")):
        table.to_parquet(path)
    elif path.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in path else ",")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
