"""`seeds: k`: train and evaluate k times, with another MLOPS_CI_SEED each time.

The training with seed 0 is the one that counts: its files stay at their places and are shipped.
What the others wrote moves to `.mlops-ci/<model>/<commit>/seeds/<seed>/`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from mlops_ci.config import expand_gates
from mlops_ci.engines.links import refuse_links
from mlops_ci.errors import RecordError
from mlops_ci.project import Project, outputs_of
from mlops_ci.records import Evaluation, Training
from mlops_ci.records.evaluation import Seeds, SeedValues
from mlops_ci.records.training import SeedRun
from mlops_ci.steps.evaluate import evaluate, open_predictions, predict, read_metrics
from mlops_ci.steps.requests import EvaluateRequest, TrainRequest
from mlops_ci.steps.train import digests_of, train, train_seed, trained_outputs
from mlops_ci.steps.training_keys import keep_training_keys

Key = tuple[str, str | None]


def train_all(project: Project, name: str, request: TrainRequest) -> Training:
    """`train`, then the seeds beside it that are not there yet. Raises CommandError of any."""
    record = train(project, name, request)
    trainings = project.model(name).seeds if request.seeds is None else request.seeds
    if trainings < 2 or not record.command:
        return record
    there = {run.seed: run for run in record.seeds if _intact(project, run)}
    repeating = _Repeating(project, name, record.commit, request)
    runs = tuple(there.get(seed) or repeating.train(seed) for seed in range(1, trainings))
    record = msgspec.structs.replace(record, seeds=runs)
    project.records.write("train", record)
    return record


def evaluate_all(project: Project, name: str, request: EvaluateRequest) -> Evaluation:
    """`evaluate`, and every seed of the training that was recorded."""
    record = evaluate(project, name, request)
    keep_training_keys(project, name, record.commit)
    try:
        runs = project.records.read(name, record.commit, Training).seeds
    except RecordError:
        return record
    if not runs or not all(_intact(project, run) for run in runs):
        return record
    folders = [_answered(project, name, record.commit, request, run) for run in runs]
    record = msgspec.structs.replace(record, seeds=_seeds_of(project, name, folders))
    project.records.write("evaluate", record)
    return record


@dataclass(frozen=True)
class _Repeating:
    project: Project
    name: str
    commit: str
    request: TrainRequest

    def train(self, seed: int) -> SeedRun:
        """Only what will be read is kept: the model itself when `predict` still has to ask it."""
        project, model = self.project, self.project.model(self.name)
        folder = _folder(project, self.name, self.commit, seed)
        shutil.rmtree(folder, ignore_errors=True)
        written = trained_outputs(model)
        kept = [path for path in written if model.predict is not None or path != model.model]
        with _aside(project, outputs_of(model), folder.with_name(f"aside-{seed}")):
            request = replace(self.request, commit=self.commit)
            seconds = train_seed(project, self.name, request, seed)
            _keep(project.root, folder, kept)
        inside = folder.relative_to(project.root).as_posix()
        found = digests_of(replace(project, root=folder), tuple(kept))
        return SeedRun(seed=seed, folder=inside, outputs=found, duration_seconds=round(seconds, 3))


def _folder(project: Project, name: str, commit: str, seed: int) -> Path:
    return project.records.of(name, commit) / "seeds" / str(seed)


def _intact(project: Project, run: SeedRun) -> bool:
    place = replace(project, root=project.root / run.folder)
    return bool(run.outputs) and digests_of(place, tuple(run.outputs)) == run.outputs


def _answered(
    project: Project, name: str, commit: str, request: EvaluateRequest, run: SeedRun
) -> Path:
    """The folder with a seed's predictions and numbers; `predict` asks its model for them."""
    model, kept = project.model(name), project.root / run.folder
    if model.predict is None:
        return kept
    folder = _folder(project, name, commit, run.seed).with_name(f"answers-{run.seed}")
    shutil.rmtree(folder, ignore_errors=True)
    answers = [path for path in outputs_of(model) if path != model.model]
    with _aside(project, outputs_of(model), folder.with_name(f"aside-{run.seed}")):
        _move(kept, project.root, tuple(run.outputs))
        predict(project, name, commit, request, run.seed)
        refuse_links(project, answers, request.workspace)
        _keep(project.root, folder, answers)
        _move(project.root, kept, tuple(run.outputs))
    return folder


@contextmanager
def _aside(project: Project, paths: Sequence[str], aside: Path) -> Iterator[None]:
    """Seed 0's files go aside and come back, whatever happens. Those that Git tracks are there
    meanwhile, as for any training."""
    shutil.rmtree(aside, ignore_errors=True)
    there = [path for path in paths if (project.root / path).exists()]
    for path in there:
        place = project.root / path
        if place.is_symlink():  # the next seed may write what it leads to
            _keep(project.root, aside, (path,))
            place.unlink()
            continue
        tracked = bool(project.git.names("ls-files", "-z", "--", str(place)))
        (_copy if tracked else _rename)(place, aside / path)
    try:
        yield
    finally:
        for path in paths:
            _remove(project.root / path)
        _move(aside, project.root, there)
        shutil.rmtree(aside, ignore_errors=True)


def _move(source: Path, target: Path, paths: Sequence[str]) -> None:
    for path in paths:
        if (source / path).exists():
            _rename(source / path, target / path)


def _keep(source: Path, target: Path, paths: Sequence[str]) -> None:
    """Elsewhere a link would lead elsewhere: what it leads to is kept."""
    for path in paths:
        if (source / path).is_symlink():
            _copy((source / path).resolve(), target / path)
        else:
            _move(source, target, (path,))


def _rename(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)  # noqa: PTH105 - the same file system: one rename


def _copy(source: Path, target: Path) -> None:
    """With its owner: the user's command may have to write it again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, copy_function=_copy_file)
    else:
        _copy_file(source, target)


def _copy_file(source: str | Path, target: str | Path) -> None:
    shutil.copy2(source, target, follow_symlinks=False)
    if os.geteuid() == 0:
        owner = Path(source).lstat()
        os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _seeds_of(project: Project, name: str, folders: Sequence[Path]) -> Seeds:
    found = [_values_of(project, name, root) for root in (project.root, *folders)]
    if all(one == found[0] for one in found):
        return Seeds(trainings=len(found), same=True)
    shared = [key for key in found[0] if all(key in one for one in found)]
    values = tuple(
        SeedValues(metric=key[0], slice=key[1], values=tuple(one[key] for one in found))
        for key in shared
    )
    return Seeds(trainings=len(found), values=values)


def _values_of(project: Project, name: str, root: Path) -> dict[Key, float]:
    """The metrics files' numbers, the usual metrics of rows, and those that gates speak of."""
    from mlops_ci.data import single_rows
    from mlops_ci.verdict import askable, compare_single

    model = project.model(name)
    values: dict[Key, float] = {
        (metric, None): value for metric, value in read_metrics(root, model).values.items()
    }
    if model.predictions is None:
        return values
    predictions = open_predictions(root / model.predictions, model)
    gates = expand_gates(model.gates)
    names = frozenset({*(gate.metric for gate in gates), model.primary or ""})
    asked = askable(names, grouped=predictions.group is not None)
    results = compare_single(single_rows(predictions), project.config.policy(name), asked)
    return values | {(one.metric, one.slice): one.head for one in results if one.head is not None}
