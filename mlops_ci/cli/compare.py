"""`mlops-ci compare [BASE HEAD]`: two files, or the project's candidate against its baseline."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mlops_ci.cli.declared import declared
from mlops_ci.errors import EXIT_BLOCKED, EXIT_FINE, UsageError

AGGREGATE = ".mlops-ci-aggregate"  # of data/aggregate.py, which is slow to import
COLUMNS = ("id", "label", "prediction", "score", "slice", "task", "positive")


@click.command(name="compare")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[BASE HEAD]")
@declared("compare")
def command(files: tuple[Path, ...], **options: Any) -> int:
    """Compare two predictions files or two metrics files and judge the difference.

    BASE and HEAD are CSV, Parquet or JSON lines (predictions), or JSON, YAML or TOML (metrics), or
    runs of MLflow (a folder, or runs:/ID with MLFLOW_TRACKING_URI). One FILE.mlops-ci-aggregate
    instead holds both, counted by Spark.
    Without them, inside a project: what `mlops-ci evaluate` left, against the baseline.

    \b
    mlops-ci compare base.csv head.csv --max-drop roc_auc=0.01
    """  # noqa: D301 - click's mark for a paragraph to leave as it is
    if not files:
        from mlops_ci.cli.recorded import compare_recorded_models

        return compare_recorded_models(options)
    if len(files) == 1 and files[0].name.endswith(AGGREGATE):
        return _compare_counted(files[0], options)
    if len(files) != 2:
        raise UsageError(
            f"a comparison needs two files, not {len(files)}",
            fix="mlops-ci compare BASE HEAD, for example: mlops-ci compare main.csv branch.csv",
        )
    _refuse_options_of_projects(options)
    _refuse_to_overwrite(files, options)
    return _compare_two(files[0], files[1], options)


def _refuse_options_of_projects(options: dict[str, Any]) -> None:
    """On the command line: MLOPS_CI_MODEL may well be set around us."""
    source = click.get_current_context().get_parameter_source
    named = [name for name in ("base", "model", "folder") if options[name]]
    given = next((one for one in named if source(one) is ParameterSource.COMMANDLINE), None)
    if given is not None:
        raise UsageError(
            f"--{given} belongs to the comparison inside a project, and two files are given",
            fix=f"leave out --{given}, or leave out the files: mlops-ci compare --{given} …",
        )


def _refuse_to_overwrite(files: tuple[Path, ...], options: dict[str, Any]) -> None:
    """`--markdown base.csv` must not cost anyone their predictions."""
    places = {path.resolve(): "one of the files to compare" for path in files}
    for name in ("html", "markdown"):
        path: Path | None = options[name]
        if path is None:
            continue
        if path.resolve() in places:
            raise UsageError(
                f"--{name} would overwrite {places[path.resolve()]}",
                where=str(path),
                fix=f"--{name} report.{'md' if name == 'markdown' else name}",
            )
        places[path.resolve()] = "the other report"


def _compare_two(base: Path, head: Path, options: dict[str, Any]) -> int:
    from mlops_ci.cli.reporting import show_report
    from mlops_ci.config import Policy
    from mlops_ci.data import ColumnsRequest
    from mlops_ci.steps.two_files import Files, compare_files

    columns = ColumnsRequest(
        id=options["id"],
        label=options["label"],
        prediction=options["prediction"],
        score=options["score"],
        slices=options["slice"],
        task=options["task"],
        positive=options["positive"],
    )
    with ExitStack() as stack:
        sides = [_on_this_machine(path, stack) for path in (base, head)]
        outcome = compare_files(Files(sides[0], sides[1], columns, gates_of(options), Policy()))
    show_report(outcome, options)
    return EXIT_BLOCKED if outcome.comparison.blocks else EXIT_FINE


def _compare_counted(path: Path, options: dict[str, Any]) -> int:
    from mlops_ci.cli.reporting import show_report
    from mlops_ci.config import Policy
    from mlops_ci.steps.counted import compare_aggregate

    _refuse_options_of_projects(options)
    _refuse_to_overwrite((path,), options)
    given = [name for name in COLUMNS if options[name]]
    if given:
        raise UsageError(
            f"--{given[0]} is of no use: columns are chosen where the rows are counted",
            where=str(path),
            fix="say it to aggregate_spark: ColumnsRequest(…)",
        )
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where=str(path.absolute()))
    outcome = compare_aggregate(path, gates_of(options), Policy())
    show_report(outcome, options)
    return EXIT_BLOCKED if outcome.comparison.blocks else EXIT_FINE


def _on_this_machine(path: Path, stack: ExitStack) -> Path:
    """Of `runs:/<id>`, a folder with what MLflow has of that run, as long as `stack` is open."""
    if not str(path).startswith("runs:"):
        return path
    from mlops_ci.data.scratch import Scratch
    from mlops_ci.trackers.mlflow_runs import fetch_run
    from mlops_ci.world import World

    place = stack.enter_context(Scratch()).name
    return fetch_run(str(path), Path(place), World())


def gates_of(options: dict[str, Any]) -> list[Any]:
    """`--max-drop roc_auc=0.01` and its like, in the order max-drop, min, max."""
    from mlops_ci.config import expand_gates

    gates: list[Any] = []
    better = dict(map(_direction, options["better"]))
    for option in ("max_drop", "min", "max"):
        for text in options[option]:
            # A name may have an equals sign of its own: `site=north.auc`.
            metric, _, number = text.rpartition("=")
            name = metric.strip()
            limits = _limits(option, text, number if name else "", better.get(name))
            gates += expand_gates({name: limits})
    ungated = [name for name in better if name not in {gate.metric for gate in gates}]
    if ungated:
        raise UsageError(
            f"--better {ungated[0]}={better[ungated[0]]}: no gate speaks of {ungated[0]}",
            where="--better",
            fix=f"--max-drop {ungated[0]}=0.01",
        )
    return gates


def _direction(text: str) -> tuple[str, str]:
    metric, _, better = text.rpartition("=")
    if not metric.strip() or better.strip() not in ("higher", "lower"):
        raise UsageError(
            f"--better {text}: that is not METRIC=higher or METRIC=lower",
            where="--better",
            fix="--better profit=higher",
        )
    return metric.strip(), better.strip()


def _limits(option: str, text: str, number: str, better: str | None) -> Any:
    import math

    import msgspec

    from mlops_ci.config import Limits

    name = option.replace("_", "-")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if option == "max_drop" and value < 0:
        raise UsageError(
            f"--{name} {text}: a drop is at least 0, in the metric's own unit",
            where=f"--{name}",
            fix=f"--{name} {text.replace('-', '')}",
        )
    if not math.isfinite(value):
        raise UsageError(
            f"--{name} {text}: that is not METRIC=X",
            where=f"--{name}",
            fix=f"--{name} roc_auc=0.01" if option == "max_drop" else f"--{name} recall=0.6",
        )
    return msgspec.convert({name: value, "better": better}, Limits)
