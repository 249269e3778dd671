"""Whole processes, timed from outside by the operating system's own accounting."""

from __future__ import annotations

import compileall
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mlops_ci
from mlops_ci.world import Command, run_subprocess

MLFLOW = ("mlflow==3.17.0", "scikit-learn==1.8.0", "skops==0.16.0")
DVC = ("dvc==3.67.1",)
EVIDENTLY = ("evidently==0.7.23", "pandas==2.3.3")  # it does not import beside pandas 3
CACHE = Path(__file__).parents[1] / ".cache" / "peers"


@dataclass(frozen=True)
class Timing:
    """Medians over the counted runs: wall seconds, peak resident bytes of the largest process, and
    seconds of CPU, which a busy machine lengthens little: one core's wall time on a quiet one."""

    seconds: float
    peak_bytes: float
    cpu: float
    runs: tuple[float, ...]

    @property
    def cells(self) -> tuple[str, str, str]:
        """For a table whose heading is HEADING."""
        wall, cpu = (f"{1000 * seconds:.0f}" for seconds in (self.seconds, self.cpu))
        return wall, cpu, f"{self.peak_bytes / 1e6:.0f}"


HEADING = ("program", "wall, ms", "CPU, ms", "peak, MB")


def time_in_turn(*commands: Sequence[str], cwd: Path | None = None, runs: int = 5) -> list[Timing]:
    """One warm-up each, then A B A B …, so that a drifting machine hits all alike.

    Raises CalledProcessError when a command fails: a crash is never a fast run.
    """
    seconds: list[list[float]] = [[] for _ in commands]
    peaks: list[list[int]] = [[] for _ in commands]
    cpus: list[list[float]] = [[] for _ in commands]
    for turn in range(runs + 1):
        for n, argv in enumerate(commands):
            before = _cpu_of_children()
            done = run_subprocess(Command(argv=argv, cwd=cwd))
            if done.code != 0:
                raise subprocess.CalledProcessError(done.code or -1, argv, done.text, done.error)
            if turn:
                seconds[n].append(done.seconds)
                peaks[n].append(done.peak_bytes)
                cpus[n].append(_cpu_of_children() - before)
    return [
        Timing(statistics.median(s), statistics.median(p), statistics.median(c), tuple(s))
        for s, p, c in zip(seconds, peaks, cpus, strict=True)
    ]


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def peer_environment(name: str, *requirements: str) -> Path:
    """A virtual environment of the peer's own, at pinned versions; returns its `bin` folder."""
    folder = CACHE / name
    stamp = folder / "requirements.txt"
    wanted = "\n".join(requirements)
    if not stamp.is_file() or stamp.read_text() != wanted:
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "-q", "--clear", folder], check=True)
        subprocess.run(
            [
                uv,
                "pip",
                "install",
                "-q",
                "--compile-bytecode",
                "--python",
                folder / "bin/python",
                *requirements,
            ],
            check=True,
        )
        stamp.write_text(wanted)
    return folder / "bin"


def our_program() -> str:
    """With its bytecode, as the peers are installed: where none may be written, or what is there is
    older than the source, every start would compile it again."""
    compileall.compile_dir(Path(mlops_ci.__file__).parent, quiet=1)
    return str(Path(sys.executable).with_name("mlops-ci"))
