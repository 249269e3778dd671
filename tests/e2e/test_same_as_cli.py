"""What a job leaves is what the command line leaves on a laptop, out of the same records."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.story import MODEL, Told

# The environment of somebody's shell: nothing in it tells of a runner.
SHELL = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("CI", "GIT_", "GITHUB_", "INPUT_", "MLFLOW_", "MLOPS_CI_", "RUNNER_"))
}
PLOTS = re.compile(r"<details><summary>Plots</summary>.*?\n</details>\n", re.DOTALL)
LEFT_BY_EVALUATE = ("train.json", "evaluate.json", "train.log")


@dataclass(frozen=True)
class Laptop:
    """A clone at the pull request's head, with the records of training and evaluation."""

    workspace: Path
    head: str
    codes: dict[str, int]

    @property
    def records(self) -> Path:
        return self.workspace / ".mlops-ci" / MODEL / self.head

    def run(self, *arguments: str) -> None:
        done = subprocess.run(
            [Path(sys.executable).parent / "mlops-ci", *arguments],
            cwd=self.workspace,
            env=SHELL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr)
        self.codes[arguments[0]] = done.returncode


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


@pytest.fixture(scope="module")
def laptop(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    folder = tmp_path_factory.mktemp("laptop")
    workspace = folder / "churn"
    git(folder, "clone", "-q", str(told.at_work), str(workspace))
    git(workspace, "-c", "advice.detachedHead=false", "checkout", "-q", told.head)
    laptop = Laptop(workspace, told.head, {})
    laptop.records.mkdir(parents=True)
    for name in LEFT_BY_EVALUATE:
        shutil.copy(told.opened.records(MODEL, told.head) / name, laptop.records / name)
    shutil.copytree(told.opened.workspace / "out", workspace / "out")
    laptop.run("compare")
    laptop.run("report", "--markdown", "told.md")
    return laptop


def body_and_footer(markdown: str) -> tuple[str, str]:
    body, _, footer = markdown.rstrip("\n").rpartition("\n")
    return body, footer


def test_both_end_with_the_same_exit_code(told: Told, laptop: Laptop) -> None:
    assert laptop.codes == {"compare": told.opened.code, "report": 0}


def test_the_comparison_is_the_same_byte_for_byte(told: Told, laptop: Laptop) -> None:
    job = told.opened.workspace / told.opened.outputs()["comparison-path"]
    assert (laptop.records / "compare.json").read_bytes() == job.read_bytes()


@pytest.mark.parametrize("path", ["told.md", f".mlops-ci/{MODEL}/HEAD/report.md"])
def test_the_markdown_is_the_same_but_for_the_footer(told: Told, laptop: Laptop, path: str) -> None:
    job = (told.opened.records(MODEL, told.head) / "report.md").read_text()
    ours = (laptop.workspace / path.replace("HEAD", told.head)).read_text()
    assert body_and_footer(ours)[0] == body_and_footer(job)[0]
    footers = [body_and_footer(text)[1] for text in (ours, job)]
    assert all(footer.startswith(f"`mlops-ci reproduce {told.head[:7]}`") for footer in footers)
    assert ["/actions/runs/4711" in footer for footer in footers] == [False, True]


def test_the_comment_and_the_summary_add_only_the_plots(told: Told) -> None:
    """The template's job may not write pictures: it draws them as text, and says so at the end."""
    body, footer = body_and_footer(
        (told.opened.records(MODEL, told.head) / "report.md").read_text()
    )
    assert len(body.splitlines()) > 30
    for shown in (told.comments[0]["body"], told.opened.summary()):
        text, plots = PLOTS.subn("", shown)
        assert plots == 1
        assert body in text
        assert "plots as text: this job may not write the branch mlops-ci-plots" in shown
        assert shown.index(footer.split(" · ")[0]) > shown.index("```mermaid")


def test_base_s_records_are_the_same(told: Told, laptop: Laptop) -> None:
    for step in ("train", "evaluate"):
        job = told.opened.records(MODEL, told.before) / f"{step}.json"
        ours = laptop.records.parent / told.before / f"{step}.json"
        assert ours.read_bytes() == job.read_bytes()
