"""Import what the report will need while the user's training keeps another process busy.

DuckDB and SciPy take some tenths of a second, which would otherwise lie between the end of training
and the comment. matplotlib is imported by the process that draws (`report/studio.py`).
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Sequence

MODULES = (
    "duckdb",
    "scipy.special",
    "jinja2",
    "mlops_ci.steps.compare",
    "mlops_ci.steps.measure",
    "mlops_ci.report",
)


class Warming:
    """Imports in a thread of their own; an interpreter that ends in the middle of one crashes, so
    whoever begins has to `end`."""

    def __init__(self, modules: Sequence[str] = MODULES) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._import, args=(modules,), name="imports", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Waits for the module that is being imported; no other is begun."""
        self._stopped.set()
        self._thread.join()

    def _import(self, modules: Sequence[str]) -> None:
        """A module that is not installed is the concern of whoever needs it."""
        for name in modules:
            if self._stopped.is_set():
                return
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
