"""Which commit is base, in real clones."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.baseline.commit import ZEROS, Asked, Kind, find_base
from mlops_ci.errors import BaselineError, UsageError
from mlops_ci.git import Git
from mlops_ci.project import open_project
from mlops_ci.world import World
from tests.integration.repositories import Repository, git, make_repository

CONFIG = {"mlops-ci.yaml": "models: {m: {train: 'true', predictions: p.csv}}\n", "train.py": "1\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = make_repository(tmp_path)
    repo.commit(CONFIG, "one")
    repo.push()
    return repo


def base_of(repo: Repository, asked: Asked | None = None) -> str | None:
    found = find_base(repo.project(), asked or Asked())
    return found.commit if found else None


def test_a_branch_is_compared_with_where_it_left_main(repo: Repository) -> None:
    fork = repo.git("rev-parse", "HEAD")
    repo.branch("idea")
    head = repo.commit({"train.py": "2\n"})
    repo.git("checkout", "--quiet", "main")
    later = repo.commit({"train.py": "3\n"})
    repo.push()
    repo.git("checkout", "--quiet", "idea")
    assert base_of(repo) == fork
    assert base_of(repo, Asked("pull_request", head=head, branch="main", commit=later)) == fork
    assert base_of(repo, Asked(ref="main")) == later
    for asked in (Asked(), Asked("pull_request", head=head, branch="main", commit=later)):
        found = find_base(repo.project(), asked)
        assert found is not None
        assert found.behind == 1


def test_a_pull_request_uses_its_own_base_branch(repo: Repository) -> None:
    repo.branch("release")
    release = repo.commit({"train.py": "2\n"})
    repo.push("release")
    repo.branch("fix", "release")
    head = repo.commit({"train.py": "3\n"})
    assert base_of(repo, Asked("pull_request", head=head, branch="release")) == release


def test_an_edited_main_is_compared_with_its_commit_and_a_clean_one_with_the_one_before(
    repo: Repository,
) -> None:
    first = repo.git("rev-parse", "HEAD")
    second = repo.commit({"train.py": "2\n"})
    repo.push()
    found = find_base(repo.project(), Asked())
    assert found is not None
    assert found.commit == first
    assert "commit before" in (found.note or "")
    repo.write({"train.py": "3\n"})
    assert base_of(repo) == second


def test_a_push_has_its_before_a_queue_its_base(repo: Repository) -> None:
    first = repo.git("rev-parse", "HEAD")
    head = repo.commit({"train.py": "2\n"})
    assert base_of(repo, Asked("push", head=head, commit=first)) == first
    assert base_of(repo, Asked("merge_group", head=head, commit=first)) == first
    assert base_of(repo, Asked("push", head=head, commit=ZEROS)) is None
    assert base_of(repo, Asked("push", head=head)) == first


def test_a_first_commit_has_no_base(repo: Repository) -> None:
    assert base_of(repo) is None


def test_unrelated_histories_have_no_base(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.commit(CONFIG)
    assert base_of(repo) is None


@pytest.mark.parametrize("kind", ["pull_request", "merge_group", "laptop"])
def test_a_shallow_clone_is_told_which_fetch_depth(
    repo: Repository, tmp_path: Path, kind: Kind
) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.branch("idea")
    head = repo.commit({"train.py": "2\n"})
    repo.push("idea")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", "-b", "idea", repo.origin.as_uri(), str(shallow))
    project = open_project(shallow, World(environ=repo.environ, folder=shallow))
    asked = (
        Asked(kind, head=head, branch="main", commit=first)
        if kind != "laptop"
        else Asked(ref="main")
    )
    with pytest.raises(BaselineError, match="shallow") as error:
        find_base(project, asked)
    assert "fetch-depth: 0" in error.value.fix
    assert error.value.exit_code == 3


def test_a_shallow_clone_of_one_branch_does_not_know_the_default_branch(
    repo: Repository, tmp_path: Path
) -> None:
    repo.branch("idea")
    repo.commit({"train.py": "2\n"})
    repo.push("idea")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", "-b", "idea", repo.origin.as_uri(), str(shallow))
    project = open_project(shallow, World(environ=repo.environ, folder=shallow))
    with pytest.raises(BaselineError, match="shallow: the default branch"):
        find_base(project, Asked())


def test_a_lost_base_is_an_error(repo: Repository) -> None:
    with pytest.raises(BaselineError, match="force push"):
        base_of(repo, Asked("push", commit="c" * 40))
    with pytest.raises(BaselineError, match="not in this clone"):
        base_of(repo, Asked("pull_request", branch="gone"))
    with pytest.raises(UsageError, match="no such commit"):
        base_of(repo, Asked(ref="no-such"))


def test_a_strange_branch_name_is_only_ever_an_argument(repo: Repository, tmp_path: Path) -> None:
    for name in ("$(touch pwned)", "; touch pwned", "--upload-pack=touch pwned", "-h"):
        with pytest.raises((BaselineError, UsageError)):
            base_of(repo, Asked("pull_request", branch=name))
        with pytest.raises((BaselineError, UsageError)):
            base_of(repo, Asked(ref=name))
    assert not list(tmp_path.rglob("pwned"))


def test_without_origin_the_local_default_branch_counts(repo: Repository) -> None:
    fork = repo.git("rev-parse", "HEAD")
    repo.branch("idea")
    repo.commit({"train.py": "2\n"})
    repo.git("remote", "remove", "origin")
    assert base_of(repo) == fork
    repo.git("branch", "-D", "main")
    with pytest.raises(BaselineError, match="default branch is not known") as error:
        base_of(repo)
    assert "--base" in error.value.fix


def test_a_detached_head_is_fine(repo: Repository) -> None:
    fork = repo.git("rev-parse", "HEAD")
    repo.branch("idea")
    repo.commit({"train.py": "2\n"})
    repo.git("checkout", "--quiet", "--detach")
    assert base_of(repo) == fork


def test_git_runs_no_code_of_the_repository(repo: Repository, tmp_path: Path) -> None:
    """A training could have written hooks and settings into .git."""
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        place = repo.folder / ".git" / "hooks" / hook
        place.parent.mkdir(exist_ok=True)
        place.write_text(trap.read_text())
        place.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(trap))
    repo.git("config", "diff.external", str(trap))
    repo.write({"train.py": "4\n"})
    (tmp_path / "sprung").unlink(missing_ok=True)
    project = repo.project()
    assert project.commit.endswith("-dirty")
    project.git.changed_files(project.git.head(), None)
    assert not (tmp_path / "sprung").exists()


def test_git_gets_no_key(repo: Repository) -> None:
    repo.environ |= {"GITHUB_TOKEN": "s3cr3t", "INPUT_TOKEN": "s3cr3t", "ACTIONS_X": "s3cr3t"}
    project = repo.project()
    seen = project.git.run("-c", "alias.spy=!env", "spy").text
    assert "HOME=" in seen
    assert "s3cr3t" not in seen


def test_a_repository_without_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    found = Git(tmp_path, World(folder=tmp_path))
    with pytest.raises(UsageError, match="no commit yet"):
        found.head()
