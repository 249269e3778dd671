"""The files of a project's own plots: head's in the work tree, base's wherever they are at hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from mlops_ci.config.document import read_yaml
from mlops_ci.errors import ConfigError
from mlops_ci.project import Project
from mlops_ci.steps.tree import CommitTree

FOLDER = "exhibits"
MOST_BYTES = 5_000_000  # of one file
POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class HeadFiles:
    """The work tree: plain files below it, no larger than MOST_BYTES."""

    root: Path

    def read(self, path: str) -> bytes | None:
        return read_within(self.root, path)


@dataclass(frozen=True)
class BaseFiles:
    """One commit's, from wherever they are at hand."""

    project: Project
    name: str
    commit: str

    def read(self, path: str) -> bytes | None:
        kept = self.project.records.of(self.name, self.commit) / FOLDER
        ways = (self._in_git, self._in_cache, lambda path: read_within(kept, path))
        return next((content for way in ways if (content := way(path)) is not None), None)

    def _in_git(self, path: str) -> bytes | None:
        content = self._tree.read(path)
        if content is None or content.startswith(POINTER) or len(content) > MOST_BYTES:
            return None
        return content

    def _in_cache(self, path: str) -> bytes | None:
        """As an output of its own, or as a file of one that is a folder."""
        digest = self._locked.get(path)
        if digest is not None:
            return self._cached(digest)
        for parent in PurePosixPath(path).parents:
            folder = self._locked.get(str(parent))
            if folder is not None and folder.endswith(".dir"):
                inside = PurePosixPath(path).relative_to(parent).as_posix()
                found = _listed(self._cached(folder) or b"").get(inside)
                return self._cached(found) if found is not None else None
        return None

    def _cached(self, digest: str) -> bytes | None:
        """DVC 3's place, and DVC 2's; what does not have the digest is not the file."""
        plain = digest.removesuffix(".dir")
        if len(plain) != 32 or not plain.isalnum():
            return None
        roots = dict.fromkeys((self.project.git.root, self.project.root))
        caches = [root / ".dvc" / "cache" for root in roots]
        for place in (inner for cache in caches for inner in (cache / "files" / "md5", cache)):
            content = read_within(place, f"{digest[:2]}/{digest[2:]}", follow=True)
            if content is not None and _md5(content) == plain:
                return content
        return None

    @cached_property
    def _tree(self) -> CommitTree:
        return CommitTree(self.project, self.commit)

    @cached_property
    def _locked(self) -> dict[str, str]:
        """Path → MD5 of every output in the commit's dvc.lock."""
        text = self._tree.read("dvc.lock")
        if text is None:
            return {}
        try:
            data = read_yaml(text.decode("utf-8", "replace"), "dvc.lock").data
        except ConfigError:
            return {}
        stages: Any = data.get("stages") if isinstance(data, dict) else None
        found: dict[str, str] = {}
        for stage in stages.values() if isinstance(stages, dict) else ():
            outs = stage.get("outs") if isinstance(stage, dict) else None
            for out in outs if isinstance(outs, list) else ():
                if isinstance(out, dict) and isinstance(out.get("md5"), str):
                    found[str(out.get("path"))] = out["md5"]
        return found


def _listed(content: bytes) -> dict[str, str]:
    """Path → MD5 of the files of a folder, as DVC's cache lists them."""
    try:
        found = msgspec.json.decode(content, type=list[dict[str, Any]])
    except msgspec.MsgspecError:
        return {}
    return {str(one.get("relpath")): str(one.get("md5")) for one in found}


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def read_within(root: Path, path: str, *, follow: bool = False) -> bytes | None:
    """None for what is no plain file below `root`, or too large."""
    place = root / path
    try:
        inside = follow or place.resolve().is_relative_to(root.resolve())
        if not inside or not place.is_file() or place.stat().st_size > MOST_BYTES:
            return None
        return place.read_bytes()
    except OSError:
        return None
