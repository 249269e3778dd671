"""Run one command of the user's, and make sure that what it leaves is its own work."""

from __future__ import annotations

import glob
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mlops_ci.engines import Echo, Ended, Engine, Job
from mlops_ci.errors import CommandError

# The variable that tells a training which seed to take.
SEED = "MLOPS_CI_SEED"
OUT_OF_MEMORY = (-signal.SIGKILL, 128 + signal.SIGKILL)


def argv_of(command: str | Sequence[str]) -> list[str]:
    """A list is run as it is; a text as a shell would, and stops at its first failing line."""
    if not isinstance(command, str):
        return list(command)
    shell = shutil.which("bash")
    return [shell, "-eo", "pipefail", "-c", command] if shell else ["/bin/sh", "-ec", command]


def dvc_argv() -> list[str]:
    """DVC of this installation: the user's environment need not hold it."""
    return [sys.executable, "-m", "dvc"]


def run_job(engine: Engine, job: Job, what: str, echo: Echo | None = None) -> Ended:
    """Raises CommandError, with the last lines of the output, when it fails or runs out of time."""
    ended = engine.run(job, echo)
    refuse_failure(job, ended, what)
    return ended


def refuse_failure(job: Job, ended: Ended, what: str) -> None:
    """Raises CommandError when it ended badly."""
    if ended.code != 0:
        raise failure(job, ended, what)


def failure(job: Job, ended: Ended, what: str) -> CommandError:
    shown = " ".join(job.argv[-1:] if job.argv[-2:-1] in (["-c"], ["-ec"]) else job.argv)
    if ended.code is None:
        said = f"{what} ran out of time after {ended.seconds:.0f} s"
        fix = "give it more: `timeout: SECONDS` in the model's configuration"
    elif ended.code < 0:
        said = f"{what} was ended by signal {-ended.code} ({signal.Signals(-ended.code).name})"
        fix = "mend it; the whole output is in the log"
    else:
        said = f"{what} failed with exit code {ended.code}"
        fix = "mend it; the whole output is in the log"
    if ended.code in OUT_OF_MEMORY:
        fix = "a KILL from outside is often the system out of memory: use a larger runner"
    return CommandError(
        f"{said}: {shown}",
        code=ended.code,
        tail=ended.tail,
        where=str(job.log),
        fix=fix if ended.tail else f"{fix}; it printed nothing",
    )


@dataclass
class Outputs:
    """Files that a command has to write anew.

    Older ones are moved aside while it runs, and put back when it fails; those that Git tracks
    stay, and must be rewritten.
    """

    root: Path
    paths: Sequence[str]
    tracked: frozenset[str]
    aside: Path
    moved: list[str] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def renewed(self, what: str) -> Iterator[None]:
        """Raises CommandError at the end when an output is missing or was not written."""
        for path in self.paths:
            self._clear(path)
        try:
            yield
            self._check(what)
        except BaseException:
            self._restore()
            raise
        shutil.rmtree(self.aside, ignore_errors=True)

    def _clear(self, path: str) -> None:
        place = self.root / path
        if not (place.exists() or place.is_symlink()):
            return
        if path in self.tracked:
            self.before[path] = changed_at(place)
            return
        target = self.aside / path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(place, target)  # noqa: PTH105 - the same file system: one rename
        self.moved.append(path)

    def _check(self, what: str) -> None:
        for path in self.paths:
            place = self.root / path
            if not place.exists():
                raise CommandError(
                    f"{what} ended well, but did not write {path}",
                    where=str(place),
                    fix="let it write that file, or correct the path in mlops-ci.yaml"
                    + _beside(place),
                )
            if path in self.before and changed_at(place) <= self.before[path]:
                raise CommandError(
                    f"{what} ended well, but {path} is the one that was there before",
                    where=str(place),
                    fix="numbers of an earlier run must not pass: let the command write the file "
                    "each time, or leave `train:` out when an earlier step of the job trains",
                )

    def _restore(self) -> None:
        for path in self.moved:
            place = self.root / path
            if not place.exists() and (self.aside / path).exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.aside / path, place)  # noqa: PTH105
        shutil.rmtree(self.aside, ignore_errors=True)


def changed_at(place: Path) -> int:
    """Latest change of a file or of anything in a folder, in ns: ctime, which no copy keeps."""
    latest = place.stat().st_ctime_ns
    for folder, _, names in os.walk(place):
        for name in names:
            latest = max(latest, (Path(folder) / name).lstat().st_ctime_ns)
    return latest


def _beside(place: Path) -> str:
    """A file of the same name and another ending, which is what most often was meant."""
    name = place.name.partition(".")[0]
    found = sorted(path.name for path in place.parent.glob(f"{glob.escape(name)}.*"))
    return f"; beside it lies {found[0]}" if found else ""
