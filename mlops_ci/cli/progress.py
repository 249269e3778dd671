"""What a person sees while a plan runs: lines in a terminal, nothing when piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mlops_ci.engines import Echo
from mlops_ci.plan import Progress, Silent

DIM, RESET, CLEAR = b"\x1b[2m", b"\x1b[0m", "\x1b[2K\r"


class Lines:
    """One line a step on standard error; the user's own output, dimmed, below it."""

    @contextmanager
    def step(self, model: str, step: str, detail: str) -> Iterator[Echo | None]:
        started = time.monotonic()
        self._write(f"▸ {model} · {step}  {detail}\n")
        try:
            yield _echo_dimmed
        except BaseException:
            self._write(f"✗ {model} · {step}  {time.monotonic() - started:.1f} s\n")
            raise
        self._write(f"✓ {model} · {step}  {time.monotonic() - started:.1f} s\n")

    def note(self, text: str) -> None:
        self._write(f"  {text}\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _echo_dimmed(block: bytes) -> None:
    sys.stderr.flush()
    sys.stderr.buffer.write(DIM + block + RESET)
    sys.stderr.buffer.flush()


def progress_here() -> Progress:
    return Lines() if sys.stderr.isatty() else Silent()
