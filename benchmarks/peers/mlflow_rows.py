"""mlflow's evaluator on the answers of one model: labels alone; then a model of some columns, whose
own answers are not counted. Imports and the making of the tables are not counted either.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import evaluate
from sklearn.linear_model import LogisticRegression

ROWS, COLUMNS = int(sys.argv[1]), int(sys.argv[2])
KEPT = {"log_explainer": False}


def timed(work: Callable[[], Any]) -> tuple[Any, Any]:
    """Wall and CPU seconds [2], and what `work` gives."""
    start = np.array([time.perf_counter(), time.process_time()])
    found = work()
    return np.array([time.perf_counter(), time.process_time()]) - start, found


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


rng = np.random.default_rng(0)
features = pd.DataFrame({f"x{n}": rng.normal(size=ROWS) for n in range(COLUMNS)})
label = (features["x0"] + rng.normal(size=ROWS) > 0).astype(int).to_numpy()
model = LogisticRegression().fit(features[:5_000], label[:5_000])
answers, said = timed(lambda: model.predict(features))
answers = answers + timed(lambda: model.predict_proba(features))[0]
before = peak()

with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("peer")
    plain = pd.DataFrame({"label": label, "prediction": said})
    with mlflow.start_run():
        labels, first = timed(
            lambda: evaluate(
                data=plain,
                targets="label",
                predictions="prediction",
                model_type="classifier",
                evaluator_config=KEPT,
            )
        )
    with mlflow.start_run():
        uri = mlflow.sklearn.log_model(model, name="model", serialization_format="skops").model_uri
        whole, second = timed(
            lambda: evaluate(
                model=uri,
                data=features.assign(label=label),
                targets="label",
                model_type="classifier",
                evaluator_config=KEPT,
            )
        )
    print(
        json.dumps(
            {
                "labels": labels.tolist(),
                "columns": (whole - answers).tolist(),
                "memory": peak() - before,
                "metrics": [len(first.metrics), len(second.metrics)],
                "accuracy": [one.metrics["accuracy_score"] for one in (first, second)],
                "truth": float((said == label).mean()),
            }
        )
    )
