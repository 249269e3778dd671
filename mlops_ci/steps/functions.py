"""`functions:` of a model: metrics of the user's own, measured in the user's own environment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config import Function, Policy
from mlops_ci.engines import Echo, Ended, Job, engine_of
from mlops_ci.engines.owner import make_folder, user_for
from mlops_ci.engines.python import Request, find_lock, ready_python
from mlops_ci.errors import MlopsCiError
from mlops_ci.project import Project
from mlops_ci.records.files import write_atomically
from mlops_ci.records.results import MetricResult
from mlops_ci.steps import function_child
from mlops_ci.steps.tree import Tree, WorkTree
from mlops_ci.verdict.functions import (
    Rows,
    Values,
    blocks_of,
    join_unpaired,
    measure_functions,
    parts_of,
    places_of,
    refusal,
)
from mlops_ci.verdict.redrawn import DRAWS, MOST_PARTS, MOST_ROWS
from mlops_ci.verdict.rows import Mask, Outputs, PairedRows, SingleRows, unequal

if TYPE_CHECKING:
    from mlops_ci.data import Pairing, Predictions

MAX_ANSWER = 64 << 20
PATIENCE = 600.0  # seconds, where the model has no `timeout`
IN_TIME = 0.9  # the part of them after which a function is refused, and the others are answered


@dataclass(frozen=True)
class Asked:
    """One function, and the tree whose file it is read from."""

    name: str
    function: Function
    tree: Tree


@dataclass(frozen=True)
class Functions:
    """Asks all functions of a model about rows. What fails is not assessed; nothing is raised."""

    project: Project
    model: str
    asked: Sequence[Asked]
    echo: Echo | None = None
    engine: str = "local"

    def only(self, names: Collection[str]) -> Functions | None:
        """None where none of them is a function."""
        asked = [one for one in self.asked if one.name in names]
        return replace(self, asked=asked) if asked else None

    def of_pair(
        self, base: Predictions, head: Predictions, pairing: Pairing, policy: Policy
    ) -> tuple[MetricResult, ...]:
        if isinstance(pairing.rows, PairedRows):
            return self._measure(pairing.rows, policy, _hashes_of_pair(base, head, pairing))
        (theirs, ours), sides = pairing.rows, (base, head)
        found = [
            self._measure(rows, policy, _hashes(side.keys))
            for rows, side in zip((theirs, ours), sides, strict=True)
        ]
        return join_unpaired(found[0], found[1])

    def of_head(
        self, head: Predictions, rows: SingleRows, policy: Policy
    ) -> tuple[MetricResult, ...]:
        return self._measure(rows, policy, _hashes(head.keys))

    def _measure(
        self, rows: Rows, policy: Policy, hashes: NDArray[Any] | None
    ) -> tuple[MetricResult, ...]:
        marks = {"block": blocks_of(rows, hashes)}
        asked = [part for part in parts_of(rows) if refusal(rows, policy, part) is None]
        parts = [part[0] for part in asked]
        few = rows.weight is not None or any(_size(rows, mask) < MOST_ROWS for _, mask in asked)
        if few:  # rows are drawn anew
            marks["place"] = places_of(rows, hashes)
        better = {one.name: one.function.better == "higher" for one in self.asked}
        found = self._ask(rows, marks, parts) if parts else {}
        return measure_functions(rows, policy, better, found, marks["block"])

    def _ask(
        self, rows: Rows, marks: Mapping[str, NDArray[np.int64]], parts: Sequence[str | None]
    ) -> Mapping[tuple[str, str | None], Values]:
        project = self.project
        folder = project.records.of(self.model, project.commit) / "functions"
        try:
            answers = self._run(rows, marks, parts, folder)
        except MlopsCiError as error:
            answers = [{"refused": error.what}] * len(self.asked)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return dict(_read(self.asked, parts, answers))

    def _run(
        self,
        rows: Rows,
        marks: Mapping[str, NDArray[np.int64]],
        parts: Sequence[str | None],
        folder: Path,
    ) -> Any:
        project = self.project
        project.records.ignore()
        user = user_for(project.git.root, project.world.environ)
        shutil.rmtree(folder, ignore_errors=True)  # the user's commands could have made it
        make_folder(folder, user)
        sides = ("base", "head") if isinstance(rows, PairedRows) else ("head",)
        names, arrays = sorted(rows.slices), []
        for name, array in chain(marks.items(), _arrays(rows, sides)):
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
            arrays.append(name)
        if names:
            _save_slices(folder / "slices.npy", [rows.slices[name] for name in names])
            arrays.append("slices")
        plan = {
            "functions": [self._written(one, folder, at) for at, one in enumerate(self.asked)],
            "arrays": sorted(arrays),
            "sides": sides,
            "parts": [None if part is None else names.index(part) for part in parts],
            "draws": DRAWS,
            "most_rows": MOST_ROWS,
            "most_parts": MOST_PARTS,
            "seconds": IN_TIME * self._timeout,
        }
        write_atomically(folder / "plan.json", json.dumps(plan).encode())
        child = folder / "ask_functions.py"
        write_atomically(child, Path(function_child.__file__).read_bytes())
        ended = self._job((str(child), str(folder)), folder / "answer.json")
        if ended.code is None:
            why = f"no answer after {self._timeout:g} s: give the model a longer `timeout: SECONDS`"
            return [{"refused": why}] * len(self.asked)
        return _answer(folder / "answer.json")

    @property
    def _timeout(self) -> float:
        return self.project.model(self.model).timeout or PATIENCE

    def _written(self, one: Asked, folder: Path, at: int) -> dict[str, str]:
        file, _, name = one.function.function.partition(":")
        content = one.tree.read(file)
        place = folder / f"function_{at}.py"
        write_atomically(
            place,
            content
            if content is not None
            else f"raise FileNotFoundError({f'there is no {file}'!r})\n".encode(),
        )
        return {"path": str(place), "name": name}

    def _job(self, arguments: Sequence[str], answer: Path) -> Ended:
        project, model = self.project, self.project.model(self.model)
        engine = engine_of(self.engine, project.world)
        root = project.git.root
        log = project.records.of(self.model, project.commit) / "functions.log"
        lock = find_lock(model, WorkTree(project).read)
        python = ready_python(
            Request(model, lock, project.root, root, log), engine, project.world, self.echo
        )
        job = Job(
            run_id=f"functions-{project.commit[:12]}",
            argv=("python", *arguments),
            folder=project.root,
            workspace=root,
            log=log,
            secrets=model.secrets,
            bin=python,
            timeout=self._timeout,
            outputs=(answer.relative_to(project.root).as_posix(),),
        )
        return engine.run(job, self.echo)


def _size(rows: Rows, mask: Mask | None) -> int:
    return len(rows.label) if mask is None else int(np.count_nonzero(mask))


def _save_slices(place: Path, masks: Sequence[Mask]) -> None:
    """One after the other: of many rows they are many bytes."""
    shape = (len(masks), len(masks[0]))
    found = np.lib.format.open_memmap(place, mode="w+", dtype=np.bool_, shape=shape)
    for at, mask in enumerate(masks):
        found[at] = mask
    found.flush()


def _arrays(rows: Rows, sides: Sequence[str]) -> Iterator[tuple[str, NDArray[Any]]]:
    """As the predictions file has them: the classes' names, whole numbers or truth values."""
    outputs = (rows.base, rows.head) if isinstance(rows, PairedRows) else (rows.outputs,)
    yield "y", _named(rows, rows.label)
    weight = unequal(rows.weight)
    if weight is not None:
        yield "weight", weight
    for name, side in zip(sides, outputs, strict=True):
        yield from _of_side(rows, name, side)


