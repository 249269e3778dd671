"""Is the handwritten digit 5 or more? Out-of-fold predictions on every row; the model on all."""

import csv
import json
from importlib.metadata import version
from pathlib import Path

import mlflow.sklearn
import numpy as np
import yaml
from mlflow.models import infer_signature
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

OUT = Path("out")
SERVED_WITH = ("mlflow-skinny", "scikit-learn", "skops")


def load():
    pixels, digit = load_digits(return_X_y=True)
    ink = pixels.sum(axis=1)
    names = np.array(["faint", "normal", "bold"])
    return pixels, (digit >= 5).astype(int), names[np.digitize(ink, np.quantile(ink, [0.25, 0.75]))]


def make_model(params):
    if params["model"] == "forest":
        return RandomForestClassifier(params["trees"], max_depth=params["depth"], random_state=0)
    return make_pipeline(StandardScaler(), LogisticRegression(C=params["C"], max_iter=2000))


def clean(rows, label, ink, params):
    """Which rows to train on. Bold scans of high digits look like ink blots."""
    if not params["drop_blots"]:
        return rows
    return rows[(ink[rows] != "bold") | (label[rows] == 0)]


def main():
    params = yaml.safe_load(Path("params.yaml").read_text())
    pixels, label, ink = load()
    score = np.zeros(len(label))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for train, test in folds.split(pixels, label):
        train = clean(train, label, ink, params)
        model = make_model(params).fit(pixels[train], label[train])
        score[test] = model.predict_proba(pixels[test])[:, 1]

    OUT.mkdir(exist_ok=True)
    with (OUT / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label", "score", "ink"])
        writer.writerows(zip(range(len(label)), label, score.round(6), ink, strict=True))
    metrics = {"oof": {"roc_auc": roc_auc_score(label, score), "log_loss": log_loss(label, score)}}
    (OUT / "metrics.json").write_text(json.dumps(metrics, indent=2))

    rows = clean(np.arange(len(label)), label, ink, params)
    model = make_model(params).fit(pixels[rows], label[rows])
    mlflow.sklearn.save_model(
        model,
        OUT / "model",
        signature=infer_signature(pixels, model.predict(pixels)),
        input_example=pixels[:5],
        pip_requirements=[f"{name}=={version(name)}" for name in SERVED_WITH],
        skops_trusted_types=["sklearn.tree._tree.Tree"],
    )
    print(f"trained a {params['model']} on {len(rows):,} rows")


if __name__ == "__main__":
    main()
