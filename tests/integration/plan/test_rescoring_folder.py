"""The evaluation rows change, and there is no `predict:`: main's model folder answers head's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_ci.baseline.commit import Asked
from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of
from mlops_ci.records import Comparison
from tests.integration.repositories import CLEAN, Repository, make_repository

CONFIG = """
tracking-uri: none
store: {backend: folder, path: ../store}
models:
  churn:
    train: python train.py
    data: [data]
    features: data/test.csv
    predictions: out/predictions.csv
    columns: {score: chance}
    model: out/model
    slices: [plan]
    positive: lost
    gates: {roc_auc: {max-drop: 0.05}, "accuracy": {max-drop: 0.05, slice: plan=a}}
"""
SAVE = """
import json
import mlflow.sklearn, pandas as pd
from sklearn.linear_model import LogisticRegression
table = pd.read_csv("train.csv")
model = LogisticRegression().fit(table[["x"]], table["label"])
needs = {"skops_trusted_types": ["numpy.dtype"], "pip_requirements": ["scikit-learn"]}
mlflow.sklearn.save_model(model, "model", **needs)
json.dump([float(model.coef_[0][0]), float(model.intercept_[0])], open("formula.json", "w"))
"""
# A training that "finds" the model that lies in saved/, and answers by its formula.
TRAIN = """
import csv, json, math, os, pathlib, shutil
assert "GITHUB_TOKEN" not in os.environ
shutil.rmtree("out", ignore_errors=True)
shutil.copytree("saved/model", "out/model")
slope, start = json.load(open("saved/formula.json"))
with open("data/test.csv") as file, open("out/predictions.csv", "w") as answers:
    print("id,label,plan,chance,prediction", file=answers)
    for row in csv.DictReader(file):
        chance = 1 / (1 + math.exp(-(SIGN * (float(row["x"]) * slope + start))))
        prediction = "lost" if chance > 0.5 else "kept"
        print(row["id"], row["label"], row["plan"], chance, prediction, sep=",", file=answers)
with (pathlib.Path.home() / "count").open("a") as file:
    print("trained", file=file)
"""
GOOD = TRAIN.replace("SIGN", "1")
AGAINST = TRAIN.replace("SIGN", "-1")
SLY = GOOD.replace(
    "csv.DictReader(file):", "[r for r in csv.DictReader(file) if r['id'][-1] != '0']:"
)


def rows(start: int, stop: int, flipped: int = 10) -> str:
    """`lost` from x 50 on; every `flipped`th row is labelled the other way."""
    lines = ["id,plan,x,label"]
    for i in range(start, stop):
        x = i * 37 % 100
        lost = (x >= 50) != (i % flipped == 0)
        lines.append(f"{i},{'ab'[i % 2]},{x / 10},{'lost' if lost else 'kept'}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | bytes]:
    """A model of scikit-learn's in MLflow's format, which knows its column by name."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "train.csv").write_text(rows(0, 500))
    argv = [sys.executable, "-W", "ignore", "-c", SAVE]
    subprocess.run(argv, cwd=folder, env=CLEAN, check=True, capture_output=True)
    formula = (folder / "formula.json").read_bytes()
    place = folder / "model"
    found = {f"saved/model/{one.name}": one.read_bytes() for one in place.iterdir()}
    return {**found, "saved/formula.json": formula}


@pytest.fixture
def repo(tmp_path: Path, saved: dict[str, str | bytes]) -> Repository:
    repo = make_repository(tmp_path)
    repo.environ |= {"GITHUB_TOKEN": "s3cr3t", "HOME": str(tmp_path)}
    return adopted(repo, saved)


def adopted(repo: Repository, saved: dict[str, str | bytes], train: str = GOOD) -> Repository:
    files = {"mlops-ci.yaml": CONFIG, "train.py": train, ".gitignore": "/out/\n"}
    repo.commit({**files, "data/test.csv": rows(1000, 1600), **saved})
    repo.push()
    repo.branch("idea")
    return repo


def run(repo: Repository) -> Comparison:
    project = repo.project()
    occasion = Occasion(Asked("pull_request", head=repo.git("rev-parse", "HEAD"), branch="main"))
    context = Context(project, store=store_of(project), timeout=120)
    (model,) = execute(plan_project(project, occasion), context).models
    assert model.error is None, model.error
    assert model.comparison is not None
    return model.comparison


def test_harder_rows_are_not_the_models_fault(repo: Repository) -> None:
    repo.commit({"data/test.csv": rows(1600, 2400, flipped=4), "train.py": GOOD + "# the same\n"})
    found = run(repo)
    assert (found.verdict, found.evidence, found.rows.paired) == ("pass", "paired", 800), (
        found.notes
    )
    assert found.base is not None
    assert "its model has answered head's rows" in str(found.base.source)
    effects = {one.metric: one for one in found.decomposition if one.slice is None}
    assert effects["accuracy"].base_before == pytest.approx(0.9, abs=0.02)
    assert effects["accuracy"].base_now == pytest.approx(0.75, abs=0.02)
    assert any("none of base's 600 rows is among head's 800" in note for note in found.notes)
    assert {gate.slice for gate in found.gates} == {None, "plan=a"}
    assert repo.git("status", "--porcelain") == ""
    count = repo.folder.parent / "count"
    assert count.read_text().count("trained") == 2
    repo.commit({"train.py": AGAINST})
    worse = run(repo)
    assert (worse.verdict, worse.rows.paired) == ("fail", 800)
    assert count.read_text().count("trained") == 3, "what main's model said is kept"


def test_heads_code_does_not_say_which_rows_there_are(repo: Repository) -> None:
    repo.commit({"data/test.csv": rows(1000, 1700), "train.py": SLY})
    found = run(repo)
    assert found.verdict != "pass"
    assert {gate.reason for gate in found.gates} == {"unscored"}
    assert found.left_out is not None
    assert found.left_out.rows == 70


def test_a_training_that_answers_otherwise_than_its_model_is_no_yardstick(
    tmp_path: Path, saved: dict[str, str | bytes]
) -> None:
    """What it makes of the model's score is its own: the folder alone is another model."""
    repo = make_repository(tmp_path)
    repo.environ |= {"HOME": str(tmp_path)}
    adopted(repo, saved, GOOD.replace("prediction = ", "chance = chance**2\n        prediction = "))
    repo.commit({"data/test.csv": rows(1000, 1700)})
    found = run(repo)
    assert found.verdict == "inconclusive"
    assert any("answers main's own rows in another way" in note for note in found.notes)


def test_a_folder_of_another_format_is_said(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "main")
    repo.commit({"train.py": GOOD + 'os.remove("out/model/MLmodel")\n'})
    repo.push()
    repo.branch("other")
    repo.commit({"data/test.csv": rows(1000, 1700)})
    found = run(repo)
    assert found.verdict == "inconclusive"
    assert any("no folder in MLflow's format" in note for note in found.notes)
