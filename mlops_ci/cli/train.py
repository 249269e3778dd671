"""`mlops-ci train`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.declared import declared


@click.command(name="train")
@declared("train")
def command(
    model: tuple[str, ...],
    folder: Path | None,
    base: str | None,
    timeout: float | None,
    json: bool,
) -> int:
    """Train the candidate with its own command; with --base, that commit as well."""
    from mlops_ci.cli.models import Results, chosen, project_here
    from mlops_ci.cli.progress import progress_here
    from mlops_ci.plan.recorded import train_sides

    project = project_here(folder)
    progress = progress_here()
    results = Results()

    def work(name: str) -> tuple[object, str]:
        records = train_sides(project, name, base, timeout=timeout, progress=progress)
        head = records[0]
        how = f"reused from {head.reused[:12]}" if head.reused else f"{head.duration_seconds:.1f} s"
        return records if base else head, f"{name}: trained {head.commit[:12]} ({how})"

    code = results.of(chosen(project, model), work)
    results.show(as_json=json)
    return code
