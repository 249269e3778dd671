"""The child process of `trackers/mlflow.py`: `python -m mlops_ci.trackers.mlflow_child FOLDER`.

FOLDER holds `order.json`; `result.json` appears when the training has ended; `answer.json` is left.
"""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci.records.files import write_atomically
from mlops_ci.trackers.run import Result, RunInfo, Tracked

POLL_SECONDS = 0.05
MAX_VALUE = 500
MAX_PARAMETERS = 100  # of one batch, as https://mlflow.org/docs/latest/rest-api.html says
MAX_METRICS = 1000
UNNAMABLE = re.compile(r"[^\w/.\- :]")  # what MLflow takes in no name: the @ of ndcg@10


def main(folder: Path) -> int:
    order: dict[str, Any] = msgspec.json.decode((folder / "order.json").read_bytes())
    parent = os.getppid()
    try:
        answer = _track(order, folder, parent)
    except Exception as error:  # noqa: BLE001 - any trouble of a tracker becomes a note
        answer = Tracked(uri=order["uri"], error=_said(error))
    write_atomically(folder / "answer.json", msgspec.json.encode(answer))
    return 0


def _track(order: dict[str, Any], folder: Path, parent: int) -> Tracked:
    """The run is ended whatever happens: one that nobody works at must not look at work."""
    warnings.simplefilter("ignore")
    from mlflow import MlflowClient

    info = msgspec.convert(order["info"], RunInfo)
    client = MlflowClient(tracking_uri=order["uri"])
    run_id = _open(client, info, order)
    result, trouble = Result(status="FAILED"), None
    try:
        _log(client, run_id, info.parameters, Result(status="RUNNING"))
        result = _wait(folder, parent)
        _log(client, run_id, {}, result)
    except Exception as error:  # noqa: BLE001 - see main
        trouble = _said(error)
    client.set_terminated(run_id, result.status)
    return Tracked(uri=order["uri"], run_id=run_id, error=trouble)


def _open(client: Any, info: RunInfo, order: dict[str, Any]) -> str:
    artifacts = order["artifacts"] if order["uri"].startswith("sqlite:") else None
    experiment = client.get_experiment_by_name(info.model)
    number = (
        experiment.experiment_id
        if experiment
        else client.create_experiment(info.model, artifact_location=artifacts)
    )
    run = client.create_run(number, run_name=info.name, tags=dict(info.tags))
    return str(run.info.run_id)


def _log(client: Any, run_id: str, parameters: Mapping[str, Any], result: Result) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    values = {name: str(value)[:MAX_VALUE] for name, value in namable(parameters).items()}
    params = [Param(name, value) for name, value in values.items()][:MAX_PARAMETERS]
    metrics = [Metric(name, value, now, 0) for name, value in namable(result.metrics).items()]
    tags = [RunTag(name, value) for name, value in namable(result.tags).items()]
    client.log_batch(run_id, metrics=metrics[:MAX_METRICS], params=params, tags=tags)


def namable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Under names that MLflow takes: one bad name, and it would refuse all the others too."""
    return {UNNAMABLE.sub("_", name): value for name, value in values.items()}


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _wait(folder: Path, parent: int) -> Result:
    path = folder / "result.json"
    while not path.is_file():
        if os.getppid() != parent:
            return Result(status="KILLED")
        time.sleep(POLL_SECONDS)
    return msgspec.json.decode(path.read_bytes(), type=Result)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
