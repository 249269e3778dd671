"""No model touched, one of two, and several projects in one repository."""

from __future__ import annotations

import pytest

from tests.integration.action.conftest import Play
from tests.integration.action.jobs import BETTER, PLAIN, WORSE, Ran, Runs

CONFIG = PLAIN["mlops-ci.yaml"]
SECOND = CONFIG.split("models:\n")[1].replace("churn:", "upsell:").replace("train.py", "upsell.py")
SECOND = SECOND.replace("out/", "upsold/") + "    code: [upsell.py]\n"
TWO = {
    **PLAIN,
    "mlops-ci.yaml": CONFIG + "    code: [train.py]\n" + SECOND,
    "upsell.py": PLAIN["train.py"].replace("out", "upsold"),
    ".gitignore": "/out/\n/upsold/\n",
}
PROJECTS = {f"{folder}/{name}": text for folder in "ab" for name, text in PLAIN.items()}


def test_an_untouched_model_is_a_success_without_a_comment(play: Play) -> None:
    runs = play({"README.md": "# churn, explained\n"}, main=(PLAIN,))
    ran = runs.pull_request()
    assert (ran.code, ran.outputs["verdict"]) == (0, "untouched")
    assert runs.conclusions()["mlops-ci verdict"] == "success"
    assert runs.comments == []
    assert "trained" not in ran.log
    assert ran.summary.strip()


def test_of_two_models_only_the_touched_one_is_trained(play: Play) -> None:
    remark = {"train.py": PLAIN["train.py"] + "# a remark\n"}
    runs = play(remark, main=(TWO,))
    ran = runs.pull_request()
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass"), ran.log
    found = runs.conclusions()
    assert (found["mlops-ci verdict"], found["mlops-ci: churn"]) == ("success", "success")
    assert "upsell · train" not in ran.log
    (comment,) = runs.comments
    assert "`upsell`" in comment["body"]
    assert len(ran.outputs["comparison-path"].splitlines()) == 1


def test_of_two_touched_models_the_worse_decides(play: Play) -> None:
    """The parameters are both models' own."""
    stronger = TWO["upsell.py"].replace("right = ", "right = 0.1 + ")
    runs = play({**WORSE, "upsell.py": stronger}, main=(TWO,))
    ran = runs.pull_request()
    assert (ran.code, ran.outputs["verdict"]) == (1, "fail"), ran.log
    assert runs.conclusions() == {
        "mlops-ci verdict": "failure",
        "mlops-ci: churn": "failure",
        "mlops-ci: upsell": "success",
    }
    assert len(ran.outputs["comparison-path"].splitlines()) == 2
    assert (ran.workspace / ran.outputs["report-path"]).name == "report.html"


@pytest.fixture(scope="module")
def projects(play: Play) -> tuple[Runs, Ran, Ran]:
    """Two jobs of one run, one a folder: the second one fails."""
    change = {"a/params.yaml": BETTER["params.yaml"], "b/params.yaml": WORSE["params.yaml"]}
    runs = play(change, main=(PROJECTS,))
    first, second = (runs.pull_request(inputs={"folder": folder}) for folder in "ab")
    return runs, first, second


def test_projects_share_a_comment_with_a_part_each(projects: tuple[Runs, Ran, Ran]) -> None:
    runs, first, second = projects
    assert (first.code, second.code) == (0, 1), first.log + second.log
    (comment,) = runs.comments
    assert comment["body"].count("<!-- mlops-ci:part ") == 2
    assert "### ✅" in comment["body"]
    assert "### ❌" in comment["body"]


def test_projects_have_checks_of_their_own_and_one_to_require(
    projects: tuple[Runs, Ran, Ran],
) -> None:
    runs, _, _ = projects
    assert runs.conclusions() == {
        "mlops-ci verdict": "failure",
        "mlops-ci: a/churn": "success",
        "mlops-ci: b/churn": "failure",
    }
    remark, *values = runs.checks()["mlops-ci: b/churn"]["annotations"]
    assert remark["path"] == "b/mlops-ci.yaml"
    assert [one["path"] for one in values] == ["b/params.yaml"]


def test_projects_write_their_records_apart(projects: tuple[Runs, Ran, Ran]) -> None:
    _, first, _ = projects
    assert first.outputs["comparison-path"].startswith("a/.mlops-ci/churn/")
    assert (first.workspace / first.outputs["comparison-path"]).is_file()
