"""MLflow for real: the embedded file, and a server that is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.project import Project
from mlops_ci.trackers import Result, RunInfo, tracker_of
from tests.integration.repositories import Repository, make_repository

CONFIG = "models: {churn: {train: 'true', predictions: p.csv}}\n"
INFO = RunInfo(model="churn", name="run", tags={"mlops-ci.commit": "abc"}, parameters={"lr": 0.1})


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit({"mlops-ci.yaml": CONFIG})
    return repo


def project_of(repo: Repository, **environ: str) -> Project:
    repo.environ |= environ
    return repo.project()


@pytest.mark.filterwarnings("ignore")
def test_names_that_mlflow_does_not_take_lose_no_number(repo: Repository) -> None:
    tracker = tracker_of(project_of(repo))
    assert tracker is not None
    numbers = {"ndcg@10": 0.5, "recall@cat [region=north]": 0.4, "oof/auc": 0.9}
    tracked = tracker.start(INFO).finish(Result(status="FINISHED", metrics=numbers))
    assert tracked.error is None
    from mlflow import MlflowClient

    run = MlflowClient(tracking_uri=tracked.uri).get_run(str(tracked.run_id))
    assert run.data.metrics == {"ndcg_10": 0.5, "recall_cat _region_north_": 0.4, "oof/auc": 0.9}
    assert run.info.status == "FINISHED"


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_cannot_be_logged_whole_is_ended_all_the_same(repo: Repository) -> None:
    tracker = tracker_of(project_of(repo))
    assert tracker is not None
    tracked = tracker.start(INFO).finish(Result(status="FINISHED", metrics={"../up": 0.5}))
    assert tracked.error is not None
    from mlflow import MlflowClient

    run = MlflowClient(tracking_uri=tracked.uri).get_run(str(tracked.run_id))
    assert run.info.status == "FINISHED"


@pytest.mark.filterwarnings("ignore")
def test_a_run_is_logged_to_the_embedded_file(repo: Repository) -> None:
    project = project_of(repo)
    tracker = tracker_of(project)
    assert tracker is not None
    started = tracker.start(INFO)
    tracked = started.finish(
        Result(status="FINISHED", metrics={"auc": 0.9, "nan": float("nan")}, tags={"key": "k"})
    )
    assert tracked.error is None
    assert tracked.uri == f"sqlite:///{project.records.path}/mlflow.db"
    from mlflow import MlflowClient

    run = MlflowClient(tracking_uri=tracked.uri).get_run(str(tracked.run_id))
    assert run.data.metrics == {"auc": 0.9}
    assert run.data.params == {"lr": "0.1"}
    assert run.data.tags["mlops-ci.commit"] == "abc"
    assert run.info.status == "FINISHED"
    assert repo.git("status", "--porcelain") == ""


def test_a_server_that_is_away_is_a_note_and_soon(repo: Repository) -> None:
    tracker = tracker_of(project_of(repo, MLFLOW_TRACKING_URI="http://ana:hunter2@127.0.0.1:9"))
    assert tracker is not None
    tracked = tracker.start(INFO).finish(Result(status="FINISHED"))
    assert tracked.run_id is None
    assert tracked.error is not None
    assert tracked.uri == "http://127.0.0.1:9"
    assert "hunter2" not in tracked.error
    assert "did not answer within" not in tracked.error, "MLflow alone would try for four minutes"


def test_tracking_can_be_turned_off(repo: Repository) -> None:
    repo.write({"mlops-ci.yaml": "tracking-uri: none\n" + CONFIG})
    assert tracker_of(repo.project()) is None
