"""Robustness from the pull request to the verdict: the project's own `predict`, and a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.plan import Context, Occasion, Outcomes, execute, plan_project, store_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records.findings import RobustnessResult
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
store: {backend: folder, path: ../store}
models:
  m:
    train: python train.py
    predict: python predict.py
    predictions: predictions.csv
    features: features.csv
    task: binary
    gates: {roc_auc: {max-drop: 0.05}}
    robustness:
      noise: {sd: 0.1, max-drop: 0.02}
      scale: {column: x, factor: 1000, max-drop: 0.02}
      swap: {column: plan}
      prior: {positive: 0.5}
"""
TRAIN = """
import random
random.seed(3)
with open("features.csv", "w") as file:
    print("id,label,x,plan", file=file)
    for i in range(600):
        x = random.gauss(0, 1)
        print(i, int(x + random.gauss(0, 1) > 0), round(x, 6), random.choice(["a", "b"]), sep=",", file=file)
"""
PREDICT = """
import csv, math, os
with open(os.environ.get("MLOPS_CI_FEATURES", "features.csv")) as file:
    rows = list(csv.DictReader(file))
with open(os.environ.get("MLOPS_CI_PREDICTIONS", "predictions.csv"), "w") as file:
    print("id,label,score", file=file)
    for row in rows:
        score = 1 / (1 + math.exp(-max(-30, min(30, STEEP * float(row["x"] or 0)))))
        print(row["id"], row["label"], score, sep=",", file=file)
"""
MODEST = PREDICT.replace("STEEP", "1")
# It trusts a unit: beyond it, it knows nothing.
TRUSTING = MODEST.replace(
    '* float(row["x"] or 0)', '* (float(row["x"] or 0) if abs(float(row["x"] or 0)) < 50 else 0)'
)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    files = {"mlops-ci.yaml": CONFIG, "train.py": TRAIN, "predict.py": MODEST}
    repo.commit({**files, ".gitignore": "/predictions.csv\n/features.csv\n"}, "adopt")
    repo.push()
    repo.branch("feature")
    return repo


def run(repo: Repository) -> ModelOutcome:
    project = repo.project()
    plan = plan_project(project, Occasion())
    outcomes: Outcomes = execute(plan, Context(project, store=store_of(project), timeout=120))
    (outcome,) = outcomes.models
    assert outcome.error is None, outcome.error
    return outcome


def drops(outcome: ModelOutcome) -> dict[str, RobustnessResult]:
    assert outcome.comparison is not None
    return {one.kind: one for one in outcome.comparison.robustness}


def test_a_model_that_breaks_in_another_unit_is_stopped(repo: Repository) -> None:
    repo.commit({"predict.py": TRUSTING})
    outcome = run(repo)
    found = drops(outcome)
    assert outcome.comparison is not None
    assert {gate.verdict for gate in outcome.comparison.gates} == {"pass"}
    assert (outcome.comparison.verdict, outcome.exit_code) == ("fail", 1)
    assert (found["noise"].verdict, found["scale"].verdict) == ("pass", "fail")
    assert found["scale"].changed == pytest.approx(0.5, abs=0.05)
    assert (found["swap"].difference, found["swap"].verdict) == (0.0, "ungated")
    assert found["prior"].base_difference == 0.0
    predictions = (repo.folder / "predictions.csv").read_text()
    assert len(predictions.splitlines()) == 601, "the predictions are those that were evaluated"
    assert not list(repo.folder.glob(".mlops-ci/m/*/robustness")), "nothing is left"


def test_mains_own_drop_stands_beside_heads(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "main")
    first = drops(run(repo))
    repo.git("checkout", "--quiet", "feature")
    repo.commit({"predict.py": MODEST + "# the same\n"})
    second = drops(run(repo))
    for kind in ("noise", "prior"):
        mains = (first[kind].difference, first[kind].low, first[kind].high)
        beside = second[kind].base_difference, second[kind].base_low, second[kind].base_high
        assert mains == beside, kind
    assert second["noise"].base_low is not None
    assert second["noise"].base_low < second["noise"].base_high  # type: ignore[operator]
    assert second["noise"].difference == first["noise"].difference, "the same rows, the same noise"


