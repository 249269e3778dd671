"""A team's pull requests, from the event to the verdict, on real repositories."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_ci.baseline import open_store
from mlops_ci.baseline.commit import Asked
from mlops_ci.baseline.git_store import REF
from mlops_ci.errors import (
    BaselineError,
    CommandError,
    ConfigError,
    ServiceError,
    UsageError,
)
from mlops_ci.plan import Context, Occasion, Outcomes, execute, plan_project, store_of
from mlops_ci.plan.choice import UNSHIPPED
from mlops_ci.plan.execution import Ship
from mlops_ci.plan.image_size import LATER, judge_build, told
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.plan.recorded import lost_models
from mlops_ci.plan.reproduction import Source, reproduce
from mlops_ci.project import Project, open_project
from mlops_ci.records import Build, Comparison
from mlops_ci.world import World
from tests.integration.repositories import Repository, git, make_repository

CONFIG = """
tracking-uri: none
models:
  churn:
    train: python train.py
    predictions: out/predictions.csv
    metrics: out/metrics.json
    task: binary
    slices: [region]
    gates:
      accuracy: [{max-drop: 0.02}, {min: 0.6}]
"""
# `right` is the share of rows that the model answers right: the same rows each time.
TRAIN = """
import csv, json, pathlib, yaml
params = yaml.safe_load(open("params.yaml"))
rows = range(2000)
with open("out/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction", "region"])
    for i in rows:
        label = i % 2
        right = (i * 7919 % 2000) < params["right"] * 2000
        writer.writerow([i, label, label if right else 1 - label, "north" if i % 3 else "south"])
