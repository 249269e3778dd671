"""The child of `trackers/mlflow_runs.py`: `python -m mlops_ci.trackers.mlflow_runs_child FOLDER
RUN`.

What a server answers is not trusted to stay inside FOLDER.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

TABLE = "eval_results_table.json"


def main(folder: Path, run_id: str) -> int:
    warnings.simplefilter("ignore")
    try:
        from mlflow import MlflowClient

        client = MlflowClient()
        _write(folder, run_id, client.get_run(run_id).data.metrics)
        _bring_table(client, folder, run_id)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the parent's message
        sys.stderr.write(f"{type(error).__name__}: {' '.join(str(error).split())}\n")
        return 1
    return 0


def _write(folder: Path, run_id: str, metrics: dict[str, float]) -> None:
    (folder / "meta.yaml").write_text(f"run_id: {run_id}\n", "utf-8")
    top = (folder / "metrics").resolve()
    top.mkdir()
    for name, value in metrics.items():
        place = (top / name).resolve()
        if not place.is_relative_to(top) or place == top:
            raise ValueError(f"a metric is called {name!r}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"0 {value!r} 0\n", "utf-8")


def _bring_table(client: Any, folder: Path, run_id: str) -> None:
    if any(one.path == TABLE for one in client.list_artifacts(run_id)):
        artifacts = folder / "artifacts"
        artifacts.mkdir()
        client.download_artifacts(run_id, TABLE, str(artifacts))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
