"""The report of a real project: run, written beside the records, rendered again from them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from mlops_ci.errors import RecordError
from mlops_ci.plan import Context, Occasion, Outcomes, execute, plan_project
from mlops_ci.plan.reports import Reported, write_reports
from mlops_ci.records import Report, Training
from mlops_ci.report import Links, render_html, render_markdown, report_of
from mlops_ci.steps.report import ReportRequest, recorded_section, report, styled, with_plots
from tests.integration.repositories import Repository, make_repository

CONFIG = """
tracking-uri: none
models:
  churn:
    train: python train.py
    predictions: out/predictions.csv
    slices: [region]
    gates:
      roc_auc: {max-drop: 0.02}
      recall: {max-drop: 0.1, slice: region=north}
"""
# Labels follow the score but for NOISE: deterministic, and no library is needed to train.
TRAIN = """
import os, random

random.seed(1)
os.makedirs("out", exist_ok=True)
with open("out/predictions.csv", "w") as file:
    file.write("id,label,score,region\\n")
    for number in range(1200):
        truth, wobble = random.random(), random.gauss(0, 1)
        score = min(max(truth + NOISE * wobble, 0.001), 0.999)
        file.write(f"{number},{int(truth > 0.5)},{score:.4f},{'north' if number % 3 else 'south'}\\n")
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    files = {
        "mlops-ci.yaml": CONFIG,
        "train.py": TRAIN.replace("NOISE", "0.30"),
        ".gitignore": "out/\n",
    }
    repo.commit(files, "a first model")
    repo.push()
    repo.git("remote", "set-head", "origin", "main")
    return repo


def run(repo: Repository, links: Links | None = None) -> tuple[Outcomes, Reported]:
    project = repo.project()
    outcomes = execute(plan_project(project, Occasion()), Context(project))
    return outcomes, write_reports(project, outcomes, links)


def change(repo: Repository, noise: str) -> None:
    repo.branch(f"noise-{noise}")
    repo.commit({"train.py": TRAIN.replace("NOISE", noise)}, "change")


def test_a_better_model(repo: Repository) -> None:
    change(repo, "0.25")
    outcomes, reported = run(repo, Links(run="https://example.org/run/1"))
    assert outcomes.exit_code == 0
    record = reported.records[0]
    root = repo.folder
    markdown = (root / str(record.markdown)).read_text()
    assert markdown == render_markdown(reported.report)
    assert "### ✅ `churn` is better: ROC AUC" in markdown
    assert "recall\u00a0·\u00a0`region=north`" in markdown
    assert "[run](<https://example.org/run/1>)" in markdown
    assert (root / str(record.html)).read_text() == render_html(reported.report)
    assert len(record.plots) == 12
    for plot in record.plots:
        assert (root / plot).read_bytes().startswith(b"\x89PNG")
    assert repo.project().records.read("churn", record.commit, Report) == record
    assert repo.git("status", "--porcelain") == ""


def test_rendered_again_from_the_records(repo: Repository) -> None:
    change(repo, "0.25")
    _, reported = run(repo)
    project = repo.project()
    section = with_plots(project, recorded_section(project, "churn"))
    again = report_of([section], base_name=reported.report.base_name)
    assert (
        render_markdown(again).splitlines()[:-1]
        == (render_markdown(reported.report).splitlines()[:-1])
    )
    assert section.plots == reported.report.models[0].plots
    record = report(project, "churn", ReportRequest())
    assert record.plots == reported.records[0].plots


TEMPLATE = """{% extends "mlops-ci/comment.md.j2" %}
{% block footer %}
Ask the churn team. {{ footer }}
{% endblock %}
"""


def test_templates_of_the_project(repo: Repository) -> None:
    change(repo, "0.25")
    wanted = {"mlops-ci.yaml": CONFIG + "report: {templates: .mlops}\n",
              ".mlops/comment.md.j2": TEMPLATE}  # fmt: skip
    repo.commit(wanted, "our words")
    _, reported = run(repo)
    content = (repo.folder / str(reported.records[0].markdown)).read_text()
    assert "\nAsk the churn team. `mlops-ci reproduce" in content
    assert content == render_markdown(reported.report)