pathlib.Path("out/metrics.json").write_text(json.dumps({"cost": 1 - params["right"]}))
pathlib.Path("../count").open("a").write("trained\\n")
"""
FILES = {
    "mlops-ci.yaml": CONFIG,
    "train.py": TRAIN,
    "params.yaml": "right: 0.8\n",
    ".gitignore": "/out/\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit(FILES, "adopt mlops-ci")
    repo.push()
    return repo


def run(project: Project, occasion: Occasion | None = None) -> Outcomes:
    plan = plan_project(project, occasion or Occasion())
    return execute(plan, Context(project, store=store_of(project), timeout=120))


def only(outcomes: Outcomes) -> ModelOutcome:
    (model,) = outcomes.models
    return model


def change(repo: Repository, files: dict[str, str | bytes], branch: str = "idea") -> str:
    repo.branch(branch)
    return repo.commit(files)


def pull(repo: Repository) -> Occasion:
    head = repo.git("rev-parse", "HEAD")
    return Occasion(Asked("pull_request", head=head, branch="main"))


def test_a_worse_model_is_stopped_and_a_better_one_passes(repo: Repository) -> None:
    base = repo.git("rev-parse", "HEAD")
    head = change(repo, {"params.yaml": "right: 0.7\n"})
    outcomes = run(repo.project(), pull(repo))
    model = only(outcomes)
    comparison = model.comparison
    assert comparison is not None
    assert (model.state, comparison.verdict, outcomes.exit_code) == ("compared", "fail", 1)
    assert comparison.base is not None
    assert (comparison.base.commit, comparison.head.commit) == (base, head)
    assert comparison.rows.paired == 2000
    assert comparison.base.source == "trained here, in a worktree"
    assert {gate.source for gate in comparison.gates} == {"both"}
    records = repo.project().records
    assert (records.pointed("churn", "head"), records.pointed("churn", "base")) == (head, base)
    assert repo.git("status", "--porcelain") == ""
    repo.commit({"params.yaml": "right: 0.9\n"})
    outcomes = run(repo.project(), pull(repo))
    assert outcomes.exit_code == 0
    better = only(outcomes).comparison
    assert better is not None
    assert better.verdict == "pass"
    assert better.base is not None
    assert str(better.base.source).startswith("trained here before")


def test_a_first_run_judges_floors_and_is_fine(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    repo.commit(FILES)
    outcomes = run(repo.project())
    model = only(outcomes)
    assert (model.state, outcomes.exit_code, model.error) == ("first", 0, None)
    assert model.comparison is not None
    assert model.comparison.base is None
    assert [gate.kind for gate in model.comparison.gates] == ["min"]
    repo.write({"params.yaml": "right: 0.5\n"})
    repo.git("commit", "--quiet", "--amend", "-am", "worse than the floor")
    assert run(repo.project()).exit_code == 1


def test_the_pull_request_that_adopts_mlops_ci_already_compares(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    repo.commit({name: text for name, text in FILES.items() if name != "mlops-ci.yaml"})
    repo.push()
    change(repo, {"mlops-ci.yaml": CONFIG, "params.yaml": "right: 0.5\n"})
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert comparison.base is not None
    assert (comparison.verdict, outcomes.exit_code) == ("fail", 1)
    assert {gate.source for gate in comparison.gates} == {"head"}


def test_a_new_model_that_base_cannot_train_is_a_first_run(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    repo.commit({"README.md": "nothing here yet\n"})
    repo.push()
    change(repo, dict(FILES))
    model = only(run(repo.project(), pull(repo)))
    assert (model.state, model.error) == ("first", None)
    assert model.comparison is not None
    assert any("nothing to compare with" in note for note in model.comparison.notes)


def test_head_cannot_loosen_the_gates_it_is_judged_by(repo: Repository) -> None:
    loose = CONFIG.replace("max-drop: 0.02", "max-drop: 0.9")
    change(repo, {"params.yaml": "right: 0.7\n", "mlops-ci.yaml": loose})
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert (comparison.verdict, outcomes.exit_code) == ("fail", 1)
    assert any("accuracy" in text for text in comparison.changes)


def test_head_cannot_drop_its_gates_or_slices(repo: Repository) -> None:
    bare = CONFIG.partition("    slices")[0]
    change(repo, {"params.yaml": "right: 0.7\n", "mlops-ci.yaml": bare})
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert outcomes.exit_code == 1
    assert any("removed" in text for text in comparison.changes)
    assert "region=north" in {metric.slice for metric in comparison.metrics}


def test_head_cannot_rename_the_model_away_from_its_gates(repo: Repository) -> None:
    name = next(iter(repo.project().config.models))
    renamed = CONFIG.partition("    slices")[0].replace(f"  {name}:", "  other:")
    change(repo, {"params.yaml": "right: 0.7\n", "mlops-ci.yaml": renamed})
    outcomes = run(repo.project(), pull(repo))
    new, old = outcomes.models
    assert (new.name, new.error) == ("other", None)
    assert (old.name, old.state) == (name, "failed")
    assert isinstance(old.error, ConfigError)
    assert "in a pull request of their own" in old.error.fix
    assert outcomes.exit_code == 2


def test_comparing_alone_sees_a_renamed_model_too(repo: Repository) -> None:
    renamed = CONFIG.partition("    slices")[0].replace("  churn:", "  other:")
    change(repo, {"mlops-ci.yaml": renamed})
    asked = pull(repo).asked
    (lost,) = lost_models(repo.project(), asked)
    assert (lost.name, lost.state, lost.failed_step) == ("churn", "failed", "compare")
    assert isinstance(lost.error, ConfigError)
    change(repo, {"mlops-ci.yaml": CONFIG}, "back")
    assert lost_models(repo.project(), pull(repo).asked) == []


FAIR = """    fairness: [region]
"""
GATE = "accuracy: [{max-drop: 0.02}, {min: 0.6}]"


def test_a_gate_on_fairness_is_judged(repo: Repository) -> None:
    gate = f"{GATE}\n      demographic_parity_difference: {{max: 0.001, slice: region}}"
    fair = CONFIG.replace(GATE, gate) + FAIR
    change(repo, {"params.yaml": "right: 0.81\n", "mlops-ci.yaml": fair})
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    (judged,) = [gate for gate in comparison.gates if gate.slice == "region"]
    assert (judged.kind, judged.evidence, judged.quantity) == ("max", "paired", "value")
    assert judged.estimate is not None
    found = [metric for metric in comparison.metrics if metric.slice == "region"]
    assert len(found) == 6
    undeclared = fair.replace(FAIR, "    fairness: [sex]\n")
    repo.write({"mlops-ci.yaml": undeclared})
    with pytest.raises(ConfigError, match="'region' is not a column under `fairness`"):
        open_project(repo.folder, World(folder=repo.folder))


WAIVERS = """    waivers:
      - {metric: accuracy, owner: ana, reason: labels are audited, until: 2999-12-31}
