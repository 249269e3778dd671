"""`push`: the built image into its registry, by digest; leaves a Push record."""

from __future__ import annotations

from mlops_ci.errors import RecordError, ServiceError
from mlops_ci.images.layout import Layout
from mlops_ci.images.name import parse_image
from mlops_ci.images.registry import open_repository
from mlops_ci.images.shipment import ship, ship_dependencies
from mlops_ci.project import Project
from mlops_ci.records import Build, Push
from mlops_ci.steps.build import tag_of


def push(project: Project, name: str, commit: str | None = None) -> Push:
    """Raises RecordError without a build, ServiceError and AccessError as the registry says.

    What a stopped run has uploaded is found again by its digest.
    """
    commit = commit or project.commit
    built = project.records.read(name, commit, Build)
    if built.layout is None:
        raise RecordError(
            "the build left no image here",
            where=str(project.records.file(name, commit, "build")),
            fix="build it again: mlops-ci build",
        )
    started = project.world.monotonic()
    image = parse_image(built.image)
    layout = Layout(project.root / built.layout)
    tag = tag_of(commit)
    with open_repository(image, project.world) as repository:
        shipped = ship(layout, built.digest, [tag], repository)
        if built.dependencies:
            ship_dependencies(layout, built.dependencies, repository)
        found = repository.tag_digest(tag)
    if found != built.digest:
        raise ServiceError(
            f"the tag {tag} points to {found} right after the push of {built.digest}",
            where=str(image),
            fix="somebody else pushes the same tag; run the step again",
        )
    record = Push(
        model=name,
        commit=commit,
        image=str(image),
        digest=built.digest,
        reference=image.at(built.digest),
        tags=[tag],
        seconds=project.world.monotonic() - started,
        model_digest=built.model_digest,
        uploaded_bytes=shipped.uploaded,
    )
    project.records.write("push", record)
    return record
