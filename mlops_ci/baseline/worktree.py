"""Base's files in a temporary Git worktree: with submodules, LFS files and the shared data.

The user's checkout and index are not touched. Nothing is fetched where this clone has it already.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_ci.baseline.large_files import add_large_files
from mlops_ci.errors import BaselineError
from mlops_ci.git import Git
from mlops_ci.project import Project

PREFIX = "mlops-ci-base-"


@contextmanager
def checked_out(
    project: Project, commit: str, user: tuple[int, int] | None = None
) -> Iterator[Path]:
    """The top of a worktree at `commit`, removed at the end. `user` is who checks out and owns it.

    Raises BaselineError when the commit cannot be checked out whole.
    """
    git = project.git.owned_by(user)
    _remove_leftovers(git)
    parent = Path(tempfile.mkdtemp(prefix=PREFIX))
    parent.chmod(0o755)  # the one who trains has to get through
    if user is not None:
        os.chown(parent, *user)
    place = parent / "tree"
    try:
        with _held(parent):
            yield _filled(git, place, commit)
    finally:
        git.run("worktree", "remove", "--force", str(place))
        shutil.rmtree(parent, ignore_errors=True)
        git.run("worktree", "prune")


def _filled(git: Git, place: Path, commit: str) -> Path:
    git.run("worktree", "prune")
    done = git.run(
        "worktree", "add", "--quiet", "--detach", str(place), commit,
        environ={"GIT_LFS_SKIP_SMUDGE": "1"},
    )  # fmt: skip
    if done.code != 0:
        raise BaselineError(
            f"base {commit[:12]} cannot be checked out: {done.error.strip()}",
            where=str(git.root),
        )
    _add_submodules(git, git.at(place))
    add_large_files(git.at(place), commit)
    return place


@contextmanager
def _held(parent: Path) -> Iterator[bool]:
    """A lock that ends with this process, however it ends. False: another has it, or none can be
    had here."""
    handle = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = True
    except OSError:
        held = False
    try:
        yield held
    finally:
        os.close(handle)


def _remove_leftovers(git: Git) -> None:
    """What a run that was killed could not remove: worktrees of ours that nobody holds."""
    for line in git.run("worktree", "list", "--porcelain").text.splitlines():
        key, _, path = line.partition(" ")
        parent = Path(path).parent
        if key != "worktree" or not parent.name.startswith(PREFIX) or not parent.is_dir():
            continue
        with _held(parent) as ours:
            if ours:
                git.run("worktree", "remove", "--force", path)
                shutil.rmtree(parent, ignore_errors=True)


def _add_submodules(main: Git, tree: Git, depth: int = 0) -> None:
    """From the clones that head's checkout has; from their address when a commit is not there."""
    if not (tree.root / ".gitmodules").is_file() or depth > 8:
        return
    for path in _submodules(tree):
        source = main.root / path
        url = str(source) if (source / ".git").exists() else None
        done = None
        if url is not None:
            address = f"submodule.{_name(tree, path)}.url={url}"
            done = tree.run(
                "-c", "protocol.file.allow=always", "-c", address,
                "submodule", "update", "--init", "--", path,
            )  # fmt: skip
        if done is None or done.code != 0:
            done = tree.run("submodule", "update", "--init", "--", path)
        if done.code != 0:
            raise BaselineError(
                f"base's submodule {path} cannot be brought: {done.error.strip()}",
                where=str(tree.root),
                fix="check out with submodules:\n    - uses: actions/checkout@v7\n"
                "      with:\n        submodules: recursive\n        fetch-depth: 0",
            )
        _add_submodules(main.at(source), tree.at(tree.root / path), depth + 1)


def _submodules(tree: Git) -> list[str]:
    lines = tree.names("ls-files", "-s", "-z")
    return [line.partition("\t")[2] for line in lines if line.startswith("160000 ")]


def _name(tree: Git, path: str) -> str:
    done = tree.run("config", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    for line in done.text.splitlines():
        key, _, value = line.partition(" ")
        if value == path:
            return key.removeprefix("submodule.").removesuffix(".path")
    return path


@dataclass(frozen=True)
class Linked:
    """Shared data as it was linked: path → (bytes, modification in ns)."""

    stats: dict[Path, tuple[int, int]]

    def changed(self) -> list[Path]:
        return [path for path, stat in self.stats.items() if _stat(path) != stat]


def link_data(source: Path, target: Path, entries: Sequence[str]) -> Linked:
    """Show head's untracked `data:` in base's worktree: folders of its own, files as links.

    New files that base's training makes there stay there. A write into a shared file cannot be
    kept from a process with the same rights; `Linked.changed` finds it.
    """
    stats: dict[Path, tuple[int, int]] = {}
    for entry in entries:
        origin = source / entry
        if not origin.exists():
            continue
        for path in [origin] if origin.is_file() else sorted(origin.rglob("*")):
            place = target / path.relative_to(source)
            if path.is_dir() and not path.is_symlink():
                place.mkdir(parents=True, exist_ok=True)
            elif not place.exists() and not place.is_symlink():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(path.resolve())
                stats[path] = _stat(path)
    return Linked(stats)


def swap_data(source: Path, target: Path, entries: Sequence[str]) -> Linked:
    """Show head's version of these `data:` entries in the place of base's.

    What lies in the worktree is unlinked, never written: it may be a link into a shared cache. An
    entry that head does not have stays base's. Raises BaselineError for one that leads out of the
    worktree through a link of base's.
    """
    top = target.resolve()
    for entry in entries:
        place = target / entry
        if not (source / entry).exists():
            continue
        if not place.parent.resolve().is_relative_to(top):
            raise BaselineError(f"{entry} leads out of base's worktree", where=str(place))
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
    return link_data(source, target, entries)


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1)
    return (found.st_size, found.st_mtime_ns)


def share_cache(project: Project, tree: Path, cache: str | None) -> bool:
    """Let DVC in the worktree use this clone's cache and its local settings; False without DVC."""
    settings = tree / project.prefix / ".dvc"
    if not settings.is_dir():
        settings = tree / ".dvc"
    if not settings.is_dir():
        return False
    origin = project.git.root / settings.relative_to(tree)
    local = origin / "config.local"
    text = local.read_text("utf-8") if local.is_file() else ""
    folder = cache or str(origin / "cache")
    (settings / "config.local").write_text(_with_cache(text, folder), "utf-8")
    return True


def _with_cache(text: str, folder: str) -> str:
    import configparser
    import io

    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    if not parser.has_section("cache"):
        parser.add_section("cache")
    parser.set("cache", "dir", folder)
    out = io.StringIO()
    parser.write(out)
    return out.getvalue()


def undeclared(project: Project, tree: Path, tail: str) -> str | None:
    """An untracked file of head's checkout that base's training names as missing."""
    import re

    root = tree / project.prefix
    names = re.findall(r"['\"]([^'\"\n]+)['\"]|([\w./-]+/[\w./-]+|[\w-]+\.\w+)", tail)
    for quoted, bare in names:
        path = Path(quoted or bare)
        inside = (
            path.relative_to(root) if path.is_absolute() and path.is_relative_to(root) else path
        )
        if inside.is_absolute() or ".." in inside.parts or not inside.parts:
            continue
        if (project.root / inside).exists() and not (root / inside).exists():
            return inside.as_posix()
    return None
