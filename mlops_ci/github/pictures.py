"""A branch of pictures, so that a comment can show plots: signed-in readers of a private repository
see what lies on a branch of it.

All of a report's pictures go up in one push: GitHub allows 80 writes by its API in a minute, which
a picture a request would use up in a few runs. The branch is one commit without a parent, replaced
by compare-and-swap, so what is pruned is gone. A picture's path is its SHA-256: a link by the
branch's name keeps working, equal pictures are one file, and writers at the same time only add to
each other. `index.json` holds when each was last shown. The user's checkout is not touched.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

import msgspec
from msgspec import Struct

from mlops_ci.errors import MlopsCiError, ServiceError
from mlops_ci.github.patience import Patience

BRANCH = "mlops-ci-plots"
REF = f"refs/heads/{BRANCH}"
MESSAGE = "Pictures of reports\n\nOne commit, replaced at each write. [skip ci]"
INDEX = "index.json"
MOST_INDEX_BYTES = 16 * 1024 * 1024
MOST_DAYS = 90  # since it was last shown
MOST_BYTES = 100 * 1024 * 1024  # of all pictures
ONE_BYTES = 60_000  # of a picture whose size the index does not tell
FRESH_DAYS = 7  # so long the index is not rewritten for pictures that are there
ROUNDS = 12
FAILURES = 3  # of the network, not of a race
PATIENCE = 60.0  # seconds for one command of Git's
PAUSE = 0.3  # seconds before another try, at least


class Index(Struct, frozen=True):
    """Path → the day when it was last shown; path → bytes."""

    shown: dict[str, date] = {}
    sizes: dict[str, int] = {}


class Branch(Protocol):
    """One commit, replaced as a whole. Raises AccessError without the right, ServiceError when the
    answer did not come: what was asked for may have been done."""

    def version(self) -> str | None: ...

    def files(self, version: str) -> Mapping[str, str]: ...

    def read(self, version: str, limits: Mapping[str, int]) -> dict[str, bytes]: ...

    def swap(self, version: str | None, writes: Mapping[str, bytes | None]) -> bool: ...


@dataclass(frozen=True)
class Shelf:
    """What the branch holds: path → when it was last shown, path → bytes. `tip` None: nothing."""

    tip: str | None = None
    shown: Mapping[str, date] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Pictures:
    """`web` is GITHUB_SERVER_URL. Raises as `Branch` does."""

    branch: Branch
    repository: str
    web: str
    today: date
    patience: Patience
    seen: Shelf | None = None
    looking: threading.Thread | None = None

    def begin(self) -> None:
        """Look at the branch meanwhile; what goes wrong is told when it counts."""
        self.looking = threading.Thread(target=self._look, name="pictures", daemon=True)
        self.looking.start()

    def publish(self, contents: Sequence[bytes]) -> list[str]:
        """Addresses of PNG pictures, in the order given. Nothing is written when all are there."""
        wanted = {path_of(content): content for content in contents}
        failures = 0
        for attempt in range(ROUNDS):
            try:
                if self._put(self._shelf(), wanted):
                    return [self._address(path_of(content)) for content in contents]
            except ServiceError:  # the push may have been done all the same: the next look tells
                failures += 1
                if failures == FAILURES:
                    raise
            patience = self.patience  # another writer was first, or the answer was lost
            patience.pause(PAUSE * (attempt + 1) * (0.5 + patience.jitter()))
        raise ServiceError(
            f"the branch {BRANCH} was changed by others each of {ROUNDS} times",
            where=self.repository,
            fix="run the job again; the report is complete without the pictures",
        )

    def _look(self) -> None:
        try:
            self.seen = self._read()
        except MlopsCiError:
            self.seen = None

    def _shelf(self) -> Shelf:
        """As it was seen before, once: a push on top of what is gone is refused."""
        if self.looking is not None:
            self.looking.join()
            self.looking = None
        found, self.seen = self.seen, None
        return found or self._read()

    def _put(self, shelf: Shelf, wanted: Mapping[str, bytes]) -> bool:
        """False: somebody else was faster."""
        if self._holds(shelf, wanted):
            return True
        sizes = {**shelf.sizes, **{path: len(content) for path, content in wanted.items()}}
        shown = {**shelf.shown, **dict.fromkeys(wanted, self.today)}
        kept = keep(sizes, shown, wanted, self.today)
        index = Index({path: shown[path] for path in kept}, {path: sizes[path] for path in kept})
        new = {path: content for path, content in wanted.items() if path not in shelf.shown}
        gone = dict.fromkeys(path for path in shelf.shown if path not in kept)
        return self.branch.swap(shelf.tip, {**gone, **new, INDEX: msgspec.json.encode(index)})

    def _holds(self, shelf: Shelf, wanted: Iterable[str]) -> bool:
        fresh = self.today - timedelta(days=FRESH_DAYS)
        return all(path in shelf.shown and shelf.shown[path] >= fresh for path in wanted)

    def _address(self, path: str) -> str:
        return f"{self.web.rstrip('/')}/{self.repository}/blob/{BRANCH}/{path}?raw=true"

    def _read(self) -> Shelf:
        tip = self.branch.version()
        if tip is None:
            return Shelf()
        files = [path for path in self.branch.files(tip) if path != INDEX]
        index = self._index(tip)
        return Shelf(
            tip,
            {path: index.shown.get(path, self.today) for path in files},
            {path: index.sizes.get(path, ONE_BYTES) for path in files},
        )

    def _index(self, tip: str) -> Index:
        """Anybody who may push can have written it: what cannot be read counts as new."""
        content = self.branch.read(tip, {INDEX: MOST_INDEX_BYTES}).get(INDEX)
        try:
            return msgspec.json.decode(content, type=Index) if content is not None else Index()
        except (ValueError, msgspec.MsgspecError):
            return Index()


def path_of(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"{digest[:2]}/{digest}.png"


def keep(
    sizes: Mapping[str, int], shown: Mapping[str, date], wanted: Mapping[str, bytes], today: date
) -> list[str]:
    """Of all paths those that stay: not older than MOST_DAYS and, the last shown first, no more
    than MOST_BYTES; what is wanted now always. Sorted."""
    oldest = today - timedelta(days=MOST_DAYS)
    order = sorted(sizes, key=lambda path: (path in wanted, shown[path], path), reverse=True)
    kept, total = [], 0
    for path in order:
        total += sizes[path]
        if path in wanted or (shown[path] >= oldest and total <= MOST_BYTES):
            kept.append(path)
    return sorted(kept)
