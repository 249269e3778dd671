"""Asks a model in MLflow's format about rows, in the user's own Python.

`python model_child.py MODEL FEATURES PREDICTIONS KEPT`, KEPT: the columns of FEATURES that go into
PREDICTIONS as they are (the row's key and the label), as JSON, by role. It imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(model: str, features: str, predictions: str, kept: str) -> int:
    # The project's folder, and not the one with this file in it.
    sys.path[0] = os.getcwd()  # noqa: PTH109
    import pandas as pd

    roles = json.loads(kept)
    rows = read_table(features)
    carried = [*roles["id"], *roles["label"]]
    missing = [name for name in carried if name not in rows]
    if missing:
        sys.stderr.write(f"{os.path.basename(features)} has no column {missing[0]!r}\n")  # noqa: PTH119
        return 1
    answered = answer(model, rows.drop(columns=carried), roles["classes"])
    table = pd.concat([rows[carried], answered.set_index(rows.index)], axis=1)
    if predictions.endswith((".parquet", ".pq")):
        table.to_parquet(predictions)
    else:
        table.to_csv(predictions, index=False)
    return 0


def answer(place: str, features: Any, classes: int) -> Any:
    """`prediction`, and where the model tells them the scores of two classes."""
    import mlflow.pyfunc
    import pandas as pd

    model = mlflow.pyfunc.load_model(place)
    inner: Any = model.get_raw_model() if "sklearn" in model.metadata.flavors else None
    schema = model.metadata.get_input_schema()
    if schema is not None and schema.has_input_names():
        features = features[schema.input_names()]
    elif hasattr(inner, "feature_names_in_"):
        features = features[list(inner.feature_names_in_)]
    made = {"prediction": list(model.predict(features))}
    if classes == 2 and hasattr(inner, "predict_proba"):
        made["score"] = list(inner.predict_proba(features)[:, 1])
    return pd.DataFrame(made)


def read_table(path: str) -> Any:
    import pandas as pd

    if path.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    if path.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
        return pd.read_json(path, lines=True)
    return pd.read_csv(path, sep="\t" if ".tsv" in path else ",")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
