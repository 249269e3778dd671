"""One pull request, judged by the root action twice and then step by step: one comment, one answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.runner import Machine, Ran
from tests.e2e.small import FILES, WORSE
from tests.e2e.story import ZEROS, Day, a_day
from tests.github_server.scenario import Story

STEPS = Path(__file__).parent / "steps.yml"


@dataclass(frozen=True)
class Judged:
    """The same pull request, three times; base is only in the store for the last two."""

    day: Day
    first: Ran
    again: Ran
    steps: Ran
    comments: tuple[list[dict[str, Any]], ...]


@pytest.fixture(scope="module")
def judged(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    story = Story(main=(FILES,), change=(WORSE,))
    with a_day(machine, tmp_path_factory.mktemp("steps"), story) as day:
        first = day.open_pull_request("first")
        one = day.comments()
        pushed = day.push("pushed", ZEROS, day.scenario.base)
        assert pushed.code == 0, pushed.log
        again = day.open_pull_request("again")
        two = day.comments()
        steps = day.open_pull_request("steps", STEPS)
        yield Judged(day, first, again, steps, (one, two, day.comments()))


def test_each_fails_with_the_verdict(judged: Judged) -> None:
    for ran in (judged.first, judged.again):
        assert ran.code != 0
        assert ran.outputs()["verdict"] == "fail"
    assert judged.steps.code != 0
    assert judged.steps.outputs()["told-verdict"] == "fail"


def test_every_run_changes_the_same_comment(judged: Judged) -> None:
    assert [len(comments) for comments in judged.comments] == [1, 1, 1]
    assert len({comments[0]["id"] for comments in judged.comments}) == 1
    assert "❌" in judged.comments[-1][0]["body"]


def test_the_steps_leave_the_same_comparison(judged: Judged) -> None:
    paths = [
        ran.records("churn", judged.day.scenario.head) / "compare.json"
        for ran in (judged.again, judged.steps)
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_no_step_leaves_a_file_that_the_next_checkout_could_not_remove(judged: Judged) -> None:
    outputs = judged.steps.outputs()
    found = {name: outputs[f"after-{name}"] for name in ("train", "evaluate", "compare")}
    assert found == {"train": "0", "evaluate": "0", "compare": "0"}
    for ran in (judged.first, judged.again, judged.steps):
        assert (ran.workspace / ".mlops-ci").is_dir()
        assert ran.strangers() == []


def test_the_checks_say_what_the_steps_found(judged: Judged) -> None:
    checks = judged.day.checks(judged.day.scenario.head)
    assert set(checks) == {"mlops-ci verdict", "mlops-ci: churn"}
    assert {check["conclusion"] for check in checks.values()} == {"failure"}
