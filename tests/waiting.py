"""Waiting for what is to come: an instant on an idle machine, as long as it takes on a busy one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PATIENCE = 300.0  # seconds; what has not come by then does not come

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], what: str, pause: float = 0.02) -> Found:
    """The first answer that is true; AssertionError with `what` when there is none."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {PATIENCE:.0f} s"
        time.sleep(pause)
    return found


def is_alive(pid: int) -> bool:
    """Killed is dead, though nobody may have asked for its exit code yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
