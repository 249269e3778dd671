"""Head's and base's records → what `compare` is asked for."""

from __future__ import annotations

from typing import Any

from mlops_ci.baseline.store import Store
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.project import Project


def compare_with_base(
    project: Project, outcome: ModelOutcome, search: Search | None, store: Store | None
) -> Any:
    raise NotImplementedError


def slim_predictions(project: Project, outcome: ModelOutcome) -> bytes | None:
    raise NotImplementedError
