"""`mlops-ci doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.declared import declared

MARKS = {"good": "✅", "look": "⚠️ ", "bad": "❌"}


@click.command(name="doctor")
@declared("doctor")
def command(model: tuple[str, ...], folder: Path | None, json: bool) -> int:
    """Check repository, base, store, environment, gates and services; say what to do."""
    from mlops_ci.cli.as_json import to_json
    from mlops_ci.cli.models import chosen, project_here
    from mlops_ci.errors import EXIT_FINE, UsageError
    from mlops_ci.plan.health import Checkup
    from mlops_ci.plan.services import look_outside

    project = project_here(folder)
    names = chosen(project, model)
    lines = [*Checkup(project).run(names), *look_outside(project, names)]
    if json:
        click.echo(to_json(lines))
    else:
        for line in lines:
            click.echo(f"{MARKS[line.state]} {line.what}: {line.said}")
            for todo in line.todo.splitlines():
                click.echo(f"     {todo}")
    bad = any(line.state == "bad" for line in lines)
    return UsageError.exit_code if bad else EXIT_FINE
