"""The data contract of a model: base's terms beside head's, and how many rows base's files had."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlops_ci.config import Term, Waiver, expand_contract
from mlops_ci.data.contents import count_rows
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.base_side import BaseSide
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.project import Project, is_within
from mlops_ci.records.findings import ContractResult
from mlops_ci.steps.contract import ContractRequest, check_contract, path_of
from mlops_ci.steps.tree import CommitTree
from mlops_ci.verdict.contract import Promised, waive_contract
from mlops_ci.verdict.terms import merge_terms

COMPARED = "rows-max-change"


@dataclass(frozen=True)
class Checked:
    """`changes`: what head does to the contract, in words; `notes`: waivers that were used, or are
    over. `waiting`: terms that need a base."""

    results: tuple[ContractResult, ...] = ()
    changes: tuple[str, ...] = ()
    waiting: int = 0
    notes: tuple[str, ...] = ()


def contract_with_base(
    project: Project, outcome: ModelOutcome, search: Search | None, waivers: Sequence[Waiver]
) -> Checked:
    promised, changes = _promised(project, outcome.name, search)
    if not promised:
        return Checked()
    side = search.side if search is not None else None
    asked = promised if side is not None else [p for p in promised if p.term.kind != COMPARED]
    request = ContractRequest(
        asked,
        _base_rows(project, outcome, search, asked) if side is not None else {},
        None if search is None or search.settings.adopted else search.base.commit,
    )
    results = check_contract(project, outcome.name, request)
    waived = waive_contract(results, waivers, project.world.now().date())
    return Checked(waived.results, changes, len(promised) - len(asked), waived.notes)


def _promised(
    project: Project, name: str, search: Search | None
) -> tuple[list[Promised], tuple[str, ...]]:
    ours = expand_contract(project.model(name).contract)
    if search is None or search.settings.adopted:
        return [Promised(term, "head") for term in ours], ()
    merged, changes = merge_terms(expand_contract(search.settings.model.contract), ours)
    return list(merged), changes


def _base_rows(
    project: Project, outcome: ModelOutcome, search: Search | None, asked: Iterable[Promised]
) -> dict[str, int | None]:
    if search is None or search.side is None:
        return {}
    terms = [one.term for one in asked if one.term.kind == COMPARED]
    model = project.model(outcome.name)
    counting = _Counting(project, outcome, search, search.side)
    return {path_of(term, model): counting.rows_of(term) for term in terms}


@dataclass(frozen=True)
class _Counting:
    """Base's rows: as its evaluation counted them, else as Git has the file, else head's where
    both are told to be the same data."""

    project: Project
    outcome: ModelOutcome
    search: Search
    side: BaseSide

    def rows_of(self, term: Term) -> int | None:
        evaluation = self.side.evaluation
        if term.file is None:
            return evaluation.rows
        if term.file in evaluation.file_rows:
            return evaluation.file_rows[term.file]
        content = CommitTree(self.project, self.search.base.commit).read(term.file)
        if content is not None:
            return _count(content, term.file)
        return count_rows(self.project.root / term.file) if self._same_data(term.file) else None

    def _same_data(self, path: str) -> bool:
        head, base = self.outcome.training, self.side.training
        if head is None or base is None:
            return False
        return any(
            is_within(path, PurePosixPath(entry).as_posix()) and base.data.get(entry) == digest
            for entry, digest in head.data.items()
        )


def _count(content: bytes, name: str) -> int | None:
    with tempfile.TemporaryDirectory(prefix="mlops-ci-contract-") as folder:
        place = Path(folder) / PurePosixPath(name).name
        place.write_bytes(content)
        return count_rows(place)