"""


def test_head_cannot_waive_its_own_gates_but_main_can(repo: Repository) -> None:
    change(repo, {"params.yaml": "right: 0.7\n", "mlops-ci.yaml": CONFIG + WAIVERS})
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert (comparison.verdict, outcomes.exit_code) == ("fail", 1)
    assert any("a waiver for accuracy is added (ana)" in text for text in comparison.changes)

    repo.git("checkout", "--quiet", "main")
    repo.commit({"mlops-ci.yaml": CONFIG + WAIVERS})
    repo.push()
    change(repo, {"params.yaml": "right: 0.7\n"}, "waived")
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    (failed,) = [gate for gate in comparison.gates if gate.verdict == "fail"]
    assert failed.waived == "by ana until 2999-12-31: labels are audited"
    assert (comparison.verdict, outcomes.exit_code) == ("pass", 0)


def test_what_is_not_touched_runs_nothing_and_what_is_equal_trains_once(repo: Repository) -> None:
    change(repo, {"README.md": "words\n"})
    outcomes = run(repo.project(), pull(repo))
    assert (only(outcomes).state, outcomes.exit_code) == ("untouched", 0)
    outcomes = run(repo.project())
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert comparison.base is not None
    assert "key is equal" in str(comparison.base.source)
    assert (repo.folder.parent / "count").read_text() == "trained\n"
    assert (comparison.verdict, outcomes.exit_code) == ("pass", 0)


@dataclass
class Machine:
    """Another clone, as the next job has it."""

    repo: Repository

    def project(self, branch: str, name: str) -> Project:
        folder = self.repo.folder.parent / name
        git(folder.parent, "clone", "--quiet", "-b", branch, str(self.repo.origin), str(folder))
        return open_project(folder, World(environ=self.repo.environ, folder=folder))


def push(repo: Repository) -> Outcomes:
    head = repo.git("rev-parse", "HEAD")
    return run(repo.project(), Occasion(Asked("push", head=head), ships=True))


def trained(repo: Repository) -> int:
    count = repo.folder.parent / "count"
    return count.read_text().count("trained") if count.exists() else 0


def test_a_merge_fills_the_store_and_the_next_pull_request_does_not_train_base(
    repo: Repository,
) -> None:
    merged = push(repo)
    assert (only(merged).state, merged.exit_code) == ("first", 0)
    change(repo, {"params.yaml": "right: 0.79\n"})
    repo.push("idea")
    before = trained(repo)
    model = only(run(Machine(repo).project("idea", "runner")))
    assert model.comparison is not None
    assert model.comparison.base is not None
    assert model.comparison.base.source == "the store, by commit"
    assert model.comparison.rows.paired == 2000
    assert trained(repo) == before + 1
    assert {one.slice for one in model.comparison.metrics} == {None, "region=north", "region=south"}


def test_the_key_finds_base_after_a_commit_of_words(repo: Repository) -> None:
    push(repo)
    repo.commit({"README.md": "words\n"})
    repo.push()
    change(repo, {"params.yaml": "right: 0.79\n"})
    repo.push("idea")
    comparison = only(run(Machine(repo).project("idea", "runner"))).comparison
    assert comparison is not None
    assert comparison.base is not None
    assert comparison.base.source == "the store, by training key"


def test_the_store_gives_the_same_verdict_as_training(repo: Repository) -> None:
    change(repo, {"params.yaml": "right: 0.79\n"})
    repo.push("idea")
    by_training = only(run(Machine(repo).project("idea", "one"))).comparison
    repo.git("checkout", "--quiet", "main")
    push(repo)
    by_store = only(run(Machine(repo).project("idea", "two"))).comparison
    assert by_training is not None
    assert by_store is not None
    assert by_store.metrics == by_training.metrics
    assert [gate for gate in by_store.gates if gate.against == "base"] == list(by_training.gates)


def test_a_merge_that_is_worse_stops_before_the_store(repo: Repository) -> None:
    push(repo)
    repo.commit({"params.yaml": "right: 0.6\n"})
    repo.push()
    outcomes = push(repo)
    assert outcomes.exit_code == 1
    store = open_store(repo.project())
    assert store is not None
    assert len(store.list("churn")) == 1


def test_many_small_losses_are_bounded_by_the_anchor(repo: Repository) -> None:
    """Each within its gate of 0.02, together more than twice that."""
    push(repo)
    for right in ("0.795", "0.79", "0.785", "0.78", "0.775", "0.77", "0.765"):
        repo.commit({"params.yaml": f"right: {right}\n"})
        repo.push()
        assert push(repo).exit_code == 0
    repo.commit({"params.yaml": "right: 0.7505\n"})
    outcomes = push(repo)
    comparison = only(outcomes).comparison
    assert comparison is not None
    creep = [gate for gate in comparison.gates if gate.against == "anchor"]
    assert [gate.blocks for gate in comparison.gates if gate.against == "base"] == [False, False]
    assert [gate.blocks for gate in creep] == [True]
    assert creep[0].limit == 0.04
    assert outcomes.exit_code == 1


def test_the_uses_of_a_test_set_share_its_error_rate(repo: Repository) -> None:
    config = (repo.folder / "mlops-ci.yaml").read_text()
    shared = config.replace("    gates:", "    alpha-spending: 2\n    gates:", 1)
    repo.commit({"mlops-ci.yaml": shared})
    repo.push()
    said = []
    for right in ("0.8", "0.801", "0.802"):
        repo.commit({"params.yaml": f"right: {right}\nnew: {right}\n"})
        repo.push()
        comparison = only(push(repo)).comparison
        assert comparison is not None
        assert comparison.level == 0.975
        said.append(next(note for note in comparison.notes if "share the error rate" in note))
    assert [note.count("no longer held") for note in said] == [0, 0, 1]
    assert "number 3" in said[2]


def test_a_broken_store_costs_a_training_not_the_comparison(repo: Repository) -> None:
    push(repo)
    repo.git("push", "--quiet", "--force", "origin", f"HEAD:{REF}")
    change(repo, {"params.yaml": "right: 0.79\n"})
    repo.push("idea")
    model = only(run(Machine(repo).project("idea", "runner")))
    assert model.comparison is not None
    assert model.comparison.base is not None
    assert model.comparison.base.source == "trained here, in a worktree"
    assert any("store was not used" in note for note in model.comparison.notes)


OWN = CONFIG.replace("    train: python train.py\n", "")


def own_training(tmp_path: Path) -> Repository:
    """An earlier step of the job trains."""
    repo = make_repository(tmp_path)
    repo.commit({**FILES, "mlops-ci.yaml": OWN})
    repo.push()
    train_by_hand(repo, "0.8")
    return repo


def train_by_hand(repo: Repository, right: str) -> None:
    (repo.folder / "out").mkdir(exist_ok=True)
    repo.write({"params.yaml": f"right: {right}\n"})
    subprocess.run([sys.executable, "train.py"], cwd=repo.folder, check=True)


def test_without_train_base_comes_from_the_store_or_is_a_first_run(tmp_path: Path) -> None:
    repo = own_training(tmp_path)
    first = push(repo)
    assert (only(first).state, first.exit_code) == ("first", 0)
    change(repo, {"extra.py": "1\n"})
    train_by_hand(repo, "0.7")
    repo.git("commit", "--quiet", "-am", "worse")
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert comparison.base is not None
    assert comparison.base.source == "the store, by commit"
    assert outcomes.exit_code == 1


def test_a_baseline_that_should_exist_and_does_not_is_never_a_pass(tmp_path: Path) -> None:
    repo = own_training(tmp_path)
    push(repo)
    repo.commit({"later.py": "1\n"})
    repo.push()
    change(repo, {"extra.py": "1\n"})
    outcomes = run(repo.project(), pull(repo))
    model = only(outcomes)
    assert isinstance(model.error, BaselineError)
    assert (model.state, outcomes.exit_code) == ("failed", 3)


@pytest.mark.parametrize("kept", ["a store that is empty", "no store"])
def test_a_baseline_that_nobody_ever_kept_is_no_first_run(tmp_path: Path, kept: str) -> None:
    """Main has the gate; its store was wiped, or its workflow never ran."""
    repo = own_training(tmp_path)
    if kept == "no store":
        repo.git("remote", "remove", "origin")
    change(repo, {"extra.py": "1\n"})
    train_by_hand(repo, "0.6")
    model = only(run(repo.project(), pull(repo)))
    assert isinstance(model.error, BaselineError), model.notes
    assert (model.state, model.failed_step, model.exit_code) == ("failed", "base", 3)
    assert "merge workflow on main once more" in model.error.fix
    assert "no `origin`" in model.error.what if kept == "no store" else "store" in model.error.what


def test_main_itself_makes_the_record_that_is_missing(tmp_path: Path) -> None:
    """Were it stopped too, there would never be one."""
    repo = own_training(tmp_path)
    repo.commit({"later.py": "1\n"})
    repo.push()
    here = only(run(repo.project()))
    assert (here.state, here.error) == ("first", None)
    merged = only(push(repo))
    assert merged.state == "first"
    for one in (here, merged):
        assert any("compared with nothing" in note for note in one.notes), one.notes
    change(repo, {"extra.py": "1\n"})
    train_by_hand(repo, "0.6")
    repo.git("commit", "--quiet", "-am", "worse")
    assert run(repo.project(), pull(repo)).exit_code == 1


@pytest.mark.parametrize("gates", ["{accuracy: {min: 0.1}}", "{}"])
def test_a_model_whose_gates_ask_for_no_base_may_begin(tmp_path: Path, gates: str) -> None:
    repo = own_training(tmp_path)
    before, _, _ = OWN.partition("    gates:")
    repo.commit({"mlops-ci.yaml": f"{before}    gates: {gates}\n"})
    repo.push()
    change(repo, {"extra.py": "1\n"})
    model = only(run(repo.project(), pull(repo)))
    assert (model.state, model.error) == ("first", None)


def test_a_model_that_main_does_not_have_yet_may_begin(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    repo.commit({name: text for name, text in FILES.items() if name != "mlops-ci.yaml"})
    repo.push()
    change(repo, {"mlops-ci.yaml": OWN})
    train_by_hand(repo, "0.8")
    model = only(run(repo.project(), pull(repo)))
    assert (model.state, model.error) == ("first", None)


def test_metrics_that_git_keeps_are_bases_own(tmp_path: Path) -> None:
    repo = make_repository(tmp_path)
    config = (
        "tracking-uri: none\nmodels: {m: {metrics: metrics.json, gates: {auc: {max-drop: 0.1}}}}\n"
    )
    repo.commit({"mlops-ci.yaml": config, "metrics.json": '{"auc": 0.9}'})
    repo.push()
    change(repo, {"metrics.json": '{"auc": 0.5}'})
    outcomes = run(repo.project(), pull(repo))
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert comparison.base is not None
    assert comparison.base.source == "the files in base's commit"
    assert comparison.evidence == "point"
    assert outcomes.exit_code == 1


def test_an_error_in_one_model_does_not_hide_the_other(repo: Repository) -> None:
    two = CONFIG + CONFIG.partition("models:\n")[2].replace("churn:", "broken:").replace(
        "python train.py", "python nothing.py"
    )
    change(repo, {"mlops-ci.yaml": two, "params.yaml": "right: 0.7\n"})
    outcomes = run(repo.project())
    churn, broken = outcomes.models
    assert (churn.state, churn.exit_code) == ("compared", 1)
    assert isinstance(broken.error, CommandError)
    assert broken.failed_step == "train"
    assert outcomes.exit_code == 6


def test_a_prediction_command_takes_the_models_place(repo: Repository) -> None:
    config = CONFIG.replace(
        "train: python train.py",
        "train: touch out/model\n    model: out/model\n    predict: python train.py",
    )
    change(repo, {"mlops-ci.yaml": config, "params.yaml": "right: 0.9\n"})
    outcomes = run(repo.project())
    comparison = only(outcomes).comparison
    assert only(outcomes).error is None
    assert comparison is not None
    assert comparison.verdict == "pass"
    repo.commit({"train.py": "raise SystemExit(4)"})
    outcomes = run(repo.project())
    assert isinstance(only(outcomes).error, CommandError)
    assert only(outcomes).failed_step == "evaluate"


def test_a_dirty_tree_is_named_so(repo: Repository) -> None:
    repo.write({"params.yaml": "right: 0.7\n"})
    outcomes = run(repo.project())
    head = repo.git("rev-parse", "HEAD")
    assert outcomes.head == f"{head}-dirty"
    comparison = only(outcomes).comparison
    assert comparison is not None
    assert comparison.base is not None
    assert (comparison.base.commit, comparison.verdict) == (head, "fail")


def test_the_merge_commit_that_github_checks_out_is_refused(repo: Repository) -> None:
    change(repo, {"params.yaml": "right: 0.7\n"})
    asked = Asked("pull_request", head=repo.git("rev-parse", "HEAD~1"), branch="main")
    with pytest.raises(UsageError, match="is checked out") as error:
        plan_project(repo.project(), Occasion(asked))
    assert "fetch-depth: 0" in error.value.fix


def test_a_commit_is_reproduced_bit_by_bit(repo: Repository) -> None:
    run(repo.project())
    commit = repo.git("rev-parse", "HEAD")
    before = (repo.project().records.file("churn", commit, "evaluate")).read_bytes()
    repo.write({"train.py": "broken("})
    found = reproduce(repo.project(), "churn", commit, Source())
    assert found.same
    assert found.predictions_same
    assert all(one.same for one in found.metrics)
    assert repo.project().records.file("churn", commit, "evaluate").read_bytes() == before


def test_a_commit_without_the_model_is_told(repo: Repository) -> None:
    repo.branch("before", "main")
    bare = repo.commit({"mlops-ci.yaml": CONFIG.replace("  churn:", "  other:")})
    repo.git("checkout", "--quiet", "main")
    with pytest.raises(UsageError, match="churn is not in the configuration of"):
        reproduce(repo.project(), "churn", bare, Source())


def test_without_a_record_the_numbers_stand_alone(repo: Repository, tmp_path: Path) -> None:
    commit = repo.commit({"params.yaml": "right: 0.75\n"})
    found = reproduce(repo.project(), "churn", commit, Source())
    assert (found.same, found.predictions_same) == (None, None)
    assert {one.metric for one in found.metrics} >= {"accuracy", "cost"}
    assert all(one.recorded is None and one.again is not None for one in found.metrics)

    run(repo.project())
    place = repo.project().records.file("churn", commit, "evaluate")
    given = Path(shutil.move(place, tmp_path / "evaluate.json"))
    assert reproduce(repo.project(), "churn", commit, Source(record=given)).same
    given.write_text(given.read_text().replace('"cost": 0.25', '"cost": 0.5'))
    assert reproduce(repo.project(), "churn", commit, Source(record=given)).same is False
    with pytest.raises(UsageError, match="there is no such record"):
        reproduce(repo.project(), "churn", commit, Source(record=tmp_path / "nowhere.json"))
    other = repo.commit({"README.md": "more"})
    with pytest.raises(UsageError, match="the record is of churn at"):
        reproduce(repo.project(), "churn", other, Source(record=given))


def test_a_training_that_is_not_deterministic_is_found_out(repo: Repository) -> None:
    commit = repo.commit(
        {"train.py": TRAIN.replace('1 - params["right"]', "__import__('time').time()")}
    )
    run(repo.project())
    found = reproduce(repo.project(), "churn", commit, Source())
    assert not found.same
    assert [one.metric for one in found.metrics if not one.same] == ["cost"]


def test_records_are_read_as_json(repo: Repository) -> None:
    run(repo.project())
    folder = repo.project().records.of("churn", repo.git("rev-parse", "HEAD"))
    for name in ("train", "evaluate", "compare"):
        assert json.loads((folder / f"{name}.json").read_text())["schema"].endswith("/1")
    shutil.rmtree(folder)


SHIPPED = CONFIG + "    image: localhost:5000/churn\n    deploy: {port: 8080}\n"


def shipping(repo: Repository, calls: list[str]) -> Outcomes:
    def ship(step: str, name: str) -> str:
        store = open_store(repo.project())
        assert store is not None
        calls.append(f"{step} {name}, {len(store.list())} stored")
        return step

    project = repo.project()
    asked = Asked("push", head=repo.git("rev-parse", "HEAD"))
    plan = plan_project(project, Occasion(asked, ships=True))
    return execute(plan, Context(project, store=store_of(project), timeout=120, ship=ship))


def test_a_merge_ships_in_order_and_a_blocked_one_does_not(repo: Repository) -> None:
    repo.commit({"mlops-ci.yaml": SHIPPED})
    calls: list[str] = []
    outcomes = shipping(repo, calls)
    assert only(outcomes).error is None
    assert calls == ["build churn, 1 stored", "push churn, 1 stored", "deploy churn, 1 stored"]
    assert list(only(outcomes).shipped) == ["build", "push", "deploy"]
    repo.commit({"params.yaml": "right: 0.6\n"})
    calls.clear()
    assert shipping(repo, calls).exit_code == 1
    assert calls == []


def test_an_image_that_is_too_large_is_not_pushed(repo: Repository) -> None:
    """It is judged between build and push: against `max`, then against main's last one too."""
    size = "      image_size_mb: [{max: 50}, {max-drop-relative: 0.1}]\n"
    gated = SHIPPED.replace("    gates:\n", f"    gates:\n{size}")

    def push(megabytes: int) -> tuple[list[str], ModelOutcome]:
        calls: list[str] = []

        def ship(step: str, name: str) -> object:
            calls.append(step)
            size = megabytes * 1_000_000
            return Build(
                model=name, commit="c", image="i", digest="d", model_digest="m", size_bytes=size
            )

        project = repo.project()
        asked = Asked("push", head=repo.git("rev-parse", "HEAD"))
        plan = plan_project(project, Occasion(asked, ships=True))
        context = Context(project, store=store_of(project), timeout=120, ship=ship)
        return calls, only(execute(plan, context))

    repo.commit({"mlops-ci.yaml": gated})
    before = only(run(repo.project())).comparison
    assert before is not None
    assert LATER in before.notes
    assert image_gates(before) == {}

    calls, first = push(40)
    assert (calls, first.exit_code) == (["build", "push", "deploy"], 0)
    assert first.comparison is not None
    assert image_gates(first.comparison) == {"max": "pass"}
    assert LATER not in first.comparison.notes
    store = store_of(repo.project())
    assert store is not None
    assert [one.resources.get("image_size_mb") for one in store.list()] == [40.0]

    repo.commit({"params.yaml": "right: 0.91\n"})
    calls, larger = push(45)
    assert (calls, larger.exit_code) == (["build"], 1)
    assert larger.comparison is not None
    assert larger.comparison.verdict == "fail"
    assert image_gates(larger.comparison) == {"max": "pass", "max-drop-relative": "fail"}
    total = [one for one in larger.comparison.gates if one.against == "anchor"]
    assert [one.verdict for one in total if one.metric == "image_size_mb"] == ["pass"]
    (found,) = (one for one in larger.comparison.resources if one.metric == "image_size_mb")
    assert (found.base, found.head) == (40.0, 45.0)


