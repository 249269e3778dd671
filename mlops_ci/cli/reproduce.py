"""`mlops-ci reproduce COMMIT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_ci.cli.declared import declared

if TYPE_CHECKING:
    from mlops_ci.plan.reproduction import Reproduction


@click.command(name="reproduce")
@click.argument("commit")
@declared("reproduce")
def command(commit: str, model: tuple[str, ...], folder: Path | None, json: bool) -> int:
    """Train COMMIT again in a worktree, and compare with what was recorded of it."""
    from mlops_ci.cli.models import Results, chosen, project_here
    from mlops_ci.cli.progress import progress_here
    from mlops_ci.errors import EXIT_BLOCKED, worst_exit_code
    from mlops_ci.plan import store_of
    from mlops_ci.plan.reproduction import reproduce

    project = project_here(folder)
    store, progress, results = store_of(project), progress_here(), Results()

    def work(name: str) -> tuple[object, str]:
        with progress.step(name, "train", f"{commit}, again") as echo:
            found = reproduce(project, name, commit, store, echo)
        return found, describe(found)

    code = results.of(chosen(project, model), work)
    results.show(as_json=json)
    differs = any(not record.same for record in results.records)
    return worst_exit_code([code, EXIT_BLOCKED if differs else 0])


def describe(found: Reproduction) -> str:
    title = "bit-equal" if found.same else "DIFFERS"
    lines = [f"{found.model} at {found.commit[:12]}: {title}"]
    if found.predictions_same is not None:
        lines.append(f"  predictions  {'bit-equal' if found.predictions_same else 'differ'}")
    for one in found.metrics:
        name = f"{one.metric} [{one.slice}]" if one.slice else one.metric
        text = "bit-equal" if one.same else f"{one.recorded!r} then, {one.again!r} now"
        lines.append(f"  {name}  {text}")
    lines.extend(f"  because perhaps: {reason}" for reason in found.reasons if not found.same)
    return "\n".join(lines)
