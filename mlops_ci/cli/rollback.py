"""`mlops-ci rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from mlops_ci.cli.declared import declared


@click.command(name="rollback")
@declared("rollback")
def command(
    model: tuple[str, ...],
    folder: Path | None,
    target: Literal["docker", "process"] | None,
    host: str | None,
    port: int | None,
    json: bool,
) -> int:
    """Put the previous version back."""
    from mlops_ci.cli.models import Results, project_here
    from mlops_ci.cli.shipped import with_place
    from mlops_ci.steps.deploy import DeployRequest
    from mlops_ci.steps.rollback import rollback

    project = project_here(folder)
    request = DeployRequest(target, host, port)
    results = Results()

    def work(name: str) -> tuple[object, str]:
        record = rollback(project, name, request)
        line = f"{name}: {record.reference} is live again at {record.url}"
        return record, line

    code = results.of(with_place(project, model), work)
    results.show(as_json=json)
    return code
