"""What a training wrote into the runner's files is gone before we write."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_ci.github.runner import Runner

FORGED = "verdict=pass\n"


def appended(path: Path) -> None:
    with path.open("a") as file:
        file.write(FORGED)


def emptied(path: Path) -> None:
    path.write_text("")


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    path.unlink()
    path.write_text(FORGED)


def turned_into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "forged").write_text(FORGED)


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "innocent")


def hard_linked(path: Path) -> None:
    path.unlink()
    os.link(path.parent / "innocent", path)


CHANGES = [appended, emptied, removed, replaced, turned_into_a_folder, linked, hard_linked]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"])
def test_only_what_was_there_and_what_we_say_is_left(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "file"
    path.write_text("before\n")
    path.chmod(0o640)
    (tmp_path / "innocent").write_text("not ours\n")
    runner = Runner({"GITHUB_OUTPUT": str(tmp_path / "output"), name: str(path)}, io.BytesIO())
    change(path)
    runner.output("verdict", "fail")
    runner.output("digest", "")
    lines = path.read_text().splitlines()
    assert lines[0] == "before"
    assert "verdict=pass" not in lines
    assert len(lines) == (7 if name == "GITHUB_OUTPUT" else 1)
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "innocent").read_text() == "not ours\n"


def test_what_we_wrote_ourselves_is_not_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.touch()
    runner = Runner({"GITHUB_STEP_SUMMARY": str(path)}, io.BytesIO())
    assert runner.summary("one")
    assert runner.summary("two")
    assert path.read_text() == "one\ntwo\n"


def test_a_file_that_the_runner_did_not_make_is_made(tmp_path: Path) -> None:
    path = tmp_path / "output"
    runner = Runner({"GITHUB_OUTPUT": str(path)}, io.BytesIO())
    runner.output("verdict", "pass")
    assert path.read_text().startswith("verdict<<")
