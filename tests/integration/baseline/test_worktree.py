"""Base's files: whole, shared where they are large, and never in the user's way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlops_ci.baseline.worktree import checked_out, link_data, undeclared
from mlops_ci.errors import BaselineError
from tests.integration.repositories import Repository, git, make_repository

CONFIG = {"mlops-ci.yaml": "models: {m: {train: 'true', predictions: p.csv}}\n", "train.py": "1\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit(CONFIG, "one")
    return repo


def test_the_checkout_and_index_of_the_user_stay_as_they_are(repo: Repository) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"train.py": "2\n"})
    repo.write({"train.py": "3\n", "new.txt": "n"})
    repo.git("add", "new.txt")
    before = (repo.git("status", "--porcelain"), repo.git("rev-parse", "HEAD"))
    with checked_out(repo.project(), base) as top:
        assert (top / "train.py").read_text() == "1\n"
        assert not (top / "new.txt").exists()
        assert top != repo.folder
    assert not top.exists()
    assert (repo.git("status", "--porcelain"), repo.git("rev-parse", "HEAD")) == before
    assert repo.git("worktree", "list").count("\n") == 0


def test_it_is_removed_after_an_error_and_a_stale_one_does_not_hinder(repo: Repository) -> None:
    base = repo.git("rev-parse", "HEAD")
    with pytest.raises(ZeroDivisionError), checked_out(repo.project(), base):
        raise ZeroDivisionError
    assert repo.git("worktree", "list").count("\n") == 0
    killed = checked_out(repo.project(), base)
    shutil.rmtree(killed.__enter__())
    with checked_out(repo.project(), base) as top:
        assert (top / "train.py").exists()


def test_a_commit_that_is_not_here_is_an_error(repo: Repository) -> None:
    with (
        pytest.raises(BaselineError, match="cannot be checked out"),
        checked_out(repo.project(), "c" * 40),
    ):
        pass


def test_submodules_come_from_the_clones_that_are_here(repo: Repository, tmp_path: Path) -> None:
    """Also when their address is gone, and at the commit that base names."""
    inner = make_repository(tmp_path / "inner")
    inner.commit({"deep.txt": "deep\n"})
    library = make_repository(tmp_path / "library")
    library.commit({"lib.py": "one\n"})
    allow = ("-c", "protocol.file.allow=always")
    library.git(*allow, "submodule", "add", "--quiet", str(inner.folder), "inner")
    library.commit({}, "inner")
    repo.git(
        *allow, "submodule", "add", "--quiet", "--name", "lib", str(library.folder), "vendor/lib"
    )
    repo.git(*allow, "submodule", "update", "--init", "--recursive", "--quiet")
    base = repo.commit({}, "with submodule")
    library.commit({"lib.py": "two\n"})
    git(repo.folder / "vendor/lib", "pull", "--quiet", "origin", "main")
    repo.commit({}, "newer submodule")
    shutil.rmtree(tmp_path / "library")
    shutil.rmtree(tmp_path / "inner")
    with checked_out(repo.project(), base) as top:
        assert (top / "vendor/lib/lib.py").read_text() == "one\n"
        assert (top / "vendor/lib/inner/deep.txt").read_text() == "deep\n"
    assert (repo.folder / "vendor/lib/lib.py").read_text() == "two\n"
    assert repo.git("status", "--porcelain") == ""


needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@needs_lfs
def test_large_files_are_there_not_their_pointers(repo: Repository) -> None:
    repo.git("lfs", "install", "--local")
    repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    base = repo.commit({"rows.bin": b"\0" * 5000 + b"one"})
    repo.commit({"rows.bin": b"\0" * 5000 + b"two"})
    pointer = git(repo.folder, "cat-file", "blob", f"{base}:rows.bin")
    assert pointer.startswith("version https://git-lfs")
    with checked_out(repo.project(), base) as top:
        assert (top / "rows.bin").read_bytes() == b"\0" * 5000 + b"one"


@needs_lfs
def test_a_large_file_that_is_not_here_is_an_error(repo: Repository) -> None:
    repo.git("lfs", "install", "--local")
    repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    base = repo.commit({"rows.bin": b"\0" * 5000 + b"one"})
    repo.commit({"rows.bin": b"\0" * 5000 + b"two"})
    shutil.rmtree(repo.folder / ".git/lfs/objects")
    with (
        pytest.raises(BaselineError, match=r"rows\.bin") as error,
        checked_out(repo.project(), base),
    ):
        pass
    assert "git lfs fetch" in error.value.fix


def test_data_is_linked_and_new_files_stay_in_the_worktree(tmp_path: Path) -> None:
    head, tree = tmp_path / "head", tmp_path / "tree"
    (head / "data/deep").mkdir(parents=True)
    (head / "data/a.csv").write_text("a")
    (head / "data/deep/b.csv").write_text("b")
    (head / "one.csv").write_text("1")
    (tree / "data").mkdir(parents=True)
    (tree / "data/a.csv").write_text("base's own")
    linked = link_data(head, tree, ["data/", "one.csv", "absent"])
    assert (tree / "data/a.csv").read_text() == "base's own"
    assert (tree / "data/deep/b.csv").read_text() == "b"
    assert (tree / "one.csv").read_text() == "1"
    (tree / "data/deep/cache.bin").write_text("made by training")
    assert not (head / "data/deep/cache.bin").exists()
    assert linked.changed() == []
    (tree / "data/deep/b.csv").write_text("overwritten")
    assert linked.changed() == [head / "data/deep/b.csv"]


@pytest.mark.parametrize(
    "tail",
    [
        "FileNotFoundError: [Errno 2] No such file or directory: 'inputs/rows.csv'",
        'pandas.errors: File "inputs/rows.csv" does not exist',
        "Rscript: cannot open file inputs/rows.csv: No such file",
        "FileNotFoundError: '{tree}/inputs/rows.csv'",
    ],
)
def test_the_missing_file_is_found_in_the_last_words(
    repo: Repository, tmp_path: Path, tail: str
) -> None:
    repo.write({"inputs/rows.csv": "1"})
    tree = tmp_path / "tree"
    tree.mkdir()
    assert undeclared(repo.project(), tree, tail.replace("{tree}", str(tree))) == "inputs/rows.csv"
    assert (
        undeclared(repo.project(), tree, "ValueError: 'other/rows.csv' /etc/passwd ../x.csv")
        is None
    )
