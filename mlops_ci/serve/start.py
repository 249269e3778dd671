"""From settings to a server that is ready: nothing listens before the model has answered once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from mlops_ci.serve.control import Control
from mlops_ci.serve.flavors import Model, ModelError, open_model, sample_rows
from mlops_ci.serve.invocations import parse_json
from mlops_ci.serve.message import Refusal
from mlops_ci.serve.rows import Rows
from mlops_ci.serve.server import Server, listen_on
from mlops_ci.serve.service import Service
from mlops_ci.serve.settings import Settings
from mlops_ci.serve.worker import Worker

EXAMPLE = "serving_input_example.json"


async def start(settings: Settings) -> None:
    started = time.monotonic()
    model = open_model(settings.folder)
    warmed = warm_up(model, settings.folder)
    loop = asyncio.get_running_loop()
    worker = Worker(model, loop, limits=(settings.max_waiting, settings.batch_rows))
    server = Server(Service(settings, model, worker))
    handed_over = settings.control is not None
    listener = listen_on("127.0.0.1", 0) if handed_over else listen_on(settings.host, settings.port)
    port = listener.getsockname()[1]
    await server.listen(listener)
    if settings.control is not None:
        Control(settings.control, server, port).start()
    _say(
        f"{settings.name} {settings.digest[:19]} ({model.flavor}) ready on port {port} after "
        f"{time.monotonic() - started:.2f} s, warmed up with {warmed}"
    )
    await server.run()
    if settings.control is not None:
        settings.control.unlink(missing_ok=True)
    worker.stop()
    _say("stopped")


def warm_up(model: Model, folder: Path) -> str:
    """Ask once before the first stranger does.

    Raises ModelError when the model fails on its own example: such a model must not get ready.
    Rows that we made up may be nonsense to it, so they prove nothing either way.
    """
    example = folder / EXAMPLE
    if example.is_file():
        try:
            rows, params = parse_json(example.read_bytes(), model.inputs)
            model.methods[model.default](rows, params)
        except Refusal as refusal:
            raise ModelError(f"{EXAMPLE} does not fit the signature: {refusal.message}") from None
        except Exception as error:
            raise ModelError(f"the model fails on its own {EXAMPLE}: {error!r}") from error
        return "its own example"
    rows_or_none: Rows | None = sample_rows(model.inputs)
    if rows_or_none is None:
        return "nothing: it has no example"
    try:
        model.methods[model.default](rows_or_none, {})
    except Exception as error:  # noqa: BLE001 - made-up rows may be refused
        return f"nothing: zeros were refused ({type(error).__name__})"
    return "zeros"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
