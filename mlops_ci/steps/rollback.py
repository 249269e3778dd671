"""`rollback`: put the previous version back; leaves a Rollback record."""

from __future__ import annotations

from contextlib import closing

from mlops_ci.project import Project
from mlops_ci.records import Rollback
from mlops_ci.steps.deploy import DeployRequest, place_of


def rollback(
    project: Project, name: str, request: DeployRequest, commit: str | None = None
) -> Rollback:
    """Raises DeployError when there is no previous version, or it is not healthy: then what is
    live stays live, and no record is written."""
    commit = commit or project.commit
    place = place_of(project, name, request)
    started = project.world.monotonic()
    with closing(place.open(project, None)) as target:
        outcome = target.rollback()
    record = Rollback(
        model=name,
        commit=commit,
        target=place.kind,
        reference=outcome.reference,
        previous=outcome.previous,
        url=outcome.url,
        seconds=project.world.monotonic() - started,
    )
    project.records.write("rollback", record)
    return record
