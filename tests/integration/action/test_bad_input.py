"""A clone, a configuration or a command that is not as it should be: an error to read, no pass."""

from __future__ import annotations

import pytest

from tests.integration.action.conftest import Play
from tests.integration.action.jobs import PLAIN, WORSE, Ran, Runs, give_to_owner

SLOW = "import time\nprint('epoch 1', flush=True)\ntime.sleep(600)\n"


def test_a_shallow_clone_is_told_which_depth(play: Play) -> None:
    runs = play(WORSE, main=(PLAIN,))
    ran = runs.pull_request(depth=1)
    assert (ran.code, ran.outputs["verdict"]) == (3, "error"), ran.log
    assert set(runs.conclusions().values()) == {"failure"}
    (comment,) = runs.comments
    assert "fetch-depth: 0" in comment["body"]
    assert "ref: ${{ github.event.pull_request.head.sha || github.sha }}" in comment["body"]
    assert "\n\n\n" not in comment["body"]


@pytest.fixture(scope="module")
def misspelt(play: Play) -> tuple[Runs, Ran]:
    project = {f"models/{name}": text for name, text in PLAIN.items()}
    broken = PLAIN["mlops-ci.yaml"].replace("max-drop", "max-dorp")
    runs = play({"models/mlops-ci.yaml": broken}, main=(project,))
    return runs, runs.pull_request(inputs={"folder": "models"})


def test_a_broken_configuration_fails_the_check(misspelt: tuple[Runs, Ran]) -> None:
    runs, ran = misspelt
    assert (ran.code, ran.outputs["verdict"]) == (2, "error")
    assert runs.conclusions() == {"mlops-ci verdict": "failure"}


def test_a_broken_configuration_is_told_in_the_comment(misspelt: tuple[Runs, Ran]) -> None:
    runs, ran = misspelt
    (comment,) = runs.comments
    assert "max-dorp" in comment["body"]
    assert "perhaps you meant 'max-drop'" in comment["body"]
    assert "max-dorp" in ran.summary


def test_a_broken_configuration_is_remarked_at_its_line(misspelt: tuple[Runs, Ran]) -> None:
    _, ran = misspelt
    (annotation,) = ran.annotations("error")
    lines = (ran.workspace / "models" / "mlops-ci.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "max-dorp" in text)
    told = annotation.properties
    assert (told["file"], told["line"]) == ("models/mlops-ci.yaml", str(line))
    assert told["title"] == "mlops-ci"


def test_a_head_that_loosens_its_gates_is_judged_by_bases(play: Play) -> None:
    loosened = PLAIN["mlops-ci.yaml"].replace("max-drop: 0.02", "max-drop: 0.5")
    runs = play({**WORSE, "mlops-ci.yaml": loosened}, main=(PLAIN,))
    ran = runs.pull_request()
    assert (ran.code, ran.outputs["verdict"]) == (1, "fail")
    assert set(runs.conclusions().values()) == {"failure"}
    (comment,) = runs.comments
    assert "The yardstick changes with this pull request" in comment["body"]


@pytest.fixture(scope="module")
def runs(play: Play) -> Runs:
    return play({"train.py": PLAIN["train.py"].replace("right}", "float('nan')}")}, main=(PLAIN,))


def test_a_merge_commit_that_nobody_wrote_is_refused(runs: Runs) -> None:
    """What actions/checkout brings without `ref:`."""
    repository = runs.github.state.repository(runs.scenario.full_name)
    payload = runs.scenario.events(runs.github).pull_request(runs.scenario.number)
    merge = repository.git.ref(f"refs/pull/{payload['number']}/merge")
    assert merge is not None
    ran = runs.pull_request(workspace=runs.checkout(merge))
    assert (ran.code, ran.outputs["verdict"]) == (2, "error")
    assert f"but {merge[:12]} is checked out" in ran.summary
    assert "ref: ${{ github.event.pull_request.head.sha || github.sha }}" in ran.summary


def test_a_number_that_is_none_never_passes(runs: Runs) -> None:
    ran = runs.pull_request(run_id=2)
    assert (ran.code, ran.outputs["verdict"]) == (1, "inconclusive")
    assert runs.conclusions()["mlops-ci verdict"] == "failure"
    assert "not a finite number" in ran.summary


def test_a_checkout_that_a_step_has_edited_is_told(runs: Runs) -> None:
    workspace = runs.checkout(runs.scenario.head)
    (workspace / "train.py").write_text(PLAIN["train.py"])
    give_to_owner(workspace)
    ran = runs.pull_request(workspace=workspace, run_id=3)
    assert ran.outputs["verdict"] == "pass"
    assert "an earlier step of the job edited train.py" in ran.summary
    (comment,) = runs.comments
    assert "an earlier step of the job edited train.py" in comment["body"]


def test_a_training_that_hangs_runs_out_of_time(play: Play) -> None:
    runs = play({"train.py": SLOW}, main=(PLAIN,))
    ran = runs.pull_request(inputs={"timeout": "4"})
    assert (ran.code, ran.outputs["verdict"]) == (6, "error")
    assert set(runs.conclusions().values()) == {"failure"}
    (comment,) = runs.comments
    assert "ran out of time after 4 s" in comment["body"]
    assert "epoch 1" in comment["body"]
    assert "timeout: SECONDS" in comment["body"]


def test_a_base_that_does_not_train_is_said_to_be_base(play: Play) -> None:
    broken = {**PLAIN, "train.py": "raise SystemExit('no data')\n"}
    runs = play({"train.py": PLAIN["train.py"]}, main=(broken,))
    ran = runs.pull_request()
    assert (ran.code, ran.outputs["verdict"]) == (6, "error")
    (comment,) = runs.comments
    said = f"base {runs.scenario.base[:12]}: training failed with exit code 1"
    assert said in comment["body"]
    assert f"error: churn: {said}" in ran.log
    where = f"**Where:** `.mlops-ci/churn/{runs.scenario.base}/train.log`"
    assert where in comment["body"]
    log = ran.workspace / ".mlops-ci" / "churn" / runs.scenario.base / "train.log"
    assert "no data" in log.read_text()


def test_an_input_of_the_wrong_kind_is_refused(play: Play) -> None:
    runs = play(WORSE, main=(PLAIN,))
    ran = runs.pull_request(inputs={"timeout": "soon"})
    assert (ran.code, ran.outputs["verdict"]) == (2, "error")
    (annotation,) = ran.annotations("error")
    assert "the input timeout: 'soon' is not a number" in annotation.message
    assert runs.conclusions() == {"mlops-ci verdict": "failure"}
    assert "'soon' is not a number" in runs.comments[0]["body"]
