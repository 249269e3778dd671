"""`mlops-ci init`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.declared import declared


@click.command(name="init")
@declared("init")
def command(json: bool) -> int:
    """Write a first mlops-ci.yaml and the workflows, from what is here. Nothing is overwritten."""
    from mlops_ci.cli.as_json import to_json
    from mlops_ci.git import Git
    from mlops_ci.plan.first_files import write_first_files
    from mlops_ci.world import World

    here = Path.cwd()
    top = Git.find(here, World(folder=here)).root
    files = write_first_files(here, top)
    if json:
        click.echo(to_json(files))
        return 0
    for file in files:
        click.echo(f"{'wrote' if file.written else 'kept '}  {file.path}  {file.note}".rstrip())
    click.echo("next: look at mlops-ci.yaml, then `mlops-ci run`")
    return 0
