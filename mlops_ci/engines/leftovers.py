"""Processes that a user's command left behind.

In a container of our own they would go on while we judge and write: records, and what the runner
reads after us. On any other machine the user's processes are none of our business.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROUNDS = 100  # each ends all that there are; one that forks meanwhile is ended in the next
PROC = Path("/proc")
STATUS = re.compile(rb"^State:\s+(\w).*?^Uid:\s+(\d+)\s+(\d+)\s+(\d+)", re.MULTILINE | re.DOTALL)


def end_leftovers(user: tuple[int, int] | None) -> None:
    """Only as a container's first process, whose process ids are the container's own."""
    if user is None or os.getpid() != 1:
        return
    for _ in range(ROUNDS):
        found = list(processes_of(user[0]))
        if not found:
            return
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def processes_of(uid: int, proc: Path = PROC) -> Iterator[int]:
    """Living ones whose real, effective or saved user it is."""
    for folder in proc.glob("[0-9]*"):
        try:
            found = STATUS.search((folder / "status").read_bytes())
        except OSError:  # it has ended
            continue
        if found is not None and found[1] not in b"ZX" and b"%d" % uid in found.groups()[1:]:
            yield int(folder.name)
