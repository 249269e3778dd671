"""Records on disk: `.mlops-ci/<model>/<commit>/<step>.json`."""

from __future__ import annotations

import inspect
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mlops_ci.errors import RecordError, UsageError
from mlops_ci.records.comparison import Comparison
from mlops_ci.records.evaluation import Evaluation
from mlops_ci.records.shipping import Build, Deployment, Push, Rollback
from mlops_ci.records.training import Report, Training

KINDS: dict[str, type[msgspec.Struct]] = {
    "train": Training,
    "evaluate": Evaluation,
    "compare": Comparison,
    "report": Report,
    "build": Build,
    "push": Push,
    "deploy": Deployment,
    "rollback": Rollback,
}
FOLDER = ".mlops-ci"
MAX_BYTES = 64 * 1024 * 1024

R = TypeVar("R", bound=msgspec.Struct)


def write_record(path: Path, record: msgspec.Struct) -> None:
    """Atomic: a reader sees the old file or the new one, also after a crash or on a full disk."""
    text = msgspec.json.format(msgspec.json.encode(record, order="deterministic"), indent=2)
    write_atomically(path, text + b"\n")


def write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_record(path: Path, kind: type[R]) -> R:
    """Raises RecordError when it is missing, broken, of another kind or of a newer version."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecordError("the record is too large to be ours", where=str(path))
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(
            f"the record cannot be read: {error.strerror}",
            where=str(path),
            fix=f"run `mlops-ci {path.stem}` first",
        ) from error
    return decode_record(content, kind, where=str(path))


def decode_record(content: bytes, kind: type[R], *, where: str) -> R:
    try:
        header = msgspec.json.decode(content, type=dict[str, Any]).get("schema")
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise _broken(where, str(error)) from error
    expected = next(f.default for f in msgspec.structs.fields(kind) if f.name == "schema")
    _check_version(header, expected, where)
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _broken(where, str(error)) from error


def _check_version(found: Any, expected: str, where: str) -> None:
    name, _, version = expected.rpartition("/")
    found_name, _, found_version = str(found).rpartition("/")
    if found_name != name or not found_version.isdigit():
        raise _broken(where, f"it says schema {found!r}, not {expected!r}")
    if int(found_version) > int(version):
        raise RecordError(
            f"a newer mlops-ci wrote this record (schema {found}, this one reads {expected})",
            where=where,
            fix="use the same version everywhere: `pip install --upgrade mlops-ci`",
        )


def _broken(where: str, why: str) -> RecordError:
    return RecordError(
        f"the record is broken: {why}",
        where=where,
        fix="delete it and run the step again",
    )


@dataclass(frozen=True)
class Folder:
    """The records of one project, below `root/.mlops-ci`."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / FOLDER

    def of(self, model: str, commit: str) -> Path:
        return self.path / model / commit

    def file(self, model: str, commit: str, step: str) -> Path:
        return self.of(model, commit) / f"{step}.json"

    def write(self, step: str, record: msgspec.Struct) -> Path:
        """`record` names its model and commit; a comparison is head's."""
        commit = record.head.commit if isinstance(record, Comparison) else record.commit  # type: ignore[attr-defined]
        path = self.file(record.model, commit or "unknown", step)  # type: ignore[attr-defined]
        self.ignore()
        write_record(path, record)
        return path

    def read(self, model: str, commit: str, kind: type[R]) -> R:
        step = next(name for name, known in KINDS.items() if known is kind)
        return read_record(self.file(model, commit, step), kind)

    def ignore(self) -> None:
        """Keep Git out of the folder without touching the user's own .gitignore."""
        marker = self.path / ".gitignore"
        if not marker.exists():
            write_atomically(marker, b"*\n")

    def point(self, model: str, name: str, commit: str) -> None:
        """Set the pointer `head` or `base`."""
        self.ignore()
        write_atomically(self.path / model / name, commit.encode() + b"\n")

    def pointed(self, model: str, name: str) -> str | None:
        path = self.path / model / name
        return path.read_text("utf-8").strip() or None if path.is_file() else None


def record_schema(name: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of `config`, `comparison`, or of a step's record."""
    from mlops_ci.config.model import Config

    kinds = {"config": Config, "comparison": Comparison, **KINDS}
    if name not in kinds:
        raise UsageError(
            f"there is no schema {name!r}", fix=f"choose one of: {', '.join(sorted(kinds))}"
        )
    schema = _dedent(msgspec.json.schema(kinds[name]))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _dedent(schema: Any) -> Any:
    """Python 3.13 keeps docstrings without their indentation, 3.12 with it: the schema is one."""
    if isinstance(schema, list):
        return [_dedent(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: inspect.cleandoc(value)
        if key == "description" and isinstance(value, str)
        else _dedent(value)
        for key, value in schema.items()
    }
