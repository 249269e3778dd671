"""What came of a plan, on standard output and in files."""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_ci.plan import Outcomes
from mlops_ci.project import Project


def show(
    project: Project, outcomes: Outcomes, *, json: bool, html: Path | None, markdown: Path | None
) -> None:
    for model in outcomes.models:
        if model.error is not None:
            print(f"error: {model.name}: {model.error}", file=sys.stderr)
    del project, html, markdown
    from mlops_ci.cli.models import to_json

    print(to_json([model.comparison for model in outcomes.models]) if json else "")
