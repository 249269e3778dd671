"""`mlops-ci compare` without files: the project's candidate against its baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_ci.cli.models import chosen, project_here
from mlops_ci.cli.outcomes import show
from mlops_ci.cli.progress import progress_here
from mlops_ci.errors import MlopsCiError, UsageError

FILES_ONLY = ("label", "prediction", "score", "id", "slice", "task", "positive", "max_drop", "min",
              "max", "better")  # fmt: skip


def compare_recorded_models(options: Mapping[str, Any]) -> int:
    """What `evaluate` left, of every model; returns the exit code."""
    from mlops_ci.baseline.commit import Asked
    from mlops_ci.plan import Outcomes, store_of
    from mlops_ci.plan.recorded import compare_recorded, failed_comparison, lost_models

    _refuse_options_of_files(options)
    project = project_here(options["folder"])
    store, progress = store_of(project), progress_here()
    outcomes = Outcomes(project.commit, None)
    asked = Asked(ref=options["base"])
    for name in chosen(project, options["model"]):
        try:
            outcome = compare_recorded(project, name, asked, store, progress)
        except MlopsCiError as error:
            outcome = failed_comparison(name, error)
        outcomes.models.append(outcome)
    if not options["model"]:
        outcomes.models += lost_models(project, asked)
    show(project, outcomes, options)
    return outcomes.exit_code


def _refuse_options_of_files(options: Mapping[str, Any]) -> None:
    given = [name for name in FILES_ONLY if options.get(name)]
    if given:
        flag = given[0].replace("_", "-")
        raise UsageError(
            f"--{flag} belongs to the comparison of two files",
            fix="inside a project the configuration says it: see `columns`, `task` and `gates` in "
            "mlops-ci.yaml; or give two files: `mlops-ci compare BASE HEAD`",
        )
