"""SHA-256 of files and folders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_folder(path: Path) -> str:
    """Over the relative names and contents of all files, in order of name."""
    total = hashlib.sha256()
    for folder, names, files in os.walk(path):
        names.sort()
        for name in sorted(files):
            place = Path(folder) / name
            inside = place.relative_to(path).as_posix()
            total.update(f"{inside}\0{digest_file(place)}\n".encode())
    return f"sha256:{total.hexdigest()}"
