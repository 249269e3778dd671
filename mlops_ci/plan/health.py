"""Is everything set up? One line a thing, with what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from mlops_ci.baseline.commit import Asked, find_base
from mlops_ci.config import Model
from mlops_ci.engines.python import find_lock, uv_program
from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.foresight import foresee
from mlops_ci.plan.opening import store_of
from mlops_ci.project import Project, outputs_of
from mlops_ci.steps.key import command_of
from mlops_ci.steps.tree import WorkTree

State = Literal["good", "look", "bad"]


class Health(Struct, frozen=True, kw_only=True):
    """`look`: it works, but a person should know. `todo` is what to do."""

    what: str
    state: State
    said: str
    todo: str = ""


@dataclass(frozen=True)
class Checkup:
    project: Project

    def run(self, names: tuple[str, ...]) -> Iterator[Health]:
        yield self._guarded("repository", self._repository)
        yield self._guarded("base", self._base)
        yield self._guarded("store", self._store)
        yield self._guarded("workflow", self._workflow)
        for name in names:
            model = self.project.model(name)
            yield from self._model(name, model)

    def _guarded(self, what: str, check: Callable[[], Health]) -> Health:
        try:
            return check()
        except MlopsCiError as error:
            return Health(what=what, state="bad", said=error.what, todo=error.fix)

    def _repository(self) -> Health:
        git, project = self.project.git, self.project
        git.head()  # what Git says without a commit is no sentence
        if git.is_shallow():
            error = git.too_shallow("base")
            return Health(what="repository", state="bad", said=error.what, todo=error.fix)
        if project.edited:
            some = ", ".join(project.edited[:3])
            said = f"{len(project.edited)} edited files ({some}): runs are named {project.commit}"
            return Health(what="repository", state="look", said=said, todo="commit them")
        if git.run("symbolic-ref", "--quiet", "HEAD").code != 0:
            said = f"detached at {project.commit[:12]}: fine for a run"
            return Health(what="repository", state="good", said=said)
        return Health(what="repository", state="good", said=f"clean at {project.commit[:12]}")

    def _base(self) -> Health:
        base = find_base(self.project, Asked())
        if base is None:
            said = "there is nothing to compare with yet: this would be a first run"
            return Health(what="base", state="look", said=said)
        said = f"{base.name} at {base.commit[:12]}"
        return Health(what="base", state="good", said=base.note or said)

    def _store(self) -> Health:
        store = store_of(self.project)
        if store is None:
            return Health(
                what="store",
                state="look",
                said="there is no `origin`: base is trained each time",
                todo="git remote add origin URL",
            )
        entries = store.list()
        if not entries:
            return Health(
                what="store",
                state="look",
                said="empty: base is trained until the merge workflow has run",
                todo="add .github/workflows/mlops-ci-merge.yml: `mlops-ci init`",
            )
        newest = max(entry.stored for entry in entries)
        said = f"{len(entries)} entries, the newest of {newest[:10]}"
        return Health(what="store", state="good", said=said)

    def _workflow(self) -> Health:
        folder = self.project.git.root / ".github" / "workflows"
        files = sorted(folder.glob("*.y*ml")) if folder.is_dir() else []
        using = [path.name for path in files if "mlops-ci" in path.read_text("utf-8", "replace")]
        if using:
            return Health(what="workflow", state="good", said=", ".join(using))
        return Health(
            what="workflow",
            state="look",
            said="no workflow uses mlops-ci: pull requests are not judged",
            todo="mlops-ci init",
        )

    def _model(self, name: str, model: Model) -> Iterator[Health]:
        yield self._guarded(f"{name}: training", lambda: self._training(name, model))
        yield self._guarded(f"{name}: data", lambda: self._data(name, model))
        yield self._guarded(f"{name}: environment", lambda: self._environment(name, model))
        yield self._guarded(f"{name}: gates", lambda: self._gates(name, model))

    def _training(self, name: str, model: Model) -> Health:
        what, command = f"{name}: training", command_of(model)
        if command:
            return Health(what=what, state="good", said=" ".join(command))
        missing = [path for path in outputs_of(model) if not (self.project.root / path).exists()]
        if missing and model.predict is None:
            return Health(
                what=what,
                state="bad",
                said=f"nothing trains, and {missing[0]} is not there",
                todo="add `train: python train.py` to the model",
            )
        return Health(what=what, state="good", said="an earlier step trains (no `train:`)")

    def _data(self, name: str, model: Model) -> Health:
        what = f"{name}: data"
        missing = [entry for entry in model.data if not (self.project.root / entry).exists()]
        if missing:
            return Health(
                what=what,
                state="bad",
                said=f"{missing[0]} is not there",
                todo="bring it (`dvc pull`, a download), or correct `data:`",
            )
        if model.data:
            return Health(what=what, state="good", said=", ".join(model.data))
        return Health(what=what, state="good", said="nothing declared: all inputs are in Git")

    def _environment(self, name: str, model: Model) -> Health:
        what = f"{name}: environment"
        lock = find_lock(model, WorkTree(self.project).read)
        if lock is None and model.python is None:
            return Health(what=what, state="look", said="the current Python: nothing is pinned",
                          todo="add a requirements.txt or uv.lock")  # fmt: skip
        uv = uv_program(self.project.world)[0]
        if model.dvc is not None and shutil.which("dvc") is None:
            return Health(what=what, state="bad", said="dvc is not installed",
                          todo="pip install 'mlops-ci[train]'")  # fmt: skip
        said = f"{lock.path if lock else f'Python {model.python}'}, by {os.path.basename(uv)}"  # noqa: PTH119
        return Health(what=what, state="good", said=said)

    def _gates(self, name: str, model: Model) -> Health:
        what = f"{name}: gates"
        foresee(name, model)
        if model.gates:
            return Health(what=what, state="good", said=", ".join(model.gates))
        return Health(
            what=what,
            state="look",
            said="none: every pull request is reported, none is stopped",
            todo="gates:\n  roc_auc: {max-drop: 0.01}",
        )