def test_in_a_job_the_templates_are_bases(repo: Repository) -> None:
    files = {"mlops-ci.yaml": CONFIG + "report: {templates: .mlops}\n"}
    repo.commit({**files, ".mlops/comment.md.j2": TEMPLATE}, "main's words")
    repo.push()
    change(repo, "0.25")
    repo.commit({".mlops/comment.md.j2": TEMPLATE.replace("Ask", "Praise")}, "head's words")
    _, reported = run(repo)
    assert "Praise the churn team." in render_markdown(reported.report)
    project = repo.project()
    world = replace(project.world, environ={**repo.environ, "GITHUB_ACTIONS": "true"})
    content = render_markdown(styled(replace(project, world=world), reported.report))
    assert "\nAsk the churn team." in content
    assert "Praise" not in content


def test_templates_outside_of_the_repository_are_not_read(repo: Repository, tmp_path: Path) -> None:
    (tmp_path / "comment.md.j2").write_text("stolen")
    repo.branch("outside")
    repo.commit({"mlops-ci.yaml": CONFIG + f"report: {{templates: '{tmp_path}'}}\n"}, "outside")
    _, reported = run(repo)
    content = render_markdown(reported.report)
    assert "stolen" not in content
    assert "lies outside of the repository" in content


def test_plots_as_text(repo: Repository) -> None:
    change(repo, "0.25")
    repo.commit({"mlops-ci.yaml": CONFIG + "plots: mermaid\n"}, "plots as text")
    _, reported = run(repo)
    content = (repo.folder / str(reported.records[0].markdown)).read_text()
    assert content.count("```mermaid") == 3
    assert content == render_markdown(reported.report)
    project = repo.project()
    again = with_plots(project, recorded_section(project, "churn"))
    assert again.charts == reported.report.models[0].charts


def test_first_run(repo: Repository) -> None:
    _, reported = run(repo)
    content = render_markdown(reported.report)
    assert "first run, nothing to compare with yet" in content
    assert len(reported.records[0].plots) == 8


def test_failed_training(repo: Repository) -> None:
    repo.branch("broken")
    repo.commit({"train.py": "print('reading')\nraise KeyError('tenure')\n"})
    outcomes, reported = run(repo)
    assert outcomes.exit_code == 6
    content = (repo.folder / str(reported.records[0].markdown)).read_text()
    assert "### 💥 `churn` did not train" in content
    assert "KeyError: 'tenure'" in content
    assert "exit code 1" in content
    project = repo.project()
    again = recorded_section(project, "churn")
    assert again.state == "failed"
    assert again.failure is not None
    assert "KeyError: 'tenure'" in again.failure.tail
    assert "exit code 1" in again.failure.what


def test_nothing_to_report(repo: Repository) -> None:
    with pytest.raises(RecordError, match="nothing to report"):
        report(repo.project(), "churn", ReportRequest())


def test_a_broken_record_beside_the_comparison_hides_no_verdict(repo: Repository) -> None:
    change(repo, "0.25")
    run(repo)
    project = repo.project()
    project.records.file("churn", project.commit, "train").write_text("{")
    assert recorded_section(project, "churn").training is None
    project.records.file("churn", project.commit, "compare").write_text("{")
    with pytest.raises(RecordError):
        recorded_section(project, "churn")


def test_a_report_that_cannot_be_written_hides_no_verdict(repo: Repository) -> None:
    change(repo, "0.25")
    project = repo.project()
    outcomes = execute(plan_project(project, Occasion()), Context(project))
    blocked = project.records.of("churn", project.commit) / "report.md"
    blocked.mkdir()
    reported = write_reports(project, outcomes)
    assert "is better" in render_markdown(reported.report)
    assert "the report was not written" in render_markdown(reported.report)


