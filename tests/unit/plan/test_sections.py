from __future__ import annotations

from mlops_ci.baseline.commit import Base
from mlops_ci.errors import CommandError
from mlops_ci.plan.outcome import ModelOutcome, Outcomes
from mlops_ci.plan.sections import report_outcomes


def test_errors_come_first_and_bring_their_last_words() -> None:
    fine = ModelOutcome("a", (), "nothing changed")
    error = CommandError("training failed", code=3, tail="no such column", fix="mend it")
    broken = ModelOutcome("b", ("train",), "x", state="failed", error=error, failed_step="train")
    outcomes = Outcomes("head", Base("c" * 40, "release"), [fine, broken])
    report = report_outcomes(outcomes)
    assert [section.model for section in report.models] == ["b", "a"]
    assert report.base_name == "release"
    failure = report.models[0].failure
    assert failure is not None
    assert (failure.step, failure.tail, failure.exit_code) == ("train", "no such column", 6)
    assert outcomes.exit_code == 6


def test_what_was_deployed_is_live() -> None:
    shipped = ModelOutcome("a", ("deploy",), "x", state="compared", shipped={"deploy": object()})
    (section,) = report_outcomes(Outcomes("head", None, [shipped])).models
    assert section.state == "live"
