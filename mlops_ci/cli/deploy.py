"""`mlops-ci deploy`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from mlops_ci.cli.declared import declared


@click.command(name="deploy")
@declared("deploy")
def command(
    model: tuple[str, ...],
    folder: Path | None,
    target: Literal["docker", "process"] | None,
    host: str | None,
    port: int | None,
    json: bool,
) -> int:
    """Run what was pushed, and switch to it when it is healthy."""
    from mlops_ci.cli.models import Results, project_here
    from mlops_ci.cli.shipped import with_place
    from mlops_ci.steps.deploy import DeployRequest, deploy

    project = project_here(folder)
    request = DeployRequest(target, host, port)
    results = Results()

    def work(name: str) -> tuple[object, str]:
        record = deploy(project, name, request)
        line = f"{name}: {record.reference} is {record.status} at {record.url}"
        return record, "; ".join([line, *record.notes])

    code = results.of(with_place(project, model), work)
    results.show(as_json=json)
    return code
