"""A Docker host: HAProxy in front, versions behind it, switched without losing a request."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mlops_ci.errors import AccessError, DeployError, ServiceError, UsageError
from mlops_ci.images.credentials import Login
from mlops_ci.images.name import split_reference
from mlops_ci.images.tunnel import KEYS
from mlops_ci.targets.front import Front, ensure_front_image, open_front
from mlops_ci.targets.haproxy import Standing
from mlops_ci.targets.labels import MODEL_DIGEST, names_of
from mlops_ci.targets.lease import lease
from mlops_ci.targets.release import Outcome, Release, Service
from mlops_ci.targets.versions import (
    Version,
    find_versions,
    keep_running,
    start_version,
    wait_until_healthy,
)
from mlops_ci.world import World

REACH_SECONDS = 45.0
WATCH_SECONDS = 2.0
DOUBT_SECONDS = 45.0  # for a failed check to become three, or a good one again
NO_HOST = f"""name the Docker host in mlops-ci.yaml:
    deploy: {{target: docker, host: ssh://deploy@example.org, port: 8080}}
{KEYS}"""


def check_host(host: str | None, world: World) -> None:
    """Raises UsageError on a GitHub-hosted runner without a host: its own engine ends with it."""
    environ = world.environ
    hosted = environ.get("RUNNER_ENVIRONMENT") == "github-hosted"
    if hosted and not host and not environ.get("DOCKER_HOST"):
        raise UsageError(
            "there is no Docker host to deploy to: this runner is gone when the job ends",
            where="deploy.host",
            fix=NO_HOST,
        )


@dataclass(frozen=True)
class DockerTarget:
    """`login` is for the engine's own pull from the registry, `resources` end with the target."""

    client: Any
    service: Service
    world: World
    login: Login | None = None
    resources: ExitStack = field(default_factory=ExitStack)

    def deploy(self, release: Release) -> Outcome:
        self._pull(release)
        with self._alone():
            front = self._open()
            standing = front.standing()
            versions = self._tidy(standing, release.digest)
            live = versions.get(standing.live or "")
            if live is not None and live.digest == release.digest and self._is_well(front, live):
                previous = versions.get(standing.previous or "")
                return self._outcome(live, previous, changed=False, notes=("it was live already",))
            candidate = self._candidate(versions, release, standing)
            try:
                notes = self._replace(front, candidate, standing)
            except BaseException:
                self._put_back(front, candidate, standing)
                raise
            self._tidy(Standing(candidate.slot, standing.live))
            return self._outcome(candidate, live, changed=True, notes=tuple(notes))

    def rollback(self) -> Outcome:
        with self._alone():
            front = self._open()
            standing = front.standing()
            versions = self._tidy(standing)
            previous = versions.get(standing.previous or "")
            live = versions.get(standing.live or "")
            if previous is None:
                raise DeployError(
                    "there is no previous version to put back",
                    where=self.service.name,
                    fix="deploy the commit that you want: mlops-ci deploy, in its checkout",
                )
            previous.container.start()
            wait_until_healthy(previous, self.service, self.world)
            self._admit(front, previous)
            front.switch(previous.slot, Standing(previous.slot, None))
            self._tidy(Standing(previous.slot, None))
            return self._outcome(previous, live, changed=True)

    def close(self) -> None:
        self.resources.close()

    def _alone(self) -> Any:
        image = ensure_front_image(self.client)
        return lease(self.client, names_of(self.service).lease, image, self.world)

    def _open(self) -> Front:
        name = names_of(self.service).network
        if not self.client.networks.list(names=[f"^{name}$"]):
            self.client.networks.create(name, driver="bridge", check_duplicate=True)
        return open_front(self.client, self.service, self.world)

    def _pull(self, release: Release) -> None:
        import docker

        name, digest = split_reference(release.reference)
        auth = None
        if self.login is not None and not self.login.identity_token:
            auth = {"username": self.login.username, "password": self.login.password}
        try:
            image = self._local(release.reference) or self.client.images.pull(
                str(name), tag=digest, auth_config=auth
            )
        except docker.errors.NotFound as error:
            raise DeployError(
                f"the image is not in the registry (any more): {error.explanation}",
                where=release.reference,
                fix="push it again: mlops-ci push",
            ) from error
        except docker.errors.APIError as error:
            raise _pull_error(release, str(error.explanation or error)) from error
        said = (image.labels or {}).get(MODEL_DIGEST)
        if said != release.model_digest:
            raise DeployError(
                f"the image holds the model {said}, evaluated was {release.model_digest}: "
                "nothing is deployed",
                where=release.reference,
            )

    def _local(self, reference: str) -> Any:
        import docker

        try:
            return self.client.images.get(reference)
        except docker.errors.ImageNotFound:
            return None

    def _candidate(
        self, versions: dict[str, Version], release: Release, standing: Standing
    ) -> Version:
        """The previous version when it is asked for again; else a new container."""
        again = versions.get(standing.previous or "")
        if again is not None and again.digest == release.digest:
            again.container.start()
            return again
        return start_version(self.client, self.service, release, set(versions))

    def _replace(self, front: Front, candidate: Version, standing: Standing) -> list[str]:
        notes = wait_until_healthy(candidate, self.service, self.world)
        self._admit(front, candidate)
        keep_running(candidate)
        front.switch(candidate.slot, Standing(candidate.slot, standing.live))
        self._watch(front, candidate)
        return notes

    def _admit(self, front: Front, version: Version) -> None:
        version.container.reload()
        front.wait_for(version.slot, version.address(self.service), REACH_SECONDS)

    def _watch(self, front: Front, version: Version) -> None:
        """Real requests are harder than checks: stay and look for a moment. One check that a busy
        machine answered too late is no fall: HAProxy gives a server up after three."""
        start = self.world.monotonic()
        while self.world.monotonic() < start + WATCH_SECONDS + DOUBT_SECONDS:
            version.container.reload()
            server = front.servers().get(version.slot)
            if version.container.status != "running" or server is None or not server.up:
                break
            if server.checked and self.world.monotonic() >= start + WATCH_SECONDS:
                return
            self.world.sleep(0.25)
        raise DeployError(
            f"the new version fell over under real requests\n{version.log()}",
            where=version.reference,
            fix="what was live is live again",
        )

    def _is_well(self, front: Front, version: Version) -> bool:
        version.container.reload()
        server = front.servers().get(version.slot)
        return bool(version.container.status == "running" and server and server.checked)

    def _put_back(self, front: Front, candidate: Version, standing: Standing) -> None:
        """Traffic first, then the container that did not make it."""
        if standing.live:
            front.switch(standing.live, standing)
        elif front.recorded() != standing:
            front.record(standing)
        if candidate.slot != standing.previous:
            candidate.remove()
        if not standing.live and not standing.previous:
            front.container.remove(force=True)

    def _tidy(self, standing: Standing, wanted: str | None = None) -> dict[str, Version]:
        """Remove what is neither live nor previous: leftovers of a run that was killed.

        The image of the digest `wanted` stays: it is about to be started.
        """
        versions = find_versions(self.client, self.service)
        keep = {standing.live, standing.previous}
        for slot in [slot for slot in versions if slot not in keep]:
            leftover = versions.pop(slot)
            leftover.remove(with_image=leftover.digest != wanted)
        return versions

    def _outcome(
        self,
        live: Version,
        previous: Version | None,
        *,
        changed: bool,
        notes: tuple[str, ...] = (),
    ) -> Outcome:
        return Outcome(
            reference=live.reference,
            url=url_of(self.service, self.world),
            previous=previous.reference if previous else None,
            changed=changed,
            notes=notes,
        )


def url_of(service: Service, world: World) -> str:
    """Where the service answers: the Docker host's name, else the address it is bound to."""
    address = service.host or world.environ.get("DOCKER_HOST", "")
    name = urlsplit(address).hostname if "://" in address else None
    local = "127.0.0.1" if service.bind in {"0.0.0.0", "::"} else service.bind  # noqa: S104
    return f"http://{name or local}:{service.port}"


def _pull_error(release: Release, said: str) -> ServiceError | AccessError:
    if "denied" in said or "unauthorized" in said or "no basic auth" in said:
        return AccessError(
            f"the Docker host may not pull the image: {said}",
            where=release.reference,
            fix="set MLOPS_CI_REGISTRY_USERNAME and MLOPS_CI_REGISTRY_PASSWORD, "
            "or `docker login` before the step",
        )
    return ServiceError(
        f"the Docker host cannot pull the image: {said}",
        where=release.reference,
        fix="check that the Docker host reaches the registry",
    )