def mlops_ci(repo: Repository, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlops_ci", *arguments],
        cwd=repo.folder,
        env=repo.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_commands(repo: Repository, tmp_path: Path) -> None:
    change(repo, "0.45")
    page, markdown = tmp_path / "new" / "page.html", tmp_path / "comment.md"
    done = mlops_ci(repo, "run", "--html", str(page), "--markdown", str(markdown))
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("✗ churn is worse: ")
    assert "Must not be merged" in done.stdout
    assert "\x1b" not in done.stdout
    assert page.read_text().count("data:image/png") == 12
    first = markdown.read_text()
    assert first.startswith("### ❌ `churn` is worse: ")

    again = mlops_ci(repo, "report", "--markdown", str(markdown))
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout
    assert markdown.read_text() == first

    told = json.loads(mlops_ci(repo, "report", "--json").stdout)
    assert told["headline"].startswith("churn is worse: ")
    assert told["models"][0]["comparison"]["verdict"] == "fail"

    other = mlops_ci(repo, "report", "--base", "HEAD")
    assert other.returncode == 2
    assert "was not made with HEAD" in other.stderr


def test_durations_are_in_the_footer_alone(repo: Repository) -> None:
    change(repo, "0.25")
    _, reported = run(repo)
    project = repo.project()
    training = project.records.read("churn", project.commit, Training)
    slower = msgspec.structs.replace(training, duration_seconds=4000.0)
    project.records.write("train", slower)
    again = report_of([recorded_section(project, "churn")], base_name=reported.report.base_name)
    before, after = (render_markdown(one).splitlines() for one in (reported.report, again))
    assert before[:-1] == after[:-1]
    assert "1\u00a0h\u00a06\u00a0min" in after[-1]


def test_two_files(tmp_path: Path) -> None:
    for name, shift in (("main", 0.0), ("branch", 0.01)):
        rows = "".join(f"{n},{n % 7},{n % 7 + shift + (n % 3) / 10}\n" for n in range(300))
        (tmp_path / f"{name}.csv").write_text("id,label,prediction\n" + rows)
    page = tmp_path / "page.html"
    done = subprocess.run(
        [sys.executable, "-m", "mlops_ci", "compare", "main.csv", "branch.csv", "--task",
         "regression", "--max-drop", "mae=0.5", "--html", str(page)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "branch is no worse: MAE" in done.stdout
    assert "main.csv" in done.stdout
    assert page.read_text().count("data:image/png") == 6  # gates, and two of residuals


@pytest.fixture
def browser(repo: Repository, tmp_path: Path) -> Path:
    """A program that stands where the browser would, and the file that tells what it was given."""
    told, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> {told}\n')
    program.chmod(0o755)
    repo.environ["BROWSER"] = f"{program} %s"
    return told


def test_open_and_preview(repo: Repository, browser: Path) -> None:
    change(repo, "0.25")
    assert mlops_ci(repo, "run").returncode == 0
    done = mlops_ci(repo, "report", "--open", "--preview", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["headline"].startswith("churn is better: ")
    page, comment = (repo.folder / ".mlops-ci" / name for name in ("report.html", "comment.html"))
    assert browser.read_text().split() == [page.resolve().as_uri(), comment.resolve().as_uri()]
    assert page.read_text().count("data:image/png") == 12
    shown = comment.read_text()
    assert "<strong>May be merged</strong>" in shown
    assert shown.count("data:image/png") == 8  # four plots, light and dark, as in a comment
    assert "plot:" not in shown
    assert repo.git("status", "--porcelain") == ""


def test_without_a_browser_the_path_is_told(repo: Repository) -> None:
    run(repo)
    repo.environ["BROWSER"] = "/nowhere/browser %s"
    repo.environ["PATH"] = str(Path(sys.executable).parent) + ":/usr/bin:/bin"
    done = mlops_ci(repo, "report", "--open")
    assert done.returncode == 0
    assert "report.html" in done.stderr
