from __future__ import annotations

from dataclasses import replace

from mlops_ci.records import Evaluation
from mlops_ci.report import render_html, report_of
from tests.unit.report.states import LINKS, failed, metric


def test_a_model_that_was_evaluated_and_could_not_be_compared_shows_its_numbers() -> None:
    """A gate on a metric that nobody knows is found after the evaluation."""
    evaluation = Evaluation(
        model="churn",
        commit="3f9c2ab",
        evaluated="2026-01-01T00:00:00Z",
        metrics=(metric("roc_auc", None, 0.912, 0.006),),
    )
    section = replace(failed(), evaluation=evaluation)
    page = render_html(report_of([section], LINKS))
    assert ">this PR</th>" in page
    assert "0.912" in page
