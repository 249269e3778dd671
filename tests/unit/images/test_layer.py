"""A layer's digest depends on names and contents, and on nothing else."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.errors import UsageError
from mlops_ci.images.layer import Entry, Layer, folder_entries, write_layer

NAMES = st.text("abcdefg/-_.é", min_size=1, max_size=120).filter(
    lambda name: all(part not in {"", ".", ".."} for part in name.split("/"))
)


def layer_of(entries: list[Entry]) -> tuple[Layer, bytes]:
    out = io.BytesIO()
    return write_layer(entries, out), out.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=8))
def test_order_does_not_matter_and_all_is_there(files: dict[str, bytes]) -> None:
    entries = [Entry(f"model/{name}", content=content) for name, content in files.items()]
    layer, content = layer_of(entries)
    again, _ = layer_of(entries[::-1])
    assert layer == again
    assert layer.size == len(content)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = tar.getmembers()
        found = {m.name: tar.extractfile(m).read() for m in members if m.isfile()}  # type: ignore[union-attr]
    assert found == {f"model/{name}": content for name, content in files.items()}
    assert {(m.mtime, m.uid, m.gid, m.uname) for m in members} <= {(0, 0, 0, "")}


def test_clock_owner_and_place_do_not_matter(tmp_path: Path) -> None:
    files = {"MLmodel": b"a", "data/model.pkl": b"b" * 5000}
    one = write(tmp_path / "one", files)
    two = write(tmp_path / "two", files)
    os.utime(two / "MLmodel", (1, 1))
    (two / "MLmodel").chmod(0o600)
    (two / "empty").mkdir()
    first, _ = layer_of(folder_entries(one, "opt/model"))
    second, _ = layer_of(folder_entries(two, "opt/model"))
    assert first == second
    (two / "MLmodel").write_bytes(b"c")
    third, _ = layer_of(folder_entries(two, "opt/model"))
    assert third.digest != first.digest


@pytest.mark.parametrize("link", ["../secret", "/etc/passwd", "inside"])
def test_links_that_lead_out_or_to_folders_are_refused(tmp_path: Path, link: str) -> None:
    write(tmp_path, {"secret": b"s", "model/inside/a": b"a"})
    (tmp_path / "model" / "link").symlink_to(link)
    with pytest.raises(UsageError, match="links to"):
        folder_entries(tmp_path / "model", "opt")


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no plain file"):
        folder_entries(tmp_path, "opt")
