"""A function of the project's own, from the pull request to the verdict, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.baseline.commit import Asked
from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records import GateResult, MetricResult
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
store: {{backend: folder, path: ../store}}
models:
  m:
    predictions: predictions.csv
    task: binary
    slices: [region]
    functions:
      profit: {{function: {function}, better: higher}}
    gates:
      profit: [{{max-drop: 2}}, {{max-drop: 5, slice: region=north}}]
"""
METRICS = """
import os

def profit(y, prediction):
    assert "MLOPS_CI_TOKEN" not in os.environ
    hit = ((prediction == 1) & (y == 1)).mean()
    return {worth} * hit - 10 * ((prediction == 1) & (y == 0)).mean()

def cautious(y, prediction, score):
    assert len(y) == len(score)
    return float(score.mean())
"""


def rows(wrong: int) -> str:
    """The first answer of every `wrong` is wrong."""
    lines = [
        f"{i},{i % 2},{(i % 2) ^ (i * 7919 % 1000 < 1000 // wrong)},{0.1 + 0.8 * (i % 2)},"
        f"{'north' if i % 3 else 'south'}"
        for i in range(1200)
    ]
    return "\n".join(["id,label,prediction,score,region", *lines]) + "\n"


def config(function: str = "metrics.py:profit") -> str:
    return CONFIG.format(function=function)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    metrics = METRICS.format(worth=30)
    repo.commit(
        {"mlops-ci.yaml": config(), "metrics.py": metrics, "predictions.csv": rows(10)}, "adopt"
    )
    repo.push()
    repo.branch("feature")
    return repo


def run(repo: Repository) -> ModelOutcome:
    repo.environ["MLOPS_CI_TOKEN"] = "secret"
    project = repo.project()
    plan = plan_project(project, Occasion())
    (outcome,) = execute(plan, Context(project, store=store_of(project), timeout=120)).models
    assert outcome.error is None, outcome.error
    return outcome


def profits(outcome: ModelOutcome) -> dict[str | None, MetricResult]:
    assert outcome.comparison is not None
    return {one.slice: one for one in outcome.comparison.metrics if one.metric == "profit"}


def gates(outcome: ModelOutcome) -> dict[str | None, GateResult]:
    assert outcome.comparison is not None
    return {one.slice: one for one in outcome.comparison.gates}


def test_a_function_is_a_metric_like_any(repo: Repository) -> None:
    repo.commit({"predictions.csv": rows(12)})
    outcome = run(repo)
    found = profits(outcome)
    assert set(found) == {None, "region=north", "region=south"}
    one = found[None]
    # 600 positives of 1,200 rows, of which base gets a tenth wrong.
    assert one.base == pytest.approx(30 * 0.45 - 10 * 0.05, abs=0.3)
    assert one.difference is not None
    assert one.difference > 0
    assert one.low is not None
    assert one.low < one.difference < float(one.high or 0)
    assert one.method == "bootstrap, 400 draws"
    assert {gate.verdict for gate in gates(outcome).values()} == {"pass"}
    assert profits(run(repo)) == found
    assert not list(repo.folder.glob(".mlops-ci/m/*/functions")), "nothing of the question is left"


def test_a_model_that_earns_less_fails(repo: Repository) -> None:
    repo.commit({"predictions.csv": rows(2)})
    outcome = run(repo)
    assert gates(outcome)[None].verdict == "fail"
    assert outcome.exit_code == 1


def test_head_cannot_change_what_base_earns_by(repo: Repository) -> None:
    looser = METRICS.format(worth=900)
    repo.commit({"predictions.csv": rows(11), "metrics.py": looser})
    outcome = run(repo)
    assert outcome.comparison is not None
    assert float(profits(outcome)[None].head or 0) < 20
    assert "the function profit is changed; base's counts until the merge" in (
        outcome.comparison.changes
    )


FAULTS = {
    "raise RuntimeError('no\\n market today')": "RuntimeError: no market today",
    "return float('nan')": "the function gave NaN",
    "import random; return random.random()": "two values for the same rows",
    "raise SystemExit(0)": "SystemExit",
    "import os; os._exit(0)": "gave no answer",
    "return 'much'": "could not convert string to float",
}


@pytest.mark.parametrize("body", FAULTS)
def test_a_function_that_fails_is_not_assessed_and_blocks(repo: Repository, body: str) -> None:
    repo.git("checkout", "-q", "main")
    repo.commit({"metrics.py": f"def profit(y, prediction):\n    {body}\n"}, "main's function")
    repo.push()
    repo.branch("other")
    repo.commit({"predictions.csv": rows(11)})
    outcome = run(repo)
    one = profits(outcome)[None]
    assert one.head is None
    assert str(one.note).startswith("not assessed")
    assert FAULTS[body] in str(one.note)
    assert all(gate.blocks for gate in gates(outcome).values())
    assert outcome.exit_code == 1


