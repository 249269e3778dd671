"""A DVC project that changes nothing: `dvc.yaml`, and not one line for us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.repositories import Repository, make_repository

TRAIN = """
import json, pathlib
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
strength = float(pathlib.Path("params.yaml").read_text().split(":")[1])
features, label = load_breast_cancer(return_X_y=True)
names = ["malignant", "benign"]
train, test = slice(0, None, 2), slice(1, None, 2)
model = LogisticRegression(C=strength, max_iter=5000).fit(features[train, :4], label[train])
for name, rows in (("train", train), ("test", test)):
    place = pathlib.Path(f"eval/plots/sklearn/cm/{name}.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    pairs = zip(label[rows], model.predict(features[rows, :4]))
    place.write_text(json.dumps([{"actual": names[a], "predicted": names[b]} for a, b in pairs]))
score = model.score(features[test, :4], label[test])
pathlib.Path("eval/metrics.json").write_text(json.dumps({"acc": score}))
"""
PIPELINE = """
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [strength]
    outs:
    - eval/plots/sklearn/cm: {cache: false}
    metrics:
    - eval/metrics.json: {cache: false}
plots:
- Confusion:
    template: confusion
    x: actual
    y:
      eval/plots/sklearn/cm/train.json: predicted
      eval/plots/sklearn/cm/test.json: predicted
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    # The pipeline's `python` is the one that has scikit-learn.
    here = Path(sys.executable).parent
    repo.environ["PATH"] = f"{here}{os.pathsep}{repo.environ['PATH']}"
    repo.environ["MLFLOW_TRACKING_URI"] = "none"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "init", "--quiet"],
        cwd=repo.folder, env=repo.environ, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    repo.commit({"train.py": TRAIN, "dvc.yaml": PIPELINE, "params.yaml": "strength: 1.0\n",
                 ".gitignore": "/eval/\n"})  # fmt: skip
    repo.git("push", "--quiet", "origin", "HEAD:main")
    return repo


def test_it_gets_a_paired_verdict(repo: Repository) -> None:
    repo.commit({"params.yaml": "strength: 0.0000001\n"})
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", "run", "--json"],
        cwd=repo.folder, env=repo.environ, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = (repo.folder / ".mlops-ci" / "model").glob("*/compare.json")
    found = json.loads(path.read_text())
    assert found["evidence"] == "paired"
    assert found["rows"] == {"head": 284, "base": 284, "paired": 284, "paired_by": "position"}
    accuracy = next(one for one in found["metrics"] if one["metric"] == "accuracy")
    assert accuracy["high"] < 0
    assert accuracy["head"] == pytest.approx(
        json.loads((repo.folder / "eval" / "metrics.json").read_text())["acc"]
    )
    assert found["resolution"]["columns"] == {"label": ["actual"], "prediction": ["predicted"]}
    assert found["resolution"]["found"] == {"label": "config", "prediction": "config"}
