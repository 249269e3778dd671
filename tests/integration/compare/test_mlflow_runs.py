"""Two runs that MLflow keeps, by their ids."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_ci.cli.program import run_program

Capture = pytest.CaptureFixture[str]
LOG = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment(experiment_id=mlflow.create_experiment("x", artifact_location=sys.argv[2]))
for wrong in (60, 10):
    with mlflow.start_run() as run:
        mlflow.log_metric("eval/auc", 0.2, step=0)
        mlflow.log_metric("eval/auc", 1 - wrong / 1000, step=5)
        mlflow.log_metric("broken", float("nan"))
        target = [n % 2 for n in range(500)]
        said = [1 - y if n < wrong else y for n, y in enumerate(target)]
        mlflow.log_table({"target": target, "prediction": said}, "eval_results_table.json")
        print(run.info.run_id)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    done = subprocess.run(
        [sys.executable, "-c", LOG, uri, (folder / "artifacts").as_uri()],
        cwd=folder, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return uri, done.stdout.split()[-2:]


@pytest.mark.usefixtures("here")
def test_their_rows_are_paired_and_their_numbers_compared(
    store: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    uri, runs = store
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    arguments = [f"runs:/{run}" for run in runs]
    options = ["--task", "binary", "--max-drop", "accuracy=0.01", "--json"]
    assert run_program(["compare", *arguments, *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["evidence"]) == ("pass", "paired")
    assert found["rows"]["paired"] == 500
    metrics = {one["metric"]: one for one in found["metrics"]}
    assert metrics["accuracy"]["low"] > 0
    assert (metrics["eval/auc"]["base"], metrics["eval/auc"]["head"]) == (0.94, 0.99)
    assert "it is nan" in metrics["broken"]["note"]
    assert found["head"]["source"].startswith("a run of MLflow, told by")
    assert found["head"]["name"] == runs[1][:8]


@pytest.mark.usefixtures("here")
def test_what_is_not_there(
    store: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    uri, runs = store
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert run_program(["compare", f"runs:/{runs[0]}", "runs:/nowhere"]) == 4
    assert "could not be read from MLflow" in capsys.readouterr().err
    assert run_program(["compare", f"runs:/{runs[0]}", "runs:/a/model"]) == 2
    assert "does not name a run" in capsys.readouterr().err
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert run_program(["compare", f"runs:/{runs[0]}", f"runs:/{runs[1]}"]) == 2
    assert "export MLFLOW_TRACKING_URI=" in capsys.readouterr().err


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    from mlops_ci.trackers.mlflow_runs_child import _write

    (tmp_path / "run").mkdir()
    with pytest.raises(ValueError, match="a metric is called"):
        _write(tmp_path / "run", "id", {"../../stolen": 1.0})
    assert not (tmp_path / "stolen").exists()
