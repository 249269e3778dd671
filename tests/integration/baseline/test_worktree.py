"""Base's files: whole, shared where they are large, and never in the user's way."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mlops_ci.baseline.git_store import Access, header_of
from mlops_ci.baseline.worktree import checked_out, link_data, swap_data, undeclared
from mlops_ci.errors import BaselineError
from mlops_ci.project import Project
from mlops_ci.world import Command, Finished, run_subprocess
from tests.github_server.scenario import Story, build
from tests.github_server.server import GitHub
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


def test_what_a_killed_run_left_is_removed_and_a_running_ones_stays(
    repo: Repository, tmp_path: Path
) -> None:
    base = repo.git("rev-parse", "HEAD")
    left, others = tmp_path / "mlops-ci-base-left" / "tree", tmp_path / "of-the-user"
    for place in (left, others):
        repo.git("worktree", "add", "--quiet", "--detach", str(place), base)
    with checked_out(repo.project(), base) as first:
        assert not left.parent.exists()
        with checked_out(repo.project(), base) as second:
            assert second != first
            assert (first / "train.py").exists()
    assert (others / "train.py").exists()
    assert len(repo.git("worktree", "list").splitlines()) == 2


def test_heads_data_takes_the_place_of_bases_and_no_link_is_written_through(
    tmp_path: Path,
) -> None:
    source, target, cache = (tmp_path / name for name in ("head", "tree", "cache"))
    for place, content in ((source, "new"), (target, "old"), (cache, "kept")):
        (place / "data/deep").mkdir(parents=True)
        (place / "data/deep/a.csv").write_text(content)
        (place / "b.csv").write_text(content)
    (target / "data/gone.csv").write_text("base's alone")
    (target / "b.csv").unlink()
    (target / "b.csv").symlink_to(cache / "b.csv")
    (target / "c").symlink_to(cache / "data")
    (source / "c").mkdir()
    (source / "c/d.csv").write_text("new")
    (target / "only.csv").write_text("old")
    linked = swap_data(source, target, ("data", "b.csv", "c", "only.csv"))
    assert (target / "data/deep/a.csv").read_text() == "new"
    assert not (target / "data/gone.csv").exists()
    assert (target / "b.csv").read_text() == (target / "c/d.csv").read_text() == "new"
    assert (target / "only.csv").read_text() == "old", "head does not have it: base keeps its own"
    assert (cache / "b.csv").read_text() == (cache / "data/deep/a.csv").read_text() == "kept"
    assert linked.changed() == []
    (target / "data/deep/a.csv").write_text("written")
    assert linked.changed() == [source / "data/deep/a.csv"]


def test_data_behind_a_link_that_leads_out_is_not_touched(tmp_path: Path) -> None:
    source, target, outside = (tmp_path / name for name in ("head", "tree", "outside"))
    for place in (source / "data", target, outside):
        place.mkdir(parents=True)
        (place / "a.csv").write_text(place.name)
    (target / "data").symlink_to(outside)
    with pytest.raises(BaselineError, match=r"data/a\.csv leads out"):
        swap_data(source, target, ("data/a.csv",))
    assert (outside / "a.csv").read_text() == "outside"


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


@pytest.mark.usefixtures("git_lfs")
def test_large_files_are_there_not_their_pointers(repo: Repository) -> None:
    repo.git("lfs", "install", "--local")
    repo.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    base = repo.commit({"rows.bin": b"\0" * 5000 + b"one"})
    repo.commit({"rows.bin": b"\0" * 5000 + b"two"})
    pointer = git(repo.folder, "cat-file", "blob", f"{base}:rows.bin")
    assert pointer.startswith("version https://git-lfs")
    with checked_out(repo.project(), base) as top:
        assert (top / "rows.bin").read_bytes() == b"\0" * 5000 + b"one"


@pytest.mark.usefixtures("git_lfs")
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


@dataclass
class Private:
    """A job's checkout of a private repository: head's files, no credentials, and nothing of base's
    large file. `seen` are the arguments of every process."""

    repo: Repository
    github: GitHub
    base: str
    seen: list[str] = field(default_factory=list)

    def project(self, token: str | None) -> Project:
        def spy(command: Command) -> Finished:
            self.seen.extend(command.argv)
            return run_subprocess(command)

        project = self.repo.project()
        access = Access(self.github.clone_url("acme/churn"), header_of(token)) if token else None
        world = replace(project.world, run_command=spy)
        return replace(project, git=replace(project.git, access=access, world=world))


@pytest.fixture
def private(git_lfs: Path, tmp_path: Path) -> Iterator[Private]:
    del git_lfs
    story = Story(main=(CONFIG,), change=({"a.txt": "a"},), private=True)
    scenario = build(tmp_path / "github", story)
    github = GitHub(scenario.root / "repositories", scenario.seed)
    github.start()
    checkout = scenario.checkout
    checkout.git("lfs", "install", "--local")
    checkout.git("lfs", "track", "*.bin")
    base = checkout.commit({"rows.bin": "one" * 2000})
    checkout.commit({"rows.bin": "two" * 2000})
    url = github.clone_url("acme/churn", "workflow-token")
    checkout.git("push", "--quiet", url, "feature")
    repo = Repository(tmp_path / "clone", scenario.bare)
    git(tmp_path, "clone", "--quiet", "-b", "feature", url, "clone")
    repo.git("remote", "set-url", "origin", github.clone_url("acme/churn"))
    shutil.rmtree(repo.folder / ".git/lfs", ignore_errors=True)
    yield Private(repo, github, base)
    github.stop()


def test_large_files_of_a_private_repository_come_with_the_jobs_key(private: Private) -> None:
    secret = header_of("workflow-token").split()[-1]
    with checked_out(private.project("workflow-token"), private.base) as top:
        assert (top / "rows.bin").read_text() == "one" * 2000
        folders = (top, private.repo.folder)
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        assert not [path for path in files if secret.encode() in path.read_bytes()]
    assert "fetch" in private.seen
    assert not [word for word in private.seen if secret in word or "workflow-token" in word]


@pytest.mark.parametrize("token", [None, "pat-stranger"])
def test_no_key_or_one_that_may_not_read_brings_no_large_file(
    private: Private, token: str | None
) -> None:
    with (
        pytest.raises(BaselineError, match=r"rows\.bin") as error,
        checked_out(private.project(token), private.base),
    ):
        pass
    assert "basic" not in str(error.value)


def test_a_project_cannot_have_the_key_sent_elsewhere(private: Private) -> None:
    heard: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(str(self.headers.get("Authorization")))
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    elsewhere = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=elsewhere.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{elsewhere.server_port}/lfs"
        base = private.repo.commit({".lfsconfig": f"[lfs]\n\turl = {url}\n"})
        private.repo.git("config", "lfs.url", url)
        with checked_out(private.project("workflow-token"), base) as top:
            assert (top / "rows.bin").read_text() == "two" * 2000
    finally:
        elsewhere.shutdown()
        elsewhere.server_close()
        thread.join()
    assert set(heard) <= {"None"}


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
