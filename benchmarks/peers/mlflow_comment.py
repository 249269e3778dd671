"""What a team writes today: mlflow's evaluator on two tables, a table in Markdown, one POST."""

import sys
import tempfile

import mlflow
import pandas as pd
import requests
from mlflow.models import evaluate

base, head, address, token = sys.argv[1:5]
with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("peer")
    numbers = []
    for path in (base, head):
        table = pd.read_csv(path)[["label", "prediction"]]
        with mlflow.start_run():
            done = evaluate(
                data=table,
                targets="label",
                predictions="prediction",
                model_type="classifier",
                evaluator_config={"log_explainer": False},
            )
        numbers.append(done.metrics)
lines = ["| metric | main | this PR | change |", "|---|--:|--:|--:|"]
for name, old in numbers[0].items():
    new = numbers[1][name]
    lines.append(f"| {name} | {old:.4f} | {new:.4f} | {new - old:+.4f} |")
answer = requests.post(
    address,
    json={"body": "\n".join(lines)},
    headers={"Authorization": f"Bearer {token}"},
    timeout=30,
)
answer.raise_for_status()
