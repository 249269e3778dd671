"""`save_models.py KIND FOLDER COUNT`: models of scikit-learn's digits, in MLflow's format."""

import csv
import sys
from importlib.metadata import version
from pathlib import Path

import mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

kind, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
rows, label = load_digits(return_X_y=True)
for seed in range(count):
    model = (
        RandomForestClassifier(300, random_state=seed)
        if kind == "forest"
        else make_pipeline(StandardScaler(), LogisticRegression(C=1 + seed, max_iter=2000))
    )
    model.fit(rows, label)
    mlflow.sklearn.save_model(
        model,
        folder / f"model-{seed}",
        signature=infer_signature(rows, model.predict(rows)),
        input_example=rows[:2],
        pip_requirements=[
            f"{name}=={version(name)}" for name in ("mlflow", "scikit-learn", "skops")
        ],
        skops_trusted_types=["sklearn.tree._tree.Tree"],
    )
    with (folder / f"predictions-{seed}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label", "prediction"])
        writer.writerows(zip(range(len(label)), label, model.predict(rows), strict=True))