def test_what_main_lost_on_other_rows_stands_beside_nothing(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "main")
    run(repo)
    repo.git("checkout", "--quiet", "feature")
    repo.commit({"train.py": TRAIN.replace("range(600)", "range(590)")})
    found = drops(run(repo))
    assert found["noise"].n == 590
    assert found["noise"].base_difference is None


WITHOUT_IDS = {
    "train.py": TRAIN.replace('"id,label', '"label').replace("print(i, ", "print("),
    "predict.py": MODEST.replace('"id,label', '"label').replace('print(row["id"], ', "print("),
}


def test_rows_without_ids_are_told_by_their_place(repo: Repository) -> None:
    repo.commit(WITHOUT_IDS)
    found = drops(run(repo))
    assert (found["noise"].verdict, found["noise"].n) == ("pass", 600)
    assert found["noise"].difference != 0.0


def test_a_command_that_reads_another_file_is_no_pass(repo: Repository) -> None:
    repo.commit(
        {
            "predict.py": MODEST.replace(
                'os.environ.get("MLOPS_CI_FEATURES", "features.csv")', '"features.csv"'
            )
        }
    )
    outcome = run(repo)
    found = drops(outcome)
    assert (found["noise"].verdict, found["noise"].blocks) == ("inconclusive", True)
    assert "answered all rows when it was asked about half" in (found["noise"].note or "")
    assert outcome.exit_code == 1


def test_a_command_that_writes_another_file_is_no_pass(repo: Repository) -> None:
    repo.commit(
        {
            "predict.py": MODEST.replace(
                'os.environ.get("MLOPS_CI_PREDICTIONS", "predictions.csv")', '"predictions.csv"'
            )
        }
    )
    outcome = run(repo)
    note = drops(outcome)["noise"].note or ""
    assert "did not write the file that MLOPS_CI_PREDICTIONS names but predictions.csv" in note
    assert outcome.exit_code == 1
    assert len((repo.folder / "predictions.csv").read_text().splitlines()) == 601


def test_a_command_that_fails_on_changed_rows_is_no_pass(repo: Repository) -> None:
    repo.commit(
        {
            "predict.py": MODEST
            + '\nassert max(abs(float(row["x"])) for row in rows) < 50, "which unit?"\n'
        }
    )
    found = drops(run(repo))
    assert found["noise"].verdict == "pass"
    assert (found["scale"].verdict, found["scale"].blocks) == ("inconclusive", True)
    assert "which unit?" in (found["scale"].note or "")


def test_the_models_folder_answers_where_there_is_no_command(repo: Repository) -> None:
    """In MLflow's format: it is loaded in the environment of the training."""
    saved = """
import mlflow.sklearn, numpy as np, pandas as pd, shutil
from sklearn.linear_model import LogisticRegression
rows = pd.read_csv("features.csv")
model = LogisticRegression().fit(rows[["x"]], rows["label"])
shutil.rmtree("model", ignore_errors=True)
mlflow.sklearn.save_model(model, "model", skops_trusted_types=["numpy.dtype"])
rows = rows.assign(score=model.predict_proba(rows[["x"]])[:, 1])
rows[["id", "label", "score"]].to_csv("predictions.csv", index=False)
"""
    config = CONFIG.replace("    predict: python predict.py\n", "    model: model\n")
    config = config.replace("      scale: {column: x, factor: 1000, max-drop: 0.02}\n", "")
    config = config.replace("      swap: {column: plan}\n", "")
    repo = make_repository(repo.folder.parent / "other")
    files = {"mlops-ci.yaml": config, "train.py": TRAIN + saved}
    ignored = "/predictions.csv\n/features.csv\n/model/\n"
    repo.commit({**files, ".gitignore": ignored}, "adopt")
    noise = drops(run(repo))["noise"]
    assert noise.note is None
    assert (noise.verdict, noise.n) == ("pass", 600)
    assert noise.difference != 0.0


def test_head_cannot_take_bases_perturbation_away(repo: Repository) -> None:
    without = CONFIG.replace("      scale: {column: x, factor: 1000, max-drop: 0.02}\n", "")
    repo.commit({"predict.py": TRUSTING, "mlops-ci.yaml": without})
    outcome = run(repo)
    scale = drops(outcome)["scale"]
    assert (scale.source, scale.verdict) == ("base", "fail")
    assert outcome.comparison is not None
    assert any("scale 1000 of x: max-drop 0.02 is removed" in c for c in outcome.comparison.changes)