def test_an_image_that_is_built_by_itself_is_judged(repo: Repository) -> None:
    """By `mlops-ci build`: the gates of the comparison's record are those of the image, too."""
    gate = "    gates:\n      image_size_mb: {max: 50}\n"
    repo.commit({"mlops-ci.yaml": SHIPPED.replace("    gates:\n", gate)})
    project = repo.project()
    run(project)

    def judged(megabytes: int) -> tuple[list[bool], Comparison]:
        built = Build(
            model="churn", commit=project.commit, image="i", digest="d", model_digest="m",
            size_bytes=megabytes * 1_000_000,
        )  # fmt: skip
        gates = judge_build(project, built, Asked(), store_of(project))
        record = project.records.read("churn", project.commit, Comparison)
        assert [told(gate) for gate in gates] == [
            told(gate) for gate in record.gates if gate.metric == "image_size_mb"
        ]
        return [gate.blocks for gate in gates], record

    before = project.records.read("churn", project.commit, Comparison)
    assert (before.waiting, before.blocks) == (1, False)
    for megabytes, blocks in ((40, False), (60, True), (60, True), (40, False)):
        gates, record = judged(megabytes)
        assert gates == [blocks]
        assert (record.blocks, record.waiting) == (blocks, 0)
        assert record.verdict == ("fail" if blocks else before.verdict)
        assert len(record.resources) == len(before.resources) + 1
    project.records.file("churn", project.commit, "compare").unlink()
    built = Build(model="churn", commit=project.commit, image="i", digest="d", model_digest="m")
    (unknown,) = judge_build(project, built, Asked(), None)
    assert unknown.blocks
    assert "image_size_mb" in told(unknown)


