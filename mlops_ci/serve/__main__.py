"""`python -m mlops_ci.serve`: open the model, warm it up, serve it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any

from mlops_ci.serve.settings import THREAD_VARIABLES, read_settings


def main() -> int:
    """0 after a wish to stop, 1 when the model cannot be served.

    The word `serve` is allowed as an argument: SageMaker starts images with it.
    """
    if sys.argv[1:] not in ([], ["serve"]):
        print("usage: python -m mlops_ci.serve", file=sys.stderr)  # noqa: T201
        return 2
    for name in THREAD_VARIABLES:  # before numpy is imported: it reads them once
        os.environ.setdefault(name, "1")
    from mlops_ci.serve.flavors import ModelError
    from mlops_ci.serve.start import start

    try:
        settings = read_settings(os.environ)
        _run(start(settings))
    except (ModelError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _run(main_task: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(main_task)
    else:
        uvloop.run(main_task)


if __name__ == "__main__":
    sys.exit(main())
