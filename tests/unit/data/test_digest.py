from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mlops_ci.data import digest_file, digest_folder
from mlops_ci.errors import ComparisonError


def folder(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


FILES = {"MLmodel": "flavors", "data/model.pkl": "weights", "data/a.txt": "a"}


def test_a_file_is_its_sha256(tmp_path: Path) -> None:
    path = folder(tmp_path, {"x": "hello"}) / "x"
    assert digest_file(path) == "sha256:" + hashlib.sha256(b"hello").hexdigest()


def test_a_folder_is_its_names_and_contents(tmp_path: Path) -> None:
    one = digest_folder(folder(tmp_path / "one", FILES))
    other = digest_folder(folder(tmp_path / "other", dict(reversed(FILES.items()))))
    assert one == other
    changed = [
        FILES | {"MLmodel": "flavorz"},
        FILES | {"extra": ""},
        {name: text for name, text in FILES.items() if name != "data/a.txt"},
        {name.replace("a.txt", "b.txt"): text for name, text in FILES.items()},
        {"MLmodelflavors": "", "data/model.pkl": "weights", "data/a.txt": "a"},
    ]
    found = {digest_folder(folder(tmp_path / str(n), files)) for n, files in enumerate(changed)}
    assert len(found | {one}) == len(changed) + 1


def test_what_would_escape_the_digest_is_refused(tmp_path: Path) -> None:
    place = folder(tmp_path / "model", FILES)
    (place / "inner").symlink_to(tmp_path)
    with pytest.raises(ComparisonError, match="neither a file nor a folder"):
        digest_folder(place)
    (place / "inner").unlink()
    os.mkfifo(place / "pipe")
    with pytest.raises(ComparisonError, match="pipe"):
        digest_folder(place)
    (place / "pipe").unlink()
    (place / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ComparisonError, match="gone"):
        digest_folder(place)
    with pytest.raises(ComparisonError, match="cannot be read"):
        digest_folder(tmp_path / "absent")


def test_a_linked_file_counts_by_its_content(tmp_path: Path) -> None:
    one = digest_folder(folder(tmp_path / "one", FILES))
    place = folder(tmp_path / "two", {k: v for k, v in FILES.items() if k != "MLmodel"})
    (place / "MLmodel").symlink_to(tmp_path / "one" / "MLmodel")
    assert digest_folder(place) == one
