"""`mlops-ci reproduce COMMIT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_ci.cli.declared import declared

if TYPE_CHECKING:
    from mlops_ci.plan.likeness import Again, Reproduction


@click.command(name="reproduce")
@click.argument("commit")
@declared("reproduce")
def command(
    commit: str, model: tuple[str, ...], folder: Path | None, record: Path | None, json: bool
) -> int:
    """Train COMMIT again in a worktree, and compare with what was recorded of it.

    Each number is bit-equal, within seed noise (where `seeds:` or main's own retrainings tell how
    large that is), or different. Exit code 1 when it differs by more than seed noise; 3 when
    nothing was recorded: the numbers then stand alone.
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
    alone = any(one.same is None for one in results.records)
    differs = any(one.same is False and not one.within for one in results.records)
    codes = [code, EXIT_BLOCKED if differs else 0, BaselineError.exit_code if alone else 0]
    return worst_exit_code(codes)


def describe(found: Reproduction) -> str:
    if found.same is None:
        return _alone(found)
    title = "bit-equal" if found.same else "within seed noise" if found.within else "DIFFERS"
    lines = [f"{found.model} at {found.commit[:12]}: {title}"]
    if found.predictions_same is not None:
        lines.append(f"  predictions  {'bit-equal' if found.predictions_same else 'differ'}")
    lines.extend(f"  {_name(one)}  {_likeness(one)}" for one in found.metrics)
    lines.extend(f"  because perhaps: {reason}" for reason in found.reasons if not found.same)
    return "\n".join(lines)


def _likeness(one: Again) -> str:
    if one.same:
        return "bit-equal"
    said = f"{one.recorded!r} then, {one.again!r} now"
    if one.noise is None:
        return f"different: {said}" + ("" if one.within is False else "; seed noise not measured")
    kind = "within seed noise" if one.within else "different"
    return f"{kind}: {said}; another seed moves it by up to {one.noise:.2g}"


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
