"""Import what the report will need while the user's training keeps another process busy.

matplotlib with its fonts, DuckDB and SciPy take most of a second, which would otherwise lie between
the end of training and the comment.
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
    "mlops_ci.report",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.font_manager",
)


def begin_imports(modules: Sequence[str] = MODULES) -> threading.Thread:
    """A module that is not installed is the concern of whoever needs it."""
    thread = threading.Thread(target=_import, args=(modules,), name="imports", daemon=True)
    thread.start()
    return thread


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
