"""`mlops-ci evaluate`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.declared import declared


@click.command(name="evaluate")
@declared("evaluate")
def command(
    model: tuple[str, ...],
    folder: Path | None,
    base: str | None,
    timeout: float | None,
    json: bool,
) -> int:
    """Evaluate the candidate as it is; with --base, that commit as well."""
    from mlops_ci.cli.models import Results, chosen, project_here
    from mlops_ci.cli.progress import progress_here
    from mlops_ci.plan.recorded import evaluate_sides

    project = project_here(folder)
    progress = progress_here()
    results = Results()

    def work(name: str) -> tuple[object, str]:
        records = evaluate_sides(project, name, base, timeout=timeout, progress=progress)
        head = records[0]
        rows = f"{head.rows:,} rows" if head.rows is not None else f"{len(head.numbers)} numbers"
        return records if base else head, f"{name}: evaluated {head.commit[:12]} ({rows})"

    code = results.of(chosen(project, model), work)
    results.show(as_json=json)
    return code
