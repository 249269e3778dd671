"""What the store keeps, who it is asked by, and what it stands on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct

from mlops_ci.errors import BaselineError
from mlops_ci.records import Evaluation, Training

NAMES = (
    "training.json",
    "evaluation.json",
    "predictions.parquet",
    "exhibits.zip",
    "training-keys.bin",
)


class Header(Struct, frozen=True, kw_only=True):
    """One entry. `files` maps each of its files to (SHA-256, bytes); `commits` are those of main
    that have this key. `too_large` is the size of predictions that were left out. `metrics` are
    the values on all rows, `repeats` those of other trainings of the same key: other seeds, and
    earlier runs that came to something else. `sliced`: of gated slices, metric → slice → value;
    `points`: gated numbers of metrics files. `resources`: the model's size and times.
    `awaits`: what was to be shipped of it is not live yet."""

    address: str
    model: str
    key: str
    rows: str
    stored: str
    commits: tuple[str, ...]
    files: dict[str, tuple[str, int]]
    too_large: int | None = None
    metrics: dict[str, float] = {}
    sliced: dict[str, dict[str, float]] = {}
    points: dict[str, float] = {}
    repeats: tuple[dict[str, float], ...] = ()
    resources: dict[str, float] = {}
    awaits: bool = False

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.files.values())


class Use(Struct, frozen=True, kw_only=True):
    """How many commits of main were measured on one evaluation set: `rows` is its digest, `sample`
    tells it from others that share rows with it (`row_sample.py`). It outlives the entries."""

    model: str
    rows: str
    count: int
    last: str
    sample: bytes = b""


class Index(Struct, frozen=True, kw_only=True):
    schema: str = "mlops-ci/store/1"
    entries: tuple[Header, ...] = ()
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One side as it was evaluated on main. `predictions` is the slim Parquet file's content,
    `exhibits` an archive of what the project's own plots are drawn from, `training_keys` the hashed
    keys of the rows that it was trained on, `measured` values on all rows beside those of the
    evaluation. `sample`: of its evaluation rows. `sliced`, `points`: see `Header`."""

    training: Training
    evaluation: Evaluation
    predictions: bytes | None = None
    exhibits: bytes | None = None
    training_keys: bytes | None = None
    measured: Mapping[str, float] = field(default_factory=dict)
    sliced: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    points: Mapping[str, float] = field(default_factory=dict)
    sample: bytes = b""


@dataclass(frozen=True)
class Found:
    header: Header
    entry: Entry


@dataclass(frozen=True)
class Wanted:
    """By commit, else by training key; `rows` narrows to one evaluation set."""

    model: str
    commit: str | None = None
    key: str | None = None
    rows: str | None = None

    def fits(self, header: Header) -> bool:
        if header.model != self.model or (self.rows is not None and header.rows != self.rows):
            return False
        return (self.commit is not None and self.commit in header.commits) or (
            self.key is not None and header.key == self.key
        )


class Store(Protocol):
    def get(self, wanted: Wanted) -> Found | None:
        """The newest entry that fits. Raises BaselineError when it is there but unreadable."""
        ...

    def put(self, entry: Entry, *, awaits: bool = False) -> Header:
        """Raises ServiceError when others kept being faster, AccessError without permission."""
        ...

    def settle(self, header: Header) -> None:
        """What an entry awaited has come: it is live. Its `resources` are kept as they are now."""
        ...

    def list(self, model: str | None = None) -> tuple[Header, ...]: ...

    def uses(self, model: str, rows: str, sample: bytes = b"") -> int:
        """How many commits of main were measured on these rows, pruned ones too; or, by `sample`,
        on sets that most of these rows were in."""
        ...

    def samples(self, model: str) -> dict[str, bytes]:
        """Of each evaluation set that the ledger knows, by its digest."""
        ...

    def prune(self) -> int:
        """Drop what is too old or too much, but each model's newest; how many were dropped."""
        ...

    def delete(self, *wanted: Wanted) -> int:
        """All that fit any of them, in one change; how many there were."""
        ...


class Shelf(Protocol):
    """Files by name. `version` names one state; None: there is nothing yet."""

    @property
    def place(self) -> str: ...

    def version(self) -> str | None:
        """The newest state, fetched: a look at the network each time."""
        ...

    def read(self, version: str, limits: Mapping[str, int]) -> dict[str, bytes]:
        """Files by path, those that are there, in one go. Raises BaselineError for a file with
        more bytes than its limit."""
        ...

    def swap(self, version: str | None, writes: Mapping[str, bytes | None]) -> bool:
        """Write (or, None: remove) files on top of `version`; False when that is not the newest."""
        ...


def too_large(path: str, size: int, limit: int, place: str) -> BaselineError:
    return BaselineError(
        f"{path} in the store has {size:,} bytes; {limit:,} are allowed", where=place
    )


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def gone_files(before: Index, after: Index) -> dict[str, bytes | None]:
    left = {header.address for header in after.entries}
    return {
        f"entries/{header.address}/{name}": None
        for header in before.entries
        if header.address not in left
        for name in header.files
    }


def is_address(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
