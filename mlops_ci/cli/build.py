"""`mlops-ci build`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlops_ci.cli.declared import declared
from mlops_ci.errors import EXIT_BLOCKED, worst_exit_code


@click.command(name="build")
@declared("build")
def command(model: tuple[str, ...], folder: Path | None, json: bool) -> int:
    """Build the image of the model that was evaluated.

    Exit code 1: it is built, and a gate on `image_size_mb` says that it must not be pushed.
    """
    from mlops_ci.baseline.commit import Asked
    from mlops_ci.cli.models import Results, project_here
    from mlops_ci.cli.shipped import with_image
    from mlops_ci.plan import store_of
    from mlops_ci.plan.image_size import judge_build, told
    from mlops_ci.steps.build import build

    project = project_here(folder)
    results = Results()
    blocked: list[str] = []

    def work(name: str) -> tuple[object, str]:
        record = build(project, name)
        size = (record.size_bytes or 0) / 1e6
        line = f"{name}: built {record.digest} ({size:.0f} MB) in {record.seconds or 0:.1f} s"
        gates = judge_build(project, record, Asked(), store_of(project))
        blocked.extend(name for gate in gates if gate.blocks)
        for gate in gates:
            print(f"{name}: {told(gate)}", file=sys.stderr)
        return record, line

    code = results.of(with_image(project, model), work)
    results.show(as_json=json)
    return worst_exit_code((code, EXIT_BLOCKED if blocked else code))