def test_an_image_without_a_gate_is_not_judged(repo: Repository) -> None:
    project = repo.project()
    built = Build(model="churn", commit="c", image="i", digest="d", model_digest="m", size_bytes=1)
    assert judge_build(project, built, Asked(), None) == ()
    lost = Asked(ref="nowhere")
    assert judge_build(project, built, lost, None) == ()
    gate = "    gates:\n      image_size_mb: {max: 50}\n"
    repo.commit({"mlops-ci.yaml": SHIPPED.replace("    gates:\n", gate)})
    with pytest.raises(UsageError, match="nowhere"):
        judge_build(repo.project(), built, lost, None)


def image_gates(comparison: Comparison) -> dict[str, str]:
    ours = [one for one in comparison.gates if one.metric == "image_size_mb"]
    return {one.kind: one.verdict for one in ours if one.against == "base"}


def test_a_shipping_error_is_the_models(repo: Repository) -> None:
    repo.commit({"mlops-ci.yaml": SHIPPED})

    def ship(step: str, name: str) -> None:
        raise ServiceError(f"{step} of {name}: the registry is away")

    project = repo.project()
    plan = plan_project(project, Occasion(Asked("push"), ships=True))
    outcomes = execute(plan, Context(project, store=store_of(project), timeout=120, ship=ship))
    assert (only(outcomes).failed_step, outcomes.exit_code) == ("build", 4)
    assert only(outcomes).comparison is not None


