"""The model's size and times against main's runs, from the pull request to the verdict."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from mlops_ci.baseline.store import Entry, Wanted
from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records import GateResult, MetricResult
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
store: {backend: folder, path: ../store}
models:
  m:
    train: python train.py
    predict: python predict.py
    predictions: predictions.csv
    model: model.bin
    task: binary
    gates:
      accuracy: {max-drop: 0.05}
      model_size_mb: [{max: 0.05}, {max-drop-relative: 0.1}]
      latency_ms: {max-drop-relative: 3, required: false}
      training_seconds: {max-drop-relative: 50, required: false}
"""
TRAIN = "open('model.bin', 'wb').write(b'x' * {size})\n"
PREDICT = """
with open("predictions.csv", "w") as file:
    file.write("id,label,prediction\\n")
    file.writelines(f"{i},{i % 2},{i % 2 if i % 5 else 1}\\n" for i in range(200))
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    files = {"mlops-ci.yaml": CONFIG, "train.py": TRAIN.format(size=30_000), "predict.py": PREDICT}
    repo.commit({**files, ".gitignore": "/predictions.csv\n/model.bin\n"}, "adopt")
    repo.push()
    repo.branch("feature")
    return repo


def run(repo: Repository) -> ModelOutcome:
    project = repo.project()
    plan = plan_project(project, Occasion())
    (outcome,) = execute(plan, Context(project, store=store_of(project), timeout=120)).models
    assert outcome.error is None, outcome.error
    return outcome


def gates(outcome: ModelOutcome) -> dict[str, GateResult]:
    assert outcome.comparison is not None
    return {f"{one.metric} {one.kind}": one for one in outcome.comparison.gates}


def resources(outcome: ModelOutcome) -> dict[str, MetricResult]:
    assert outcome.comparison is not None
    return {one.metric: one for one in outcome.comparison.resources}


def remember(repo: Repository, outcome: ModelOutcome, factors: list[float]) -> None:
    """Main's past: the same training and prediction, each a little slower or faster."""
    store = store_of(repo.project())
    assert store is not None
    assert outcome.training is not None
    assert outcome.evaluation is not None
    for at, factor in enumerate(factors):
        training = msgspec.structs.replace(
            outcome.training,
            key=f"past-{at}",
            duration_seconds=outcome.training.duration_seconds * factor,
        )
        seconds = float(outcome.evaluation.predict_seconds or 0) * factor
        evaluation = msgspec.structs.replace(outcome.evaluation, predict_seconds=seconds)
        store.put(Entry(training, evaluation))
        assert store.get(Wanted("m", key=f"past-{at}")) is not None


def test_a_size_decides_and_times_wait_for_runs_of_main(repo: Repository) -> None:
    repo.commit({"train.py": TRAIN.format(size=32_000)})
    outcome = run(repo)
    found, judged = resources(outcome), gates(outcome)
    assert (found["model_size_mb"].base, found["model_size_mb"].head) == (0.03, 0.032)
    assert judged["model_size_mb max"].verdict == "pass"
    assert judged["model_size_mb max-drop-relative"].verdict == "pass"
    assert judged["latency_ms max-drop-relative"].reason.startswith("point")
    assert "fewer than 5: no interval" in str(found["latency_ms"].note)
    assert "peak_memory_mb" not in found, "nobody asked, and there is nothing to say"
    assert outcome.evaluation is not None
    assert float(outcome.evaluation.predict_seconds or 0) > 0

    remember(repo, outcome, [0.8, 0.9, 1.0, 1.1, 1.3])
    again = run(repo)
    latency = resources(again)["latency_ms"]
    assert latency.evidence == "history"
    assert float(latency.low or 0) < float(latency.difference or 0) < float(latency.high or 0)
    assert gates(again)["latency_ms max-drop-relative"].evidence == "history"
    assert gates(again)["training_seconds max-drop-relative"].verdict == "pass"
    assert {metric.metric for metric in again.comparison.metrics}.isdisjoint(resources(again))  # type: ignore[union-attr]


def test_a_model_that_is_too_large_is_stopped(repo: Repository) -> None:
    repo.commit({"train.py": TRAIN.format(size=60_000)})
    outcome = run(repo)
    judged = gates(outcome)
    assert judged["model_size_mb max"].verdict == "fail"
    assert judged["model_size_mb max-drop-relative"].verdict == "fail"
    assert outcome.exit_code == 1


def test_a_size_without_a_model_blocks(repo: Repository) -> None:
    repo.commit({"mlops-ci.yaml": CONFIG.replace("    model: model.bin\n", "")})
    outcome = run(repo)
    assert resources(outcome)["model_size_mb"].head is None
    assert gates(outcome)["model_size_mb max"].blocks
    assert outcome.exit_code == 1


def test_an_empty_model_has_no_size(repo: Repository) -> None:
    """A folder that training left empty is no small model."""
    repo.commit({"train.py": "import os; os.makedirs('model.bin', exist_ok=True)\n"})
    outcome = run(repo)
    assert resources(outcome)["model_size_mb"].note == "not measured: head's model is empty"
    blocked = [gate.blocks for name, gate in gates(outcome).items() if "model_size" in name]
    assert blocked == [True, True]
    assert outcome.exit_code == 1
