"""`mlops-ci push`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.declared import declared


@click.command(name="push")
@declared("push")
def command(model: tuple[str, ...], folder: Path | None, json: bool) -> int:
    """Push the built image to its registry, by digest."""
    from mlops_ci.cli.models import Results, project_here
    from mlops_ci.cli.shipped import with_image
    from mlops_ci.steps.push import push

    project = project_here(folder)
    results = Results()

    def work(name: str) -> tuple[object, str]:
        record = push(project, name)
        sent = (record.uploaded_bytes or 0) / 1e6
        line = (
            f"{name}: pushed {record.reference} ({sent:.1f} MB sent) in {record.seconds or 0:.1f} s"
        )
        return record, line

    code = results.of(with_image(project, model), work)
    results.show(as_json=json)
    return code
