"""How many uses of one test set share an error rate, and what is said of it."""

from __future__ import annotations

import msgspec
import pytest

from mlops_ci.config import Config
from mlops_ci.config.model import Policy
from mlops_ci.plan.noise import spending_notes
from mlops_ci.records import MetricResult
from mlops_ci.verdict import compare_paired
from mlops_ci.verdict.yardstick import policy_changes
from tests.unit.verdict.rows_for_tests import binary_rows


def policy(spending: object = None, level: float = 0.95) -> Policy:
    models = {"m": {"alpha-spending": spending} if spending is not None else {}}
    return msgspec.convert({"models": models, "level": level}, Config).policy("m")


def test_the_error_rate_is_shared() -> None:
    assert policy().level == 0.95
    assert policy(50).level == pytest.approx(0.999)
    assert policy(2, 0.9).level == pytest.approx(0.95)

    def width(of: Policy) -> float:
        found: dict[str, MetricResult] = {
            one.metric: one for one in compare_paired(binary_rows(1, n=2_000), of)
        }
        one = found["accuracy"]
        return float(one.high or 0) - float(one.low or 0)

    # 3.29 standard errors instead of 1.96.
    assert width(policy(50)) == pytest.approx(1.68 * width(policy()), rel=0.03)


@pytest.mark.parametrize("wrong", [0, 1, 101, "fifty", 2.5])
def test_what_is_no_number_of_uses_is_refused(wrong: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        policy(wrong)


def test_a_pull_request_cannot_spend_less() -> None:
    said = policy_changes(policy(50), policy())
    assert any("alpha-spending becomes None (base's 50 holds" in one for one in said)


def test_what_is_said() -> None:
    assert spending_notes(policy(), 3) == ()
    assert "this is number 3." in spending_notes(policy(50), 3)[0]
    assert "no longer held" not in spending_notes(policy(50), 50)[0]
    assert "number 51: what they come to is no longer held" in spending_notes(policy(50), 51)[0]
    assert "nobody counts" in spending_notes(policy(50), None)[0]
