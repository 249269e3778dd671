"""What a team does today: mlflow's evaluator on two tables, and the difference of the numbers."""

import sys
import tempfile

import mlflow
import pandas as pd
from mlflow.models import evaluate

with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment(experiment_id=None, experiment_name="peer")
    numbers = []
    for path in sys.argv[1:3]:
        read = pd.read_parquet if path.endswith(".parquet") else pd.read_csv
        table = read(path)[["label", "prediction"]]
        with mlflow.start_run():
            done = evaluate(
                data=table,
                targets="label",
                predictions="prediction",
                model_type="classifier",
                evaluator_config={"log_explainer": False},
            )
        numbers.append(done.metrics)
    base, head = numbers
    for name in base:
        print(name, base[name], head[name], head[name] - base[name])
