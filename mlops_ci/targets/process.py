"""This machine, without Docker: one process per version, which hand the port's socket on.

Which version is live is known by the processes themselves, so a run that was killed leaves nothing
to repair. A version that crashes is not restarted: that is what Docker is for.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_ci.data import digest_folder
from mlops_ci.errors import DeployError, UsageError
from mlops_ci.images.engine import architecture
from mlops_ci.images.model_image import LIBRARY, server_entries
from mlops_ci.images.recipe import read_recipe
from mlops_ci.serve.probe import wait_until_ready
from mlops_ci.targets.environment import ready_environment, server_environment
from mlops_ci.targets.handover import Running, converse, is_alive
from mlops_ci.targets.release import Outcome, Release, Service
from mlops_ci.world import Command, World

SOCKET, LOG, MODEL, REFERENCE = "control", "server.log", "model", "reference"
MAX_SOCKET_PATH = 107
STOP_SECONDS = 35.0
LOG_BYTES = 4000


@dataclass(frozen=True)
class Standing:
    live: Running | None = None
    previous: Running | None = None


@dataclass(frozen=True)
class ProcessTarget:
    service: Service
    world: World

    @property
    def folder(self) -> Path:
        environ = self.world.environ
        home = environ.get("XDG_STATE_HOME") or f"{environ.get('HOME', '/tmp')}/.local/state"  # noqa: S108
        return Path(home) / "mlops-ci" / "services" / self.service.name

    def deploy(self, release: Release) -> Outcome:
        if self.service.host is not None:
            raise UsageError(
                "the process target runs on this machine only",
                where="deploy.host",
                fix="leave out `host`, or use the docker target:\n"
                f"    deploy: {{target: docker, host: {self.service.host}}}",
            )
        with self._alone():
            standing = self._standing()
            live = standing.live
            if live and live.digest == release.digest and self._is_here(live):
                known = ("it was live already",)
                return self._outcome(live, standing.previous, changed=False, notes=known)
            again = standing.previous
            kept = again if again and again.digest == release.digest else None
            candidate = kept or self._start(release)
            try:
                notes = self._check(candidate, release.digest)
                self._hand_over(live, candidate)
            except BaseException:
                if kept is None:
                    self._stop(candidate)
                raise
            if again and again is not kept:
                self._stop(again)
            return self._outcome(candidate, live, changed=True, notes=notes)

    def rollback(self) -> Outcome:
        with self._alone():
            standing = self._standing()
            if standing.previous is None:
                raise DeployError(
                    "there is no previous version to put back",
                    where=self.service.name,
                    fix="deploy the commit that you want: mlops-ci deploy, in its checkout",
                )
            self._check(standing.previous, standing.previous.digest)
            self._hand_over(standing.live, standing.previous)
            if standing.live is not None:
                self._stop(standing.live)
            return self._outcome(standing.previous, standing.live, changed=True)

    def close(self) -> None:
        """There is no connection."""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DeployError(
                    "another deployment of this service is going on: nothing is deployed",
                    where=str(self.folder),
                    fix="wait until it ends, and run the step again",
                ) from error
            yield

    def _standing(self) -> Standing:
        """Ask every process. Two that accept: a run was killed between; the younger goes on."""
        running: list[Running] = []
        for place in [entry for entry in self.folder.iterdir() if entry.is_dir()]:
            answer = converse(place / SOCKET, "status")
            if answer is None:
                shutil.rmtree(place, ignore_errors=True)
            else:
                running.append(answer[0])
        running.sort(key=lambda version: version.accepted_at, reverse=True)
        accepting = [version for version in running if version.accepting]
        for version in accepting[1:]:
            converse(version.path, "retire")
        once = [v for v in running if v.accepted_at and v not in accepting[:1]]
        for leftover in [v for v in running if not v.accepted_at] + once[1:]:
            self._stop(leftover)
        return Standing(accepting[0] if accepting else None, once[0] if once else None)

    def _is_here(self, live: Running) -> bool:
        """Live where it is asked for: at this port, at this address."""
        return live.address == (self._bind, self.service.port)

    @property
    def _bind(self) -> str:
        return socket.gethostbyname(self.service.bind)

    def _start(self, release: Release) -> Running:
        """Raises DeployError when it ends, or is not ready in time."""
        if release.folder is None:
            raise DeployError("the process target needs the model folder", where=release.reference)
        place = self._lay_out(release, release.folder)
        python = ready_environment(read_recipe(place / MODEL, architecture(self.world)), self.world)
        env = server_environment(self.world) | {
            "PYTHONPATH": str(place / "lib"),
            "PYTHONUNBUFFERED": "1",
            "MLOPS_CI_CONTROL": str(place / SOCKET),
            "MLOPS_CI_MODEL_FOLDER": str(place / MODEL),
            "MLOPS_CI_MODEL_NAME": release.model,
            "MLOPS_CI_MODEL_DIGEST": release.model_digest,
        }
        command = Command((str(python), "-m", "mlops_ci.serve"), cwd=place, env=env)
        pid = self.world.spawn(command, place / LOG)
        end = self.world.monotonic() + self.service.health_timeout
        while self.world.monotonic() < end:
            answer = converse(place / SOCKET, "status")
            if answer is not None:
                return answer[0]
            if not is_alive(pid):
                raise self._unhealthy(place, release, "it ended")
            self.world.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        raise self._unhealthy(
            place, release, f"it was not ready after {self.service.health_timeout:.0f} s"
        )

    def _lay_out(self, release: Release, source: Path) -> Path:
        """A copy of the model and of our server: the originals will be trained and upgraded over.

        Raises DeployError when the copy is not what was evaluated.
        """
        short = re.sub(r"^sha256:", "", release.digest)[:12]
        place = self.folder / f"{short}-{os.urandom(2).hex()}"
        if len(str(place / SOCKET)) > MAX_SOCKET_PATH:
            raise UsageError(
                "the path of the control socket is too long for this system",
                where=str(place / SOCKET),
                fix="set XDG_STATE_HOME to a shorter folder",
            )
        shutil.copytree(source, place / MODEL)
        if digest_folder(place / MODEL) != release.model_digest:
            shutil.rmtree(place)
            raise DeployError(
                "the model changed while it was copied: nothing is deployed", where=str(source)
            )
        for entry in server_entries():
            path = place / "lib" / Path(entry.path).relative_to(LIBRARY)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.source.read_bytes() if entry.source else entry.content)
        (place / REFERENCE).write_text(release.reference, "utf-8")
        return place

    def _check(self, version: Running, digest: str) -> tuple[str, ...]:
        seconds = self.service.health_timeout
        found = wait_until_ready(
            "127.0.0.1", version.check_port, version.folder / MODEL, version.name, seconds
        )
        if not found["ready"] or found["digest"] != digest or found["golden"] not in ("ok", "none"):
            raise DeployError(
                f"the version is not healthy: {found}\n{_tail(version.folder / LOG)}",
                where=str(version.folder),
                fix="what was live stays live",
            )
        if found["golden"] == "none":
            note = "the model has no input example: no prediction was tried before the switch"
            return (note,)
        return ()

    def _hand_over(self, live: Running | None, candidate: Running) -> None:
        """First the new one accepts, then the old one stops: the socket itself stays open."""
        listener = self._listener(live)
        with listener:
            answer = converse(candidate.path, "accept", listener)
        if answer is None or not answer[0].accepting:
            raise DeployError("the new version did not take the port", where=str(candidate.folder))
        if live is not None:
            converse(live.path, "retire")

    def _listener(self, live: Running | None) -> socket.socket:
        """The live version's own socket where it is the right one; else a new one."""
        if live is not None and self._is_here(live):
            answer = converse(live.path, "give")
            if answer is not None and answer[1] is not None:
                return answer[1]
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place = f"{self.service.bind}:{self.service.port}"
        try:
            listener.bind((self._bind, self.service.port))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            why = "something else listens there" if error.errno == errno.EADDRINUSE else str(error)
            raise DeployError(
                f"port {place} cannot be opened: {why}",
                where="deploy.port",
                fix="stop what holds the port (`ss -ltnp`), or choose another one",
            ) from error
        return listener

    def _stop(self, version: Running) -> None:
        """It finishes what is in flight; after that, or after the grace, it is gone."""
        converse(version.path, "stop")
        end = self.world.monotonic() + STOP_SECONDS
        while is_alive(version.pid) and self.world.monotonic() < end:
            self.world.sleep(0.05)
        if is_alive(version.pid):
            os.kill(version.pid, signal.SIGKILL)
        shutil.rmtree(version.folder, ignore_errors=True)

    def _unhealthy(self, place: Path, release: Release, why: str) -> DeployError:
        log = _tail(place / LOG)
        shutil.rmtree(place, ignore_errors=True)
        return DeployError(
            f"the new version is not healthy: {why}\n{log}",
            where=release.reference,
            fix="what was live stays live",
        )

    def _outcome(
        self,
        live: Running,
        previous: Running | None,
        *,
        changed: bool,
        notes: tuple[str, ...] = (),
    ) -> Outcome:
        host = "127.0.0.1" if self.service.bind in {"0.0.0.0", "::"} else self.service.bind  # noqa: S104
        return Outcome(
            reference=_reference(live),
            url=f"http://{host}:{self.service.port}",
            previous=_reference(previous) if previous else None,
            changed=changed,
            notes=notes,
        )


def _reference(version: Running) -> str:
    try:
        return (version.folder / REFERENCE).read_text("utf-8")
    except OSError:
        return version.digest


def _tail(path: Path) -> str:
    try:
        return path.read_bytes()[-LOG_BYTES:].decode("utf-8", "replace").strip()
    except OSError:
        return ""
