"""What every engine takes and gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Echo = Callable[[bytes], None]


@dataclass(frozen=True)
class Job:
    """One command of the user's.

    `argv` runs in `folder`; `variables` come on top of the allow-listed environment, `secrets` are
    names of variables that it may have besides. `bin` is put first on PATH. `timeout` is in
    seconds; `log` gets all of the output. `outputs` are paths relative to `folder` that a remote
    engine has to bring back.
    """

    run_id: str
    argv: Sequence[str]
    folder: Path
    workspace: Path
    log: Path
    variables: tuple[tuple[str, str], ...] = ()
    secrets: Sequence[str] = ()
    bin: Path | None = None
    timeout: float | None = None
    outputs: Sequence[str] = ()


@dataclass(frozen=True)
class Ended:
    """How it ended. `code`: its exit code, minus a signal's number, or None for out of time.

    `tail` holds the last lines of the output, for messages.
    """

    code: int | None
    tail: str
    seconds: float
    peak_bytes: int = 0


class Engine(Protocol):
    def run(self, job: Job, echo: Echo | None = None) -> Ended:
        """Run to the end; on return the outputs are at their places in `job.folder`.

        A failing command is an `Ended`, not an exception. Raises ServiceError when the engine
        itself is not available.
        """
        ...
