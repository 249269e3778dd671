"""What is kept of main between runs: records and predictions, by model, training key and data.

One store over two kinds of shelf (a Git ref, a folder). A shelf holds files and swaps them whole:
all of a change or nothing, and nothing when somebody else was faster.

    index.json                             Header of every entry
    entries/<address>/training.json
    entries/<address>/evaluation.json
    entries/<address>/predictions.parquet  slim: id, label, prediction, score, declared slices
    entries/<address>/exhibits.zip         what the project's own plots are drawn from
    entries/<address>/training-keys.bin    hashed keys of the rows that it was trained on

What is read is not trusted: schema, size and SHA-256 are checked.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from mlops_ci.baseline.entry import (
    NAMES,
    Entry,
    Found,
    Header,
    Index,
    Shelf,
    Store,
    Use,
    Wanted,
    digest_of,
    gone_files,
    is_address,
)
from mlops_ci.baseline.history import other_seeds, repeats_of, values_of
from mlops_ci.baseline.ledger import count_use, times_used, with_uses, without_samples
from mlops_ci.baseline.resources import MEGABYTE, resources_of
from mlops_ci.config import Store as Limits
from mlops_ci.errors import BaselineError, RecordError, ServiceError
from mlops_ci.records import Evaluation, Training
from mlops_ci.records.files import decode_record

T = TypeVar("T")

__all__ = [
    "Entry",
    "Found",
    "Header",
    "Index",
    "Shelf",
    "ShelfStore",
    "Store",
    "Wanted",
    "digest_of",
]

INDEX = "index.json"
MAX_INDEX_BYTES = 16 * 1024 * 1024
MAX_RECORD_BYTES = 8 * 1024 * 1024
ATTEMPTS = 10


@dataclass(frozen=True)
class ShelfStore:
    """The store, whatever the shelf. `pause` waits some seconds between attempts."""

    shelf: Shelf
    limits: Limits
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    chance: random.Random = field(default_factory=random.Random)
    known: dict[str, str | None] = field(default_factory=dict, compare=False, repr=False)
    indexes: dict[str, Index] = field(default_factory=dict, compare=False, repr=False)

    def get(self, wanted: Wanted) -> Found | None:
        def find(version: str) -> Found | None:
            fitting = [header for header in self._index(version).entries if wanted.fits(header)]
            by_commit = [header for header in fitting if wanted.commit in header.commits]
            newest = max(by_commit or fitting, key=lambda header: header.stored, default=None)
            return Found(newest, self._entry(version, newest)) if newest else None

        return self._read(find, None)

    def put(self, entry: Entry, *, awaits: bool = False) -> Header:
        header, files = self._pack(entry)
        header = msgspec.structs.replace(header, awaits=awaits)

        def change(index: Index) -> tuple[Index, dict[str, bytes | None]]:
            old = next((one for one in index.entries if one.address == header.address), None)
            commits = dict.fromkeys((*(old.commits if old else ()), *header.commits))
            repeats = repeats_of(header, old)
            merged = msgspec.structs.replace(header, commits=tuple(commits), repeats=repeats)
            others = tuple(one for one in index.entries if one.address != header.address)
            kept = with_uses(self._kept((*others, merged)), count_use(index, header, entry.sample))
            return kept, files | gone_files(index, kept)

        self._change(change)
        return header

    def settle(self, header: Header) -> None:
        def change(index: Index) -> tuple[Index, dict[str, bytes | None]]:
            live = {"awaits": False, "resources": header.resources}
            entries = tuple(
                msgspec.structs.replace(one, **live) if one.address == header.address else one
                for one in index.entries
            )
            return msgspec.structs.replace(index, entries=entries), {}

        self._change(change)

    def list(self, model: str | None = None) -> tuple[Header, ...]:
        none: tuple[Header, ...] = ()
        entries = self._read(lambda version: self._index(version).entries, none)
        return tuple(one for one in entries if model is None or one.model == model)

    def uses(self, model: str, rows: str, sample: bytes = b"") -> int:
        return self._read(lambda version: times_used(self._index(version), model, rows, sample), 0)

    def samples(self, model: str) -> dict[str, bytes]:
        none: tuple[Use, ...] = ()
        uses = self._read(lambda version: self._index(version).uses, none)
        return {one.rows: one.sample for one in uses if one.model == model and one.sample}

    def _read(self, work: Callable[[str], T], nothing: T) -> T:
        """One state serves all reads of a run; only when it fails is a newer one asked for: what
        another has deleted meanwhile cannot be read."""
        version = self._remembered()
        for _ in range(ATTEMPTS):
            if version is None:
                break
            try:
                return work(version)
            except (BaselineError, RecordError, ServiceError):
                before, version = version, self._fresh()
                if version == before:
                    raise
        return nothing

    def _remembered(self) -> str | None:
        return self.known["version"] if "version" in self.known else self._fresh()

    def _fresh(self) -> str | None:
        self.known.clear()
        self.known["version"] = self.shelf.version()
        return self.known["version"]

    def prune(self) -> int:
        return self._remove(lambda index: with_uses(self._kept(index.entries), index.uses))

    def delete(self, *wanted: Wanted) -> int:
        def left(index: Index) -> Index:
            kept = tuple(e for e in index.entries if not any(one.fits(e) for one in wanted))
            return without_samples(index, Index(entries=kept))

        return self._remove(left)

    def _remove(self, choose: Callable[[Index], Index]) -> int:
        removed = 0

        def change(index: Index) -> tuple[Index, dict[str, bytes | None]]:
            nonlocal removed
            kept = choose(index)
            removed = len(index.entries) - len(kept.entries)
            return kept, gone_files(index, kept)

        if self._fresh() is not None:
            self._change(change)
        return removed

    def _change(self, change: Callable[[Index], tuple[Index, dict[str, bytes | None]]]) -> None:
        for attempt in range(ATTEMPTS):
            version = self._fresh()
            index = self._index(version) if version else Index()
            changed, writes = change(index)
            if version is not None and changed == index:
                return
            content = msgspec.json.format(msgspec.json.encode(changed, order="deterministic"))
            swapped = self.shelf.swap(version, {**writes, INDEX: content + b"\n"})
            self.known.clear()
            if swapped:
                return
            self.pause(min(5.0, 0.1 * 2**attempt) * (0.5 + self.chance.random()))
        raise ServiceError(
            f"the store was changed by others {ATTEMPTS} times in a row",
            where=self.shelf.place,
            fix="run the job again",
        )

    def _kept(self, entries: tuple[Header, ...]) -> Index:
        """Newest first until the limits; each model's newest stays, however old."""
        oldest = (self.now() - timedelta(days=self.limits.max_age_days)).isoformat()
        kept: list[Header] = []
        total, seen = 0.0, set[str]()
        for header in sorted(entries, key=lambda one: one.stored, reverse=True):
            fresh = header.stored >= oldest
            fits = total + header.bytes <= self.limits.max_total_mb * MEGABYTE
            if header.model not in seen or (fresh and fits):
                kept.append(header)
                total += header.bytes
            seen.add(header.model)
        return Index(entries=tuple(sorted(kept, key=lambda one: (one.model, one.stored))))

    def _pack(self, entry: Entry) -> tuple[Header, dict[str, bytes | None]]:
        evaluation, training = entry.evaluation, entry.training
        key = training.key or f"commit:{evaluation.commit}"
        rows = evaluation.rows_digest or ""
        address = hashlib.sha256(f"{evaluation.model}\0{key}\0{rows}".encode()).hexdigest()
        contents = {
            "training.json": msgspec.json.encode(training, order="deterministic"),
            "evaluation.json": msgspec.json.encode(evaluation, order="deterministic"),
        }
        size = len(entry.predictions) if entry.predictions is not None else 0
        too_large = size if size > self.limits.max_file_mb * MEGABYTE else None
        if entry.predictions is not None and too_large is None:
            contents["predictions.parquet"] = entry.predictions
        more = zip(NAMES[3:], (entry.exhibits, entry.training_keys), strict=True)
        contents |= {name: data for name, data in more if data and len(data) <= MAX_RECORD_BYTES}
        header = Header(
            address=address,
            model=evaluation.model,
            key=key,
            rows=rows,
            stored=self.now().isoformat(),
            commits=(evaluation.commit,),
            files={name: (digest_of(data), len(data)) for name, data in contents.items()},
            too_large=too_large,
            metrics=values_of(entry),
            sliced={metric: dict(values) for metric, values in entry.sliced.items()},
            points=dict(entry.points),
            repeats=other_seeds(evaluation),
            resources=resources_of(training, evaluation),
        )
        return header, {f"entries/{address}/{name}": data for name, data in contents.items()}

    def _index(self, version: str) -> Index:
        """A state never changes, so neither does its index."""
        if version not in self.indexes:
            self.indexes[version] = self._read_index(version)
        return self.indexes[version]

    def _read_index(self, version: str) -> Index:
        content = self.shelf.read(version, {INDEX: MAX_INDEX_BYTES}).get(INDEX)
        if content is None:
            raise self._broken(f"{INDEX} is missing")
        try:
            index = msgspec.json.decode(content, type=Index)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise self._broken(f"{INDEX}: {error}") from error
        if index.schema != Index().schema:
            raise self._broken(f"{INDEX} has the schema {index.schema!r}")
        if not all(is_address(header.address) for header in index.entries):
            raise self._broken(f"{INDEX} names a place outside the store")
        return index

    def _entry(self, version: str, header: Header) -> Entry:
        limit = int(self.limits.max_file_mb * MEGABYTE)
        most = {"predictions.parquet": limit}
        inside = f"entries/{header.address}"
        names = [name for name in NAMES if name in header.files]
        asked = {f"{inside}/{name}": most.get(name, MAX_RECORD_BYTES) for name in names}
        found = self.shelf.read(version, asked)
        training, evaluation, predictions, exhibits, keys = (
            self._intact(header, name, found.get(f"{inside}/{name}")) for name in NAMES
        )
        if training is None or evaluation is None:
            raise self._broken(f"a record of {header.model} is missing")
        entry = Entry(
            decode_record(training, Training, where=self.shelf.place),
            decode_record(evaluation, Evaluation, where=self.shelf.place),
            predictions,
            exhibits,
            keys,
        )
        if {entry.training.model, entry.evaluation.model} != {header.model}:
            raise self._broken(f"an entry of {header.model} holds another model's records")
        return entry

    def _intact(self, header: Header, name: str, content: bytes | None) -> bytes | None:
        if name not in header.files:
            return None
        if content is None:
            raise self._broken(f"{name} of {header.model} is missing")
        if digest_of(content) != header.files[name][0]:
            raise self._broken(f"{name} of {header.model} is not what was stored (SHA-256 differs)")
        return content

    def _broken(self, why: str) -> BaselineError:
        return BaselineError(
            f"the store cannot be trusted: {why}",
            where=self.shelf.place,
            fix="remove it, and the next merge starts a new one: "
            "`git push origin :refs/mlops-ci/store` (or delete the store's folder)",
        )
