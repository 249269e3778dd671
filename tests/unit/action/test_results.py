"""What was found → check's conclusion and the output `verdict`, for every state of a section."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_ci.action.results import (
    OUTPUTS,
    VERDICTS,
    conclusion_of,
    conclusive,
    conclusive_model,
    shipped_outputs,
    verdict_of,
    worst_verdict,
)
from mlops_ci.config import Config, Model
from mlops_ci.github.checks import TEXT_BYTES
from mlops_ci.report import report_of
from tests.unit.report.states import BASE, SECTIONS, STATES

PASSED = ("pass", "success")
FAILED = ("fail", "failure")
OPEN = ("inconclusive", "neutral")
ERROR = ("error", "failure")
EXPECTED = {
    "better": PASSED,
    "no_worse": PASSED,
    "unchanged": PASSED,
    "yardstick": PASSED,
    "first": PASSED,
    "live": PASSED,
    "stale": PASSED,
    "optional_failed": PASSED,
    "worse": FAILED,
    "below_floor": FAILED,
    "first_below_floor": FAILED,
    "creep": FAILED,
    "only_gate": FAILED,
    "undecided": OPEN,
    "hopeless": OPEN,
    "numbers": OPEN,
    "probably_below_floor": ("inconclusive", "failure"),
    "probably_worse": ("inconclusive", "failure"),
    "policy_fail": ("inconclusive", "failure"),
    "missing_slice": ("inconclusive", "failure"),
    "not_assessed": ("inconclusive", "failure"),
    "unpaired": OPEN,
    "unscored": OPEN,
    "new_rows": OPEN,
    "other_rows": OPEN,
    "ungated": ("ungated", "neutral"),
    "two_files": ("ungated", "neutral"),
    "first_ungated": ("ungated", "success"),
    "failed": ERROR,
    "evaluated": ERROR,
    "no_baseline": ERROR,
    "not_deployed": ERROR,
    "put_back": PASSED,
    "untouched": ("untouched", "success"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_state_comes_to(name: str) -> None:
    section = SECTIONS[name]()
    assert (verdict_of(section), conclusion_of(section)) == EXPECTED[name]


@pytest.mark.parametrize("name", SECTIONS)
def test_what_blocks_never_ends_in_success(name: str) -> None:
    section = SECTIONS[name]()
    comparison = section.comparison
    if section.state == "failed" or (comparison is not None and comparison.blocks):
        assert conclusion_of(section) == "failure"
    if conclusion_of(section) == "success":
        assert verdict_of(section) in {"pass", "ungated", "untouched"}


def test_the_worst_verdict_is_that_of_all() -> None:
    named = {name: SECTIONS[name]() for name in EXPECTED}
    for one, other in itertools.product(named, repeat=2):
        found = worst_verdict([named[one], named[other]])
        verdicts = [EXPECTED[one][0], EXPECTED[other][0]]
        assert found == min(verdicts, key=VERDICTS.index)
    assert worst_verdict([]) == "untouched"


@pytest.mark.parametrize("name", STATES)
def test_a_check_fits_into_githubs_limits(name: str) -> None:
    report = STATES[name]()
    for found in (
        conclusive(report),
        *(conclusive_model(report, section, None) for section in report.models),
    ):
        assert found.title
        assert "\n" not in found.title
        assert len(found.summary.encode()) <= TEXT_BYTES


def test_the_aggregate_is_the_worst_of_the_models() -> None:
    sections = [SECTIONS[name]() for name in ("better", "undecided", "untouched")]
    assert conclusive(report_of(sections)).conclusion == "neutral"
    assert conclusive(report_of([*sections, SECTIONS["failed"]()])).conclusion == "failure"
    assert conclusive(report_of([])).conclusion == "success"


def test_a_model_that_was_shipped_tells_where_it_is() -> None:
    live = SECTIONS["live"]()
    found = shipped_outputs([None, live.push, live.deployment])
    assert set(found) < set(OUTPUTS)
    assert found["digest"].startswith("sha256:")
    assert found["image"]
    assert found["deployed-url"].startswith("http")


def test_a_model_that_was_not_shipped_tells_nothing() -> None:
    better = SECTIONS["better"]()
    found = shipped_outputs([better.push, better.deployment])
    assert found == {"image": "", "digest": "", "deployed-url": ""}


def test_a_model_s_check_says_what_its_training_cost() -> None:
    report = STATES["priced"]()
    for found in (conclusive(report), conclusive_model(report, report.models[0], None)):
        assert "cost 0.13" in found.summary


class Past:
    """Git, as far as one file of base's commit goes."""

    def show(self, commit: str, path: str) -> bytes | None:
        found = {(BASE, "ml/dvc.yaml"): b"stages:\n  t:\n    cmd: a\n  u:\n    cmd: a\n"}
        return found.get((commit, path))


def test_what_changed_in_the_pipeline_is_annotated_in_the_model_s_check(tmp_path: Path) -> None:
    """Of the model's own stages, and only where it is made by them."""
    (tmp_path / "mlops-ci.yaml").write_text("models: {}\n")
    (tmp_path / "dvc.yaml").write_text("stages:\n  t:\n    cmd: b\n  u:\n    cmd: b\n")
    section = SECTIONS["no_worse"]()
    report = report_of([section])
    found = {}
    for stages in (["t"], None):
        model = Model(metrics="m.json", dvc=stages)
        config = Config(models={"churn": model})
        project: Any = SimpleNamespace(root=tmp_path, prefix="ml/", config=config, git=Past())
        remarks = conclusive_model(report, section, project).annotations
        found[bool(stages)] = [(one.path, one.line, one.message) for one in remarks]
    assert found == {True: [("ml/dvc.yaml", 3, "a → b")], False: []}
