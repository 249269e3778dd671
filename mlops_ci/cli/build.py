"""`mlops-ci build`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.declared import declared


@click.command(name="build")
@declared("build")
def command(model: tuple[str, ...], folder: Path | None, json: bool) -> int:
    """Build the image of the model that was evaluated."""
    from mlops_ci.cli.models import Results, project_here
    from mlops_ci.cli.shipped import with_image
    from mlops_ci.steps.build import build

    project = project_here(folder)
    results = Results()

    def work(name: str) -> tuple[object, str]:
        record = build(project, name)
        size = (record.size_bytes or 0) / 1e6
        line = f"{name}: built {record.digest} ({size:.0f} MB) in {record.seconds or 0:.1f} s"
        return record, line

    code = results.of(with_image(project, model), work)
    results.show(as_json=json)
    return code
