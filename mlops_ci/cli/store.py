"""`mlops-ci store list|prune|delete`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_ci.cli.declared import declared

if TYPE_CHECKING:
    from mlops_ci.baseline.store import Header, Store

ACTIONS = ("list", "prune", "delete")
SHORTEST = 7  # characters of a commit; fewer may mean another one tomorrow


@click.command(name="store")
@click.argument("action", type=click.Choice(ACTIONS), default="list")
@declared("store")
def command(
    action: str,
    model: tuple[str, ...],
    folder: Path | None,
    commit: str | None,
    json: bool,
) -> int:
    """List what is kept of main, drop what is too old or too much, or delete entries for good.

    Deleting needs a model or a commit. In a job, GITHUB_TOKEN needs `contents: write`.
    """
    from mlops_ci.cli.as_json import to_json
    from mlops_ci.cli.models import project_here
    from mlops_ci.errors import EXIT_FINE, UsageError
    from mlops_ci.plan.opening import store_here

    project = project_here(folder)
    store = store_here(project)
    wanted = (project.git.commit_of(commit) or commit) if commit is not None else None
    fitting = _fitting(store.list(), model, wanted)
    removed = 0
    if action == "prune":
        if model or commit:
            raise UsageError(
                "prune goes by the limits of `store:` alone",
                fix="mlops-ci store prune; or for one model: mlops-ci store delete --model NAME",
            )
        removed = store.prune()
    if action == "delete":
        _refuse_short(wanted)
        removed = _delete(store, fitting, asked=bool(model or commit))
    left = fitting if action == "list" else store.list()
    if json:
        click.echo(to_json({"removed": removed, "entries": left}))
        return EXIT_FINE
    lines = [_line(header) for header in left] if action == "list" else []
    if action != "list":
        lines.append(f"{removed} {_entries(removed)} removed")
    size = sum(header.bytes for header in left) / 1e6
    limits = project.config.store
    lines.append(
        f"{len(left)} {_entries(len(left))}, {size:.1f} MB; kept for {limits.max_age_days:g} days, "
        f"{limits.max_total_mb:g} MB in all"
    )
    click.echo("\n".join(lines))
    return EXIT_FINE


def _fitting(
    entries: Iterable[Header], models: tuple[str, ...], commit: str | None
) -> tuple[Header, ...]:
    """`commit` may be the beginning of one."""
    return tuple(
        header
        for header in entries
        if (not models or header.model in models)
        and (commit is None or any(known.startswith(commit) for known in header.commits))
    )


def _refuse_short(commit: str | None) -> None:
    from mlops_ci.errors import UsageError

    if commit and len(commit) < SHORTEST:
        raise UsageError(
            f"{commit!r} is too short to name a commit: nothing was deleted",
            fix=f"give {SHORTEST} characters or more: mlops-ci store list",
        )


def _delete(store: Store, fitting: tuple[Header, ...], *, asked: bool) -> int:
    """Raises UsageError when nothing says what, or nothing fits: who has to delete has to know."""
    from mlops_ci.baseline.store import Wanted
    from mlops_ci.errors import UsageError

    if not asked:
        raise UsageError(
            "say what is to be deleted",
            fix="mlops-ci store delete --model NAME, or --commit SHA, or both",
        )
    if not fitting:
        known = ", ".join(sorted({header.model for header in store.list()})) or "nothing"
        raise UsageError(
            f"there is no such entry: nothing was deleted; the store holds {known}",
            fix="mlops-ci store list",
        )
    return store.delete(
        *(Wanted(header.model, key=header.key, rows=header.rows) for header in fitting)
    )


def _line(header: Header) -> str:
    commits = header.commits[-1][:12] + (
        f" and {len(header.commits) - 1} more" if len(header.commits) > 1 else ""
    )
    size = f"{header.bytes / 1e6:.1f} MB"
    if header.too_large is not None:
        size += f", without predictions ({header.too_large / 1e6:.0f} MB is too large)"
    return f"{header.model}  {header.stored[:10]}  {commits}  {size}"


def _entries(number: int) -> str:
    return "entry" if number == 1 else "entries"
