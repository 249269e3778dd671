"""Out-of-fold predictions of real models on scikit-learn's bundled data."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Columns = Mapping[str, Sequence[Any]]


def write_csv(path: Path, columns: Columns) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def write_lines(path: Path, columns: Columns) -> Path:
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@dataclass(frozen=True)
class Real:
    """Labels, and the answers of models by name: probabilities [n, k], or values [n]."""

    label: Any
    answers: dict[str, Any]

    def binary(self, model: str) -> dict[str, Any]:
        score = self.answers[model][:, 1]
        n = len(self.label)
        return {
            "id": [f"patient {i}" for i in range(n)],
            "label": self.label.tolist(),
            "prediction": (score >= 0.5).astype(int).tolist(),
            "score": score.tolist(),
            "site": [("north", "south")[i % 2] for i in range(n)],
        }

    def multiclass(self, model: str) -> dict[str, Any]:
        scores = self.answers[model]
        columns = {
            "id": list(range(len(self.label))),
            "label": [f"d{digit}" for digit in self.label],
            "prediction": [f"d{digit}" for digit in scores.argmax(axis=1)],
        }
        return columns | {f"score_d{c}": scores[:, c].tolist() for c in range(scores.shape[1])}

    def regression(self, model: str) -> dict[str, Any]:
        return {
            "id": list(range(len(self.label))),
            "y_true": self.label.tolist(),
            "y_pred": self.answers[model].tolist(),
        }


def out_of_fold(data: Any, models: dict[str, Any], how: str) -> Real:
    features, label = data
    answers = {
        name: cross_val_predict(model, features, label, cv=3, method=how)
        for name, model in models.items()
    }
    return Real(label, answers)


def logistic(strength: float = 1.0) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))


@pytest.fixture(scope="session")
def cancer() -> Real:
    models = {
        "logistic": logistic(),
        "almost": logistic(0.8),
        "bayes": GaussianNB(),
        "constant": DummyClassifier(strategy="prior"),
    }
    return out_of_fold(load_breast_cancer(return_X_y=True), models, "predict_proba")


@pytest.fixture(scope="session")
def digits() -> Real:
    models = {"forest": RandomForestClassifier(20, random_state=0), "bayes": GaussianNB()}
    return out_of_fold(load_digits(return_X_y=True), models, "predict_proba")


@pytest.fixture(scope="session")
def diabetes() -> Real:
    models = {"ridge": Ridge(0.1), "flat": Ridge(100.0)}
    return out_of_fold(load_diabetes(return_X_y=True), models, "predict")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside of any project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def two(here: Path, cancer: Real) -> Path:
    """base.csv: the better model; head.csv: naive Bayes."""
    write_csv(here / "base.csv", cancer.binary("logistic"))
    write_csv(here / "head.csv", cancer.binary("bayes"))
    return here
