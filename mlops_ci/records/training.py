"""The records of `train` and `report`."""

from __future__ import annotations

from msgspec import Struct


class Environment(Struct, frozen=True, kw_only=True):
    """What the command ran in. `lock_digest` is the SHA-256 of the requirements or lock file."""

    python: str
    platform: str
    lock: str | None = None
    lock_digest: str | None = None


class SeedRun(Struct, frozen=True, kw_only=True):
    """One more training, with MLOPS_CI_SEED=`seed`. `folder`, relative to the project, has what it
    wrote, under the paths of `outputs`."""

    seed: int
    folder: str
    outputs: dict[str, str]
    duration_seconds: float


class Training(Struct, frozen=True, kw_only=True):
    """`key` is the training key: SHA-256 over command, tracked code, data, parameters, lock,
    Python and platform; None where nothing was trained here (`train:` is left out).

    `exit_code` is the user's own; `signal` the number that ended it; both None on a time-out.
    `reused` names the commit whose outputs were taken because its key is equal. `seeds` are the
    trainings beside the one that counts, whose seed is 0.
    """

    schema: str = "mlops-ci/train/1"
    model: str
    commit: str
    run_id: str
    started: str
    duration_seconds: float
    command: list[str]
    key: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    parameters: dict[str, str | int | float | bool | None] = {}
    data: dict[str, str] = {}
    outputs: dict[str, str] = {}
    environment: Environment | None = None
    peak_memory_bytes: int | None = None
    reused: str | None = None
    tracker: str | None = None
    tracker_run: str | None = None
    log: str | None = None
    seeds: tuple[SeedRun, ...] = ()
    notes: list[str] = []


class Report(Struct, frozen=True, kw_only=True):
    """Where the report went. A link is None where it was not or could not be posted; `notes` say
    why."""

    schema: str = "mlops-ci/report/1"
    model: str
    commit: str
    markdown: str | None = None
    html: str | None = None
    plots: list[str] = []
    comment_url: str | None = None
    check_url: str | None = None
    notes: list[str] = []