def _of_side(rows: Rows, name: str, side: Outputs) -> Iterator[tuple[str, NDArray[Any]]]:
    if side.prediction is not None:
        yield f"{name}_prediction", _named(rows, side.prediction)
    elif side.score is not None:
        yield f"{name}_prediction", side.score
    if side.score is not None:
        yield f"{name}_score", side.score


def _named(rows: Rows, codes: NDArray[Any]) -> NDArray[Any]:
    names: NDArray[Any] = np.array(rows.classes)
    if rows.task == "regression":
        return codes
    if all(name.lstrip("-").isdecimal() and str(int(name)) == name for name in rows.classes):
        names = names.astype(np.int64)
    elif set(rows.classes) <= {"true", "false"}:
        names = names == "true"
    return np.asarray(names[codes])


def _hashes(keys: NDArray[Any] | None) -> NDArray[Any] | None:
    from mlops_ci.data.keys import hash_keys

    return None if keys is None else hash_keys(keys)


def _hashes_of_pair(base: Predictions, head: Predictions, pairing: Pairing) -> NDArray[Any] | None:
    from mlops_ci.data.keys import match

    if pairing.counts.paired_by != "id" or base.keys is None or head.keys is None:
        return None
    return _hashes(base.keys[match(base.keys, head.keys)[0]])


def _answer(place: Path) -> Any:
    """What was written by a process that we do not trust: any fault is no answer."""
    try:
        if place.is_symlink() or not place.is_file() or place.stat().st_size > MAX_ANSWER:
            return None
        return json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _read(
    asked: Sequence[Asked], parts: Sequence[str | None], answers: Any
) -> Iterator[tuple[tuple[str, str | None], Values]]:
    known = isinstance(answers, list) and len(answers) == len(asked)
    for at, one in enumerate(asked):
        told = answers[at] if known else {"refused": "it gave no answer: see functions.log"}
        for number, part in enumerate(parts):
            yield (one.name, part), _values(told, number, one.function.function)


def _values(told: Any, number: int, name: str) -> Values:
    try:
        if "refused" in told:
            return Values(refused=f"{name}: {str(told['refused'])[:300]}")
        sides = [[float(value) for value in side] for side in told["parts"][number]]
        drawn = [tuple(float(value) for value in side) for side in told["drawn"][number] or ()]
        without = tuple(tuple(side[1:]) for side in sides)
        return Values(tuple(side[0] for side in sides), without, tuple(drawn))
    except (TypeError, ValueError, KeyError, IndexError):
        return Values(refused=f"{name}: its answer cannot be read")
