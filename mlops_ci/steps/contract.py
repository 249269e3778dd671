"""`contract:` checked: what head's files hold, against base's promises and head's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_ci.config import Model, Term
from mlops_ci.data.contents import read_contents
from mlops_ci.engines import Echo, Job, engine_of
from mlops_ci.engines.owner import make_folder, user_for
from mlops_ci.engines.python import Request, find_lock, ready_python
from mlops_ci.errors import MlopsCiError
from mlops_ci.project import Project
from mlops_ci.records.files import write_atomically
from mlops_ci.records.findings import ContractResult
from mlops_ci.steps import schema_child
from mlops_ci.steps.tree import CommitTree, Tree, WorkTree
from mlops_ci.verdict.contract import FileFacts, Promised, SchemaFacts, Seen, judge_term

MAX_ANSWER = 1 << 20
PATIENCE = 600.0  # seconds for a schema, where the model has no `timeout`


@dataclass(frozen=True)
class ContractRequest:
    """`base_rows`: file → rows of base's, None: not known. `base`: the commit whose schemas judge
    beside head's; None: there is none."""

    promised: Sequence[Promised]
    base_rows: Mapping[str, int | None] = field(default_factory=dict)
    base: str | None = None
    echo: Echo | None = None
    engine: str = "local"


def check_contract(
    project: Project, name: str, request: ContractRequest
) -> tuple[ContractResult, ...]:
    """One result a term. What cannot be read or asked is not assessed; nothing is raised for it."""
    model = project.model(name)
    files: dict[str, list[Term]] = {}
    for one in request.promised:
        files.setdefault(path_of(one.term, model), []).append(one.term)
    facts = {path: read_contents(project.root / path, terms) for path, terms in files.items()}
    return tuple(
        judge_term(one, seen)
        for promised in request.promised
        for one, seen in _seen(project, name, request, promised, facts)
    )


def path_of(term: Term, model: Model) -> str:
    return term.file or model.predictions or "the predictions"


def _seen(
    project: Project,
    name: str,
    request: ContractRequest,
    promised: Promised,
    facts: Mapping[str, FileFacts],
) -> Iterator[tuple[Promised, Seen]]:
    """A schema that both files name may have changed inside: then each side's own is asked."""
    path = path_of(promised.term, project.model(name))
    seen = Seen(path, facts[path], request.base_rows.get(path), "base's rows are not known")
    if promised.term.kind != "schema" or seen.file.missing:
        yield promised, seen
        return
    asking = _Asking(project, name, request)
    for one, tree in _trees(project, request, promised):
        said = asking.ask(promised.term.spec or "", path, tree)
        yield one, Seen(path, seen.file, schema=said)


def _trees(
    project: Project, request: ContractRequest, promised: Promised
) -> Iterator[tuple[Promised, Tree]]:
    here = WorkTree(project)
    if request.base is None or promised.source == "head":
        yield promised, here
        return
    there = CommitTree(project, request.base)
    file = (promised.term.spec or "").partition(":")[0]
    if promised.source == "both" and there.read(file) == here.read(file):
        yield promised, here
        return
    yield Promised(promised.term, "base"), there
    if promised.source == "both":
        yield Promised(promised.term, "head"), here


@dataclass(frozen=True)
class _Asking:
    """One question to pandera, in the environment of the model and without our keys."""

    project: Project
    name: str
    request: ContractRequest

    def ask(self, spec: str, path: str, tree: Tree) -> SchemaFacts:
        file, colon, name = spec.partition(":")
        content = tree.read(file)
        if content is None:
            return SchemaFacts(refused=f"there is no {file}")
        folder = self.project.records.of(self.name, self.project.commit) / "schema"
        try:
            return self._run(f"{{}}{colon}{name}", Path(file).name, (folder, content), path)
        except MlopsCiError as error:
            return SchemaFacts(refused=error.what)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, spec: str, file: str, place: tuple[Path, bytes], path: str) -> SchemaFacts:
        project, (folder, content) = self.project, place
        project.records.ignore()
        user = user_for(project.git.root, project.world.environ)
        shutil.rmtree(folder, ignore_errors=True)  # the user's commands could have made it
        make_folder(folder, user)
        child = folder / "ask_schema.py"
        write_atomically(folder / file, content)
        write_atomically(child, Path(schema_child.__file__).read_bytes())
        answer = folder / "answer.json"
        data = str(project.root / path)
        self._job((str(child), spec.format(folder / file), data, str(answer)), answer)
        return _answered(answer)

    def _job(self, arguments: Sequence[str], answer: Path) -> None:
        project, model = self.project, self.project.model(self.name)
        engine = engine_of(self.request.engine, project.world)
        root, log = project.git.root, project.records.of(self.name, project.commit) / "contract.log"
        lock = find_lock(model, WorkTree(project).read)
        python = ready_python(
            Request(model, lock, project.root, root, log), engine, project.world, self.request.echo
        )
        job = Job(
            run_id=f"contract-{project.commit[:12]}",
            argv=("python", *arguments),
            folder=project.root,
            workspace=root,
            log=log,
            secrets=model.secrets,
            bin=python,
            timeout=model.timeout or PATIENCE,
            outputs=(answer.relative_to(project.root).as_posix(),),
        )
        engine.run(job, self.request.echo)


def _answered(answer: Path) -> SchemaFacts:
    """What was written by a process that we do not trust: any fault is no answer."""
    try:
        if answer.is_symlink() or not answer.is_file() or answer.stat().st_size > MAX_ANSWER:
            raise ValueError("no answer of ours")  # noqa: TRY301 - one way for all faults
        told: Any = json.loads(answer.read_bytes())
        if "refused" in told:
            return SchemaFacts(refused=str(told["refused"])[:300])
        failures = {
            (None if column is None else str(column), str(check)): int(times)
            for column, check, times in told["failures"]
        }
    except (OSError, ValueError, TypeError, KeyError):
        return SchemaFacts(refused="pandera gave no answer: see contract.log in the records")
    if any(times < 1 for times in failures.values()):
        return SchemaFacts(refused="pandera's answer cannot be read")
    return SchemaFacts(failures)
