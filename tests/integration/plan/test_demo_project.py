"""A real model: scikit-learn trains it, MLflow saves it and keeps the run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlops_ci.plan import Context, Occasion, execute, plan_project
from tests.integration.repositories import make_repository

PROJECT = Path(__file__).parents[3] / "demo" / "project"


@pytest.mark.filterwarnings("ignore")
def test_a_forest_is_better_than_a_regression_and_the_run_is_in_mlflow(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    for path in PROJECT.iterdir():
        if path.is_file() and path.name != "requirements.txt":  # the Python of this test has all
            shutil.copy(path, repo.folder / path.name.replace("gitignore", ".gitignore"))
    repo.commit({})
    repo.push()
    repo.branch("forest")
    text = (repo.folder / "params.yaml").read_text()
    repo.commit({"params.yaml": text.replace("model: logistic", "model: forest")})
    project = repo.project()
    (model,) = execute(plan_project(project, Occasion()), Context(project, timeout=300)).models
    assert model.error is None, str(model.error)
    assert model.comparison is not None
    assert model.comparison.verdict == "pass"
    assert model.evaluation is not None
    assert model.evaluation.artifact is not None
    assert model.base_evaluation is not None
    assert model.base_evaluation.artifact is not None
    assert model.evaluation.artifact.digest != model.base_evaluation.artifact.digest
    assert model.training is not None
    assert model.training.notes == []
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=str(model.training.tracker))
    run = client.get_run(str(model.training.tracker_run))
    assert run.data.params["model"] == "forest"
    assert run.data.metrics["oof.roc_auc"] > 0.95
    assert run.info.status == "FINISHED"
