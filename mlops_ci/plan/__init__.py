"""Event + configuration + what changed → which steps for which models; and doing them.

`choice` decides, `execution` does, `base_side` finds the other side. The command line and the
runner go through the same functions.
"""

from __future__ import annotations

from mlops_ci.plan.choice import ModelPlan, Occasion, Plan, make_plan
from mlops_ci.plan.execution import Context, execute
from mlops_ci.plan.opening import plan_project, store_of
from mlops_ci.plan.outcome import ModelOutcome, Outcomes, Progress, Silent
from mlops_ci.plan.sections import report_outcomes

__all__ = [
    "Context",
    "ModelOutcome",
    "ModelPlan",
    "Occasion",
    "Outcomes",
    "Plan",
    "Progress",
    "Silent",
    "execute",
    "make_plan",
    "plan_project",
    "report_outcomes",
    "store_of",
]
