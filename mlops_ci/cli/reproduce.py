"""`mlops-ci reproduce COMMIT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_ci.cli.declared import declared

if TYPE_CHECKING:
    from mlops_ci.plan.reproduction import Again, Reproduction


@click.command(name="reproduce")
@click.argument("commit")
@declared("reproduce")
def command(
    commit: str, model: tuple[str, ...], folder: Path | None, record: Path | None, json: bool
) -> int:
    """Train COMMIT again in a worktree, and compare with what was recorded of it.

    Exit code 1 when it differs; 3 when nothing was recorded: the numbers then stand alone.
    """
    from mlops_ci.cli.models import Results, chosen, project_here
    from mlops_ci.cli.progress import progress_here
    from mlops_ci.errors import EXIT_BLOCKED, BaselineError, worst_exit_code
    from mlops_ci.plan import store_of
    from mlops_ci.plan.reproduction import Source, reproduce

    project = project_here(folder)
    source, progress, results = Source(store_of(project), record), progress_here(), Results()

    def work(name: str) -> tuple[object, str]:
        with progress.step(name, "train", f"{commit}, again") as echo:
            found = reproduce(project, name, commit, source, echo)
        return found, describe(found)

    code = results.of(chosen(project, model), work)
    results.show(as_json=json)
    found = {one.same for one in results.records}
    alone = BaselineError.exit_code if None in found else 0
    return worst_exit_code([code, EXIT_BLOCKED if False in found else 0, alone])


def describe(found: Reproduction) -> str:
    if found.same is None:
        return _alone(found)
    title = "bit-equal" if found.same else "DIFFERS"
    lines = [f"{found.model} at {found.commit[:12]}: {title}"]
    if found.predictions_same is not None:
        lines.append(f"  predictions  {'bit-equal' if found.predictions_same else 'differ'}")
    for one in found.metrics:
        name = _name(one)
        text = "bit-equal" if one.same else f"{one.recorded!r} then, {one.again!r} now"
        lines.append(f"  {name}  {text}")
    lines.extend(f"  because perhaps: {reason}" for reason in found.reasons if not found.same)
    return "\n".join(lines)


def _alone(found: Reproduction) -> str:
    lines = [
        f"{found.model} at {found.commit[:12]}: trained again; nothing was recorded of it here",
        *(f"  {_name(one)}  {one.again!r}" for one in found.metrics),
        "  the store holds what main was merged with; a pull request's numbers are in its comment,",
        "  its record in its job's workspace: mlops-ci reproduce COMMIT --record evaluate.json",
    ]
    return "\n".join(lines)


def _name(one: Again) -> str:
    return f"{one.metric} [{one.slice}]" if one.slice else one.metric