def test_a_function_that_is_too_slow_says_what_to_do(repo: Repository) -> None:
    repo.commit({
        "metrics.py": "import time\n\ndef slow(y, prediction):\n    time.sleep(60)\n",
        "mlops-ci.yaml": config("metrics.py:slow").replace("task:", "timeout: 2\n    task:"),
    })  # fmt: skip
    repo.git("push", "-q", "origin", "HEAD:main")
    repo.commit({"predictions.csv": rows(11)})
    outcome = run(repo)
    one = profits(outcome)[None]
    assert one.head is None
    assert "no answer after 2 s: give the model a longer `timeout: SECONDS`" in str(one.note)
    assert all(gate.blocks for gate in gates(outcome).values())


def test_a_function_may_ask_for_the_score(repo: Repository) -> None:
    repo.commit(
        {
            "mlops-ci.yaml": config()
            .replace("profit:", "care:")
            .replace("metrics.py:profit", "metrics.py:cautious")
        }
    )
    found = run(repo)
    assert found.comparison is not None
    care = [one for one in found.comparison.metrics if one.metric == "care" and one.slice is None]
    assert care[0].head == pytest.approx(0.5)


def keep(repo: Repository) -> ModelOutcome:
    """What the merge workflow does on main."""
    project = repo.project()
    head = repo.git("rev-parse", "HEAD")
    occasion = Occasion(Asked("push", head=head, branch="main"), ships=True)
    context = Context(project, store=store_of(project), timeout=120)
    (outcome,) = execute(plan_project(project, occasion), context).models
    assert outcome.error is None, outcome.error
    return outcome


def on_main(repo: Repository, files: dict[str, str | bytes]) -> ModelOutcome:
    repo.commit(files)
    repo.push()
    return keep(repo)


def test_many_small_losses_of_a_function_are_bounded(repo: Repository) -> None:
    """The last one loses 0.7 and all of them 2. An average over classes has an anchor as well."""
    repo.git("checkout", "-q", "main")
    gated = "f1_macro: {max-drop: 0.12}\n      profit: [{max-drop: 1.2, max-total-drop: 1.5}"
    looser = config().replace("profit: [{max-drop: 2}", gated)
    assert on_main(repo, {"mlops-ci.yaml": looser}).exit_code == 0
    store = store_of(repo.project())
    assert store is not None
    (header,) = store.list("m")
    assert [name.partition("@")[0] for name in header.metrics if "@" in name] == ["profit"]
    assert "f1_macro" in header.metrics
    for wrong in (9, 8, 7, 6):
        assert on_main(repo, {"predictions.csv": rows(wrong)}).exit_code == 0
    outcome = on_main(repo, {"predictions.csv": rows(5)})
    assert outcome.comparison is not None
    found = {(gate.metric, gate.slice, gate.against): gate for gate in outcome.comparison.gates}
    own, creep = found["profit", None, "base"], found["profit", None, "anchor"]
    assert (own.blocks, creep.blocks) == (False, True)
    assert creep.limit == 1.5
    assert creep.estimate == pytest.approx(
        float(profits(outcome)[None].head or 0)
        - header.metrics[next(k for k in header.metrics if "@" in k)]
    )
    assert ("profit", "region=north", "anchor") in found
    assert ("f1_macro", None, "anchor") in found


def test_values_of_another_function_are_no_anchor(repo: Repository) -> None:
    repo.git("checkout", "-q", "main")
    assert on_main(repo, {}).exit_code == 0
    on_main(repo, {"metrics.py": METRICS.format(worth=31)})
    outcome = on_main(repo, {"predictions.csv": rows(11)})
    assert outcome.comparison is not None
    assert "anchor" not in {gate.against for gate in outcome.comparison.gates}


WEIGHED = """
def profit(y, prediction, weight):
    import numpy as np
    return 30 * np.average((prediction == 1) & (y == 1), weights=weight)
"""


def weighed(wrong: int) -> str:
    lines = rows(wrong).splitlines()
    return "\n".join(
        [lines[0] + ",weight", *(f"{line},{1 + n % 3}" for n, line in enumerate(lines[1:]))]
    )


@pytest.mark.parametrize("takes", [True, False])
def test_weights_reach_a_function_that_takes_them(repo: Repository, takes: bool) -> None:
    repo.git("checkout", "-q", "main")
    metrics = WEIGHED if takes else METRICS.format(worth=30)
    repo.commit({"metrics.py": metrics, "predictions.csv": weighed(10)}, "weights")
    repo.push()
    repo.branch("other")
    repo.commit({"predictions.csv": weighed(9)})
    outcome = run(repo)
    found = profits(outcome)[None]
    if not takes:
        assert "give the function a parameter `weight`" in str(found.note)
        assert all(gate.blocks for gate in gates(outcome).values())
        return
    assert found.low is not None
    assert found.head is not None
    label = [i % 2 for i in range(1200)]
    said = [int(line.split(",")[2]) for line in weighed(9).splitlines()[1:]]
    weight = [1 + i % 3 for i in range(1200)]
    hits = sum(w for w, y, p in zip(weight, label, said, strict=True) if y == p == 1)
    assert found.head == pytest.approx(30 * hits / sum(weight))
