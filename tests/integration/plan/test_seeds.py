"""`seeds: k` from the file to the report, on a real repository, with real trainings."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mlops_ci.baseline.commit import Asked
from mlops_ci.config import parse_config
from mlops_ci.errors import CommandError, ConfigError
from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of
from mlops_ci.plan.likeness import NOTHING
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.plan.reproduction import Source, reproduce
from mlops_ci.project import Project
from mlops_ci.records import MetricResult
from mlops_ci.steps.requests import EvaluateRequest, TrainRequest
from mlops_ci.steps.seeds import evaluate_all, train_all
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
store: {backend: folder, path: ../store}
models:
  churn:
    train: python train.py
    predictions: out/predictions.csv
    model: out/model
    task: binary
    seeds: 3
    gates:
      accuracy: {max-drop: 0.01}
"""
# Which rows are answered right depends on the seed; without the variable it would fail.
TRAIN = """
import csv, os, pathlib
right = float(open("right.txt").read())
seed = int(os.environ["MLOPS_CI_SEED"])
share = right - (0.004 * seed if os.path.exists("lucky") else 0)
pathlib.Path("out/model").mkdir(parents=True, exist_ok=True)
pathlib.Path("out/model/seed").write_text(str(seed))
with open("out/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction"])
    for i in range(2000):
        label = i % 2
        good = (i * 7919 % 2000) < share * 2000
        writer.writerow([i, label, label if good else 1 - label])
with open("../count", "a") as file:
    file.write(f"{seed}\\n")
if seed == 2 and os.path.exists("unlucky"):
    raise SystemExit("this seed does not converge")
"""
SHELL = """
awk -v seed=$MLOPS_CI_SEED 'BEGIN {
  print "id,label,prediction"
  for (i = 0; i < 100; i++) { y = i % 2; print i "," y "," (i < 20 + seed ? 1 - y : y) }
}' > out/predictions.csv
"""
FILES = {
    "mlops-ci.yaml": CONFIG,
    "train.py": TRAIN,
    "right.txt": "0.8\n",
    "lucky": "yes\n",
    ".gitignore": "/out/\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit(FILES, "adopt mlops-ci")
    repo.push()
    return repo


def run(project: Project, occasion: Occasion | None = None) -> ModelOutcome:
    plan = plan_project(project, occasion or Occasion())
    (model,) = execute(plan, Context(project, store=store_of(project), timeout=120)).models
    return model


def seeds_run(repo: Repository) -> list[str]:
    return (repo.folder.parent / "count").read_text().split()


def accuracy(outcome: ModelOutcome) -> MetricResult:
    assert outcome.comparison is not None, outcome.error
    (found,) = (one for one in outcome.comparison.metrics if one.metric == "accuracy")
    return found


def test_both_sides_are_trained_with_every_seed(repo: Repository) -> None:
    repo.branch("idea")
    repo.commit({"right.txt": "0.801\n"})
    outcome = run(repo.project())
    assert seeds_run(repo) == ["0", "1", "2"]  # base's are in its worktree
    # The files that count are seed 0's, and nothing lies about.
    assert (repo.folder / "out/model/seed").read_text() == "0"
    assert sorted(path.name for path in (repo.folder / "out").iterdir()) == [
        "model",
        "predictions.csv",
    ]
    assert repo.git("status", "--short") == ""
    assert outcome.evaluation is not None
    assert outcome.evaluation.seeds is not None
    (values,) = (one.values for one in outcome.evaluation.seeds.values if one.metric == "accuracy")
    assert values == pytest.approx((0.801, 0.797, 0.793), abs=1e-9)
    found = accuracy(outcome)
    assert outcome.comparison is not None
    assert outcome.comparison.retraining is not None
    known = outcome.comparison.retraining
    assert (known.head, known.base, known.history) == (3, 3, ())
    assert found.seed_sd == pytest.approx((2 * 0.004**2) ** 0.5, rel=1e-6)
    assert found.low is not None
    assert found.seed_sd is not None
    assert found.low < (found.difference or 0) - 2.5 * found.seed_sd
    # By rows alone it would pass: here it cannot be told.
    assert outcome.comparison.verdict == "inconclusive"


def test_a_second_run_trains_nothing_again(repo: Repository) -> None:
    repo.branch("idea")
    repo.commit({"right.txt": "0.801\n"})
    first = accuracy(run(repo.project()))
    before = len(seeds_run(repo))
    assert accuracy(run(repo.project())) == first
    assert len(seeds_run(repo)) == before


def test_a_seed_that_fails_fails_the_model(repo: Repository) -> None:
    repo.branch("idea")
    repo.commit({"unlucky": "yes\n"})
    outcome = run(repo.project())
    assert isinstance(outcome.error, CommandError)
    assert "training with seed 2 failed" in str(outcome.error)
    assert (repo.folder / "out/model/seed").read_text() == "0"


def test_training_that_does_not_follow_the_seed_says_so(repo: Repository) -> None:
    repo.git("rm", "-q", "lucky")
    repo.commit({}, "no luck")
    repo.push()
    repo.branch("idea")
    repo.commit({"right.txt": "0.801\n"})
    outcome = run(repo.project())
    assert outcome.comparison is not None
    assert outcome.comparison.retraining is None
    assert any("let training read MLOPS_CI_SEED" in note for note in outcome.comparison.notes)
    assert accuracy(outcome).seed_sd is None


def test_head_cannot_widen_its_own_intervals(repo: Repository) -> None:
    """Noise turns a failure into doubt: how much is measured is for base to say."""
    once = CONFIG.replace("    seeds: 3\n", "")
    repo.commit({"mlops-ci.yaml": once}, "one seed")
    repo.push()
    repo.branch("idea")
    repo.commit({"mlops-ci.yaml": CONFIG, "right.txt": "0.7\n"})
    outcome = run(repo.project())
    assert outcome.comparison is not None
    assert (outcome.comparison.verdict, outcome.comparison.retraining) == ("fail", None)
    assert "seeds: 1 → 3; it counts from the merge on" in outcome.comparison.changes
    assert seeds_run(repo) == ["0"]


def test_predict_asks_the_model_of_each_seed(repo: Repository) -> None:
    train = TRAIN.split('with open("out/predictions.csv"', maxsplit=1)[0]
    predict = TRAIN.replace(
        'seed = int(os.environ["MLOPS_CI_SEED"])', 'seed = int(open("out/model/seed").read())'
    )
    asked = CONFIG.replace("    predictions", "    predict: python predict.py\n    predictions")
    repo.commit({"train.py": train, "predict.py": predict, "mlops-ci.yaml": asked})
    repo.push()
    repo.branch("idea")
    repo.commit({"right.txt": "0.801\n"})
    outcome = run(repo.project())
    assert outcome.evaluation is not None, outcome.error
    assert outcome.evaluation.seeds is not None
    (values,) = (one.values for one in outcome.evaluation.seeds.values if one.metric == "accuracy")
    assert values == pytest.approx((0.801, 0.797, 0.793), abs=1e-9)
    assert (repo.folder / "out/model/seed").read_text() == "0"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its command fewer rights")
def test_seeds_run_with_the_command_s_own_rights(repo: Repository, tmp_path: Path) -> None:
    """In a job whose checkout is root's: every seed as nobody, who cannot have a stranger's file
    read by a link of one seed."""
    repo.environ |= {"GITHUB_ACTIONS": "true"}
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    shell = CONFIG.replace("python train.py", "sh train.sh").replace("    model: out/model\n", "")
    repo.branch("idea")
    repo.commit({"mlops-ci.yaml": shell, "train.sh": SHELL})
    project = repo.project()
    training = train_all(project, "churn", TrainRequest(60))
    assert [run.seed for run in training.seeds] == [1, 2]
    evaluation = evaluate_all(project, "churn", EvaluateRequest(60))
    assert evaluation.seeds is not None
    (values,) = (one.values for one in evaluation.seeds.values if one.metric == "accuracy")
    assert values == pytest.approx((0.8, 0.79, 0.78))
    (tmp_path / "secret.csv").write_text("id,label,prediction\n1,1,1\n")
    link = f'[ $MLOPS_CI_SEED != 2 ] || ln -sf "{tmp_path}/secret.csv" out/predictions.csv\n'
    repo.commit({"train.sh": SHELL + link})
    with pytest.raises(CommandError, match="which is not yours"):
        train_all(repo.project(), "churn", TrainRequest(60))


def test_a_link_of_a_seed_is_kept_as_what_it_leads_to(repo: Repository) -> None:
    link = 'os.replace("out/predictions.csv", "out/real.csv")\n'
    link += 'os.symlink("real.csv", "out/predictions.csv")\n'
    repo.branch("idea")
    repo.commit({"train.py": TRAIN + link})
    project = repo.project()
    train_all(project, "churn", TrainRequest(60))
    evaluation = evaluate_all(project, "churn", EvaluateRequest(60))
    assert evaluation.seeds is not None
    (values,) = (one.values for one in evaluation.seeds.values if one.metric == "accuracy")
    assert len(set(values)) == 3


def test_main_s_own_retrainings_are_history(repo: Repository) -> None:
    """Each run of main trains anew with luck of its own; five of them tell what a seed changes."""
    lucky = TRAIN.replace(
        'seed = int(os.environ["MLOPS_CI_SEED"])',
        'seed = len(open("../count").read().split()) if os.path.exists("../count") else 0',
    )
    once = CONFIG.replace("    seeds: 3\n", "").replace("max-drop: 0.01", "max-drop: 0.1")
    repo.commit({"mlops-ci.yaml": once}, "one training")
    repo.commit({"train.py": lucky}, "luck of its own")
    repo.push()
    for _ in range(5):
        merged = Occasion(Asked("push"), ships=True, models=("churn",))
        done = run(repo.project(), merged)
        assert done.error is None, done.error
        shutil.rmtree(repo.folder / ".mlops-ci")  # a new runner each time
        shutil.rmtree(repo.folder / "out")
    (header,) = store_of(repo.project()).list("churn")  # type: ignore[union-attr]
    assert len(header.repeats) == 4
    repo.branch("idea")
    repo.commit({"right.txt": "0.801\n"})
    outcome = run(repo.project())
    assert outcome.comparison is not None, outcome.error
    known = outcome.comparison.retraining
    assert known is not None
    assert known.history == ("head", "base")
    assert known.head == 5
    assert accuracy(outcome).seeds == 10


@pytest.mark.parametrize("how", ["dvc: [train]", "metrics: out/metrics.json"])
def test_seeds_need_a_command_that_trains(how: str) -> None:
    text = f"models:\n  churn:\n    {how}\n    predictions: out/p.csv\n    seeds: 3\n"
    with pytest.raises(ConfigError, match="needs `train`"):
        parse_config(text)


@pytest.mark.parametrize(("drift", "within"), [(0.003, True), (0.3, False)])
def test_a_commit_is_reproduced_within_seed_noise(
    repo: Repository, drift: float, within: bool
) -> None:
    """A training that depends on something outside: near, as another seed is, or far."""
    outside = TRAIN.replace(
        "share = right", f"share = right - ({drift} if os.path.exists('/proc') else 0) * day"
    ).replace(
        "import csv", f"day = float(open({str(repo.folder.parent / 'day')!r}).read())\nimport csv"
    )
    (repo.folder.parent / "day").write_text("0")
    commit = repo.commit({"train.py": outside}, "depends on the day")
    repo.push()
    repo.branch("idea")
    head = repo.commit({"right.txt": "0.801\n"})
    assert run(repo.project()).error is None
    (repo.folder.parent / "day").write_text("1")
    before = len(seeds_run(repo))
    found = reproduce(repo.project(), "churn", head, Source())
    assert (found.same, found.within) == (False, within)
    (accuracy_again,) = (one for one in found.metrics if one.metric == "accuracy")
    assert (accuracy_again.within, accuracy_again.trainings) == (within, 3)
    assert found.reasons == (NOTHING,)
    assert len(seeds_run(repo)) == before
    assert commit != head
