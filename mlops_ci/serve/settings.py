"""What the environment of the image may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Settings:
    """`digest` is the SHA-256 that the model was evaluated with.

    Bounds: `max_body` bytes of one request, `max_waiting` requests that wait for the model,
    `batch_rows` rows that one call of the model may get together (1: no batching),
    `max_connections` open at a time. `control`: path of a socket through which the listening one is
    handed over; the server then opens none itself but one on loopback, for checks.

    Seconds: `linger` between the wish to stop and the end of listening, `grace` for what is in
    flight, `patience` for a request to arrive whole, `idle` for a connection without one.
    """

    folder: Path
    name: str = "model"
    digest: str = ""
    host: str = "0.0.0.0"  # noqa: S104 - inside a container, whose ports are published or not
    port: int = 8080
    max_body: int = 64 * MEGABYTE
    max_waiting: int = 256
    batch_rows: int = 1024
    max_connections: int = 1024
    linger: float = 1.0
    grace: float = 25.0
    patience: float = 30.0
    idle: float = 75.0
    control: Path | None = None


NUMBERS = {
    "PORT": ("port", int),
    "MLOPS_CI_MAX_BODY": ("max_body", int),
    "MLOPS_CI_MAX_WAITING": ("max_waiting", int),
    "MLOPS_CI_BATCH_ROWS": ("batch_rows", int),
    "MLOPS_CI_MAX_CONNECTIONS": ("max_connections", int),
    "MLOPS_CI_LINGER": ("linger", float),
    "MLOPS_CI_GRACE": ("grace", float),
    "MLOPS_CI_PATIENCE": ("patience", float),
}
TEXTS = {
    "MLOPS_CI_MODEL_NAME": "name",
    "MLOPS_CI_MODEL_DIGEST": "digest",
    "HOST": "host",
}
DEFAULT_FOLDER = "/opt/mlops-ci/model"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Raises ValueError that names the variable."""
    values: dict[str, object] = {
        "folder": Path(environ.get("MLOPS_CI_MODEL_FOLDER", DEFAULT_FOLDER))
    }
    for variable, (field, kind) in NUMBERS.items():
        if environ.get(variable):
            try:
                values[field] = kind(environ[variable])
            except ValueError:
                raise ValueError(f"{variable}={environ[variable]!r} is not a number") from None
    if environ.get("MLOPS_CI_CONTROL"):
        values["control"] = Path(environ["MLOPS_CI_CONTROL"])
    values |= {field: environ[name] for name, field in TEXTS.items() if environ.get(name)}
    return Settings(**values)  # type: ignore[arg-type]
