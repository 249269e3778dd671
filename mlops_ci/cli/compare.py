"""`mlops-ci compare [BASE HEAD]`: two files, or the project's candidate against its baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlops_ci.cli.declared import declared
from mlops_ci.errors import EXIT_BLOCKED, EXIT_FINE, UsageError


@click.command(name="compare")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[BASE HEAD]")
@declared("compare")
def command(files: tuple[Path, ...], **options: Any) -> int:
    """Compare two predictions files or two metrics files and judge the difference.

    BASE and HEAD are CSV, Parquet or JSON lines (predictions), or JSON, YAML or TOML (metrics).
    Without them, inside a project: what `mlops-ci evaluate` left, against the baseline.

    \b
    mlops-ci compare base.csv head.csv --max-drop roc_auc=0.01
    """  # noqa: D301 - click's mark for a paragraph to leave as it is
    if not files:
        from mlops_ci.cli.recorded import compare_recorded_models

        return compare_recorded_models(options)
    if len(files) != 2:
        raise UsageError(
            f"{len(files)} file given: a comparison needs two",
            fix="mlops-ci compare BASE HEAD, for example: mlops-ci compare main.csv branch.csv",
        )
    return _compare_two(files[0], files[1], options)


def _compare_two(base: Path, head: Path, options: dict[str, Any]) -> int:
    from mlops_ci.cli.reporting import show_report
    from mlops_ci.config import Policy
    from mlops_ci.data import ColumnsRequest
    from mlops_ci.steps.compare import Files, compare_files

    columns = ColumnsRequest(
        id=options["id"],
        label=options["label"],
        prediction=options["prediction"],
        score=options["score"],
        slices=options["slice"],
        task=options["task"],
        positive=options["positive"],
    )
    outcome = compare_files(Files(base, head, columns, gates_of(options), Policy()))
    show_report(outcome, options)
    return EXIT_BLOCKED if outcome.comparison.blocks else EXIT_FINE


def gates_of(options: dict[str, Any]) -> list[Any]:
    """`--max-drop roc_auc=0.01` and its like, in the order max-drop, min, max."""
    from mlops_ci.config import Limits, expand_gates

    gates: list[Any] = []
    for option in ("max_drop", "min", "max"):
        for text in options[option]:
            metric, equals, number = text.partition("=")
            limits = _limits(option, text, number if equals else "")
            gates += expand_gates({metric.strip(): limits or Limits()})
    return gates


def _limits(option: str, text: str, number: str) -> Any:
    import math

    from mlops_ci.config import Limits

    name = option.replace("_", "-")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (option == "max_drop" and value < 0):
        raise UsageError(
            f"--{name} {text}: that is not METRIC=X",
            where=f"--{name}",
            fix=f"--{name} roc_auc=0.01" if option == "max_drop" else f"--{name} recall=0.6",
        )
    return Limits(**{option: value})
