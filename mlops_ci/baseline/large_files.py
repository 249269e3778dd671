"""Git LFS: base's large files, where head's checkout has only their pointers.

A job's checkout keeps no credentials, as it should: the user's code would find them. So what is
missing is fetched by a repository of our own, with the job's key in the environment of that one
process, and only the files themselves are shown to the worktree.
https://github.com/git-lfs/git-lfs/blob/main/docs/man/git-lfs-config.adoc
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mlops_ci.errors import BaselineError
from mlops_ci.git import Access, Git
from mlops_ci.world import Command

POINTER = b"version https://git-lfs.github.com/spec/v1"
POINTER_BYTES = 1024
FILTER = (  # as `git lfs install` writes it: a checkout without `lfs: true` has none
    "-c", "filter.lfs.process=git-lfs filter-process",
    "-c", "filter.lfs.smudge=git-lfs smudge -- %f",
    "-c", "filter.lfs.clean=git-lfs clean -- %f",
    "-c", "filter.lfs.required=true",
)  # fmt: skip
PATIENCE = 1800.0  # seconds for all large files of a commit


def add_large_files(tree: Git, commit: str) -> None:
    """Raises BaselineError while a file is still a pointer: training must not read pointers."""
    pointers = _pointers(tree)
    if not pointers:
        return
    if shutil.which("git-lfs") is None:
        raise BaselineError(
            f"{pointers[0]} is kept in Git LFS, and git-lfs is not installed",
            where=str(tree.root),
            fix="install it: https://git-lfs.com",
        )
    tree.run(*FILTER, "lfs", "checkout")
    said = ""
    if tree.access is not None and _pointers(tree):
        said = _fetch(tree, tree.access, commit)
    if _pointers(tree):
        said = tree.run(*FILTER, "lfs", "pull").error or said
    tree.run(*FILTER, "update-index", "-q", "--refresh")
    missing = _pointers(tree)
    if missing:
        told = f" ({said.strip().splitlines()[-1][:300]})" if said.strip() else ""
        raise BaselineError(
            f"base's version of {missing[0]} is in Git LFS, and is not in this clone{told}",
            where=str(tree.root),
            fix="bring base's files too, before this step:\n"
            "    - run: git lfs fetch origin HEAD ${{ github.event.pull_request.base.sha }}",
        )


def _fetch(tree: Git, access: Access, commit: str) -> str:
    """Into a folder of ours, from there into the worktree with its owner's rights; what Git said.

    Commits and trees are the user's, read by our repository as an alternate; its configuration is
    not, nor is `.lfsconfig`: they could name another server for our key."""
    with tempfile.TemporaryDirectory(prefix="mlops-ci-lfs-") as name:
        folder, storage = Path(name) / "repository", Path(name) / "files"
        folder.mkdir(mode=0o700)
        storage.mkdir()
        objects = Path(tree.read("rev-parse", "--path-format=absolute", "--git-path", "objects"))
        env = access.environment(tree.world.environ) | {
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)
        }
        for arguments in (
            ("init", "--quiet", "--bare", "--template=", "."),
            ("config", "remote.origin.url", access.url),
            ("config", "lfs.url", f"{access.url}/info/lfs"),
            ("config", "lfs.storage", str(storage)),
            ("lfs", "fetch", "origin", commit),
        ):
            asked = Command(("git", *arguments), cwd=folder, env=env, timeout=PATIENCE)
            done = tree.world.run_command(asked)
            if done.code != 0:
                break
        _show(Path(name), storage)
        tree.run(*FILTER, "-c", f"lfs.storage={storage}", "lfs", "checkout")
        said = done.error if done.code != 0 else ""
        return said.replace(access.header, "***") if access.header else said


def _show(parent: Path, storage: Path) -> None:
    """The worktree's owner may read the files, and nothing beside them."""
    parent.chmod(0o711)
    for path in (storage, *storage.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def _pointers(tree: Git) -> list[str]:
    attributes = tree.run(
        "grep", "-l", "-z", "--untracked", "-F", "filter=lfs", "--", "*.gitattributes"
    )
    if attributes.code != 0:
        return []
    return [path for path in tree.names("ls-files", "-z") if _is_pointer(tree.root / path)]


def _is_pointer(place: Path) -> bool:
    try:
        if place.is_symlink() or not place.is_file() or place.stat().st_size > POINTER_BYTES:
            return False
        return place.read_bytes().startswith(POINTER)
    except OSError:
        return False
