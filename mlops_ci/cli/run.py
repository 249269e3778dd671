"""`mlops-ci run`."""

from __future__ import annotations

from typing import Any

import click

from mlops_ci.cli.declared import declared

ELSEWHERE = ("target", "host", "port")


@click.command(name="run")
@declared("run")
def command(**options: Any) -> int:
    """Train and evaluate the work tree, and compare it with where it left main."""
    from mlops_ci.baseline.commit import Asked
    from mlops_ci.cli.models import project_here
    from mlops_ci.cli.outcomes import show
    from mlops_ci.cli.progress import progress_here
    from mlops_ci.errors import UsageError
    from mlops_ci.plan import Context, Occasion, execute, plan_project, store_of

    given = [name for name in ELSEWHERE if options[name] is not None]
    if given:
        raise UsageError(
            f"--{given[0]}: on a laptop `run` ends with the report and deploys nothing",
            fix="mlops-ci build && mlops-ci push && mlops-ci deploy",
        )
    project = project_here(options["folder"])
    plan = plan_project(project, Occasion(Asked(ref=options["base"]), models=options["model"]))
    context = Context(project, progress_here(), store_of(project), options["timeout"])
    outcomes = execute(plan, context)
    show(project, outcomes, options)
    return outcomes.exit_code
