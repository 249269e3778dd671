"""Where main's model, predictions and numbers come from."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.baseline.folder_store import FolderShelf
from mlops_ci.baseline.git_store import Access, GitShelf
from mlops_ci.baseline.store import ShelfStore, Store
from mlops_ci.errors import ConfigError
from mlops_ci.project import Project

__all__ = ["Access", "Store", "open_store"]


def open_store(project: Project, access: Access | None = None) -> Store | None:
    """The project's store. None when it is in Git and there is no `origin` to keep it.

    `access` comes from the event in a runner: the checkout's own `origin` could name another host.
    """
    settings, world = project.config.store, project.world
    pause = world.sleep
    if settings.backend == "folder":
        if settings.path is None:
            raise ConfigError(
                "store: `backend: folder` needs a path",
                where="mlops-ci.yaml, store",
                fix="store: {backend: folder, path: /mnt/team/mlops-ci}",
            )
        shelf = FolderShelf(project.root / Path(settings.path).expanduser())
        return ShelfStore(shelf, settings, world.now, pause)
    if access is None:
        url = project.git.origin_url()
        if url is None:
            return None
        access = Access(_absolute(url, project.git.root))
    return ShelfStore(GitShelf(access, world), settings, world.now, pause)


def _absolute(url: str, root: Path) -> str:
    """A relative path means one from the user's repository, not from ours."""
    if "://" in url or url.startswith("/") or (":" in url and not url.startswith(".")):
        return url
    return str((root / url).resolve())
