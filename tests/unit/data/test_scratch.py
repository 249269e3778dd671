"""Folders of processes that were killed go with the next run; those of living ones stay."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from mlops_ci.data.scratch import PREFIX, Scratch


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def leftover(place: Path, name: str = "dead") -> Path:
    folder = place / f"{PREFIX}{name}"
    folder.mkdir()
    (folder / "rows.parquet").write_text("rows")
    return folder


def test_it_is_gone_at_the_end(place: Path) -> None:
    with Scratch() as scratch:
        assert Path(scratch.name).parent == place
        (Path(scratch.name) / "rows").write_text("rows")
    assert not list(place.iterdir())
    scratch.cleanup()


def test_it_is_gone_with_its_owner(place: Path) -> None:
    scratch = Scratch()
    assert len(list(place.iterdir())) == 1
    del scratch
    assert not list(place.iterdir())


def test_what_nobody_holds_is_removed(place: Path) -> None:
    dead = leftover(place)
    with Scratch():
        assert not dead.exists()


def test_what_somebody_holds_stays(place: Path) -> None:
    alive = leftover(place, "alive")
    handle = os.open(alive, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with Scratch() as one, Scratch() as other:
            assert (alive / "rows.parquet").exists()
            assert Path(one.name).is_dir()
            assert Path(other.name).is_dir()
    finally:
        os.close(handle)
    with Scratch():
        assert not alive.exists()


def test_what_is_not_ours_stays(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "kept").write_text("kept")
    (place / f"{PREFIX}link").symlink_to(place / "elsewhere")
    (place / f"{PREFIX}file").write_text("a file")
    (place / "mlops-ci-other").mkdir()
    with Scratch():
        pass
    assert (place / "elsewhere" / "kept").exists()
    assert sorted(one.name for one in place.iterdir()) == sorted(
        ["elsewhere", "mlops-ci-other", f"{PREFIX}file", f"{PREFIX}link"]
    )


def test_one_that_was_taken_for_a_leftover_is_made_anew(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its making and its lock."""
    made = []
    make = tempfile.mkdtemp

    def taken(prefix: str) -> str:
        made.append(make(prefix=prefix))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", taken)
    with Scratch() as scratch:
        assert scratch.name == made[1]
        assert Path(scratch.name).is_dir()
    assert not list(place.iterdir())


def test_a_folder_where_nothing_can_be_locked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "not supported")

    old = leftover(place)
    monkeypatch.setattr(fcntl, "flock", refuse)
    with Scratch() as scratch:
        assert Path(scratch.name).is_dir()
    assert old.exists()
