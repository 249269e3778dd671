"""`mlops-ci schema NAME`."""

from __future__ import annotations

import json

import click


@click.command(name="schema")
@click.argument("name", default="config")
def command(name: str) -> int:
    """Print the JSON Schema of NAME: config, comparison, or a step's record."""
    from mlops_ci.records import record_schema

    click.echo(json.dumps(record_schema(name), indent=2, sort_keys=True))
    return 0
