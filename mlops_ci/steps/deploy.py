"""`deploy`: run what was pushed, switch to it when it is healthy; leaves a Deployment record."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from mlops_ci.config import Deploy
from mlops_ci.errors import AccessError, ConfigError, DeployError, MlopsCiError, ServiceError
from mlops_ci.images.name import parse_image
from mlops_ci.images.registry import open_repository
from mlops_ci.project import Project
from mlops_ci.records import Deployment, Evaluation, Push
from mlops_ci.steps.build import evaluated_model
from mlops_ci.targets import Release, Service, Target, open_target

Kind = Literal["docker", "process"]


@dataclass(frozen=True)
class DeployRequest:
    """What goes before the configuration's `deploy:`. None: as configured."""

    target: Kind | None = None
    host: str | None = None
    port: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a model runs, from configuration and request."""

    kind: Kind
    service: Service

    def open(self, project: Project, image: str | None) -> Target:
        registry = parse_image(image).host if image else None
        return open_target(self.kind, self.service, registry, project.world)


def deploy(
    project: Project, name: str, request: DeployRequest, commit: str | None = None
) -> Deployment:
    """Raises RecordError without a push, DeployError (recorded as well) when the new version is
    not the evaluated one, or not healthy; what was live is live then."""
    commit = commit or project.commit
    place = place_of(project, name, request)
    release = _release(project, name, commit, place.kind)
    target = place.open(project, project.model(name).image if place.kind == "docker" else None)
    started = project.world.monotonic()
    unfinished = Deployment(
        model=name,
        commit=commit,
        target=place.kind,
        status="failed",
        reference=release.reference,
    )
    try:
        with closing(target):
            outcome = target.deploy(release)
    except MlopsCiError as error:
        project.records.write("deploy", replace(unfinished, notes=[str(error)]))
        raise
    record = replace(
        unfinished,
        status="live",
        url=outcome.url,
        previous=outcome.previous,
        seconds=project.world.monotonic() - started,
        notes=list(outcome.notes),
    )
    project.records.write("deploy", record)
    return record


def place_of(project: Project, name: str, request: DeployRequest) -> Place:
    configured = project.model(name).deploy
    if configured is None and request.target is None:
        raise ConfigError(
            f"{name} has no `deploy`: nobody said where it runs",
            where="mlops-ci.yaml",
            fix=f"add the place:\n    models:\n      {name}:\n"
            "        deploy: {target: docker, host: ssh://deploy@example.org, port: 8080}",
        )
    configured = configured or Deploy()
    service = Service(
        name=configured.name or name,
        port=request.port or configured.port,
        bind=configured.bind,
        health_timeout=configured.health_timeout,
        host=request.host or configured.host,
    )
    return Place(request.target or configured.target, service)


def _release(project: Project, name: str, commit: str, kind: Kind) -> Release:
    """Raises DeployError when what was pushed is not what was evaluated."""
    if kind == "process":
        artifact = evaluated_model(project, name, commit)
        folder = project.root / artifact.path
        reference = f"{artifact.path}@{artifact.digest}"
        return Release(name, commit, artifact.digest, artifact.digest, reference, folder)
    pushed = project.records.read(name, commit, Push)
    evaluation = project.records.read(name, commit, Evaluation)
    evaluated = evaluation.artifact.digest if evaluation.artifact else None
    if pushed.model_digest is None or pushed.model_digest != evaluated:
        raise DeployError(
            f"the pushed image holds the model {pushed.model_digest}, evaluated was {evaluated}: "
            "nothing is deployed",
            where=pushed.reference,
            fix="build and push what was evaluated: mlops-ci build && mlops-ci push",
        )
    _check_tags(project, pushed)
    return Release(name, commit, pushed.digest, pushed.model_digest, pushed.reference)


def _check_tags(project: Project, pushed: Push) -> None:
    """A tag that was moved since the push is a warning sign that nobody would see later."""
    image = parse_image(pushed.image)
    for tag in pushed.tags:
        try:
            with open_repository(image, project.world) as repository:
                found = repository.tag_digest(tag)
        except (ServiceError, AccessError) as error:
            project.world.say(f"the tag {tag} was not checked: {error.what}")
            return
        if found != pushed.digest:
            raise DeployError(
                f"the tag {tag} now points to {found}, pushed was {pushed.digest}: "
                "nothing is deployed",
                where=str(image),
                fix="find out who moved the tag; then push again: mlops-ci push",
            )
