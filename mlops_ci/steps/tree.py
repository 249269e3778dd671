"""The files of a project, in the work tree or in a commit, without a checkout."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import yaml

from mlops_ci.errors import UsageError
from mlops_ci.project import Project, is_within, refuse_outside

GITLINK = "160000"


class Tree(Protocol):
    def read(self, path: str) -> bytes | None: ...

    def files(self) -> dict[str, str]:
        """Path → `mode id`, paths relative to the project."""
        ...


@dataclass(frozen=True)
class CommitTree:
    project: Project
    commit: str

    def read(self, path: str) -> bytes | None:
        return self.project.git.show(self.commit, f"{self.project.prefix}{path}")

    def files(self) -> dict[str, str]:
        return self._files

    @cached_property
    def _files(self) -> dict[str, str]:
        arguments = ["ls-tree", "-r", "-z", "--full-tree", self.commit]
        if self.project.prefix:
            arguments += ["--", self.project.prefix]
        found = {}
        for line in self.project.git.names(*arguments):
            described, _, path = line.partition("\t")
            mode, _, identity = described.split(" ")
            found[path.removeprefix(self.project.prefix)] = f"{mode} {identity}"
        return found


@dataclass(frozen=True)
class WorkTree:
    project: Project

    def read(self, path: str) -> bytes | None:
        place = self.project.root / path
        refuse_outside(place, self.project.git.root)
        try:
            return place.read_bytes()
        except OSError:
            return None

    def files(self) -> dict[str, str]:
        return self._files

    @cached_property
    def _files(self) -> dict[str, str]:
        git, prefix = self.project.git, self.project.prefix
        found = {}
        for line in git.names("ls-files", "-s", "-z", "--", prefix or "."):
            described, _, path = line.partition("\t")
            mode, identity, _ = described.split(" ")
            found[path.removeprefix(prefix)] = f"{mode} {identity}"
        edited = set(self.project.edited) | {
            path for path in git.modified() if path.startswith(prefix)
        }
        fresh = git.blob_ids(edited)
        for path in edited:
            inside = path.removeprefix(prefix)
            if path in fresh:
                found[inside] = f"{self._mode(inside)} {fresh[path]}"
            elif (self.project.root / inside).is_dir():
                found[inside] = f"{found.get(inside, GITLINK)} changed"
            else:
                found.pop(inside, None)
        return found

    def _mode(self, path: str) -> str:
        place = self.project.root / path
        if place.is_symlink():
            return "120000"
        return "100755" if os.access(place, os.X_OK) else "100644"


def data_digest(project: Project, tree: Tree, entry: str) -> str:
    """What identifies a `data:` entry in a tree: Git's ids, DVC's digest, else the content.

    The content of untracked data is shared by head and base. Raises UsageError when it is nowhere.
    """
    place = Path(entry).as_posix().rstrip("/")
    inside = sorted(
        f"{path}\0{identity}" for path, identity in tree.files().items() if is_within(path, place)
    )
    pointer = tree.read(f"{place}.dvc")
    if pointer is not None:
        digest = dvc_digest(pointer)
        here = isinstance(tree, WorkTree)
        edited = here and dvc_digest_of(project.root / place) != digest
        return content_digest(project.root / place, entry) if edited else f"dvc:{digest}"
    if inside:
        return f"git:{hashlib.sha256(chr(10).join(inside).encode()).hexdigest()}"
    return content_digest(project.root / place, entry)


def dvc_digest(pointer: bytes) -> str:
    """The digest that a `.dvc` file holds; that of the file itself when it holds none."""
    try:
        document = yaml.safe_load(pointer)
        (out,) = document["outs"]
        return str(out.get("md5") or out["hash"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError):
        return hashlib.sha256(pointer).hexdigest()


def dvc_digest_of(path: Path) -> str | None:
    """What DVC 3 would write for the content as it is now; None when there is nothing.

    A folder is the MD5 of the JSON list of its files, in order of path, with the suffix `.dir`.
    """
    if path.is_file():
        return _md5(path)
    if not path.is_dir():
        return None
    files = sorted(found for found in path.rglob("*") if found.is_file())
    listed = sorted(
        ({"md5": _md5(found), "relpath": found.relative_to(path).as_posix()} for found in files),
        key=lambda one: one["relpath"],
    )
    text = json.dumps(listed, sort_keys=True)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        new = lambda: hashlib.md5(usedforsecurity=False)  # noqa: E731
        return hashlib.file_digest(file, new).hexdigest()


def content_digest(path: Path, entry: str) -> str:
    from mlops_ci.data import digest_file, digest_folder

    if path.is_dir():
        return digest_folder(path)
    if path.is_file():
        return digest_file(path)
    raise UsageError(
        f"data: there is no {entry!r}",
        where="mlops-ci.yaml, data",
        fix="bring it (`dvc pull`, a download step before this one), or correct the path",
    )
