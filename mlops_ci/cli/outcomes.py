"""What came of a plan: the report on standard output and in files, or one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_ci.errors import UsageError
from mlops_ci.plan import ModelOutcome, Outcomes
from mlops_ci.project import Project
from mlops_ci.records import GateResult

MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


def show(project: Project, outcomes: Outcomes, options: Mapping[str, Any]) -> None:
    """Errors always go to standard error, in full."""
    for model in outcomes.models:
        if model.error is not None:
            print(f"error: {model.name}: {model.error}", file=sys.stderr)
    del project
    for name in ("html", "markdown"):
        if options[name] is not None:
            raise UsageError(f"--{name}: a project's report cannot be written by this version yet")
    if options["json"]:
        from mlops_ci.cli.models import to_json

        print(
            to_json({"exit_code": outcomes.exit_code, "models": list(map(_plain, outcomes.models))})
        )
        return
    for model in outcomes.models:
        print("\n".join(_lines(model)))


def _plain(model: ModelOutcome) -> dict[str, Any]:
    error = model.error
    return {
        "model": model.name,
        "state": model.state,
        "comparison": model.comparison,
        "notes": model.notes,
        "error": None
        if error is None
        else {
            "exit_code": error.exit_code,
            "step": model.failed_step,
            "what": error.what,
            "where": error.where,
            "fix": error.fix,
        },
    }


def _lines(model: ModelOutcome) -> Iterator[str]:
    comparison = model.comparison
    if comparison is None:
        yield f"{model.name}: {model.state} ({model.failed_step or model.why})"
        return
    against = "a first run: nothing to compare with"
    if comparison.base is not None:
        commit = (comparison.base.commit or "")[:12]
        against = f"against {comparison.base.name} {commit} ({comparison.base.source})"
    blocks = ", and blocks" if comparison.blocks else ""
    yield f"{model.name}: {comparison.verdict}{blocks}, {against}"
    yield from (f"  {_gate(gate)}" for gate in comparison.gates)
    yield from (f"  note: {note}" for note in comparison.notes)


def _gate(gate: GateResult) -> str:
    where = f" [{gate.slice}]" if gate.slice else ""
    numbers = [gate.estimate, gate.low, gate.high]
    shown = ["–" if number is None else f"{number:+.4f}" for number in numbers]
    name = f"{gate.metric}{where} {gate.kind} {gate.limit:g}"
    return f"{MARKS[gate.verdict]} {name}: {shown[0]} [{shown[1]}, {shown[2]}] ({gate.reason})"
