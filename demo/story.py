"""The three pull requests, all held by the same gates."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.config.model import GateKind
from mlops_ci.records.results import Verdict

ROWS = 1797  # of scikit-learn's digits


@dataclass(frozen=True)
class PullRequest:
    """`parameters` are what it changes in params.yaml; `verdict` is what must come out, and
    `decided_by` (metric, slice, kind) the one gate that must have said so."""

    branch: str
    title: str
    parameters: dict[str, str | int | float | bool]
    verdict: Verdict
    exit_code: int
    decided_by: tuple[str, str | None, GateKind] | None = None


PULL_REQUESTS = (
    PullRequest(
        branch="forest",
        title="a random forest instead of the logistic regression",
        parameters={"model": "forest", "trees": 100, "depth": 10},
        verdict="pass",
        exit_code=0,
    ),
    PullRequest(
        branch="small-forest-without-blots",
        title="a smaller forest, and clean “ink blots” out of the training data",
        parameters={"model": "forest", "trees": 60, "depth": 6, "drop_blots": True},
        verdict="fail",
        exit_code=1,
        decided_by=("recall", "ink=bold", "max-drop"),
    ),
    PullRequest(
        branch="regularise",
        title="regularise the logistic regression more",
        parameters={"C": 0.02},
        verdict="inconclusive",
        exit_code=0,
        decided_by=("accuracy", None, "max-drop"),
    ),
)
