"""What a file is by its first and last bytes, where its name says something else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from mlops_ci.errors import ComparisonError

FEW = 4096
GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", (b"PK\x03\x04", b"PK\x05\x06")
POINTER = b"version https://git-lfs.github.com/spec/"
WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\xff\xfe\0\0": "UTF-32"}
MARK = b"\xef\xbb\xbf"
WRITTEN = "write it to another name first and rename it at the end"


def refuse_disguised(path: Path, *, text: bool) -> None:
    """`text`: whether the name says so. Raises ComparisonError for a file of another kind, and for
    a text that begins or ends with NUL bytes: whoever wrote it reserved its room and was stopped.
    """
    try:
        first, last, hole = _ends(path)
    except OSError as error:
        raise ComparisonError(
            f"{path.name} cannot be read: {error.strerror or error}", where=str(path)
        ) from error
    if first.startswith(POINTER):
        raise _other(path, "a pointer of Git LFS and not the file itself", "git lfs pull")
    if path.name.lower().endswith(".gz"):
        if not first.startswith(GZIP):
            plain = path.name[: -len(".gz")]
            raise _other(path, "not compressed", f"name it so: mv {path.name} {plain}")
        return
    if text:
        _refuse_binary(path, first)
        _refuse_nul(path, first, last, hole=hole)


def _refuse_binary(path: Path, first: bytes) -> None:
    if first.startswith(GZIP):
        raise _other(path, "compressed (gzip)", f"name it so: mv {path.name} {path.name}.gz")
    if first.startswith(PARQUET):
        raise _other(path, "a Parquet file", f"name it so: mv {path.name} {path.stem}.parquet")
    if first.startswith(ZIP):
        raise _other(path, "a zip archive, or a workbook", "unpack it, or save it as CSV")
    wide = next((WIDE[mark] for mark in sorted(WIDE, key=len)[::-1] if first.startswith(mark)), "")
    if first.startswith(MARK) and path.name.lower().endswith((".jsonl", ".ndjson")):
        fix = f"remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' {path.name}"
        raise _other(path, "JSON behind a byte order mark, which JSON does not have", fix)
    few, many = sorted((first[::2].count(0), first[1::2].count(0)))
    if wide or 4 * many > len(first) > 16 * few:  # every other byte of plain letters
        name = wide or "UTF-16"
        raise _other(
            path,
            f"{name} text",
            f"write it as UTF-8: iconv -f {name} -t UTF-8 {path.name} > utf8-{path.name}",
        )


def _refuse_nul(path: Path, first: bytes, last: bytes, *, hole: bool) -> None:
    places = {
        "begins with": first.startswith(b"\0"),
        "ends in": last.endswith(b"\0"),
        "holds": b"\0" in first,
        "has a hole of": hole,
    }
    found = next((place for place, there in places.items() if there), None)
    if found is not None:
        raise ComparisonError(
            f"{path.name} {found} NUL bytes: it was not written as a whole",
            where=str(path),
            fix=f"look why the step before stopped; {WRITTEN}",
        )


def _ends(path: Path) -> tuple[bytes, bytes, bool]:
    """The first and the last bytes, and whether some between were never written."""
    with path.open("rb") as file:
        first = file.read(FEW)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - FEW))
        last = file.read(FEW)
        return first, last, _has_hole(file, size)


def _has_hole(file: IO[bytes], size: int) -> bool:
    """Some file systems call a hole what is only not on disk yet: bytes tell."""
    try:
        at = file.seek(0, os.SEEK_HOLE)
    except (AttributeError, OSError):
        return False
    file.seek(at)
    return at < size and file.read(1) == b"\0"


def _other(path: Path, what: str, fix: str) -> ComparisonError:
    return ComparisonError(f"{path.name} is {what}", where=str(path), fix=fix)
