"""This machine: a subprocess with an allow-listed environment, as the workspace's owner."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlops_ci.engines.allowed import allowed_environment
from mlops_ci.engines.job import Echo, Ended, Job
from mlops_ci.engines.leftovers import end_leftovers
from mlops_ci.engines.owner import Owned, give, lent, user_for
from mlops_ci.world import Command, World

TAIL_BYTES = 64 * 1024
TAIL_LINES = 40


@dataclass(frozen=True)
class Local:
    world: World

    def run(self, job: Job, echo: Echo | None = None) -> Ended:
        user = user_for(job.workspace, self.world.environ)
        environment = self.environment(job, user)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log, lent(job.workspace, user):

            def keep(block: bytes) -> None:
                log.write(block)
                log.flush()
                if echo is not None:
                    echo(block)

            command = Command(
                argv=job.argv,
                cwd=job.folder,
                env=environment,
                timeout=job.timeout,
                echo=keep,
                user=user,
                merge_stderr=True,
                keep=TAIL_BYTES,
            )
            try:
                done = self.world.run_command(command)
            except (FileNotFoundError, PermissionError) as error:
                keep(f"{error}\n".encode())
                return Ended(127, str(error), 0.0)
            finally:
                end_leftovers(user)
        lines = done.text.rstrip().splitlines()[-TAIL_LINES:]
        return Ended(done.code, "\n".join(lines), done.seconds, done.peak_bytes)

    def environment(self, job: Job, user: tuple[int, int] | None) -> dict[str, str]:
        found = allowed_environment(self.world.environ, job.secrets)
        found |= {"PYTHONUNBUFFERED": "1", "MLOPS_CI_RUN_ID": job.run_id}
        found |= dict(job.variables)
        if user is not None:
            found["HOME"] = str(home_of(user, found.get("HOME", "")))
        if job.bin is not None:
            found["PATH"] = os.pathsep.join([str(job.bin), found.get("PATH", os.defpath)])
            if (job.bin.parent / "pyvenv.cfg").exists():
                found["VIRTUAL_ENV"] = str(job.bin.parent)
        return found


def home_of(user: tuple[int, int], home: str) -> Path:
    """The given home if it is the user's own, else one made for them, so that caches work."""
    owned = Owned.of(home) if home else None
    if owned is not None and owned.uid == user[0]:
        return Path(home)
    place = Path(tempfile.gettempdir()) / f"mlops-ci-home-{user[0]}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or not place.is_dir():
        place = Path(tempfile.mkdtemp(prefix="mlops-ci-home-"))
    give(place, user)
    return place
