"""SHA-256 of files and folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from mlops_ci.errors import ComparisonError


def digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_folder(path: Path) -> str:
    """Over the relative names and contents of all files, in order of name.

    Raises ComparisonError for what would escape the digest: a folder that cannot be read, a link to
    a folder, a pipe.
    """
    total = hashlib.sha256()
    for place in _files(path):
        inside = os.fsencode(place.relative_to(path).as_posix())
        total.update(inside + b"\0" + digest_file(place).encode() + b"\n")
    return f"sha256:{total.hexdigest()}"


def _files(path: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(path, onerror=_refuse):
        names.sort()
        for name in (*names, *files):
            place = Path(folder) / name
            if (name in names and place.is_symlink()) or not (place.is_dir() or place.is_file()):
                raise ComparisonError(
                    f"{place.name} is neither a file nor a folder",
                    where=str(place),
                    fix="put a copy there: what a link or a pipe leads to has no digest",
                )
        yield from (Path(folder) / name for name in sorted(files))


def _refuse(error: OSError) -> NoReturn:
    raise ComparisonError(
        f"the folder cannot be read: {error.strerror}", where=str(error.filename)
    ) from error
