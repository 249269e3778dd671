"""What came of a plan: the report on standard output and in files, or one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from mlops_ci.cli.as_json import to_json
from mlops_ci.cli.reporting import print_report, write_files
from mlops_ci.plan import ModelOutcome, Outcomes
from mlops_ci.plan.reports import write_reports
from mlops_ci.project import Project


def show(project: Project, outcomes: Outcomes, options: Mapping[str, Any]) -> None:
    """Errors go to standard error in full, unless the same terminal shows them in the report."""
    reported = write_reports(project, outcomes)
    if options["json"] or not sys.stdout.isatty():
        for model in outcomes.models:
            if model.error is not None:
                print(f"error: {model.error.about(model.name)}", file=sys.stderr)
    write_files(reported.report, options)
    if options["json"]:
        models = list(map(_plain, outcomes.models))
        print(to_json({"exit_code": outcomes.exit_code, "models": models}))
        return
    print_report(reported.report)


def _plain(model: ModelOutcome) -> dict[str, Any]:
    error = model.error
    return {
        "model": model.name,
        "state": model.state,
        "comparison": model.comparison,
        "notes": model.notes,
        "error": None
        if error is None
        else {
            "exit_code": error.exit_code,
            "step": model.failed_step,
            "what": error.what,
            "where": error.where,
            "fix": error.fix,
        },
    }