def test_what_was_not_deployed_is_shipped_by_the_next_push(repo: Repository) -> None:
    """Though nothing of the model changed: README alone."""
    repo.commit({"mlops-ci.yaml": SHIPPED})

    def fail(step: str, name: str) -> str:
        if step == "deploy":
            raise ServiceError(f"{name}: the host is away")
        return step

    def push(ship: Ship) -> ModelOutcome:
        project = repo.project()
        store = store_of(project)
        asked = Asked("push", head=repo.git("rev-parse", "HEAD"))
        plan = plan_project(project, Occasion(asked, ships=True), store)
        return only(execute(plan, Context(project, store=store, timeout=120, ship=ship)))

    assert push(fail).failed_step == "deploy"
    repo.commit({"README.md": "# churn\n"})
    again = push(lambda step, _: step)
    assert again.why == UNSHIPPED
    assert list(again.shipped) == ["build", "push", "deploy"]
    repo.commit({"README.md": "# churn, once more\n"})
    assert push(fail).steps == ()


@pytest.mark.parametrize(
    ("line", "said", "fix"),
    [
        (
            "gates: {acuracy: {max-drop: 0.1}}",
            "'acuracy' is not a known",
            "did you mean `accuracy`",
        ),
        (
            "gates: {profit: {min: 1}}",
            "'profit' is not a known metric",
            "metrics: out/metrics.json",
        ),
        ("secrets: [GITHUB_TOKEN]", "this key is never handed", "a key of its own"),
    ],
)
def test_what_would_fail_after_training_is_said_before_it(
    repo: Repository, line: str, said: str, fix: str
) -> None:
    files = {"mlops-ci.yaml": f"models:\n  churn:\n    train: touch trained\n"
             f"    predictions: p.csv\n    {line}\n"}  # fmt: skip
    repo.commit(files)
    error = only(run(repo.project())).error
    assert error is not None
    assert error.exit_code == 2
    assert said in error.what
    assert fix in error.fix
    assert not (repo.folder / "trained").exists()
