"""The child process of `trackers/mlflow.py`: `python -m mlops_ci.trackers.mlflow_child FOLDER`.

FOLDER holds `order.json`; `result.json` appears when the training has ended; `answer.json` is left.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci.records.files import write_atomically
from mlops_ci.trackers.run import Result, RunInfo, Tracked

POLL_SECONDS = 0.05
MAX_VALUE = 500


def main(folder: Path) -> int:
    order: dict[str, Any] = msgspec.json.decode((folder / "order.json").read_bytes())
    parent = os.getppid()
    try:
        run_id = _track(order, folder, parent)
        answer = Tracked(uri=order["uri"], run_id=run_id)
    except Exception as error:  # noqa: BLE001 - any trouble of a tracker becomes a note
        answer = Tracked(uri=order["uri"], error=f"{type(error).__name__}: {error}"[:500])
    write_atomically(folder / "answer.json", msgspec.json.encode(answer))
    return 0


def _track(order: dict[str, Any], folder: Path, parent: int) -> str:
    warnings.simplefilter("ignore")
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    info = msgspec.convert(order["info"], RunInfo)
    client = MlflowClient(tracking_uri=order["uri"])
    artifacts = order["artifacts"] if order["uri"].startswith("sqlite:") else None
    experiment = client.get_experiment_by_name(info.model)
    number = (
        experiment.experiment_id
        if experiment
        else client.create_experiment(info.model, artifact_location=artifacts)
    )
    run = client.create_run(number, run_name=info.name, tags=dict(info.tags))
    run_id = str(run.info.run_id)
    client.log_batch(
        run_id,
        params=[Param(name, str(value)[:MAX_VALUE]) for name, value in info.parameters.items()][
            :100
        ],
    )
    result = _wait(folder, parent)
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now, 0) for name, value in result.metrics.items()],
        tags=[RunTag(name, value) for name, value in result.tags.items()],
    )
    client.set_terminated(run_id, result.status)
    return run_id


def _wait(folder: Path, parent: int) -> Result:
    path = folder / "result.json"
    while not path.is_file():
        if os.getppid() != parent:
            return Result(status="KILLED")
        time.sleep(POLL_SECONDS)
    return msgspec.json.decode(path.read_bytes(), type=Result)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
